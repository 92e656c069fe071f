"""One reading of a simulated system, to its end or its error, and whether it may have lost a row.

`Stage` is a simulator made ready for one input, `Truth` what its rows were, `judged` the verdict.
A verdict that speaks against the source, the simulator or the truth told of it is `Wrong`.
"""

import logging
import re
from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Protocol
from urllib.parse import quote, quote_plus

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as Connected

from sources.base import Complete, Outcome, Page, Partial, Record, Reject, Scope, Source
from sources.errors import Refused, SourceError, Unreachable, Unreadable
from sources.slices import joined
from tests.fuzz_watch import Case

_NOW = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")  # a window may end at the present
MOST_CALLS = 6000  # of one reading; no input has more than some hundred pages
QUICK = {"attempts": 3, "initial": 0, "max_delay": 0, "jitter": 0, "max_retry_after": 0.005}


class Wrong(Exception):
    """What must not be; `sign` tells one kind from another."""

    def __init__(self, sign: str, what: str) -> None:
        super().__init__(what)
        self.sign = sign


class AnyValue(frozenset[Any]):
    """Holds whatever there is."""

    def __contains__(self, _: object) -> bool:
        return True


class Gate:
    """Stands before a simulator: counts calls, lets none through after too many, sees cookies."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.open()

    def open(self) -> None:
        self.calls = 0
        self.cookies: list[bytes] = []
        self.crashes: list[str] = []

    async def __call__(self, scope: Connected, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self.calls += 1
            self.cookies += [value for name, value in scope["headers"] if name == b"cookie"]
            if self.calls > MOST_CALLS:
                await Response("too many calls", 403)(scope, receive, send)
                return
        try:
            await self._app(scope, receive, send)
        except Exception as error:  # noqa: BLE001 - the input says more than a server's log
            self.crashes.append(repr(error))


@dataclass(frozen=True, slots=True)
class Truth:
    """What the simulator held while it was read.

    `must`: keys of the rows that were there all the time, that the account may see and that are
    wanted; `may`: by key, what a record may hold, of all rows that may rightly come. `odd`: how
    many records may be rejects at most, each of which may stand for a row of `must`; `spare`: how
    many of them are none of these. `keyless`: the key of records without one, which are odd too.
    `often`: keys that may come again. `lacking`, `hidden`: how many rows an evidence says are
    hidden, and how many are, where others are withheld in a way that looks the same. `weak`: why
    rows may be lost all the same, by the words of the source. `honest`: nothing went wrong, and the
    reading has to be complete.
    """

    must: frozenset[str]
    may: Mapping[str, Container[Any]]
    odd: int = 0
    spare: int = 0
    keyless: str = "None"
    often: Container[str] = ()
    lacking: Callable[[str], int] | None = None
    hidden: int = 0
    weak: str = ""
    honest: bool = False


@dataclass(frozen=True, slots=True)
class Stage:
    """A simulator made ready, and how it is read; `told` gives the key and value of a record."""

    source: Source[Any, Any]
    config: Any
    connection: Any
    scope: Scope
    told: Callable[[Record], tuple[str, Any]]
    truth: Callable[[], Truth]
    secrets: tuple[str, ...]
    dataset: str = "feed"


class Kind(Protocol):
    """One kind of source with its simulator."""

    name: str
    gate: Gate

    def draw(self, random: Any) -> Case:
        """An input, plain data; `slices` among it: 0 for none."""

    def stage(self, case: Case) -> Stage:
        """The simulator as the input wants it, nothing of another one left."""


@dataclass(slots=True)
class Got:
    """What one reading gave."""

    pages: list[list[Page]] = field(default_factory=list)  # by slice
    outcomes: list[Outcome] = field(default_factory=list)
    outcome: Outcome | None = None
    error: SourceError | None = None
    calls: int = 0
    cookies: tuple[bytes, ...] = ()
    crashes: tuple[str, ...] = ()
    log: list[str] = field(default_factory=list)

    @property
    def records(self) -> list[Record]:
        return [record for pages in self.pages for page in pages for record in page.records]

    @property
    def rejects(self) -> list[Reject]:
        return [reject for pages in self.pages for page in pages for reject in page.rejects]

    @property
    def notes(self) -> list[str]:
        return list(getattr(self.error, "__notes__", []))

    @property
    def words(self) -> str:
        """The outcome, or the error with its notes."""
        if self.error is not None:
            return "\n".join([type(self.error).__name__, str(self.error), *self.notes])
        return repr(self.outcome)

    @property
    def shown(self) -> str:
        """Everything that a person or a log may be shown."""
        error = self.error
        chain = [repr(error), repr(error.__context__), repr(error.__cause__)] if error else []
        return "\n".join([self.words, *chain, repr(self.rejects), *self.log])

    @property
    def outcome_word(self) -> str:
        return type(self.error or self.outcome).__name__.lower()


def read(kind: Kind, stage: Stage, slices: int) -> Got:
    """Reads everything, slice after slice; lets out whatever no source should raise."""
    got = Got()
    kind.gate.open()
    source, config, connection, scope = stage.source, stage.config, stage.connection, stage.scope
    with _logged(got.log):
        try:
            scopes = [scope]
            if slices:
                parts = source.slices(config, stage.dataset, connection, scope, slices)
                check_parts(parts, slices)
                scopes = [replace(scope, slice=part) for part in parts]
            for each in scopes:
                got.pages.append([])
                extraction = source.extract(config, stage.dataset, connection, each)
                got.outcomes.append(_drained(extraction, got.pages[-1]))
            got.outcome = joined(got.outcomes)
        except SourceError as error:
            got.error = error
    gate = kind.gate
    got.calls, got.cookies, got.crashes = gate.calls, tuple(gate.cookies), tuple(gate.crashes)
    return got


def check_parts(parts: Any, most: int) -> None:
    ranks = [(part.index, part.of) for part in parts]
    if ranks != [(rank, len(parts)) for rank in range(len(parts))] or not 1 <= len(parts) <= most:
        raise Wrong("slices", f"{most} slices were asked for: {parts!r}")


def _drained(extraction: Iterator[Page], pages: list[Page]) -> Outcome:
    while True:
        try:
            pages.append(next(extraction))
        except StopIteration as end:
            outcome: Outcome = end.value
            return outcome


@contextmanager
def _logged(lines: list[str]) -> Iterator[None]:
    """Takes what is logged meanwhile."""
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger()
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


def run(kind: Kind, case: Case) -> str:
    """Reads twice and judges; the outcome in a word. Raises Wrong."""
    stage = kind.stage(case)
    got = read(kind, stage, case["slices"])
    judged(got, stage, stage.truth())
    again = kind.stage(case)
    other = read(kind, again, case["slices"])
    if _seen(got, stage) != _seen(other, again):
        raise Wrong("unsteady", f"once {got.words}, then {other.words}")
    return got.outcome_word


def _seen(got: Got, stage: Stage) -> tuple[Any, ...]:
    keys = [stage.told(record) for record in got.records]
    return keys, len(got.rejects), _NOW.sub("now", got.words)


def judged(got: Got, stage: Stage, truth: Truth) -> None:
    """Raises Wrong."""
    _check_manners(got, stage)
    _check_ranks(got)
    if got.error is not None:
        _check_error(got)
    elif isinstance(got.outcome, Complete):
        _check_whole(got, stage, truth, got.outcome.evidence)
    elif not isinstance(got.outcome, Partial) or not got.outcome.reason:
        raise Wrong("poor", f"neither whole nor a reason: {got.outcome!r}")
    if truth.honest and not isinstance(got.outcome, Complete):
        raise Wrong("doubtful", f"nothing is wrong here, and yet: {got.words}")


def _check_manners(got: Got, stage: Stage) -> None:
    if got.crashes:
        raise Wrong("simulator", f"the simulator breaks: {got.crashes[0]}")
    for secret in stage.secrets:
        if any(form in got.shown for form in (secret, quote(secret, safe=""), quote_plus(secret))):
            raise Wrong("secret", f"{secret!r} is shown: {got.shown}")
    if got.cookies:
        raise Wrong("cookie", f"cookies were sent: {got.cookies[:3]!r}")
    if got.calls > MOST_CALLS:
        raise Wrong("endless", f"more than {MOST_CALLS} calls; {got.words}")


def _check_error(got: Got) -> None:
    if not isinstance(got.error, Unreachable | Refused | Unreadable):
        raise Wrong("poor", f"an error of no kind: {got.words}")
    for word in ("where: ", "mend: "):
        if not [note for note in got.notes if note.startswith(word) and note != word]:
            raise Wrong("poor", f"an error without {word}{got.words}")


def _check_ranks(got: Got) -> None:
    for pages in got.pages:
        first = 1
        for page in pages:
            if page.first != first or not (page.records or page.rejects):
                raise Wrong(
                    "rank",
                    f"a page of {len(page.records)} begins with {page.first}, {first} is due",
                )
            first += len(page.records) + len(page.rejects)
        numbers = [reject.number for page in pages for reject in page.rejects]
        # Of rows that are left out beside them the ranks count too.
        if any(each < 1 for each in numbers):
            raise Wrong("rank", f"rejects of ranks {numbers}, {first - 1} were read")


def _check_whole(got: Got, stage: Stage, truth: Truth, evidence: str) -> None:
    told = [stage.told(record) for record in got.records]
    came = Counter(key for key, _ in told)
    where = f"; evidence: {evidence}"
    keyless = came.pop(truth.keyless, 0)
    told = [each for each in told if each[0] != truth.keyless]
    if strangers := sorted(came.keys() - truth.may.keys()):
        raise Wrong(
            "unwanted", f"{len(strangers)} rows that are not wanted: {strangers[:5]}{where}"
        )
    if doubled := sorted(
        key for key, count in came.items() if count > 1 and key not in truth.often
    ):
        raise Wrong("doubled", f"{len(doubled)} rows came again: {doubled[:5]}{where}")
    if odd := [each for each in told if each[1] not in truth.may[each[0]]]:
        raise Wrong("value", f"{odd[0]!r} is none of {truth.may[odd[0][0]]!r}{where}")
    rejects = got.rejects
    if len(rejects) + keyless > truth.odd or not all(
        each.reason and each.dataset for each in rejects
    ):
        raise Wrong("reject", f"{rejects!r} where {truth.odd} rows are odd{where}")
    missing = sorted(truth.must - came.keys())
    if truth.weak:
        return
    silent = len(missing) - max(len(rejects) + keyless - truth.spare, 0)
    if truth.lacking is not None:
        evidences = [each.evidence for each in got.outcomes if isinstance(each, Complete)]
        silent -= max(sum(map(truth.lacking, evidences)) - truth.hidden, 0)
    if silent > 0:
        raise Wrong(
            "lost",
            f"{len(missing)} of {len(truth.must)} rows are lost, with "
            f"{len(rejects)} rejects: {missing[:5]}{where}",
        )
