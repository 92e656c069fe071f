"""Spans of time as people write them: `90m`, `26h`, `2d`, `3600s`."""

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

_SPAN = re.compile(r"(?P<number>[0-9]{1,6})(?P<unit>[smhd])", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def span_of(text: str) -> timedelta | None:
    """The span that *text* tells, longer than nothing; None when it tells none."""
    found = _SPAN.fullmatch(text)
    if found is None or not int(found["number"]):
        return None
    return timedelta(**{_UNITS[found["unit"]]: int(found["number"])})


def _seconds_of(written: Any) -> Any:
    """`90m` → 5400; what is no span is left to be refused."""
    span = span_of(written) if isinstance(written, str) else None
    return written if span is None else int(span.total_seconds())


Seconds = Annotated[
    int, BeforeValidator(_seconds_of, json_schema_input_type=int | str), Field(ge=1, le=2_592_000)
]
