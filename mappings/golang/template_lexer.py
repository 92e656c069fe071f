"""Tokens of a Go template (Go's `text/template/parse`, `specs/driver-compat.md` §3.1)."""

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import NoReturn

from mappings.golang.template_errors import TemplateSyntaxError

KEYWORDS = frozenset(
    ("block", "break", "continue", "define", "else", "end", "if", "range", "template", "with")
)
SPACES = " \t\r\n"
_MARKS = {"=": "assign", "|": "pipe"}
_CLOSERS = frozenset(" \t\r\n.,|:)(")
_DIGITS = "0123456789_"


@dataclass(frozen=True, slots=True)
class Token:
    """`position` is the index of the token's first character in the template."""

    kind: str
    text: str
    position: int

    def __str__(self) -> str:
        """The token as Go's messages show it."""
        if self.kind == "eof":
            return "EOF"
        if self.kind in ("keyword", ".", "nil"):
            return f"<{self.text}>"
        if len(self.text) > 10:
            return f"{_quoted(self.text[:10])}..."
        return _quoted(self.text)


def place(text: str, position: int) -> tuple[int, int]:
    """The 1-based line and column of a position, in characters."""
    return text.count("\n", 0, position) + 1, position - text.rfind("\n", 0, position)


def tokenize(text: str) -> list[Token]:
    """All tokens of a template, ending with `eof`.

    What cannot be read is one token of kind `error` whose text is the cause: the parser raises it
    when it comes to it, so that the first fault of a template is the one reported.
    """
    return _Lexer(text).tokens()


@lru_cache(maxsize=4096)
def _alphanumeric(char: str) -> bool:
    category = unicodedata.category(char) if char else ""
    return char == "_" or category[:1] == "L" or category == "Nd"


