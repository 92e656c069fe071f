"""The check that all items and links of a D0 import pass before anything else.

What an item may be is told in `specs/canopsis.md` §2.3; that the two parts are looked at first,
then the items, then the links, and which words each fault has, in capensis/canopsis,
`sources/canopsis/canopsis/context_graph/import_ctx.py`, commit a4a1333 (the one that has `set`).
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from sandbox.canopsis_operations import JobFailed
from sandbox.canopsis_webcore_python import python_repr, raised, schema_fault

_PATTERNS = {
    "action": "^delete$|^create$|^update$|^disable$|^enable$|^set$",
    "type": "^resource$|^component$|^connector$|^watcher$",
}
_TYPES: dict[str, type[Any]] = {"string": str, "array": list, "object": dict}
_CI = {
    "_id": "string",
    "name": "string",
    "measurements": "array",
    "infos": "object",
    "action": "string",
    "type": "string",
    "action_properties": "object",
}
_LINK = {
    "_id": "string",
    "from": "array",
    "to": "string",
    "infos": "object",
    "action": "string",
    "action_properties": "object",
}
_SWITCHES = ("enable", "disable")


def parts(body: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The checked items and links of an import; raises JobFailed for the first fault.

    A body that is no object, or has neither part, is an import of nothing.
    """
    given = body if isinstance(body, dict) else {}
    bad = [name for name in ("cis", "links") if name in given and type(given[name]) is not list]
    if bad:
        words = f"{' and '.join(name.upper() for name in bad)} should be an array."
        raise JobFailed(schema_fault(words, literal=True))
    cis, links = given.get("cis", []), given.get("links", [])
    for ci in cis:
        _check(ci, ("_id", "action", "type"), _CI)
    for link in links:
        _check(link, ("from", "to", "action"), _LINK)
    return cis, links


def _check(item: Any, required: Sequence[str], fields: dict[str, str]) -> None:
    for words in _faults(item, required, fields):
        raise JobFailed(schema_fault(words))
    action = item["action"]
    if action in _SWITCHES:
        if "action_properties" not in item:
            raise JobFailed(raised("KeyError", "action_properties"))
        if action not in item["action_properties"]:
            raise JobFailed(raised("KeyError", action))


def _faults(item: Any, required: Sequence[str], fields: dict[str, str]) -> Iterator[str]:
    """The words of each fault, the first of which is told."""
    if type(item) is not dict:
        yield f"{python_repr(item)} is not of type {python_repr('object')}"
        return
    for name in required:
        if name not in item:
            yield f"{python_repr(name)} is a required property"
    for name, wanted in fields.items():
        if name not in item:
            continue
        value = item[name]
        if type(value) is not _TYPES[wanted]:
            yield f"{python_repr(value)} is not of type {python_repr(wanted)}"
        elif wanted == "array":
            others = (each for each in value if type(each) is not str)
            yield from (f"{python_repr(each)} is not of type u'string'" for each in others)
        elif name in _PATTERNS and not re.search(_PATTERNS[name], value):
            yield f"{python_repr(value)} does not match {python_repr(_PATTERNS[name])}"
