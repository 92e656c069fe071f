"""core/get: the objects a key means, with the fields asked for, in the order of their names."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.itop_classes import is_a
from sandbox.itop_json import encoded, fragment, objects, result
from sandbox.itop_keys import INTERNAL_ERROR, class_of, found, mandatory
from sandbox.itop_knobs import Fault, User
from sandbox.itop_login import UNAUTHORIZED, Refusal, may_export, may_read
from sandbox.itop_model import Model
from sandbox.itop_search import World
from sandbox.itop_state import Itop
from sandbox.itop_store import Thing

INVALID_PAGE = 13
_DEFAULT = ("id", "friendlyname")


class Fatal(Exception):
    """PHP dies; `cause` says of what: memory, time, database, or another `error`."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


class NotUtf8(Exception):
    """The answer holds a byte that is no UTF-8; carries the things and the fields of each."""

    def __init__(self, things: list[tuple[Thing, dict[str, Any]]], found: int) -> None:
        super().__init__(found)
        self.things = things
        self.found = found


@dataclass(frozen=True, slots=True)
class Fields:
    """Which attributes are shown: those of `output_fields`, for objects of `kind`."""

    kind: str
    text: str  # of `output_fields`; `*` and `*+` are resolved class by class
    names: tuple[str, ...]

    def of(self, model: Model, kind: str) -> tuple[str, ...]:
        """The names shown of an object of the class; id and friendlyname when it is unrelated."""
        if not is_a(kind, self.kind) or self.text == "":
            return _DEFAULT
        if self.text == "*+":
            return tuple(model.attributes(kind))
        return self.names


def fields_of(model: Model, kind: str, asked: Any) -> Fields:
    """Reads `output_fields`; raises Refusal for an unknown name, Fatal for a list on 3.2."""
    if isinstance(asked, (list, Mapping)):
        if model.modern:
            raise Fatal("error")
        return Fields(kind, "", ())
    text = str(asked)
    known = model.attributes(kind)
    if text in ("*", "*+"):
        return Fields(kind, text, tuple(known))
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",")))
    for name in names:
        if name not in known and name != "id":
            raise Refusal(INTERNAL_ERROR, f"output_fields: invalid attribute code '{name}'")
    return Fields(kind, text, names)


def get(
    itop: Itop, user: User, world: World, params: Mapping[str, Any], fault: Fault | None
) -> bytes:
    """The body of the answer; raises Refusal, Fatal or NotUtf8."""
    model = itop.model
    kind = class_of(params)
    key = mandatory(params, "key")
    asked = params.get("output_fields")
    fields = fields_of(model, kind, "*" if asked is None else asked)
    limit, page = whole(params.get("limit"), 0), whole(params.get("page"), 1)
    if model.modern and page < 1:
        message = "The request page number is not valid. It must be an integer greater than 0"
        return result(INVALID_PAGE, message, ("objects", b"null"), modern=True)
    match = found(kind, key, world)
    if refusal := _refused(user, match.kind):
        return result(UNAUTHORIZED, refusal, ("objects", b"null"), modern=model.modern)
    if model.modern and fields.text not in ("*", "*+"):
        _check_columns(model, match.kind, fields.names)
    ids = ordered(itop, match.kind, match.ids)
    told = len(ids) + itop.knobs.found_error
    if model.modern and limit > 0:
        ids = ids[(page - 1) * limit : page * limit]
    shown = _Answer(itop, user, match.kind, ids, fields)
    if shown.is_not_utf8():
        raise NotUtf8(shown.decoded(), told)
    pieces = shown.pieces()
    if fault:
        pieces = spoiled(fault, pieces)
    body = result(0, f"Found: {told}", ("objects", objects(pieces)), modern=model.modern)
    if _too_much(itop, len(ids), len(body)):
        raise Fatal("memory")
    return body


@dataclass(frozen=True, slots=True)
class _Answer:
    """The objects of one answer, in order."""

    itop: Itop
    user: User
    kind: str
    ids: list[int]
    fields: Fields

    def pieces(self) -> list[bytes]:
        """The encoded objects, each encoded once until something changes."""
        held = self.itop.fragments((self.kind, self.fields, self.user.language))
        things = self.itop.held.held(self.kind)
        for number in self.ids:
            if number not in held:
                thing = things[number]
                held[number] = fragment(thing.kind, number, self._values(thing))
        return [held[number] for number in self.ids]

    def is_not_utf8(self) -> bool:
        """Whether a value that is shown holds a byte that is no UTF-8."""
        bad, name = self.itop.knobs.invalid_utf8, self.itop.knobs.invalid_field
        if not bad:
            return False
        things = self.itop.held.held(self.kind)
        hit = (things[each] for each in self.ids if things[each].key in bad)
        return any(name in self._names(thing) for thing in hit)

    def decoded(self) -> list[tuple[Thing, dict[str, Any]]]:
        things = self.itop.held.held(self.kind)
        return [(things[each], self._values(things[each])) for each in self.ids]

    def _names(self, thing: Thing) -> tuple[str, ...]:
        return self.fields.of(self.itop.model, thing.kind)

    def _values(self, thing: Thing) -> dict[str, Any]:
        real = self.fields.text == "*+"
        return self.itop.shown(self.user).fields(thing, self._names(thing), real=real)


def _refused(user: User, kind: str) -> str:
    """Why the user may not have the objects of a class; empty when he may."""
    for allowed, doing in ((may_read, "reading"), (may_export, "exporting")):
        if not allowed(user, kind):
            return (
                "The current user does not have enough permissions for"
                f" {doing} data of class {kind}"
            )
    return ""


def ordered(itop: Itop, kind: str, ids: list[int]) -> list[int]:
    """The ids by friendlyname; those of the same name in no order (specs/itop.md §0.1)."""
    order, homonyms = itop.held.order(itop.model, kind)
    ids = sorted(ids)
    if homonyms and itop.knobs.shuffle and len(ids) > 1:
        itop.chance.shuffle(ids)
    return sorted(ids, key=order.__getitem__)


def spoiled(fault: Fault, pieces: list[bytes]) -> list[bytes]:
    """The objects of an answer once a fault has struck them."""
    if fault.kind == "short":
        return pieces[: int(len(pieces) * fault.keep)]
    if fault.kind == "bad_record" and pieces:
        place = min(fault.index, len(pieces) - 1)
        key, _, _ = pieces[place].partition(b'":{')
        return [*pieces[:place], key + b'":' + encoded(fault.record), *pieces[place + 1 :]]
    return pieces


def _check_columns(model: Model, kind: str, names: tuple[str, ...]) -> None:
    """3.x loads the named columns alone, and knows those of the query's class alone."""
    for name in names:
        if name not in model.attributes(kind) and name != "id":
            raise Refusal(INTERNAL_ERROR, f"Unknown attribute {name} from class {kind}")


def _too_much(itop: Itop, count: int, size: int) -> bool:
    most, largest = itop.knobs.memory_objects, itop.knobs.memory_bytes
    return bool((most and count > most) or (largest and size > largest))


def whole(value: Any, default: int) -> int:
    """PHP's cast to int: what is no number is 0."""
    if value is None:
        return default
    try:
        return int(value)
    except (TypeError, ValueError):
        return 0
