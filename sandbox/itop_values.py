"""The values of objects: as OQL compares them, and as `fields` shows them (specs/itop.md §4.2)."""

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sandbox.itop_classes import PARENTS
from sandbox.itop_knobs import Dates
from sandbox.itop_model import Attribute, Model
from sandbox.itop_store import Objects, Thing

Read = Callable[[Thing], Any]

_THROUGH: Final = frozenset({"through", "key_friendlyname", "key_class", "key_obsolete"})
_WIKI_LINK: Final = re.compile(r"\[\[(\w+):")


def is_obsolete(thing: Thing) -> bool:
    return thing.values.get("status") in ("obsolete", "inactive")


def followed(held: Objects, model: Model, thing: Thing, key: str) -> Thing | None:
    """The object that a key of *thing* points to."""
    number = thing.values.get(key, 0)
    target = model.attributes(thing.kind)[key].target
    return held.find(target, number) if number else None


def compared(held: Objects, model: Model, thing: Thing, name: str) -> str | int | None:
    """The value OQL sees: numbers and flags as int, unset numbers and dates None."""
    if name == "id":
        return thing.id
    attribute = model.attributes(thing.kind).get(name)
    if attribute is None:
        return None
    value: str | int | None
    match attribute.kind:
        case "text" | "html" | "enum":
            value = thing.values.get(name, "")
        case "key":
            value = thing.values.get(name, 0)
        case "class":
            value = thing.kind
        case "friendlyname":
            value = held.name(model, thing)
        case "obsolete":
            value = int(is_obsolete(thing))
        case "through" | "key_friendlyname" | "key_class" | "key_obsolete":
            value = _far(held, model, thing, attribute)
        case _:
            value = thing.values.get(name)
            value = None if value == "" else value
    return value


def _far(held: Objects, model: Model, thing: Thing, attribute: Attribute) -> str | int | None:
    far = followed(held, model, thing, attribute.key)
    if far is None:
        return None
    match attribute.kind:
        case "through":
            return compared(held, model, far, attribute.far)
        case "key_friendlyname":
            return held.name(model, far)
        case "key_class":
            return far.kind
        case _:
            return int(is_obsolete(far))


@dataclass(slots=True)
class Shown:
    """Shows values as one release does, to a user of one language."""

    held: Objects
    model: Model
    dates: Dates
    labels: Mapping[str, str]  # of classes, where they differ from the name
    double_encoded: bool
    _readers: dict[tuple[str, str, bool], Read] = field(default_factory=dict)

    def fields(self, thing: Thing, names: tuple[str, ...], *, real: bool = False) -> dict[str, Any]:
        """The `fields` of an object; *real* expands link sets with the rows' own classes (`*+`)."""
        kind = thing.kind
        return {name: self._reader(kind, name, real)(thing) for name in names}

    def _reader(self, kind: str, name: str, real: bool) -> Read:  # noqa: FBT001 - of our own
        reader = self._readers.get((kind, name, real))
        if reader is None:
            reader = self._readers[kind, name, real] = self._make(kind, name, real=real)
        return reader

    def _make(self, kind: str, name: str, *, real: bool) -> Read:
        if name == "id":
            return lambda thing: str(thing.id)
        attribute = self.model.attributes(kind)[name]
        computed: dict[str, Read] = {
            "links": lambda thing: self._rows(thing, attribute, real=real),
            "class": lambda thing: thing.kind,
            "friendlyname": lambda thing: self.held.name(self.model, thing),
            "obsolete": is_obsolete,
        }
        if attribute.kind in computed:
            return computed[attribute.kind]
        if attribute.kind in _THROUGH:
            return self._through(kind, attribute)
        return self._own(attribute)

    def _own(self, attribute: Attribute) -> Read:
        """The value an object holds itself; the second of each pair stands for none."""
        name = attribute.name
        plain: dict[str, tuple[Callable[[Any], Any], Any]] = {
            "text": (self._linked, ""),
            "html": (self._html, ""),
            "int": (_text, None),
            "key": (str, 0),
            "date": (self._date, ""),
            "datetime": (self._date, ""),
            "obsolete_date": (self._date, ""),
            "log": (lambda entries: {"entries": entries}, []),
            "blob": (self._blob, {}),
            "stopwatch": (int, 0),
            "nullable": (_as_is, None),
        }
        show, unset = plain.get(attribute.kind, (_as_is, ""))
        return lambda thing: show(thing.values.get(name, unset))

    def _through(self, kind: str, attribute: Attribute) -> Read:
        target = self.model.attributes(kind)[attribute.key].target
        key, find = attribute.key, self.held.find
        unset: Any = ""
        show: Read
        match attribute.kind:
            case "through":
                far = attribute.far
                show = self._reader(target, far, False)
                if self.model.attributes(target)[far].kind == "key":
                    unset = "0"
            case "key_friendlyname":
                parts, between = self.model.name_parts(target)
                # 2.x concatenates the parts of an object that is not there
                unset = "" if self.model.modern else between * (len(parts) - 1)
                show = self._reader(target, "friendlyname", False)
            case "key_class":
                show = self._reader(target, "finalclass", False)
            case _:
                show = _flag

        def read(thing: Thing) -> Any:
            far = find(target, thing.values.get(key, 0))
            return unset if far is None else show(far)

        return read

    def _rows(self, thing: Thing, attribute: Attribute, *, real: bool) -> list[dict[str, Any]]:
        """The objects that point here, without their id nor what leads back."""
        if attribute.target not in PARENTS:
            return []
        things = self.held.held(attribute.target)
        order, _ = self.held.order(self.model, attribute.target)
        numbers = sorted(
            self.held.pointing(attribute.target, attribute.key, thing.id), key=order.__getitem__
        )
        rows = []
        for number in numbers:
            row = things[number]
            kind = row.kind if real else attribute.target
            names = tuple(
                name
                for name, each in self.model.attributes(kind).items()
                if name != attribute.key and (each.kind == "links" or each.key != attribute.key)
            )
            rows.append(self.fields(row, names, real=real))
        return rows

    def _linked(self, text: str) -> str:
        """Text whose wiki links `[[Class:name]]` name the class in the user's language."""
        if "[[" not in text:
            return text
        return _WIKI_LINK.sub(lambda link: f"[[{self.labels.get(link[1], link[1])}:", text)

    def _html(self, text: str) -> str:
        return text.replace("&", "&amp;") if self.double_encoded else text

    def _date(self, text: str) -> str:
        if not text:
            return ""
        if len(text) == 10:
            return shown_date(text, self.dates.date)
        return shown_date(text, self.dates.datetime)

    def _blob(self, blob: dict[str, Any]) -> dict[str, Any]:
        shown = {
            "data": base64.b64encode(blob.get("data", b"")).decode(),
            "mimetype": blob.get("mimetype", ""),
            "filename": blob.get("filename", ""),
        }
        return shown | {"downloads_count": 0} if self.model.modern else shown


def shown_date(text: str, form: str) -> str:
    """An ISO date in another form; text that is no date stays."""
    if form in ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S"):
        return text
    return datetime.fromisoformat(text).strftime(form)


def _flag(thing: Thing) -> str:
    return "1" if is_obsolete(thing) else ""


def _as_is(value: Any) -> Any:
    return value


def _text(value: int | None) -> str:
    return "" if value is None else str(value)
