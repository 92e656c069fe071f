"""Drop folders elsewhere: real SFTP and real S3 over loopback, whole files or none."""

import hashlib
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import paramiko
import pytest
import s3fs
from moto.server import ThreadedMotoServer

from sandbox.workbook import workbook
from sources import csv_file, excel
from sources.base import Source
from sources.errors import Refused, SourceError, Unreachable, Unreadable
from tests.sources.conftest import QUICK
from tests.sources.drops import DropFolder, notes
from tests.sources.sftp_server import PASSWORD, USER, Served, sftp_server

ROWS = "id;site\n1;Lyon\n2;Nice\n"
NIGHT = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
SECRET = "the-secret-key-of-the-bucket"


@pytest.fixture
def sftp(tmp_path: Path) -> Iterator[Served]:
    with sftp_server(tmp_path) as served:
        yield served


def over_sftp(
    served: Served, source: Source[Any, Any] = csv_file.SOURCE, **login: Any
) -> DropFolder:
    account = {"username": USER, "password": PASSWORD, "host_key": served.host_key} | login
    settings = {"root": served.address, "sftp": account, "retry": QUICK, "timeout": {"read": 5}}
    return DropFolder(served.root / "drop", source, settings)


def assert_safe(error: SourceError, *secrets: str) -> None:
    told = "\n".join([str(error), repr(error), notes(error)])
    assert not [secret for secret in secrets if secret in told]
    assert "where: " in told
    assert "mend: " in told


# SFTP


def test_files_are_read_over_sftp(sftp: Served) -> None:
    drop = over_sftp(sftp)
    drop.put("old.csv", "id;site\n0;Lyon\n", age=5)
    drop.put("in/a.csv", ROWS)
    drop.put("a.csv.part", ROWS)

    reading = drop.read(path="*.csv")

    assert [record["id"] for record in reading.records] == ["0"]
    assert reading.evidence.startswith(f"{sftp.address}/old.csv: 1 row")
    assert len(drop.read(path="**/a.csv").records) == 2


def test_a_workbook_is_read_over_sftp_and_nothing_of_it_stays_here(
    sftp: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(here))
    drop = over_sftp(sftp, excel.SOURCE)
    drop.put("a.xlsx", workbook(300))

    assert len(drop.read(sheet="Machines").records) == 270
    assert list(here.iterdir()) == []


def test_a_line_that_is_cut_is_no_end_of_a_file(sftp: Served) -> None:
    drop = over_sftp(sftp)
    drop.put("a.csv", ROWS + "3;Nice\n" * 100_000)
    sftp.cut_after = 300_000

    reading = drop.read()

    assert len(reading.records) == 100_002
    assert sftp.connections == 2


def test_a_line_that_is_cut_each_time_is_an_outage(sftp: Served) -> None:
    drop = over_sftp(sftp)
    drop.put("a.csv", ROWS + "3;Nice\n" * 100_000)
    sftp.cut_after, sftp.cuts = 300_000, 99

    error = drop.refusal()

    assert isinstance(error, Unreachable)
    assert "the line was cut" in str(error)
    assert f"where: {sftp.address}/a.csv" in notes(error)
    assert sftp.connections == QUICK["attempts"]


def test_a_file_that_grows_while_it_is_fetched_is_not_taken(sftp: Served) -> None:
    drop = over_sftp(sftp)
    drop.put("a.csv", ROWS)
    sftp.grows = b"3;Nice\n"

    assert isinstance(drop.refusal(), Unreachable)


def test_a_server_whose_key_is_not_known_is_refused(sftp: Served, tmp_path: Path) -> None:
    drop = over_sftp(sftp, host_key=None, known_hosts=str(tmp_path / "known"))
    drop.put("a.csv", ROWS)

    error = drop.refusal()

    assert isinstance(error, Refused)
    assert str(error) == "the key of 127.0.0.1 is not known"
    assert_safe(error, PASSWORD)


def test_a_server_that_shows_another_key_is_refused(sftp: Served) -> None:
    other = paramiko.ECDSAKey.generate()

    error = over_sftp(sftp, host_key=f"{other.get_name()} {other.get_base64()}").refusal()

    assert isinstance(error, Refused)
    assert "is not the server it was" in str(error)
    assert_safe(error, PASSWORD)


def test_keys_may_be_known_from_a_file(sftp: Served, tmp_path: Path) -> None:
    known = tmp_path / "known"
    known.write_text(f"[127.0.0.1]:{sftp.port} {sftp.host_key}\n")
    drop = over_sftp(sftp, host_key=None, known_hosts=str(known))
    drop.put("a.csv", ROWS)

    assert len(drop.read().records) == 2


