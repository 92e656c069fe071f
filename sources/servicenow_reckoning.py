"""What was read against what is counted: is it all, and if not, is it known why?

Both counts hold rows that access rules hide from the account, so that fewer may rightly be read;
what they may not do is to contradict each other (specs/servicenow.md §4.3, §6).
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sources.base import Complete, Outcome, Partial
from sources.servicenow_client import Instance, View
from sources.servicenow_query import Rows

log = logging.getLogger(__name__)

_ROUNDS: Final = 2


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows by X-Total-Count and by /stats, hidden ones included; None: the instance does not say.

    `agree`: neither speaks against the other.
    """

    total: int | None
    statistic: int | None
    agree: bool = True


def counts_of(instance: Instance, view: View, parts: Sequence[Rows], before: int | None) -> Counts:
    """Both counts of the rows of all *parts*, at the end of a reading; *before* is the first total.

    The table may change between two calls: where /stats is neither of the two totals around it,
    they are asked again, and it may be between them then.
    """
    statistic = None
    for number in range(1, _ROUNDS + 1):
        statistic = total_of([instance.statistic(view, rows) for rows in parts])
        if before is None or statistic is None or before == statistic:
            return Counts(before, statistic)
        after = total_of([instance.total(view, rows) for rows in parts])
        # A wrong total moves as the table does: twice it is not between.
        between = after is not None and min(before, after) <= statistic <= max(before, after)
        if after == statistic or (between and number == _ROUNDS):
            return Counts(after, statistic)
        before = after
    return Counts(before, statistic, agree=False)


def reckoned(
    counts: Counts, received: int, *, table: str, max_hidden: float, remarks: Sequence[str] = ()
) -> Outcome:
    """The outcome of a walk that came to its end with *received* rows."""
    total = counts.total
    if total is None:
        return Partial("no total confirms what was read: neither X-Total-Count nor /stats")
    if not counts.agree:
        return Partial(
            f"X-Total-Count says {total:,} and /stats {counts.statistic:,}; "
            f"{received:,} rows were read"
        )
    if received > total and counts.statistic is None:
        return Partial(f"X-Total-Count says {total:,}, {received:,} rows were read")
    lacking = max(total - received, 0)
    if lacking and not received and max_hidden < 1:
        return Partial(
            f"none of the {total:,} rows that are counted is shown to the account: ask for the "
            f"right to read the rows of {table}"
        )
    if lacking > max_hidden * total:
        return Partial(
            f"{lacking:,} of {total:,} rows are not shown to the account, more than `max_hidden` "
            f"lets pass ({max_hidden:.0%}): it may have lost a right to read {table}"
        )
    if lacking:
        log.warning(
            "%s: %d of %d rows that are counted were not shown: hidden from the account by access "
            "rules, or come while reading",
            table,
            lacking,
            total,
        )
    facts = [f"{received:,} rows", "every sys_id once and in order", _told(counts, received)]
    return Complete(", ".join([*facts, *remarks]))


def _told(counts: Counts, received: int) -> str:
    total, statistic = counts.total or 0, counts.statistic
    says = f"X-Total-Count and /stats say {total:,}"
    if statistic is None:
        says = f"X-Total-Count says {total:,} and /stats is not to be read"
    elif statistic != total:
        says = f"X-Total-Count says {total:,} and /stats {statistic:,}"
    if received < total:
        return f"{says}: {total - received:,} are hidden from the account or came while reading"
    if received > total:
        return f"{says}: {received - total:,} went while they were read"
    return says


def total_of(numbers: Sequence[int | None]) -> int | None:
    """Their sum; None when one of them is not known."""
    known = [number for number in numbers if number is not None]
    return sum(known) if len(known) == len(numbers) else None