class _Lexer:
    def __init__(self, text: str) -> None:
        self.text = text
        self.start = 0  # of the token being read
        self.at = 0
        self.depth = 0  # of parentheses
        self.broken = 0  # where reading stopped
        self.found: list[Token] = []

    def tokens(self) -> list[Token]:
        try:
            while self._text():
                self._action()
        except TemplateSyntaxError as error:
            self.found.append(Token("error", error.cause, self.broken))
        self.start = self.at = len(self.text)
        self._emit("eof")
        return self.found

    def _fail(self, cause: str, position: int | None = None) -> NoReturn:
        self.broken = self.start if position is None else position
        raise TemplateSyntaxError(cause, 0, 0)

    def _emit(self, kind: str) -> None:
        self.found.append(Token(kind, self.text[self.start : self.at], self.start))
        self.start = self.at

    def _peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def _text(self) -> bool:
        """Read text and comments up to the next action; False at the end of the template."""
        while True:
            opening = self.text.find("{{", self.at)
            end = len(self.text) if opening < 0 else opening
            trimmed = opening >= 0 and self._left_trimmed(opening + 2)
            self.at = self._before_spaces(end) if trimmed else end
            if self.at > self.start:
                self._emit("text")
            self.start = self.at = end
            if opening < 0:
                return False
            inside = end + 4 if trimmed else end + 2
            if not self.text.startswith("/*", inside):
                break
            self._comment(inside)
        self.at = end + 2
        self._emit("left")
        self.start = self.at = inside
        return True

    def _before_spaces(self, end: int) -> int:
        stop = end
        while stop > self.start and self.text[stop - 1] in SPACES:
            stop -= 1
        return stop

    def _comment(self, inside: int) -> None:
        close = self.text.find("*/", inside + 2)
        if close < 0:
            self._fail("unclosed comment")
        self.at = close + 2
        if not self._closing():
            self._fail("comment ends before closing delimiter", self.at)
        self._skip_closing()

    def _left_trimmed(self, at: int) -> bool:
        return self.text[at : at + 1] == "-" and self.text[at + 1 : at + 2] in tuple(SPACES)

    def _right_trimmed(self) -> bool:
        return (
            self.text[self.at : self.at + 1] in tuple(SPACES)
            and self.text[self.at + 1 : self.at + 4] == "-}}"
        )

    def _closing(self) -> bool:
        return self._right_trimmed() or self.text.startswith("}}", self.at)

    def _skip_closing(self) -> None:
        trimmed = self._right_trimmed()
        self.at += 4 if trimmed else 2
        while trimmed and self.at < len(self.text) and self.text[self.at] in SPACES:
            self.at += 1
        self.start = self.at

    def _action(self) -> None:
        """Read up to the closing delimiter, that one included."""
        self.depth = 0
        begun = self.start - 2
        while not self._closing():
            if self.at >= len(self.text):
                self._fail("unclosed action", begun)
            self._inside(self.text[self.at])
        if self.depth:
            self._fail("unclosed left paren", begun)
        self.found.append(Token("right", "}}", self.at))
        self._skip_closing()

    def _inside(self, char: str) -> None:
        if char in SPACES:
            self._spaces()
        elif char == '"':
            self._quoted('"', "string", "unterminated quoted string")
        elif char == "'":
            self._quoted("'", "character", "unterminated character constant")
        elif char == "`":
            self._raw()
        elif char == "$":
            self._word("variable")
        elif char == "." and not "0" <= self.text[self.at + 1 : self.at + 2] <= "9":
            self._word("field")
        elif char in ".+-" or "0" <= char <= "9":
            self._number()
        elif _alphanumeric(char):
            self._identifier()
        else:
            self._mark(char)

    def _mark(self, char: str) -> None:
        self.at += 1
        if char == ":":
            if self._peek() != "=":
                self._fail("expected :=")
            self.at += 1
            self._emit("declare")
        elif char in "()":
            self.depth += 1 if char == "(" else -1
            if self.depth < 0:
                self._fail("unexpected right paren")
            self._emit(char)
        elif char in _MARKS:
            self._emit(_MARKS[char])
        elif " " < char <= "~":
            self._emit("char")
        else:
            self._fail(f"unrecognized character in action: {_unicode(char)}")

    def _spaces(self) -> None:
        while self.at < len(self.text) and self.text[self.at] in SPACES:
            if self._right_trimmed():
                break
            self.at += 1
        if self.at > self.start:
            self._emit("space")

    def _ends_word(self) -> bool:
        following = self._peek()
        return not following or following in _CLOSERS or self.text.startswith("}}", self.at)

    def _rest_of_word(self) -> None:
        while self.at < len(self.text) and _alphanumeric(self.text[self.at]):
            self.at += 1
        if not self._ends_word():
            self._fail(f"bad character {_unicode(self._peek())}", self.at)

    def _word(self, kind: str) -> None:
        self.at += 1
        if self._ends_word():
            self._emit(kind if kind == "variable" else ".")
            return
        self._rest_of_word()
        self._emit(kind)

    def _identifier(self) -> None:
        self._rest_of_word()
        word = self.text[self.start : self.at]
        if word in KEYWORDS:
            self._emit("keyword")
        elif word in ("true", "false"):
            self._emit("bool")
        else:
            self._emit("nil" if word == "nil" else "identifier")

    def _quoted(self, quote: str, kind: str, unterminated: str) -> None:
        self.at += 1
        while (char := self._peek()) != quote:
            if char == "\\":
                self.at += 1
                char = self._peek()
            if char in ("", "\n"):
                self._fail(unterminated)
            self.at += 1
        self.at += 1
        self._emit(kind)

    def _raw(self) -> None:
        close = self.text.find("`", self.at + 1)
        if close < 0:
            self._fail("unterminated raw quoted string")
        self.at = close + 1
        self._emit("raw")

    def _accept(self, chars: str) -> bool:
        char = self._peek()
        if char and char in chars:
            self.at += 1
            return True
        return False

    def _accept_run(self, chars: str) -> None:
        while self._accept(chars):
            pass

    def _number(self) -> None:
        whole = self._scan_number()
        kind = "number"
        if whole and self._peek() in ("+", "-"):
            whole = self._scan_number() and self.text[self.at - 1] == "i"
            kind = "complex"
        if not whole:
            self._fail(f'bad number syntax: "{self.text[self.start : self.at]}"')
        self._emit(kind)

    def _scan_number(self) -> bool:
        self._accept("+-")
        digits, exponent = _DIGITS, "eE"
        if self._accept("0"):
            if self._accept("xX"):
                digits, exponent = _DIGITS + "abcdefABCDEF", "pP"
            elif self._accept("oO"):
                digits, exponent = "01234567_", ""
            elif self._accept("bB"):
                digits, exponent = "01_", ""
        self._accept_run(digits)
        if self._accept("."):
            self._accept_run(digits)
        if exponent and self._accept(exponent):
            self._accept("+-")
            self._accept_run(_DIGITS)
        self._accept("i")
        if _alphanumeric(self._peek()):
            self.at += 1
            return False
        return True


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _unicode(char: str) -> str:
    return f"U+{ord(char):04X} '{char}'" if char.isprintable() else f"U+{ord(char):04X}"
