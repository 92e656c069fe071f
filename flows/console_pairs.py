"""What people read of golden pairs: the diff of each, and what became of recorded fields."""

from flows.console import Shown, many
from flows.misdeclared import Fault
from flows.pairs import Compared, Comparison
from flows.recording import Recording

_STATES = {"ok": "green", "written": "green", "differs": "red", "no pair": "yellow"}
_SIGNS = {"-": "red", "+": "green", "@": "cyan"}


def show_compared(shown: Shown, seen: Comparison) -> None:
    for each in seen.jobs:
        shown.line(f"{each.state:<8}  {each.job}{_counts(each)}", _STATES[each.state])
        for line in each.diff:
            bold = line.startswith(("--- ", "+++ "))
            shown.line(line, "bold" if bold else _SIGNS.get(line[:1], ""))
        for name in each.written:
            shown.line(f"          {name}")
    for fault in seen.faults:
        shown.error(str(Fault(fault["where"], fault["what"], fault["mend"])))
    different, without = seen.in_state("differs"), seen.in_state("no pair")
    compared = len(seen.jobs) - len(without)
    without_pair = f", {many(len(without), 'job')} without" if without else ""
    faults = f", {many(len(seen.faults), 'fault')}" if seen.faults else ""
    verb = "differs" if len(different) == 1 else "differ"
    shown.line(f"{many(compared, 'pair')}, {len(different)} {verb}{without_pair}{faults}")
    if different:
        names = " ".join(each.job for each in different)
        shown.error(
            f"{many(len(different), 'golden pair')} {verb} from what the mapping makes\n"
            f"  where: {names}\n"
            f"  mend: mend the mapping, or accept it: refsync test {names} --update"
        )


def _counts(seen: Compared) -> str:
    if seen.state == "no pair":
        return ""
    rejects = f", {many(seen.rejects, 'reject')}" if seen.rejects else ""
    entities = f"{seen.entities} {'entity' if seen.entities == 1 else 'entities'}"
    return f"  {many(seen.records, 'record')}, {entities}{rejects}"


def show_recorded(shown: Shown, seen: Recording) -> None:
    rows = [
        (
            each.dataset,
            each.field,
            each.treatment + ("" if each.declared else " (default)"),
            str(each.changed),
            str(each.kept),
        )
        for each in seen.fields
    ]
    shown.table(("dataset", "field", "rule", "changed", "as they were"), rows)
    for warning in seen.warnings:
        shown.warning(warning)
    records = ", ".join(
        f"{many(count, 'record')} of {name}" for name, count in seen.records.items()
    )
    shown.line(f"{seen.file}: {records}")
    shown.line(
        f"they give {seen.kept.entities} entities and {seen.kept.rejects} rejects; "
        f"the real ones {seen.real.entities} and {seen.real.rejects}"
    )
    shown.line(f"read them before you share them, then: refsync test {seen.job} --update")
