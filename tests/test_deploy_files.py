"""The examples of `deploy/` and the Dockerfile say what the commands take and the tree has.

No image is built here: that needs a Docker engine, and a registry.
"""

import configparser
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from flows.cli import app
from flows.job import SHIPPED, load_job
from flows.placement import IN_IMAGE

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"
UNITS = sorted(DEPLOY.glob("*.service"))


def read(name: str) -> Any:
    return YAML(typ="safe").load((DEPLOY / name).read_text(encoding="utf-8"))


def instructions() -> list[tuple[str, str]]:
    """The instructions of the Dockerfile, each with what follows, continued lines joined."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(words[0], words[-1]) for words in (line.split(maxsplit=1) for line in lines)]


def copied() -> list[str]:
    """What the image takes from the tree."""
    copies = (shlex.split(rest) for word, rest in instructions() if word == "COPY")
    return [each for words in copies if "--from=build" not in words for each in words[:-1]]


def ignored(name: str) -> bool:
    """Everything is, but what stands behind a `!`."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in lines
    return f"!{name}" not in lines


def test_the_image_copies_what_there_is_and_what_the_engine_is_sent() -> None:
    assert {"requirements.lock", "pyproject.toml", "flows", "sources"} <= set(copied())
    assert [name for name in copied() if not (ROOT / name).exists() or ignored(name)] == []


def test_the_image_has_every_package_of_the_wheel_and_what_it_is_built_of() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    found = re.search(r"^packages = \[(.*)\]$", project, re.MULTILINE)
    assert found is not None

    needed = {*re.findall(r'"(\w+)"', found[1]), "README.md", "schemas"}

    assert needed <= set(copied())


def test_the_image_runs_as_nobody_and_leaves_the_command_to_the_worker() -> None:
    words = dict(instructions())

    assert words["USER"] == "refsync"
    assert "ENTRYPOINT" not in words  # a docker worker's own command would be its arguments
    config, jobs = IN_IMAGE
    assert f"REFSYNC_CONFIG={config}/refsync.yaml" in words["ENV"]
    assert f"REFSYNC_JOBS={jobs}" in words["ENV"]
    assert words["WORKDIR"] == config


def test_the_services_of_compose_lean_on_those_that_are_there_and_tell_their_health() -> None:
    services = read("docker-compose.yaml")["services"]

    assert set(services) == {"database", "server", "worker", "refsync"}
    for service in services.values():
        for name, condition in service.get("depends_on", {}).items():
            assert condition == {"condition": "service_healthy"}
            assert "healthcheck" in services[name]
    for name in ("worker", "refsync"):
        environment = services[name]["environment"]
        assert environment["PREFECT_API_URL"] == "http://server:4200/api"
        assert environment["REFSYNC_CONFIG"] == f"{IN_IMAGE[0]}/refsync.yaml"
        assert environment["REFSYNC_JOBS"] == IN_IMAGE[1]
        mounted = [volume.split(":")[1] for volume in services[name]["volumes"]]
        assert mounted == list(IN_IMAGE)
    mounts = services["database"]["volumes"]
    scripts = [volume.split(":")[0] for volume in mounts if volume.startswith("./")]
    assert scripts == ["./ledger.sql"]
    assert (DEPLOY / "ledger.sql").is_file()


def test_the_command_of_compose_is_one_of_ours() -> None:
    program, *words = read("docker-compose.yaml")["services"]["refsync"]["command"]

    assert program == "refsync"
    command, bound, _ = app.parse_args(words, exit_on_error=False, print_error=False)
    assert command.__name__ == "deploy"
    assert bound.arguments["pool"] == "nightly"
    assert bound.arguments["prune"] is True


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_starts_a_command_that_there_is_and_stops_it_gently(unit: Path) -> None:
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
    parser.optionxform = str  # type: ignore[assignment,method-assign] - names keep their case
    parser.read(unit, encoding="utf-8")

    service = parser["Service"]
    program, *words = shlex.split(service["ExecStart"])
    assert service["User"] == "refsync"
    assert service["KillMode"] == "mixed"
    if program.endswith("/refsync"):
        command, bound, _ = app.parse_args(words, exit_on_error=False, print_error=False)
        assert command.__name__ == "serve"
        assert float(service["TimeoutStopSec"]) > float(bound.arguments["grace"].rstrip("s"))
    else:
        assert program.endswith("/prefect")
        assert words[:4] == ["worker", "start", "--pool", "nightly"]


def test_the_example_of_a_prefect_yaml_says_what_its_job_says() -> None:
    (deployment,) = read("prefect.yaml")["deployments"]
    job = load_job(deployment["parameters"]["job"], SHIPPED)
    (schedule,) = deployment["schedules"]

    assert job.sync.schedule is not None
    assert schedule["cron"] == job.sync.schedule.cron
    assert schedule["timezone"] == job.sync.schedule.timezone
    assert deployment["concurrency_limit"]["collision_strategy"].lower() == (
        job.sync.schedule.collision
    )
    customer = job.name.partition("/")[0]
    assert deployment["tags"] == ["refsync", f"customer:{customer}", f"source:{job.kind}"]
    path, _, function = deployment["entrypoint"].partition(":")
    assert f"def {function}(" in (ROOT / path).read_text(encoding="utf-8")
