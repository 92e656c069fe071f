"""What is to be done to each deployment, decided from what should be there and what is.

Both are compared as documents, plain data: a deployment that says already what it should is left
alone, with its scheduled runs. What operators set in Prefect is theirs: a pause, further schedules.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from flows.deployable import TAG
from flows.misdeclared import Fault, Misdeclared
from flows.placement import ORIGIN

Action = Literal["created", "updated", "unchanged", "pruned", "obsolete"]
Document = dict[str, Any]  # of a deployment, by the words of Prefect's API

_WORDS: Final = {  # what is said to have changed
    "parameter_openapi_schema": "form",
    "concurrency_limit": "limit",
    "concurrency_options": "collision",
    "work_pool_name": "pool",
    "job_variables": "variables",
    "pull_steps": "code",
    "entrypoint": "code",
    "path": "code",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """A deployment as Prefect has it; `schedule` of `document` is the one that refsync gave it."""

    id: str
    name: str
    document: Document
    paused: bool = False

    @property
    def ours(self) -> bool:
        return TAG in self.document["tags"]

    @property
    def origin(self) -> str:
        """The folder of jobs that it was made of; "" when it does not say."""
        environment = self.document["job_variables"].get("env") or {}
        return str(environment.get(ORIGIN, ""))


@dataclass(frozen=True, slots=True)
class Step:
    """What is done to one deployment; `changed` are the words that an update changes."""

    name: str
    action: Action
    id: str = ""
    changed: tuple[str, ...] = ()
    paused: bool = False
    document: Document = field(default_factory=dict)

    def done(self, identity: str) -> "Step":
        return replace(self, id=identity)


@dataclass(frozen=True, slots=True)
class Rollout:
    """All steps by name; `others` were made of other folders of jobs, and are left alone."""

    steps: tuple[Step, ...]
    others: dict[str, str]  # name -> folder


def decide(
    wanted: Mapping[str, Document],
    there: Iterable[Standing],
    *,
    kept: Collection[str],
    origin: str,
    prune: bool,
) -> Rollout:
    """The steps from what is *there* to what is *wanted*.

    *kept* are the names of everything that the folder *origin* deploys, asked for or not; what
    else was made of it is obsolete, and pruned when that is asked for. Raises Misdeclared when a
    name is taken by a deployment that is not ours.
    """
    standing = {each.name: each for each in there}
    taken = [name for name in wanted if name in standing and not standing[name].ours]
    if taken:
        raise Misdeclared([_taken(name) for name in taken])
    steps = [_step(name, document, standing.get(name)) for name, document in wanted.items()]
    gone = [each for each in standing.values() if each.ours and each.name not in kept]
    for each in gone:
        if each.origin == origin:
            action: Action = "pruned" if prune else "obsolete"
            steps.append(Step(each.name, action, each.id, paused=each.paused))
    others = {each.name: each.origin for each in gone if each.origin != origin}
    return Rollout(tuple(sorted(steps, key=lambda step: step.name)), others)


def _step(name: str, document: Document, there: Standing | None) -> Step:
    if there is None:
        return Step(name, "created", document=document)
    changed = {
        _WORDS.get(key, key) for key, value in document.items() if there.document[key] != value
    }
    action: Action = "updated" if changed else "unchanged"
    return Step(name, action, there.id, tuple(sorted(changed)), there.paused, document)


def _taken(name: str) -> Fault:
    what = f"Prefect has a deployment {name!r} that refsync did not make"
    mend = (
        f"prefect deployment delete '{name}', or give it the tag {TAG!r} there to hand it over;"
        " its id and its runs stay then"
    )
    return Fault(f"deployment {name}", what, mend)
