"""What every source offers: pages of records, then proof that they are all there.

    extract(config, dataset, connection, scope) -> Generator[Page, None, Complete | Partial]

A source yields pages in a stable order and *returns* its outcome: `Complete` with the evidence
(a count that agrees, an end marker), or `Partial` with the reason. It never assumes completeness.
Outages and refusals are raised (`sources.errors`), odd records are rejects on their page.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reject:
    """Something that should have been a record: where it stood, why it is not one, how it began."""

    dataset: str
    number: int  # 1-based rank in the dataset, rejects included
    reason: str
    sample: str  # the first 200 characters as read, secrets masked


@dataclass(frozen=True, slots=True)
class Page:
    """Records as the source gave them; `first` is the 1-based rank of the first one."""

    first: int
    records: list[Record]
    rejects: tuple[Reject, ...] = ()


@dataclass(frozen=True, slots=True)
class Complete:
    """Every record of the dataset, or of the slice, was read; `evidence` says how that is known.

    `seam`: keys of the record before the first one and of the last one, where slices are cut by
    rank: neighbours that do not meet have lost or doubled rows between them (`sources.slices`).

    `taken`: what `Source.finish` is to be told once the records are loaded, in the source's own
    terms (the files that were read).

    `absent`: those of `Scope.ids` that are no record of the dataset.
    """

    evidence: str
    seam: tuple[str, str] | None = None
    taken: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Partial:
    """Records may be missing; `reason` says why. A partial extraction never disables anything."""

    reason: str


Outcome = Complete | Partial
Extraction = Generator[Page, None, Outcome]


@dataclass(frozen=True, slots=True)
class Slice:
    """One of the parts of a dataset that are read side by side.

    `low` and `high` are bounds in the source's own terms, written by its `slices` and read by its
    `extract` alone; empty where there is none: records outside of every bound are in the first or
    in the last slice, so that all slices together are the dataset, whatever it has become.
    """

    index: int
    of: int
    low: str = ""
    high: str = ""


@dataclass(frozen=True, slots=True)
class Scope:
    """The part of a dataset that is wanted.

    `fields`: dotted paths the mapping uses (None: all). `since`/`until`: modification window,
    aware datetimes, half open [since, until). `slice`: one of those that `Source.slices` gave for
    the same scope (None: the whole). `ids`: the records that are wanted, by their key in the source
    as text (None: all), never beside a slice; those that are not there are no reason to fail, nor
    to be `Partial`: `Complete.absent` names them.
    """

    fields: frozenset[str] | None = None
    since: datetime | None = None
    until: datetime | None = None
    slice: Slice | None = None
    ids: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Probe:
    """What a connection answers before anything is read: version, identity, what is lacking."""

    version: str
    identity: str
    rights: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()


class Strict(BaseModel):
    """Configuration: frozen, and a word it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def refusal(what: str, mend: str, *spot: str | int) -> PydanticCustomError:
    """What a rule of a source says of a block, to be told to who wrote the job.

    *spot* leads from the block to what is at fault inside of it.
    """
    return PydanticCustomError("refusal", "{what}", {"what": what, "mend": mend, "spot": spot})


class SourceConfig(Strict):
    """The `source:` block of a job; each source adds its `type` and its `datasets`."""

    connection: str = Field(description="Name of the connection, declared in refsync.yaml.")


class Connection(Strict):
    """A named endpoint with its credentials, already resolved; each source adds its settings."""

    @property
    def at_once(self) -> int:
        """How many slices may be read at once; systems that others work with are spared."""
        return 4


def _whole(*_: object) -> tuple[Slice, ...]:
    """The slices of what cannot be cut: itself."""
    return (Slice(0, 1),)


def _nothing_to_refuse(*_: object) -> None:
    """What a source says of a scope that it can always honour."""


def _nothing_to_finish(*_: object) -> tuple[str, ...]:
    """What a source does that leaves no trace where it reads."""
    return ()


C = TypeVar("C", bound=SourceConfig)
K = TypeVar("K", bound=Connection)


@dataclass(frozen=True, slots=True)
class Source(Generic[C, K]):
    """One kind of system: its two models and the functions that use them.

    `count` gives the number of records for progress (None: unknown beforehand); `probe` opens the
    connection and reads nothing of the feed; `slices` cuts what a scope wants into as many parts as
    asked, or fewer (one where it cannot); `windows` tells whether `Scope.since`/`until` can be
    honoured: where not, `extract` refuses them. `refuse` raises, before anything is asked, the
    Refused of a dataset that cannot honour the window or the ids of a scope.

    `finish` is called after a run that loaded everything, and never before: it is given the
    `Complete.taken` of a dataset and the moment of the run (aware), clears away what was read if
    the job asks for that, and says in words what it did and what it left. It may be called again.
    """

    config: type[C]
    connection: type[K]
    extract: Callable[[C, str, K, Scope], Extraction]
    probe: Callable[[C, K], Probe]
    count: Callable[[C, str, K, Scope], int | None] = field(default=lambda *_: None)
    slices: Callable[[C, str, K, Scope, int], tuple[Slice, ...]] = field(default=_whole)
    finish: Callable[[C, str, K, Sequence[str], datetime], tuple[str, ...]] = field(
        default=_nothing_to_finish
    )
    windows: bool = False
    refuse: Callable[[C, str, K, Scope], None] = field(default=_nothing_to_refuse)
