"""What `refsync connections` prints."""

from dataclasses import asdict
from typing import Any

from flows.block_saving import Saved
from flows.console import Shown, many
from flows.inventory import Held, Inventory, Listed
from flows.prefect_env import CONNECTION_BLOCK


def show_inventory(shown: Shown, seen: Inventory) -> None:
    """A line for each connection, then one for each of their secrets; faults and warnings first."""
    for each in seen.connections:
        for fault in each.faults:
            shown.error(str(fault))
        for warning in each.warnings:
            shown.warning(warning)
    for job in seen.broken:
        shown.warning(f"{job} does not compile, so what it uses is not known: refsync check {job}")
    names = ("connection", "type", "declared", "url", "read by", "loaded by", "state")
    shown.table(names, (_row(each) for each in seen.connections))
    held = [(each.name, secret) for each in seen.connections for secret in each.secrets]
    if held:
        shown.line("")
        shown.table(("connection", "secret", "value from", ""), (_secret(*each) for each in held))
    bad = sum(bool(each.faults) for each in seen.connections)
    shown.line("")
    shown.line(f"{many(len(seen.connections), 'connection')}, {bad} lacking or not valid")
    shown.note("whether they answer: refsync check --connect")


def show_saved(shown: Shown, saved: Saved) -> None:
    """What became of each word, by name; and that refsync.yaml goes first."""
    shown.line(f"saved block {CONNECTION_BLOCK}/{saved.name}, kind {saved.kind}")
    shown.line(f"  words    {', '.join(saved.words) or 'none'}")
    shown.line(f"  secrets  {', '.join(saved.masked) or 'none'}   (masked)")
    shown.note(f"refsync.yaml wins: the block is used once {saved.name} is removed there")


def document(seen: Inventory) -> dict[str, Any]:
    """The list as JSON values."""
    return {
        "connections": [
            asdict(each) | {"lacking": each.lacking, "unused": each.unused}
            for each in seen.connections
        ],
        "broken": seen.broken,
    }


def _row(each: Listed) -> tuple[str, ...]:
    return (
        each.name,
        each.type or "?",
        each.declared or "nowhere",
        each.url,
        ", ".join(each.sources_of),
        ", ".join(each.targets_of),
        _state(each),
    )


def _state(each: Listed) -> str:
    if each.lacking:
        return "lacking"
    unused = "unused" if each.unused else ""
    return ", ".join(filter(None, ("not valid" if each.faults else "", unused))) or "ok"


def _secret(name: str, held: Held) -> tuple[str, ...]:
    return name, held.word, held.origin, "there" if held.there else "not there"
