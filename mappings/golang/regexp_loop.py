"""The body of an unbounded repetition, as the graph of which character may follow which.

Where one same text leads in two ways from a point of the loop to another, the ways double at
each turn: `(a|aa)+`, `(a+)+`. Such a loop is `hopeless` for a backtracking matcher. In the
others each point is reached in one way at most, and the question is what the exits cost.
"""

from collections import Counter, defaultdict
from itertools import combinations, product

from mappings.golang.regexp_runes import NOTHING, Ranges
from mappings.golang.regexp_tree import (
    Atomic,
    Chars,
    Choice,
    Empty,
    Group,
    Node,
    Reference,
    Repeat,
    Sequence,
    nullable,
)
from mappings.golang.regexp_ways import (
    ENDLESS,
    ONE,
    Count,
    Follow,
    add,
    all_ways,
    at_each_place,
    exits,
    heaviest,
    overlap,
    scale,
    sharing,
)

_MOST_POINTS = 200  # characters in the body of a loop
_MOST_FORKED = 60  # the same, where ways part: pairs of characters are looked at
_MOST_TURNS = 20  # copies to which a counted repetition is spelled out inside a loop

# A node's points that may come first, those that may come last, and the ways through without any.
_Walk = tuple[Counter[int], Counter[int], int]


class Loop:
    """`first`: the ways into the loop, by set of characters."""

    def __init__(self, body: Node) -> None:
        self.first: Counter[Ranges] = Counter()
        self._sets: list[Ranges] = []
        self._next: defaultdict[int, Counter[int]] = defaultdict(Counter)
        self.hopeless = nullable(body)
        if not self.hopeless:
            first, self._last, _ = self._walk(body)
            self._join(self._last, first)
            for point, ways in first.items():
                self.first[self._sets[point]] += ways
            self._inside = [self._follow(point) for point in range(len(self._sets))]
            self._ways = self._ways_inside()
        if self.hopeless:
            self.first = Counter({NOTHING: 1})

    def cost(self, follow: Follow, length: int) -> Count:
        """The ways from one point of the loop on: one through the loop, and its exits."""
        if self.hopeless:
            return ENDLESS
        most = self._ways * max(self._last.values())
        fan = max(exits(inside) for inside in self._inside)
        # An exit that competes with staying is tried at every turn, another at the last one only.
        competing = {ranges for point in self._last for ranges in self._inside[point]}
        turn = add(
            (self._ways * (1.0 + fan) + most * exits(follow),),
            scale(sharing(competing, follow), most),
        )
        return add(at_each_place(turn), scale(all_ways(follow, length), most))

    def _ways_inside(self) -> int:
        """How many ways through the loop one text can open; *hopeless* when there is no end."""
        if self.hopeless or all(heaviest(follow, 0)[0] <= 1 for follow in self._inside):
            return 1
        pairs = [pair for point in self._next for pair in combinations(self._next[point], 2)]
        double = any(ways > 1 for nexts in self._next.values() for ways in nexts.values())
        self.hopeless = double or len(self._sets) > _MOST_FORKED or self._rejoin(pairs)
        return len(self._sets)

    def _rejoin(self, pairs: list[tuple[int, int]]) -> bool:
        """Whether two ways that part to one of *pairs*, on one same text, can meet again."""
        seen: set[tuple[int, int]] = set()
        while pairs:
            left, right = pair = pairs.pop()
            if pair in seen or not overlap(self._sets[left], self._sets[right]):
                continue
            if left == right:
                return True
            seen |= {pair, (right, left)}
            pairs += product(self._next[left], self._next[right])
        return False

    def _follow(self, point: int) -> Follow:
        followers: Counter[Ranges] = Counter()
        for other, ways in self._next[point].items():
            followers[self._sets[other]] += ways
        return {ranges: (float(ways), scale(ONE, ways)) for ranges, ways in followers.items()}

    def _join(self, last: Counter[int], first: Counter[int]) -> None:
        for point, ways in last.items():
            for other, others in first.items():
                self._next[point][other] += ways * others

    def _walk(self, node: Node) -> _Walk:
        match node:
            case Chars(ranges):
                self._sets.append(ranges)
                self.hopeless |= len(self._sets) > _MOST_POINTS
                point = Counter({len(self._sets) - 1: 1})
                return point, point, 0
            case Sequence(items):
                return self._sequence(items)
            case Choice(branches):
                first, last, empty = Counter[int](), Counter[int](), 0
                for branch in branches:
                    branch_first, branch_last, branch_empty = self._walk(branch)
                    first, last = first + branch_first, last + branch_last
                    empty += branch_empty
                return first, last, empty
            case Group(item) | Atomic(item):
                return self._walk(item)
            case Repeat():
                return self._repeat(node)
            case Reference():
                self.hopeless = True
        return Counter(), Counter(), 1

    def _sequence(self, items: tuple[Node, ...]) -> _Walk:
        first, last, empty = Counter[int](), Counter[int](), 1
        for item in items:
            if self.hopeless:
                break
            item_first, item_last, item_empty = self._walk(item)
            self._join(last, item_first)
            first += _times(item_first, empty)
            last = item_last + _times(last, item_empty)
            empty *= item_empty
        return first, last, empty

    def _repeat(self, node: Repeat) -> _Walk:
        item, low, high = node.item, node.low, node.high
        if high == 0:
            return Counter(), Counter(), 1
        if high != 1 and nullable(item):
            self.hopeless = True
            return Counter(), Counter(), 1
        if high is not None and 1 < high <= _MOST_TURNS:
            optional: Node = Empty()
            for _ in range(high - low):
                optional = Repeat(Sequence((item, optional)), 0, 1, node.greedy)
            return self._sequence((*(item,) * low, optional))
        first, last, empty = self._walk(item)
        if high != 1:
            self._join(last, first)
        return first, last, empty + (low == 0)


def _times(points: Counter[int], factor: int) -> Counter[int]:
    return Counter({point: ways * factor for point, ways in points.items() if factor})
