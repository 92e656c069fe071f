"""What a mapping makes less of anonymous records than of real ones, and which fields to keep."""

from collections import Counter
from collections.abc import Collection, Iterator

from mappings.links import Orphan
from mappings.lookups import Unknown
from mappings.mapper import Mapper
from mappings.paths import Path, path_text
from mappings.tally import Refused, Tally
from mappings.unit import Unit

Rule = tuple[str, str]  # dataset, rule


def losses(real: Mapper, anonymous: Mapper, changed: Collection[Rule]) -> Iterator[str]:
    """A line for each rule; *changed* are the fields (dataset, path) of which values were changed.

    Both mappers have mapped the same records, one as they are, the other as they are kept.
    """
    before, after = real.report(), anonymous.report()
    fields = _fields(real)
    found = _troubles(after)
    found.subtract(_troubles(before))
    for name in after.datasets:
        found[name, "when"] = abs(after.datasets[name].filtered - before.datasets[name].filtered)
    told = False
    for (dataset, rule), count in found.items():
        if count > 0:
            told = True
            named = fields.get((dataset, rule), ())
            mine = [field for field in named if (dataset, field) in changed] or list(named)
            yield _line(dataset, rule, count, mine)
    entities = [sum(each.entities for each in tally.datasets.values()) for tally in (before, after)]
    if entities[0] != entities[1] and not told:
        yield f"{entities[1]} entities instead of {entities[0]}: names are no longer what they were"


def _line(dataset: str, rule: str, count: int, fields: list[str]) -> str:
    what = f"{dataset}: {rule} does otherwise with {count} values than with the real ones"
    if not fields:
        return what
    return f"{what}; if they may be kept, say keep under record.anonymize for {', '.join(fields)}"


def _troubles(tally: Tally) -> Counter[Rule]:
    """How often each rule refused, did not know, left out or gave nothing."""
    found: Counter[Rule] = Counter()
    for name, dataset in tally.datasets.items():
        for reason, count in dataset.reasons.items():
            found[name, reason.partition(": ")[0]] += count
        odd: tuple[Unknown | Refused | Orphan, ...]
        odd = (*dataset.unknown, *dataset.refused, *dataset.orphans)
        for each in odd:
            found[name, each.rule] += each.count
        for rule in dataset.silent:
            found[name, rule] += 1
    return found


def _fields(mapper: Mapper) -> dict[Rule, list[str]]:
    """The fields that each rule reads, those of items by their path in the record."""
    fields: dict[Rule, list[str]] = {}
    for unit in mapper.units:
        each = [] if unit.each is None else [unit.each]
        read = [(rule.name, rule.origin.paths) for rule in (*each, *unit.rules)]
        if unit.when is not None:
            read.append(("when", tuple(unit.when.paths)))
        for rule, paths in read:
            found = fields.setdefault((unit.dataset, rule), [])
            names = _in_record(unit, paths) if rule != "each" else map(path_text, paths)
            found += [name for name in names if name not in found]
    return fields


def _in_record(unit: Unit, paths: tuple[Path, ...]) -> Iterator[str]:
    yield from map(path_text, unit.of_record(paths))
    around = unit.list
    if around is not None:
        yield from (path_text((*around, *path)) for path in unit.of_item(paths))
    elif unit.each is not None and unit.of_item(paths):
        yield from map(path_text, unit.each.origin.paths)
