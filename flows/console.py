"""What people read at a prompt: tables on stdout, progress and messages on stderr."""

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table
from rich.text import Text

from flows.preview import Preview
from flows.run import Report
from flows.workplace import Progress as Tell
from referential.change import Change
from referential.history import Reject, Run

_STYLES = {
    "done": "green",
    "nothing-to-do": "green",
    "running": "cyan",
    "partial": "yellow",
    "refused": "yellow",
    "failed": "red",
    "interrupted": "red",
}
_SIGNS = {
    "Create": ("+", "green"),
    "Update": ("~", "yellow"),
    "Enable": ("^", "green"),
    "Disable": ("-", "red"),
    "Delete": ("x", "red"),
    "Prune": ("~", "yellow"),
}
_PROBED = ("source", "source_identity", "canopsis", "canopsis_identity")
_EVERY = 5.0  # seconds between two lines of progress where there is no terminal


@dataclass
class Shown:
    """The two streams of a command; `as_json` leaves stdout to one JSON document."""

    as_json: bool = False
    out: Console = field(default_factory=lambda: _console(stderr=False))
    err: Console = field(default_factory=lambda: _console(stderr=True))

    def json(self, document: Any) -> None:
        sys.stdout.buffer.write(orjson.dumps(document, default=str, option=orjson.OPT_INDENT_2))
        sys.stdout.buffer.write(b"\n")
        sys.stdout.buffer.flush()

    def error(self, message: str) -> None:
        first, _, rest = message.partition("\n")
        self.err.print(Text.assemble(("error: ", "bold red"), first))
        if rest:
            self.err.print(Text(rest))

    def warning(self, message: str) -> None:
        self.err.print(Text.assemble(("warning: ", "bold yellow"), message))

    def note(self, message: str) -> None:
        self.err.print(Text(message))

    @contextmanager
    def progress(self) -> Iterator[Tell]:
        """Bars on a terminal; elsewhere a plain line every few seconds."""
        if not self.err.is_terminal:
            yield _PlainLines(self).tell
            return
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description:<8}"),
            BarColumn(),
            MofNCompleteColumn(),
        )
        with Progress(*columns, console=self.err, transient=True) as bars:
            tasks: dict[str, Any] = {}

            def tell(stage: str, done: int, total: int | None) -> None:
                task = tasks.setdefault(stage, None)
                if task is None:
                    task = tasks[stage] = bars.add_task(stage, total=total)
                bars.update(task, completed=done, total=total)

            yield tell

    # --- tables

    def checked(self, rows: Sequence[dict[str, Any]], faults: int) -> None:
        """Jobs that compile and, when they were asked, what their connections answer."""
        asked = any("canopsis" in row for row in rows)
        names = ("source version", "as", "canopsis", "as") if asked else ()
        table = _table("job", "source", "datasets", *names)
        for row in rows:
            told = [str(row.get(key, "")) for key in _PROBED] if asked else []
            table.add_row(row["job"], row["source"], ", ".join(row["datasets"]), *told)
            for warning in row.get("warnings", ()):
                self.warning(warning)
        self.out.print(table)
        bad = f", {faults} fault{'s' if faults > 1 else ''}" if faults else ""
        self.out.print(f"{len(rows)} job{'s' if len(rows) != 1 else ''} compile{bad}")

    def preview(self, seen: Preview, *, code: bool) -> None:
        for name, entities in seen.entities.items():
            self.out.rule(f"{name}: {len(seen.records[name])} records, {len(entities)} entities")
            for record in seen.records[name]:
                self.out.print(Text(_compact(record), style="dim"))
            for entity in entities:
                self.out.print(Text(orjson.dumps(entity, option=orjson.OPT_INDENT_2).decode()))
        for reject in seen.rejects:
            self.warning(f"{reject['dataset']} record {reject['number']}: {reject['reason']}")
        for name, tally in seen.tally["datasets"].items():
            if tally["unmapped"]:
                self.note(
                    f"{name}: fields neither mapped nor ignored: {', '.join(tally['unmapped'])}"
                )
        if code:
            self.out.print(Text(seen.code))

    def report(self, report: Report) -> None:
        """One run: what was read, planned, loaded, verified."""
        outcome = Text(report.outcome, style=_STYLES.get(report.outcome, ""))
        self.out.print(
            Text.assemble(f"{report.job} {report.mode}  ", outcome, f"  {report.run_id}")
        )
        if report.extracted:
            table = _table("dataset", "records", "entities", "rejects", "read", "evidence")
            for name, read in report.extracted.datasets.items():
                state = "complete" if read.complete else "partial"
                table.add_row(
                    name,
                    str(read.records),
                    str(read.entities),
                    str(read.rejects),
                    Text(state, style="green" if read.complete else "yellow"),
                    read.evidence,
                )
            self.out.print(table)
        for line in _figures(report):
            self.out.print(line)

    def changes(self, changes: Sequence[Change], total: int) -> None:
        table = _table("", "entity", "kind", "dataset", "category")
        for change in changes:
            sign, style = _SIGNS[type(change).__name__]
            table.add_row(
                Text(sign, style=style),
                Text(change.id),
                change.kind,
                Text(change.dataset),
                Text(change.category),
            )
        if changes:
            self.out.print(table)
        if total > len(changes):
            self.out.print(f"… and {total - len(changes)} more")

    def runs(self, runs: Iterable[Run]) -> None:
        table = _table(
            "run", "job", "mode", "outcome", "started", "s", "records", "plan", "rejects"
        )
        for run in runs:
            seconds = f"{(run.ended - run.started).total_seconds():.1f}" if run.ended else ""
            table.add_row(
                run.id,
                run.feed.job,
                run.mode,
                Text(run.outcome, style=_STYLES.get(run.outcome, "")),
                _moment(run.started),
                seconds,
                str(run.counts.get("records", "")),
                plan_words(run.counts.get("plan", {})),
                str(run.counts.get("rejects", "")),
            )
        self.out.print(table)

    def rejects(self, rejects: Sequence[Reject], totals: dict[tuple[str, str], int]) -> None:
        table = _table("dataset", "record", "rule", "reason", "as read")
        for reject in rejects:
            table.add_row(
                Text(reject.dataset),
                str(reject.number or ""),
                Text(reject.rule),
                Text(reject.reason),
                Text(_compact(reject.record)[:120]),
            )
        self.out.print(table)
        total = sum(totals.values())
        if total > len(rejects):
            self.out.print(f"{total} rejects in all; the first {len(rejects)} are kept")


