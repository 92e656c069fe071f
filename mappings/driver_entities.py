"""The `mapping:` of a driver file: where the rows lie, and what entities they become."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from mappings.driver import Condition, EntityRule, Info, Value
from mappings.driver_rules import CASTS
from mappings.driver_sheet import Entry, Sheet
from mappings.driver_values import Values
from mappings.goyaml import Mapping, Node, Scalar
from mappings.goyaml import Sequence as SequenceNode
from mappings.pattern import INFOS, PatternFault, value_kind
from mappings.rejects import Refusal
from referential.entity import Kind

KINDS: tuple[Kind, ...] = ("component", "resource", "service")

_PLACE = ("path", "is_map", "numbers")
_LEGACY = (*_PLACE, "_id", "description", "impact_level", "infos")
_CURRENT = (*_PLACE, *KINDS, "infos")
_ENTITY = (
    "name",
    "description",
    "category",
    "upstream",
    "impact_level",
    "enabled",
    "tags",
    "infos",
)
_TEXTS = ("description", "category", "upstream", "output_template")
_OWN: dict[Kind, tuple[str, ...]] = {
    "component": (),
    "resource": ("component",),
    "service": ("pattern", "output_template"),
}
_INFO = ("value", "description")
_CONDITION = ("field", "field_type", "cond", "value")


class Entities:
    """Reads the `mapping:` block. `needs_pattern`: the import needs it to set a service."""

    def __init__(
        self, sheet: Sheet, zone: str | None, variables: Collection[str], *, needs_pattern: bool
    ) -> None:
        self.sheet = sheet
        self.values = Values(sheet, zone=zone, variables=variables)
        self.needs_pattern = needs_pattern

    def read(self, at: Entry) -> tuple[dict[str, Entry], list[EntityRule]]:
        """Where the rows lie, and what they become."""
        every = {key.text for key, _ in at.node.entries} if isinstance(at.node, Mapping) else set()
        legacy = "_id" in every or (not every & set(KINDS) and _has_bare_leaf(at.node))
        place = self.sheet.entries(at, _LEGACY if legacy else _CURRENT)
        if legacy and (both := sorted(every & set(KINDS))):
            what = f"_id is of the legacy dialect, {both[0]} of the current one"
            self.sheet.fault(at.key, what, "describe the entity in one of them")
        numbers = self.sheet.word_at(place.get("numbers"), ("plain", "go"))
        self.values = replace(self.values, legacy=legacy, plain_numbers=numbers == "plain")
        if legacy:
            named = {"name": place["_id"], **place} if "_id" in place else place
            rule = self._entity("component", at, named, "_id", [])
            return place, [] if rule is None else [rule]
        shared = self._infos(place.get("infos"))
        rules = []
        for kind in KINDS:
            section = place.get(kind)
            if section is None or section.empty:
                continue
            given = self.sheet.entries(section, (*_ENTITY, *_OWN[kind]))
            rules.append(self._entity(kind, section, given, "name", shared))
        if not rules:
            what = "nothing to map to: no component, resource or service"
            self.sheet.fault(at.key, what, "add one of them under `mapping:`")
        return place, [rule for rule in rules if rule is not None]

    def _entity(
        self,
        kind: Kind,
        at: Entry,
        given: dict[str, Entry],
        naming: str,
        shared: list[Info],
    ) -> EntityRule | None:
        before = len(self.sheet.faults)
        name = self._needed(at, given.get("name"), naming)
        component = None
        if kind == "resource":
            component = self._needed(at, given.get("component"), "component")
        texts = [(key, self.values.read(given.get(key))) for key in _TEXTS]
        tags = [
            (key, self.values.read(entry))
            for key, entry in self.sheet.under(given.get("tags")).items()
        ]
        own = self._infos(given.get("infos"))
        keys = {info.key for info in own}
        pattern = self._pattern(at, given.get("pattern")) if kind == "service" else ()
        level, enabled = (self.values.read(given.get(key)) for key in ("impact_level", "enabled"))
        if name is None or len(self.sheet.faults) > before:
            return None
        return EntityRule(
            kind=kind,
            name=name,
            component=component,
            texts=tuple((key, value) for key, value in texts if value is not None),
            impact_level=level,
            enabled=enabled,
            tags=tuple((key, value) for key, value in tags if value is not None),
            infos=(*(info for info in shared if info.key not in keys), *own),
            pattern=pattern,
        )

    def _needed(self, at: Entry, entry: Entry | None, word: str) -> Value | None:
        if entry is None or entry.empty:
            self.sheet.missing(at, word)
            return None
        value = self.values.read(entry)
        if value is not None and value.type == "set" and not value.constant:
            what = f"{word} is empty, and nothing can be called so"
            self.sheet.fault(entry.node, what, "write a text, or copy a field")
        return value

    def _infos(self, at: Entry | None) -> list[Info]:
        infos = []
        for key, entry in self.sheet.under(at).items():
            given = self.sheet.entries(entry, _INFO)
            if "value" not in given or given["value"].empty:
                if isinstance(entry.node, Mapping) or entry.empty:
                    self.sheet.missing(entry, "value")
                continue
            value = self.values.read(given["value"])
            description = self.sheet.text_at(given.get("description")) or ""
            if value is not None:
                infos.append(Info(key, description, value))
        return infos

    # --- the pattern of a service

    def _pattern(self, at: Entry, entry: Entry | None) -> tuple[tuple[Condition, ...], ...]:
        """Groups of which one must hold; a list holds groups, or the conditions of one group."""
        if entry is None or entry.empty:
            if self.needs_pattern:
                self.sheet.missing(at, "pattern")
            return ()
        node = entry.node
        groups: list[Sequence[Node]] = [[node]]
        if isinstance(node, SequenceNode):
            nested = any(isinstance(item, SequenceNode) for item in node.items)
            groups = [node.items]
            if nested:
                groups = [i.items if isinstance(i, SequenceNode) else [i] for i in node.items]
            if not node.items or not all(groups):
                what = "a group without conditions: Canopsis would skip the service without a word"
                self.sheet.fault(node, what, "write a condition, or remove the group")
        key = entry.key
        read = [
            [self._condition(Entry(key, item, item=item is not node)) for item in group]
            for group in groups
        ]
        return tuple(tuple(each for each in group if each is not None) for group in read)

    def _condition(self, at: Entry) -> Condition | None:
        given = self.sheet.entries(at, _CONDITION)
        texts = {word: self.sheet.text_at(given.get(word)) or "" for word in _CONDITION[:3]}
        field, field_type, cond = texts.values()
        for word in ("field", "cond"):
            if isinstance(at.node, Mapping) and not texts[word]:
                self.sheet.missing(at, word)
        value = self._needed(at, given.get("value"), "value") if given else None
        if not field or not cond:
            return None
        if field_type and not field.startswith(INFOS):
            what = f"field_type says nothing of {field}, which has a type of its own"
            self.sheet.remark(given["field_type"].key, what)
            field_type = ""
        try:
            takes = value_kind(field, field_type, cond)
        except PatternFault as fault:
            at_fault = given.get(fault.key)
            self.sheet.fault(at_fault.node if at_fault else at.node, str(fault), fault.mend)
            return None
        if value is None:
            return None
        if value.type == "set":
            constant = value.constant if isinstance(value.constant, str) else list(value.constant)
            try:
                CASTS[takes](constant)
            except Refusal as refusal:
                mend = f"write one that {field} may have"
                self.sheet.fault(given["value"].node, refusal.reason, mend)
        return Condition(field, field_type, cond, takes, value)


def _has_bare_leaf(node: Node) -> bool:
    """Whether an entity is described by paths alone, as the legacy dialect does."""
    if not isinstance(node, Mapping):
        return False
    infos = node.get("infos")
    leaves = [node.get("description"), node.get("impact_level")]
    if isinstance(infos, Mapping):
        leaves += [info.get("value") for _, info in infos.entries if isinstance(info, Mapping)]
    return any(isinstance(leaf, Scalar) and leaf.kind != "null" for leaf in leaves)
