"""The import item of an entity, written by its unit straight as the bytes that will be sent.

    else: m18 = b',"site":{"name":"site","value":' + dumps(v17) + b'}'
    …
    members = join((m16, m18, m20,))
    add_payload(join((b'{"action":"set",…,"infos":{', members[1:], b'},"name":', dumps(v2), …)))

Members come in the order of the canonical bytes (`referential.entity`), each with the comma before
it. Only values are written for each record: all else is, once, when the code is generated.
"""

from dataclasses import dataclass
from typing import Any

import orjson

from mappings.body_code import BodyCode, Heads, info_of, is_sure
from mappings.rejects import unwritable
from mappings.rules import Constant, Info, Rule
from mappings.statements import Statements
from mappings.unit import Unit
from referential.entity import joined_keys

NAMESPACE: dict[str, Any] = {
    "dumps": orjson.dumps,
    "join": b"".join,
    "levels": tuple(b"%d" % level for level in range(11)),
}
# How entities are put into the columns of a page.
COLUMNS = {
    "add_id": "ids",
    "add_group": "groups",
    "add_category": "categories",
    "add_keys": "infos",
    "add_payload": "payloads",
}


class Keys(dict[int, str]):
    """The info keys of an entity (`referential.entity.joined_keys`), by those that it lacks.

    `keys[lacking]`: bit *n* of the number says that the *n*-th key has no value. They are as few as
    the sets of keys that a feed has.
    """

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__()
        self._names = names

    def __missing__(self, lacking: int) -> str:
        present = tuple(name for n, name in enumerate(self._names) if not lacking >> n & 1)
        self[lacking] = joined_keys(present)
        return self[lacking]


_KEPT = 500  # members of one info

Part = bytes | str  # what is written already, or an expression that gives bytes