def plan_words(tally: dict[str, int]) -> str:
    """`+3 ~1 -2`, in the signs of the table of changes; `none` when nothing changes."""
    words = [
        f"{sign}{tally[action]}"
        for action, (sign, _) in ((name.lower(), style) for name, style in _SIGNS.items())
        if tally.get(action)
    ]
    return " ".join(words) or ("none" if tally else "")


def _figures(report: Report) -> Iterator[str]:
    if report.planned:
        yield f"plan      {plan_words(report.planned.counts)}   checksum {report.planned.checksum}"
    if report.loaded:
        done = ", ".join(f"{count} {action}" for action, count in report.loaded.counts.items())
        yield f"loaded    {done or 'nothing'} in {report.loaded.attempts} imports"
    if report.verified and report.verified.expected:
        yield f"verified  {report.verified.found} of {report.verified.expected} read back"
    if report.rejects:
        yield f"rejects   {report.rejects}   (refsync rejects {report.run_id})"


def _console(*, stderr: bool) -> Console:
    """Of the terminal's width; a pipe has none, and nothing is folded for it."""
    console = Console(stderr=stderr, highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console.width = 240
    return console


def _compact(record: Any) -> str:
    return orjson.dumps(record, default=str).decode()


def _table(*names: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in names:
        table.add_column(name, overflow="fold")
    return table


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"


class _PlainLines:
    """Progress in a log: one line a stage every few seconds, and its last figure."""

    def __init__(self, shown: Shown) -> None:
        self._shown = shown
        self._last: dict[str, float] = {}

    def tell(self, stage: str, done: int, total: int | None) -> None:
        now = time.monotonic()
        over = total is not None and done >= total
        if over or now - self._last.get(stage, now - _EVERY) >= _EVERY:
            self._last[stage] = now
            self._shown.note(f"{stage}: {done}{'' if total is None else f' of {total}'}")
