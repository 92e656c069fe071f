"""What Prefect shows of a run: a summary in Markdown, a table of changes."""

from typing import Any

from flows.run import Report
from flows.settings import Settings
from flows.spool import Spool
from referential.plan import Plan

_REMARKS = 40  # lines of them


def summary_markdown(report: Report) -> str:
    """Outcome, what was read and how complete, the plan, what was loaded and read back."""
    lines = [f"## {report.job}: {report.outcome}", "", f"run `{report.run_id}`, mode {report.mode}"]
    if report.message:
        lines += ["", "```", report.message.replace("```", "'''"), "```"]
    if report.extracted:
        lines += ["", "| dataset | records | entities | filtered | rejects | read | evidence |"]
        lines += ["|---|---:|---:|---:|---:|---|---|"]
        for name, read in report.extracted.datasets.items():
            state = "complete" if read.complete else "**partial**"
            made = "table" if read.table else read.entities
            figures = (read.records, made, read.filtered, read.rejects)
            cells = map(str, (name, *figures, state, read.evidence))
            lines.append(f"| {' | '.join(map(_cell, cells))} |")
    if report.planned:
        counts = ", ".join(f"{n} {action}" for action, n in report.planned.counts.items() if n)
        lines += ["", f"plan: {counts or 'nothing to do'} (checksum `{report.planned.checksum}`)"]
    if report.loaded:
        lines += ["", f"loaded in {report.loaded.attempts} imports, {report.loaded.bytes} bytes"]
    if report.verified and report.verified.expected:
        lines += ["", f"read back: {report.verified.found} of {report.verified.expected}"]
    lines += _undone(report)
    if report.rejects:
        lines += ["", f"rejects: {report.rejects}, see `refsync rejects {report.run_id}`"]
    if report.remarks:
        lines += ["", "remarks:", ""]
        lines += [f"- {_line(remark.text)}" for remark in report.remarks[:_REMARKS]]
        rest = len(report.remarks) - _REMARKS
        lines += [f"- and {rest} more, in the report"] if rest > 0 else []
    return "\n".join(lines)


def _undone(report: Report) -> list[str]:
    """What the run left to do, to be accepted or to be made again."""
    lines = []
    if report.held:
        lines += ["", f"**{report.held} removals wait** to be accepted"]
    if report.left:
        lines += ["", f"**{len(report.left)} changes are left** to be made after the load"]
    return lines


def changes_table(settings: Settings, report: Report, limit: int) -> list[dict[str, Any]]:
    """The first changes of the run's plan, a row each; empty when there was no plan."""
    path = Spool(settings.spool / report.job / report.run_id).plan
    if report.planned is None or report.planned.empty or not path.exists():
        return []
    return [
        {
            "change": type(change).__name__,
            "entity": change.id,
            "kind": change.kind,
            "dataset": change.dataset,
            "category": change.category,
        }
        for change in Plan.load(path).head(limit)
    ]


def _cell(text: str) -> str:
    return _line(text).replace("|", "\\|")


def _line(text: str) -> str:
    return text.replace("\n", " ").replace("<", "&lt;")
