"""The text of a SELECT: one statement that reads, its parameters, and the same one as a subquery.

Databases differ in what a text is; what they read differently is refused rather than guessed.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

WINDOW: Final = ("since", "until")

_TOKEN: Final = re.compile(
    r"""
      (?P<comment>   --[^\n]* | /\*.*?\*/ )
    | (?P<text>      (?<!\w)[eE]'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*'
                   | (?<![\w$])\$(?P<tag>(?:[^\W\d]\w*)?)\$.*?\$(?P=tag)\$ )
    | (?P<name>      "(?:[^"]|"")*" | `(?:[^`]|``)*` )
    | (?P<unclosed>  /\* | ['"`] )
    | (?P<escape>    \\: )
    | (?P<parameter> (?<![:\w\\]):\w+ )
    | (?P<sign>      [();] )
    | (?P<word>      \w+ )
    """,
    re.VERBOSE | re.DOTALL,
)
_OPENED: Final = {"'": "a text", '"': "a name", "`": "a name", "/*": "a comment"}


class OddStatement(ValueError):
    """A statement, or a condition, that is not to be run; `mend` says what to write instead."""

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(f"{what}; mend: {mend}")


@dataclass(frozen=True, slots=True)
class Statement:
    r"""A piece of SQL as it is run.

    `text` is in the notation of `sqlalchemy.text`: `:since` is a parameter, and `\:` a colon that
    begins none. `parameters` are those it names, once each.
    """

    text: str
    parameters: tuple[str, ...] = ()

    @classmethod
    def select(cls, written: str) -> "Statement":
        """One statement that begins with SELECT or WITH; raises OddStatement."""
        statement = cls._read(written)
        first = re.search(r"\w+", _without_comments(written))
        if first is None or first[0].upper() not in {"SELECT", "WITH"}:
            raise OddStatement(
                f"a statement that begins with {first[0] if first else 'nothing'!r} is not run",
                "write one that begins with SELECT or WITH",
            )
        if statement.parameters:
            raise OddStatement(
                f"`:{statement.parameters[0]}` is a parameter, and a SELECT that is read whole has "
                "none",
                "write a condition with `:since` and `:until` as `window`: a SELECT that holds it "
                r"would lose rows without a date in every run; a colon of SQL itself is written \:",
            )
        return statement

    @classmethod
    def window(cls, written: str) -> "Statement":
        """A condition that names `:since`, `:until`, or both; raises OddStatement."""
        condition = cls._read(written)
        unknown = [each for each in condition.parameters if each not in WINDOW]
        if unknown or not condition.parameters:
            found = f"`:{unknown[0]}` is no parameter of a window" if unknown else "no parameter"
            raise OddStatement(
                f"{found}: they are `:since` and `:until`",
                r"write `modified >= :since AND modified < :until`; a colon of SQL itself is \:",
            )
        return condition

    @classmethod
    def _read(cls, written: str) -> "Statement":
        parts: list[str] = []
        parameters: list[str] = []
        depth = 0
        ended = False
        for kind, piece in _tokens(written):
            if piece == ";":
                ended = True
                continue
            if ended and kind != "comment" and piece.strip():
                raise OddStatement(
                    f"something follows the first statement: {piece.strip()[:20]!r}",
                    "keep one statement; a `;` inside a name stands between double quotes",
                )
            depth += {"(": 1, ")": -1}.get(piece, 0)
            if depth < 0:
                raise OddStatement("a parenthesis is closed that was never opened", "remove it")
            if kind == "parameter":
                parameters.append(piece.removeprefix(":"))
            parts.append(_as_text(kind, piece))
        if depth:
            raise OddStatement("a parenthesis is never closed", "write the one that is missing")
        return cls("".join(parts).strip(), tuple(dict.fromkeys(parameters)))

    def wrapped(self, columns: Sequence[str] = (), conditions: Sequence[str] = ()) -> str:
        """The rows of the statement that meet every condition: these *columns* of them, or all.

        Columns are written as SQL wants them. Line ends keep a final comment from hiding the rest;
        there is no AS, which Oracle does not know before the name of a subquery.
        """
        shown = ", ".join(columns) or "*"
        where = " AND ".join(f"(\n{condition}\n)" for condition in conditions)
        rows = f"SELECT {shown} FROM (\n{self.text}\n) feed"  # noqa: S608 - what the job reads
        return f"{rows} WHERE {where}" if where else rows


def _tokens(written: str) -> Iterator[tuple[str, str]]:
    """The pieces of *written*, all of it, each with its kind; what is nothing special is `other`.

    Raises OddStatement for what never ends, and for comments that are code to some databases.
    """
    end = 0
    for found in _TOKEN.finditer(written):
        if found.start() > end:
            yield "other", written[end : found.start()]
        kind, piece, end = str(found.lastgroup), found[0], found.end()
        if kind == "unclosed":
            raise OddStatement(
                f"{_OPENED[piece]} that begins with {piece} is never closed",
                "close it; a quote inside a text is doubled",
            )
        if piece.startswith("/*") and ("/*" in piece[2:] or piece.startswith("/*!")):
            raise OddStatement(
                "a comment within a comment, or one that is code to MySQL", "leave it out"
            )
        yield kind, piece
    if end < len(written):
        yield "other", written[end:]


def _without_comments(written: str) -> str:
    return " ".join(piece for kind, piece in _tokens(written) if kind != "comment")


def _as_text(kind: str, piece: str) -> str:
    """*piece* in the notation of `sqlalchemy.text`, which looks for parameters inside texts too."""
    if kind == "parameter":
        return f"({piece})"  # `:since::date` would be no parameter to it
    return piece.replace(":", r"\:") if kind in {"comment", "text", "name"} else piece
