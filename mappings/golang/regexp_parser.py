"""From the text of a regular expression to its tree, accepting what Go 1.23 accepts.

Follows `regexp/syntax` with the flags of `regexp.Compile`. Canopsis' fallback knows more:
`mappings.golang.regexp_fallback` adds it through the `other_...` methods.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar

from mappings.golang.regexp_runes import ANY, NO_NEWLINE
from mappings.golang.regexp_scanner import FOLD, Scanner
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
    copies_fit,
)

MULTI_LINE, DOT_ALL, UNGREEDY = 2, 4, 8

_OPERATORS = {"*": (0, None), "+": (1, None), "?": (0, 1)}
_PLACES: dict[str, Place] = {
    "A": "text_start",
    "b": "word_boundary",
    "B": "no_word_boundary",
    "z": "text_end",
}

# Go allows a height of 1000; deeper than this Python's own recursion would be at stake.
DEEPEST = 200

_BAD_COUNT = "invalid repeat count"
_BAD_NAME = "invalid named capture"


@dataclass(slots=True)
class _Frame:
    """An open parenthesis: what to make of its content, and the flags to restore after it."""

    wrap: Callable[[Node], Node]
    flags: int
    branches: list[Node] = field(default_factory=list)
    items: list[Node] = field(default_factory=list)

    def next_branch(self) -> None:
        if len(self.items) == 1:
            self.branches.append(self.items[0])
        else:
            self.branches.append(Sequence(tuple(self.items)) if self.items else Empty())
        self.items = []

    def close(self) -> Node:
        self.next_branch()
        branches = self.branches
        return self.wrap(branches[0] if len(branches) == 1 else Choice(tuple(branches)))


def parse(text: str) -> Parsed:
    """The tree of *text*; RegexpSyntaxError in Go's words when it is refused."""
    return Parser(text).parse()


def plain(node: Node) -> Node:
    """The content of a parenthesis that captures nothing."""
    return node


