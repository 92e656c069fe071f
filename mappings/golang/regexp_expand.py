"""Replacement texts as Go's `Expand` reads them: `$1`, `${name}`, `$$`."""

import unicodedata
from functools import lru_cache

# A text, or the groups of which the first that took part gives the text.
Piece = str | tuple[int, ...]


@lru_cache(maxsize=1024)
def parse_template(repl: str, names: tuple[str, ...]) -> tuple[Piece, ...]:
    """The pieces of *repl* for a pattern whose groups bear *names* in order.

    `$name` takes letters, digits and underscores as far as they go: `$1x` is the group `1x`.
    A `$` that names nothing is itself.
    """
    pieces: list[Piece] = []
    before, dollar, rest = repl.partition("$")
    while dollar:
        pieces.append(before)
        if rest.startswith("$"):
            pieces.append("$")
            rest = rest[1:]
        else:
            name, after = _name(rest)
            pieces.append(_numbers(name, names) if name else "$")
            rest = after
        before, dollar, rest = rest.partition("$")
    pieces.append(before)
    return tuple(piece for piece in pieces if piece)


def _name(rest: str) -> tuple[str, str]:
    """The name after a `$` and what follows it; no name when it is malformed."""
    brace = rest.startswith("{")
    end = start = int(brace)
    while end < len(rest) and _in_name(rest[end]):
        end += 1
    if end == start or (brace and rest[end : end + 1] != "}"):
        return "", rest
    return rest[start:end], rest[end + brace :]


def _in_name(char: str) -> bool:
    category = unicodedata.category(char)
    return char == "_" or category[0] == "L" or category == "Nd"


def _numbers(name: str, names: tuple[str, ...]) -> tuple[int, ...]:
    if name.isascii() and name.isdecimal() and len(name) < 10 and (name == "0" or name[0] != "0"):
        return (int(name),) if int(name) <= len(names) else ()
    return tuple(number for number, other in enumerate(names, start=1) if other == name)
