"""Planted secrets, searched for in everything that is said, kept or raised: none may be found.

Every way of proving who we are to every kind of system, while that system is well, refuses, fails,
redirects, and tells our own secrets back to us in every form. What a source gives as a record is
no secret of ours, whatever it says: it is loaded unchanged, and only messages hide it.
"""

import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
import requests

from flows.cli import app, main
from flows.job import load_job
from flows.outcome import EXPECTED
from flows.run import run_job
from flows.settings import load_settings
from flows.workplace import Options
from tests.flows.hunt import Hunt, Listener, planted
from tests.flows.vault import ASCII, ODD, QUICK, Case, Vault, cases, open_vault
from tests.flows.workshop import NAME, SETTINGS, Workshop, servers
from tests.sources.sftp_server import USER, sftp_server

# which systems are asked, in which way they answer
CHECKED = ("401", "403 short", "500 cut at 288", "200 page", "200 error")
RUN = ("401", "500 page", "500 cut at 188", "200 error", "302")


@pytest.fixture(scope="module")
def _vault() -> Iterator[Vault]:
    with open_vault() as vault:
        yield vault


@pytest.fixture
def vault(_vault: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Vault:
    monkeypatch.setenv("REFSYNC_CONFIG", str(tmp_path / "refsync.yaml"))
    return _vault


@contextmanager
def hunting(
    secrets: dict[str, str], folder: Path, capfd: pytest.CaptureFixture[str]
) -> Iterator[Hunt]:
    """What is done meanwhile may be heard and found afterwards, and tells none of *secrets*."""
    hunt = Hunt(secrets)
    listener, root = Listener(hunt), logging.getLogger()
    level = root.level
    root.addHandler(listener)
    root.setLevel(logging.DEBUG)
    try:
        yield hunt
    finally:
        root.removeHandler(listener)
        root.setLevel(level)
    out, err = capfd.readouterr()
    hunt.search(out, "stdout")
    hunt.search(err, "stderr")
    (folder / "refsync.yaml").unlink()  # where some stand in clear
    hunt.files(folder)
    assert listener.records
    assert hunt.searched > 10_000
    assert not hunt.hits, "\n".join(hunt.hits[:40])


def command(*words: str) -> int:
    with pytest.raises(SystemExit) as left:
        main(words)
    return int(left.value.code or 0)


def run(hunt: Hunt, place: str, name: str = NAME) -> None:
    """A run whose error, if it has one, is searched as far as it reaches."""
    settings = load_settings()
    try:
        run_job(settings, load_job(name, Path(settings.jobs)), Options("full"))
    except EXPECTED as error:
        hunt.error(error, place)


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_nobody_tells_the_credentials_of(
    case: Case,
    vault: Vault,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    for name, value in case.secrets.items():
        monkeypatch.setenv(name, value)
    vault.settle(case, tmp_path)
    front, told = vault.fronts[case.kind], tuple(case.secrets.values())
    with hunting(case.secrets, tmp_path, capfd) as hunt:
        assert command("sync", NAME) == 0, capfd.readouterr()
        for rank, way in enumerate(CHECKED):
            front.turn(way, *told)
            command("check", "--connect", *["--json"][: rank % 2])
            assert front.answers
        for way in RUN:
            front.turn(way, *told, after=3)
            run(hunt, way)
        front.turn("401", *told, after=1)
        assert command("plan", NAME) == 1
        command("preview", NAME, "--json")
        front.turn(None)
        state = requests.get(f"{vault.urls['canopsis']}/sandbox/state", timeout=30).content
        hunt.search(state, "what Canopsis holds")


def test_nobody_tells_a_key_when_no_whole_answer_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], vault: Vault
) -> None:
    secret = planted("key of the deaf", ODD)
    monkeypatch.setenv("SECRET", secret)
    auth = {"type": "api_key", "name": "sesame", "key": "${SECRET}", "location": "query"}
    echo = quote(secret, safe="")
    garbled = f"HTTP/1.1 401 No\r\nX-Key: {echo}\r\n{echo} no header\r\nContent-Length: 0\r\n\r\n"
    with hunting({"SECRET": secret}, tmp_path, capfd) as hunt:
        for answer in (b"", garbled.encode(), f"{echo}\r\n".encode(), None):
            with answering(answer) as port:
                schemes = ("http",) if answer else ("http", "https")
                for scheme in schemes:
                    words = {"base_url": f"{scheme}://127.0.0.1:{port}", "auth": auth}
                    vault.settle(Case("deaf", "api", words, {}), tmp_path)
                    run(hunt, f"{scheme} {answer!r}")
                    assert command("check", "--connect") == 1


