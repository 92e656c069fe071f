"""refsync.yaml: its words, its references to secrets, what it hides."""

from pathlib import Path

import pytest

from flows.misdeclared import Misdeclared
from flows.settings import Settings, load_settings, sqlite_from
from flows.workplace import open_ledger
from mappings.errors import Problem

PATH = ("connections", "acme", "auth", "key")


def settings(text: str, folder: Path) -> Settings:
    (folder / "refsync.yaml").write_text(text, encoding="utf-8")
    return load_settings({})


def refused(text: str, folder: Path) -> list[tuple[str, str, str]]:
    with pytest.raises(Misdeclared) as error:
        settings(text, folder)
    return [(fault.where, fault.what, fault.mend) for fault in error.value.faults]


def test_without_a_file_everything_is_at_its_default_place_here(tmp_path: Path) -> None:
    found = load_settings({})

    assert found.ledger_url == f"sqlite:///{tmp_path}/.refsync/ledger.db"
    assert found.spool == tmp_path / ".refsync" / "spool"
    assert found.reports == tmp_path / ".refsync" / "reports"
    assert found.jobs == ""
    assert found.words.connections == {}


def test_relative_paths_start_where_the_file_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "etc").mkdir()
    text = "ledger: sqlite:///db/ledger.db\nspool: s\nstate: t\njobs: customers\n"
    (tmp_path / "etc" / "refsync.yaml").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path / "home")

    found = load_settings({"REFSYNC_CONFIG": str(tmp_path / "etc" / "refsync.yaml")})

    etc = tmp_path / "etc"
    assert found.ledger_url == f"sqlite:///{etc}/db/ledger.db"
    assert (found.spool, found.state, found.jobs) == (etc / "s", etc / "t", str(etc / "customers"))


def test_absolute_paths_and_other_databases_stay_as_they_are(tmp_path: Path) -> None:
    text = "ledger: sqlite:////var/lib/ledger.db\nspool: /var/spool\njobs: /etc/jobs\n"
    found = settings(text, tmp_path)

    assert found.ledger_url == "sqlite:////var/lib/ledger.db"
    assert (str(found.spool), found.jobs) == ("/var/spool", "/etc/jobs")
    assert settings("ledger: postgresql://h/d\n", tmp_path).ledger_url == "postgresql://h/d"


def test_a_stated_file_that_is_not_there_is_refused() -> None:
    with pytest.raises(Misdeclared, match="no such settings file") as error:
        load_settings({"REFSYNC_CONFIG": "/nowhere/refsync.yaml"})

    (fault,) = error.value.faults
    assert fault.where == "/nowhere/refsync.yaml"
    assert "REFSYNC_CONFIG" in fault.mend


def test_every_fault_of_the_file_is_told_with_its_place(tmp_path: Path) -> None:
    found = refused("legder: x\nspool: [1]\nconnections: {a: b, c: null}\n", tmp_path)

    assert [(where, what) for where, what, _ in found] == [
        ("refsync.yaml:1:1", "unknown word 'legder'"),
        ("refsync.yaml:2:8", "expected a text, not a list"),
        ("refsync.yaml:3:18", "expected a mapping, not a text"),
        ("refsync.yaml:3:24", "expected a mapping, not nothing"),
    ]
    assert found[0][2] == "did you mean 'ledger'?"


def test_what_is_not_yaml_is_a_fault_with_its_place(tmp_path: Path) -> None:
    ((where, what, mend),) = refused("connections: {\n", tmp_path)

    assert where == "refsync.yaml:2:1"
    assert "not valid YAML" in what
    assert mend


def test_a_list_is_no_settings_file(tmp_path: Path) -> None:
    ((where, what, _),) = refused("- ledger\n", tmp_path)

    assert (where, what) == ("refsync.yaml:1:1", "expected a mapping, not a list")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("${ACME_PW}", "s3cret-é"),
        ("a ${ACME_PW} b ${OTHER}", "a s3cret-é b "),
        ("${file:secrets/pw}", "of a file"),
        ("plain", "plain"),
        ("$HOME and {braces}", "$HOME and {braces}"),
        (12, 12),
        (None, None),
        (
            {"deep": ["${ACME_PW}", {"er": "${file:secrets/pw}"}]},
            {"deep": ["s3cret-é", {"er": "of a file"}]},
        ),
    ],
)
def test_references_are_replaced_at_any_depth(
    written: object, meant: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_PW", "s3cret-é")
    monkeypatch.setenv("OTHER", "")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "pw").write_text("of a file\n", encoding="utf-8")

    assert settings("", tmp_path).resolve(written, PATH) == meant


