"""What `refsync backfill` shows: its windows as they go, then a line for each."""

from collections.abc import Iterator
from contextlib import contextmanager
from zoneinfo import ZoneInfo

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn

from flows.backfilled import ALREADY, SHOWN, Backfilled, Line
from flows.backfilling import Audience
from flows.console import Shown, many
from flows.portion import Portion
from flows.windows import shown as written

_STYLES = {"failed": "red", "interrupted": "red", "refused": "yellow", "partial": "yellow"}


def show_backfill(shown: Shown, made: Backfilled, zone: ZoneInfo) -> None:
    """The table, then what was changed of the request and what failed."""
    for note in made.notes:
        shown.note(note)
    windowed = any(line.since is not None for line in made.lines)
    bounds = (f"since ({zone.key})", "until") if windowed else ()
    figures = ("records", "created", "updated", "enabled", "rejects", "seconds")
    shown.table(
        (*bounds, "outcome", *figures, "run"),
        (_cells(line, zone, windowed=windowed) for line in made.lines),
    )
    if made.named:
        found = made.named - len(made.absent)
        shown.line(f"{found} of {many(made.named, 'named record')} found")
    if made.absent:
        more = f" and {len(made.absent) - SHOWN} more" if len(made.absent) > SHOWN else ""
        shown.line(f"not there: {', '.join(made.absent[:SHOWN])}{more}")
    for line in made.failed:
        shown.error(f"{_named(line, zone)} {line.outcome}: {line.message}")
    shown.line(f"{made.job} -> {made.target}: {summary(made)}", _STYLES.get(made.outcome, "green"))


def summary(made: Backfilled) -> str:
    """`12 windows, 9 done, 3 already done`."""
    counts: dict[str, int] = {}
    for line in made.lines:
        counts[line.outcome] = counts.get(line.outcome, 0) + 1
    told = ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
    return told if made.named else f"{many(len(made.lines), 'window')}, {told}"


@contextmanager
def watching(shown: Shown, zone: ZoneInfo) -> Iterator[Audience]:
    """Bars on a terminal, one for all windows and one for each at work; else a line a window."""
    if not shown.err.is_terminal:
        yield _Lines(shown, zone)
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description:<40}"),
        BarColumn(),
        MofNCompleteColumn(),
    )
    with Progress(*columns, console=shown.err, transient=True) as bars:
        yield _Bars(bars, zone)


class _Lines(Audience):
    """A line a window, for a log."""

    def __init__(self, shown: Shown, zone: ZoneInfo) -> None:
        self._shown, self._zone = shown, zone

    def ended(self, line: Line, of: int) -> None:
        if line.outcome == ALREADY:  # the table has it
            return
        what = f"{line.outcome}, {many(line.records, 'record')}, {line.seconds:.1f} s"
        self._shown.note(f"{line.rank} of {of}: {_named(line, self._zone)} {what}")


class _Bars(Audience):
    """A bar for all windows, and one for each that is at work."""

    def __init__(self, bars: Progress, zone: ZoneInfo) -> None:
        self._bars, self._zone = bars, zone
        self._all: TaskID | None = None
        self._tasks: dict[int, TaskID] = {}

    def begins(self, portion: Portion, of: int) -> None:
        self._whole(of)
        name = "named records"
        if portion.window is not None:
            name = f"from {written(portion.window.low, self._zone)}"
        self._tasks[portion.rank] = self._bars.add_task(name, total=None)

    def reads(self, portion: Portion, stage: str, done: int, total: int | None) -> None:
        task = self._tasks.get(portion.rank)
        if task is not None:
            window = portion.window
            of = "named records" if window is None else f"from {written(window.low, self._zone)}"
            self._bars.update(task, description=f"{of} {stage}", completed=done, total=total)

    def ended(self, line: Line, of: int) -> None:
        task = self._tasks.pop(line.rank, None)
        if task is not None:
            self._bars.remove_task(task)
        self._bars.advance(self._whole(of))

    def _whole(self, of: int) -> TaskID:
        if self._all is None:
            self._all = self._bars.add_task("windows", total=of)
        return self._all


def _cells(line: Line, zone: ZoneInfo, *, windowed: bool) -> tuple[str, ...]:
    bounds = [written(each, zone) if each else "" for each in (line.since, line.until)]
    figures = (line.records, line.created, line.updated, line.enabled, line.rejects)
    return (
        *bounds[: 2 * windowed],
        line.outcome,
        *map(str, figures),
        f"{line.seconds:.1f}",
        line.run,
    )


def _named(line: Line, zone: ZoneInfo) -> str:
    if line.since is None or line.until is None:
        return "the named records"
    return f"{written(line.since, zone)} to {written(line.until, zone)}"
