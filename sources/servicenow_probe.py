"""What a connection to a ServiceNow answers before anything is read: release, account, rights.

At most one row of a dataset is looked at a time. A table whose rows are all hidden answers like an
empty one, and an account without `query_range` like one with it: both are told here, since both
would spoil a reading (specs/servicenow.md §4.5, §9).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from sources.base import Probe
from sources.errors import SourceError
from sources.servicenow_answer import no_right
from sources.servicenow_client import Instance, View
from sources.servicenow_connection import ServiceNowConnection
from sources.servicenow_dataset import ServiceNowConfig
from sources.servicenow_query import Rows
from sources.servicenow_relations import TYPES
from sources.servicenow_values import KEY
from sources.verdict import Denied

_BUILD: Final = Rows("nameINglide.buildtag,glide.buildname")
_ME: Final = Rows("sys_id=javascript:gs.getUserID()")  # ours: nothing of a job is in it
_BELOW_ALL: Final = "0"  # no sys_id is below it


@dataclass(slots=True)
class Rights:
    """What the account may do, and what it would need to."""

    granted: list[str] = field(default_factory=list)
    lacking: list[str] = field(default_factory=list)


def probe(config: ServiceNowConfig, connection: ServiceNowConnection) -> Probe:
    """Raises Unreachable, Refused and Unreadable as `HttpSession.ask`, but for lacking rights."""
    tables = dict.fromkeys(dataset.name for dataset in config.datasets.values())
    if any(dataset.relations for dataset in config.datasets.values()):
        tables[TYPES] = None
    rights = Rights()
    with Instance(connection) as instance:
        for table in tables:
            _look(instance, table, rights)
        return Probe(
            version=_version(instance),
            identity=_identity(instance),
            rights=tuple(rights.granted),
            lacking=tuple(rights.lacking),
        )


def _look(instance: Instance, table: str, rights: Rights) -> None:
    """Add the rights to *table*: to it, to its rows, and to compare its sys_ids."""
    view = View(table)
    try:
        shown, total = _seen(instance, view)
    except Denied as denied:
        if not no_right(denied):
            raise
        rights.lacking.append(f"read {table}")
        return
    if _is_view(instance, table):
        rights.lacking.append(f"a table: {table} is a database view, whose rows have no sys_id")
        return
    if total and not shown:
        rights.lacking.append(f"read the rows of {table}: {total:,} are counted and none is shown")
        return
    rights.granted.append(f"read {table}" if shown else f"read {table} (empty)")
    if total and not _compares(instance, view, total):
        rights.lacking.append(f"query_range on {table}.{KEY}")


def _seen(instance: Instance, view: View) -> tuple[bool, int]:
    """Whether a row is shown, and how many are counted: the first, a middle and the last one."""
    sheet = instance.sheet(view, Rows(), (KEY,), limit=1, counted=True)
    total = sheet.total or 0
    if sheet.rows or total <= 1:
        return bool(sheet.rows), total
    places = dict.fromkeys((total // 2, total - 1))
    others = (instance.sheet(view, Rows(), (KEY,), limit=1, offset=each) for each in places)
    return any(sheet.rows for sheet in others), total


def _compares(instance: Instance, view: View, total: int) -> bool:
    """Whether a range of sys_ids is taken for one: below the lowest there must be less than all."""
    try:
        below = instance.total(view, Rows(high=_BELOW_ALL))
    except Denied as denied:
        if not no_right(denied):
            raise
        return False
    return below is None or below < total


def _is_view(instance: Instance, table: str) -> bool:
    rows = _readable(instance, "sys_db_view", Rows(f"name={table}"), ("name",))
    return any(row.get("name") == table for row in rows)


def _version(instance: Instance) -> str:
    """The build, where the account may read the property that tells it."""
    builds = [
        str(row["value"])
        for row in _readable(instance, "sys_properties", _BUILD, ("name", "value"))
        if str(row.get("name", "")).startswith("glide.build") and row.get("value")
    ]
    server = instance.session.last.headers.get("Server", "")
    told = ", ".join(dict.fromkeys(builds)) or "release unknown: sys_properties is not to be read"
    return f"{server or 'ServiceNow'}, {told}"


def _identity(instance: Instance) -> str:
    """Who the instance takes the account for, and in which zone its display values are."""
    rows = _readable(instance, "sys_user", _ME, ("user_name", "time_zone"), limit=2)
    if len(rows) != 1:  # the script was not run: these are other users
        return instance.identity
    told = [str(rows[0][name]) for name in ("user_name", "time_zone") if rows[0].get(name)]
    return f"{instance.identity} ({', '.join(told)})" if told else instance.identity


def _readable(
    instance: Instance, table: str, rows: Rows, columns: tuple[str, ...], limit: int = 2
) -> list[dict[str, Any]]:
    """A few rows of a system table; none where the account may not read it."""
    try:
        sheet = instance.sheet(View(table), rows, columns, limit=limit)
    except SourceError as error:
        if not isinstance(error, Denied) or error.status == 401:
            raise
        return []
    return list(_objects(sheet.rows))


def _objects(rows: list[Any]) -> Iterator[dict[str, Any]]:
    yield from (row for row in rows if isinstance(row, dict))