@pytest.mark.parametrize(
    ("written", "what", "mend"),
    [
        ("${NOBODY}", "${NOBODY}: no such environment variable", "set NOBODY"),
        ("${file:nowhere}", "${file:nowhere}: [Errno 2]", "make nowhere readable"),
        ("${vault:x}", "unknown kind of reference 'vault'", "${prefect:BLOCK}"),
        ("${}", "${}: no such environment variable", "set"),
    ],
)
def test_an_unknown_reference_is_a_fault_at_its_place(
    written: str, what: str, mend: str, tmp_path: Path
) -> None:
    text = f'connections:\n  acme: {{auth: {{key: "{written}"}}}}\n'
    found = settings(text, tmp_path)

    with pytest.raises(Misdeclared) as error:
        found.resolve(found.words.connections["acme"], ("connections", "acme"))

    (fault,) = error.value.faults
    assert fault.where == "refsync.yaml:2:22"
    assert what in fault.what
    assert mend in fault.mend


def test_every_reference_that_leads_nowhere_is_told_at_once(tmp_path: Path) -> None:
    text = "connections:\n  acme:\n    b: ${ONE}-${TWO}\n    a: [x, '${file:three}']\n"
    found = settings(text, tmp_path)

    with pytest.raises(Misdeclared) as error:
        found.resolve(found.words.connections["acme"], ("connections", "acme"))

    places = [fault.where for fault in error.value.faults]
    assert places == ["refsync.yaml:3:8", "refsync.yaml:3:8", "refsync.yaml:4:12"]


def test_what_was_resolved_is_hidden_and_the_longest_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHORT", "hunter2")
    monkeypatch.setenv("LONG", "hunter2-and-more")
    found = settings("", tmp_path)
    found.resolve(["${SHORT}", "${LONG}"], ())

    assert found.redact("pw=hunter2-and-more, hunter2!") == "pw=***, ***!"


def test_a_secret_of_three_letters_would_blank_out_words_and_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PW", "the")
    found = settings("", tmp_path)
    found.resolve("${PW}", ())

    assert found.redact("the answer") == "the answer"


def test_the_password_inside_a_resolved_address_is_hidden_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROXY", "http://me:p%40ssword@proxy:3128")
    found = settings("", tmp_path)
    found.resolve("${PROXY}", ())

    assert found.redact("sent p@ssword") == "sent ***"


def test_the_password_of_the_ledger_is_hidden(tmp_path: Path) -> None:
    found = settings("ledger: postgresql://refsync:sesame-open@db/refsync\n", tmp_path)
    assert found.ledger_url.startswith("postgresql://")

    assert found.redact("no sesame-open here") == "no *** here"


def test_a_fault_never_quotes_a_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACME_PW", "hunter2")
    found = settings("connections: {a: {}}\n", tmp_path)
    found.resolve("${ACME_PW}", ())

    fault = found.fault(Problem(("connections", "a"), "hunter2 is odd", "not hunter2"))
    assert (fault.what, fault.mend) == ("*** is odd", "not ***")


@pytest.mark.parametrize("url", ["mysql://h/d", "ledger.db", "sqlite://"])
def test_a_ledger_of_another_kind_is_misdeclared_at_its_place(url: str, tmp_path: Path) -> None:
    found = settings(f"ledger: {url}\n", tmp_path)

    with pytest.raises(Misdeclared) as error:
        open_ledger(found)

    (fault,) = error.value.faults
    assert fault.where == "refsync.yaml:1:9"
    assert "postgresql://" in fault.mend


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("sqlite:///cmdb.db", "sqlite:////etc/refsync/cmdb.db"),
        (
            "sqlite+pysqlite:///data/cmdb.db?mode=ro",
            "sqlite+pysqlite:////etc/refsync/data/cmdb.db?mode=ro",
        ),
        ("sqlite:////var/cmdb.db", "sqlite:////var/cmdb.db"),
        ("sqlite:///:memory:", "sqlite:///:memory:"),
        ("postgresql://db.example/cmdb", "postgresql://db.example/cmdb"),
    ],
)
def test_a_file_of_sqlite_starts_from_the_folder_of_the_settings(url: str, found: str) -> None:
    assert sqlite_from(Path("/etc/refsync"), url) == found
