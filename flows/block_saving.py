"""A connection of refsync.yaml saved as a Prefect block, what is secret of it masked there."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from flows.connections import secret_paths, validated
from flows.declared import Declared, leaves, prefect_is_named, unknown
from flows.inventory import MODELS, inventory
from flows.misdeclared import Fault, Misdeclared
from flows.prefect_env import settle
from flows.settings import Settings
from mappings.errors import Problem


@dataclass(frozen=True, slots=True)
class Saved:
    """A block that was saved: its words that anybody can read, and those that nobody can."""

    name: str
    kind: str
    words: tuple[str, ...]
    masked: tuple[str, ...]


def register_type(settings: Settings) -> None:
    """Raises Misdeclared without PREFECT_API_URL, Unreachable when nothing answers there."""
    _settle(settings)
    from flows import blocks  # noqa: PLC0415 - Prefect costs a second to import

    blocks.register()


def save_block(settings: Settings, name: str) -> Saved:
    """Save the connection *name* of refsync.yaml as the block of that name, or over it.

    What its model holds for secret is masked there, and so is whatever refers elsewhere: its value
    is saved, since a worker need not have our environment. Raises as `register_type` does, and
    Misdeclared for a connection that is not declared there, or not well.
    """
    _settle(settings)
    words = settings.words.connections.get(name)
    if words is None:
        raise unknown(settings, name, f"refsync connections --push {name}")
    found = Declared(name, words)
    kind = _kind(settings, found)
    whole = found.resolved(settings)
    secret = set(secret_paths(validated(settings, found, MODELS[kind])))
    plain, masked = split({**words, "type": None}, whole, secret)
    del plain["type"]
    from flows import blocks  # noqa: PLC0415 - Prefect costs a second to import

    blocks.save(name, kind, plain, masked)
    return Saved(name, kind, _names(plain), _names(masked))


def split(
    words: dict[str, Any],
    whole: dict[str, Any],
    secret: Collection[tuple[str, ...]],
    path: tuple[str, ...] = (),
) -> tuple[dict[str, Any], dict[str, Any]]:
    """*words* as they are, and those that are *secret* or refer elsewhere as in *whole*."""
    plain: dict[str, Any] = {}
    masked: dict[str, Any] = {}
    for key, value in words.items():
        if isinstance(value, dict):
            plain[key], hidden = split(value, whole[key], secret, (*path, key))
            if hidden:
                masked[key] = hidden
        elif (*path, key) in secret or "${" in str(value):
            masked[key] = whole[key]
        else:
            plain[key] = value
    return plain, masked


def _settle(settings: Settings) -> None:
    if not prefect_is_named():
        what, mend = "there is no Prefect to keep blocks", "set PREFECT_API_URL to its address"
        raise Misdeclared([Fault("refsync connections", what, mend)])
    settle(settings.state)


def _kind(settings: Settings, found: Declared) -> str:
    """The one type of a connection, its own or that of the jobs that name it."""
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", found.name):
        what = f"{found.name!r} cannot be the name of a block"
        mend = "name it in lower case, with digits and dashes"
        raise Misdeclared(found.faults(settings, [Problem((), what, mend, on_key=True)]))
    (listed,) = inventory(settings, [found.name]).connections
    if listed.faults:
        raise Misdeclared(listed.faults)
    if listed.type not in MODELS:
        what = f"the type of {found.name!r} is not known"
        mend = f"add `type:`, one of {', '.join(MODELS)}"
        raise Misdeclared(found.faults(settings, [Problem((), what, mend, on_key=True)]))
    return listed.type


def _names(words: dict[str, Any]) -> tuple[str, ...]:
    return tuple(".".join(map(str, path)) for path, _ in leaves(words))
