"""Stand-ins for real values: of the same shape, the same for the same value, all others for others.

They hang on a key: who does not have it cannot tell what a stand-in stands for. The letter case and
the blanks around a text do not count, so that `SRV-Lyon` and `srv-lyon ` keep naming one thing.
"""

import hashlib
import math
from collections.abc import Iterator
from itertools import count
from typing import Any, Literal, get_args

from flows.shapes import PARTS, WORD, Make, letters, only_digits
from mappings.casts import text as plain

Shape = Literal["auto", "text", "name", "digits", "hash", "email", "ipv4", "date"]
SHAPES: tuple[str, ...] = get_args(Shape)

_TRIES = 200  # of stand-ins that nobody has yet; there are but nine others for one digit
_EXACT = 10**18  # JSON as we write it has whole numbers of 64 bits


class Pseudonyms:
    """The stand-ins of one recording.

    What was shown to `learn` before is nobody's stand-in, as long as there are others.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._real: set[str] = set()
        self._given: set[str] = set()
        self._attempts: dict[tuple[str, str], int] = {}

    def learn(self, value: Any) -> None:
        """Takes notice of a real value."""
        word = plain(value)
        if word:
            self._real |= {_folded(word), *map(_folded, WORD.findall(word))}

    def of(self, shape: Shape, value: Any) -> Any:
        """What stands for a scalar; null, true and false stand for themselves."""
        if value is None or isinstance(value, bool):
            return value
        if shape == "hash":
            return self._digest(plain(value) or "")
        if isinstance(value, (int, float)):
            return self._number(shape, value)
        if shape in ("text", "digits"):
            return self._text(value) if shape == "text" else self._digits(value)
        if shape == "name":
            return WORD.sub(lambda found: self._text(found[0]), value)
        return self._auto(value) if shape == "auto" else self._within(shape, value)

    def _text(self, value: str) -> str:
        return self._unique("text", value, letters)

    def _digits(self, value: str) -> str:
        return self._unique("digits", value, only_digits)

    def _auto(self, value: str) -> str:
        """By what the whole text is."""
        word = value.strip()
        for shape, (pattern, _) in PARTS.items():
            if pattern.fullmatch(word):
                return self._within(shape, value)
        return self._text(value)

    def _within(self, shape: str, value: str) -> str:
        """Every address, or date, in a text; what stands around them as text."""
        pattern, make = PARTS[shape]
        made, end = [], 0
        for found in pattern.finditer(value):
            part = self._email(found[0]) if make is None else self._unique(shape, found[0], make)
            made += [self._text(value[end : found.start()]), part]
            end = found.end()
        return "".join([*made, self._text(value[end:])])

    def _email(self, value: str) -> str:
        """In the domain `.example`, which is nobody's (RFC 2606)."""
        local, _, domain = value.rpartition("@")
        return f"{self._text(local)}@{self._text(domain)}.example"

    def _number(self, shape: Shape, value: float) -> float:
        """A number of the same type and length."""
        digits = self._digits if shape == "digits" else self._text
        if isinstance(value, int) or (value.is_integer() and abs(value) < _EXACT):
            whole = int(digits(str(int(value))))
            return type(value)(whole if abs(whole) < _EXACT else whole // 100)
        mantissa, e, exponent = repr(value).partition("e")
        found = float(f"{digits(mantissa)}{e}{exponent}")
        return found if math.isfinite(found) else 0.0

    def _digest(self, word: str) -> str:
        content = word.encode("utf-8", "surrogatepass")
        return hashlib.blake2b(content, key=self._key, digest_size=8, person=b"hash").hexdigest()

    def _unique(self, how: str, value: str, make: Make) -> str:
        if not any(map(str.isalnum, value)):
            return value  # nothing of it says anything
        word = _folded(value)
        attempt = self._attempts.get((how, word))
        if attempt is None:
            attempt = self._attempts[how, word] = self._free(how, word, make)
            self._given.add(make(word, self._stream(how, word, attempt)))
        return make(value, self._stream(how, word, attempt))

    def _free(self, how: str, word: str, make: Make) -> int:
        """The first attempt that gives what nobody is called and what stands for nobody."""
        for taken in ((self._given, self._real), (self._given,)):
            for attempt in range(_TRIES):
                made = make(word, self._stream(how, word, attempt))
                if not any(made in words for words in taken):
                    return attempt
        return 0

    def _stream(self, how: str, word: str, attempt: int) -> Iterator[int]:
        """Numbers without end, each below 2 ** 32."""
        content = word.encode("utf-8", "surrogatepass")
        for block in count():
            head = f"{attempt}:{block}:".encode()
            digest = hashlib.blake2b(head + content, key=self._key, person=how.encode()).digest()
            for start in range(0, len(digest), 4):
                yield int.from_bytes(digest[start : start + 4])


def _folded(word: str) -> str:
    return word.strip().lower()
