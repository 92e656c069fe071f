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

from flows.check import Check
from flows.endpoints import Endpoint
from flows.files import as_json
from flows.misdeclared import Fault
from flows.preview import Preview
from flows.run import Report
from flows.workplace import Progress as Tell
from referential.change import Change, Sent
from referential.entity import split_keys
from referential.history import Reject, Run

_STYLES = {
    "done": "green",
    "nothing-to-do": "green",
    "running": "cyan",
    "partial": "yellow",
    "held": "yellow",
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
    "Prune": ("*", "yellow"),
}
_JSON = orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS
# C0 but the line feed, delete, C1: an id could move the cursor or change the colours
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(10), *range(11, 32), *range(127, 160))}
_EVERY = 5.0  # seconds between two lines of progress where there is no terminal


@dataclass
class Shown:
    """The two streams of a command; `as_json` leaves stdout to one JSON document."""

    as_json: bool = False
    out: Console = field(default_factory=lambda: _console(stderr=False))
    err: Console = field(default_factory=lambda: _console(stderr=True))

    def json(self, document: Any) -> None:
        sys.stdout.buffer.write(orjson.dumps(document, default=as_json, option=_JSON) + b"\n")
        sys.stdout.buffer.flush()

    def error(self, message: str) -> None:
        first, _, rest = message.partition("\n")
        self.err.print(Text.assemble(("error: ", "bold red"), _clean(first)))
        if rest:
            self.err.print(_text(rest))

    def warning(self, message: str) -> None:
        self.err.print(Text.assemble(("warning: ", "bold yellow"), _clean(message)))

    def note(self, message: str) -> None:
        self.err.print(_text(message))

    def line(self, text: str, style: str = "") -> None:
        """One line of the result."""
        self.out.print(_text(text, style))

    def table(self, names: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        table = _table(*names)
        for row in rows:
            table.add_row(*map(_text, row))
        self.out.print(table)

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

    def checked(self, seen: Check) -> None:
        """Jobs that compile and, when they were asked, what their connections answer."""
        table = _table("job", "source", "datasets")
        for row in seen.jobs:
            table.add_row(row["job"], row["source"], ", ".join(row["datasets"]))
        for fault in seen.faults:
            self.error(str(Fault(fault["where"], fault["what"], fault["mend"])))
        for warning in seen.warnings:
            self.warning(warning)
        for endpoint in seen.connections:
            if endpoint.failure:
                self.error(f"connection {endpoint.connection}: {endpoint.failure}")
        if seen.jobs:
            self.out.print(table)
        if seen.connections:
            self.out.print(_connections(seen.connections))
        unsound = sum(not each.sound for each in seen.connections)
        counts = ((len(seen.faults), "fault"), (unsound, "unsound connection"))
        bad = "".join(f", {many(count, word)}" for count, word in counts if count)
        verb = "compiles" if len(seen.jobs) == 1 else "compile"
        self.out.print(f"{many(len(seen.jobs), 'job')} {verb}{bad}")

    def preview(self, seen: Preview, *, code: bool) -> None:
        for name, entities in seen.entities.items():
            self.out.rule(f"{name}: {len(seen.records[name])} records, {len(entities)} entities")
            for record in seen.records[name]:
                self.out.print(_text(_compact(record), style="dim"))
            for entity in entities:
                self.out.print(_text(orjson.dumps(entity, option=orjson.OPT_INDENT_2).decode()))
        for reject in seen.rejects:
            self.warning(f"{reject['dataset']} record {reject['number']}: {reject['reason']}")
        for name, tally in seen.tally["datasets"].items():
            if tally["filtered"]:
                self.note(f"{name}: {tally['filtered']} left out by when")
        for line in (*seen.notes, *(remark.text for remark in seen.remarks)):
            self.note(line)
        if code:
            self.out.print(_text(seen.code))

    def report(self, report: Report) -> None:
        """One run: what was read, planned, loaded, verified."""
        outcome = _text(report.outcome, style=_STYLES.get(report.outcome, ""))
        self.out.print(
            Text.assemble(f"{report.job} {report.mode}  ", outcome, f"  {report.run_id}")
        )
        if report.extracted:
            names = ("dataset", "records", "entities", "filtered", "rejects", "read", "evidence")
            table = _table(*names)
            for name, read in report.extracted.datasets.items():
                state = "complete" if read.complete else "partial"
                table.add_row(
                    name,
                    str(read.records),
                    "table" if read.table else str(read.entities),
                    str(read.filtered),
                    str(read.rejects),
                    _text(state, style="green" if read.complete else "yellow"),
                    _text(read.evidence),
                )
            self.out.print(table)
        for line in _figures(report):
            self.out.print(line)

    def changes(self, changes: Sequence[Change], total: int) -> None:
        losing = any(lost_by(change) for change in changes)
        table = _table("", "entity", "kind", "dataset", "category", *["loses"][: int(losing)])
        for change in changes:
            sign, style = _SIGNS[type(change).__name__]
            table.add_row(
                _text(sign, style=style),
                _text(change.id),
                change.kind,
                _text(change.dataset),
                _text(change.category),
                *[_text(lost_by(change))][: int(losing)],
            )
        if changes:
            self.out.print(table)
        if total > len(changes):
            self.out.print(f"… and {total - len(changes)} more")

    def runs(self, runs: Sequence[Run]) -> None:
        several = len({run.feed for run in runs}) > len({run.feed.job for run in runs})
        table = _table(
            "run",
            "job",
            *["target"][: int(several)],
            "mode",
            "outcome",
            "started",
            "s",
            "records",
            "plan",
            "rejects",
        )
        for run in runs:
            seconds = f"{(run.ended - run.started).total_seconds():.1f}" if run.ended else ""
            table.add_row(
                run.id,
                run.feed.job,
                *[run.feed.target][: int(several)],
                run.mode,
                _text(run.outcome, style=_STYLES.get(run.outcome, "")),
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
                _text(reject.dataset),
                str(reject.number or ""),
                _text(reject.rule),
                _text(reject.reason),
                _text(_compact(reject.record)[:120]),
            )
        self.out.print(table)
        total = sum(totals.values())
        if total > len(rejects):
            self.out.print(f"{total} rejects in all; the first {len(rejects)} are kept")


def lost_by(change: Change) -> str:
    """The infos, and the category, that a change takes away."""
    if not isinstance(change, Sent):
        return ""
    category = [f"category {change.cleared}"] if change.cleared else []
    return ", ".join([*split_keys(change.stale), *category])


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
        if waiting := report.planned.tally.get("waiting"):
            yield f"waiting   {waiting} missing, not for long enough to be removed (missing_after)"
    if report.loaded:
        done = ", ".join(f"{count} {action}" for action, count in report.loaded.counts.items())
        yield f"loaded    {done or 'nothing'} in {report.loaded.attempts} imports"
        if report.loaded.pruned:
            what = many(sum(report.loaded.pruned.values()), "info")
            yield f"pruned    {what} or categories of {len(report.loaded.pruned)} entities"
        if report.loaded.manual:
            off = len(report.loaded.manual)
            yield f"manual    {off} updated and left off, as somebody put them"
    if report.verified and report.verified.expected:
        yield f"verified  {report.verified.found} of {report.verified.expected} read back"
    if report.held:
        yield f"held      {report.held} removals wait to be accepted"
    if report.left:
        yield f"left      {len(report.left)} changes are to be made again"
    if report.rejects:
        yield f"rejects   {report.rejects}   (refsync rejects {report.run_id})"


def _console(*, stderr: bool) -> Console:
    """Of the terminal's width; a pipe has none, and nothing is folded for it."""
    console = Console(
        # brackets and colons in what is shown are its own: neither markup nor emoji
        stderr=stderr,
        highlight=False,
        soft_wrap=True,
        markup=False,
        emoji=False,
    )
    if not console.is_terminal:
        console.width = 240
    return console


def many(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"


def _text(text: str, style: str = "") -> Text:
    return Text(_clean(text), style=style)


def _clean(text: str) -> str:
    """*text* without characters that a terminal would obey: it comes from outside."""
    return text.translate(_CONTROLS)


def _compact(record: Any) -> str:
    return orjson.dumps(record, default=str).decode()


def _table(*names: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in names:
        table.add_column(name, overflow="fold")
    return table


def _connections(endpoints: Iterable[Endpoint]) -> Table:
    """A line for each connection: who answers, who we are there, what we may do and what not."""
    table = _table("connection", "type", "version", "as", "rights", "lacking")
    for each in endpoints:
        lacking = "no answer" if each.failure else ", ".join(each.lacking) or "nothing"
        table.add_row(
            *map(_text, (each.connection, each.type, each.version, each.identity)),
            _text(", ".join(each.rights)),
            _text(lacking, style="" if each.sound else "bold red"),
        )
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
