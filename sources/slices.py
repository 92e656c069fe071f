"""Slices of one dataset put together: is what they read side by side the whole of it?"""

from collections.abc import Sequence
from itertools import pairwise

from sources.base import Complete, Outcome, Partial


def joined(outcomes: Sequence[Outcome]) -> Outcome:
    """The outcome of a dataset from those of its slices, in the order of the slices.

    Slices cut by rank carry a seam: the record before the first one of a slice must be the last
    one of the slice before it, else rows moved between the two readings.
    """
    doubts = [each.reason for each in outcomes if isinstance(each, Partial)]
    complete = [each for each in outcomes if isinstance(each, Complete)]
    if not doubts:
        doubts = [
            f"rows moved while they were read: slice {rank + 1} does not begin where slice {rank} "
            "ends"
            for rank, (before, after) in enumerate(pairwise(complete), start=1)
            if before.seam and after.seam and before.seam[1] != after.seam[0]
        ]
    if doubts:
        return Partial("; ".join(dict.fromkeys(doubts)))
    evidence = "; ".join(dict.fromkeys(each.evidence for each in complete))
    taken = tuple(dict.fromkeys(name for each in complete for name in each.taken))
    return Complete(evidence, taken=taken)
