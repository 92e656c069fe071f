"""`refsync connections`: what is declared, who uses it, where its secrets come from, no value."""

import pytest

from tests.flows.command import Refsync
from tests.flows.workshop import JOB, NAME, SETTINGS, Workshop

MORE = """\
  spare: {{type: sql, url: "postgresql://me:${{SPARE_PW}}@db.example/cmdb?sslmode=require"}}
  drop:
    type: csv
    root: sftp://files.example/drop
    sftp: {{username: me, password: "${{file:secrets/drop}}", passphrase: clear-hunter2}}
"""


@pytest.fixture
def listed(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    text = SETTINGS + MORE
    workshop.write_settings(text.format(api=workshop.api_url, canopsis=workshop.canopsis_url))
    monkeypatch.setenv("SPARE_PW", "hunter2-of-spare")
    (workshop.folder / "secrets").mkdir()
    (workshop.folder / "secrets" / "drop").write_text("hunter2-of-drop\n", "utf-8")
    return workshop


def test_every_connection_is_listed_with_its_jobs_and_the_origin_of_its_secrets(
    listed: Workshop, refsync: Refsync
) -> None:
    ended = refsync("connections", "--json")

    assert ended.code == 0, ended.err
    assert "hunter2" not in ended.out + ended.err
    found = {each["name"]: each for each in ended.document["connections"]}
    assert list(found) == ["acme-cmdb", "acme-canopsis", "spare", "drop"]
    assert found["acme-cmdb"]["sources_of"] == found["acme-canopsis"]["targets_of"] == [NAME]
    assert found["acme-canopsis"]["declared"].endswith("/refsync.yaml:11:3")
    assert found["acme-canopsis"]["url"] == listed.canopsis_url
    assert found["acme-canopsis"]["secrets"] == [
        {"word": "auth.key", "origin": "environment ACME_KEY", "there": True}
    ]
    assert found["spare"]["url"] == "postgresql+psycopg://db.example/cmdb"
    assert found["spare"]["unused"]
    assert not found["acme-cmdb"]["unused"]
    assert [(each["word"], each["origin"]) for each in found["drop"]["secrets"]] == [
        ("sftp.password", "file secrets/drop"),
        ("sftp.passphrase", "written in clear"),
    ]
    assert "move" not in found["drop"]["warnings"][0]
    assert "'sftp.passphrase' of 'drop' is written in clear" in found["drop"]["warnings"][0]


def test_at_a_prompt_it_is_two_tables_and_a_hint(listed: Workshop, refsync: Refsync) -> None:
    assert listed

    ended = refsync("connections")

    assert ended.code == 0
    assert "environment ACME_KEY" in ended.out
    assert "4 connections, 0 lacking or not valid" in ended.out
    assert "unused" in ended.out
    assert "refsync check --connect" in ended.err
    assert "hunter2" not in ended.out + ended.err


def test_a_secret_that_is_not_there_is_told_with_its_place(
    listed: Workshop, refsync: Refsync, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SPARE_PW")
    (listed.folder / "secrets" / "drop").unlink()

    ended = refsync("connections", "spare", "drop")

    assert ended.code == 2
    assert "${SPARE_PW}: no such environment variable" in ended.err
    assert ended.out.count("not there") == 2
    assert ended.out.count("not valid") == 3
    assert "acme-cmdb" not in ended.out


def test_a_connection_that_jobs_name_and_nobody_declares_is_lacking(
    listed: Workshop, refsync: Refsync
) -> None:
    listed.write_job(JOB.replace("connection: acme-canopsis", "connection: elsewhere"), "acme/b")
    listed.write_job(JOB.replace("path:", "paht:"), "acme/broken")

    ended = refsync("connections", "--json")

    assert ended.code == 2
    (lacking,) = [each for each in ended.document["connections"] if each["lacking"]]
    assert (lacking["name"], lacking["type"], lacking["declared"]) == ("elsewhere", "canopsis", "")
    assert lacking["targets_of"] == ["acme/b"]
    assert lacking["faults"][0]["where"].startswith("jobs/acme/b.yaml:")
    assert ended.document["broken"] == ["acme/broken"]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("  odd: {type: ldap, url: x}\n", "is of type 'ldap', which there is not"),
        ("  odd: {type: api, uri: 'https://x.example'}\n", "unknown word 'uri'"),
    ],
)
def test_a_connection_that_is_not_valid_is_listed_with_its_fault(
    text: str, what: str, listed: Workshop, refsync: Refsync
) -> None:
    settings = (listed.folder / "refsync.yaml").read_text("utf-8")
    listed.write_settings(settings + text)

    ended = refsync("connections", "odd")

    assert ended.code == 2
    assert what in ended.err
    assert "/refsync.yaml:22:" in ended.err


def test_a_connection_of_another_type_than_the_job_wants_is_not_valid(
    listed: Workshop, refsync: Refsync
) -> None:
    listed.write_job(JOB.replace("connection: acme-canopsis", "connection: spare"))

    ended = refsync("connections", "spare")

    assert ended.code == 2
    assert "is of type 'sql', and a 'canopsis' one is asked for" in ended.err


def test_a_connection_without_a_type_has_that_of_its_jobs(
    listed: Workshop, refsync: Refsync
) -> None:
    settings = (listed.folder / "refsync.yaml").read_text("utf-8")
    listed.write_settings(settings.replace("    type: api\n", ""))

    ended = refsync("connections", "acme-cmdb", "--json")

    assert ended.code == 0
    assert ended.document["connections"][0]["type"] == "api"


def test_an_unknown_name_is_a_fault_and_pushing_needs_prefect(
    listed: Workshop, refsync: Refsync
) -> None:
    assert listed

    unknown = refsync("connections", "acme-cmbd")
    assert unknown.code == 2
    assert "did you mean 'acme-cmdb'?" in unknown.err
    for words in (("--register",), ("--push", "acme-cmdb")):
        refused = refsync("connections", *words)
        assert refused.code == 2
        assert "set PREFECT_API_URL" in refused.err


def test_without_any_job_connections_are_listed_as_unused(
    listed: Workshop, refsync: Refsync
) -> None:
    (listed.folder / "jobs" / f"{NAME}.yaml").unlink()

    ended = refsync("connections", "--json")

    assert ended.code == 0
    assert all(each["unused"] for each in ended.document["connections"])
