"""Units written as Python: one function for each, a plain loop over the records of a page.

    def unit_0(records, first, rejects, ids, groups, categories, infos, payloads):
        add_id, … = ids.append, …
        at = 0
        for number, record in enumerate(records, first):
            try:
                at = 0  # 'component.name'
                a1 = record.get('name')
                v2 = a1 if a1.__class__ is str else text(a1)
                …
            except Exception as error:
                rejects.append(reject_0(at, number, record, error, v2 if at > 0 else ''))

First come the hard rules, any of which may refuse the record: `at` then tells which one did, and
with it whether the entity's identity was already known, for its rules are the first of all. What
follows cannot fail, so that what it counts in `missed_0`, it counts of entities. What is left is
written as JSON (`mappings.item_code`), which may refuse it as a whole. With `each` the same stands
in a loop over the items of the record. Services that are gathered over all records go to
`unit_0(records, first, rejects, gathered)`; `begin_0` makes the body of one: it is called for the
first of its records alone.
"""

from collections.abc import Sequence
from typing import Any

from mappings import casts, names
from mappings.body_code import BodyCode, absent, dict_of
from mappings.cleaner import BRACKETED
from mappings.item_code import COLUMNS, ItemCode
from mappings.item_code import NAMESPACE as WRITING
from mappings.lookups import key_of
from mappings.paths import Path
from mappings.pattern import regexp_text
from mappings.rejects import Refusal
from mappings.rules import Rule
from mappings.statements import Statements
from mappings.trials import SLOTS
from mappings.unit import EACH, WHEN, Unit

_FIELDS = "fields = item if item.__class__ is dict else NOTHING"
_DIFFERS = (
    "pattern differs",
    "only lists are gathered, and here the record differs from those before it; make them agree",
)
_NAMESPACE: dict[str, Any] = {
    "enumerate": enumerate,
    "len": len,
    "set": set,
    "str": str,
    "int": int,
    "dict": dict,
    "Exception": Exception,
    "Refusal": Refusal,
    "MISS": object(),
    "NOTHING": {},
    "items_of": casts.items_of,
    "key_of": key_of,
    "bracketed": BRACKETED,
    "text": casts.text,
    "filled_text": casts.filled_text,
    "regexp_text": regexp_text,
    "info": casts.info,
    "impact_level": casts.impact_level,
    "words": casts.words,
    "whole": casts.whole,
    "truth": casts.truth,
    "INTERNAL": names.INTERNAL,
    "check_component": names.check_component,
    "check_resource": names.check_resource,
    "check_room": names.check_room,
    "check_service_name": names.check_service_name,
    "taken": names.taken,
    "DIFFERS": _DIFFERS,
    **WRITING,
}


def generate(units: Sequence[Unit]) -> tuple[str, dict[str, Any]]:
    """The source of a module with `unit_<n>`; `begin_<n>` and `pattern_<n>` for gathered services.

    Beside it the values that the source names, but for `missed_<n>`, `reject_<n>`, `refuse_<n>`,
    `filtered_<n>` and `claim`, which are the caller's. For `begin_<n>` the first three of them are
    called `missed_begun_<n>` and so on.
    """
    namespace = {"__builtins__": {}, **_NAMESPACE}
    functions = [_Function(index, unit, namespace) for index, unit in enumerate(units)]
    return "\n\n".join(function.source() for function in functions), namespace


