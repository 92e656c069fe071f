"""Options of a value: what is made of what its rule found, in one fixed order.

    split, trim, strip_accents, case    of the text that was found, or of each text of an array
    lookup                              (`mappings.lookups`)
    join, hash, cast                    of what the lookup gave
    default                             of nothing left

The order is this one however a job writes them. A step takes a value that is not absent, and gives
one, or None: `trim` of blanks is no value. It raises Refusal for what it cannot take.
"""

import hashlib
import unicodedata
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal

import xxhash

from mappings import casts
from mappings.cast_rule import CastRule, Step, cast_of

Case = Literal["upper", "lower", "title"]
Digest = Literal["sha256", "xxh3"]

# letters that are no letter with a sign, and so have no decomposition
_LIGATURES = str.maketrans(
    {"œ": "oe", "Œ": "OE", "æ": "ae", "Æ": "AE", "ß": "ss", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L"}
)


def chained(steps: Sequence[Step]) -> Step | None:
    """The steps as one, which ends where one of them gives nothing; None without any."""
    if len(steps) < 2:
        return steps[0] if steps else None

    def chain(value: Any) -> Any:
        for step in steps:
            value = step(value)
            if value is None:
                return None
        return value

    return chain


def of_text(
    *, split: str | None = None, trim: bool, strip_accents: bool, case: Case | None
) -> tuple[Step, ...]:
    """The steps before the lookup."""
    steps: list[Step] = [] if split is None else [partial(_split, split)]
    if trim:
        steps.append(_each(lambda text: text.strip() or None))
    if strip_accents:
        steps.append(_each(without_accents))
    if case is not None:
        steps.append(_each({"upper": str.upper, "lower": str.lower, "title": str.title}[case]))
    return tuple(steps)


def of_value(
    *, join: str | None = None, digest: Digest | None, cast: CastRule | None
) -> tuple[Step, ...]:
    """The steps after the lookup."""
    steps: list[Step] = [] if join is None else [partial(_joined, join)]
    if digest is not None:
        steps.append(partial(_digest, digest))
    if cast is not None:
        steps.append(cast_of(cast))
    return tuple(steps)


def without_accents(text: str) -> str:
    """The text in bare letters: "Évry-Cœur" gives "Evry-Coeur"."""
    if text.isascii():
        return text
    apart = unicodedata.normalize("NFD", text.translate(_LIGATURES))
    bare = "".join(char for char in apart if unicodedata.category(char) != "Mn")
    return unicodedata.normalize("NFC", bare)


def _each(function: Callable[[str], str | None]) -> Step:
    """The same for a text and for each text of an array; other values pass as they are."""

    def step(value: Any) -> Any:
        if isinstance(value, str):
            return function(value)
        if not isinstance(value, list):
            return value
        words = [function(word) if isinstance(word, str) else word for word in value]
        return [word for word in words if word is not None] or None

    return step


def _split(separator: str, value: Any) -> list[str] | None:
    """The pieces between separators, those that are blank left out."""
    texts = value if isinstance(value, list) else [value]
    pieces = [piece for each in texts for piece in (casts.text(each) or "").split(separator)]
    return [piece for piece in pieces if piece.strip()] or None


def _joined(separator: str, value: Any) -> Any:
    if not isinstance(value, list):
        return value
    return separator.join(word for each in value if (word := casts.text(each)) is not None)


def _digest(name: Digest, value: Any) -> Any:
    if isinstance(value, list):
        return [_digest(name, each) for each in value]
    content = (casts.text(value) or "").encode("utf-8", "surrogatepass")
    return (
        hashlib.sha256(content).hexdigest()
        if name == "sha256"
        else xxhash.xxh3_128_hexdigest(content)
    )