@contextmanager
def answering(answer: bytes | None) -> Iterator[int]:
    """A port where each call is answered with these bytes, or refused (None)."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        if answer is None:
            listener.close()
            yield port
            return

        def serve() -> None:
            while True:
                try:
                    line, _ = listener.accept()
                except OSError:
                    return
                with line:
                    line.recv(65_536)
                    line.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield port
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def test_nobody_tells_the_password_of_a_database(
    postgres_cmdb: str,
    vault: Vault,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    secrets = {"PLAIN": planted("sql password", ODD), "WRONG": planted("sql wrong", ODD)}
    url = locked(postgres_cmdb, "vault_reader", secrets["PLAIN"])
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
        monkeypatch.setenv(f"URL_{name}", url.format(quote(value, safe="")))
    select = {"select": "SELECT id, name FROM vault_things", "key": "id"}
    bare = url.replace(":{}@", "@")
    written = url.format(quote(secrets["PLAIN"], safe=""))
    with hunting(secrets, tmp_path, capfd) as hunt:
        for rank, words in enumerate(
            (
                {"url": "${URL_PLAIN}"},
                {"url": bare, "password": "${PLAIN}"},
                {"url": written},  # in clear: a warning
                {"url": "${URL_WRONG}", "attempts": 1},
                {"url": bare, "password": "${WRONG}", "attempts": 1},
                {"url": "${URL_PLAIN}&option_that_is_not=${PLAIN}", "attempts": 1},
            )
        ):
            vault.settle(Case("sql", "sql", words, {}), tmp_path, dataset=(select, "name"))
            assert command("check", "--connect", *["--json"][: rank % 2]) == (1 if rank > 2 else 0)
            run(hunt, f"{words}")
            command("connections")
            command("connections", "--json")


def locked(url: str, role: str, password: str) -> str:
    """The URL, `{}` for the password, of an account that the server lets in by it alone."""
    with psycopg.connect(url, autocommit=True) as database:
        database.execute(f"DROP TABLE IF EXISTS vault_things; DROP ROLE IF EXISTS {role}")
        literal = password.replace("'", "''")
        database.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{literal}'")
        database.execute("CREATE TABLE vault_things AS SELECT 1 AS id, 'srv-001' AS name")
        database.execute(f"GRANT SELECT ON vault_things TO {role}")
        database.execute(f"GRANT CREATE ON SCHEMA public TO {role}")
        (found,) = database.execute("SHOW hba_file").fetchall()
        rules = Path(found[0])
        line = f"local all {role} scram-sha-256\n"
        if line not in rules.read_text("utf-8"):
            rules.write_text(line + rules.read_text("utf-8"), "utf-8")
        database.execute("SELECT pg_reload_conf()")
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{role}:{{}}@{rest.rpartition('@')[2]}"


def test_nobody_tells_the_credentials_of_a_drop_elsewhere(
    vault: Vault,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    names = ("SFTP", "PHRASE", "S3", "SESSION")
    secrets = {name: planted(f"drop {name}", ODD if name == "SFTP" else "/+") for name in names}
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "key").write_text("no key at all", "utf-8")
    front = vault.fronts["api"]
    store = {
        "access_key": "us",
        "secret_key": "${S3}",
        "session_token": "${SESSION}",
        "endpoint": vault.urls["api"],
        "region": "eu-west-3",
    }
    with hunting(secrets, tmp_path, capfd) as hunt, sftp_server(tmp_path) as served:
        login = {"username": USER, "password": "${SFTP}", "host_key": served.host_key}
        keyed = {"username": USER, "private_key": "key", "passphrase": "${PHRASE}"}
        elsewhere = {"s3": store | {"endpoint": "http://127.0.0.1:9"}}
        for root, words, way in (
            (served.address, {"sftp": login}, "401"),
            (served.address, {"sftp": keyed | {"host_key": served.host_key}}, "401"),
            ("s3://bucket/drop", {"s3": store}, "401"),
            ("s3://bucket/drop", {"s3": store}, "500 page"),
            ("s3://bucket/drop", elsewhere, "401"),
        ):
            case = Case("drop", "csv", {"root": root, "retry": QUICK, **words}, {})
            vault.settle(case, tmp_path)
            front.turn(way, *secrets.values())
            assert command("check", "--connect", "--json") == 1
            run(hunt, f"{root} {way}")
        front.turn(None)


def test_a_day_of_commands_tells_no_secret(
    workshop: Workshop,
    postgres_cmdb: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """On a ledger in PostgreSQL: done, rejects, refused, drift, and every command that reads."""
    names = ("TOKEN", "CLEAR", "KEY", "LEDGER", "PROXY")
    secrets = {name: planted(f"day {name}", ODD if name == "LEDGER" else "%+") for name in names}
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    url = locked(postgres_cmdb, "vault_keeper", secrets["LEDGER"])
    monkeypatch.setenv("LEDGER_URL", url.format(quote(secrets["LEDGER"], safe="")))
    host = workshop.canopsis_url.removeprefix("http://")
    text = SETTINGS.format(api=workshop.api_url, canopsis=workshop.canopsis_url)
    text = text.replace("ledger: sqlite:///state/ledger.db", 'ledger: "${LEDGER_URL}"')
    text = text.replace("events: false", "events: true").replace("${ACME_KEY}", "${KEY}")
    auth = (
        f'    auth: {{type: bearer, token: "${{TOKEN}}"}}\n'
        f"    headers: {{X-Token: {secrets['CLEAR']}}}\n"
    )
    text = text.replace("    retry: {attempts: 2, i", f"{auth}    retry: {{attempts: 2, i")
    spare = f"{{type: itop, base_url: 'http://{host}', proxy: 'http://u:${{PROXY}}@p:1'}}"
    workshop.write_settings(f"{text}  spare: {spare}\n")
    workshop.api.turn({"auth": "bearer", "token": secrets["TOKEN"]})
    user = {"name": "root", "authkey": secrets["KEY"]}
    workshop.canopsis.knobs.turn({"users": [user]})
    exports = iter(range(100))
    with hunting(secrets, workshop.folder, capfd) as hunt:
        workshop.serve(servers(30))
        run(hunt, "done")
        workshop.serve([*servers(28), {"id": "29", "site": "a reject"}])
        run(hunt, "rejects")
        last = workshop.last_run().id
        for words in (
            ("check", "--connect"),
            ("plan", NAME),
            ("sync", NAME),
            ("preview", NAME),
            ("explain", NAME, "srv-001"),
            ("drift", NAME),
            ("coverage", "acme-canopsis"),
            ("connections",),
            ("health",),
            ("runs",),
            ("rejects", last),
            ("ledger", "info"),
            ("ledger", "export", "export-{}.jsonl"),
            *((("report",),) if "report" in set(app) else ()),
        ):
            for form in ((), ("--json",)):
                given = [word.format(next(exports)) for word in words]
                assert command(*given, *form) in (0, 1), words
        workshop.serve([])
        assert command("sync", NAME) == 3
        workshop.api.turn({"token": "another"})
        run(hunt, "401")
        state = requests.get(f"{workshop.canopsis_url}/sandbox/state", timeout=30).content
        hunt.search(state, "what Canopsis holds")
        assert hunt.postgres(url.format(quote(secrets["LEDGER"], safe=""))) > 40
        monkeypatch.setenv("LEDGER_URL", url.format(quote(planted("day LEDGER", "x"), safe="")))
        assert command("runs") == 1
        run(hunt, "wrong password of the ledger")


def test_what_a_record_says_is_data_even_if_it_is_our_token(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """It is loaded unchanged, for a fingerprint and a referential must say what the source says."""
    token = planted("token as data", ASCII)
    monkeypatch.setenv("TOKEN", token)
    text = SETTINGS.format(api=workshop.api_url, canopsis=workshop.canopsis_url)
    auth = '    auth: {type: bearer, token: "${TOKEN}"}\n'
    workshop.write_settings(
        text.replace("    retry: {attempts: 2, i", f"{auth}    retry: {{attempts: 2, i")
    )
    workshop.api.turn({"auth": "bearer", "token": token})
    workshop.serve([{"id": "1", "name": "srv-001", "site": token}, {"id": "2", "site": token}])

    assert command("sync", NAME) == 0
    assert command("rejects", workshop.last_run().id) == 0

    assert workshop.entities()["srv-001"]["infos"]["site"]["value"] == token
    hunt = Hunt({"TOKEN": token})
    hunt.search("".join(capfd.readouterr()), "what is said")
    hunt.files(workshop.folder / "state" / "reports")
    hunt.search((workshop.folder / "state" / "ledger.db").read_bytes(), "the ledger")
    assert not hunt.hits, "\n".join(hunt.hits)
