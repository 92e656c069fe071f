"""What others changed in Canopsis since we loaded: the ledger's entities against the live ones.

A fingerprint cannot be made again from what Canopsis gives back. So a live entity is compared with
the bytes that were sent: those of the last extraction whose spool is at hand, or else of the source
read again and mapped. Only bytes of the fingerprint that the ledger has confirmed are taken: of the
others it is told that they were not compared by value. What is there besides is others', no drift.
"""

import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

import orjson

from flows import stages
from flows.job import Job
from flows.live import Difference, differences
from flows.settings import Settings
from flows.spool import Payloads, Spool
from flows.workplace import Options, Progress, Workplace, open_ledger, silent
from referential.change import UNCONFIRMED
from referential.client import Canopsis, source_search
from referential.entity import split_keys
from referential.history import SOUND

DRIFTED: Final = 4  # exit code: the command went well, and Canopsis is not as we left it

_BATCH = 500  # live entities that are compared at once
_LOOKED_UP = 200  # entities that are asked for one by one; of more, the whole list is read
_RUNS = 100  # that are looked at for a spool
_EXTRACTING = ("sync", "full")
_ENDED = (*SOUND, "partial", "held")

Live = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Drifted:
    """One entity that is not as we left it; `sendable`: its bytes are at hand."""

    id: str
    differences: tuple[Difference, ...]
    sendable: bool

    @property
    def only_disabled(self) -> bool:
        return [each.field for each in self.differences] == ["enabled"]


@dataclass(frozen=True, slots=True)
class Repaired:
    """The run that sent drifted entities again; `manual` stay disabled, `unsent` have no bytes."""

    run: str
    sent: int
    expected: int
    found: int
    manual: int
    unsent: int


@dataclass(slots=True)
class Drift:
    """What was compared, with what, and what differs; `extra` counts infos that others added."""

    job: str
    target: str
    basis: str
    owned: int
    uncompared: int = 0
    extra: int = 0
    drifted: list[Drifted] = field(default_factory=list)
    repaired: Repaired | None = None

    @property
    def exit_code(self) -> int:
        if self.repaired is not None:
            whole = self.repaired.found == self.repaired.expected and not self.repaired.unsent
            return 0 if whole else DRIFTED
        return DRIFTED if self.drifted else 0


@dataclass(frozen=True, slots=True)
class Sent:
    """What the ledger knows of one entity, and where its bytes stand; `size` 0: not at hand."""

    infos: str
    offset: int = 0
    size: int = 0


def drift_of(settings: Settings, job: Job, basis: "Basis", progress: Progress = silent) -> Drift:
    """Compare every enabled entity that the job owns; nothing is written anywhere.

    Raises what the ledger and Canopsis raise.
    """
    sent = _sent(settings, job, basis.spool)
    seen = Drift(job.name, job.feed.target, basis.words, owned=len(sent))
    seen.uncompared = sum(not each.size for each in sent.values())
    place = Workplace(settings, job, run_id="")
    with Payloads(basis.spool) as payloads, place.canopsis() as canopsis:
        comparison = _Comparison(seen, sent, payloads, job.sync.import_source)
        comparison.look(canopsis.entities(source_search(job.sync.import_source)), progress)
        comparison.look(_others(canopsis, comparison.left), progress)
        for identity in comparison.left:
            comparison.gone(identity)
    seen.drifted.sort(key=lambda each: each.id)
    return seen


@dataclass(frozen=True, slots=True)
class Basis:
    """The extraction that is compared with, and how to call it."""

    spool: Spool
    words: str


@contextmanager
def basis_of(settings: Settings, job: Job, progress: Progress = silent) -> Iterator[Basis]:
    """The last extraction of the job whose spool is at hand; else the source, read for this.

    Raises what reading the source raises.
    """
    with open_ledger(settings) as ledger:
        runs = ledger.runs(_RUNS, job.name)
    for run in runs:
        spool = Spool(settings.spool / job.name / run.id)
        usable = run.mode in _EXTRACTING and run.outcome in _ENDED and run.feed == job.feed
        if usable and spool.index.is_file() and spool.entities.is_file():
            yield Basis(spool, f"the spool of run {run.id}")
            return
    place = Workplace(settings, job, f"drift-{secrets.token_hex(4)}", Options(), progress)
    try:
        stages.extract(place)
        yield Basis(place.spool, "the source, read again: no spool of a run is at hand")
    finally:
        shutil.rmtree(place.spool.folder, ignore_errors=True)


def _sent(settings: Settings, job: Job, spool: Spool) -> dict[str, Sent]:
    """Every enabled and confirmed entity of the job, with its bytes where they are the same."""
    with open_ledger(settings) as ledger:
        known = ledger.known(job.feed)
    names = ("id", "infos", "fingerprint", "state")
    rows = list(zip(*(known[name].tolist() for name in names), strict=True))
    owned = {each: (infos, mark) for each, infos, mark, state in rows if state == "enabled"}
    owned = {each: pair for each, pair in owned.items() if pair[1] != UNCONFIRMED}
    sent = {each: Sent(infos) for each, (infos, _) in owned.items()}
    found = spool.found()
    names = ("id", "fingerprint", "offset", "size")
    for each, mark, offset, size in zip(*(found[name].tolist() for name in names), strict=True):
        if each in owned and owned[each][1] == mark:
            sent[each] = Sent(owned[each][0], offset, size)
    return sent


def _others(canopsis: Canopsis, left: set[str]) -> Iterator[Live]:
    """The entities of *left* that Canopsis holds under another import source."""
    if len(left) > _LOOKED_UP:
        yield from canopsis.entities()
        return
    for identity in sorted(left):
        live = canopsis.entity(identity)
        if live is not None:
            yield live


class _Comparison:
    """Live entities as they come, against what was sent; `left` are those not seen yet."""

    def __init__(self, seen: Drift, sent: dict[str, Sent], payloads: Payloads, source: str) -> None:
        self._seen, self._sent, self._payloads, self._source = seen, sent, payloads, source
        self.left = set(sent)

    def look(self, entities: Iterable[Live], progress: Progress) -> None:
        ours = (live for live in entities if live.get("_id") in self.left)
        while batch := list(islice(ours, _BATCH)):
            with_bytes = [live for live in batch if self._sent[live["_id"]].size]
            rows = [self._sent[live["_id"]] for live in with_bytes]
            bodies = self._payloads.read([r.offset for r in rows], [r.size for r in rows])
            wanted = {
                live["_id"]: orjson.loads(body)
                for live, body in zip(with_bytes, bodies, strict=True)
            }
            for live in batch:
                self._compare(live, wanted.get(live["_id"]))
            self.left.difference_update(live["_id"] for live in batch)
            done = len(self._sent) - len(self.left)
            progress("compare", done, len(self._sent))

    def gone(self, identity: str) -> None:
        self._keep(identity, differences({"name": identity}, None, self._source))

    def _compare(self, live: Live, wanted: dict[str, Any] | None) -> None:
        identity = live["_id"]
        owned = split_keys(self._sent[identity].infos)
        # without its bytes: whether it is on, and whose
        body = wanted or {"name": identity, "infos": {}}
        found = differences(body, live, self._source, owned)
        if wanted is not None:
            self._seen.extra += sum(
                each.whose == "theirs" and each.field.startswith("infos.") for each in found
            )
        self._keep(identity, [each for each in found if each.whose == "ours"])

    def _keep(self, identity: str, found: list[Difference]) -> None:
        if found:
            sendable = self._sent[identity].size > 0
            self._seen.drifted.append(Drifted(identity, tuple(found), sendable))
