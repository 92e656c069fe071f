"""Named connections, of refsync.yaml or of Prefect, resolved into the models of their layer."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path as FilePath
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, SecretStr, ValidationError

from flows.declared import Declared, declared, in_block, unknown
from flows.misdeclared import Misdeclared
from flows.prefect_env import CONNECTION_BLOCK
from flows.problems import problems_of
from flows.settings import Settings, sqlite_from
from mappings.errors import Problem
from referential.errors import Unreachable
from sources.masking import is_secret_name

M = TypeVar("M", bound=BaseModel)

_MEND = "write ${NAME}, ${file:PATH} or ${prefect:BLOCK}"


def connection(settings: Settings, name: str, kind: str, model: type[M], asked_at: str) -> M:
    """The connection *name*, which must be of type *kind*, as a *model*.

    *asked_at* is the place of the job file that names it. Raises Misdeclared with every fault, and
    Unreachable when it must be asked of a Prefect that does not answer.
    """
    found = declared(settings, name)
    if found is None:
        raise unknown(settings, name, asked_at)
    stated = found.words.get("type", kind)
    if stated != kind:
        what = f"connection {name!r} is of type {stated!r}, and a {kind!r} one is asked for"
        raise Misdeclared(
            found.faults(settings, [Problem(("type",), what, f"asked for at {asked_at}")])
        )
    return validated(settings, found, model)


def validated(settings: Settings, found: Declared, model: type[M]) -> M:
    """A declared connection as a *model*; raises Misdeclared with every fault of it."""
    # some connection models name their type, others leave it to the job
    kept = {"type"} if "type" in model.model_fields else set()
    whole = found.resolved(settings)
    words = {key: value for key, value in whole.items() if key != "type" or key in kept}
    try:
        return model.model_validate(_rebased(words, model, settings.base))
    except ValidationError as error:
        # the words of the file, where it has them: a message must not quote what they lead to
        shown = whole if found.in_block else found.words
        faults = found.faults(settings, problems_of(error, model, shown, ()))
    # raised out of the handler: the error of pydantic holds the secrets of what it refuses
    raise Misdeclared(faults)


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


def warnings_of(settings: Settings, name: str, model: BaseModel) -> list[str]:
    """What is to be said of how the connection *name* is declared, which became *model*."""
    found = declared(settings, name)
    return [] if found is None else [*in_clear(settings, found, model), *shadowed(settings, found)]


def in_clear(settings: Settings, found: Declared, model: BaseModel) -> list[str]:
    """Warnings for the secrets of a connection that anybody can read where it is declared."""
    warnings = []
    for path in secret_paths(model):
        raw = at(found.words, path)
        if isinstance(raw, str) and "${" not in raw:
            what = f"the secret {'.'.join(path)!r} of {found.name!r} is written in clear"
            mend = "move it to `secrets`" if found.in_block else _MEND
            warnings.append(f"{found.where(settings, path)}: {what}; {mend}")
            settings.keep_secret(raw)
    return warnings


def shadowed(settings: Settings, found: Declared) -> list[str]:
    """A warning for a block that nobody looks at, since refsync.yaml has its connection too."""
    with contextlib.suppress(Unreachable, Misdeclared):  # it is not needed
        if not found.in_block and in_block(settings, found.name) is not None:
            what = f"wins over the Prefect block {CONNECTION_BLOCK}/{found.name}"
            return [f"{found.where(settings)}: this connection {what}; remove one of the two"]
    return []


def ledger_in_clear(settings: Settings) -> list[str]:
    """A warning when the ledger's URL holds its password itself."""
    if "${" in settings.words.ledger or not settings.ledger_password:
        return []
    place = settings.fault(Problem(("ledger",), "")).where
    return [f"{place}: the password of the ledger is written in clear; {_MEND}"]


def at(words: Any, path: Sequence[str]) -> Any:
    """What stands at *path*; None where there is nothing."""
    for step in path:
        words = words.get(step) if isinstance(words, dict) else None
    return words


def secret_paths(model: BaseModel, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Where the secrets of a connection stand in its words."""
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
            yield from secret_paths(value, (*path, name))
