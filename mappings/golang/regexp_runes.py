r"""Sets of characters, as Go's regular expressions build them.

A set is a sorted tuple of (first, last) code points, both included, never touching. Classes are
ASCII as in Go (`\w`, `[[:alpha:]]`); `\p{...}` knows the categories and scripts of Unicode
(`specs/driver-compat.md` §4).
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable
from functools import cache, lru_cache

import regex  # type: ignore[import-untyped] # the standard library knows no scripts

Ranges = tuple[tuple[int, int], ...]

LAST = 0x10FFFF
ANY: Ranges = ((0, LAST),)
NO_NEWLINE: Ranges = ((0, 0x09), (0x0B, LAST))
NOTHING: Ranges = ()

_DIGIT = "09"
_UPPER = "AZ"
_LOWER = "az"


def clean(pairs: Iterable[tuple[int, int]]) -> Ranges:
    """The set of all *pairs*, which may come in any order and overlap."""
    merged: list[tuple[int, int]] = []
    for low, high in sorted(pairs):
        if merged and low <= merged[-1][1] + 1:
            if high > merged[-1][1]:
                merged[-1] = (merged[-1][0], high)
        else:
            merged.append((low, high))
    return tuple(merged)


def negate(ranges: Ranges) -> Ranges:
    """Every character that is not in *ranges*."""
    rest: list[tuple[int, int]] = []
    start = 0
    for low, high in ranges:
        if start < low:
            rest.append((start, low - 1))
        start = high + 1
    if start <= LAST:
        rest.append((start, LAST))
    return tuple(rest)


def contains(ranges: Ranges, code: int) -> bool:
    index = bisect_right(ranges, (code, LAST)) - 1
    return index >= 0 and code <= ranges[index][1]


@lru_cache(maxsize=256)
def fold(ranges: Ranges) -> Ranges:
    """*ranges* and every character that differs from one of them by case alone (`(?i)`)."""
    orbits, cased = _orbits(), _cased()
    extra: list[tuple[int, int]] = []
    for low, high in ranges:
        for code in cased[bisect_left(cased, low) : bisect_right(cased, high)]:
            extra += [(other, other) for other in orbits[code]]
    return clean((*ranges, *extra)) if extra else ranges


# Where letters have case; the rest of Unicode is too large to be looked through.
_CASED_BLOCKS = (
    (0x41, 0x3000),
    (0xA640, 0xAC00),
    (0xFB00, 0x11000),
    (0x118A0, 0x118E0),
    (0x16E40, 0x16EE0),
    (0x1E900, 0x1E944),
)


@cache
def _orbits() -> dict[int, tuple[int, ...]]:
    """By character, those that simple case folding takes for the same (`k`: `K` and U+212A).

    Simple folding is one character for one: the dotted and dotless i of Turkish fold with
    nothing, the sharp s with its capital alone.
    """
    same: defaultdict[str, list[int]] = defaultdict(list)
    for start, end in _CASED_BLOCKS:
        for code in range(start, end):
            same[_fold_key(chr(code))].append(code)
    return {code: tuple(codes) for codes in same.values() if len(codes) > 1 for code in codes}


@cache
def _cased() -> tuple[int, ...]:
    """The characters that have such others, in order."""
    return tuple(sorted(_orbits()))


def _fold_key(char: str) -> str:
    for key in (char.casefold(), char.lower()):
        if len(key) == 1:
            return key
    return char


def _ascii(*spans: str) -> Ranges:
    return clean((ord(span[0]), ord(span[-1])) for span in spans)


# Go's \s has no vertical tab; [[:space:]] has one.
PERL: dict[str, Ranges] = {
    "d": _ascii(_DIGIT),
    "s": _ascii("\t\n", "\f\r", " "),
    "w": _ascii(_DIGIT, _UPPER, "_", _LOWER),
}

POSIX: dict[str, Ranges] = {
    "alnum": _ascii(_DIGIT, _UPPER, _LOWER),
    "alpha": _ascii(_UPPER, _LOWER),
    "ascii": ((0, 0x7F),),
    "blank": _ascii("\t", " "),
    "cntrl": ((0, 0x1F), (0x7F, 0x7F)),
    "digit": _ascii(_DIGIT),
    "graph": _ascii("!~"),
    "lower": _ascii(_LOWER),
    "print": _ascii(" ~"),
    "punct": _ascii("!/", ":@", "[`", "{~"),
    "space": _ascii("\t\r", " "),
    "upper": _ascii(_UPPER),
    "word": _ascii(_DIGIT, _UPPER, "_", _LOWER),
    "xdigit": _ascii(_DIGIT, "AF", "af"),
}

# Names are case-sensitive in Go 1.23, and long names (`Letter`) unknown.
_CATEGORIES = """
    C Cc Cf Co Cs L Ll Lm Lo Lt Lu M Mc Me Mn N Nd Nl No P Pc Pd Pe Pf Pi Po Ps S Sc Sk Sm So
    Z Zl Zp Zs
