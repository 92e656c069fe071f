"""The text of an encoded query: what may stand in one, checked when a job is compiled.

    operational_status=1^ORoperational_status=6^nameSTARTSWITHsrv

`^` joins conditions and `^^` is a caret inside a value (specs/servicenow.md §3). The instance drops
in silence what it does not take for a condition, and gives all rows then.
"""

import re
from typing import Final

# The longest first: `INSTANCEOF` is not `IN` of `STANCEOF`.
_OPERATORS: Final = (
    *("NOT LIKE", "NOT IN", "INSTANCEOF", "ISNOTEMPTY", "ISEMPTY", "EMPTYSTRING", "ANYTHING"),
    *("STARTSWITH", "ENDSWITH", "CONTAINS", "DOES NOT CONTAIN", "BETWEEN", "RELATIVEGT"),
    *("RELATIVELT", "RELATIVEGE", "RELATIVELE", "RELATIVEEE", "DATEPART", "MORETHAN", "LESSTHAN"),
    *("NSAMEAS", "SAMEAS", "GT_FIELD", "LT_FIELD", "GT_OR_EQUALS_FIELD", "LT_OR_EQUALS_FIELD"),
    *("DYNAMIC", "LIKE", "NOTON", "ON", "IN", "!=", "!*", ">=", "<=", "=", ">", "<", "%", "*"),
)
_CONDITION: Final = re.compile(
    rf"([a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*)({'|'.join(map(re.escape, _OPERATORS))})(.*)",
    re.DOTALL,
)
# Two operators of which, with one value, a row meets one at most.
_OPPOSITES: Final = {
    **dict.fromkeys(("STARTSWITH", "ENDSWITH", "%", "LIKE", "CONTAINS", "*"), ("LIKE", "NOT LIKE")),
    **dict.fromkeys(("NOT LIKE", "!*", "DOES NOT CONTAIN"), ("LIKE", "NOT LIKE")),
    **dict.fromkeys((">", ">=", "<", "<=", "BETWEEN"), (">", "<")),
    **dict.fromkeys(
        ("RELATIVEGT", "RELATIVEGE", "RELATIVELT", "RELATIVELE"), ("RELATIVEGT", "RELATIVELT")
    ),
    **dict.fromkeys(("ON", "NOTON"), ("ON", "NOTON")),
    **dict.fromkeys(("GT_FIELD", "LT_FIELD"), ("GT_FIELD", "LT_FIELD")),
}
_CARET: Final = "\ufdd0"  # no value holds it: Unicode says it is no character
_SCRIPT: Final = re.compile(r"javascript\s*:", re.IGNORECASE)
_TEXT_INDEX: Final = "123TEXTQUERY321="


def escaped(value: str) -> str:
    """*value* as it is written after an operator, whatever it holds. Raises ValueError.

    `javascript:` has no escape: the instance runs what follows.
    """
    check_value("value", value)
    return value.replace("^", "^^")


def is_script(value: str) -> bool:
    """Whether the instance might run *value* in place of comparing with it."""
    return bool(_SCRIPT.search(value))


def check_value(what: str, value: str, pattern: str = "") -> None:
    """Raises ValueError when *value* is not of the *pattern*, or would be run by the instance."""
    if is_script(value):
        raise ValueError(
            f"{what} {value!r} holds a script, which the instance would run; mend: write a constant"
        )
    if pattern and not re.fullmatch(pattern, value):
        raise ValueError(f"{what} {value!r} is no name; mend: lower-case letters, digits and _")


def check_encoded(query: str) -> None:
    """Raises ValueError with the first thing in *query* that cannot stand there."""
    related = False
    for clause in _clauses(query):
        word = clause.removeprefix("OR")
        if clause.startswith("ORDERBY"):
            raise ValueError(
                f"{clause!r}: rows are read by their sys_id; mend: leave the order out"
            )
        if clause.startswith("NQ"):
            raise ValueError(
                "^NQ begins another query, which the conditions of the paging would not reach; "
                "mend: declare two datasets, or use ^OR"
            )
        if clause.startswith(("GROUPBY", "EQ")) and clause != "EQ":
            raise ValueError(f"{clause!r} is no condition; mend: leave it out")
        if is_script(clause):
            raise ValueError(
                f"{clause!r} holds a script, which the instance would run; mend: write a constant, "
                "or RELATIVEGT@day@ago@7"
            )
        related = clause.startswith("RLQUERY") or (related and clause != "ENDRLQUERY")
        known = related or clause in {"EQ", "ENDRLQUERY"} or clause.startswith(_TEXT_INDEX)
        if not known and not _CONDITION.fullmatch(word):
            raise ValueError(
                f"{clause!r} is no condition, and the instance would ignore it; mend: write a "
                "column, an operator and a value; a caret inside a value is written ^^"
            )


def conditions(query: str) -> str:
    """*query* without the end mark that is copied from a list's filter."""
    return "^".join(part.replace(_CARET, "^^") for part in _clauses(query) if part != "EQ")


def columns(query: str) -> frozenset[str]:
    """The columns that *query* compares, those of related lists aside."""
    found = set()
    related = False
    for clause in _clauses(query):
        related = clause.startswith("RLQUERY") or (related and clause != "ENDRLQUERY")
        condition = None if related else _CONDITION.fullmatch(clause.removeprefix("OR"))
        if condition is not None:
            found.add(condition[1])
    return frozenset(found)


def contradictions(query: str) -> dict[str, str]:
    """By column that *query* compares by its text or its order: a query that no row can meet."""
    found: dict[str, str] = {}
    related = False
    for clause in _clauses(query):
        related = clause.startswith("RLQUERY") or (related and clause != "ENDRLQUERY")
        condition = None if related else _CONDITION.fullmatch(clause.removeprefix("OR"))
        opposites = _OPPOSITES.get(condition[2]) if condition else None
        if condition is not None and opposites:
            column, value = condition[1], condition[3].replace(_CARET, "^^")
            if condition[2] == "BETWEEN":
                value = value.partition("@")[0]
            found[column] = "^".join(f"{column}{sign}{value}" for sign in opposites)
    return found


def _clauses(query: str) -> list[str]:
    return [part for part in query.replace("^^", _CARET).split("^") if part]
