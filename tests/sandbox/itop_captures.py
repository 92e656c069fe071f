"""What real iTop servers answered, and worlds in which the simulator has to say the same.

A world is made of a capture itself: its objects, those they name, and the links between them.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sandbox.itop_classes import root
from sandbox.itop_model import Attribute, Model, Release, model_of
from sandbox.itop_store import Objects

FOLDER = Path(__file__).parent / "captures" / "itop"
RELEASES: dict[str, Release] = {"23": "2.3.4", "24": "2.4.3", "32": "3.2"}
_SAME = ("text", "html", "enum", "nullable", "date", "datetime")
# How values that stand for themselves are kept, by kind of attribute.
_PLAIN: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(_SAME, lambda shown: shown),
    "key": int,
    "int": lambda shown: int(shown) if shown else None,
    "stopwatch": int,
    "log": lambda shown: shown["entries"],
}
_HIDDEN = 1_000_000  # ids of objects whose own a capture does not tell


def captured(name: str) -> str:
    """The body of a capture, without the line ends that were put after it."""
    text = (FOLDER / name).read_text(encoding="utf-8")
    return text.strip("\n").removesuffix("HTTP 200").strip("\n")


def release_of(name: str) -> Release:
    return RELEASES[name[:2]]


def world_of(name: str) -> Objects:
    """The objects of a capture."""
    world = _World(model_of(release_of(name)))
    answer = json.loads(captured(name))
    for each in answer["objects"].values():
        world.absorb(each["class"], int(each["key"]), each["fields"])
    for source, sinks in (answer.get("relations") or {}).items():
        for sink in sinks:
            world.impacts(source, sink["key"])
    return world.objects()


class _World:
    def __init__(self, model: Model) -> None:
        self._model = model
        self._values: dict[tuple[str, int], tuple[str, dict[str, Any]]] = {}
        self._hidden = _HIDDEN

    def objects(self) -> Objects:
        held = Objects()
        for (_, number), (kind, values) in self._values.items():
            held.add(kind, number, **values)
        return held

    def absorb(self, kind: str, number: int, fields: Mapping[str, Any]) -> None:
        """Take an object as an answer shows it, and what it tells of others."""
        own = self._known(kind, number)
        for name, shown in fields.items():
            attribute = self._model.attributes(kind).get(name)
            if attribute is None:
                continue
            if attribute.kind in _PLAIN:
                own[name] = _PLAIN[attribute.kind](shown)
            self._others(kind, number, attribute, shown, fields)

    def _others(
        self, kind: str, number: int, attribute: Attribute, shown: Any, fields: Mapping[str, Any]
    ) -> None:
        """What a value tells beside itself."""
        if attribute.kind == "links":
            for row in shown:
                self._row(attribute, number, row)
        elif attribute.kind == "key":
            self._target(kind, attribute, int(shown), fields)
        elif attribute.kind == "obsolete" and shown:
            self._known(kind, number).setdefault("status", "inactive")
        elif attribute.kind == "friendlyname":
            self._named(self._known(kind, number), kind, shown)

    def impacts(self, source: str, sink: str) -> None:
        """Let one object impact another, as get_related tells."""
        (first, number), (second, other) = (each.split("::") for each in (source, sink))
        if first == "Hypervisor":
            self._known(second, int(other))["virtualhost_id"] = int(number)
            return
        link, near, far = {
            "ApplicationSolution": (
                "lnkApplicationSolutionToFunctionalCI",
                "functionalci_id",
                "applicationsolution_id",
            ),
            "BusinessProcess": (
                "lnkApplicationSolutionToBusinessProcess",
                "applicationsolution_id",
                "businessprocess_id",
            ),
            "Person": ("lnkContactToFunctionalCI", "functionalci_id", "contact_id"),
        }[second]
        self._known(link, self._next()).update({near: int(number), far: int(other)})

    def _known(self, kind: str, number: int) -> dict[str, Any]:
        return self._values.setdefault((root(kind), number), (kind, {}))[1]

    def _next(self) -> int:
        self._hidden += 1
        return self._hidden

    def _named(self, values: dict[str, Any], kind: str, whole: str) -> None:
        """What a friendlyname tells of the values that make it."""
        parts, _ = self._model.name_parts(kind)
        if parts == ("first_name", "name"):
            first, _, last = whole.partition(" ")
            values.setdefault("first_name", first)
            values.setdefault("name", last)
        elif parts == ("name", "version"):
            values.setdefault("version", whole.removeprefix(f"{values['name']} "))
        elif len(parts) == 1:
            values.setdefault(parts[0], whole)

    def _row(self, attribute: Attribute, host: int, row: Mapping[str, Any]) -> None:
        kind, number = row.get("finalclass", attribute.target), self._next()
        self.absorb(kind, number, row)
        self._known(kind, number)[attribute.key] = host

    def _target(self, kind: str, key: Attribute, number: int, fields: Mapping[str, Any]) -> None:
        """What the fields tell of the object that a key points to."""
        if number == 0:
            return
        target = fields.get(f"{key.name}_finalclass_recall") or key.target
        far = self._known(target, number)
        for name, each in self._model.attributes(kind).items():
            if each.kind == "through" and each.key == key.name and fields.get(name):
                far.setdefault(each.far, fields[name])
        self._named(far, target, fields.get(f"{key.name}_friendlyname", ""))
        if fields.get(f"{key.name}_obsolescence_flag") == "1":
            far.setdefault("status", "inactive")
