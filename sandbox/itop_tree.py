"""The tree that an OQL query is read into."""

from dataclasses import dataclass


class OqlError(Exception):
    """A query that iTop refuses; `exception` is the PHP class that 3.2 names."""

    def __init__(self, what: str, exception: str = "OqlNormalizeException") -> None:
        super().__init__(what)
        self.exception = exception


@dataclass(frozen=True, slots=True)
class Name:
    """A name of the query, and where it stands (0-based)."""

    text: str
    at: int


@dataclass(frozen=True, slots=True)
class Field:
    name: Name
    alias: Name | None = None


@dataclass(frozen=True, slots=True)
class Constant:
    value: str | int | None


@dataclass(frozen=True, slots=True)
class Numbers:
    """A list of nothing but numbers, as long lists of ids are."""

    values: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Interval:
    amount: "Expression"
    unit: str


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    arguments: tuple["Expression | Interval", ...]


@dataclass(frozen=True, slots=True)
class Binary:
    operator: str
    left: "Expression"
    right: "Expression"


@dataclass(frozen=True, slots=True)
class Membership:
    left: "Expression"
    among: "Numbers | Query | tuple[Expression, ...]"
    inside: bool


Expression = Field | Constant | Function | Binary | Membership


@dataclass(frozen=True, slots=True)
class Join:
    kind: Name
    alias: Name
    left: Field
    operator: str
    right: Field


@dataclass(frozen=True, slots=True)
class Select:
    kind: Name
    alias: Name
    chosen: tuple[Name, ...]
    joins: tuple[Join, ...]
    where: Expression | None


@dataclass(frozen=True, slots=True)
class Query:
    """One SELECT, or several joined by UNION."""

    text: str
    selects: tuple[Select, ...]
