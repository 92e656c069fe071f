"""Reading the characters of a pattern: escapes and bracket classes (Go's `regexp/syntax`)."""

from typing import NoReturn

from mappings.golang.regexp_errors import RegexpSyntaxError
from mappings.golang.regexp_runes import (
    LAST,
    PERL,
    POSIX,
    Ranges,
    clean,
    fold,
    negate,
    unicode_class,
)

FOLD = 1  # (?i)

_CONTROLS = {"a": 7, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11}
_OCTAL = frozenset("01234567")
HEXADECIMAL = frozenset("0123456789abcdefABCDEF")

INVALID_ESCAPE = "invalid escape sequence"
INVALID_RANGE = "invalid character class range"


class Scanner:
    """A place in a pattern; `flags` are those in force there."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.pos = 0
        self.flags = 0

    def fail(self, code: str, start: int, end: int | None = None) -> NoReturn:
        """Refuse the pattern for its part from *start* to *end* (None: to here)."""
        expr = self.text[start : self.pos if end is None else end]
        raise RegexpSyntaxError(code, expr, pattern=self.text, offset=start)

    def peek(self, offset: int = 0) -> str:
        """The character *offset* places ahead, `""` past the end."""
        place = self.pos + offset
        return self.text[place : place + 1]

    def take(self) -> str:
        char = self.text[self.pos : self.pos + 1]
        self.pos += 1
        return char

    def skip(self, token: str) -> bool:
        """Step over *token* if it stands here."""
        if not self.text.startswith(token, self.pos):
            return False
        self.pos += len(token)
        return True

    def folded(self, ranges: Ranges) -> Ranges:
        return fold(ranges) if self.flags & FOLD else ranges

    def escape(self) -> int:
        r"""The character of the escape that begins here (`\n`, `\x{41}`, `\101`, `\.`)."""
        start = self.pos
        self.pos += 1
        char = self.take()
        if not char:
            self.pos -= 1
            self.fail("trailing backslash at end of expression", self.pos)
        if char in _CONTROLS:
            return _CONTROLS[char]
        if char in _OCTAL:
            if char != "0" and self.peek() not in _OCTAL:
                self.fail(INVALID_ESCAPE, start)  # a back-reference
            return self._octal(char)
        if char == "x":
            return self._hexadecimal(start)
        if (code := self.other_escape(char)) is not None:
            return code
        if not char.isascii() or char.isalnum():
            self.fail(INVALID_ESCAPE, start)
        return ord(char)

    def _octal(self, digits: str) -> int:
        while len(digits) < 3 and self.peek() in _OCTAL:
            digits += self.take()
        return int(digits, 8)

    def _hexadecimal(self, start: int) -> int:
        if not self.skip("{"):
            pair = self.take() + self.take()
            self.pos = min(self.pos, len(self.text))
            if len(pair) != 2 or not set(pair) <= HEXADECIMAL:
                self.fail(INVALID_ESCAPE, start)
            return int(pair, 16)
        code, digits = 0, 0
        while (char := self.peek()) in HEXADECIMAL:
            self.pos += 1
            code, digits = code * 16 + int(char, 16), digits + 1
            if code > LAST:
                self.fail(INVALID_ESCAPE, start)
        if not self.skip("}") or not digits:
            self.pos = min(self.pos + 1, len(self.text))
            self.fail(INVALID_ESCAPE, start)
        return code

    def other_escape(self, _char: str) -> int | None:
        """The character of an escape that Go does not know; *_char* is stepped over."""
        return None

    def named_set(self) -> Ranges | None:
        r"""The set of `\d`, `\PL` or `\p{Greek}` when one begins here."""
        if self.peek() != "\\":
            return None
        letter = self.peek(1)
        if letter in ("p", "P"):
            return self._unicode_set()
        if letter and letter.lower() in PERL:
            self.pos += 2
            ranges = self.folded(PERL[letter.lower()])
            return negate(ranges) if letter.isupper() else ranges
        return None

    def _unicode_set(self) -> Ranges:
        start = self.pos
        negative = self.peek(1) == "P"
        self.pos += 2
        if self.skip("{"):
            end = self.text.find("}", self.pos)
            if end < 0:
                self.fail(INVALID_RANGE, start, len(self.text))
            name = self.text[self.pos : end]
            self.pos = end + 1
        else:
            name = self.take()
        if name.startswith("^"):
            negative, name = not negative, name[1:]
        ranges = unicode_class(name)
        if ranges is None:
            self.fail(INVALID_RANGE, start)
        ranges = self.folded(ranges)
        return negate(ranges) if negative else ranges

    def bracket(self) -> Ranges:
        """The set of the bracket class that begins here."""
        start = self.pos
        self.pos += 1
        negative = self.skip("^")
        pairs: list[tuple[int, int]] = []
        first = True  # a ] stands for itself there
        while first or self.peek() != "]":
            first = False
            named = self._posix_set()
            if named is None:
                named = self.named_set()
            pairs += self._span(start) if named is None else named
        self.pos += 1
        ranges = clean(pairs)
        return negate(ranges) if negative else ranges

    def _posix_set(self) -> Ranges | None:
        """The set of `[:alpha:]` or `[:^alpha:]` when one begins here, inside a bracket class."""
        if not self.text.startswith("[:", self.pos):
            return None
        end = self.text.find(":]", self.pos + 2)
        if end < 0:
            return None
        start = self.pos
        name = self.text[start + 2 : end]
        self.pos = end + 2
        ranges = POSIX.get(name.removeprefix("^"))
        if ranges is None:
            self.fail(INVALID_RANGE, start)
        ranges = self.folded(ranges)
        return negate(ranges) if name.startswith("^") else ranges

    def _span(self, bracket: int) -> Ranges:
        """A character or a range of a bracket class; a `-` before the closing `]` is itself."""
        start = self.pos
        low = high = self._member(bracket)
        if self.peek() == "-" and self.peek(1) not in ("]", ""):
            self.pos += 1
            high = self._member(bracket)
            if high < low:
                self.fail(INVALID_RANGE, start)
        return self.folded(((low, high),))

    def _member(self, bracket: int) -> int:
        if not self.peek():
            self.fail("missing closing ]", bracket, len(self.text))
        return self.escape() if self.peek() == "\\" else ord(self.take())
