"""Whether a load came to its end: the plan made again must be empty.

It would be made of what the run found and of what the ledger says by now, less what reading back
took from it. Of most loads `is_carried_out` shows that it is empty; else it is made. What is left
has a reason, or is told as what it is: a run that does not converge.
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from referential.change import REMOVED
from referential.ledger import Ledger
from referential.plan import Plan

SHOWN = 20  # ids that a message names
_COMPARED = ("id", "kind", "dataset", "category", "infos", "fingerprint")


@dataclass(frozen=True, slots=True)
class Left:
    """A change that would have to be made again; `explained` where a reject tells why already."""

    id: str
    dataset: str
    action: str
    explained: bool

    @property
    def reason(self) -> str:
        return f"it does not converge: once loaded and read back, a plan would {self.action} it"


def is_carried_out(plan: Plan, ledger: Ledger, run: str) -> bool:
    """Whether the ledger shows that a plan made again would be empty; False: it must be made.

    What a plan leaves alone stays as it is, for the run holds its feed: so it is enough that the
    ledger has everything else as it was found. What is switched or taken away may decide what
    becomes of others (a component stays for its resources): that is not judged here.
    """
    changes = plan.changes
    if not (changes["size"] > 0).all():
        return False
    columns = {name: changes[name].to_numpy().tolist() for name in _COMPARED}
    return ledger.recorded(plan.feed, run, columns)


def left_over(
    again: Plan, *, rejected: AbstractSet[str], removals_wait: bool = False
) -> tuple[Left, ...]:
    """What *again*, the plan made after the load, still has to do.

    `rejected` are the ids that Canopsis refused or did not hold after all; removals that wait to be
    accepted are no failure of the load.
    """
    actions, ids, datasets = (
        again.changes[name].to_numpy().tolist() for name in ("action", "id", "dataset")
    )
    return tuple(
        Left(identity, dataset, action, explained=identity in rejected)
        for action, identity, dataset in zip(actions, ids, datasets, strict=True)
        if not (removals_wait and action in REMOVED)
    )


def told_of(left: tuple[Left, ...]) -> str:
    """The message on what nothing explains; empty when there is none."""
    odd = [each for each in left if not each.explained]
    if not odd:
        return ""
    named = ", ".join(f"{each.id} ({each.action})" for each in odd[:SHOWN])
    more = f" and {len(odd) - SHOWN:,} more" if len(odd) > SHOWN else ""
    return (
        f"the load does not converge: {len(odd):,} changes are to be made again: {named}{more}\n"
        "  mend: run it again; if they come again, look at what else writes these entities"
    )