def test_a_password_that_is_refused_is_told_without_it(sftp: Served) -> None:
    error = over_sftp(sftp, password="another-secret").refusal()

    assert isinstance(error, Refused)
    assert str(error).startswith(f"the server refuses {USER}")
    assert_safe(error, "another-secret")


def test_an_account_may_have_a_key_with_a_passphrase(sftp: Served, tmp_path: Path) -> None:
    key = paramiko.ECDSAKey.generate()
    path = tmp_path / "id"
    key.write_private_key_file(str(path), password="locked-by-this")
    sftp.users[USER] = key
    login = {"password": None, "private_key": str(path)}
    drop = over_sftp(sftp, **login, passphrase="locked-by-this")
    drop.put("a.csv", ROWS)

    assert len(drop.read().records) == 2
    error = over_sftp(sftp, **login).refusal()
    assert isinstance(error, Refused)
    assert "the key cannot be read" in str(error)
    assert "where: sftp.private_key of the connection" in notes(error)


@pytest.mark.parametrize("key", ["ssh-rsa !!!", "ssh-none AAAA", "ssh-rsa"])
def test_a_host_key_that_is_none_is_refused(sftp: Served, key: str) -> None:
    assert isinstance(over_sftp(sftp, host_key=key).refusal(), Refused)


def test_a_server_that_is_not_there_is_an_outage(sftp: Served) -> None:
    drop = over_sftp(sftp)
    drop.settings["root"] = "sftp://127.0.0.1:9/drop"

    error = drop.refusal()

    assert isinstance(error, Unreachable)
    assert_safe(error, PASSWORD)


def test_a_folder_that_is_not_there_is_an_outage(sftp: Served) -> None:
    drop = over_sftp(sftp)
    drop.settings["root"] = f"sftp://127.0.0.1:{sftp.port}/elsewhere"

    assert str(drop.refusal()) == "there is no such folder on the other machine"


def test_files_that_were_loaded_are_archived_over_sftp(sftp: Served) -> None:
    drop = over_sftp(sftp)
    drop.put("archive/2026-11-24/a.csv", "before")
    drop.put("a.csv", ROWS, age=1)
    drop.put("a.csv.done", hashlib.sha256(ROWS.encode()).hexdigest())
    options = {"path": "*.csv", "after_load": "archive", "marker": ".done"}

    reading = drop.read(**options)
    before = drop.names()
    told = drop.source.finish(drop.config(**options), "d", drop.connection, reading.taken, NIGHT)

    assert "SHA256 as its marker states" in reading.evidence
    assert before == ["a.csv", "a.csv.done", "archive/2026-11-24/a.csv"]
    assert told[0] == "a.csv moved to archive/2026-11-24/a-2.csv"
    assert drop.names() == [
        "archive/2026-11-24/a-2.csv",
        "archive/2026-11-24/a.csv",
        "archive/2026-11-24/a.csv.done",
    ]


def test_the_probe_says_what_answers(sftp: Served) -> None:
    drop = over_sftp(sftp)
    drop.put("a.csv", ROWS)

    probe = drop.source.probe(drop.config(), drop.connection)

    assert probe.version.startswith("SFTP, SSH-2.0-paramiko")
    assert probe.identity == sftp.address
    assert probe.lacking == ()


def test_a_file_larger_than_the_limit_is_not_fetched(sftp: Served) -> None:
    drop = over_sftp(sftp)
    drop.put("a.csv", ROWS + "3;Nice\n" * 1000)
    drop.settings["max_size"] = "1KiB"

    error = drop.refusal()

    assert isinstance(error, Unreadable)
    assert "more than `max_size` allows" in str(error)


# S3


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


class Bucket:
    """A bucket of its own for each test."""

    def __init__(self, url: str, name: str) -> None:
        self.url, self.name = url, name
        client = {"endpoint_url": url, "region_name": "eu-west-3"}
        self.system = s3fs.S3FileSystem(
            key="theirs",
            secret="theirs",
            client_kwargs=client,
            use_listings_cache=False,
            skip_instance_cache=True,
        )
        self.system.mkdir(name)

    def put(self, name: str, content: bytes | str) -> None:
        data = content.encode() if isinstance(content, str) else content
        self.system.pipe_file(f"{self.name}/{name}", data)

    def names(self) -> list[str]:
        return sorted(path.removeprefix(f"{self.name}/") for path in self.system.find(self.name))

    def folder(self, source: Source[Any, Any] = csv_file.SOURCE, **settings: Any) -> DropFolder:
        login = {"access_key": "ours", "secret_key": SECRET, "region": "eu-west-3"}
        words = {"root": f"s3://{self.name}/drop", "s3": login | {"endpoint": self.url}}
        return DropFolder(Path(), source, words | {"retry": QUICK} | settings)


