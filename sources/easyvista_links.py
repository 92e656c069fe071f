"""The links of every CI: there is no list of all links, each CI is asked for its own.

Some calls are under way at once, at most `max_concurrency`; records come in the order of the CIs. A
link is listed by the CIs at both of its ends and handed on once, by (parent, child, relation type)
(`specs/easyvista.md` §9.9). A CI that answers 404 must be gone from its own list, else it is an
error.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sources.base import Outcome, Partial
from sources.easyvista_ahead import in_turn
from sources.easyvista_answer import Query, is_gone
from sources.easyvista_dataset import Links
from sources.easyvista_pages import Asker, Walk
from sources.easyvista_query import ROUTES
from sources.easyvista_session import EasyVistaSession
from sources.verdict import Denied


@dataclass(frozen=True, slots=True)
class Read:
    """The links that one CI lists; `gone` when it is no more."""

    rows: list[Any]
    keys: list[str]
    doubtful: bool = False
    gone: bool = False
    doubt: str = ""


@dataclass(slots=True)
class LinkReader:
    """The links of the records *ids* of a list, a batch of them after the other."""

    session: EasyVistaSession
    links: Links
    key: tuple[str, ...]
    size: int
    gone: int = 0
    strangers: int = 0  # ends that are not listed
    doubts: list[str] = field(default_factory=list)
    _seen: set[int] = field(default_factory=set)

    def batches(self, ids: list[str]) -> Iterator[tuple[list[Any], bool]]:
        """Links that no batch held before, *size* of them or a few more."""
        known = set(ids)
        rows: list[Any] = []
        doubtful = False
        at_once = self.session.connection.max_concurrency
        for read in in_turn(self._read, ids, at_once):
            self.gone += read.gone
            if read.doubt:
                self.doubts = [*self.doubts[:9], read.doubt]
            rows += self._fresh(read, known)
            doubtful = doubtful or read.doubtful
            if len(rows) >= self.size:
                yield rows, doubtful
                rows, doubtful = [], False
        if rows:
            yield rows, doubtful

    def facts(self, count: int) -> list[str]:
        """What the evidence must tell."""
        told = [f"{len(self._seen):,} links of {count:,} records of {self.links.of}"]
        if self.gone:
            told.append(f"{self.gone:,} of these went while they were read")
        if self.strangers:
            told.append(f"{self.strangers:,} ends of links are not listed in {self.links.of}")
        return told

    def _fresh(self, read: Read, known: set[str]) -> list[Any]:
        rows = []
        for row, key in zip(read.rows, read.keys, strict=True):
            mark = hash(key)
            # What is no link is a reject each time: nothing tells which one it stands for.
            if isinstance(row, dict) and mark in self._seen:
                continue
            self._seen.add(mark)
            rows.append(row)
            if isinstance(row, dict):
                ends = (row.get(name) for name in self.key[:2])
                self.strangers += sum(end is not None and str(end) not in known for end in ends)
        return rows

    def _read(self, number: str) -> Read:
        root = self.session.connection.root
        query = links_query(root, self.links, number, self.key)
        walk = Walk(Asker(self.session, self.size), query)
        try:
            return _whole(walk, number)
        except Denied as denied:
            record = f"{root}/{ROUTES[self.links.kind]}/{number}"
            if denied.status != 404 or not is_gone(self.session, record):
                raise
        return Read([], [], gone=True)


def links_query(root: str, links: Links, number: str, key: tuple[str, ...]) -> Query:
    """The list of the links of one record.

    Without `fields`: a handler of its own answers, and no source says that it knows them (§1).
    """
    direction = "" if links.direction == "both" else f"/{links.direction}"
    return Query(f"{root}/{ROUTES[links.kind]}/{number}/{links.kind}{direction}", {}, key)


def _whole(walk: Walk, number: str) -> Read:
    rows: list[Any] = []
    doubtful = False
    batches = walk.batches()
    while True:
        try:
            batch = next(batches)
        except StopIteration as end:
            outcome: Outcome = end.value
            break
        rows += batch.rows
        doubtful = doubtful or batch.doubtful
    doubt = f"links of {number}: {outcome.reason}" if isinstance(outcome, Partial) else ""
    return Read(rows, walk.query.identities(rows), doubtful, doubt=doubt)