"""
_SCRIPTS = """
    Adlam Ahom Anatolian_Hieroglyphs Arabic Armenian Avestan Balinese Bamum Bassa_Vah Batak
    Bengali Bhaiksuki Bopomofo Brahmi Braille Buginese Buhid Canadian_Aboriginal Carian
    Caucasian_Albanian Chakma Cham Cherokee Chorasmian Common Coptic Cuneiform Cypriot
    Cypro_Minoan Cyrillic Deseret Devanagari Dives_Akuru Dogra Duployan Egyptian_Hieroglyphs
    Elbasan Elymaic Ethiopic Georgian Glagolitic Gothic Grantha Greek Gujarati Gunjala_Gondi
    Gurmukhi Han Hangul Hanifi_Rohingya Hanunoo Hatran Hebrew Hiragana Imperial_Aramaic Inherited
    Inscriptional_Pahlavi Inscriptional_Parthian Javanese Kaithi Kannada Katakana Kawi Kayah_Li
    Kharoshthi Khitan_Small_Script Khmer Khojki Khudawadi Lao Latin Lepcha Limbu Linear_A Linear_B
    Lisu Lycian Lydian Mahajani Makasar Malayalam Mandaic Manichaean Marchen Masaram_Gondi
    Medefaidrin Meetei_Mayek Mende_Kikakui Meroitic_Cursive Meroitic_Hieroglyphs Miao Modi
    Mongolian Mro Multani Myanmar Nabataean Nag_Mundari Nandinagari New_Tai_Lue Newa Nko Nushu
    Nyiakeng_Puachue_Hmong Ogham Ol_Chiki Old_Hungarian Old_Italic Old_North_Arabian Old_Permic
    Old_Persian Old_Sogdian Old_South_Arabian Old_Turkic Old_Uyghur Oriya Osage Osmanya
    Pahawh_Hmong Palmyrene Pau_Cin_Hau Phags_Pa Phoenician Psalter_Pahlavi Rejang Runic Samaritan
    Saurashtra Sharada Shavian Siddham SignWriting Sinhala Sogdian Sora_Sompeng Soyombo Sundanese
    Syloti_Nagri Syriac Tagalog Tagbanwa Tai_Le Tai_Tham Tai_Viet Takri Tamil Tangsa Tangut Telugu
    Thaana Thai Tibetan Tifinagh Tirhuta Toto Ugaritic Vai Vithkuqi Wancho Warang_Citi Yezidi Yi
    Zanabazar_Square
"""
CATEGORIES = frozenset(_CATEGORIES.split())
SCRIPTS = frozenset(_SCRIPTS.split())


@cache
def unicode_class(name: str) -> Ranges | None:
    r"""The characters of `\p{name}`, None when Go knows no such name."""
    if name == "Any":
        return ANY
    if name == "C":  # Go leaves unassigned code points out of it
        return clean(
            pair for part in ("Cc", "Cf", "Co", "Cs") for pair in unicode_class(part) or ()
        )
    if name in CATEGORIES:
        return _matching(rf"\p{{{name}}}+")
    if name in SCRIPTS:
        return _matching(rf"\p{{Script={name}}}+")
    return None


def _matching(pattern: str) -> Ranges:
    return tuple((m.start(), m.end() - 1) for m in regex.finditer(pattern, _every_character()))


@cache
def _every_character() -> str:
    return "".join(map(chr, range(LAST + 1)))
