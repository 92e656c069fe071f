"""Number formats of Excel, as far as they change what a number says: zeros, dates, times."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

# A literal is quoted, or escaped, or one of the signs that need neither; `_x` and `*x` are blanks.
_TOKEN: Final = re.compile(
    r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|[_*].|\[[^\]]*\]|(?P<digit>[0#])|(?P<plain>[-+ /():])'
    r"|(?P<other>.)"
)
_TIME: Final = re.compile(r"[hHsS]|\[[hHmMsS]+\]")
_QUOTED: Final = re.compile(r'"[^"]*"|\\.|\[(?![hHmMsS]+\])[^\]]*\]')


@lru_cache(maxsize=1024)
def has_time(code: str) -> bool:
    """Whether the date format *code* shows hours or seconds."""
    return bool(_TIME.search(_QUOTED.sub("", code)))


@lru_cache(maxsize=1024)
def padded(code: str) -> Callable[[int], str] | None:
    """How the format *code* writes a whole number, when it shows zeros before it.

    `00000` shows 42 as `00042`, `"SRV-"000` as `SRV-042`, `0#" "##" "##` as `00 00 42`. None for
    the others (`0`, `0.00`, `#,##0`, `0%`): there the digits of the number say it all.
    """
    signs: list[tuple[bool, str]] = []  # whether it is a digit, and the sign
    for token in _TOKEN.finditer(code.partition(";")[0]):
        if token["other"]:
            return None
        if token["digit"]:
            signs.append((True, token["digit"]))
        else:
            signs += [(False, sign) for sign in _literal(token)]
    digits = [sign for is_digit, sign in signs if is_digit]
    if len(digits) < 2 or digits[0] != "0":
        return None
    if len(digits) == len(signs):
        return lambda number: str(number).zfill(len(digits))
    return lambda number: _filled(signs, str(number))


def _literal(token: re.Match[str]) -> str:
    return token["quoted"] or token["escaped"] or token["plain"] or ""


def _filled(signs: list[tuple[bool, str]], digits: str) -> str:
    """*digits* put into the places of *signs*, from the right; those left over come first."""
    places = sum(is_digit for is_digit, _ in signs)
    left = list(digits.rjust(places, "0"))
    extra = "".join(left[: len(left) - places])
    left = left[len(left) - places :]
    shown = []
    for is_digit, sign in signs:
        if not is_digit:
            shown.append(sign)
            continue
        shown.append(extra + left.pop(0))
        extra = ""
    return "".join(shown)
