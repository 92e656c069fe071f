"""Units written as Python: one function for each, a plain loop over the records of a page.

    def unit_0(records, first, ids, groups, bodies, rejects, gathered, numbers):
        at, add_id, add_group, add_body = 0, ids.append, groups.append, bodies.append
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
follows cannot fail, so that what it counts in `missed_0`, it counts of entities. With `each` the
same stands in a loop over the items of the record.
"""

from collections.abc import Sequence
from typing import Any

from mappings import casts, names
from mappings.cleaner import BRACKETED
from mappings.lookups import key_of
from mappings.paths import path_text
from mappings.pattern import regexp_text
from mappings.rejects import Refusal
from mappings.rules import Constant, Info, Rule
from mappings.statements import Statements
from mappings.unit import EACH, WHEN, Unit

SLOTS = 3  # a gathered service is (body, number, record, the value of each condition…)

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
}


def generate(units: Sequence[Unit]) -> tuple[str, dict[str, Any]]:
    """The source of a module with `unit_<n>`, and `pattern_<n>` for gathered services.

    Beside it the values that the source names, but for `missed_<n>`, `reject_<n>`, `refuse_<n>`,
    `filtered_<n>` and `claim`, which are the caller's.
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
        self.out = self.record
        if unit.each is not None:
            self.out = Statements(namespace, unit.cleaner, unit.list or ("$item",))
        self.rank = {id(rule): rank for rank, rule in enumerate(unit.rules)}
        self.conditions = [condition for group in unit.pattern for condition in group]
        self.counted: list[str] = []  # what is counted once nothing can fail any more

    def source(self) -> str:
        out, index = self.out, self.index
        lists = "ids, groups, bodies, rejects, gathered, numbers"
        out.open(f"def unit_{index}(records, first, {lists}):")
        out.add("at, add_id, add_group, add_body = 0, ids.append, groups.append, bodies.append")
        out.open("for number, record in enumerate(records, first):")
        if self.unit.each is not None:
            self._items(self.unit.each)
        out.open("try:")
        if self.unit.each is not None:
            out.add("fields = item if item.__class__ is dict else NOTHING")
        if self.unit.when is not None:
            out.add(f"at = {WHEN}")
            out.open(f"if not {out.condition(self.unit.when)}:")
            out.add(f"filtered_{index}[0] += 1", "continue")
            out.close()
        identity = self._gathered() if self.unit.gathered else self._entity()
        out.close()
        out.open("except Exception as error:")
        known = self._known(identity) + (", key=key" if self.unit.each is not None else "")
        out.add(f"rejects.append(reject_{index}(at, number, record, error, {known}))")
        if self.unit.gathered:
            out.depth = 0
            self._pattern_function()
        return "\n".join(out.lines)

    def _items(self, each: Rule) -> None:
        """Opens the loop over the items of a record."""
        out, before = self.out, self.record
        before.depth = out.depth
        before.open("try:")
        value = before.value(each)
        if each.default is not None:
            before.add(f"if {value} is None: {value} = {before.literal(each.default)}")
        elif each.required:
            refusal = before.constant("absent", _absent(each))
            before.add(f"if {value} is None: raise Refusal(*{refusal})")
        before.add(f"items = items_of({value})")
        before.close()
        out.add_all(before)
        out.open("except Exception as error:")
        out.add(f"rejects.append(reject_{self.index}({EACH}, number, record, error))", "continue")
        out.close()
        out.open("for key, item in items:")

    def _known(self, identity: str) -> str:
        """The identity where a record is refused, "" when it was not yet good."""
        rules = (self.unit.name, self.unit.component)
        varying = [rule for rule in rules if rule and not isinstance(rule.origin, Constant)]
        last = max((self.rank[id(rule)] for rule in varying), default=None)
        return identity if last is None else f"{identity} if at > {last} else ''"

    def _entity(self) -> str:
        """One entity for each record; gives the expression of its identity."""
        out, more = self.out, {}
        name = identity = self._name(self.unit.name)
        if self.unit.component is not None:
            more["component"] = component = self._name(self.unit.component)
            identity = out.name("i")
            out.add(f"{identity} = {name} + '/' + {component}")
        if self.conditions:
            more["entity_pattern"] = self._pattern([self._hard(c.rule) for c in self.conditions])
        self._body(name, more, identity)
        if "component" in more:
            out.add(f"add_group({more['component']})")
        out.add(f"add_id({identity})", "add_body(body)")
        if self.unit.each is not None or self.unit.when is not None:
            out.add("numbers.append(number)")
        return identity

    def _gathered(self) -> str:
        """One entity for all records of one name, its body from the first; the lists grow.

        Gives the expression of its identity.
        """
        out = self.out
        name = self._hard(self.unit.name)
        values = [self._hard(condition.rule) for condition in self.conditions]
        grow = [condition.rule.cast == "words" for condition in self.conditions]
        out.add(f"found = gathered.get({name})")
        out.open("if found is None:")
        self._check_name(name, self.unit.name)
        self._body(name, {}, name)
        starts = ["set()" if grows else value for value, grows in zip(values, grow, strict=True)]
        out.add(f"found = gathered[{name}] = (body, number, record, {', '.join(starts)})")
        out.close()
        slots = [f"found[{SLOTS + rank}]" for rank in range(len(values))]
        for condition, slot, value, grows in zip(self.conditions, slots, values, grow, strict=True):
            if not grows:
                out.add(f"at = {self.rank[id(condition.rule)]}")
                out.add(f"if {slot} != {value}: raise Refusal(*DIFFERS)")
        for slot, value, grows in zip(slots, values, grow, strict=True):
            if grows:
                out.add(f"{slot}.update({value})")
        return name

    def _name(self, rule: Rule) -> str:
        """The value of a name, which Canopsis can hold."""
        name = self._hard(rule)
        self._check_name(name, rule)
        return name

    def _check_name(self, name: str, rule: Rule) -> None:
        """Refuses the name in variable *name* when Canopsis could not hold it."""
        if isinstance(rule.origin, Constant):
            return
        self.out.add(f"at = {self.rank[id(rule)]}")
        # printable text is blank only when it is empty or begins with a space
        plain = f"'!' <= {name} and {name}.isprintable() and len({name}) < 256"
        if rule.cast == "service_name":
            self.out.add(f"check_service_name({name})")
        elif rule.cast == "resource_name":
            plain += f" and '/' not in {name} and {name} not in INTERNAL"
            self.out.add(f"if not ({plain}): check_resource({name})")
        else:
            self.out.add(f"if not ({plain} and '/' not in {name}): check_component({name})")

    def _check_identity(self, name: str, more: dict[str, str], identity: str) -> None:
        """Refuses an id that no event could carry, or that another kind of entity has."""
        out, claims, component = self.out, self.unit.claims, more.get("component")
        if component is None and claims == "none":
            return
        out.add(f"at = {len(self.unit.rules)}")
        if component is not None:
            out.add(f"if len({identity}) > 255: check_room({name}, {component})")
        if claims == "none":
            return
        owner = component or repr(f"\0{self.unit.kind}")
        if claims == "slashes":
            out.open(f"if {identity}.count('/') > 1:")
        out.add(f"owner = claim({identity}, {owner})")
        out.add(f"if owner != {owner}: raise taken({identity}, owner)")
        if claims == "slashes":
            out.close()

    def _hard(self, rule: Rule) -> str:
        """The value of a rule that may refuse the record; its default is already in."""
        out, rank = self.out, self.rank[id(rule)]
        if isinstance(rule.origin, Constant):
            return out.literal(rule.origin.value)
        out.add(f"at = {rank}  # {rule.name!r}")
        value = out.value(rule)
        if rule.default is not None:
            given, value = value, out.name("v")
            out.add(f"{value} = {out.literal(rule.default)} if {given} is None else {given}")
            self.counted.append(f"if {given} is None: missed_{self.index}[{rank}] += 1")
        elif rule.required:
            out.add(f"if {value} is None: raise Refusal(*{out.constant('absent', _absent(rule))})")
        return value

    def _soft(self, rule: Rule) -> str:
        """The value of a rule that cannot refuse the record: what it raises leaves it out."""
        out, rank = self.out, self.rank[id(rule)]
        out.add(f"# {rule.name!r}")
        out.look_ups(rule)  # outside of the block, for the rules to come share them
        out.open("try:")
        value = out.value(rule)
        out.close()
        out.add(f"except Exception as error: {value} = refuse_{self.index}({rank}, number, error)")
        if rule.default is not None:
            out.open(f"if {value} is None:")
            out.add(f"{value} = {out.literal(rule.default)}", f"missed_{self.index}[{rank}] += 1")
            out.close()
        return value

    def _body(self, name: str, more: dict[str, str], identity: str) -> None:
        """The import item of an entity, in the variable `body`."""
        unit, out = self.unit, self.out
        texts = {"category": unit.category, "output_template": unit.output_template}
        given = {key: (rule, self._hard(rule)) for key, rule in texts.items() if rule is not None}
        level = self._hard(unit.impact_level) if unit.impact_level is not None else "1"
        infos = {info.key: self._hard(info.rule) for info in unit.infos if info.rule.hard}
        self._check_identity(name, more, identity)
        out.add(*self.counted)
        self._infos(infos)
        sure = {key: value for key, (rule, value) in given.items() if _sure(rule)}
        items = {"action": "'set'", "enabled": "True", "impact_level": level, "infos": "infos"}
        items |= {"name": name, "type": repr(unit.kind), **more, **sure}
        out.add(f"body = {_dict(items)}")
        for key, (rule, value) in given.items():
            if key not in sure:
                self._optional(f"body[{key!r}] = {value}", value, rule)

    def _infos(self, hard: dict[str, str]) -> None:
        """The entity's infos, in the variable `infos`."""
        out, unit = self.out, self.unit
        constants = {
            info.key: out.constant("info", _info(info, info.rule.origin.value))
            for info in unit.infos
            if isinstance(info.rule.origin, Constant)
        }
        out.add(f"infos = {_dict(constants)}")
        for info in unit.infos:
            if info.key not in constants:
                value = hard.get(info.key) or self._soft(info.rule)
                item = {key: repr(text) for key, text in _info(info, "").items()}
                item["value"] = value
                self._optional(f"infos[{info.key!r}] = {_dict(item)}", value, info.rule)

    def _optional(self, statement: str, value: str, rule: Rule) -> None:
        """A statement for a value that may be absent."""
        if _sure(rule):
            self.out.add(statement)
            return
        rank = self.rank[id(rule)]
        self.out.add(f"if {value} is None: missed_{self.index}[{rank}] += 1", f"else: {statement}")

    def _pattern(self, values: list[str]) -> str:
        """The expression of the service's pattern, given the variables of its conditions."""
        remaining = iter(values)
        groups = []
        for group in self.unit.pattern:
            items = []
            for condition in group:
                cond = _dict({"type": repr(condition.cond), "value": next(remaining)})
                typed = {"field_type": repr(condition.field_type)} if condition.field_type else {}
                items.append(_dict({"cond": cond, "field": repr(condition.field), **typed}))
            groups.append(f"[{', '.join(items)}]")
        return f"[{', '.join(groups)}]"

    def _pattern_function(self) -> None:
        """What makes the pattern of a gathered service, once all its records were seen."""
        values = [f"v{rank}" for rank in range(len(self.conditions))]
        self.out.add("", f"def pattern_{self.index}({', '.join(values)}):")
        self.out.add(f"    return {self._pattern(values)}")


def _sure(rule: Rule) -> bool:
    """Whether the rule always gives a value, once it has not refused the record."""
    return rule.required or rule.default is not None or isinstance(rule.origin, Constant)


def _info(info: Info, value: Any) -> dict[str, Any]:
    described = {"description": info.description} if info.description else {}
    return {**described, "name": info.key, "value": value}


def _dict(items: dict[str, str]) -> str:
    """The source of a dict, its keys in the order of the canonical bytes."""
    return f"{{{', '.join(f'{key!r}: {items[key]}' for key in sorted(items))}}}"


def _absent(rule: Rule) -> tuple[str, str]:
    sources = " or ".join(path_text(path) for path in rule.origin.paths) or "its template"
    what, why = (
        f"{rule.name} has no value: {sources} is missing, null or without a match",
        "missing",
    )
    if rule.cast == "words":
        what, why = f"{rule.name} gathered nothing: {sources} has no value", "gathered nothing"
    return why, f"{what}; mend the record, or give the rule a default"
