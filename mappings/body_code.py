"""The rules of a unit as statements: names that are checked, values, the body of a service.

What they count goes to `missed_<n>` and `refuse_<n>`, where `<n>` is called `tally` here.
"""

from dataclasses import dataclass
from typing import Any

from mappings.paths import path_text
from mappings.rules import Constant, Info, Rule
from mappings.statements import Statements
from mappings.unit import Unit


@dataclass(frozen=True, slots=True)
class Heads:
    """Expressions of what stands beside the infos: texts with their rules, the impact level.

    `infos` are those whose rules may refuse the record, by their keys.
    """

    texts: dict[str, tuple[Rule, str]]
    level: str
    infos: dict[str, str]


class BodyCode:
    """Adds the statements of one unit to `out`.

    `counted` is what is counted once nothing can fail any more: variables and the ranks of the
    rules that gave them, where a default may stand in for what is absent.
    """

    def __init__(self, unit: Unit, out: Statements, tally: str) -> None:
        self.unit = unit
        self.out = out
        self.tally = tally
        self.rank = {id(rule): rank for rank, rule in enumerate(unit.rules)}
        self.counted: list[tuple[str, int]] = []

    def hard(self, rule: Rule) -> str:
        """The value of a rule that may refuse the record; its default is already in."""
        out, rank = self.out, self.rank[id(rule)]
        if isinstance(rule.origin, Constant):
            return out.literal(rule.origin.value)
        out.add(f"at = {rank}  # {rule.name!r}")
        value = out.value(rule)
        if rule.default is not None:
            given, value = value, out.name("v")
            out.add(f"{value} = {out.literal(rule.default)} if {given} is None else {given}")
            self.counted.append((given, rank))
        elif rule.required:
            out.add(f"if {value} is None: raise Refusal(*{out.constant('absent', absent(rule))})")
        return value

    def soft(self, rule: Rule) -> str:
        """The value of a rule that cannot refuse the record: what it raises leaves it out.

        Its default is not yet in.
        """
        out, rank = self.out, self.rank[id(rule)]
        out.add(f"# {rule.name!r}")
        out.look_ups(rule)  # outside of the block, for the rules to come share them
        out.open("try:")
        value = out.value(rule)
        out.close()
        out.add(f"except Exception as error: {value} = refuse_{self.tally}({rank}, number, error)")
        return value

    def known(self, identity: str) -> str:
        """The identity where a record is refused, "" when it was not yet good."""
        rules = (self.unit.name, self.unit.component)
        varying = [rule for rule in rules if rule and not isinstance(rule.origin, Constant)]
        last = max((self.rank[id(rule)] for rule in varying), default=None)
        return identity if last is None else f"{identity} if at > {last} else ''"

    def check_name(self, name: str, rule: Rule) -> None:
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

    def body(self, name: str, more: dict[str, str], identity: str) -> None:
        """The import item of an entity, in the variable `body`."""
        unit, out = self.unit, self.out
        heads = self.heads(more, name, identity)
        self._infos(heads.infos)
        sure = {key: value for key, (rule, value) in heads.texts.items() if is_sure(rule)}
        items = {"action": "'set'", "enabled": "True", "impact_level": heads.level}
        items |= {"infos": "infos", "name": name, "type": repr(unit.kind), **more, **sure}
        out.add(f"body = {dict_of(items)}")
        for key, (rule, value) in heads.texts.items():
            if key not in sure:
                self._optional(f"body[{key!r}] = {value}", value, rule)

    def heads(self, more: dict[str, str], name: str, identity: str) -> Heads:
        """The rules that may refuse the record, then the check of its identity.

        Whatever comes after it is counted of an entity.
        """
        unit, out = self.unit, self.out
        rules = {"category": unit.category, "output_template": unit.output_template}
        texts = {key: (rule, self.hard(rule)) for key, rule in rules.items() if rule is not None}
        level = self.hard(unit.impact_level) if unit.impact_level is not None else "1"
        infos = {info.key: self.hard(info.rule) for info in unit.infos if info.rule.hard}
        self._check_identity(name, more, identity)
        out.add(*(f"if {given} is None: {self.missed(rank)}" for given, rank in self.counted))
        return Heads(texts, level, infos)

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

    def _infos(self, hard: dict[str, str]) -> None:
        """The entity's infos, in the variable `infos`."""
        out, unit = self.out, self.unit
        constants = {
            info.key: out.constant("info", info_of(info, info.rule.origin.value))
            for info in unit.infos
            if isinstance(info.rule.origin, Constant)
        }
        out.add(f"infos = {dict_of(constants)}")
        for info in unit.infos:
            if info.key not in constants:
                value = hard.get(info.key) or self._defaulted(info.rule)
                item = {key: repr(text) for key, text in info_of(info, "").items()}
                item["value"] = value
                self._optional(f"infos[{info.key!r}] = {dict_of(item)}", value, info.rule)

    def _defaulted(self, rule: Rule) -> str:
        out, value = self.out, self.soft(rule)
        if rule.default is not None:
            out.open(f"if {value} is None:")
            out.add(f"{value} = {out.literal(rule.default)}", self.missed(self.rank[id(rule)]))
            out.close()
        return value

    def _optional(self, statement: str, value: str, rule: Rule) -> None:
        """A statement for a value that may be absent."""
        if is_sure(rule):
            self.out.add(statement)
            return
        missed = self.missed(self.rank[id(rule)])
        self.out.add(f"if {value} is None: {missed}", f"else: {statement}")

    def missed(self, rank: int) -> str:
        return f"missed_{self.tally}[{rank}] += 1"


def is_sure(rule: Rule) -> bool:
    """Whether the rule always gives a value, once it has not refused the record."""
    return rule.required or rule.default is not None or isinstance(rule.origin, Constant)


def info_of(info: Info, value: Any) -> dict[str, Any]:
    described = {"description": info.description} if info.description else {}
    return {**described, "name": info.key, "value": value}


def dict_of(items: dict[str, str]) -> str:
    """The source of a dict, its keys in the order of the canonical bytes."""
    return f"{{{', '.join(f'{key!r}: {items[key]}' for key in sorted(items))}}}"


def absent(rule: Rule) -> tuple[str, str]:
    """Why a record is refused that has no value for a rule, in short and in a sentence."""
    sources = " or ".join(path_text(path) for path in rule.origin.paths) or "its template"
    what, why = (
        f"{rule.name} has no value: {sources} is missing, null or without a match",
        "missing",
    )
    if rule.cast == "words":
        what, why = f"{rule.name} gathered nothing: {sources} has no value", "gathered nothing"
    return why, f"{what}; mend the record, or give the rule a default"
