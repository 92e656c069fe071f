"""The headers that tell of pages: X-Total-Count and Link (spec §1.2)."""

import re
from dataclasses import dataclass
from typing import Final

from sandbox.servicenow_knobs import ServiceNowKnobs

_OFFSET: Final = re.compile(r"(^|&)sysparm_offset=[^&]*")


@dataclass(frozen=True, slots=True)
class Asked:
    """The page a call asks for, out of *total* rows."""

    offset: int
    limit: int
    total: int
    counted: bool  # not with sysparm_no_count=true
    linked: bool  # not with sysparm_suppress_pagination_header=true


def page_headers(knobs: ServiceNowKnobs, asked: Asked, path: str, query: str) -> dict[str, str]:
    """*path* and *query* as they were called, for the links."""
    headers = {}
    if asked.counted or knobs.no_count_header:
        headers["X-Total-Count"] = str(max(asked.total + knobs.total_error, 0))
    steps = _steps(knobs, asked)
    if asked.linked and steps:
        base = f"https://{knobs.host}{path}"
        headers["Link"] = ",".join(
            f'<{base}?{_moved(query, offset)}>;rel="{rel}"' for rel, offset in steps.items()
        )
    return headers


def _steps(knobs: ServiceNowKnobs, asked: Asked) -> dict[str, int]:
    """Offset of each link; none at all when one page holds everything."""
    total = asked.total + knobs.total_error
    if total <= asked.limit:
        return {}
    steps = {"first": 0}
    if asked.offset > 0:
        steps["prev"] = max(asked.offset - asked.limit, 0)
    elif knobs.negative_prev:
        steps["prev"] = -1
    if asked.offset + asked.limit < total:
        steps["next"] = asked.offset + asked.limit
    if asked.counted and asked.limit:
        steps["last"] = (total - 1) // asked.limit * asked.limit
    return steps


def _moved(query: str, offset: int) -> str:
    moved = f"sysparm_offset={offset}"
    if _OFFSET.search(query):
        return _OFFSET.sub(lambda found: f"{found[1]}{moved}", query)
    return f"{query}&{moved}" if query else moved
