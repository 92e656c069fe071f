"""The parts of a D1 body: the arrays behind the tokens `cis` and `links`, wherever they stand.

Canopsis walks through the tokens of the body; a string `cis` or `links`, key or value, at any
depth, has to be followed by an array (`specs/canopsis.md` §2.2, §2.7).
"""

import json
from collections.abc import Iterator
from typing import Any

import orjson

from sandbox.canopsis_gojson import NotJson, syntax_fault

PARTS = ("cis", "links")
Part = tuple[str, Iterator[Any]]
"""The name of a part and its items, which have to be read before the next part is asked for."""

_SHUT, _END = "}]", object()


def parts(body: bytes) -> Iterator[Part]:
    """The parts in the order of the body; raises NotJson, with the job's `info`, on the way.

    A body that is sound, which is the rule, is decoded at once by orjson.
    """
    try:
        whole = orjson.loads(body)
    except orjson.JSONDecodeError:
        return _Walk(body.decode("utf-8", "replace")).parts()
    return _sound(whole)


def _sound(whole: Any) -> Iterator[Part]:
    """The parts of a decoded body; what is in a part is no token."""
    stack: list[Iterator[Any]] = [iter((whole,))]
    part = ""
    while stack:
        token = next(stack[-1], _END)
        if part:
            if not isinstance(token, list):
                raise NotJson(f"{part} should be an array")
            yield part, iter(token)
            part = ""
        elif token is _END:
            stack.pop()
        elif isinstance(token, dict):
            stack.append(each for pair in token.items() for each in pair)
        elif isinstance(token, list):
            stack.append(iter(token))
        elif isinstance(token, str) and token in PARTS:
            part = token


class _Walk:
    """The same over a body that is not sound: what stands before the fault is read."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0

    def parts(self) -> Iterator[Part]:
        while (token := self._token()) is not None:
            if token in PARTS:
                if self._token(f"failed to parse {token}: ") != "[":
                    raise NotJson(f"{token} should be an array")
                yield token, self._items(token)

    def _items(self, part: str) -> Iterator[Any]:
        words = f"failed to decode {part} item: "
        first = True
        while self._more():
            if not first:
                if self._text[self._at] != ",":
                    raise NotJson(f"{words}expected comma after array element")
                self._at += 1
                if not self._skip():
                    raise NotJson(f"{words}EOF")
            first = False
            try:
                item, self._at = json.JSONDecoder().raw_decode(self._text, self._at)
            except (ValueError, RecursionError):
                raise NotJson(f"{words}{syntax_fault(self._text, self._at)}") from None
            yield item

    def _more(self) -> bool:
        return self._skip() and self._text[self._at] not in _SHUT

    def _skip(self) -> bool:
        """Pass over space; false at the end of the body."""
        while self._at < len(self._text) and self._text[self._at] in " \t\r\n":
            self._at += 1
        return self._at < len(self._text)

    def _token(self, words: str = "") -> Any:
        """The next token, a bracket or a value; None at the end, wherever that is."""
        while self._skip() and self._text[self._at] in ",:":
            self._at += 1
        if self._at >= len(self._text):
            if words:
                raise NotJson(f"{words}EOF")
            return None
        char = self._text[self._at]
        if char in "{[}]":
            self._at += 1
            return char
        try:
            value, self._at = json.JSONDecoder().raw_decode(self._text, self._at)
        except ValueError:
            raise NotJson(words + syntax_fault(self._text, self._at)) from None
        return value if isinstance(value, str) else ""
