r"""From the tree of a regular expression to the source of an equivalent one for `re`.

The tree leaves nothing to flags or to what Python's classes mean: sets are spelled out, `$` is
`\Z`. Groups bear their names only where all of them can. The `regex` package reads the source in
the same sense.
"""

import re
from functools import lru_cache
from itertools import groupby

from mappings.golang.regexp_runes import ANY, LAST, NO_NEWLINE, Ranges, negate
from mappings.golang.regexp_tree import (
    Assertion,
    Atomic,
    Chars,
    Choice,
    Empty,
    Group,
    Look,
    Node,
    Parsed,
    Place,
    Reference,
    Repeat,
    Sequence,
    children,
)

_PLACES: dict[Place, str] = {
    "text_start": r"\A",
    "text_end": r"\Z",
    "line_start": "(?m:^)",
    "line_end": "(?m:$)",
    "word_boundary": r"(?a:\b)",
    "no_word_boundary": r"(?!(?a:\b))",  # Python's \B does not match the empty text; Go's does
}
# regexp2 knows the letters of every alphabet there, though its \w is ASCII
_EXTENDED_PLACES = _PLACES | {"word_boundary": r"\b", "no_word_boundary": r"(?!\b)"}


def translate(parsed: Parsed) -> str:
    """The source for `re.compile`, without flags; group numbers are those of *parsed*."""
    return _source(parsed.tree, parsed)


def _source(node: Node, parsed: Parsed) -> str:  # noqa: C901, PLR0911 - one case per kind of node
    match node:
        case Chars(ranges):
            return _set(ranges)
        case Empty():
            return ""
        case Assertion(place):
            return (_EXTENDED_PLACES if parsed.extended else _PLACES)[place]
        case Sequence(items):
            return "".join(_unit(item, parsed) for item in items)
        case Choice(branches):
            return "|".join(_source(branch, parsed) for branch in branches)
        case Repeat():
            return _repeat(node, parsed)
        case Group(item, number):
            name = f"?P<{parsed.names[number - 1]}>" if parsed.named else ""
            return f"({name}{_source(item, parsed)})"
        case Look(item, ahead, negative):
            opening = f"(?{'' if ahead else '<'}{'!' if negative else '='}"
            return f"{opening}{_source(item, parsed)})"
        case Atomic(item):
            return f"(?>{_source(item, parsed)})"
        case Reference(label):
            return rf"(?:\{parsed.numbers[label]})"


def spelled_out(node: Node) -> int:
    """About how many characters the source has once its counted repetitions are written out.

    That of a single character is counted by the engines, not written out.
    """
    if isinstance(node, Chars):
        return len(_set(node.ranges))
    copies = 1
    if isinstance(node, Repeat) and not isinstance(node.item, Chars):
        copies = max(1, node.low if node.high is None else node.high)
    return 1 + copies * sum(map(spelled_out, children(node)))


def longest_literal(node: Node) -> int:
    """How many characters in a row are spelled out at most, each a single one."""
    if not isinstance(node, Sequence):
        return max(map(longest_literal, children(node)), default=0)
    runs = groupby(node.items, key=lambda item: isinstance(item, Chars) and _is_one(item.ranges))
    inner = max(map(longest_literal, node.items), default=0)
    return max(inner, *(len(list(run)) for literal, run in runs if literal), 0)


def _is_one(ranges: Ranges) -> bool:
    return len(ranges) == 1 and ranges[0][0] == ranges[0][1]


def _unit(node: Node, parsed: Parsed) -> str:
    """The source of *node*, such that what stands beside it does not fall into it."""
    source = _source(node, parsed)
    return f"(?:{source})" if isinstance(node, Choice) else source


def _repeat(node: Repeat, parsed: Parsed) -> str:
    source = _source(node.item, parsed)
    if not isinstance(node.item, Chars | Group):
        source = f"(?:{source})"
    match node.low, node.high:
        case 0, None:
            operator = "*"
        case 1, None:
            operator = "+"
        case 0, 1:
            operator = "?"
        case low, high if low == high:
            operator = f"{{{low}}}"
        case low, high:
            operator = f"{{{low},{'' if high is None else high}}}"
    return f"{source}{operator}{'' if node.greedy else '?'}"


@lru_cache(maxsize=256)
def _set(ranges: Ranges) -> str:
    if ranges == ANY:
        return "(?s:.)"
    if ranges == NO_NEWLINE:
        return "."
    if not ranges:
        return "(?!)"
    if len(ranges) == 1 and ranges[0][0] == ranges[0][1]:
        return re.escape(chr(ranges[0][0]))
    outside = negate(ranges)
    if ranges[-1][1] == LAST and len(outside) <= len(ranges):
        return f"[^{_spans(outside)}]"
    return f"[{_spans(ranges)}]"


def _spans(ranges: Ranges) -> str:
    return "".join(
        _member(low) if low == high else f"{_member(low)}-{_member(high)}" for low, high in ranges
    )


def _member(code: int) -> str:
    char = chr(code)
    return f"\\{char}" if char.isascii() and not char.isalnum() and char.isprintable() else char
