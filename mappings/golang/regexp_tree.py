"""The tree of a regular expression: what the parser makes and the engines are built from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from mappings.golang.regexp_runes import Ranges

Place = Literal[
    "text_start", "text_end", "line_start", "line_end", "word_boundary", "no_word_boundary"
]


@dataclass(frozen=True, slots=True)
class Chars:
    """One character of a set; the empty set matches nothing."""

    ranges: Ranges


@dataclass(frozen=True, slots=True)
class Empty:
    """The empty string."""


@dataclass(frozen=True, slots=True)
class Assertion:
    """A place between two characters."""

    place: Place


@dataclass(frozen=True, slots=True)
class Sequence:
    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """The first branch that lets the whole match wins."""

    branches: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """`low` to `high` times (None: without end)."""

    item: "Node"
    low: int
    high: int | None
    greedy: bool


@dataclass(frozen=True, slots=True)
class Group:
    """A capture; groups are numbered from 1 by their opening parenthesis."""

    item: "Node"
    number: int


@dataclass(frozen=True, slots=True)
class Look:
    """Look-around: fallback only."""

    item: "Node"
    ahead: bool
    negative: bool


@dataclass(frozen=True, slots=True)
class Atomic:
    """`(?>...)`: fallback only."""

    item: "Node"


@dataclass(frozen=True, slots=True)
class Reference:
    """A back-reference by name or by number (`Parsed.numbers` tells the group): fallback only."""

    label: str | int


Node: TypeAlias = (
    Chars | Empty | Assertion | Sequence | Choice | Repeat | Group | Look | Atomic | Reference
)


@dataclass(frozen=True, slots=True)
class Parsed:
    """A pattern read: its tree, and the name of each group in order (`""`: unnamed).

    `numbers` gives the group of each back-reference's label. `extended` tells a pattern that Go
    refuses, read with the syntax of the fallback.
    """

    tree: Node
    names: tuple[str, ...]
    numbers: Mapping[str | int, int] = field(default_factory=dict)
    extended: bool = False

    @property
    def named(self) -> bool:
        """Whether Python can hold the names: each group has one, its own, and no digit leads."""
        return len(set(self.names)) == len(self.names) and all(map(str.isidentifier, self.names))


def children(node: Node) -> tuple[Node, ...]:
    match node:
        case Sequence(nodes) | Choice(nodes):
            return nodes
        case Repeat(item) | Group(item) | Look(item) | Atomic(item):
            return (item,)
    return ()


def nullable(node: Node) -> bool:
    """Whether *node* can match the empty string."""
    match node:
        case Chars():
            return False
        case Sequence(items):
            return all(map(nullable, items))
        case Choice(branches):
            return any(map(nullable, branches))
        case Repeat(item, low):
            return low == 0 or nullable(item)
        case Group(item) | Atomic(item):
            return nullable(item)
    return True


def copies_fit(node: Node, room: int) -> bool:
    """Whether repetitions inside repetitions make at most *room* copies of the innermost."""
    if isinstance(node, Repeat):
        if node.high == 0:
            return True
        copies = node.low if node.high is None else node.high
        if copies > room:
            return False
        room //= max(copies, 1)
    return all(copies_fit(child, room) for child in children(node))
