"""Planted secrets in flow runs on a real server: its logs, artifacts, database and storage."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
import requests
from prefect.blocks.system import Secret
from prefect.blocks.webhook import Webhook
from prefect.events.worker import EventsWorker
from prefect.logging.handlers import APILogWorker
from prefect.types import SecretDict
from pydantic import SecretStr

from flows.blocks import Kind, RefsyncConnection
from flows.outcome import EXPECTED
from flows.sync import run_as_flow
from flows.workplace import Options
from tests.flows.hunt import Hunt, planted
from tests.flows.test_secrets import command, hunting
from tests.flows.vault import ASCII, HASTE, Case, Vault, open_vault
from tests.flows.workshop import NAME


@pytest.fixture(scope="module")
def vault() -> Iterator[Vault]:
    with open_vault() as made:
        yield made


@pytest.fixture
def prefect(settled_prefect: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> tuple[str, Path]:
    url, folder = settled_prefect
    monkeypatch.setenv("PREFECT_API_URL", f"{url}/api")
    return f"{url}/api", folder


def test_nothing_that_prefect_keeps_tells_a_secret(
    prefect: tuple[str, Path],
    vault: Vault,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """With a token in a Secret block, a Canopsis in a block of ours, a webhook in one of theirs."""
    url, folder = prefect
    monkeypatch.setenv("REFSYNC_CONFIG", str(tmp_path / "refsync.yaml"))
    secrets = {name: planted(f"prefect {name}", ASCII) for name in ("TOKEN", "KEY", "HOOK")}
    Secret(value=secrets["TOKEN"]).save("vault-token", overwrite=True)
    words = {"url": vault.urls["canopsis"], "auth": {"type": "api_key"}, "retry": HASTE}
    held = SecretDict({"auth": {"key": secrets["KEY"]}})
    RefsyncConnection(kind=Kind.CANOPSIS, words=words, secrets=held).save("target", overwrite=True)
    hook = SecretStr(f"https://hooks.example/{secrets['HOOK']}")
    Webhook(url=hook).save("vault-hook", overwrite=True)
    auth = {"type": "bearer", "token": "${prefect:vault-token}"}
    knobs = {"auth": "bearer", "token": secrets["TOKEN"]}
    vault.settle(Case("api basic", "api", {"auth": auth}, secrets, knobs), tmp_path)
    settings = tmp_path / "refsync.yaml"
    lines = settings.read_text("utf-8").splitlines(keepends=True)
    settings.write_text("".join(line for line in lines if "  target:" not in line), "utf-8")
    vault.turn["canopsis"]({"users": [{"name": "root", "authkey": secrets["KEY"]}]})
    with hunting(secrets, tmp_path, capfd) as hunt:
        assert run_as_flow(NAME, Options()).outcome == "done"
        for kind, name in (("api", "TOKEN"), ("canopsis", "KEY")):
            front = vault.fronts[kind]  # it knows what it was given
            for way in ("401", "500 page", "302"):
                front.turn(way, secrets[name], after=3)
                flow_run(hunt, way)
            front.turn(None)
        assert command("connections", "target", "--json") == 0
        for worker in (APILogWorker, EventsWorker):
            worker.drain_all(timeout=10)
        assert told_by(url, hunt) > 20
        names = hunt.files(folder)
        assert "prefect.db" in names
        with sqlite3.connect(folder / "prefect" / "prefect.db") as database:
            for line in database.iterdump():  # a row may span several pages of the file
                hunt.search(line, "Prefect's database")


def flow_run(hunt: Hunt, place: str) -> None:
    try:
        run_as_flow(NAME, Options("full"))
    except EXPECTED as error:
        hunt.error(error, f"flow run, {place}")


def told_by(url: str, hunt: Hunt) -> int:
    """What anybody is told who asks Prefect's API; gives the number of lines of the logs."""
    for kind in ("flow_runs", "task_runs", "artifacts", "block_documents", "deployments"):
        found = requests.post(f"{url}/{kind}/filter", json={}, timeout=30)
        found.raise_for_status()
        hunt.search(found.content, f"Prefect's {kind}")
    logs = requests.post(f"{url}/logs/filter", json={"limit": 200}, timeout=30)
    hunt.search(logs.content, "Prefect's logs")
    return len(orjson.loads(logs.content))
