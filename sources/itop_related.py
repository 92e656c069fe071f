"""The impact graph around objects: one record an edge, from what impacts to what is impacted.

    {"source": "Server::105", "source_class": "Server", "source_id": "105",
     "source_name": "srv-00074",
     "target": "ApplicationSolution::2667", "target_class": …, "target_id": …, "target_name": …}

Edges have this sense whatever the direction that was followed (specs/itop.md §8). For a whole CMDB
the link classes cost far less.
"""

import logging
from collections.abc import Iterator, Sequence
from typing import Any, Final

from sources.base import Complete, Extraction, Outcome, Page, Partial, Record, Reject, Scope
from sources.errors import Refused, SourceError, Unreadable
from sources.itop_answer import guess
from sources.itop_dataset import ItopDataset, ItopRelated
from sources.itop_fields import get
from sources.itop_halving import Halving
from sources.itop_ids import Bounds, Lister, Listing
from sources.itop_objects import names_of
from sources.itop_oql import Selection
from sources.itop_session import ItopSession, Operation
from sources.session import Answer

log = logging.getLogger(__name__)

_COLUMNS: Final = tuple(
    f"{end}{part}" for end in ("source", "target") for part in ("", "_class", "_id", "_name")
)
# An unknown relation is no error but a graph without edges: this one is the only one asked for.
_RELATION: Final = "impacts"


def impacts(
    session: ItopSession, dataset: str, table: ItopDataset, lister: Lister, scope: Scope
) -> Extraction:
    """The edges around the objects of *table*, each once. Raises as `ItopSession.do`."""
    for path in sorted(scope.fields or ()):
        if path not in _COLUMNS:
            raise Refused(
                f"an edge of the impact graph has no {path!r}",
                where=f"source.datasets.{dataset}",
                mend=guess(path, _COLUMNS),
            )
    listing = lister.listing(Bounds())
    graph = Graph(session, dataset, table, listing)
    yield from graph.pages(lister)
    return graph.outcome()


class Graph:
    """The edges that were met, and the objects whose own part of the graph never came."""

    def __init__(
        self, session: ItopSession, dataset: str, table: ItopDataset, listing: Listing
    ) -> None:
        self._session = session
        self._dataset = dataset
        self._table = table
        self._related = table.related or ItopRelated()
        self._selection: Selection = table.selection()
        self._listing = listing
        self._seen: set[int] = set()  # hashes of the edges that came
        self._doubts = list(listing.doubts)
        self._gone = 0
        self._lost = 0

    def pages(self, lister: Lister) -> Iterator[Page]:
        halving = Halving(self._table.size, self._page, lister.is_well, self._reject)
        for page in halving.over(self._listing.ids):
            if page.records or page.rejects:
                yield page
            del page

    def outcome(self) -> Outcome:
        if self._doubts:
            return Partial("; ".join(dict.fromkeys(self._doubts)))
        related = self._related
        gone = f", {self._gone:,} of them gone meanwhile" if self._gone else ""
        lost = f", {self._lost:,} of them rejects" if self._lost else ""
        return Complete(
            f"{len(self._seen):,} edges around {len(self._listing.ids):,} objects of "
            f"{self._table.class_name}{gone}{lost}, {related.direction} to depth {related.depth}, "
            f"as far as {self._session.authenticator.identity} may see"
        )

    def _page(self, ids: Sequence[int], once: bool) -> Page:  # noqa: FBT001 - what `Halving` calls
        related = self._related
        parameters = {
            "class": self._table.class_name,
            "key": self._selection.among(ids),
            "relation": _RELATION,
            "depth": related.depth,
            "direction": related.direction,
            "redundancy": related.redundancy,
        }
        operation = Operation("core/get_related", parameters, archived=self._table.archived)
        answer = self._session.do(operation, once=once)
        names = _names(answer)
        self._account(ids, names)
        fresh = sorted(edge for edge in _edges(answer) if hash(edge) not in self._seen)
        first = len(self._seen) + self._lost + 1
        self._seen.update(map(hash, fresh))
        return Page(first, [_record(edge, names) for edge in fresh])

    def _account(self, ids: Sequence[int], names: dict[str, str]) -> None:
        """Every object asked for stands in the graph, alone if need be, unless it is gone."""
        there = {int(name.rpartition("::")[2]) for name in names if self._is_ours(name)}
        missing = [each for each in ids if each not in there]
        if not missing:
            return
        query = self._selection.among(missing)
        kept, _ = names_of(self._session.do(get(self._table, query, "id")))
        self._gone += len(missing) - len(kept)
        if kept:
            self._doubts.append(
                f"{len(kept):,} objects are not in their own impact graph, such as "
                f"{self._table.class_name}::{min(kept)}"
            )

    def _is_ours(self, name: str) -> bool:
        return name.rpartition("::")[0] in self._listing.classes

    def _reject(self, number: int, failure: SourceError) -> Page:
        self._lost += 1
        first = len(self._seen) + self._lost
        name = f"{self._table.class_name}::{number}"
        return Page(first, [], (Reject(self._dataset, first, str(failure), name),))


def _names(answer: Answer) -> dict[str, str]:
    """The friendly name of every object of the graph, by `Class::id`."""
    held = answer.document.get("objects") or {}
    try:
        return {name: each["fields"]["friendlyname"] for name, each in held.items()}
    except (AttributeError, KeyError, TypeError):
        raise _odd("objects", answer) from None


def _edges(answer: Answer) -> Iterator[tuple[str, str]]:
    """What impacts and what is impacted; `relations` is a list when there is none."""
    held: Any = answer.document.get("relations") or {}
    try:
        pairs = [(source, target["key"]) for source, ends in held.items() for target in ends]
    except (AttributeError, KeyError, TypeError):
        raise _odd("relations", answer) from None
    if not all(isinstance(target, str) for _, target in pairs):
        raise _odd("relations", answer)
    return iter(pairs)


def _odd(part: str, answer: Answer) -> Unreadable:
    return Unreadable(
        f"`{part}` of the impact graph is not what iTop answers",
        where=answer.where,
        mend="check `base_url` of the connection",
    )


def _record(edge: tuple[str, str], names: dict[str, str]) -> Record:
    record: Record = {}
    for end, name in zip(("source", "target"), edge, strict=True):
        class_name, _, number = name.rpartition("::")
        record |= {
            end: name,
            f"{end}_class": class_name,
            f"{end}_id": number,
            f"{end}_name": names.get(name),
        }
    return record