@pytest.fixture
def bucket(store: str, request: pytest.FixtureRequest) -> Iterator[Bucket]:
    digits = hashlib.sha256(request.node.name.encode()).hexdigest()[:16]
    made = Bucket(store, f"drop-{digits}")
    yield made
    made.system.close_session(made.system.loop, made.system.s3)


def test_objects_are_read_from_a_bucket(bucket: Bucket) -> None:
    bucket.put("drop/a.csv", ROWS)
    bucket.put("drop/sub/b.csv", "id;site\n9;Lyon\n")
    bucket.put("dropped.csv", "not;ours\n")

    reading = bucket.folder().read(path="*.csv")

    assert [record["id"] for record in reading.records] == ["1", "2"]
    assert reading.evidence.startswith(f"s3://{bucket.name}/drop/a.csv: 2 rows")
    assert len(bucket.folder().read(path="**/b.csv").records) == 1


def test_a_workbook_is_read_from_a_bucket(bucket: Bucket) -> None:
    bucket.put("drop/a.xlsx", workbook(100))

    assert len(bucket.folder(excel.SOURCE).read(sheet="Machines").records) == 90


def test_objects_that_were_loaded_are_archived_in_their_bucket(bucket: Bucket) -> None:
    bucket.put("drop/a.csv", ROWS)
    drop = bucket.folder()
    options = {"path": "*.csv", "after_load": "archive"}

    taken = drop.read(**options).taken
    told = drop.source.finish(drop.config(**options), "d", drop.connection, taken, NIGHT)

    assert told == ("a.csv moved to archive/2026-11-24/a.csv",)
    assert bucket.names() == ["drop/archive/2026-11-24/a.csv"]
    assert str(drop.refusal(**options)) == "no file matches '*.csv'"


def test_an_object_that_was_replaced_since_is_not_archived(bucket: Bucket) -> None:
    bucket.put("drop/a.csv", ROWS)
    drop = bucket.folder()
    options = {"path": "*.csv", "after_load": "archive"}
    taken = drop.read(**options).taken

    bucket.put("drop/a.csv", ROWS.replace("Lyon", "Metz"))  # as many bytes

    told = drop.source.finish(drop.config(**options), "d", drop.connection, taken, NIGHT)
    assert told == ("a.csv stays: it was written to or replaced since it was read",)
    assert bucket.names() == ["drop/a.csv"]


def test_two_looks_see_what_was_written_between_them(bucket: Bucket) -> None:
    # s3fs keeps listings unless it is told not to: a second look would see the first one's.
    bucket.put("drop/a.csv", ROWS)
    writer = threading.Timer(0.01, lambda: bucket.put("drop/a.csv", ROWS + "3;Nice\n"))
    writer.start()

    reading = bucket.folder().read(settle_seconds=0.3)

    writer.join()
    assert len(reading.records) == 3


def test_a_bucket_that_is_not_there_is_an_outage(bucket: Bucket) -> None:
    error = bucket.folder(root="s3://no-such-bucket/drop").refusal()

    assert isinstance(error, Unreachable)
    assert_safe(error, SECRET)


def test_a_store_that_is_not_there_is_an_outage(bucket: Bucket) -> None:
    login = {"access_key": "ours", "secret_key": SECRET, "region": "eu-west-3"}
    error = bucket.folder(s3={**login, "endpoint": "http://127.0.0.1:9"}).refusal()

    assert isinstance(error, Unreachable)
    assert_safe(error, SECRET)


def test_the_probe_of_a_bucket_says_what_answers(bucket: Bucket) -> None:
    drop = bucket.folder()

    probe = drop.source.probe(drop.config(path="*.csv"), drop.connection)

    assert probe.version == f"S3 at {bucket.url}"
    assert probe.lacking == ("d: no file matches '*.csv'",)


# Neither


def test_local_folders_load_none_of_the_libraries() -> None:
    code = (
        "import sources.registry, sources.folders, sys; "
        "print(*{'paramiko', 's3fs', 'fsspec', 'botocore'} & set(sys.modules))"
    )
    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert seen.stdout.split() == []
