"""A machine that runs a regular expression as Go does: in a time linear in the text.

`re` backtracks: `(a+)+$` takes it longer than the age of the world. The machine follows all
ways at once, one character at a time, the preferred first (Pike's algorithm). It is twenty times
slower than `re` on a tame pattern, so it serves only where `re` is not proven to be quick, or
where it differs from Go: repetitions of what may be empty.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from mappings.golang.regexp_errors import RegexpTimeout
from mappings.golang.regexp_runes import PERL, Ranges, contains
from mappings.golang.regexp_tree import (
    Assertion,
    Chars,
    Choice,
    Empty,
    Group,
    Node,
    Parsed,
    Place,
    Repeat,
    Sequence,
    nullable,
)

# A step takes 0.3 to 0.6 microseconds. Steps, not seconds: a value that is too long for a busy
# machine must be too long for an idle one.
MOST_STEPS = 500_000
MOST_INSTRUCTIONS = 50_000  # of 4 microseconds each

_WORD = frozenset(chr(code) for low, high in PERL["w"] for code in range(low, high + 1))

_PLACES: dict[Place, Callable[[str, str], bool]] = {
    # by the characters before and after, "" outside the text
    "text_start": lambda before, _after: not before,
    "text_end": lambda _before, after: not after,
    "line_start": lambda before, _after: before in ("", "\n"),
    "line_end": lambda _before, after: after in ("", "\n"),
    "word_boundary": lambda before, after: (before in _WORD) != (after in _WORD),
    "no_word_boundary": lambda before, after: (before in _WORD) == (after in _WORD),
}


class _Members(dict[str, bool]):
    """Whether a character is in a set, found once per character."""

    def __init__(self, ranges: Ranges) -> None:
        super().__init__()
        self.ranges = ranges

    def __missing__(self, char: str) -> bool:
        found = self[char] = contains(self.ranges, ord(char))
        return found


@dataclass(slots=True)
class _Instruction:
    """One point of the program; `nexts` in the order of preference.

    With `members` a character is read; with `place` the point is passed there only; with `slot`
    the position is saved; without `nexts` the text matches.
    """

    nexts: tuple[int, ...] = ()
    members: _Members | None = None
    place: Place | None = None
    slot: int | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """Where a match and its groups stand, as `re.Match.span` tells it."""

    slots: tuple[int, ...]

    def span(self, number: int) -> tuple[int, int]:
        return self.slots[2 * number], self.slots[2 * number + 1]


Slots = tuple[int, ...]


@dataclass(slots=True)
class Work:
    steps: int = 0


@dataclass(slots=True)
class Machine:
    """The program of one pattern. Raises RegexpTimeout when it is too large to be built."""

    pattern: str
    parsed: Parsed
    _program: list[_Instruction] = field(default_factory=list)
    _start: int = 0

    def __post_init__(self) -> None:
        self._start = self._compile(self.parsed.tree, self._add(_Instruction()))

    def search(self, text: str, pos: int = 0, work: Work | None = None) -> Found | None:
        """The first match at or after *pos*; RegexpTimeout past the limit of work.

        Searches that share *work* share the limit.
        """
        program = self._program
        blank = (-1,) * (2 * len(self.parsed.names) + 2)
        work = work or Work()
        found: Slots | None = None
        threads: dict[int, Slots] = {}
        seen: set[int] = set()
        for here in range(pos, len(text) + 1):
            if found is None:
                self._enter(threads, seen, (self._start, (here, *blank[1:])), text, here)
            elif not threads:
                break
            work.steps += (1 + len(seen)) * (1 + len(blank) // 50)
            if work.steps > MOST_STEPS:
                raise RegexpTimeout(self.pattern, len(text))
            char = text[here : here + 1]
            following: dict[int, Slots] = {}
            seen = set()
            for point, slots in threads.items():
                members = program[point].members
                if members is None:
                    found = (slots[0], here, *slots[2:])
                    break  # what is preferred less no longer matters
                if char and members[char]:
                    entry = program[point].nexts[0], slots
                    self._enter(following, seen, entry, text, here + 1)
            threads = following
        return None if found is None else Found(found)

    def _enter(
        self,
        threads: dict[int, Slots],
        seen: set[int],
        entry: tuple[int, Slots],
        text: str,
        here: int,
    ) -> None:
        """Add to *threads* what is reached from *entry* without reading, the preferred first.

        What was *seen* before at this place was reached in a preferred way.
        """
        stack = [entry]
        while stack:
            point, slots = stack.pop()
            if point in seen:
                continue
            seen.add(point)
            instruction = self._program[point]
            if instruction.members is not None or not instruction.nexts:
                threads[point] = slots
                continue
            if (place := instruction.place) is not None:
                before = text[here - 1 : here] if here else ""
                if not _PLACES[place](before, text[here : here + 1]):
                    continue
            elif (slot := instruction.slot) is not None:
                slots = (*slots[:slot], here, *slots[slot + 1 :])
            stack.extend((following, slots) for following in reversed(instruction.nexts))

    def _add(self, instruction: _Instruction) -> int:
        if len(self._program) >= MOST_INSTRUCTIONS:
            raise RegexpTimeout(self.pattern, 0)
        self._program.append(instruction)
        return len(self._program) - 1

    def _compile(self, node: Node, following: int) -> int:  # noqa: PLR0911 - one per kind of node
        """The point from which *node* is matched before going on at *following*."""
        match node:
            case Chars(ranges):
                return self._add(_Instruction((following,), members=_Members(ranges)))
            case Empty():
                return following
            case Assertion(place):
                return self._add(_Instruction((following,), place=place))
            case Sequence(items):
                for item in reversed(items):
                    following = self._compile(item, following)
                return following
            case Choice(branches):
                points = (self._compile(branch, following) for branch in branches)
                # what leads where another did before is not gone to
                return self._add(_Instruction(tuple(dict.fromkeys(points))))
            case Group(item, number):
                closing = self._add(_Instruction((following,), slot=2 * number + 1))
                inner = self._compile(item, closing)
                return self._add(_Instruction((inner,), slot=2 * number))
            case Repeat():
                return self._repeat(node, following)
        raise AssertionError(f"{node} belongs to the fallback")

    def _repeat(self, node: Repeat, following: int) -> int:
        item, low, high, greedy = node.item, node.low, node.high, node.greedy
        if isinstance(item, Empty) or high == 0:
            return following
        same = isinstance(item, Repeat) and item == Repeat(item.item, low, high, greedy)
        if same and low <= 1 and high in (None, 1):
            return self._compile(item, following)  # a** is a*
        if high is None:
            loop, point = self._loop(item, following, greedy=greedy)
            if low == 0:
                # As Go: what the loop enters twice at one place decides what a group holds.
                point = self._either(point, following, greedy=greedy) if nullable(item) else loop
            copies = low - 1
        else:
            point, copies = following, low
            for _ in range(high - low):
                point = self._either(self._compile(item, point), following, greedy=greedy)
        for _ in range(copies):
            point = self._compile(item, point)
        return point

    def _loop(self, item: Node, following: int, *, greedy: bool) -> tuple[int, int]:
        """Where the loop decides to go on, and where its first turn begins."""
        loop = self._either(following, following, greedy=greedy)
        point = self._compile(item, loop)
        self._program[loop].nexts = (point, following) if greedy else (following, point)
        return loop, point

    def _either(self, point: int, following: int, *, greedy: bool) -> int:
        return self._add(_Instruction((point, following) if greedy else (following, point)))
