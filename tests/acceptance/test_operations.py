"""Acceptance of the operations: a real Prefect server, a real worker, three customers.

The server keeps its data in PostgreSQL where one with pg_trgm is at hand; the output says which.
"""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from prefect.blocks.webhook import Webhook
from prefect.settings import PREFECT_API_URL, temporary_settings
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from flows.prefect_server import prefect_server
from sandbox.serve import serve
from tests.acceptance.world import KEY, World
from tests.flows.command import INTERRUPTIBLE, Ended
from tests.flows.deployed import Deployed, await_that
from tests.flows.workshop import JOB, servers
from tests.prefect_database import prefect_database

ROOT = Path(__file__).resolve().parents[2]
CUSTOMERS = ("acme", "borealis", "corvus")
POOL = "nightly"
OF_WHEEL = "installed"  # the pool of the worker that has the wheel
_PREFECT = INTERRUPTIBLE + "import runpy; runpy.run_module('prefect', run_name='__main__')"
QUICK = {"attempts": 2, "initial": 0.01, "max_delay": 0.02, "jitter": 0}


@dataclass(frozen=True)
class Site:
    """An installation with three customers, in `folder`; `code` is where its packages are."""

    folder: Path
    prefect: Deployed
    code: Path = ROOT

    def settle(self, world: World) -> None:
        """Settings, and for each customer a job that is due at two in the morning in Paris."""
        world.api.turn({"total": "header"})
        self.folder.mkdir(parents=True)
        self.write_settings(world)
        for customer in CUSTOMERS:
            job = JOB.replace("path: /api/servers", f"path: /api/{customer}")
            job = job.replace("import_source: acme-cmdb", f"import_source: {customer}-cmdb")
            path = self.jobs / customer / "servers.yaml"
            path.parent.mkdir(parents=True)
            text = job + '  schedule: {cron: "0 2 * * *", timezone: Europe/Paris}\n'
            path.write_text(text, encoding="utf-8")
            records = [each | {"name": f"{customer}-{each['name']}"} for each in servers(5)]
            world.api.put_collection(customer, records)

    def write_settings(self, world: World, **more: Any) -> None:
        source = {"type": "api", "base_url": world.api_url, "retry": QUICK}
        target = {
            "type": "canopsis",
            "url": world.canopsis_url,
            "auth": {"type": "api_key", "key": "${ACME_KEY}"},
            "retry": {"attempts": 2, "first": 0.01, "longest": 0.02},
            "imports": {"pace": {"first": 0.01, "longest": 0.05}},
        }
        words = {
            "ledger": "sqlite:///state/ledger.db",
            "spool": "state/spool",
            "state": "state",
            "events": False,
            "connections": {"acme-cmdb": source, "acme-canopsis": target},
        }
        (self.folder / "refsync.yaml").write_bytes(orjson.dumps(words | more))  # JSON is YAML

    @property
    def jobs(self) -> Path:
        return self.folder / "customers"

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {
            "PREFECT_API_URL": f"{self.prefect.url}/api",
            "PREFECT_HOME": str(self.folder / "prefect"),
            "REFSYNC_CONFIG": str(self.folder / "refsync.yaml"),
            "REFSYNC_JOBS": str(self.jobs),
            "PYTHONPATH": str(self.code),
            "ACME_KEY": KEY,
        }

    def refsync(self, *words: str) -> Ended:
        """Give a command, in the folder of the site."""
        done = subprocess.run(
            [sys.executable, "-c", "from flows.cli import main; main()", *words],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=120,
        )
        return Ended(done.returncode, done.stdout, done.stderr)


