"""Saved lists of the simulated EasyVista, which `internalqueries` runs by their queryguid."""

import operator
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from sandbox.easyvista_dates import milliseconds
from sandbox.easyvista_knobs import EasyVistaKnobs, View
from sandbox.easyvista_schema import Kind, Table
from sandbox.easyvista_search import Rejected
from sandbox.easyvista_store import Store

_AND: Final = re.compile(r"\s+and\s+(?=(?:[^']*'[^']*')*[^']*$)", re.IGNORECASE)
_CLAUSE: Final = re.compile(r"\s*(?:(\w+)\.)?(\w+)\s*(<=|>=|<>|=|<|>)\s*('[^']*'|-?[\d.]+)\s*")
_OPERATORS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def saved(knobs: EasyVistaKnobs, queryguid: str) -> View:
    """The list of that GUID, in braces or not; raises Rejected when there is none."""
    bare = queryguid.strip("{} ").upper()
    for guid, view in knobs.views.items():
        if bare and guid.strip("{}").upper() == bare:
            return view
    raise Rejected(f"Query '{queryguid}' not found")


def filtered(store: Store, knobs: EasyVistaKnobs, table: Table, sql: str) -> Sequence[int]:
    """The positions of rows that meet a SQL fragment, of which comparisons joined by AND are known.

    A stamp is written as in SQL Server, `'2026-01-31 08:00:00.000'` on the clock of the tenant.
    Raises Rejected for anything else: the database would not compile it.
    """
    positions: Sequence[int] = range(len(store.rows(table.name)))
    for clause in _AND.split(sql) if sql.strip() else ():
        read = _CLAUSE.fullmatch(clause)
        if read is None or (read[1] or table.name).upper() != table.name:
            raise Rejected(f"Incorrect syntax near '{clause}'")
        column = store.column(table.name, read[2].upper())
        if column is None:
            raise Rejected(f"Invalid column name '{read[2]}'")
        wanted = _literal(read[4].strip("'"), column.kind, ZoneInfo(knobs.zone))
        compare, held = _OPERATORS[read[3]], column.values
        positions = [
            place for place in positions if held[place] is not None and compare(held[place], wanted)
        ]
    return positions


def _literal(text: str, kind: Kind, zone: ZoneInfo) -> Any:
    try:
        match kind:
            case Kind.INT:
                return int(text)
            case Kind.DECIMAL:
                return Decimal(text)
            case Kind.STAMP:
                return milliseconds(datetime.fromisoformat(text).replace(tzinfo=zone))
            case _:
                return text
    except (ArithmeticError, ValueError):
        refusal = Rejected(f"Conversion failed when converting the value '{text}' to {kind.value}")
    raise refusal
