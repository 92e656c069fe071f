"""Named connections of refsync.yaml, resolved into the models of their layer."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from flows.connections import connection, ledger_in_clear, warnings_of
from flows.misdeclared import Fault, Misdeclared
from flows.settings import Settings, load_settings
from referential.connection import CanopsisConnection
from sources.connection import ApiConnection

AT = "jobs/acme/servers.yaml:3:15"

FILE = """\
connections:
  cmdb:
    type: api
    base_url: https://cmdb.acme.example
    auth: {type: basic, username: me, password: "${ACME_PW}"}
  target:
    type: canopsis
    url: https://canopsis.acme.example
    auth: {type: api_key, key: "${ACME_KEY}"}
  untyped: {base_url: "https://cmdb.acme.example"}
"""


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACME_PW", "hunter2-pw")
    monkeypatch.setenv("ACME_KEY", "hunter2-key")


def settings(text: str = FILE) -> Settings:
    Path("refsync.yaml").write_text(text, encoding="utf-8")
    return load_settings({})


def faults(text: str, name: str, model: type = CanopsisConnection) -> list[Fault]:
    kind = "canopsis" if model is CanopsisConnection else "api"
    with pytest.raises(Misdeclared) as error:
        connection(settings(text), name, kind, model, AT)
    return list(error.value.faults)


def test_a_connection_has_its_secrets_in_its_model() -> None:
    found = connection(settings(), "target", "canopsis", CanopsisConnection, AT)

    assert found.url == "https://canopsis.acme.example"
    assert found.auth.key == SecretStr("hunter2-key")
    assert "hunter2" not in repr(found)


def test_a_source_connection_may_leave_its_type_to_the_job() -> None:
    found = connection(settings(), "untyped", "api", ApiConnection, AT)

    assert found.base_url == "https://cmdb.acme.example"


def test_only_the_connection_that_is_asked_for_is_resolved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ACME_PW")

    assert connection(settings(), "target", "canopsis", CanopsisConnection, AT)


def test_an_unknown_connection_is_told_where_the_job_names_it() -> None:
    (fault,) = faults(FILE, "tarjet")

    assert fault.where == AT
    assert fault.what == "unknown connection 'tarjet'"
    assert "refsync.yaml" in fault.mend
    assert "did you mean 'target'?" in fault.mend


def test_without_a_settings_file_an_unknown_connection_still_has_its_mend() -> None:
    with pytest.raises(Misdeclared) as error:
        connection(load_settings({}), "target", "canopsis", CanopsisConnection, AT)

    assert error.value.faults[0].mend == "declare it under `connections:` in refsync.yaml"


def test_a_connection_of_another_kind_is_told_where_it_is_declared() -> None:
    (fault,) = faults(FILE, "cmdb")

    assert fault.where == "refsync.yaml:3:11"
    assert "'api'" in fault.what
    assert "'canopsis'" in fault.what
    assert AT in fault.mend


def test_every_fault_of_a_connection_is_told_with_its_place() -> None:
    text = FILE.replace("url: https://canopsis", "uri: https://canopsis").replace(
        "type: api_key", "type: apikey"
    )

    found = faults(text, "target")

    assert [(fault.where, fault.what) for fault in found] == [
        ("refsync.yaml:8:5", "unknown word 'uri'"),
        ("refsync.yaml:9:18", "unknown type 'apikey'"),
    ]
    assert all(fault.mend for fault in found)


@pytest.mark.parametrize(
    "auth",
    [
        '{type: "${ACME_KEY}", key: x}',
        '{type: api_key, key: ["${ACME_KEY}"]}',
        '{type: api_key, key: "${ACME_KEY} with a space"}',
        '{type: basic, username: "${ACME_PW}:", password: "${ACME_PW}"}',
        '"${ACME_KEY}"',
    ],
)
def test_a_refused_secret_is_not_quoted(auth: str) -> None:
    text = FILE.replace('{type: api_key, key: "${ACME_KEY}"}', auth)

    assert "hunter2" not in "\n".join(map(str, faults(text, "target")))


def test_warnings_of_are_warned_of_and_hidden() -> None:
    used = settings(FILE.replace('"${ACME_KEY}"', "clear-key"))
    found = connection(used, "target", "canopsis", CanopsisConnection, AT)

    (warning,) = warnings_of(used, "target", found)

    assert warning.startswith("refsync.yaml:9:32: the secret 'auth.key' of 'target'")
    assert "${NAME}" in warning
    assert "clear-key" not in warning
    assert used.redact("it is clear-key") == "it is ***"


def test_secrets_by_reference_are_not_warned_of() -> None:
    used = settings()
    found = connection(used, "target", "canopsis", CanopsisConnection, AT)

    assert warnings_of(used, "target", found) == []


def test_a_header_in_clear_is_warned_of_when_its_name_speaks_of_a_secret() -> None:
    headers = "headers: {X-Api-Token: clear-token, Accept-Language: fr-FR}"
    used = settings(
        FILE.replace("    auth: {type: basic", f"    {headers}\n    auth: {{type: basic")
    )
    found = connection(used, "cmdb", "api", ApiConnection, AT)

    (warning,) = warnings_of(used, "cmdb", found)

    assert "'headers.X-Api-Token'" in warning
    assert used.redact("clear-token fr-FR") == "*** fr-FR"


def test_a_password_of_the_ledger_in_clear_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEDGER", "postgresql://me:sesame@db/x")

    (warning,) = ledger_in_clear(settings("ledger: postgresql://me:sesame@db/x\n"))

    assert warning.startswith("refsync.yaml:1:9: the password of the ledger")
    assert "sesame" not in warning
    assert ledger_in_clear(settings("ledger: ${LEDGER}\n")) == []
    assert ledger_in_clear(settings("ledger: postgresql://db/x\n")) == []
    assert ledger_in_clear(settings("")) == []