@contextlib.contextmanager
def at_work(prefect: Deployed, folder: Path, pool: str = POOL, code: Path = ROOT) -> Iterator[None]:
    """A worker of *pool* that was started in the root of the disk, and knows no folder of ours.

    Its interpreter has the packages of *code*; *folder* is for its own files.
    """
    environment = os.environ | {
        "PREFECT_API_URL": f"{prefect.url}/api",
        "PREFECT_HOME": str(folder),
        "PREFECT_WORKER_QUERY_SECONDS": "2",
        "PYTHONPATH": str(code),
        "ACME_KEY": KEY,  # secrets are the worker's: Prefect never sees them
    }
    with (folder / "worker.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", _PREFECT, "worker", "start", "--pool", pool],
            cwd="/",
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)  # which it sends itself as SIGINT
        try:
            process.wait(timeout=30)
        finally:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def prefect(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Deployed]:
    """A Prefect server with a work pool; where its data are is told."""
    folder = tmp_path_factory.mktemp("prefect")
    with prefect_database() as database:
        capture = request.config.pluginmanager.getplugin("capturemanager")
        with capture.global_and_fixture_disabled():
            sys.stdout.write(f"\nPrefect's server keeps its data in {database.told}\n")
        with prefect_server(folder, ui=False, database=database.url) as url:
            assert (folder / "prefect" / "prefect.db").exists() is (not database.url)
            server = Deployed(url)
            server.pool(POOL)
            yield server


@dataclass(frozen=True)
class Inbox:
    """A local server that webhooks reach: the bodies that it was sent, in order."""

    url: str
    received: list[dict[str, Any]]


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    received: list[dict[str, Any]] = []

    async def take(request: Request) -> Response:
        received.append(orjson.loads(await request.body()))
        return Response(status_code=204)

    with serve(Starlette(routes=[Route("/", take, methods=["POST"])])) as url:
        yield Inbox(url, received)


@pytest.fixture
def site(tmp_path: Path, world: World, prefect: Deployed) -> Iterator[Site]:
    made = Site(tmp_path / "site", prefect)
    made.settle(world)
    prefect.clear()
    yield made
    prefect.clear()


