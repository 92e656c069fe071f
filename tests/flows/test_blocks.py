"""Connections as Prefect blocks, against a real server: registered, saved, found, judged."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from prefect.blocks.core import Block
from prefect.settings import (
    PREFECT_API_URL,
    temporary_settings,
)
from prefect.types import SecretDict

from flows.blocks import Kind, RefsyncConnection
from flows.connections import connection, warnings_of
from flows.inventory import MODELS
from flows.misdeclared import Fault, Misdeclared
from flows.settings import Settings
from referential.connection import CanopsisConnection
from referential.errors import Unreachable
from sources.connection import ApiConnection
from tests.flows.command import Refsync
from tests.flows.workshop import KEY, NAME, SETTINGS, Workshop

AT = "jobs/acme/servers.yaml:2:15"


@pytest.fixture
def _settled(settled_prefect: tuple[str, Path]) -> str:
    return f"{settled_prefect[0]}/api"


@pytest.fixture
def prefect(_settled: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of its API; no block of ours is there, neither of other tests nor afterwards."""
    monkeypatch.setenv("PREFECT_API_URL", _settled)
    RefsyncConnection.register_type_and_schema()
    forget_all(_settled)
    yield _settled
    forget_all(_settled)


def documents(url: str, **words: Any) -> list[dict[str, Any]]:
    only = {"block_documents": {"is_anonymous": {"eq_": False}}, **words}
    found = requests.post(f"{url}/block_documents/filter", json=only, timeout=30).json()
    return [each for each in found if each["block_type"]["slug"] == "refsync-connection"]


def forget_all(url: str) -> None:
    for document in documents(url):
        requests.delete(f"{url}/block_documents/{document['id']}", timeout=30)


def save(name: str, kind: str, words: dict[str, Any], secrets: dict[str, Any]) -> None:
    block = RefsyncConnection(kind=Kind(kind), words=words, secrets=SecretDict(secrets))
    block.save(name, overwrite=True)


def undeclared(workshop: Workshop, name: str = "acme-canopsis") -> Settings:
    """The settings of the workshop without one of its connections."""
    text = SETTINGS.format(api=workshop.api_url, canopsis=workshop.canopsis_url)
    head, _, tail = text.partition(f"  {name}:\n")
    rest = tail.partition("\n  acme-")
    workshop.write_settings(head + (f"  acme-{rest[2]}" if rest[1] else ""))
    return workshop.settings()


def faults(settings: Settings, name: str = "acme-canopsis") -> list[tuple[str, str, str]]:
    with pytest.raises(Misdeclared) as error:
        connection(settings, name, "canopsis", CanopsisConnection, AT)
    return [(each.where, each.what, each.mend) for each in error.value.faults]


def test_a_kind_is_offered_for_each_source_and_for_canopsis() -> None:
    assert {each.value for each in Kind} == set(MODELS)


def test_the_registered_type_has_a_form_whose_secrets_are_masked(
    prefect: str, refsync: Refsync
) -> None:
    ended = refsync("connections", "--register")

    assert ended.code == 0
    found = requests.get(f"{prefect}/block_types/slug/refsync-connection", timeout=30).json()
    asked = {"block_schemas": {"block_type_id": {"any_": [found["id"]]}}}
    (schema,) = requests.post(f"{prefect}/block_schemas/filter", json=asked, timeout=30).json()
    fields = schema["fields"]
    assert set(fields["properties"]) == {"kind", "words", "secrets"}
    assert set(fields["definitions"]["Kind"]["enum"]) == set(MODELS)
    assert fields["secret_fields"] == ["secrets.*"]
    assert fields["required"] == ["kind"]


def test_a_connection_that_the_file_does_not_declare_is_a_block(
    workshop: Workshop, prefect: str
) -> None:
    assert prefect
    auth = {"type": "api_key"}
    words = {"url": workshop.canopsis_url, "auth": auth, "imports": {"max_items": 10}}
    save("acme-canopsis", "canopsis", words, {"auth": {"key": KEY}})
    undeclared(workshop)

    report = workshop.run()

    assert report.outcome == "done"
    assert len(workshop.entities()) == 30
    assert len(workshop.imports()) == 3


