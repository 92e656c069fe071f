"""Records picked by their key from all that are read, where a system cannot be asked for them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar

from sources.base import Complete, Extraction, Page, Record
from sources.errors import Refused

Key = Callable[[Record], Any]
T = TypeVar("T")

CHUNK: Final = 500  # ids of one question, where nothing else bounds it


class Picked:
    """The ids that are wanted, and those of them that were met."""

    def __init__(self, ids: Iterable[str]) -> None:
        self.wanted = frozenset(ids)
        self.met: set[str] = set()

    def kept(self, records: list[Record], key: Key) -> list[Record]:
        """Those whose key, as text, is wanted; an id that comes twice is kept twice."""
        found = [str(key(record)) for record in records]
        self.met.update(self.wanted.intersection(found))
        return [row for row, each in zip(records, found, strict=True) if each in self.wanted]

    @property
    def absent(self) -> tuple[str, ...]:
        return tuple(sorted(self.wanted - self.met))

    def outcome(self, read: Complete) -> Complete:
        """*read*, with the number of those wanted that were found and what was not."""
        told = f"{len(self.met):,} of {len(self.wanted):,} ids found"
        # what is cleared away once it is loaded was not loaded whole
        return replace(read, evidence=f"{read.evidence}; {told}", taken=(), absent=self.absent)


def met(ids: Iterable[str], found: Iterable[str]) -> Picked:
    """*ids*, of which those in *found* were met."""
    picked = Picked(ids)
    picked.met.update(picked.wanted.intersection(found))
    return picked


def picking(pages: Extraction, ids: Iterable[str], key: Key) -> Extraction:
    """Those records of *pages* whose key is among *ids*; rejects stay, for they may be any."""
    picked, first = Picked(ids), 1
    while True:
        try:
            page = next(pages)
        except StopIteration as end:
            outcome = end.value
            return picked.outcome(outcome) if isinstance(outcome, Complete) else outcome
        records = picked.kept(page.records, key)
        if records or page.rejects:
            yield Page(first, records, page.rejects)
            first += len(records) + len(page.rejects)
        del page, records


def chunks(ids: Sequence[T], size: int = CHUNK) -> Iterator[list[T]]:
    """*ids*, *size* at a time."""
    for start in range(0, len(ids), size):
        yield list(ids[start : start + size])


def one_key(dataset: str, keys: Sequence[str], word: str) -> str:
    """The one path that identifies a record of *dataset*; raises Refused for none and several.

    *word* is what the dataset declares it by.
    """
    if len(keys) == 1:
        return keys[0]
    lacking = f"its `{word}` is several" if keys else f"it declares no `{word}`"
    raise Refused(
        f"records of dataset {dataset!r} cannot be named by their ids: {lacking}",
        where=f"source.datasets.{dataset}",
        mend=f"declare the one field that identifies a record as `{word}`, or read everything",
    )
