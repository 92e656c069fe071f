"""A failing input made smaller: parts are left out as long as it fails in the same way."""

import time
from collections.abc import Callable, Iterator
from typing import Any

from tests.fuzz_watch import Case

_SPANS = (2, 3, 4, 8, 16, 32, 64, 128)  # a text, a list is cut into so many parts


def shrunk(case: Case, fails: Callable[[Case], bool], seconds: float) -> Case:
    """The smallest input found in *seconds* of a clock that still *fails*."""
    end = time.monotonic() + seconds
    smaller = True
    while smaller:
        smaller = False
        for candidate in _smaller(case):
            if time.monotonic() > end:
                return case
            if fails(candidate):
                case, smaller = candidate, True
                break
    return case


def _smaller(case: Case) -> Iterator[Case]:
    """The same input with one value made smaller, the boldest cuts first; no key is left out."""
    for key, value in sorted(case.items(), key=lambda item: -len(repr(item[1]))):
        for less in _less(value):
            yield {**case, key: less}


def _less(value: Any) -> Iterator[Any]:
    # exact classes: what a test handed over as another type means something by it
    if value.__class__ is str:
        yield from _cut(value)
    elif value.__class__ is list:
        yield from _cut(value)
        for rank, each in enumerate(value):
            yield from ([*value[:rank], less, *value[rank + 1 :]] for less in _less(each))
    elif value.__class__ is dict:
        for key in value:
            yield {each: value[each] for each in value if each != key}
        for key, each in value.items():
            yield from ({**value, key: less} for less in _less(each))


def _cut(value: Any) -> Iterator[Any]:
    """A text, a list without one of its parts, the largest first."""
    if value:
        yield value[:0]
    for parts in _SPANS:
        size = len(value) // parts
        if size < 2:
            break
        for start in range(0, len(value), size):
            yield value[:start] + value[start + size :]
    for rank in range(min(len(value), 400)):
        yield value[:rank] + value[rank + 1 :]
