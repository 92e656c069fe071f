"""Texts by chance, in the shape of other texts: letters, digits, addresses, dates."""

import re
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address

_LOWER = "abcdefghijklmnopqrstuvwxyz"
_ACCENTED = "àâäçéèêëîïôöùûüñ"
WORD = re.compile(r"[^\W_]+")
_EMAIL = re.compile(r"[^@\s<>,;:()\"]+@[\w-]+(?:\.[\w-]+)+")
_IPV4 = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])")
_DATE = re.compile(
    r"(?<![\d/.-])(?:\d{4}-(?P<month>\d\d)-(?P<day>\d\d)|(?P<d>\d\d)(?P<s>[/.-])(?P<m>\d\d)(?P=s)\d{4})"
    r"(?:[T ](?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?"
    r"(?![\d/-])"
)
# both up to 12: nobody says which of them is the month
_MONTH, _HOUR, _MINUTE = (1, 12), (0, 24), (0, 60)
_RANGES = {
    **dict.fromkeys(("month", "day", "m", "d"), _MONTH),
    "hour": _HOUR,
    **dict.fromkeys(("minute", "second"), _MINUTE),
}
_RESERVED = IPv4Address("198.18.0.0")  # 198.18.0.0/15 is for measurements (RFC 2544)
_ADDRESSES = 2**17

Make = Callable[[str, Iterator[int]], str]  # a text and numbers below 2 ** 32 without end


def letters(value: str, numbers: Iterator[int]) -> str:
    """Letters for letters, digits for digits; a number does not begin with a zero."""
    first = True
    made = []
    for char in value:
        if char.isalpha():
            made.append(_letter(char, next(numbers)))
        elif char.isnumeric():
            low = first and char != "0"
            made.append(str(low + next(numbers) % (10 - low)))
        else:
            made.append(char)
            continue
        first = False
    return "".join(made)


def _letter(char: str, number: int) -> str:
    alphabet = _LOWER if char.isascii() else _ACCENTED
    letter = alphabet[number % len(alphabet)]
    return letter.upper() if char.isupper() else letter


def only_digits(value: str, numbers: Iterator[int]) -> str:
    """Digits for digits."""
    digits = "".join(char for char in value if char.isnumeric())
    others = iter(letters(digits, numbers))
    return "".join(next(others) if char.isnumeric() else char for char in value)


def _address(_: str, numbers: Iterator[int]) -> str:
    return str(_RESERVED + next(numbers) % _ADDRESSES)


def _date(value: str, numbers: Iterator[int]) -> str:
    """Another day of the same year, at another time, written in the same way."""
    found = _DATE.fullmatch(value)
    chars = list(value)
    for part, (least, many) in _RANGES.items():
        if found is not None and found[part] is not None:
            start, end = found.span(part)
            chars[start:end] = f"{least + next(numbers) % many:02}"
    return "".join(chars)


# what is looked for in texts; an address of mail is made of two parts
PARTS: dict[str, tuple[re.Pattern[str], Make | None]] = {
    "email": (_EMAIL, None),
    "ipv4": (_IPV4, _address),
    "date": (_DATE, _date),
}
