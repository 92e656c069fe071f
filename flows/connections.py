"""Named connections of `refsync.yaml`, resolved into the models of their layer."""

from collections.abc import Iterator
from pathlib import Path as FilePath
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, SecretStr, ValidationError

from flows.misdeclared import Fault, Misdeclared
from flows.problems import problems_of
from flows.settings import Settings, sqlite_from
from mappings.errors import Path, Problem
from mappings.vocabulary import suggestion
from sources.auth import is_secret_name

M = TypeVar("M", bound=BaseModel)


def connection(settings: Settings, name: str, kind: str, model: type[M], asked_at: str) -> M:
    """The connection *name*, which must be of type *kind*, as a *model*.

    *asked_at* is the place of the job file that names it. Raises Misdeclared with every fault.
    """
    declared = settings.words.connections.get(name)
    if declared is None:
        hint = suggestion(name, settings.words.connections, "declared")
        mend = f"declare it under `connections:` in refsync.yaml{hint and '; ' + hint}"
        raise Misdeclared([Fault(asked_at, f"unknown connection {name!r}", mend)])
    path: Path = ("connections", name)
    stated = declared.get("type", kind)
    if stated != kind:
        what = f"connection {name!r} is of type {stated!r}, and a {kind!r} one is asked for"
        fault = settings.fault(Problem((*path, "type"), what, f"asked for at {asked_at}"))
        raise Misdeclared([fault])
    # some connection models name their type, others leave it to the job
    names_type = "type" in model.model_fields
    words = {key: value for key, value in declared.items() if names_type or key != "type"}
    resolved = _rebased(settings.resolve(words, path), model, settings.base)
    try:
        return model.model_validate(resolved)
    except ValidationError as error:
        faults = settings.faults(problems_of(error, model, words, path))
        raise Misdeclared(faults) from None  # its text could quote a secret


def _rebased(words: dict[str, Any], model: type[BaseModel], base: FilePath) -> dict[str, Any]:
    """*words* with the relative paths of files made to start from the folder of the settings."""
    rebased = dict(words)
    for name, field in model.model_fields.items():
        value = words.get(name)
        kinds = tuple(_kinds(field.annotation))
        if isinstance(value, str) and FilePath in kinds and "://" not in value:
            rebased[name] = str(base / value)
        elif isinstance(value, str) and value.startswith("sqlite"):
            rebased[name] = sqlite_from(base, value)
        for kind in kinds:
            if isinstance(value, dict) and isinstance(kind, type) and issubclass(kind, BaseModel):
                rebased[name] = _rebased(value, kind, base)
    return rebased


def _kinds(annotation: Any) -> Iterator[Any]:
    """An annotation and, through unions and `Annotated`, all that it is made of."""
    yield annotation
    for part in get_args(annotation):
        yield from _kinds(part)


def secrets_in_clear(settings: Settings, name: str, model: BaseModel) -> list[str]:
    """Warnings for the secrets of connection *name* that stand in refsync.yaml themselves."""
    declared = settings.words.connections.get(name, {})
    warnings = []
    for path in _secret_paths(model, ()):
        raw: Any = declared
        for step in path:
            raw = raw.get(step) if isinstance(raw, dict) else None
        if isinstance(raw, str) and "${" not in raw:
            what = f"the secret {'.'.join(path)!r} of {name!r}"
            warnings.append(_in_clear(settings, what, ("connections", name, *path)))
            settings.keep_secret(raw)
    return warnings


def ledger_in_clear(settings: Settings) -> list[str]:
    """A warning when the ledger's URL holds its password itself."""
    if "${" in settings.words.ledger or not settings.ledger_password:
        return []
    return [_in_clear(settings, "the password of the ledger", ("ledger",))]


def _in_clear(settings: Settings, what: str, path: Path) -> str:
    place = settings.fault(Problem(path, "")).where
    mend = "write ${NAME}, ${file:PATH} or ${prefect:BLOCK}"
    return f"{place}: {what} is written in clear; {mend}"


def _secret_paths(model: BaseModel, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, SecretStr):
            yield (*path, name)
        elif isinstance(value, dict):
            for key, each in value.items():
                # every header is a SecretStr, and most of them say nothing secret
                if isinstance(each, SecretStr) and is_secret_name(key):
                    yield (*path, name, key)
        elif isinstance(value, BaseModel):
            yield from _secret_paths(value, (*path, name))
