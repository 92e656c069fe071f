"""Cuts OQL into tokens, named as iTop's error messages name them."""

import re
from dataclasses import dataclass
from typing import Final

from sandbox.itop_tree import OqlError

_FUNCTIONS: Final = frozenset(
    {
        *("IF", "ELT", "COALESCE", "ISNULL", "CONCAT", "SUBSTR", "TRIM", "DATE", "DATE_FORMAT"),
        *("CURRENT_DATE", "NOW", "TIME", "TO_DAYS", "FROM_DAYS", "YEAR", "MONTH", "DAY", "HOUR"),
        *("MINUTE", "SECOND", "DATE_ADD", "DATE_SUB", "ROUND", "FLOOR", "INET_ATON", "INET_NTOA"),
    }
)
UNITS: Final = frozenset({"SECOND", "MINUTE", "HOUR", "DAY", "MONTH", "YEAR"})
TREE: Final = frozenset(
    f"{no}{way}{strict}"
    for no in ("", "NOT_")
    for way in ("BELOW", "ABOVE")
    for strict in ("", "_STRICT")
)
_WORDS: Final = {
    **{each: f"F_{each}" for each in _FUNCTIONS},
    **{each.replace("_", " "): each for each in TREE},
    "SELECT": "SELECT",
    "FROM": "FROM",
    "AS": "AS_ALIAS",
    "WHERE": "WHERE",
    "JOIN": "JOIN",
    "ON": "ON",
    "UNION": "UNION",
    "AND": "LOG_AND",
    "OR": "LOG_OR",
    "LIKE": "LIKE",
    "NOT LIKE": "NOT_LIKE",
    "IN": "IN",
    "NOT IN": "NOT_IN",
    "REGEXP": "REGEXP",
    "INTERVAL": "INTERVAL",
    "NULL": "NULL_VAL",
}
_SIGNS: Final = {
    "=": "EQ",
    "!=": "NOT_EQ",
    ">": "GT",
    "<": "LT",
    ">=": "GE",
    "<=": "LE",
    "(": "PAR_OPEN",
    ")": "PAR_CLOSE",
    ",": "COMA",
    ".": "DOT",
    "/": "MATH_DIV",
    "*": "MATH_MULT",
    "+": "MATH_PLUS",
    "-": "MATH_MINUS",
}
_TOKEN: Final = re.compile(
    r"""(?P<blank>[ \t\n\r]+)
    |(?P<word>NOT[ ](?:IN|LIKE|(?:BELOW|ABOVE)(?:[ ]STRICT)?)\b|(?:BELOW|ABOVE)[ ]STRICT\b
        |[_a-zA-Z][_a-zA-Z0-9]*|`[^`]+`)
    |(?P<number>0x[0-9a-fA-F]+|[0-9]+)
    |(?P<string>"(?:[^\\"]|\\["\\])*"|'(?:[^\\']|\\['\\])*')
    |(?P<sign>[<>!]=|[=<>(),./*+-])
    |(?P<variable>:[_a-zA-Z][_a-zA-Z0-9]*(?:->[_a-zA-Z][_a-zA-Z0-9]*)?)""",
    re.VERBOSE,
)
_NUMBERS: Final = re.compile(r"\s*\(([0-9]+(?:\s*,\s*[0-9]+)+)\s*\)")


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: str
    at: int


def tokens_of(text: str) -> list[Token]:
    tokens: list[Token] = []
    at = 0
    while at < len(text):
        if tokens and tokens[-1].kind in ("IN", "NOT_IN") and (found := _NUMBERS.match(text, at)):
            tokens.append(Token("NUMBERS", found[1], at))
            at = found.end()
            continue
        found = _TOKEN.match(text, at)
        if found is None:
            line = text.count("\n", 0, at) + 1
            raise OqlError(f"Unexpected input at line {line}: {text[at]}", "Exception")
        piece = found.group()
        match found.lastgroup:
            case "word":
                tokens.append(Token(_WORDS.get(piece, "NAME"), piece, at))
            case "number":
                tokens.append(Token("NUMVAL", piece, at))
            case "string":
                tokens.append(Token("STRVAL", piece, at))
            case "sign":
                tokens.append(Token(_SIGNS[piece], piece, at))
            case "variable":
                tokens.append(Token("VARNAME", piece, at))
        at = found.end()
    return tokens
