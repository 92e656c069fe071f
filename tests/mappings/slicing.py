"""A dataset mapped by one mapper, and by several of which each sees a slice: both as bytes."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

import orjson

from mappings.mapper import Mapper
from mappings.rejects import Reject
from mappings.running import Mapped
from referential.entity import EntityPage

Pages = list[list[Any]]  # of records
Slices = list[Pages]
Make = Callable[[], Mapper]
Started = tuple[Make, bytes, Pages]  # what makes the mapper of a slice, what it knows, its pages
_REJECT = [column.name for column in fields(Reject) if column.name != "record"]


@dataclass(slots=True)
class Outcome:
    """All that a mapping leaves: columns of entities, rejects, and the report as JSON."""

    entities: dict[str, list[Any]] = field(
        default_factory=lambda: {column.name: [] for column in fields(EntityPage)}
    )
    rejects: list[Reject] = field(default_factory=list)
    report: bytes = b""
    again: int = 0  # slices that were mapped twice
    dropped: int = 0  # rejects of slices that were none

    def take(self, mapped: Mapped) -> None:
        for name, column in self.entities.items():
            column.extend(getattr(mapped.entities, name))
        self.rejects += mapped.rejects

    def shown(self) -> tuple[dict[str, list[Any]], list[tuple[Any, ...]], bytes]:
        """What must be equal; records by their text, for NaN is not equal to itself."""
        told = [
            (*(getattr(each, name) for name in _REJECT), repr(each.record)) for each in self.rejects
        ]
        return self.entities, told, self.report


def whole(make: Make, datasets: dict[str, Slices]) -> Outcome:
    """One mapper, given the pages of all slices in their order."""
    mapper, outcome = make(), Outcome()
    for name in mapper.datasets:
        first = 1
        for page in (page for pages in datasets.get(name, []) for page in pages):
            outcome.take(mapper.map_page(name, page, first))
            first += len(page)
        outcome.take(mapper.finish(name))
    outcome.report = report_of(mapper)
    return outcome


def sliced(make: Make, datasets: dict[str, Slices], *, late: bool = True) -> Outcome:
    """A mapper for each slice, all started with what is known before the dataset is read.

    `late`: the tables are taken when the dataset begins, with what earlier datasets left; otherwise
    as soon as they are sealed, so that slices know less of each other.
    """
    mapper, outcome = make(), Outcome()
    tables = mapper.tables()
    for name in mapper.datasets:
        slices = datasets.get(name, [])
        if mapper.whole(name):
            first = 1
            for page in (page for pages in slices for page in pages):
                outcome.take(mapper.map_page(name, page, first))
                first += len(page)
        else:
            known = mapper.tables() if late or mapper.needs(name) else tables
            before = 0
            for pages in slices:
                put_behind(outcome, mapper, name, (make, known, pages), before)
                before += sum(map(len, pages))
        outcome.take(mapper.finish(name))
    outcome.report = report_of(mapper)
    return outcome


def put_behind(outcome: Outcome, mapper: Mapper, name: str, made: Started, before: int) -> None:
    """Maps one slice, once more if need be, and puts it behind the earlier ones."""
    make, known, pages = made
    part, learned = one_slice(make(), known, name, pages)
    absorbed = mapper.absorb(learned, before)
    if absorbed.again:
        outcome.again += 1
        part, learned = one_slice(make(), mapper.tables(), name, pages)
        absorbed = mapper.absorb(learned, before)
    assert absorbed.again == ""
    dropped = set(absorbed.dropped)
    outcome.dropped += len(dropped)
    assert dropped <= set(range(len(part.rejects)))
    kept = [each for rank, each in enumerate(part.rejects) if rank not in dropped]
    part.rejects = [replace(each, number=each.number + before) for each in kept]
    for column, values in part.entities.items():
        outcome.entities[column] += values
    outcome.rejects += part.rejects


def one_slice(mapper: Mapper, tables: bytes, name: str, pages: Pages) -> tuple[Outcome, bytes]:
    mapper.take_tables(tables)
    outcome, first = Outcome(), 1
    for page in pages:
        outcome.take(mapper.map_page(name, page, first))
        first += len(page)
    return outcome, mapper.learned()


def report_of(mapper: Mapper) -> bytes:
    return orjson.dumps(_writable(asdict(mapper.report())), option=orjson.OPT_INDENT_2)


def cut(records: Sequence[Any], at: Sequence[int]) -> Slices:
    """The records in contiguous slices of one page each; places are taken modulo their number."""
    ends = sorted(place % (len(records) + 1) for place in at)
    bounds = list(zip([0, *ends], [*ends, len(records)], strict=True))
    return [[list(records[first:last])] for first, last in bounds]


def _writable(value: Any) -> Any:
    """The value, texts with half a surrogate pair escaped."""
    if isinstance(value, dict):
        return {_writable(key): _writable(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_writable(each) for each in value]
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value
