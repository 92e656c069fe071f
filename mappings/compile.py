"""From the model of a `mapping:` block to a `Mapper`: all fallible thinking, all faults at once."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from mappings.cleaner import Cleaner
from mappings.cleanup_rule import CleanupRule
from mappings.errors import MappingErrors, Place
from mappings.filters import filter_of
from mappings.language import EntityBlock, EntityRule, ExpectRule, MappingBlock
from mappings.mapper import Mapper
from mappings.paths import Path, covered, path_of, path_text
from mappings.reading_order import reading_order
from mappings.table_rule import ReadFile
from mappings.tables import Tables, check_dataset
from mappings.unit import Claims, Unit
from mappings.units import Setting, unit_of
from mappings.values import Values
from mappings.vocabulary import suggestion
from referential.entity import Kind


def compile_mapping(
    block: MappingBlock,
    *,
    datasets: Collection[str] | None = None,
    read_file: ReadFile | None = None,
) -> Mapper:
    """The mapper of a block.

    `datasets` are the names that the job's source declares (None: not checked); `read_file` reads
    the files of lookups (None: there are none). Raises MappingErrors with every problem; their
    paths start with "mapping".
    """
    place = Place(("mapping",))
    _check_followed(block, place)
    cleaners = {
        name: _cleaner(rule, place / "cleanup" / name) for name, rule in block.cleanup.items()
    }
    tables = Tables(block.lookups, place / "lookups", read_file, datasets, cleaners)
    units: list[Unit] = []
    for rank, entities in enumerate(block.entities):
        at = place / "entities" / rank
        if datasets is not None:
            check_dataset(entities.dataset, datasets, at / "dataset")
        units += _units(entities, tables, _claims(block), at)
    named = [entities.dataset for entities in block.entities]
    order = reading_order(named, tables.joined)
    for name in block.cleanup:
        _check_read(name, order, place / "cleanup" / name)
    _check_twins(block, place / "entities")
    fields = None if place.problems else _fields(units)
    for name, expect in block.expect.items():
        if _check_read(name, order, place / "expect" / name):
            known = None if fields is None else fields.get(name, frozenset())
            _check_expectation(expect, _infos(block, name), known, place / "expect" / name)
    if place.problems:
        raise MappingErrors(place.problems)
    return Mapper(units, tables.lookups, block.expect, datasets=order, cleaners=cleaners)


def _check_followed(block: MappingBlock, place: Place) -> None:
    """Tells of words that `mappings.fragments` should have followed before."""
    spots: list[tuple[Place, object]] = [
        (place / "include", block.include),
        (place / "variables", block.variables),
    ]
    for rank, entities in enumerate(block.entities):
        at = place / "entities" / rank
        spots.append((at / "include", entities.include))
        spots += [(at / kind / "include", rule.include) for kind, rule in _rules(entities)]
    for at, written in spots:
        if written:
            at.tell(f"{at.path[-1]} is known in a job file alone", "write it out", on_key=True)


def _units(block: EntityBlock, tables: Tables, claims: Claims, place: Place) -> list[Unit]:
    """Component, then resource, then service: Canopsis needs components first."""
    items = block.each is not None
    before = len(place.problems)
    values = Values(block.dataset, tables)
    each = None
    if block.each is not None:
        each = values.compile(block.each, "each", "items", place / "each")
        if block.each.kind == "set":
            (place / "each").tell("a constant has no items of the record", "name the list")
    when = filter_of(block.when, place / "when", items=items) if block.when else None
    ignored = _paths(block.ignore, place / "ignore", items=items)
    setting = Setting(
        dataset=block.dataset,
        values=replace(values, items=items),
        each=each,
        when=when,
        ignored=tuple(ignored.values()),
        cleaner=tables.cleaners.get(block.dataset, Cleaner()),
        claims=claims,
    )
    sound = len(place.problems) == before
    made = [unit_of(kind, rule, setting, place / kind) for kind, rule in _rules(block)]
    units = [unit for unit in made if unit is not None and sound]
    mapped = {path for unit in units for path in unit.paths}
    for rank, path in ignored.items():
        if covered(path, mapped):
            what = f"{block.ignore[rank]!r} is ignored and mapped"
            (place / "ignore" / rank).tell(what, "remove it from ignore")
    return units


def _rules(block: EntityBlock) -> list[tuple[Kind, EntityRule]]:
    rules: list[tuple[Kind, EntityRule | None]] = [
        ("component", block.component),
        ("resource", block.resource),
        ("service", block.service),
    ]
    return [(kind, rule) for kind, rule in rules if rule is not None]


def _paths(texts: Sequence[str], place: Place, *, items: bool = False) -> dict[int, Path]:
    """The good paths of a list by their rank in it."""
    read = {rank: path_of(text, place / rank, items=items) for rank, text in enumerate(texts)}
    return {rank: path for rank, path in read.items() if path is not None}


def _claims(block: MappingBlock) -> Claims:
    """Resources of one kind of job alone may still share an id: `a/b` of `c`, `a` of `b/c`."""
    kinds = {kind for entities in block.entities for kind, _ in _rules(entities)}
    if len(kinds) > 1:
        return "all"
    return "slashes" if kinds == {"resource"} else "none"


def _cleaner(rule: CleanupRule, place: Place) -> Cleaner:
    def fields(word: str) -> tuple[Path, ...] | None:
        written = getattr(rule, word)
        if isinstance(written, bool):
            return None if written else ()
        return tuple(_paths(written, place / word).values())

    tokens = []
    for text, words in rule.null_values.items():
        path = path_of(text, place / "null_values" / text) if text else None
        tokens.append((path, frozenset(words)))
    return Cleaner(fields("blank"), fields("untranslated"), fields("zero"), tuple(tokens))


def _check_read(name: str, names: Collection[str], place: Place) -> bool:
    """Whether a dataset is one that the mapping reads; *place* is told when it is not."""
    if name not in names:
        mend = suggestion(name, names, "mapped datasets")
        place.tell(f"unknown dataset {name!r}", mend, on_key=True)
    return name in names


def _check_twins(block: MappingBlock, place: Place) -> None:
    """Two rules that make the same entities: the second would undo the infos of the first.

    Filters of both may keep them apart.
    """
    seen: list[tuple[object, ...]] = []
    filters: list[object] = []
    for rank, entities in enumerate(block.entities):
        for kind, rule in _rules(entities):
            component = getattr(rule, "component", None)
            mine = (entities.dataset, entities.each, kind, rule.name, component)
            for other, when in zip(seen, filters, strict=True):
                apart = None not in (when, entities.when) and when != entities.when
                if other == mine and not apart:
                    what = f"a second {kind} of dataset {entities.dataset!r}"
                    mend = "put the infos of both into one"
                    (place / rank / kind).tell(f"{what} with the same name rule", mend)
                    break
            seen.append(mine)
            filters.append(entities.when)


def _infos(block: MappingBlock, dataset: str) -> frozenset[str]:
    """The infos that a dataset gives, at fault or not."""
    mine = (entities for entities in block.entities if entities.dataset == dataset)
    return frozenset(key for each in mine for _, rule in _rules(each) for key in rule.infos)


def _fields(units: Sequence[Unit]) -> dict[str, frozenset[str]]:
    """The fields that rules read, by dataset."""
    fields: dict[str, frozenset[str]] = {}
    for unit in units:
        read = frozenset(map(path_text, unit.reads))
        fields[unit.dataset] = fields.get(unit.dataset, frozenset()) | read
    return fields


def _check_expectation(
    expect: ExpectRule, infos: frozenset[str], fields: frozenset[str] | None, place: Place
) -> None:
    """`fields` None: not known, for some rule is at fault."""
    for key in expect.filled:
        if key not in infos:
            mend = suggestion(key, infos, "infos")
            (place / "filled" / key).tell(f"no info {key!r}", mend, on_key=True)
    spots: dict[str, Place] = {
        **{key: place / "unique" / rank for rank, key in enumerate(expect.unique)},
        **{key: place / "allowed" / key for key in expect.allowed},
    }
    for key, at in spots.items():
        if fields is not None and key not in infos | fields:
            mend = suggestion(key, infos | fields, "infos and fields")
            at.tell(f"no info and no field {key!r}", mend, on_key=True)
    if expect.min is not None and expect.max is not None and expect.min > expect.max:
        (place / "min").tell(f"min {expect.min} is more than max {expect.max}", "lower it")
