r"""Go's strings in Python: bytes that may not be UTF-8, printable runes, quoting, case.

A Go string is a run of bytes. Here it is a `str` where a byte that is not part of valid UTF-8 is
one lone surrogate, U+DC00 + byte (`surrogateescape`); such text is made by byte-wise functions
alone (`slice`) and by escapes (`"\xff"`).
"""

import re
import unicodedata
from functools import lru_cache

# strings.TrimSpace: `str.strip()` alone would take U+001C to U+001F as well.
WHITE_SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
# Printable in Unicode 15.0, the edition of Go 1.21 to 1.26, and unassigned in 14.0, Python 3.11's.
_ADDED = (
    (0xCF3, 0xCF3), (0xECE, 0xECE), (0x10EFD, 0x10EFF), (0x1123F, 0x11241), (0x11B00, 0x11B09),
    (0x11F00, 0x11F10), (0x11F12, 0x11F3A), (0x11F3E, 0x11F59), (0x1342F, 0x1342F),
    (0x13440, 0x13455), (0x1B132, 0x1B132), (0x1B155, 0x1B155), (0x1D2C0, 0x1D2D3),
    (0x1DF25, 0x1DF2A), (0x1E030, 0x1E06D), (0x1E08F, 0x1E08F), (0x1E4D0, 0x1E4F9),
    (0x1F6DC, 0x1F6DC), (0x1F774, 0x1F776), (0x1F77B, 0x1F77F), (0x1F7D9, 0x1F7D9),
    (0x1FA75, 0x1FA77), (0x1FA87, 0x1FA88), (0x1FAAD, 0x1FAAF), (0x1FABB, 0x1FABD),
    (0x1FABF, 0x1FABF), (0x1FACE, 0x1FACF), (0x1FADA, 0x1FADB), (0x1FAE8, 0x1FAE8),
    (0x1FAF7, 0x1FAF8), (0x2B739, 0x2B739), (0x31350, 0x323AF),
)  # fmt: skip
_SURROGATE = re.compile("[\ud800-\udfff]")
_UNPAIRED = re.compile("[\ud800-\udbff]|\udc00-\udc7f|[\udd00-\udfff]")
_ESCAPES = {7: "\\a", 8: "\\b", 12: "\\f", 10: "\\n", 13: "\\r", 9: "\\t", 11: "\\v"}


def to_bytes(text: str) -> bytes:
    """The bytes of a Go string; a surrogate that stands for no byte becomes U+FFFD."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return _UNPAIRED.sub("\ufffd", text).encode("utf-8", "surrogateescape")


def from_bytes(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def runes(text: str) -> str:
    """The text as Go converts it to runes and back: U+FFFD for each byte that is not UTF-8."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def clean(text: str) -> str:
    """What a reader of UTF-8 makes of a Go string: pieces of runes joined, the rest U+FFFD."""
    if text.isascii() or not _SURROGATE.search(text):
        return text
    return runes(from_bytes(to_bytes(text)))


def byte_length(text: str) -> int:
    return len(text) if text.isascii() else len(to_bytes(text))


@lru_cache(maxsize=4096)
def is_print(char: str) -> bool:
    """`unicode.IsPrint` of Go 1.23."""
    if unicodedata.category(char)[0] in "LMNPS" or char == " ":
        return True
    code = ord(char)
    return any(low <= code <= high for low, high in _ADDED)


def quote(text: str, *, ascii_only: bool = False) -> str:
    """`strconv.Quote`, or `strconv.QuoteToASCII`."""
    return '"' + "".join([_escape(char, '"', ascii_only) for char in text]) + '"'


def quote_rune(code: int, *, ascii_only: bool = False) -> str:
    """`strconv.QuoteRune`, or `strconv.QuoteRuneToASCII`."""
    return "'" + _escape(rune(code), "'", ascii_only) + "'"


def rune(code: int) -> str:
    """The character of a code point; U+FFFD when there is none."""
    valid = 0 <= code < 0xD800 or 0xE000 <= code <= 0x10FFFF
    return chr(code) if valid else "\ufffd"


def _escape(char: str, mark: str, ascii_only: bool) -> str:  # noqa: FBT001 - private
    code = ord(char)
    if char in (mark, "\\"):
        return "\\" + char
    if code in _ESCAPES:
        return _ESCAPES[code]
    if is_print(char) and not (ascii_only and code >= 0x80):
        return char
    return _code(code)


def _code(code: int) -> str:
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is no UTF-8
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x20 or code == 0x7F:
        return f"\\x{code:02x}"
    if 0xD800 <= code <= 0xDFFF:
        code = 0xFFFD
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def can_backquote(text: str) -> bool:
    """`strconv.CanBackquote`."""
    return not any(
        (char < " " and char != "\t") or char in "`\x7f\ufeff" or 0xD800 <= ord(char) <= 0xDFFF
        for char in text
    )


def upper(text: str) -> str:
    """`strings.ToUpper`: each rune alone, to one rune."""
    text = runes(text)
    raised = text.upper()
    # Full mapping never shortens: equal lengths mean that no rune became several.
    return raised if len(raised) == len(text) else "".join(map(_upper_rune, text))


@lru_cache(maxsize=2048)
def _upper_rune(char: str) -> str:
    for mapped in (char.upper(), char.title()):
        # Where the full mapping has several runes, the simple one is the title case or nothing.
        if len(mapped) == 1:
            return mapped
    return char


def lower(text: str) -> str:
    """`strings.ToLower`: each rune alone, to one rune."""
    text = runes(text)
    if "\u03a3" in text:  # the final sigma is a rule of Python's alone
        return "\u03c3".join(map(lower, text.split("\u03a3")))
    return text.replace("\u0130", "i").lower()
