"""How long a text may be for `re`, which backtracks, to be certainly quick on it.

`longest(tree)` bounds from above the ways that a backtracking matcher can try on a text of some
length: a tree of ways, which forks where two followers accept one same character. A bound too
high costs speed (another engine does the work); one too low would cost a hang: every doubt
counts as a fork.
"""

import math
from bisect import bisect_left

from mappings.golang.regexp_loop import Loop
from mappings.golang.regexp_tree import (
    Assertion,
    Atomic,
    Chars,
    Choice,
    Empty,
    Group,
    Look,
    Node,
    Reference,
    Repeat,
    Sequence,
    children,
    nullable,
)
from mappings.golang.regexp_ways import (
    END,
    HOPELESS,
    ONE,
    Follow,
    add,
    all_ways,
    at_each_place,
    scale,
    together,
    value,
)

MOST_WAYS = 1e7  # of 1 to 20 nanoseconds each
LENGTHS = tuple(int(32 * 1.4**power) for power in range(28))  # 32 to 0.28 million

_MOST_COPIES = 2000  # nodes to which a counted repetition is spelled out; a loop beyond


def longest(tree: Node) -> int:
    """The length of text up to which `re` tries at most `MOST_WAYS` ways; -1: not provable."""
    tree = _head(tree)
    loops: dict[int, Loop] = {}
    long = bisect_left(
        LENGTHS, True, key=lambda length: _Estimate(length, loops).total(tree) > MOST_WAYS
    )
    return LENGTHS[long - 1] if long else -1


def _head(node: Node) -> Node:
    """*node* without the repetitions at its end: once they are reached nothing can fail."""
    match node:
        case Repeat(Chars(), low):
            return Repeat(node.item, low, low, node.greedy) if low else Empty()
        case Group(item, number):
            return Group(_head(item), number)
        case Choice(branches):
            return Choice(tuple(map(_head, branches)))
        case Sequence(items):
            last = _head(items[-1])
            rest = items[:-1]
            if not isinstance(last, Empty):
                return Sequence((*rest, last))
            return _head(Sequence(rest) if len(rest) > 1 else rest[0])
    return node


def _starts_text(node: Node) -> bool:
    """Whether *node* matches at the start of the text only."""
    match node:
        case Assertion(place):
            return place == "text_start"
        case Sequence(items):
            return _starts_text(items[0])
        case Choice(branches):
            return all(map(_starts_text, branches))
        case Group(item) | Atomic(item):
            return _starts_text(item)
    return False


class _Estimate:
    """The bound for texts of *length* characters."""

    def __init__(self, length: int, loops: dict[int, Loop]) -> None:
        self._length = length
        self._loops = loops
        self._looks: dict[int, float] = {}  # the ways of each look-around, at one place

    def total(self, tree: Node) -> float:
        ways = add(ONE, all_ways(self._before(tree, END), self._length))
        if not _starts_text(tree):
            ways = at_each_place(ways)
        looks = math.prod(1.0 + look for look in self._looks.values())
        return value(ways, self._length) * looks

    def _before(self, node: Node, follow: Follow) -> Follow:  # noqa: PLR0911 - one per kind of node
        """What may come first when *node* is matched and *follow* after it."""
        match node:
            case Chars(ranges):
                return {ranges: (1.0, add(ONE, all_ways(follow, self._length)))}
            case Sequence(items):
                for item in reversed(items):
                    follow = self._before(item, follow)
                return follow
            case Choice(branches):
                return together(*(self._before(branch, follow) for branch in branches))
            case Group(item) | Atomic(item):
                return self._before(item, follow)
            case Repeat():
                return self._repeat(node, follow)
            case Look(item):
                ways = all_ways(self._before(item, END), self._length)
                self._looks[id(node)] = value(ways, self._length)
                return follow
            case Reference():
                return HOPELESS
            case Empty() | Assertion():
                return follow

    def _repeat(self, node: Repeat, follow: Follow) -> Follow:
        item, low, high = node.item, node.low, node.high
        if high is None or (high > 1 and _size(node) > _MOST_COPIES):
            return self._loop(node, follow)
        if high > 1 and nullable(item):
            return HOPELESS
        point = follow
        for _ in range(high - low):
            point = together(self._before(item, point), follow)
        for _ in range(low):
            point = self._before(item, point)
        return point

    def _loop(self, node: Repeat, follow: Follow) -> Follow:
        for look in _looks(node.item):
            self._before(look, END)
        loop = self._loops.get(id(node))
        if loop is None:
            loop = self._loops[id(node)] = Loop(node.item)
        cost = loop.cost(follow, self._length)
        entered = {ranges: (float(ways), scale(cost, ways)) for ranges, ways in loop.first.items()}
        return together(entered, follow) if node.low == 0 else entered


def _size(node: Node) -> int:
    """The nodes of *node* once its counted repetitions are spelled out."""
    copies = node.high if isinstance(node, Repeat) and node.high else 1
    return 1 + copies * sum(map(_size, children(node)))


def _looks(node: Node) -> list[Look]:
    found = [node] if isinstance(node, Look) else []
    for child in children(node):
        found += _looks(child)
    return found
