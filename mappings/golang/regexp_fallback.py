r"""The syntax of Canopsis' fallback: patterns that Go refuses are read by regexp2 (RE2 mode).

Look-around, atomic groups, back-references, comments, `(?x)`, `(?n)`, `(?'name'...)`, `\Z`,
`\e`, `\cA`, `\u0041`, counts above 1000 (`specs/driver-compat.md` §2.1, §4; regexp2 1.11.4).
regexp2 reads other unknown escapes (`\h`, `\R`) as the bare letter, which nobody means: refused.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import ClassVar

from mappings.golang.regexp_parser import Parser, plain
from mappings.golang.regexp_scanner import HEXADECIMAL
from mappings.golang.regexp_tree import Assertion, Atomic, Look, Node, Parsed, Reference

SPACED, NAMED_ONLY = 16, 32

_OPENINGS: Mapping[str, Callable[[Node], Node]] = {
    "(?=": partial(Look, ahead=True, negative=False),
    "(?!": partial(Look, ahead=True, negative=True),
    "(?<=": partial(Look, ahead=False, negative=False),
    "(?<!": partial(Look, ahead=False, negative=True),
    "(?>": Atomic,
}


def parse_extended(text: str) -> Parsed:
    """The tree of a pattern that Go refuses; RegexpSyntaxError when the fallback does too."""
    return _ExtendedParser(text).parse()


class _ExtendedParser(Parser):
    known_flags: ClassVar[Mapping[str, int]] = {
        **Parser.known_flags,
        "x": SPACED,
        "n": NAMED_ONLY,
    }
    most_repeats: ClassVar[int] = 65535

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._references: list[tuple[str | int, int]] = []

    def parse(self) -> Parsed:
        parsed = super().parse()
        return Parsed(parsed.tree, parsed.names, self._numbers(), extended=True)

    def step(self) -> None:
        if self.flags & SPACED and self._blank():
            self.repeat = self.previous_repeat
        else:
            super().step()

    def _blank(self) -> bool:
        """Step over what `(?x)` ignores: a blank, or a comment up to the end of its line."""
        if self.skip("#"):
            self.pos += len(self.text[self.pos :].partition("\n")[0])
            return True
        return self.peek().isspace() and bool(self.take())

    def push_plain(self) -> None:
        if self.flags & NAMED_ONLY:
            self.push(plain)
        else:
            super().push_plain()

    def valid_name(self, name: str) -> bool:
        return super().valid_name(name) or name.isidentifier()

    def other_group(self) -> bool:
        start = self.pos
        for opening, wrap in _OPENINGS.items():
            if self.skip(opening):
                self.push(wrap)
                return True
        if self.skip("(?#"):
            self.repeat = self.previous_repeat
            self.name_until(")", start)
        elif self.skip("(?'"):
            self.push_group(self.name_until("'", start))
        elif self.skip("(?P="):
            self._reference(self.name_until(")", start), start)
        else:
            return False
        return True

    def other_escape(self, char: str) -> int | None:
        if char == "e":
            return 0x1B
        if char == "b":  # in a bracket class; elsewhere it is a word boundary
            return 0x08
        if char == "c" and "@" <= self.peek().upper() <= "_":
            return ord(self.take().upper()) - ord("@")
        digits = self.text[self.pos : self.pos + 4]
        if char == "u" and len(digits) == 4 and set(digits) <= HEXADECIMAL:
            self.pos += 4
            return int(digits, 16)
        return None

    def other_backslash(self, letter: str) -> bool:
        start = self.pos
        if letter == "Z":
            self.pos += 2
            self.add(Assertion("text_end"))
            return True
        for opening, closing in (("\\k<", ">"), ("\\k'", "'")):
            if self.skip(opening):
                self._reference(self.name_until(closing, start), start)
                return True
        if letter and letter in "123456789":
            return self._numbered_reference()
        return False

    def _numbered_reference(self) -> bool:
        start, end = self.pos, self.pos + 2
        while (digit := self.text[end : end + 1]) and digit in "0123456789":
            end += 1
        number = int(self.text[start + 1 : end][:9])
        # Two digits or more that name no group so far are an octal character: \12
        if end > start + 2 and number > len(self.names):
            return False
        self.pos = end
        self._reference(number, start)
        return True

    def _reference(self, label: str | int, start: int) -> None:
        self._references.append((label, start))
        self.add(Reference(label))

    def _numbers(self) -> dict[str | int, int]:
        """The group of each label; unnamed groups are counted first, as .NET does."""
        numbers: dict[str | int, int] = {}
        order = sorted(range(len(self.names)), key=lambda index: bool(self.names[index]))
        for rank, index in enumerate(order, start=1):
            name = self.names[index]
            if name in numbers:
                self.fail("duplicate group name", self.text.rindex(name), None)
            numbers[rank] = index + 1
            if name:
                numbers[name] = index + 1
        for label, start in self._references:
            if label not in numbers:
                self.fail("reference to an undefined group", start, start + 2)
        return numbers
