"""The attributes of iTop's classes, as one release and one installation has them.

    model = model_of("2.4.3")
    model.attributes("Server")["location_name"]     # by name, in the order `*` writes them

Names and order are those of the captures (`*`, and the names that OQL's error messages list).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal, cast

from sandbox.itop_classes import STATED, ages, family, lineage, root

Release = Literal["2.3.4", "2.4.3", "3.2"]
Kind = Literal[
    "text",
    "html",
    "int",
    "stopwatch",
    "date",
    "datetime",
    "enum",
    "nullable",
    "log",
    "blob",
    "key",
    "through",
    "links",
    "class",
    "friendlyname",
    "obsolete",
    "obsolete_date",
    "key_friendlyname",
    "key_class",
    "key_obsolete",
]

# What makes the friendlyname, where it is not `name`; link classes differ (see `name_parts`).
_NAMES: Final = {
    "Person": ("first_name", "name"),
    "SoftwareInstance": ("name", "system_name"),
    "Software": ("name", "version"),
    "Ticket": ("ref",),
    "CMDBChange": ("date",),
    "Event": ("date",),
    "SynchroReplica": ("dest_class", "dest_id"),
    "CMDBChangeOp": ("change",),
    "User": ("login",),
    "lnkApplicationSolutionToBusinessProcess": ("applicationsolution_id", "businessprocess_id"),
}
_WORD: Final = re.compile(
    r"(?P<name>\w+)(?:\[\](?P<set>\w+)\.(?P<back>\w+)|=(?P<key>\w+)\.(?P<attribute>\w+)"
    r"|=(?P<target>\w+)|:(?P<kind>\w+))?(?:@(?P<since>[\d.]+))?"
)


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of a class.

    `target` is the class a key points to, or whose objects a list holds; `key` the key that is
    followed (of this object for `through` and `key_*`, of the other one for `links`); `far` the
    attribute read there.
    """

    name: str
    kind: Kind
    target: str = ""
    key: str = ""
    far: str = ""


def _stated(words: str) -> Iterator[tuple[Attribute, str]]:
    """The attributes, each with the releases it is for."""
    for word in words.split():
        found = _WORD.fullmatch(word)
        if found is None:
            raise ValueError(f"not an attribute: {word}")
        name, since = found["name"], found["since"] or ""
        if found["set"]:
            attribute = Attribute(name, "links", found["set"], found["back"])
        elif found["attribute"]:
            attribute = Attribute(name, "through", "", found["key"], found["attribute"])
        elif found["target"]:
            attribute = Attribute(name, "key", found["target"])
        else:
            attribute = Attribute(name, cast("Kind", found["kind"] or "text"))
        yield attribute, since


class Model:
    """The classes as one release has them.

    *custom* has attributes added to classes, in the words of `itop_classes`: `("Server", "x_env")`;
    *missing* names those that were taken away: `Server.cpu`.
    """

    def __init__(
        self,
        release: Release,
        custom: tuple[tuple[str, str], ...] = (),
        missing: frozenset[str] = frozenset(),
    ) -> None:
        self.release = release
        self.modern = release == "3.2"
        self._custom = dict(custom)
        self._missing = missing
        self._attributes: dict[str, dict[str, Attribute]] = {}
        self._filters: dict[str, tuple[str, ...]] = {}

    def attributes(self, name: str) -> dict[str, Attribute]:
        """By name, in the order `*` writes them; `id` is not among them."""
        held = self._attributes.get(name)
        if held is None:
            held = {each.name: each for each in self._all(name)}
            self._attributes[name] = held
        return held

    def filters(self, name: str) -> tuple[str, ...]:
        """What OQL may compare, in the order its error messages list it."""
        held = self._filters.get(name)
        if held is None:
            held = self._filters[name] = tuple(self._filterable(name))
        return held

    def name_parts(self, name: str) -> tuple[tuple[str, ...], str]:
        """The attributes that make the friendlyname, and what stands between them."""
        parts = next((_NAMES[each] for each in lineage(name) if each in _NAMES), ("name",))
        if not name.startswith("lnk"):
            return parts, " "
        if name not in _NAMES:
            keys = [each for each in self._own(name) if each.kind == "key"]
            parts = tuple(each.name for each in keys[:2])
        if not self.modern:
            return parts, " "
        names = [f"{part.removesuffix('_id')}_name" for part in parts]
        # the contact is named first there, though it is stated last
        return tuple(names[::-1] if name == "lnkContactToFunctionalCI" else names), " / "

    def _own(self, name: str) -> Iterator[Attribute]:
        for each in reversed(lineage(name)):
            for attribute, since in _stated(f"{STATED[each]} {self._custom.get(each, '')}"):
                if self._has(since) and f"{name}.{attribute.name}" not in self._missing:
                    yield attribute

    def _has(self, since: str) -> bool:
        if since in ("2", "3"):
            return self.modern == (since == "3")
        return not since or self.release != "2.3.4"

    def _ages(self, name: str) -> bool:
        """From 2.4.0 on; on 3.x it is a subclass of Ticket that says when it is obsolete."""
        return ages(name) and self.release != "2.3.4" and not (self.modern and name == "Ticket")

    def _all(self, name: str) -> Iterator[Attribute]:
        own = list(self._own(name))
        yield from own
        if len(family(root(name))) > 1:
            yield Attribute("finalclass", "class")
        yield Attribute("friendlyname", "friendlyname")
        if self._ages(name):
            yield Attribute("obsolescence_flag", "obsolete")
            yield Attribute("obsolescence_date", "obsolete_date")
        for each in own:
            if each.kind == "key":
                yield from self._of_key(each)

    def _of_key(self, key: Attribute) -> Iterator[Attribute]:
        name, target = key.name, key.target
        yield Attribute(f"{name}_friendlyname", "key_friendlyname", target, name)
        if len(family(target)) > 1:
            yield Attribute(f"{name}_finalclass_recall", "key_class", target, name)
        if self._ages(target):
            yield Attribute(f"{name}_obsolescence_flag", "key_obsolete", target, name)

    def _filterable(self, name: str) -> Iterator[str]:
        held = self.attributes(name)
        yield from (each for each in ("finalclass", "friendlyname") if each in held)
        if "obsolescence_flag" in held:
            yield "obsolescence_flag"
        for each in self._own(name):
            if each.kind not in ("links", "blob", "log", "stopwatch"):
                yield each.name
            if each.kind == "key":
                yield from (one.name for one in self._of_key(each))
        if "obsolescence_date" in held:
            yield "obsolescence_date"
        yield "id"


@cache
def model_of(
    release: Release,
    custom: tuple[tuple[str, str], ...] = (),
    missing: frozenset[str] = frozenset(),
) -> Model:
    return Model(release, custom, missing)
