"""What `refsync deploy` and `refsync serve` print."""

from dataclasses import dataclass
from typing import Any

from flows.console import Shown, many
from flows.deployable import Deployable, Found, in_words
from flows.misdeclared import Fault
from flows.rollout import Rollout, Step


@dataclass(frozen=True, slots=True)
class Shape:
    """How it was asked for; `pool` "" is this process itself."""

    pool: str = ""
    dry_run: bool = False
    prune: bool = False


def show_rollout(shown: Shown, shape: Shape, found: Found, rollout: Rollout) -> None:
    """A line for each deployment, or one JSON document; what was left out, and why, on stderr."""
    for fault in found.faults:
        shown.error(str(Fault(fault["where"], fault["what"], fault["mend"])))
    if shown.as_json:
        shown.json(_document(shape, found, rollout))
        return
    by_name = {each.full_name: each for each in found.deployables}
    names = ("deployment", "done" if not shape.dry_run else "would be", "changed", "runs")
    rows = [
        (step.name, step.action, ", ".join(step.changed), _runs(by_name.get(step.name), step))
        for step in rollout.steps
    ]
    shown.table(names, rows)
    for note in _notes(shape, found, rollout):
        shown.note(note)


def _runs(deployable: Deployable | None, step: Step) -> str:
    if deployable is None or deployable.schedule is None:
        return "" if step.action in ("pruned", "obsolete") else "when asked to"
    return in_words(deployable.schedule) + (", paused" if step.paused else "")


def _notes(shape: Shape, found: Found, rollout: Rollout) -> list[str]:
    notes = []
    if found.unscheduled:
        which = many(len(found.unscheduled), "job")
        notes.append(f"{which} without a schedule: {', '.join(found.unscheduled)}")
    obsolete = [step.name for step in rollout.steps if step.action == "obsolete"]
    if obsolete and shape.prune:
        which = many(len(obsolete), "deployment")
        notes.append(f"{which} not pruned: first every job must compile")
    elif obsolete:
        which = many(len(obsolete), "deployment")
        notes.append(f"{which} whose job is gone, or has no schedule: --prune deletes them")
    if rollout.others:
        which = many(len(rollout.others), "deployment")
        folders = ", ".join(sorted({folder or "?" for folder in rollout.others.values()}))
        notes.append(f"{which} of other folders of jobs left alone: {folders}")
    return notes


def _document(shape: Shape, found: Found, rollout: Rollout) -> dict[str, Any]:
    by_name = {each.full_name: each for each in found.deployables}
    return {
        "pool": shape.pool,
        "dry_run": shape.dry_run,
        "deployments": [
            {
                "name": step.name,
                "action": step.action,
                "id": step.id,
                "changed": list(step.changed),
                "runs": _runs(by_name.get(step.name), step),
                "paused": step.paused,
            }
            for step in rollout.steps
        ],
        "unscheduled": found.unscheduled,
        "others": rollout.others,
        "faults": found.faults,
    }