def test_a_block_may_refer_to_the_environment_but_its_secrets_are_values(
    workshop: Workshop, prefect: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert prefect
    monkeypatch.setenv("WHERE", "https://canopsis.acme.example")
    words = {"url": "${WHERE}/backend", "auth": {"type": "login", "username": "me"}}
    save("acme-canopsis", "canopsis", words, {"auth": {"password": "${WHERE}-odd"}})
    settings = undeclared(workshop)

    found = connection(settings, "acme-canopsis", "canopsis", CanopsisConnection, AT)

    assert found.url == "https://canopsis.acme.example/backend"
    assert found.auth.password.get_secret_value() == "${WHERE}-odd"
    assert settings.redact("not ${WHERE}-odd") == "not ***"
    assert warnings_of(settings, "acme-canopsis", found) == []


def test_relative_files_of_a_block_start_from_the_folder_of_the_settings(
    workshop: Workshop, prefect: str
) -> None:
    assert prefect
    (workshop.folder / "ca.pem").touch()
    words = {"base_url": "https://cmdb.acme.example", "tls": {"ca_bundle": "ca.pem"}}
    save("acme-cmdb", "api", words, {})

    settings = undeclared(workshop, "acme-cmdb")
    found = connection(settings, "acme-cmdb", "api", ApiConnection, AT)

    assert found.tls.ca_bundle == workshop.folder / "ca.pem"


def test_faults_of_a_block_are_told_at_the_block(workshop: Workshop, prefect: str) -> None:
    assert prefect
    words = {"uri": "https://canopsis.acme.example", "auth": {"type": "apikey"}}
    save("acme-canopsis", "canopsis", words, {"auth": {"key": "hunter2-of-the-block"}})

    found = faults(undeclared(workshop))

    assert sorted((where, what) for where, what, _ in found) == [
        ("block refsync-connection/acme-canopsis: auth.type", "unknown type 'apikey'"),
        ("block refsync-connection/acme-canopsis: uri", "unknown word 'uri'"),
    ]
    assert "hunter2" not in str(found)


@pytest.mark.parametrize(
    ("block", "where", "what"),
    [
        (("api", {}, {}), ": type", "is of type 'api', and a 'canopsis' one is asked for"),
        (
            (
                "canopsis",
                {"auth": {"type": "api_key", "key": "hunter2-words"}},
                {"auth": {"key": "hunter2-secret"}},
            ),
            ": auth.key",
            "'key' stands in `words` and in `secrets`",
        ),
        (("canopsis", {"url": "${NOBODY}"}, {}), ": url", "no such environment variable"),
        (("canopsis", {"type": "api"}, {}), ": type", "the type of a block is its `kind`"),
    ],
)
def test_a_block_that_cannot_be_used_says_why(
    block: tuple[str, dict[str, Any], dict[str, Any]],
    where: str,
    what: str,
    workshop: Workshop,
    prefect: str,
) -> None:
    assert prefect
    save("acme-canopsis", *block)

    ((at, said, mend),) = faults(undeclared(workshop))

    assert at == f"block refsync-connection/acme-canopsis{where}"
    assert what in said
    assert mend
    assert "hunter2" not in said + mend


def test_a_block_saved_by_hand_with_something_else_is_told(
    workshop: Workshop, prefect: str
) -> None:
    save("acme-canopsis", "canopsis", {}, {})
    (document,) = documents(prefect)
    data = {"kind": "canopsis", "words": "a text with hunter2", "secrets": ["hunter2"]}
    asked = {"data": data, "merge_existing_data": False}
    requests.patch(
        f"{prefect}/block_documents/{document['id']}", json=asked, timeout=30
    ).raise_for_status()

    found = faults(undeclared(workshop))

    assert [(where, what) for where, what, _ in found] == [
        ("block refsync-connection/acme-canopsis: words", "expected a mapping, not a text"),
        ("block refsync-connection/acme-canopsis: secrets", "expected a mapping, not a list"),
    ]


def test_a_secret_among_the_plain_words_of_a_block_is_warned_of_and_hidden(
    workshop: Workshop, prefect: str
) -> None:
    assert prefect
    auth = {"type": "api_key", "key": "hunter2-in-words"}
    save("acme-canopsis", "canopsis", {"url": workshop.canopsis_url, "auth": auth}, {})
    settings = undeclared(workshop)
    found = connection(settings, "acme-canopsis", "canopsis", CanopsisConnection, AT)

    (warning,) = warnings_of(settings, "acme-canopsis", found)

    assert warning.startswith("block refsync-connection/acme-canopsis: auth.key: the secret")
    assert "move it to `secrets`" in warning
    assert settings.redact("hunter2-in-words") == "***"


def test_the_file_wins_over_a_block_and_says_so_once(workshop: Workshop, prefect: str) -> None:
    assert prefect
    save("acme-canopsis", "api", {"base_url": "https://elsewhere.example"}, {})

    report = workshop.run()

    assert report.outcome == "done"
    said = [each for each in report.checked.warnings if "wins over the Prefect block" in each]
    assert len(said) == 1
    assert "refsync.yaml:11:3: this connection wins over the Prefect block" in said[0]
    assert "refsync-connection/acme-canopsis; remove one of the two" in said[0]


def test_an_unknown_connection_may_be_saved_as_a_block(workshop: Workshop, prefect: str) -> None:
    assert prefect

    ((where, what, mend),) = faults(undeclared(workshop))

    assert (where, what) == (AT, "unknown connection 'acme-canopsis'")
    assert mend.endswith("or save a Prefect block refsync-connection/acme-canopsis")


def test_at_a_prompt_without_prefect_no_block_is_looked_for(
    workshop: Workshop, prefect: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert prefect
    save("acme-canopsis", "canopsis", {}, {})
    monkeypatch.delenv("PREFECT_API_URL")

    ((_, what, mend),) = faults(undeclared(workshop))

    assert what == "unknown connection 'acme-canopsis'"
    assert "block" not in mend


def test_a_prefect_that_is_down_is_an_outage_for_what_only_it_may_know(
    workshop: Workshop, prefect: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert prefect
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}):
        assert workshop.run().outcome == "done"  # the file has all that is needed
        with pytest.raises(Unreachable, match="its block refsync-connection/acme-canopsis"):
            connection(undeclared(workshop), "acme-canopsis", "canopsis", CanopsisConnection, AT)


def test_a_pushed_connection_has_its_secrets_masked_and_works_without_the_file(
    workshop: Workshop, prefect: str, refsync: Refsync
) -> None:
    pushed = refsync("connections", "--push", "acme-canopsis")

    assert pushed.code == 0, pushed.err
    assert "auth.key" in pushed.out
    assert KEY not in pushed.out + pushed.err
    (document,) = documents(prefect)
    assert document["data"]["words"]["auth"] == {"type": "api_key"}
    assert "***" in str(document["data"]["secrets"])
    assert KEY not in str(document)
    block = Block.load("refsync-connection/acme-canopsis")
    assert block.secrets.get_secret_value() == {"auth": {"key": KEY}}
    assert KEY not in repr(block) + str(block)
    undeclared(workshop)
    assert workshop.run().outcome == "done"
    again = refsync("connections", "--push", "acme-cmdb", "--json")
    assert again.document == {
        "name": "acme-cmdb",
        "kind": "api",
        "words": [
            "base_url",
            "retry.attempts",
            "retry.initial",
            "retry.max_delay",
            "retry.jitter",
        ],
        "masked": [],
    }


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("nobody", "unknown connection 'nobody'"),
        ("Odd_name", "'Odd_name' cannot be the name of a block"),
        ("untyped", "the type of 'untyped' is not known"),
        ("wrong", "unknown word 'urk'"),
        ("unset", "${NOBODY}: no such environment variable"),
    ],
)
def test_what_cannot_be_pushed_says_why(
    name: str, what: str, workshop: Workshop, prefect: str, refsync: Refsync
) -> None:
    extra = (
        "  Odd_name: {type: api, base_url: 'https://x.example'}\n"
        "  untyped: {base_url: 'https://x.example'}\n"
        "  wrong: {type: api, base_url: 'https://x.example', urk: 1}\n"
        "  unset: {type: api, base_url: '${NOBODY}'}\n"
    )
    text = SETTINGS.format(api=workshop.api_url, canopsis=workshop.canopsis_url)
    workshop.write_settings(text + extra)

    ended = refsync("connections", "--push", name)

    assert ended.code == 2
    assert what in ended.err
    assert documents(prefect) == []


