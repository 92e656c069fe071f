"""Reads OQL, iTop's query language, into a tree; says no with iTop's own words.

    parse("SELECT Server WHERE id > 100 AND id <= 200")

Keywords are upper case. There is neither ORDER BY, LIMIT nor BETWEEN. In a literal between `'`
a backslash may stand before `'` and another backslash, and nowhere else; between `"`, before `"`
and another backslash (specs/itop.md §4.3).
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final, NoReturn

from sandbox.itop_tokens import TREE, UNITS, Token, tokens_of
from sandbox.itop_tree import (
    Binary,
    Constant,
    Expression,
    Field,
    Function,
    Interval,
    Join,
    Membership,
    Name,
    Numbers,
    OqlError,
    Query,
    Select,
)

_COMPARING: Final = {
    "EQ": "=",
    "NOT_EQ": "!=",
    "GT": ">",
    "LT": "<",
    "GE": ">=",
    "LE": "<=",
    "LIKE": "LIKE",
    "NOT_LIKE": "NOT LIKE",
    "REGEXP": "REGEXP",
    "MATH_PLUS": "+",
    "MATH_MINUS": "-",
}
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)


class _Parser:
    """Recursive descent; every method leaves `_at` on the first token it does not take."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokens_of(text)
        # what the generated parser says of the end: token 0, value 0, position 0
        self._tokens.append(Token("End of Input", "0", 0))
        self._at = 0

    def whole(self) -> Query:
        if self._kind != "SELECT":
            # the grammar takes a lone condition as well, so the error is after it
            self._any()
            self._refuse()
        selects = self._selects()
        if self._kind != "End of Input":
            self._refuse()
        return Query(self._text, selects)

    @property
    def _kind(self) -> str:
        return self._tokens[self._at].kind

    def _refuse(self) -> NoReturn:
        token = self._tokens[self._at]
        raise OqlError(
            f"Unexpected token {token.kind} - found '{token.text}' at {token.at} in '{self._text}'",
            "OQLParserSyntaxErrorException",
        )

    def _take(self, kind: str) -> Token:
        if self._kind != kind:
            self._refuse()
        self._at += 1
        return self._tokens[self._at - 1]

    def _took(self, kind: str) -> bool:
        if self._kind != kind:
            return False
        self._at += 1
        return True

    def _selects(self) -> tuple[Select, ...]:
        selects = [self._select()]
        while self._took("UNION"):
            selects.append(self._select())
        return tuple(selects)

    def _select(self) -> Select:
        self._take("SELECT")
        chosen = [self._name()]
        while self._took("COMA"):
            chosen.append(self._name())
        if len(chosen) > 1 and self._kind != "FROM":
            self._refuse()
        kind = chosen[0]
        if named := self._took("FROM"):
            kind = self._name()
        alias = self._name() if self._took("AS_ALIAS") else kind
        joins = []
        while self._kind == "JOIN":
            joins.append(self._join())
        where = self._any() if self._took("WHERE") else None
        return Select(kind, alias, tuple(chosen) if named else (alias,), tuple(joins), where)

    def _join(self) -> Join:
        self._take("JOIN")
        kind = self._name()
        alias = self._name() if self._took("AS_ALIAS") else kind
        self._take("ON")
        left = self._field()
        operator = self._kind
        if operator not in {"EQ", *TREE}:
            self._refuse()
        self._at += 1
        return Join(kind, alias, left, operator, self._field())

    def _name(self) -> Name:
        token = self._take("NAME")
        return Name(token.text.strip("`"), token.at)

    def _field(self) -> Field:
        name = self._name()
        return Field(self._name(), name) if self._took("DOT") else Field(name)

    def _any(self) -> Expression:
        return self._chain(self._all, {"LOG_OR": "OR"})

    def _all(self) -> Expression:
        return self._chain(self._comparison, {"LOG_AND": "AND"})

    def _comparison(self) -> Expression:
        return self._chain(self._product, _COMPARING)

    def _product(self) -> Expression:
        return self._chain(self._basic, {"MATH_MULT": "*", "MATH_DIV": "/"})

    def _chain(self, part: Callable[[], Expression], operators: dict[str, str]) -> Expression:
        left = part()
        while (operator := operators.get(self._kind)) is not None:
            self._at += 1
            left = Binary(operator, left, part())
        return left

    def _basic(self) -> Expression:
        held = self._atom()
        while self._kind in ("IN", "NOT_IN"):
            inside = self._take(self._kind).kind == "IN"
            held = Membership(held, self._list(), inside)
        return held

    def _atom(self) -> Expression:
        if self._kind.startswith("F_"):
            return self._function()
        if self._kind == "NAME":
            return self._field()
        if self._took("PAR_OPEN"):
            held = self._any()
            self._take("PAR_CLOSE")
            return held
        return Constant(self._constant())

    def _constant(self) -> str | int | None:
        if self._took("NULL_VAL"):
            return None
        if self._kind == "STRVAL":
            return _ESCAPE.sub(r"\1", self._take("STRVAL").text[1:-1])
        sign = -1 if self._took("MATH_MINUS") else 1
        text = self._take("NUMVAL").text
        return sign * int(text, 16 if text.startswith("0x") else 10)

    def _function(self) -> Expression:
        name = self._take(self._kind).text
        self._take("PAR_OPEN")
        arguments: list[Expression | Interval] = []
        while self._kind != "PAR_CLOSE":
            if arguments:
                self._take("COMA")
            arguments.append(self._argument())
        self._take("PAR_CLOSE")
        return Function(name, tuple(arguments))

    def _argument(self) -> Expression | Interval:
        if not self._took("INTERVAL"):
            return self._any()
        amount = self._any()
        unit = self._kind.removeprefix("F_")
        if unit not in UNITS:
            self._refuse()
        self._at += 1
        return Interval(amount, unit)

    def _list(self) -> Numbers | Query | tuple[Expression, ...]:
        if self._kind == "NUMBERS":
            return Numbers(tuple(map(int, self._take("NUMBERS").text.split(","))))
        self._take("PAR_OPEN")
        if self._kind == "SELECT":
            nested = Query(self._text, self._selects())
            self._take("PAR_CLOSE")
            return nested
        items = [self._any()]
        while self._took("COMA"):
            items.append(self._any())
        self._take("PAR_CLOSE")
        return tuple(items)


@lru_cache(maxsize=1024)
def parse(text: str) -> Query:
    """The query as a tree; raises OqlError."""
    return _Parser(text).whole()