class Parser(Scanner):
    known_flags: ClassVar[Mapping[str, int]] = {
        "i": FOLD,
        "m": MULTI_LINE,
        "s": DOT_ALL,
        "U": UNGREEDY,
    }
    most_repeats: ClassVar[int] = 1000

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.frames = [_Frame(plain, 0)]
        self.names: list[str] = []
        self.repeat: int | None = None  # where the repetition operator just read begins
        self.previous_repeat: int | None = None  # the same, for the operator before it
        self._stacked = 0  # repetitions of a repetition: `a*(?i)*` nests without parentheses

    def parse(self) -> Parsed:
        try:
            self.text.encode()
        except UnicodeEncodeError as error:
            self.fail("invalid UTF-8", error.start, error.start)
        while self.pos < len(self.text):
            self.previous_repeat, self.repeat = self.repeat, None
            self.step()
        if len(self.frames) > 1:
            self.fail("missing closing )", 0)
        return Parsed(self.frames[0].close(), tuple(self.names))

    def step(self) -> None:
        """Read one element of the pattern."""
        char = self.peek()
        if char in _OPERATORS:
            self.pos += 1
            self._repeat(self.pos - 1, *_OPERATORS[char])
        elif char == "{":
            self._counted()
        elif char == "(":
            self._open()
        elif char == ")":
            self._close()
        elif char == "|":
            self.pos += 1
            self.frames[-1].next_branch()
        elif char == "[":
            self.add(Chars(self.bracket()))
        elif char == "\\":
            self._backslash()
        elif char in "^$.":
            self.pos += 1
            self._symbol(char)
        else:
            self._literal(self.take())

    def add(self, node: Node) -> None:
        self.frames[-1].items.append(node)

    def _literal(self, char: str) -> None:
        self.add(Chars(self.folded(((ord(char), ord(char)),))))

    def _symbol(self, char: str) -> None:
        lines = self.flags & MULTI_LINE
        if char == ".":
            self.add(Chars(ANY if self.flags & DOT_ALL else NO_NEWLINE))
        elif char == "^":
            self.add(Assertion("line_start" if lines else "text_start"))
        else:
            self.add(Assertion("line_end" if lines else "text_end"))

    def _backslash(self) -> None:
        letter = self.peek(1)
        if letter in _PLACES:
            self.pos += 2
            self.add(Assertion(_PLACES[letter]))
        elif letter == "Q":
            self.pos += 2
            quoted, end, _ = self.text[self.pos :].partition("\\E")
            for char in quoted:
                self._literal(char)
            self.pos += len(quoted) + len(end)
        elif self.other_backslash(letter):
            pass
        elif (ranges := self.named_set()) is not None:
            self.add(Chars(ranges))
        else:
            self._literal(chr(self.escape()))

    def other_backslash(self, _letter: str) -> bool:
        r"""Read what `\` and *_letter* begin, if it is something that Go does not know."""
        return False

    def _counted(self) -> None:
        start = self.pos
        self.pos += 1
        low = high = self._count()
        if low is not None and self.skip(","):
            high = -1 if self.peek() == "}" else self._count()
        if low is None or high is None or not self.skip("}"):
            self.pos = start
            self._literal(self.take())
            return
        if max(low, high) > self.most_repeats or 0 <= high < low:
            self.fail(_BAD_COUNT, start)
        self._repeat(start, low, None if high < 0 else high)

    def _count(self) -> int | None:
        """A decimal number without leading zeros, None when there is none here."""
        start = self.pos
        while (char := self.peek()) and char in "0123456789":
            self.pos += 1
        digits = self.text[start : self.pos]
        if not digits or (digits[0] == "0" and len(digits) > 1):
            return None
        return int(digits) if len(digits) < 10 else 10**9

    def _repeat(self, start: int, low: int, high: int | None) -> None:
        greedy = not self.flags & UNGREEDY
        if self.skip("?"):
            greedy = not greedy
        if self.previous_repeat is not None:
            self.fail("invalid nested repetition operator", self.previous_repeat)
        items = self.frames[-1].items
        if not items:
            self.fail("missing argument to repetition operator", start)
        if isinstance(items[-1], Repeat):
            self._stacked += 1
            self._check_depth()
        items[-1] = Repeat(items[-1], low, high, greedy)
        if max(low, high or 0) >= 2 and not copies_fit(items[-1], self.most_repeats):
            self.fail(_BAD_COUNT, start)
        self.repeat = start

    def _check_depth(self) -> None:
        if len(self.frames) + self._stacked > DEEPEST:
            self.fail("expression nests too deeply", 0, len(self.text))

    def push(self, wrap: Callable[[Node], Node]) -> None:
        """Open a parenthesis; the flags of here hold again after it."""
        self.frames.append(_Frame(wrap, self.flags))
        self._check_depth()

    def push_group(self, name: str) -> None:
        self.names.append(name)
        self.push(partial(Group, number=len(self.names)))

    def _open(self) -> None:
        if not self.text.startswith("(?", self.pos):
            self.pos += 1
            self.push_plain()
        elif not self.other_group():
            self._perl_group()

    def push_plain(self) -> None:
        """Open a parenthesis without `?`: an unnamed group."""
        self.push_group("")

    def other_group(self) -> bool:
        """Open what begins with `(?` here, if it is something that Go does not know."""
        return False

    def _close(self) -> None:
        if len(self.frames) == 1:
            self.fail("unexpected )", 0, len(self.text))
        self.pos += 1
        frame = self.frames.pop()
        self.flags = frame.flags
        self.add(frame.close())

    def _perl_group(self) -> None:
        """`(?P<name>`, `(?<name>`, `(?flags)` or `(?flags:`."""
        start = self.pos
        left = len(self.text) - start
        if self.text.startswith("(?P<", start) and left > 4:
            self.pos += 4
        elif self.text.startswith("(?<", start) and left > 3:
            self.pos += 3
        else:
            self.pos += 2
            self._flag_group(start)
            return
        name = self.name_until(">", start)
        if not self.valid_name(name):
            self.fail(_BAD_NAME, start)
        self.push_group(name)

    def valid_name(self, name: str) -> bool:
        return name.isascii() and name.replace("_", "a").isalnum()

    def name_until(self, closing: str, start: int) -> str:
        """What stands before *closing*, which is stepped over."""
        end = self.text.find(closing, self.pos)
        if end < 0:
            self.fail(_BAD_NAME, start, len(self.text))
        name = self.text[self.pos : end]
        self.pos = end + 1
        return name

    def _flag_group(self, start: int) -> None:
        flags, negative, seen = self.flags, False, False
        while char := self.take():
            if char in self.known_flags:
                seen = True
                flag = self.known_flags[char]
                flags = flags & ~flag if negative else flags | flag
            elif char == "-" and not negative:
                negative, seen = True, False
            elif char in ":)" and (seen or not negative):
                if char == ":":
                    self.push(plain)
                self.flags = flags
                return
            else:
                break
        self.pos = min(self.pos, len(self.text))
        self.fail("invalid or unsupported Perl syntax", start)
