"""One value under one verb of Go's `printf`: flags, width, precision, nesting."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mappings.golang import gofloat, gotime
from mappings.golang.gotext import can_backquote, is_print, quote, quote_rune, rune, to_bytes
from mappings.golang.template_values import Byte, Named, StrList, StrMap, fail, type_name

MAX_TEXT = 1 << 21  # characters one call may give: no template of a mapping comes near
_UINT64 = (1 << 64) - 1
_BASES = {"d": 10, "v": 10, "b": 2, "o": 8, "O": 8, "x": 16, "X": 16}
_DIGITS = {10: "d", 2: "b", 8: "o", 16: "x"}


@dataclass(slots=True)
class Flags:
    """What stands between `%` and the verb; a width or precision of None is absent.

    `plus_v` and `sharp_v` are `+` and `#` before `v`, where they mean something else.
    """

    plus: bool = False
    minus: bool = False
    sharp: bool = False
    space: bool = False
    zero: bool = False
    width: int | None = None
    precision: int | None = None
    plus_v: bool = False
    sharp_v: bool = False


class Printer:
    """Writes values under the flags it holds; all it writes together is bounded by `MAX_TEXT`."""

    def __init__(self, flags: Flags) -> None:
        self.flags = flags
        self.room = MAX_TEXT

    def print(self, value: Any, verb: str) -> str:
        """An operand of `printf`."""
        if value is None:
            return self._pad("<nil>") if verb in ("v", "T") else f"%!{verb}(<nil>)"
        if verb == "T":
            return self._text(type_name(value))
        if verb == "w":  # the verb of errors, which no value of a template is
            return self._bad(value, verb)
        return self._pointer(value) if verb == "p" else self._value(value, verb)

    def _nested(self, value: Any, verb: str) -> str:
        """An element of a list or of a map."""
        if value is None:
            return "interface {}(nil)" if self.flags.sharp_v else "<nil>"
        return self._value(value, verb)

    def _value(self, value: Any, verb: str) -> str:
        if isinstance(value, dict):
            return self._map(value, verb)
        if isinstance(value, list):
            return self._list(value, verb)
        shown = self._scalar(value, verb)
        return self._bad(value, verb) if shown is None else shown

    def _scalar(self, value: Any, verb: str) -> str | None:
        """What is neither list nor map; None when the verb is not for its type."""
        if isinstance(value, bool):
            return self._pad("true" if value else "false") if verb in "tv" else None
        if isinstance(value, Named) and verb in "vsxXq":
            return self._string(value.name, verb)
        if isinstance(value, int):
            return self._integer(value, verb)
        if isinstance(value, float):
            return self._float(value, verb)
        if isinstance(value, complex):
            return self._complex(value, verb)
        shown = gotime.text(value) if isinstance(value, datetime) else str(value)
        return self._string(shown, verb)

    def _bad(self, value: Any, verb: str) -> str:
        return f"%!{verb}({type_name(value)}={self._value(value, 'v')})"

    def _spend(self, text: str) -> str:
        self.room -= len(text)
        if self.room < 0:
            fail(f"output of more than {MAX_TEXT} characters")
        return text

    def _pad(self, text: str, *, zero: bool = True) -> str:
        flags = self.flags
        missing = (flags.width or 0) - len(text)
        if missing > 0:
            filler = "0" if zero and flags.zero and not flags.minus else " "
            text = text + filler * missing if flags.minus else filler * missing + text
        return self._spend(text)

    # -- strings

    def _text(self, text: str) -> str:
        precision = self.flags.precision
        return self._pad(text if precision is None else text[:precision])

    def _string(self, text: str, verb: str) -> str | None:
        """The text under a verb; None when the verb is not one of strings."""
        if verb == "q" or (verb == "v" and self.flags.sharp_v):
            return self._quoted(text)
        if verb in "vs":
            return self._text(text)
        return self._string_in_hexadecimal(text, verb) if verb in "xX" else None

    def _quoted(self, text: str) -> str:
        flags = self.flags
        text = text if flags.precision is None else text[: flags.precision]
        if flags.sharp and can_backquote(text):
            return self._pad(f"`{text}`")
        return self._pad(quote(text, ascii_only=flags.plus))

    def _string_in_hexadecimal(self, text: str, verb: str) -> str:
        flags = self.flags
        raw = to_bytes(text)
        raw = raw if flags.precision is None else raw[: flags.precision]
        prefix = "0x" if flags.sharp and raw else ""
        if flags.space:
            shown = " ".join(f"{prefix}{byte:02x}" for byte in raw)
        else:
            shown = prefix + raw.hex()
        return self._pad(shown.upper() if verb == "X" else shown)

    # -- numbers

    def _integer(self, value: int, verb: str) -> str | None:
        if verb == "v" and self.flags.sharp_v and isinstance(value, Byte):
            self.flags.sharp = True
            shown = self._based(int(value), "x")
            self.flags.sharp = False
            return shown
        if verb in _BASES:
            return self._based(int(value), verb)
        code = value & _UINT64
        if verb == "c":
            return self._pad(rune(code))
        if verb == "q":
            return self._pad(quote_rune(code, ascii_only=self.flags.plus))
        return self._unicode(code) if verb == "U" else None

    def _based(self, value: int, verb: str) -> str:
        flags, base = self.flags, _BASES[verb]
        if flags.precision == 0 and value == 0:
            return self._spend(" " * (flags.width or 0))
        sign = "-" if value < 0 else "+" if flags.plus else " " if flags.space else ""
        least = flags.precision or 0
        if flags.precision is None and flags.zero and not flags.minus and flags.width is not None:
            least = flags.width - len(sign)
        digits = format(abs(value), _DIGITS[base]).rjust(least, "0")
        if flags.sharp and base != 10 and not (base == 8 and digits[0] == "0"):
            digits = {2: "0b", 8: "0", 16: "0x"}[base] + digits
        if verb == "O":
            digits = "0o" + digits
        return self._pad(sign + (digits.upper() if verb == "X" else digits), zero=False)

    def _unicode(self, code: int) -> str:
        shown = f"U+{code:0{max(self.flags.precision or 0, 4)}X}"
        if self.flags.sharp and code <= 0x10FFFF and is_print(chr(code)):
            shown += f" '{chr(code)}'"
        return self._pad(shown, zero=False)

    def _float(self, value: float, verb: str) -> str | None:
        if verb not in "vbgGxXfFeE":
            return None
        precision = 6 if verb in "fFeE" else -1
        return self._real(value, {"v": "g", "F": "f"}.get(verb, verb), precision)

    def _real(self, value: float, verb: str, precision: int) -> str:
        flags = self.flags
        precision = precision if flags.precision is None else flags.precision
        shown = gofloat.formatted(value, verb, precision)
        if shown[0] not in "+-":
            shown = "+" + shown
        if flags.space and shown[0] == "+" and not flags.plus:
            shown = " " + shown[1:]
        if shown[1] in "IN":
            bare = shown[1] == "N" and not flags.space and not flags.plus
            bare = bare or (shown[0] == "+" and not flags.plus and shown[1] == "I")
            return self._pad(shown[1:] if bare else shown, zero=False)
        if flags.sharp and verb != "b":
            shown = _sharpened(shown, verb, precision)
        if not flags.plus and shown[0] == "+":
            return self._pad(shown[1:])
        if flags.zero and not flags.minus and flags.width is not None and flags.width > len(shown):
            return self._spend(shown[0] + "0" * (flags.width - len(shown)) + shown[1:])
        return self._pad(shown)

    def _complex(self, value: complex, verb: str) -> str | None:
        if verb not in "vbgGxXfFeE":
            return None
        real, plus = self._float(value.real, verb), self.flags.plus
        self.flags.plus = True
        imaginary = self._float(value.imag, verb)
        self.flags.plus = plus
        return f"({real}{imaginary}i)"

    # -- lists, maps

    def _list(self, items: list[Any], verb: str) -> str:
        shown = [self._nested(item, verb) for item in items]
        if self.flags.sharp_v:
            return f"{type_name(items)}{{{', '.join(shown)}}}"
        return f"[{' '.join(shown)}]"

    def _map(self, entries: dict[str, Any], verb: str) -> str:
        sharp = self.flags.sharp_v
        if sharp and isinstance(entries, StrMap) and entries.is_nil:
            return f"{type_name(entries)}(nil)"
        shown = [
            f"{self._value(key, verb)}:{self._nested(entries[key], verb)}"
            for key in sorted(entries, key=to_bytes)
        ]
        return f"{type_name(entries)}{{{', '.join(shown)}}}" if sharp else f"map[{' '.join(shown)}]"

    def _pointer(self, value: Any) -> str:
        if not isinstance(value, dict | StrList | list):
            return self._bad(value, "p")
        return self._pad(f"{id(value):#x}", zero=False)


def _sharpened(shown: str, verb: str, precision: int) -> str:
    """A number under `#`: always a decimal point, and the zeros `%g` drops."""
    digits = (6 if precision == -1 else precision) if verb in "gGx" else 0
    mark = "pP" if verb in "xX" else "eEpP"
    end = next((at for at, char in enumerate(shown) if at and char in mark), len(shown))
    body, tail = shown[:end], shown[end:]
    seen = False
    for char in body[1:]:
        if char == ".":
            continue
        seen = seen or char != "0"
        digits -= seen
    if "." not in body:
        if body[1:] == "0":
            digits -= 1
        body += "."
    return body + "0" * max(digits, 0) + tail
