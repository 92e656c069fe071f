"""`${NAME}`, `${file:PATH}` and `${prefect:BLOCK}` stand for any value of any connection."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr

from flows import blocks
from flows.connections import connection
from flows.inventory import MODELS
from flows.settings import load_settings

PEM = "of/a.pem"
HTTP: dict[str, Any] = {
    "base_url": "https://cmdb.acme.example",
    "headers": {"X-Token": "header-secret"},
    "timeout": {"connect": 1.5, "read": 2.5, "total": 3.5},
    "tls": {"verify": False, "ca_bundle": PEM, "client_cert": PEM, "client_key": PEM},
    "proxy": "http://me:proxy-secret@proxy:3128",
    "retry": {"attempts": 3, "jitter": 0.5, "statuses": [500, 503]},
    "redirects": "same_origin",
    "max_body": 1_000_000,
    "max_concurrency": 2,
}
BASIC = {"type": "basic", "username": "me", "password": "pw-secret"}
OAUTH = {
    "type": "oauth2_password",
    "token_url": "https://cmdb.acme.example/token",
    "client_id": "client",
    "client_secret": "client-secret",
    "scope": "read",
    "client_in": "body",
    "skew": 5.5,
    "username": "me",
    "password": "pw-secret",
}
KEY = {"type": "api_key", "name": "X-Key", "key": "key-secret", "location": "query"}
SFTP = {
    "username": "me",
    "password": "sftp-secret",
    "private_key": PEM,
    "passphrase": "phrase-secret",
    "host_key": "ssh-ed25519 AAAA",
    "known_hosts": PEM,
}
S3 = {
    "access_key": "us",
    "secret_key": "s3-secret",
    "session_token": "session-secret",
    "endpoint": "https://s3.example",
    "region": "eu-west-3",
}
WORDS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("api", HTTP | {"auth": KEY}),
    ("api", HTTP | {"auth": OAUTH}),
    ("itop", HTTP | {"auth": BASIC | {"type": "form"}, "timezone": "Europe/Paris"}),
    ("servicenow", HTTP | {"auth": OAUTH, "version": "v2", "pause": 0.5}),
    ("easyvista", HTTP | {"auth": BASIC, "account": "50004", "languages": ["FR", "EN"]}),
    ("sql", {"url": "postgresql://me@db.example/cmdb", "password": "sql-secret", "attempts": 2}),
    ("csv", {"root": "sftp://files.example/drop", "sftp": SFTP, "max_size": 1_000}),
    ("excel", {"root": "s3://bucket/drop", "s3": S3, "timeout": {"total": 10.5}}),
    (
        "canopsis",
        {
            "url": "https://canopsis.acme.example",
            "auth": {"type": "login", "username": "me", "password": "pw-secret"},
            "timeout": {"connect": 1.5},
            "retry": {"attempts": 2},
            "tls": {"verify": False, "ca_bundle": PEM},
            "proxy": "http://me:proxy-secret@proxy:3128",
            "version": "24.10.3",
            "imports": {"max_items": 10, "pace": {"first": 0.5}},
        },
    ),
)


def of_environment(name: str, text: str, patch: pytest.MonkeyPatch) -> str:
    patch.setenv(name, text)
    return f"${{{name}}}"


def of_file(name: str, text: str, patch: pytest.MonkeyPatch) -> str:
    del patch
    Path(name).write_text(f"{text}\n", "utf-8")
    Path(name).chmod(0o444)  # as Docker gives it
    return f"${{file:{name}}}"


def of_prefect(name: str, text: str, patch: pytest.MonkeyPatch) -> str:
    before = blocks.secret
    patch.setattr(blocks, "secret", lambda asked: text if asked == name else before(asked))
    return f"${{prefect:{name}}}"


@pytest.mark.parametrize("refer", [of_environment, of_file, of_prefect])
@pytest.mark.parametrize(("kind", "words"), WORDS, ids=lambda each: str(each)[:40])
def test_a_reference_stands_for_any_value_of_a_connection(
    kind: str,
    words: dict[str, Any],
    refer: Callable[[str, str, pytest.MonkeyPatch], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path("of").mkdir()
    Path(PEM).touch()
    count = iter(range(1000))

    def referred(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: referred(each) for key, each in value.items()}
        if isinstance(value, list):
            return [referred(each) for each in value]
        text = value if isinstance(value, str) else json.dumps(value)
        return refer(f"V{next(count)}", text, monkeypatch)

    written, meant = read(kind, referred(words)), read(kind, words)

    assert written == meant
    assert all(each is not None for each in texts(meant))


def read(kind: str, words: dict[str, Any]) -> BaseModel:
    declared = {"connections": {"one": {"type": kind, **words}}}
    Path("refsync.yaml").write_text(json.dumps(declared), "utf-8")
    return connection(load_settings({}), "one", kind, MODELS[kind], "here")


def texts(model: BaseModel) -> list[Any]:
    """Its secrets, told: two that are equal by accident of masking would prove nothing."""
    found: list[Any] = []
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, SecretStr):
            found.append(value.get_secret_value())
        elif isinstance(value, BaseModel):
            found += texts(value)
    return found


def test_every_kind_of_connection_is_tried() -> None:
    assert {kind for kind, _ in WORDS} == set(MODELS)
