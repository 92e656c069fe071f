"""Texts spoilt by chance: spans of them lost, doubled, moved, replaced by pieces of a language."""

from collections.abc import Callable, Sequence
from random import Random

ODD = (
    *("\0", "\n", "\r\n", "\t", " ", "\u00a0", "\u2028", "\ufeff", "é", "İ", "\U0001f600", "\x7f"),
    *("\ud800", "\udfff", '"', "'", "\\", "%", "$", "{", "}", "[", "]", "(", ")", "|", "*", "#"),
)
LONGEST = 6_000  # characters of a spoilt text


def spoilt(random: Random, text: str, pieces: Sequence[str]) -> str:
    """The text after a few edits, each at a place of chance."""
    for _ in range(random.choice((1, 1, 1, 2, 2, 3, 5))):
        text = random.choice(_EDITS)(random, text, pieces)[:LONGEST]
    return text


def _span(random: Random, text: str) -> tuple[int, int]:
    start = random.randrange(len(text) + 1)
    return start, min(len(text), start + random.choice((0, 1, 1, 1, 2, 3, 5, 8, 20, 60)))


def _lost(random: Random, text: str, _: Sequence[str]) -> str:
    start, end = _span(random, text)
    return text[:start] + text[end:]


def _doubled(random: Random, text: str, _: Sequence[str]) -> str:
    start, end = _span(random, text)
    count = random.choice((2, 2, 2, 3, 10, 100))
    return text[:start] + text[start:end] * count + text[end:]


def _moved(random: Random, text: str, _: Sequence[str]) -> str:
    start, end = _span(random, text)
    rest = text[:start] + text[end:]
    to = random.randrange(len(rest) + 1)
    return rest[:to] + text[start:end] + rest[to:]


def _replaced(random: Random, text: str, pieces: Sequence[str]) -> str:
    start, end = _span(random, text)
    return text[:start] + _piece(random, pieces) + text[end:]


def _added(random: Random, text: str, pieces: Sequence[str]) -> str:
    at = random.randrange(len(text) + 1)
    return text[:at] + _piece(random, pieces) + text[at:]


def _ended(random: Random, text: str, _: Sequence[str]) -> str:
    return text[: random.randrange(len(text) + 1)]


def _flooded(random: Random, text: str, pieces: Sequence[str]) -> str:
    at = random.randrange(len(text) + 1)
    piece = random.choice((*"{[(-?&*!\"'|:,", _piece(random, pieces)))
    return text[:at] + piece * random.choice((50, 300, 2_000)) + text[at:]


def _lines_swapped(random: Random, text: str, _: Sequence[str]) -> str:
    lines = text.split("\n")
    one, other = random.randrange(len(lines)), random.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return "\n".join(lines)


def _line_shifted(random: Random, text: str, _: Sequence[str]) -> str:
    lines = text.split("\n")
    at = random.randrange(len(lines))
    lines[at] = random.choice(("  ", " ", "\t", "- ")) + lines[at]
    return "\n".join(lines)


def _line_lost(random: Random, text: str, _: Sequence[str]) -> str:
    lines = text.split("\n")
    del lines[random.randrange(len(lines))]
    return "\n".join(lines)


def _letter_changed(random: Random, text: str, _: Sequence[str]) -> str:
    if not text:
        return random.choice(ODD)
    at = random.randrange(len(text))
    return text[:at] + chr(max(0, ord(text[at]) + random.choice((-32, -1, 1, 32)))) + text[at + 1 :]


def _piece(random: Random, pieces: Sequence[str]) -> str:
    return random.choice(ODD) if random.random() < 0.3 else random.choice(pieces)


_EDITS: tuple[Callable[[Random, str, Sequence[str]], str], ...] = (
    _lost,
    _lost,
    _doubled,
    _moved,
    _replaced,
    _replaced,
    _added,
    _added,
    _ended,
    _flooded,
    _lines_swapped,
    _line_shifted,
    _line_lost,
    _letter_changed,
)
