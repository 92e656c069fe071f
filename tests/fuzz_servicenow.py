"""ServiceNow instances to read: a table, classes, or relations; and what their rows really are.

What a row has to do with a condition is worked out here, not asked of the simulator.
"""

import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from sandbox.serve import serve
from sandbox.servicenow import create_app
from sandbox.servicenow_instance import Instance
from sandbox.servicenow_knobs import ServiceNowKnobs
from sources.base import Record, Scope
from sources.servicenow import SOURCE
from tests.fuzz_reading import QUICK, AnyValue, Gate, Stage, Truth
from tests.fuzz_servicenow_cases import NEUTRAL, SECRET, STAMP, TEXTS, TYPES, draw
from tests.fuzz_watch import Case


class ServiceNow:
    """The kind `servicenow`."""

    name = "servicenow"

    def __init__(self, url: str, gate: Gate, app: Any) -> None:
        self._url = url
        self.gate = gate
        self._app = app

    def draw(self, random: Random) -> Case:
        return draw(random)

    def stage(self, case: Case) -> Stage:
        knobs = {"users": {"etl": {"password": SECRET, "zone": case["zone"]}}, "lockout": 0}
        knobs |= {"row_acls": [], "field_acls": [], "table_acls": [], "query_acls": []}
        settings = knobs | case["knobs"] | {"faults": case["faults"]}
        tables = {case["table"]: case["rows"]}
        if case["table"] == "cmdb_rel_ci":
            tables["cmdb_rel_type"] = [{"sys_id": key, "name": name} for key, name in TYPES.items()]
        instance = Instance(tables, ServiceNowKnobs.model_validate(settings))
        self._app.state.servicenow = instance
        auth = {"type": "basic", "username": "etl", "password": SECRET}
        connection = {"base_url": self._url, "auth": auth, "retry": QUICK, "max_body": "2MiB"}
        query = {"query": case["conditions"]} if case["conditions"] else {}
        config = {"connection": "acme", "datasets": {"feed": {**case["dataset"], **query}}}
        fields = None if case["fields"] is None else frozenset(case["fields"])
        since, until = (datetime.fromisoformat(each) if each else None for each in case["window"])
        before = [dict(row) for row in instance.data.view(case["table"]).rows]
        hidden = instance.hidden(case["table"], "etl")

        def truth() -> Truth:
            return truth_of(case, instance, before, hidden)

        return Stage(
            SOURCE,
            SOURCE.config.model_validate(config),
            SOURCE.connection.model_validate(connection),
            Scope(fields, since, until),
            told_triple if case["table"] == "cmdb_rel_ci" else told,
            truth,
            (SECRET,),
        )


@contextmanager
def served() -> Iterator[ServiceNow]:
    app = create_app({})
    gate = Gate(app)
    with serve(gate) as url:
        yield ServiceNow(url, gate, app)


# -- what a record is


def plain(cell: Any) -> Any:
    return cell["value"] if isinstance(cell, dict) and "value" in cell else cell


def told(record: Record) -> tuple[str, Any]:
    return str(plain(record["sys_id"])), plain(record.get("name"))


def told_triple(record: Record) -> tuple[str, Any]:
    kind = record["type"]
    ends = (plain(record["parent"]), plain(record["child"]))
    return "|".join([*ends, kind["sys_id"] if isinstance(kind, dict) else kind]), None


def truth_of(case: Case, instance: Instance, before: list[Record], hidden: frozenset[str]) -> Truth:
    """*before*, *hidden*: the rows at the start, and the sys_ids of those that were not shown."""
    after = [dict(row) for row in instance.data.view(case["table"]).rows]
    gone = instance.hidden(case["table"], "etl")
    kinds = {fault["kind"] for fault in case["faults"]}
    first = _shown(case, instance, before, hidden)
    last = _shown(case, instance, after, gone)
    added = [row for fault in case["faults"] for row in fault.get("add", ())]
    every = [*before, *after, *added]
    may: dict[str, Container[Any]] = {}
    for row in _shown(case, instance, every, hidden & gone, widely=True).values():
        may[_key(row)] = _values(case, kinds, every, _key(row))
    if _is_blind(case, before) or "repeat" in kinds:
        may = {_key(row): AnyValue() for row in every} | may
    withheld = bool(kinds & {"short", "repeat"}) or _finds_nothing(case)
    unseen = _shown(case, instance, every, frozenset(), widely=True).keys() & (hidden | gone)
    return Truth(
        must=frozenset(_key(row) for key, row in first.items() if key in last),
        may=may,
        odd=10_000 if "bad_record" in kinds else 0,
        lacking=_admitted if withheld else None,
        hidden=len(unseen),
        weak=_weak(case, withheld=withheld),
        # Slices do not know of each other which relations are written twice.
        often=AnyValue() if "relations" in case["dataset"] and case["slices"] > 1 else (),
        honest=not case["faults"] and case["honest"] and set(case["knobs"]) <= NEUTRAL,
    )


