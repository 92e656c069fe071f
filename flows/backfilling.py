"""A backfill: its portions are read side by side and brought in step one after the other.

The feed is held from the first portion to the last. Were it let go in between, a sync could load
what is newer than the portions that are read already, and these would then put older values back;
nobody's run comes in between, and portions are brought in step in their order, the newest last. A
scheduled sync that is due meanwhile is refused, and says who holds the feed. Each portion is a run
of its own in the ledger, which is handed the lock when its turn comes.

A portion that fails stops no other. A backfill neither raises nor closes the alarm of its feed: it
says nothing of whether the feed is in step.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Protocol, Self

from flows.backfilled import Backfilled, Line, line_of, line_of_earlier
from flows.job import Job
from flows.misdeclared import Fault, Misdeclared
from flows.outcome import EXPECTED
from flows.portion import Given, Portion, PortionRun, begin
from flows.prometheus import write_metrics
from flows.reading_scope import scope_of
from flows.report import write_report
from flows.retention import clear_away
from flows.run import Call, directly
from flows.settings import Settings
from flows.workplace import Options, Workplace, open_ledger
from referential.errors import Locked
from referential.holding import Holding
from referential.ledger import Ledger
from referential.windows import Window
from sources.errors import Refused

log = logging.getLogger("refsync")

AT_ONCE = 16  # portions read side by side at most

Wait = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a backfill is asked for: windows, or ids; `again`: also those that are done."""

    windows: Sequence[Window] = ()
    ids: frozenset[str] | None = None
    parallel: int = 1
    again: bool = False
    allow_changed: bool = False
    notes: tuple[str, ...] = ()


class Audience:
    """What happens, told as it does to who wants to show it; here nobody does."""

    def begins(self, portion: Portion, of: int) -> None:
        """The portion is being read, one of so many."""

    def reads(self, portion: Portion, stage: str, done: int, total: int | None) -> None:
        """How far a stage of a portion is; told from the thread that does it."""

    def ended(self, line: Line, of: int) -> None:
        """A portion is over."""


