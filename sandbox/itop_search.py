"""Finds the objects that an OQL query means; says no where iTop would.

    found = search(parse("SELECT Server WHERE id > 100"), world)
    found.kind, found.ids        # the class of the query; ids, in no order

Conditions on the id alone narrow the objects before any is looked at: a window of ids, or a list of
them, costs what it gives and no more.
"""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from sandbox.itop_classes import common, family, is_a, root
from sandbox.itop_expression import Aliases, Compiler, Row
from sandbox.itop_model import Model
from sandbox.itop_store import Objects, Thing
from sandbox.itop_tree import (
    Binary,
    Constant,
    Expression,
    Field,
    Join,
    Membership,
    Numbers,
    Query,
    Select,
)


@dataclass(frozen=True, slots=True)
class World:
    """What a query is asked of: objects, model, the time of NOW(), and the user's organizations."""

    held: Objects
    model: Model
    now: datetime
    organizations: frozenset[int] | None = None  # None: all of them
    archive: bool = False  # whether archived objects are seen as well

    def hides(self, kind: str) -> bool:
        """Whether some object of the class, or of one it is joined to, may not be seen."""
        return self.organizations is not None or bool(not self.archive and self.held.archived(kind))

    def visible(self, thing: Thing) -> bool:
        """Whether the object is not archived, and of an allowed organization; links always are."""
        if not self.archive and thing.values.get("archive_flag"):
            return False
        if self.organizations is None:
            return True
        if thing.kind == "Organization":
            return thing.id in self.organizations
        org = thing.values.get("org_id")
        return org is None or org in self.organizations


@dataclass(frozen=True, slots=True)
class Found:
    kind: str
    ids: list[int]


def search(query: Query, world: World) -> Found:
    """The objects of the first selected class; raises OqlError."""
    kinds: list[str] = []
    ids: dict[int, None] = {}
    for select in query.selects:
        kind, found = _select(query, select, world)
        if kinds and root(kind) != root(kinds[0]):
            raise Aliases(query.text, {}).error(
                "Incompatible classes: could not find a common ancestor",
                select.chosen[0],
                family(root(kinds[0])),
            )
        kinds.append(kind)
        ids.update(dict.fromkeys(found))
    kind = kinds[0]
    for other in kinds[1:]:
        kind = common(kind, other)
    return Found(kind, list(ids))


def _select(query: Query, select: Select, world: World) -> tuple[str, Iterable[int]]:
    aliases = _aliases(query, select, world.model)
    first = aliases.kinds[select.alias.text]
    chosen = select.chosen[0].text
    if chosen not in aliases.kinds:
        raise aliases.error("Unknown class [alias]", select.chosen[0], tuple(aliases.kinds))
    terms = list(_terms(select.where)) if select.where else []
    compiler = Compiler(
        world.held,
        world.model,
        world.now,
        aliases,
        lambda nested: frozenset(search(nested, world).ids),
    )
    window = _Window()
    conditions = [compiler.condition(term) for term in terms if not window.takes(term, select)]
    things = world.held.held(first)
    ids = window.ids(world.held, first)
    if not (conditions or select.joins or world.hides(first)):
        return first, ids
    rows: Iterable[Row] = ((things[each],) for each in ids)
    for join in select.joins:
        rows = _joined(rows, join, aliases, world)
    place = list(aliases.kinds).index(chosen)
    return aliases.kinds[chosen], (
        row[place].id
        for row in rows
        if all(world.visible(thing) for thing in row) and all(test(row) for test in conditions)
    )


def _aliases(query: Query, select: Select, model: Model) -> Aliases:
    """The aliases of the SELECT, its joins checked; raises OqlError."""
    kinds: dict[str, str] = {}
    aliases = Aliases(query.text, kinds)
    kinds[select.alias.text] = aliases.kind(select.kind)
    for join in select.joins:
        kind = aliases.kind(join.kind)
        if join.alias.text in kinds:
            raise aliases.error("Duplicate class alias", join.alias)
        if join.right.name.text != "id":
            issue = "Wrong format for Join clause (right hand), expecting an id"
            raise aliases.error(issue, join.right.name, ("id",))
        kinds[join.alias.text] = kind
        for side, field in (("left", join.left), ("right", join.right)):
            if field.alias is None or field.alias.text not in kinds:
                issue = f"Unknown class in join condition ({side} expression)"
                raise aliases.error(issue, field.alias or field.name, tuple(kinds))
        _check_key(join, aliases, model)
    return aliases