@pytest.fixture(scope="module")
def _worker(prefect: Deployed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with at_work(prefect, tmp_path_factory.mktemp("worker")):
        yield


@pytest.mark.usefixtures("_worker")
def test_three_customers_are_deployed_run_renamed_and_pruned(
    site: Site, world: World, prefect: Deployed
) -> None:
    deployed = site.refsync("deploy", "--pool", POOL, "--json")

    assert deployed.code == 0, deployed.err
    names = [f"{customer}/servers" for customer in CUSTOMERS]
    assert set(prefect.all()) == {*names, "refsync/backfill"}
    for name in names:
        (schedule,) = prefect.one(name)["schedules"]
        assert schedule["schedule"]["cron"] == "0 2 * * *"
        assert schedule["schedule"]["timezone"] == "Europe/Paris"
        due = await_that(lambda name=name: prefect.scheduled(name), bool)
        local = datetime.fromisoformat(due[0]).astimezone(ZoneInfo("Europe/Paris"))
        assert (local.hour, local.minute) == (2, 0)

    run = prefect.run("borealis/servers")
    done = prefect.ended(run)

    assert done["state_type"] == "COMPLETED", done["state"]["message"]
    assert done["name"] == "borealis/servers sync"
    assert set(done["tags"]) == {"refsync", "customer:borealis", "source:api"}
    assert len(world.entities()) == 5
    assert all(name.startswith("borealis-srv") for name in world.entities())
    artifacts = prefect.artifacts(run)
    assert "plan: 5 create" in artifacts["borealis-servers-summary"]["data"]
    assert artifacts["borealis-servers-changes"]["data"].count("borealis-srv") == 5
    assert "file://" in artifacts["borealis-servers-report"]["data"]

    old = prefect.one("corvus/servers")["id"]
    (site.jobs / "corvus" / "servers.yaml").rename(site.jobs / "corvus" / "machines.yaml")
    again = site.refsync("deploy", "--pool", POOL, "--prune", "--json")

    assert again.code == 0, again.err
    actions = {each["name"]: each["action"] for each in again.document["deployments"]}
    assert actions["corvus/machines"] == "created"
    assert actions["corvus/servers"] == "pruned"
    assert actions["acme/servers"] == actions["borealis/servers"] == "unchanged"
    left = prefect.all()
    assert "corvus/servers" not in left
    assert old not in {each["id"] for each in left.values()}
    assert prefect.flow_run(run)["state_type"] == "COMPLETED"  # what was run is still told


@pytest.mark.usefixtures("_worker")
def test_a_source_that_fails_sends_the_webhook(
    site: Site, world: World, prefect: Deployed, inbox: Inbox
) -> None:
    with temporary_settings({PREFECT_API_URL: f"{prefect.url}/api"}):
        # loopback is refused by Prefect as a target without this word
        block = Webhook(url=inbox.url, allow_private_urls=True)
        block.save("on-call", overwrite=True)
    site.write_settings(world, notify={"webhook": "on-call"})
    deployed = site.refsync("deploy", "--pool", POOL)
    installed = site.refsync("automations")
    refusal = {"kind": "status", "status": 403, "on": "acme", "times": 0}
    world.api.turn({"faults": [refusal]})
    assert (deployed.code, installed.code) == (0, 0), deployed.err + installed.err

    run = prefect.ended(prefect.run("acme/servers"))

    assert run["state_type"] == "FAILED"
    (message,) = await_that(lambda: list(inbox.received), bool)
    assert message["job"] == "acme/servers"
    assert message["state"] == "Failed"
    assert "403" in message["message"]


def test_the_example_of_a_prefect_yaml_deploys_the_shipped_job(
    site: Site, prefect: Deployed
) -> None:
    environment = site.environment | {"REFSYNC_CHECKOUT": str(ROOT)}
    words = ("--no-prompt", "deploy", "--all", "--prefect-file", "deploy/prefect.yaml")

    done = subprocess.run(
        [sys.executable, "-m", "prefect", *words],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    found = prefect.one("sync_referential/acme-servers")
    assert found["work_pool_name"] == POOL
    assert found["entrypoint"] == "flows/sync.py:sync_referential"
    (step,) = found["pull_steps"]
    assert step == {"prefect.deployments.steps.set_working_directory": {"directory": str(ROOT)}}
    assert found["parameters"] == {"job": "acme/servers"}
    assert found["global_concurrency_limit"]["limit"] == 1
    assert found["schedules"][0]["schedule"]["timezone"] == "Europe/Paris"
    assert found["job_variables"]["env"]["REFSYNC_CONFIG"] == str(site.folder / "refsync.yaml")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the built wheel is installed, without what it depends on."""
    folder = tmp_path_factory.mktemp("wheel")
    uv = Path(sys.executable).parent / "uv"
    subprocess.run([uv, "build", "--quiet", "--wheel", "--out-dir", folder, ROOT], check=True)
    (built,) = folder.glob("*.whl")
    words = ("--quiet", "--no-deps", "--target", folder / "installed")
    subprocess.run([uv, "pip", "install", *words, built], check=True)
    return folder / "installed"


def test_an_installed_wheel_and_a_folder_of_customers_are_enough(
    site: Site, world: World, prefect: Deployed, wheel: Path
) -> None:
    site = replace(site, code=wheel)
    code = "import flows; print(flows.__file__)"
    told = subprocess.check_output(
        [sys.executable, "-c", code], cwd="/", env=site.environment, text=True
    )
    assert told.startswith(str(wheel))

    prefect.pool(OF_WHEEL)
    deployed = site.refsync("deploy", "--pool", OF_WHEEL)

    assert deployed.code == 0, deployed.err
    found = prefect.one("acme/servers")
    assert found["entrypoint"] == "flows.sync.sync_referential"
    assert found["pull_steps"] == []
    with at_work(prefect, site.folder, OF_WHEEL, wheel):
        done = prefect.ended(prefect.run("acme/servers", mode="full"))
        assert done["state_type"] == "COMPLETED", done["state"]["message"]
    assert len(world.entities()) == 5