class Hands(Protocol):
    """Who does the work: threads, or tasks of a flow."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
    def read(self, run: PortionRun) -> Wait:
        """Begin to read; what is returned waits for the end, and raises what it was."""

    def calling(self, run: PortionRun, /) -> Call:
        """How the stages are called that bring *run* in step."""


class Threads:
    """Threads of this process, *parallel* of them."""

    def __init__(self, parallel: int) -> None:
        self._pool = ThreadPoolExecutor(parallel, thread_name_prefix="backfill")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def read(self, run: PortionRun) -> Wait:
        return self._pool.submit(run.read).result

    def calling(self, _run: PortionRun, /) -> Call:
        return directly


def backfill_job(
    settings: Settings,
    job: Job,
    asked: Asked,
    *,
    hands: Callable[[int], Hands] = Threads,
    audience: Audience | None = None,
) -> Backfilled:
    """Bring the portions of *asked* in step; those that failed are told, and no error.

    Raises Misdeclared where the source cannot read them, Locked while somebody holds the feed, and
    what the first check of both ends raises: nothing was read then.
    """
    refuse_unfit(settings, job, asked)
    audience = audience or Audience()
    portions = [Portion(rank, window) for rank, window in enumerate(asked.windows, start=1)]
    if asked.ids is not None:
        portions = [Portion(1, ids=asked.ids)]
    parallel, notes = _parallel(settings, job, asked, len(portions))
    made = Backfilled(job.name, job.feed.target, notes=[*asked.notes, *notes])
    # what is read beside others already is not cut, nor what is named; a cluster is for whole feeds
    one = replace(job, sync=job.sync.model_copy(update={"slices": 1}))
    alone = parallel == 1 and asked.ids is None and job.sync.runner == "threads"
    sliced = job if alone else one
    with open_ledger(settings) as ledger:
        todo = _left(ledger, job, portions, asked, made)
        for line in made.lines:
            audience.ended(line, len(portions))
        if todo:
            work = _Work(
                settings, sliced, asked, ledger, audience, len(portions), deque(todo), made
            )
            with ledger.holding(job.feed) as work.holding, hands(parallel) as work.hands:
                work.all(parallel)
            write_metrics(settings, ledger)
    made.lines.sort(key=lambda line: line.rank)
    return made


def refuse_unfit(settings: Settings, job: Job, asked: Asked) -> None:
    """Raise Misdeclared, before anything is asked, for what the datasets cannot be read by."""
    mapper, connection = job.mapper(), job.source_connection(settings)
    window = asked.windows[0] if asked.windows else None
    options = Options(
        "backfill",
        since=window.low if window else None,
        until=window.high if window else None,
        ids=asked.ids,
    )
    place = Workplace(settings, job, "", options)
    part = [name for name in job.datasets if not mapper.gathers(name)]
    faults: list[Fault] = []
    for name in part:
        try:
            job.source.refuse(job.config, name, connection, scope_of(place, name, mapper))
        except Refused as refusal:
            at = job.place("source", "datasets", name)
            faults += Misdeclared.of(refusal, at).faults
    if not part:
        what = "every dataset is read whole, for services are gathered from them"
        faults.append(Fault(job.place("source"), what, f"refsync sync {job.name}"))
    if faults:
        raise Misdeclared(faults)


def _parallel(settings: Settings, job: Job, asked: Asked, most: int) -> tuple[int, list[str]]:
    """How many portions are read at once: no more than the connection lets slices be."""
    allowed = job.source_connection(settings).at_once
    wanted = max(1, min(asked.parallel, most))
    if wanted <= allowed:
        return wanted, []
    note = f"{allowed} windows are read at once, not {asked.parallel}: the connection"
    return allowed, [f"{note} {job.config.connection} allows no more (max_concurrency)"]


def _left(
    ledger: Ledger, job: Job, portions: list[Portion], asked: Asked, made: Backfilled
) -> list[Portion]:
    """The portions to do; those that are done are told as lines of *made*."""
    windows = [each.window for each in portions if each.window is not None]
    if asked.again:
        ledger.forget_windows(job.feed, windows)
    done = ledger.windows_done(job.feed, windows)
    todo = []
    for each in portions:
        earlier = done.get(each.window) if each.window is not None else None
        if earlier is None:
            todo.append(each)
        else:
            made.lines.append(line_of_earlier(each, earlier))
    if done:
        count = f"{len(done)} of {len(portions)} windows are done already"
        made.notes.append(f"{count} and are not done again; `--again` does")
    return todo


@dataclass(slots=True)
class _Work:
    """The work itself: `ahead` are the runs that are being read, in their order."""

    settings: Settings
    job: Job
    asked: Asked
    ledger: Ledger
    audience: Audience
    of: int
    todo: deque[Portion]
    made: Backfilled
    holding: Holding = field(init=False)
    hands: Hands = field(init=False)
    ahead: deque[tuple[PortionRun, Wait]] = field(default_factory=deque)
    given_up: threading.Event = field(default_factory=threading.Event)
    turn: PortionRun | None = None  # whose turn it is
    checked: bool = False

    def all(self, parallel: int) -> None:
        try:
            self._begin(parallel)
            while self.ahead:
                self.turn, wait = self.ahead.popleft()
                self._end(self.turn, wait, parallel)
        except BaseException:
            self.given_up.set()
            for run in [self.turn, *(run for run, _ in self.ahead)]:
                if run is not None:
                    run.failed(Given("given up: the backfill ended before its turn came"))
                    self._close(run)
            raise

    def _begin(self, parallel: int) -> None:
        """Read as many as may be read at once."""
        while self.todo and len(self.ahead) < parallel:
            portion = self.todo.popleft()
            run = begin(
                self.settings,
                self.job,
                portion,
                self.ledger,
                allow_changed=self.asked.allow_changed,
                told_of=self._telling(portion),
                given_up=self.given_up,
            )
            self.audience.begins(portion, self.of)
            try:
                if not self.checked:
                    self.holding.take(run.run_id)
                    run.check()
                    self.checked = True
                wait = self.hands.read(run)
            except BaseException as error:
                run.failed(error)
                self._close(run)
                raise
            self.ahead.append((run, wait))

    def _telling(self, portion: Portion) -> Callable[[str, int, int | None], None]:
        def tell(stage: str, done: int, total: int | None) -> None:
            self.audience.reads(portion, stage, done, total)

        return tell

    def _end(self, run: PortionRun, wait: Wait, parallel: int) -> None:
        """Wait until it is read, bring it in step while others are read, close it.

        Raises what leaves the others no hope either.
        """
        error = _raised_by(wait)
        if error is None:
            self._begin(parallel)
            error = _raised_by(lambda: self._bring_in_step(run))
        if error is not None:
            run.failed(error)
            log.warning("%s: %s", _named(run.portion, self.of), run.report.message)
        self.turn = None
        self._close(run)
        if error is not None and not _is_of_one(error):
            raise error
        self._begin(parallel)

    def _bring_in_step(self, run: PortionRun) -> None:
        self.holding.take(run.run_id)
        run.bring_in_step(self.hands.calling(run))

    def _close(self, run: PortionRun) -> None:
        run.close(self.ledger)
        write_report(self.settings, run.report)
        clear_away(self.settings, self.ledger, job=self.job.name)
        if self.asked.ids is not None:
            self._note_absent(run)
        line = line_of(run)
        self.made.lines.append(line)
        self.audience.ended(line, self.of)

    def _note_absent(self, run: PortionRun) -> None:
        """An id is not there when no dataset has it; of what was not read whole nobody knows."""
        ids, absent = self.asked.ids or frozenset(), list(run.place.absent.values())
        self.made.named = len(ids)
        read = run.report.extracted
        if read is not None and all(each.complete for each in read.datasets.values()):
            lacking = ids.intersection(*absent) if absent else frozenset()
            self.made.absent = tuple(sorted(lacking))


def _raised_by(doing: Callable[[], None]) -> BaseException | None:
    try:
        doing()
    except BaseException as error:  # noqa: BLE001 - its portion is closed first, then it is judged
        return error
    return None


def _is_of_one(error: BaseException) -> bool:
    """Whether *error* is of one portion, and the next may go well."""
    fatal = (KeyboardInterrupt, Locked, Misdeclared)
    return isinstance(error, EXPECTED) and not isinstance(error, fatal)


def _named(portion: Portion, of: int) -> str:
    return "the named records" if portion.window is None else f"window {portion.rank} of {of}"
