"""The text of an encoded query: conditions joined by `^`, `^OR` and `^NQ`, and an order (spec §3).

    parse("active=true^nameSTARTSWITHa^ORnameSTARTSWITHb^ORDERBYsys_id")

gives one group of two terms, the second with two conditions, and the order `(("sys_id", False),)`.
`^^` is a caret inside a value. What is not a condition is kept as `None`: the instance drops it,
or gives no rows, as its property says.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

# The longest first: `INSTANCEOF` is not `IN` of `STANCEOF`.
_OPERATORS: Final = (
    "NOT LIKE",
    "NOT IN",
    "INSTANCEOF",
    "ISNOTEMPTY",
    "ISEMPTY",
    "EMPTYSTRING",
    "ANYTHING",
    "STARTSWITH",
    "ENDSWITH",
    "CONTAINS",
    "BETWEEN",
    "RELATIVEGT",
    "RELATIVELT",
    "RELATIVEGE",
    "RELATIVELE",
    "DATEPART",
    "MORETHAN",
    "LESSTHAN",
    "NSAMEAS",
    "SAMEAS",
    "GT_FIELD",
    "LT_FIELD",
    "DYNAMIC",
    "LIKE",
    "NOTON",
    "ON",
    "IN",
    "!=",
    "!*",
    ">=",
    "<=",
    "=",
    ">",
    "<",
    "%",
    "*",
)
_SAME: Final = {"CONTAINS": "LIKE", "*": "LIKE", "!*": "NOT LIKE", "%": "ENDSWITH"}
_MATCH: Final = frozenset(
    {"=", "!=", "IN", "NOT IN", "SAMEAS", "NSAMEAS", "ANYTHING", "ISEMPTY", "ISNOTEMPTY"}
    | {"EMPTYSTRING", "INSTANCEOF", "DYNAMIC"}
)
_CONDITION: Final = re.compile(
    rf"([a-z0-9_.]+)({'|'.join(map(re.escape, _OPERATORS))})(.*)", re.DOTALL
)
_TEXT: Final = re.compile(r"123TEXTQUERY321=(.*)", re.DOTALL)
_RELATED: Final = re.compile(r"RLQUERY([a-z0-9_]+)\.([a-z0-9_]+),([<>=!]+)(\d+)(?:,.*)?")
_CARET: Final = "\ufdd0"  # no value holds it: Unicode says it is no character


@dataclass(frozen=True, slots=True)
class Condition:
    """`field` `operator` `value`; of a related list: `table.field`, `RLQUERY`, `>=1`."""

    field: str
    operator: str
    value: str

    @property
    def is_range(self) -> bool:
        """Whether query ACLs count it as `query_range` (spec §4.5)."""
        return self.operator not in _MATCH

    @property
    def is_volatile(self) -> bool:
        """Whether its rows depend on the moment or on who asks."""
        return self.value.startswith("javascript:") or self.operator in _MOMENT


_MOMENT: Final = frozenset(
    {"RELATIVEGT", "RELATIVELT", "RELATIVEGE", "RELATIVELE", "ON", "NOTON", "DYNAMIC"}
)
Term = tuple[Condition | None, ...]  # one of them must hold
Group = tuple[Term, ...]  # all of them must hold
Order = tuple[tuple[str, bool], ...]  # field, descending


@dataclass(frozen=True, slots=True)
class Query:
    """The rows of one group or of another, in an order."""

    groups: tuple[Group, ...]
    order: Order = ()


@lru_cache(maxsize=4096)
def parse(text: str) -> Query:
    """The query that *text* is; nothing is ever refused."""
    groups: list[list[list[Condition | None]]] = [[]]
    order = []
    inside_related = False
    for part in text.replace("^^", _CARET).split("^"):
        if part.startswith("ENDRLQUERY"):
            inside_related = False
        elif inside_related or part in {"", "EQ"} or part.startswith("GROUPBY"):
            continue
        elif part.startswith("ORDERBYDESC"):
            order.append((part.removeprefix("ORDERBYDESC"), True))
        elif part.startswith("ORDERBY"):
            order.append((part.removeprefix("ORDERBY"), False))
        elif part.startswith("RLQUERY"):
            inside_related = True
            groups[-1].append([_related(part)])
        elif part.startswith("NQ"):
            groups.append([[condition(part.removeprefix("NQ"))]])
        elif part.startswith("OR") and groups[-1]:
            groups[-1][-1].append(condition(part.removeprefix("OR")))
        else:
            groups[-1].append([condition(part)])
    return Query(tuple(tuple(tuple(term) for term in group) for group in groups), tuple(order))


def condition(text: str) -> Condition | None:
    """One condition; None when it is not one."""
    if found := _TEXT.fullmatch(text):
        return Condition("", "TEXTQUERY", _plain(found[1]))
    if found := _CONDITION.fullmatch(text):
        field, operator, value = found.groups()
        return Condition(field, _SAME.get(operator, operator), _plain(value))
    return None


def _related(text: str) -> Condition | None:
    if found := _RELATED.fullmatch(text):
        table, field, operator, count = found.groups()
        return Condition(f"{table}.{field}", "RLQUERY", f"{operator}{count}")
    return None


def _plain(value: str) -> str:
    return value.replace(_CARET, "^")