def test_blocks_are_listed_with_those_that_nobody_uses(
    workshop: Workshop, prefect: str, refsync: Refsync
) -> None:
    assert prefect
    auth = {"type": "api_key"}
    words = {"url": workshop.canopsis_url, "auth": auth}
    save("acme-canopsis", "canopsis", words, {"auth": {"key": "hunter2-listed"}})
    save("spare", "sql", {"url": "postgresql://me@db.example/x"}, {"password": "hunter2-spare"})
    undeclared(workshop)

    ended = refsync("connections", "--json")

    assert ended.code == 0, ended.err
    assert "hunter2" not in ended.out + ended.err
    found = {each["name"]: each for each in ended.document["connections"]}
    assert set(found) == {"acme-cmdb", "acme-canopsis", "spare"}
    assert found["acme-canopsis"]["declared"] == "block refsync-connection/acme-canopsis"
    assert found["acme-canopsis"]["targets_of"] == [NAME]
    assert found["acme-canopsis"]["secrets"] == [
        {"word": "auth.key", "origin": "block refsync-connection/acme-canopsis", "there": True}
    ]
    assert (found["spare"]["type"], found["spare"]["unused"]) == ("sql", True)
    assert found["spare"]["url"] == "postgresql+psycopg://db.example/x"


def test_a_block_that_is_not_valid_is_listed_with_its_fault(
    workshop: Workshop, prefect: str, refsync: Refsync
) -> None:
    assert prefect
    save("acme-canopsis", "canopsis", {"urk": 1}, {})
    undeclared(workshop)

    ended = refsync("connections")

    assert ended.code == 2
    assert (
        str(Fault("block refsync-connection/acme-canopsis: urk", "unknown word 'urk'"))[:20]
        in ended.err
    )
    assert "not valid" in ended.out
