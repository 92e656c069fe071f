"""Where parts lie between workers and the run: whole or not there, on disk, in a bucket."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
import s3fs
from moto.server import ThreadedMotoServer

from flows.files import Unwritable
from flows.misdeclared import Misdeclared
from flows.settings import Settings, load_settings
from flows.shared import Elsewhere, Folder, Place, shared_place

SECRET = "the-secret-of-the-bucket"


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(store: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a folder of a bucket, which the environment gives the right to."""
    access = {
        "AWS_ENDPOINT_URL": store,
        "AWS_ACCESS_KEY_ID": "ours",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    for name, value in access.items():
        monkeypatch.setenv(name, value)
    system = s3fs.S3FileSystem(skip_instance_cache=True, use_listings_cache=False)
    if not system.exists("parts"):
        system.mkdir("parts")
    return "s3://parts/of/all"


def settings_of(tmp_path: Path, shared: str) -> Settings:
    path = tmp_path / "refsync.yaml"
    path.write_text(f'shared: "{shared}"\n', "utf-8")
    return load_settings({"REFSYNC_CONFIG": str(path)})


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    words = request.getfixturevalue("bucket") if request.param == "bucket" else "there"
    made = shared_place(settings_of(tmp_path, words)).within("acme/run-1")
    assert isinstance(made, Folder if request.param == "folder" else Elsewhere)
    return made


def put(place: Place, name: str, **files: str) -> None:
    with place.making(name) as folder:
        for file, text in files.items():
            folder.joinpath(file).write_text(text, "utf-8")


def test_a_file_is_read_as_it_was_written(place: Place) -> None:
    assert place.read("0/brief") is None
    assert not place.has("0/brief")

    place.write("0/brief", b"\x00words")
    place.write("0/brief", b"\x00others")

    assert place.read("0/brief") == b"\x00others"
    assert place.has("0/brief")
    assert place.within("0").has("brief")


def test_a_folder_that_was_put_there_is_used_once(place: Place) -> None:
    put(place, "0/1-ab", a="one", b="two")

    with place.using("0/1-ab") as folder:
        seen = {path.name: path.read_text("utf-8") for path in folder.iterdir()}

    assert seen == {"a": "one", "b": "two"}
    assert not place.has("0/1-ab/a")


def test_a_folder_is_not_there_before_it_is_whole(place: Place) -> None:
    class Killed(BaseException):
        """What ends a process that is not asked."""

    def killed() -> None:
        with place.making("0/1-ab") as folder:
            folder.joinpath("a").write_text("half", "utf-8")
            raise Killed

    with pytest.raises(Killed):
        killed()

    assert not place.has("0/1-ab")
    assert not place.has("0/1-ab/a")


def test_nothing_is_left_of_what_is_cleared(place: Place) -> None:
    put(place, "0/1-ab", a="one")
    place.write("0/brief", b"words")

    place.clear()
    place.clear()  # what is not there is clear

    assert not place.has("0/1-ab/a")
    assert not place.has("0/brief")


def test_without_a_word_parts_lie_in_the_spool(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, "")

    assert shared_place(settings) == Folder(settings.spool)


def test_a_file_url_is_a_folder(tmp_path: Path) -> None:
    assert shared_place(settings_of(tmp_path, "file:///mnt/parts")) == Folder(Path("/mnt/parts"))


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ("memory://parts", "memory:// is one process's own, and nothing is shared in it"),
        ("nothing://parts", "nothing:// cannot be used"),
        ("sftp://ours@host/parts", "sftp:// trusts whatever key a server shows"),
    ],
)
def test_what_cannot_be_shared_is_refused_with_the_mend(
    tmp_path: Path, words: str, what: str
) -> None:
    with pytest.raises(Misdeclared) as refused:
        shared_place(settings_of(tmp_path, words))

    (fault,) = refused.value.faults
    assert fault.what.startswith(what)
    assert "refsync.yaml:1:" in fault.where
    assert fault.mend


def test_an_extra_that_is_not_installed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(*_: Any, **__: Any) -> None:
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(fsspec.core, "url_to_fs", absent)

    with pytest.raises(Misdeclared, match=r"refsync\[s3\]"):
        shared_place(settings_of(tmp_path, "s3://parts/run"))


@pytest.mark.usefixtures("bucket")
def test_a_bucket_that_is_not_there_is_told_without_the_secret(tmp_path: Path) -> None:
    place = shared_place(settings_of(tmp_path, "s3://no-such-bucket/run"))

    with pytest.raises(Unwritable) as failed:
        put(place, "0/1-ab", a="one")

    told = "\n".join([str(failed.value), *failed.value.__notes__])
    assert "where: s3://no-such-bucket/run/0/1-ab" in told
    assert SECRET not in told


def test_a_password_in_the_url_is_hidden(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, "ftp://ours:hunter2-of-parts@127.0.0.1:9/parts")

    with pytest.raises((Misdeclared, Unwritable)) as failed:
        shared_place(settings).read("brief")

    assert "hunter2" not in str(failed.value)
    assert settings.redact("hunter2-of-parts") == "***"
