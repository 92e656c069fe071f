"""Import items read as Canopsis' Go decoder reads them, with its words when it cannot.

The decoder streams: it asks for a first token `[`, decodes one item after the other and never
looks behind the array. So a fault shows only once the items before it have been taken, and a
body that ends between two items is complete (`specs/canopsis.md` §2.1, §2.7). A body that is one
sound JSON array, which is the rule, is decoded at once by orjson; the words of Go are found by
reading again, item by item.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import orjson

_SPACE = re.compile(r"[ \t\r\n]*")
_STRING_RUN = re.compile(r'[^"\\\x00-\x1f]*')
_DIGITS = re.compile(r"[0-9]*")
_LITERALS = {"t": "true", "f": "false", "n": "null"}


class NotJson(ValueError):
    """The decoder stops; the message is Go's."""


def stream(body: bytes) -> Iterator[Any]:
    """The items of an import body, decoded one by one.

    Raises NotJson: at once when the body opens no array, else when the walk reaches the fault, and
    then with the prefix that the worker puts before it.
    """
    try:
        whole = orjson.loads(body)
    except orjson.JSONDecodeError:
        return _carefully(body.decode("utf-8", "replace"), body)
    if not isinstance(whole, list):
        raise NotJson("cis should be an array")
    return iter(whole)


def _carefully(text: str, body: bytes) -> Iterator[Any]:
    at = _skip(text, 0)
    if at == len(text):
        return
    if text[at] != "[":
        raise NotJson(_first_token(text, at, body))
    at += 1
    first = True
    while (at := _skip(text, at)) < len(text) and text[at] not in "]}":
        if not first:
            if text[at] != ",":
                raise NotJson("failed to decode cis item: expected comma after array element")
            at = _skip(text, at + 1)
            if at == len(text):
                raise NotJson("failed to decode cis item: EOF")
        first = False
        item, at = _decode(text, at)
        yield item


def _decode(text: str, at: int) -> tuple[Any, int]:
    try:
        return _DECODER.raw_decode(text, at)
    except RecursionError:
        raise NotJson("failed to decode cis item: exceeded max depth") from None
    except ValueError:
        raise NotJson(f"failed to decode cis item: {syntax_fault(text, at)}") from None


def _first_token(text: str, at: int, body: bytes) -> str:
    """What a body that opens no array is told."""
    char = text[at]
    if char == "{":
        return "cis should be an array"
    if char == "\ufffd":
        char = chr(body.lstrip(b" \t\r\n")[0])  # Go names the byte, whatever it is part of
    if char in ",:]}" or not char.isascii():
        return f"invalid character {_quoted(char)} {_VALUE}"
    fault = syntax_fault(text, at)
    return fault if fault.startswith(("invalid", "unexpected")) else "cis should be an array"


def _constant(name: str) -> Any:
    raise ValueError(name)


_DECODER = json.JSONDecoder(parse_constant=_constant)
_VALUE = "looking for beginning of value"


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _quoted(char: str) -> str:
    """A character as Go quotes it: the first byte of its UTF-8, taken for a Latin-1 character."""
    if char == "'":
        return r"'\''"
    if char == '"':
        return "'\"'"
    byte = char.encode("utf-8", "replace")[0] if ord(char) > 0xFF else ord(char)
    named = {8: r"\b", 9: r"\t", 10: r"\n", 12: r"\f", 13: r"\r", 92: r"\\"}
    if byte in named:
        return f"'{named[byte]}'"
    if 0x20 <= byte < 0x7F or byte > 0xA0:
        return f"'{chr(byte)}'"
    return f"'\\x{byte:02x}'" if byte < 0x80 else f"'\\u{byte:04x}'"


def syntax_fault(text: str, at: int) -> str:
    """What Go says of the JSON value that starts at *at*; "" when the value is sound."""
    return _Scan(text, at).run()


class _Fault(Exception):
    """The first fault of a scan."""


class _Scan:
    """One value, read as the state machine of `encoding/json` reads it."""

    def __init__(self, text: str, at: int) -> None:
        self.text, self.at = text, at
        self.open: list[str] = []

    def run(self) -> str:
        try:
            self._value()
            while self.open:
                self._after_value()
        except _Fault as fault:
            return str(fault)
        return ""

    def _peek(self) -> str:
        if self.at >= len(self.text):
            raise _Fault("unexpected EOF")
        return self.text[self.at]

    def _next(self) -> str:
        self.at = _skip(self.text, self.at)
        return self._peek()

    def _wrong(self, context: str) -> _Fault:
        return _Fault(f"invalid character {_quoted(self._peek())} {context}")

    def _value(self) -> None:
        char = self._next()
        if char == "{":
            self._enter(char)
            if self._next() == "}":
                self._leave()
            else:
                self._key()
        elif char == "[":
            self._enter(char)
            if self._next() == "]":
                self._leave()
            else:
                self._value()
        elif char == '"':
            self._string()
        elif char == "-" or char.isdecimal():
            self._number()
        elif char in _LITERALS:
            self._literal(_LITERALS[char])
        else:
            raise self._wrong(_VALUE)

    def _enter(self, char: str) -> None:
        self.at += 1
        self.open.append(char)

    def _leave(self) -> None:
        self.at += 1
        self.open.pop()

    def _after_value(self) -> None:
        char, inside = self._next(), self.open[-1]
        if char == ("}" if inside == "{" else "]"):
            self._leave()
        elif char == ",":
            self.at += 1
            if inside == "{":
                self._key()
            else:
                self._value()
        elif inside == "{":
            raise self._wrong("after object key:value pair")
        else:
            raise self._wrong("after array element")

    def _key(self) -> None:
        if self._next() != '"':
            raise self._wrong("looking for beginning of object key string")
        self._string()
        if self._next() != ":":
            raise self._wrong("after object key")
        self.at += 1
        self._value()

    def _string(self) -> None:
        self.at += 1
        while True:
            run = _STRING_RUN.match(self.text, self.at)
            self.at = run.end() if run else self.at
            char = self._peek()
            if char == '"':
                self.at += 1
                return
            if char != "\\":
                raise self._wrong("in string literal")
            self.at += 1
            self._escape()

    def _escape(self) -> None:
        char = self._peek()
        if char not in '"\\/bfnrtu':
            raise self._wrong("in string escape code")
        self.at += 1
        for _ in range(4 if char == "u" else 0):
            if self._peek() not in "0123456789abcdefABCDEF":
                raise self._wrong(r"in \u hexadecimal character escape")
            self.at += 1

    def _number(self) -> None:
        if self._peek() == "-":
            self.at += 1
        zero = self._peek() == "0"
        self._digits("in numeric literal", single=zero)
        if self.text[self.at : self.at + 1] == ".":
            self.at += 1
            self._digits("after decimal point in numeric literal")
        if self.text[self.at : self.at + 1] in ("e", "E"):
            self.at += 1
            if self._peek() in "+-":
                self.at += 1
            self._digits("in exponent of numeric literal")

    def _digits(self, context: str, *, single: bool = False) -> None:
        if self._peek() not in "0123456789":
            raise self._wrong(context)
        found = _DIGITS.match(self.text, self.at)
        self.at = self.at + 1 if single or not found else found.end()

    def _literal(self, word: str) -> None:
        for expected in word:
            if self._peek() != expected:
                raise self._wrong(f"in literal {word} (expecting {_quoted(expected)})")
            self.at += 1
