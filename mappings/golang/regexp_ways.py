"""Counting the ways that a backtracking matcher can try, as functions of the text's length.

A count is a tuple of weights: `(a, b, c)` stands for `a + b*C(n+1, 1) + c*C(n+2, 2)`, with `n`
the characters left. In this basis the ways of a loop are the same tuple, one place further:
trying `f` at each of `n` places costs the sum of `f` over shorter and shorter texts, not `n*f`.
"""

import math
from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import zip_longest

from mappings.golang.regexp_runes import NOTHING, Ranges

Count = tuple[float, ...]

MOST_DEGREE = 16  # 32 characters are too many already
NONE: Count = (0.0,)
ONE: Count = (1.0,)
ENDLESS: Count = (math.inf,)

# What may follow: by set of characters, how many ways lead there and what they cost together.
Follow = Mapping[Ranges, tuple[float, Count]]
END: Follow = {NOTHING: (1.0, ONE)}
HOPELESS: Follow = {NOTHING: (math.inf, ENDLESS)}


def add(*counts: Count) -> Count:
    return tuple(map(sum, zip_longest(*counts, fillvalue=0.0))) or NONE


def scale(count: Count, factor: float) -> Count:
    # none of what is endless is still none
    return tuple(weight * factor if weight and factor else 0.0 for weight in count)


def at_each_place(count: Count) -> Count:
    return ENDLESS if len(count) > MOST_DEGREE else (0.0, *count)


def value(count: Count, length: int) -> float:
    """The number that *count* stands for when *length* characters are left."""
    if len(count) > MOST_DEGREE:
        return math.inf
    return sum(
        weight * math.comb(length + degree, degree) for degree, weight in enumerate(count) if weight
    )


def together(*follows: Follow) -> Follow:
    merged: dict[Ranges, tuple[float, Count]] = {}
    for follow in follows:
        for ranges, (ways, cost) in follow.items():
            if ranges in merged:
                other_ways, other_cost = merged[ranges]
                merged[ranges] = (ways + other_ways, add(cost, other_cost))
            else:
                merged[ranges] = (ways, cost)
    return merged


def exits(follow: Follow) -> float:
    """How many ways lead out to *follow*: each is tried, were it in vain."""
    return sum(ways for ways, _ in follow.values())


def all_ways(follow: Follow, length: int) -> Count:
    """The most that *follow* can cost: those that share a character are all gone through."""
    return add((exits(follow),), heaviest(follow, length))


def heaviest(follow: Follow, length: int) -> Count:
    """The highest total cost of sets that hold one same character."""
    costs = [cost for _, cost in follow.values()]
    if len(costs) == 1:
        return costs[0]
    values = [value(cost, length) for cost in costs]
    if math.inf in values:
        return ENDLESS
    top = max(_companies(tuple(follow)), key=lambda ranks: sum(values[rank] for rank in ranks))
    return add(*(costs[rank] for rank in top))


@lru_cache(maxsize=4096)
def _companies(sets: tuple[Ranges, ...]) -> tuple[tuple[int, ...], ...]:
    """The ranks of *sets* that some character has in common, at least of one; the empty set too."""
    edges = [(low, 1, rank) for rank, ranges in enumerate(sets) for low, _ in ranges]
    edges += [(high + 1, 0, rank) for rank, ranges in enumerate(sets) for _, high in ranges]
    found: set[frozenset[int]] = {frozenset()}
    present: set[int] = set()
    grown = False
    for _, entering, rank in sorted(edges):
        if entering:
            present.add(rank)
        else:
            if grown:
                found.add(frozenset(present))
            present.remove(rank)
        grown = bool(entering)
    return tuple(tuple(ranks) for ranks in found)


def sharing(inside: Iterable[Ranges], outside: Follow) -> Count:
    """The cost of the sets of *outside* that share a character with one of *inside*."""
    inside = tuple(inside)
    shared = (
        cost
        for ranges, (_, cost) in outside.items()
        if any(overlap(ranges, other) for other in inside)
    )
    return add(*shared)


@lru_cache(maxsize=4096)
def overlap(left: Ranges, right: Ranges) -> bool:
    index = 0
    for low, high in left:
        while index < len(right) and right[index][1] < low:
            index += 1
        if index < len(right) and right[index][0] <= high:
            return True
    return False