def _check_key(join: Join, aliases: Aliases, model: Model) -> None:
    left, right = join.left.alias, join.right.alias
    if left is None or right is None:
        raise AssertionError("both sides were checked to have an alias")
    attributes = model.attributes(aliases.kinds[left.text])
    keys = [name for name, each in attributes.items() if each.kind == "key"]
    if join.left.name.text not in keys:
        issue = "Unknown key in join condition (left expression)"
        raise aliases.error(issue, join.left.name, tuple(keys))
    target, joined = attributes[join.left.name.text].target, aliases.kinds[right.text]
    if not (is_a(joined, target) or is_a(target, joined)):
        raise aliases.error(
            f"The joined class ({joined}) is not compatible with the external key, which is"
            f" pointing to {target}",
            join.left.name,
        )


def _joined(rows: Iterable[Row], join: Join, aliases: Aliases, world: World) -> Iterator[Row]:
    """The rows with the object of one more alias; its place is the next one."""
    names = list(aliases.kinds)
    left = names.index(join.left.alias.text if join.left.alias else "")
    key, kind, held = join.left.name.text, aliases.kinds[join.alias.text], world.held
    if names[left] == join.alias.text:
        right = names.index(join.right.alias.text if join.right.alias else "")
        things = held.held(kind)
        for row in rows:
            for number in held.pointing(kind, key, row[right].id):
                yield (*row, things[number])
        return
    for row in rows:
        for number in _reached(held, kind, row[left].values.get(key, 0), join.operator):
            if (thing := held.find(kind, number)) is not None:
                yield (*row, thing)


def _reached(held: Objects, kind: str, number: int, operator: str) -> Iterable[int]:
    """Ids that `key = x.id` means, or those above it in the tree for BELOW."""
    if operator == "EQ":
        return (number,)
    above: list[int] = []
    while number and number not in above and (thing := held.find(kind, number)) is not None:
        above.append(number)
        number = thing.values.get("parent_id", 0)
    if operator == "BELOW":
        return above
    if operator == "BELOW_STRICT":
        return above[1:]
    outside = set(above[1:] if operator.endswith("STRICT") else above)
    return [each for each in held.ids(kind) if each not in outside]


def _terms(expression: Expression) -> Iterator[Expression]:
    """The conditions that must all be true."""
    if isinstance(expression, Binary) and expression.operator == "AND":
        yield from _terms(expression.left)
        yield from _terms(expression.right)
    else:
        yield expression


@dataclass(slots=True)
class _Window:
    """What the conditions on the id alone leave: `above < id <= upto`, or some of a list."""

    above: int = -1
    upto: int = sys.maxsize
    listed: tuple[int, ...] | None = None

    def takes(self, term: Expression, select: Select) -> bool:
        """Narrow the window by a condition; false when the condition is of another kind."""
        match term:
            case Membership(Field() as field, Numbers(values), True) if self.listed is None:
                if taken := _is_id(field, select):
                    self.listed = values
                return taken
            case Binary(sign, Field() as field, Constant(int() as number)):
                return _is_id(field, select) and self._narrows(sign, number)
            case _:
                return False

    def ids(self, held: Objects, kind: str) -> list[int]:
        if self.listed is None:
            return held.between(kind, self.above, self.upto)
        wanted = (each for each in dict.fromkeys(self.listed) if self.above < each <= self.upto)
        return held.among(kind, wanted)

    def _narrows(self, sign: str, number: int) -> bool:
        if sign in (">", ">=", "="):
            self.above = max(self.above, number - (sign != ">"))
        if sign in ("<", "<=", "="):
            self.upto = min(self.upto, number - (sign == "<"))
        return sign in (">", ">=", "=", "<", "<=")


def _is_id(field: Field, select: Select) -> bool:
    """Whether a field is the id of the SELECT's own class."""
    if field.name.text != "id":
        return False
    return not select.joins if field.alias is None else field.alias.text == select.alias.text