def _shown(
    case: Case,
    instance: Instance,
    rows: Iterable[Record],
    hidden: frozenset[str],
    *,
    widely: bool = False,
) -> dict[str, Record]:
    """The rows that are to be read, by sys_id; *widely*: or may be, at the ends of a window."""
    now = instance.now() - timedelta(seconds=30)  # the `lag` of a window
    return {
        row["sys_id"]: row
        for row in rows
        if row["sys_id"] not in hidden
        and _is_of_dataset(row, case["dataset"])
        and all(meets(row, each) for each in case["conditions"])
        and _in_window(case, row, now, widely=widely)
    }


def _weak(case: Case, *, withheld: bool) -> str:
    """Why rows may be lost: two things that are wrong, and agree with each other."""
    if withheld and any(fault["kind"] == "rows" for fault in case["faults"]):
        return "rows are withheld, and others go"
    unread = any(fault["on"].startswith("stats/") for fault in case["faults"])
    return "the only total is wrong" if unread and "total_error" in case["knobs"] else ""


def _is_blind(case: Case, before: list[Record]) -> bool:
    """Whether no row could tell that a column of the query is not there."""
    return not before and any(each.get("field") == "u_nothing" for each in case["conditions"])


def _finds_nothing(case: Case) -> bool:
    """Whether a page may be answered like a query that no row meets."""
    return any(fault.get("status") == 404 for fault in case["faults"])


def _values(case: Case, kinds: set[str], rows: list[Record], key: str) -> Container[Any]:
    """What the record may be called, its row having been one of *rows*."""
    if kinds & TEXTS:
        return AnyValue()
    if "relations" in case["dataset"] or "name" not in (case["fields"] or ["name"]):
        return (None,)
    return {_name(case, row) for row in rows if _key(row) == key}


def _name(case: Case, row: Record) -> Any:
    for acl in case["knobs"].get("field_acls", ()):
        if "name" in acl["fields"]:
            return None if acl["shape"] == "missing" else ""
    return row.get("name", "")


def _key(row: Record) -> str:
    return _triple(row) if "parent" in row else str(row["sys_id"])


def _triple(row: Record) -> str:
    return f"{row['parent']}|{row['child']}|{row['type']}"


def _admitted(evidence: str) -> int:
    found = re.search(r"([\d,]+) are hidden from the account", evidence)
    return int(found[1].replace(",", "")) if found else 0


def _is_of_dataset(row: Record, dataset: Mapping[str, Any]) -> bool:
    if dataset.get("relations"):
        ends = {row["parent"], row["child"]} - {""}
        wanted = dataset.get("types") or [*TYPES.values(), None]
        return len(ends) == 2 and TYPES.get(row["type"]) in wanted
    return not dataset.get("classes") or row["sys_class_name"] in dataset["classes"]


def _in_window(case: Case, row: Record, now: datetime, *, widely: bool) -> bool:
    since, until = (datetime.fromisoformat(each) if each else None for each in case["window"])
    if since is None and until is None:
        return True
    if not row.get("sys_updated_on"):
        return False
    if widely and since:
        since = (since - timedelta(seconds=case["dataset"]["overlap"])).replace(microsecond=0)
    if widely and until:
        until = (until + timedelta(microseconds=999_999)).replace(microsecond=0)
    stamp = datetime.strptime(row["sys_updated_on"], STAMP).replace(tzinfo=UTC)
    return (not since or stamp >= since) and (not until or stamp < until) and stamp < now


def meets(row: Record, condition: Mapping[str, Any]) -> bool:
    if "any" in condition:
        return any(meets(row, each) for each in condition["any"])
    held, value = row.get(condition["field"], ""), condition["value"]
    tests: dict[str, Callable[[], bool]] = {
        "eq": lambda: held == value,
        "neq": lambda: held != value,
        "is_one_of": lambda: held in value,
        "is_not_one_of": lambda: held not in value,
        "begin_with": lambda: held.startswith(value),
        "end_with": lambda: held.endswith(value),
        "contain": lambda: value in held,
        "not_contain": lambda: value not in held,
        "exist": lambda: bool(held) == value,
    }
    return tests[condition["cond"]]()