class ItemCode(BodyCode):
    """Adds to `out` what makes the entities of one unit, and puts them into its columns."""

    def __init__(self, unit: Unit, out: Statements, tally: str) -> None:
        super().__init__(unit, out, tally)
        self._refusal: orjson.JSONEncodeError | None = None
        self._keys = "''"

    def item(self, name: str, more: dict[str, str], identity: str) -> None:
        """One entity; *more* are the expressions of its component and of its pattern."""
        out = self.out
        heads = self.heads(more, name, identity)
        # what JSON cannot hold refuses the entity as a whole
        out.add(f"at = {len(self.unit.rules)}")
        parts = [*self._text("category", heads), *self._component(more)]
        parts += [b',"enabled":true', *_pattern(more), *self._level(heads)]
        parts += [b',"infos":{', *self._infos_item(heads), b"}", *self._name(name)]
        parts += [*self._text("output_template", heads), self._json("type", self.unit.kind)]
        if self._refusal is not None:
            out.add(f"raise Refusal(*{out.constant('refusal', unwritable(self._refusal))})")
        parts = [b'{"action":"set"', *parts, b"}"]
        out.add(f"add_payload(join(({', '.join(_merged(parts))},)))")  # may still refuse it
        out.add(
            f"add_id({identity})", f"add_category({_category(heads)})", f"add_keys({self._keys})"
        )
        if "component" in more:
            out.add(f"add_group({more['component']})")

    def _json(self, key: str, value: Any) -> bytes:
        """A member that all entities have, the comma before it included."""
        try:
            return b"," + orjson.dumps(key) + b":" + orjson.dumps(value)
        except orjson.JSONEncodeError as error:
            self._refusal = error
            return b""

    def _text(self, key: str, heads: Heads) -> list[Part]:
        if key not in heads.texts:
            return []
        rule, value = heads.texts[key]
        if isinstance(rule.origin, Constant):
            return [self._json(key, rule.origin.value)]
        before = f',"{key}":'.encode()
        if is_sure(rule):
            return [before, f"dumps({value})"]
        found, missed = self.out.name("m"), self.missed(self.rank[id(rule)])
        self.out.add(f"if {value} is None: {found} = b''; {missed}")
        self.out.add(f"else: {found} = {before!r} + dumps({value})")
        return [found]

    def _component(self, more: dict[str, str]) -> list[Part]:
        rule = self.unit.component
        if rule is None:
            return []
        if isinstance(rule.origin, Constant):
            return [self._json("component", rule.origin.value)]
        return [b',"component":', f"dumps({more['component']})"]

    def _name(self, name: str) -> list[Part]:
        origin = self.unit.name.origin
        if isinstance(origin, Constant):
            return [self._json("name", origin.value)]
        return [b',"name":', f"dumps({name})"]

    def _level(self, heads: Heads) -> list[Part]:
        rule = self.unit.impact_level
        if rule is None or isinstance(rule.origin, Constant):
            return [b',"impact_level":', heads.level.encode()]
        return [b',"impact_level":', f"levels[{heads.level}]"]

    def _infos_item(self, heads: Heads) -> list[Part]:
        """The members of `infos`, without the first comma."""
        out = self.out
        infos = sorted(self.unit.infos, key=lambda info: info.key)
        keys = Keys(tuple(info.key for info in infos))
        if all(is_sure(info.rule) for info in infos):
            self._keys = repr(keys[0])
        else:
            self._keys = f"{out.constant('keys', keys)}[lacking]"
            out.add("lacking = 0")
        parts = [part for n, info in enumerate(infos) for part in self._info(info, 1 << n, heads)]
        first = parts[0] if parts else b","
        if isinstance(first, bytes):
            return [first[1:], *parts[1:]]
        out.add(f"members = join(({', '.join(_merged(parts))},))")
        return ["members[1:]"]

    def _info(self, info: Info, bit: int, heads: Heads) -> list[Part]:
        """The member of one info; where it has no value, its *bit* is added to `lacking`."""
        rule, out = info.rule, self.out
        if isinstance(rule.origin, Constant):
            return [self._json(info.key, info_of(info, rule.origin.value))]
        # the value is the last member of all: its null stands for what is written for each record
        before, _, after = self._json(info.key, info_of(info, None)).rpartition(b"null")
        member, missed = _Member(before, after, out.name("m")), self.missed(self.rank[id(rule)])
        if not rule.hard:
            self._soft_member(rule, member, f"{missed}; lacking |= {bit}")
            return [member.name]
        value = heads.infos[info.key]
        if is_sure(rule):
            return [before, f"dumps({value})", after]
        out.add(f"if {value} is None: {member.name} = b''; lacking |= {bit}; {missed}")
        out.add(f"else: {member.of(value)}")
        return [member.name]

    def _soft_member(self, rule: Rule, member: "_Member", lacks: str) -> None:
        """What a rule gives that refuses no record; *lacks* are the statements if it is nothing.

        Where it depends on one text alone, the first texts are kept with their members: a CMDB says
        the same few words of thousands of machines.
        """
        out, paths = self.out, rule.origin.paths
        out.look_ups(rule)
        kept = len(paths) == 1 and rule.translation is None  # which counts what it is asked
        raw, seen = (out.look_up(paths[0]), out.constant("seen", {})) if kept else ("", "")
        if kept:
            out.add(f"{member.name} = {seen}.get({raw}) if {raw}.__class__ is str else None")
            out.open(f"if {member.name} is None:")
        value = self.soft(rule)
        out.open(f"if {value} is None:")
        if rule.default is None:
            out.add(f"{member.name} = b''; {lacks}")
        else:
            out.add(member.of(out.literal(rule.default)), self.missed(self.rank[id(rule)]))
        out.close()
        out.open("else:")
        out.add(member.of(value))
        if kept:
            room = f"len({seen}) < {_KEPT}"
            out.add(f"if {raw}.__class__ is str and {room}: {seen}[{raw}] = {member.name}")
            out.close()
        out.close()


@dataclass(frozen=True, slots=True)
class _Member:
    """What stands before and after a value; the variable that holds all of it."""

    before: bytes
    after: bytes
    name: str

    def of(self, value: str) -> str:
        """The statement that writes the member of an expression."""
        return f"{self.name} = {self.before!r} + dumps({value}) + {self.after!r}"


def _pattern(more: dict[str, str]) -> list[Part]:
    if "entity_pattern" not in more:
        return []
    return [b',"entity_pattern":', f"dumps({more['entity_pattern']})"]


def _category(heads: Heads) -> str:
    """The expression of the category, "" where there is none."""
    if "category" not in heads.texts:
        return "''"
    rule, value = heads.texts["category"]
    return value if is_sure(rule) else f"{value} or ''"


def _merged(parts: list[Part]) -> list[str]:
    """Expressions of all parts; neighbours that are written already become one."""
    merged: list[str] = []
    written = b""
    for part in (*parts, ""):
        if isinstance(part, bytes):
            written += part
            continue
        merged += [repr(written)] if written else []
        merged += [part] if part else []
        written = b""
    return merged
