"""Tests of a value by the conditions of `when`, in the words of patterns (`mappings.when_rule`)."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from mappings import casts
from mappings.goregexp import compile_regexp
from mappings.pattern import regexp_text
from mappings.rejects import Refusal

Test = Callable[[Any], bool]

OPPOSITES = {
    "neq": "eq",
    "is_not_one_of": "is_one_of",
    "not_contain": "contain",
    "not_begin_with": "begin_with",
    "not_end_with": "end_with",
    "has_not": "has_one_of",
}


def _plain(value: Any) -> str | None:
    """The text of a scalar; None for anything else."""
    try:
        return casts.text(value)
    except Refusal:
        return None


def _number(value: Any) -> float:
    """The number, not a number for anything else."""
    try:
        return math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return math.nan


def _text_of(value: Any) -> str:
    found = casts.text(value)
    if not found:
        raise Refusal("empty", "a text is wanted")
    return found


def _number_of(value: Any) -> float:
    number = _number(value)
    if math.isnan(number):
        raise Refusal("not a number", "a number is wanted")
    return number


def _list_of(value: Any) -> frozenset[str]:
    return frozenset(casts.words(value))


def _words(value: Any) -> set[str | None]:
    return {_plain(each) for each in (value if isinstance(value, list) else [value])} - {None}


def _equal(wanted: Any) -> Test:
    word = casts.text(wanted)
    return lambda value: _plain(value) == word


def _one_of(wanted: Any) -> Test:
    words = _list_of(wanted)
    return lambda value: _plain(value) in words


def _contains(wanted: Any) -> Test:
    word = _text_of(wanted)
    return lambda value: word in (_plain(value) or "")


def _begins(wanted: Any) -> Test:
    word = _text_of(wanted)
    return lambda value: (_plain(value) or "").startswith(word)


def _ends(wanted: Any) -> Test:
    word = _text_of(wanted)
    return lambda value: (_plain(value) or "").endswith(word)


def _matches(wanted: Any) -> Test:
    groups = compile_regexp(regexp_text(wanted) or "").groups
    return lambda value: (word := _plain(value)) is not None and groups(word) is not None


def _exists(wanted: Any) -> Test:
    there = casts.truth(wanted)
    return lambda value: (value not in (None, "", [], {})) is there


def _above(wanted: Any) -> Test:
    number = _number_of(wanted)
    return lambda value: _number(value) > number


def _below(wanted: Any) -> Test:
    number = _number_of(wanted)
    return lambda value: _number(value) < number


def _has_one(wanted: Any) -> Test:
    words = _list_of(wanted)
    return lambda value: not words.isdisjoint(_words(value))


def _has_every(wanted: Any) -> Test:
    words = _list_of(wanted)
    return lambda value: words <= _words(value)


def _is_empty(wanted: Any) -> Test:
    empty = casts.truth(wanted)
    return lambda value: (value in (None, [])) is empty


TESTS: Mapping[str, Callable[[Any], Test]] = {
    "eq": _equal,
    "is_one_of": _one_of,
    "contain": _contains,
    "begin_with": _begins,
    "end_with": _ends,
    "regexp": _matches,
    "exist": _exists,
    "gt": _above,
    "lt": _below,
    "has_one_of": _has_one,
    "has_every": _has_every,
    "is_empty": _is_empty,
}
