"""The parameters of an operation, and the objects its `key` means: an id, criteria or OQL."""

from collections.abc import Mapping
from typing import Any

from sandbox.itop_classes import PARENTS
from sandbox.itop_login import Refusal
from sandbox.itop_oql import parse
from sandbox.itop_search import Found, World, search
from sandbox.itop_tree import (
    Binary,
    Constant,
    Expression,
    Field,
    Name,
    OqlError,
    Query,
    Select,
)

INTERNAL_ERROR = 100


def mandatory(params: Mapping[str, Any], name: str) -> Any:
    """A parameter that must be there, and not null; raises Refusal."""
    value = params.get(name)
    if value is None:
        raise Refusal(INTERNAL_ERROR, f"Missing parameter '{name}'")
    return value


def class_of(params: Mapping[str, Any]) -> str:
    kind = str(mandatory(params, "class"))
    if kind not in PARENTS:
        # the quote at the end is iTop's
        raise Refusal(INTERNAL_ERROR, f"class: '{kind}' is not a valid class'")
    return kind


def found(kind: str, key: Any, world: World) -> Found:
    """The objects that `key` means; raises Refusal."""
    if isinstance(key, Mapping):
        return search(_criteria(kind, key, world), world)
    number = _number(key)
    if number is not None:
        same = Binary("=", Field(Name("id", 0)), Constant(number))
        return search(_select(kind, same), world)
    if not isinstance(key, str):
        raise Refusal(INTERNAL_ERROR, "Wrong format for key")
    try:
        return search(parse(key), world)
    except OqlError as error:
        raise Refusal(INTERNAL_ERROR, _told(error, key, modern=world.model.modern)) from None


def _told(error: OqlError, query: str, *, modern: bool) -> str:
    if not modern:
        return str(error)
    return (
        f"Query failed to execute: query = {query}, exception_class = {error.exception},"
        f" exception_message = {error}"
    )


def _criteria(kind: str, criteria: Mapping[str, Any], world: World) -> Query:
    """Equality of each attribute; external keys by id, OQL or criteria of their own."""
    where: Expression | None = None
    for name, value in criteria.items():
        same = Binary("=", Field(Name(name, 0)), Constant(_meant(kind, name, value, world)))
        where = same if where is None else Binary("AND", where, same)
    return _select(kind, where)


def _meant(kind: str, name: str, value: Any, world: World) -> str | int:
    attributes = world.model.attributes(kind)
    if name not in attributes and name != "id":
        raise Refusal(INTERNAL_ERROR, f"{name}: Unknown attribute")
    if name == "id" or attributes[name].kind != "key":
        return value if isinstance(value, int) else str(value)
    number = _number(value)
    if number is not None:
        return number
    target = attributes[name].target
    try:
        return _one(target, value, world)
    except Refusal as refusal:
        raise Refusal(refusal.code, f"{name}: {refusal}") from None


def _one(kind: str, key: Any, world: World) -> int:
    """The one object that a value of an external key means."""
    ids = found(kind, key, world).ids
    if len(ids) == 1:
        return ids[0]
    if isinstance(key, Mapping):
        told = ", ".join(f"{name}: {value} ({value})" for name, value in key.items())
        how = f"with criteria: {told}"
    else:
        how = f"for query: {key}"
    what = f"Several items found ({len(ids)})" if ids else "No item found"
    raise Refusal(INTERNAL_ERROR, f"{what} {how}")


def _number(key: Any) -> int | None:
    """A number, or text that is one."""
    if isinstance(key, bool):
        return None
    if isinstance(key, int):
        return key
    if isinstance(key, str) and key.strip().lstrip("+-").isdecimal():
        return int(key)
    return None


def _select(kind: str, where: Expression | None) -> Query:
    name = Name(kind, 0)
    return Query(f"SELECT {kind}", (Select(name, name, (name,), (), where),))
