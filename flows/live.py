"""What an entity of ours is in Canopsis, against what we gave: field by field, and whose each is.

gone            Canopsis holds it no more
enabled         somebody disabled it
import_source   another source loaded it since
category, impact_level, entity_pattern, output_template, infos.<key>
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Literal

Whose = Literal["ours", "theirs", "stale"]
Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """One field: what we want, what is there.

    `ours` is for us to mend; `theirs` is a value that others added, and is left alone; `stale` is
    an info of ours that the source gives no more.
    """

    field: str
    wanted: Any
    there: Any
    whose: Whose = "ours"


def differences(
    wanted: Body, live: Body | None, source: str, owned: Collection[str] = ()
) -> list[Difference]:
    """How *live*, an entity as Canopsis gives it, differs from the import item *wanted*.

    *owned* are the info keys that the ledger knows as ours. A field that this Canopsis does not
    give back (`import_source` before 23.04, `output_template` of a list) is not compared.
    """
    if live is None:
        return [Difference("gone", wanted["name"], None)]
    return [*_fields(wanted, live, source), *_infos(wanted["infos"], live, owned)]


def _fields(wanted: Body, live: Body, source: str) -> Iterator[Difference]:
    if live.get("enabled") is False:
        yield Difference("enabled", wanted=True, there=False)
    if live.get("import_source", source) != source:
        yield Difference("import_source", source, live["import_source"])
    category = live.get("category")
    there = category.get("name") if isinstance(category, dict) else category
    if "category" in wanted and there != wanted["category"]:
        yield Difference("category", wanted["category"], there)
    elif there and "category" not in wanted:
        yield Difference("category", None, there, "theirs")
    for name in ("impact_level", "entity_pattern", "output_template"):
        if name in wanted and name in live and live[name] != wanted[name]:
            yield Difference(name, wanted[name], live[name])


def _infos(wanted: Body, live: Body, owned: Collection[str]) -> Iterator[Difference]:
    there = live.get("infos") or {}
    for key, info in wanted.items():
        found = there.get(key)
        if not isinstance(found, dict):
            yield Difference(f"infos.{key}", info.get("value"), None)
        elif found.get("value") != info.get("value"):
            yield Difference(f"infos.{key}", info.get("value"), found.get("value"))
        elif (found.get("description") or "") != (info.get("description") or ""):
            name = f"infos.{key}.description"
            yield Difference(name, info.get("description"), found.get("description"))
    for key in sorted(there.keys() - wanted.keys()):
        found = there[key]
        value = found.get("value") if isinstance(found, dict) else found
        yield Difference(f"infos.{key}", None, value, "stale" if key in owned else "theirs")
