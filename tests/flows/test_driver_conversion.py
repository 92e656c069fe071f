"""`refsync init --from-driver`: the job gives the same entities as the driver file."""

import json
from pathlib import Path

import pytest

from flows.conversion import convert
from flows.job import load_job
from flows.misdeclared import Misdeclared
from flows.settings import Settings, SettingsFile
from mappings.driver import rows_of
from mappings.driver_reading import read_driver
from mappings.driver_rules import ROWS, DriverMapper

FILES = Path(__file__).parent.parent / "mappings" / "driver"
LEGACY = {"data": {"1": {"identity": {"name": "srv"}, "level": 3, "serial": 12}}}


def answer(name: str) -> object:
    path = FILES / f"{name}.json"
    return json.loads(path.read_bytes()) if path.exists() else LEGACY


@pytest.mark.parametrize("name", ["servers", "composants", "applications", "legacy"])
def test_the_entities_are_the_same_to_the_byte(name: str, tmp_path: Path) -> None:
    settings = Settings(None, SettingsFile(), tmp_path)
    file = read_driver((FILES / f"{name}.yml").read_text(encoding="utf-8"))
    ours = DriverMapper(file).map_page(ROWS, rows_of(file, answer(name)), 1).entities

    written = convert(settings, FILES / f"{name}.yml", tmp_path, "acme")
    job = load_job(f"acme/{name}", tmp_path)
    mapper = job.mapper()
    theirs = mapper.map_page(ROWS, rows_of(file, answer(name)), 1).entities
    late = mapper.finish(ROWS).entities

    assert [*theirs.payloads, *late.payloads] == ours.payloads
    assert job.sync.import_source == file.source
    assert "http://localhost:9200" in written.connection


def test_what_a_job_cannot_say_refuses_the_conversion(tmp_path: Path) -> None:
    settings = Settings(None, SettingsFile(), tmp_path)

    with pytest.raises(Misdeclared) as refused:
        convert(settings, FILES / "every_key.yml", tmp_path, "acme")

    assert "component.tags has no word in a job" in str(refused.value)
    assert not (tmp_path / "acme").exists()


def test_a_secret_never_reaches_a_job(tmp_path: Path) -> None:
    text = (FILES / "servers.yml").read_text(encoding="utf-8")
    file = tmp_path / "secret.yml"
    file.write_text(text.replace("/_search", "/_search?api_token=s3cret"), encoding="utf-8")

    with pytest.raises(Misdeclared, match="'api_token' looks like a secret") as refused:
        convert(Settings(None, SettingsFile(), tmp_path), file, tmp_path, "acme")

    assert "s3cret" not in str(refused.value)