class _Function:
    """One unit's function."""

    def __init__(self, index: int, unit: Unit, namespace: dict[str, Any]) -> None:
        self.index = index
        self.unit = unit
        self.record = Statements(namespace, unit.cleaner)  # what comes before the loop over items
        self.out = self.record if unit.each is None else self.record.beside(_list(unit))
        self.rules = ItemCode(unit, self.out, str(index))
        self.conditions = [condition for group in unit.pattern for condition in group]

    def source(self) -> str:
        out, index = self.out, self.index
        filled = ("gathered",) if self.unit.gathered else tuple(COLUMNS.values())
        out.open(f"def unit_{index}(records, first, rejects, {', '.join(filled)}):")
        out.add("at = 0")
        if not self.unit.gathered:
            out.add(*(f"{add} = {column}.append" for add, column in COLUMNS.items()))
        out.open("for number, record in enumerate(records, first):")
        if self.unit.each is not None:
            self._items(self.unit.each)
        out.open("try:")
        if self.unit.each is not None:
            out.add(_FIELDS)
        if self.unit.when is not None:
            out.add(f"at = {WHEN}")
            out.open(f"if not {out.condition(self.unit.when)}:")
            out.add(f"filtered_{index}[0] += 1", "continue")
            out.close()
        identity = self._gathered() if self.unit.gathered else self._entity()
        out.close()
        out.add("except Exception as error:", f"    {self._reject(self.rules, identity)}")
        lines = out.lines
        if self.unit.gathered:
            lines = [*lines, "", *self._begin(), "", *self._pattern_function()]
        return "\n".join(lines)

    def _items(self, each: Rule) -> None:
        """Opens the loop over the items of a record."""
        out, before = self.out, self.record
        before.depth = out.depth
        before.open("try:")
        value = before.value(each)
        if each.default is not None:
            before.add(f"if {value} is None: {value} = {before.literal(each.default)}")
        elif each.required:
            refusal = before.constant("absent", absent(each))
            before.add(f"if {value} is None: raise Refusal(*{refusal})")
        before.add(f"items = items_of({value})")
        before.close()
        out.add_all(before)
        out.open("except Exception as error:")
        out.add(f"rejects.append(reject_{self.index}({EACH}, number, record, error))", "continue")
        out.close()
        out.open("for key, item in items:")

    def _reject(self, rules: BodyCode, identity: str) -> str:
        """The statement that notes a record which is refused."""
        known = rules.known(identity) + (", key=key" if self.unit.each is not None else "")
        return f"rejects.append(reject_{rules.tally}(at, number, record, error, {known}))"

    def _entity(self) -> str:
        """One entity for each record; gives the expression of its identity."""
        out, rules, more = self.out, self.rules, {}
        name = identity = self._name(self.unit.name)
        if self.unit.component is not None:
            more["component"] = component = self._name(self.unit.component)
            identity = out.name("i")
            out.add(f"{identity} = {name} + '/' + {component}")
        if self.conditions:
            values = [rules.hard(condition.rule) for condition in self.conditions]
            more["entity_pattern"] = self._pattern(values)
        rules.item(name, more, identity)
        return identity

    def _gathered(self) -> str:
        """One entity for all records of one name, its body from the first; the lists grow.

        Gives the expression of its identity.
        """
        out, rules = self.out, self.rules
        name = rules.hard(self.unit.name)
        values = [rules.hard(condition.rule) for condition in self.conditions]
        given = "".join(f"{variable}, " for variable, _ in rules.counted)
        more = ", key, item" if self.unit.each is not None else ""
        out.add(f"found = gathered.get({name})")
        out.open("if found is None:")
        arguments = f"rejects, number, record, {name}, ({', '.join(values)},), ({given})"
        out.add(f"found = begin_{self.index}({arguments}{more})", "if found is None: continue")
        out.add(f"gathered[{name}] = found")
        out.close()
        slots = [(f"found[{SLOTS + rank}]", value) for rank, value in enumerate(values)]
        spots = list(zip(slots, self.conditions, strict=True))
        for (slot, value), condition in spots:
            if not condition.grows:
                out.add(f"at = {rules.rank[id(condition.rule)]}")
                out.add(f"if {slot} != {value}: raise Refusal(*DIFFERS)")
        out.add(*(f"{slot}.update({value})" for (slot, value), each in spots if each.grows))
        return name

    def _begin(self) -> list[str]:
        """What begins a gathered service, or notes that the record cannot and gives None."""
        out = self.out.beside(self.out.each)
        rules = BodyCode(self.unit, out, f"begun_{self.index}")
        rules.counted = [
            (f"given[{place}]", rank) for place, (_, rank) in enumerate(self.rules.counted)
        ]
        more = ", key, item" if self.unit.each is not None else ""
        arguments = f"rejects, number, record, name, values, given{more}"
        out.open(f"def begin_{self.index}({arguments}):")
        out.add("at = 0")
        out.open("try:")
        if self.unit.each is not None:
            out.add(_FIELDS)
        rules.check_name("name", self.unit.name)
        rules.body("name", {}, "name")
        starts = ["set()" if c.grows else f"values[{i}]" for i, c in enumerate(self.conditions)]
        out.add(f"return (body, number, record, {', '.join(starts)})")
        out.close()
        out.add("except Exception as error:", f"    {self._reject(rules, 'name')}")
        return out.lines

    def _name(self, rule: Rule) -> str:
        """The value of a name, which Canopsis can hold."""
        name = self.rules.hard(rule)
        self.rules.check_name(name, rule)
        return name

    def _pattern(self, values: list[str]) -> str:
        """The expression of the service's pattern, given the variables of its conditions."""
        remaining = iter(values)
        groups = []
        for group in self.unit.pattern:
            items = []
            for condition in group:
                cond = dict_of({"type": repr(condition.cond), "value": next(remaining)})
                typed = {"field_type": repr(condition.field_type)} if condition.field_type else {}
                items.append(dict_of({"cond": cond, "field": repr(condition.field), **typed}))
            groups.append(f"[{', '.join(items)}]")
        return f"[{', '.join(groups)}]"

    def _pattern_function(self) -> list[str]:
        """What makes the pattern of a gathered service, once all its records were seen."""
        values = [f"v{rank}" for rank in range(len(self.conditions))]
        function = f"def pattern_{self.index}({', '.join(values)}):"
        return [function, f"    return {self._pattern(values)}"]


def _list(unit: Unit) -> Path:
    """What leads to the items of `each` in the record, as far as it is known."""
    return unit.list or ("$item",)
