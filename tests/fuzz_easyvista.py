"""EasyVista tenants to read: lists, windows, saved views, links; and what their rows really are."""

from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.easyvista import create_app
from sandbox.easyvista_knobs import EasyVistaKnobs
from sandbox.easyvista_state import EasyVista
from sandbox.easyvista_store import Store
from sandbox.serve import serve
from sources.base import Record, Scope
from sources.easyvista import SOURCE
from tests.fuzz_easyvista_cases import NEUTRAL, SECRET, VIEW, draw
from tests.fuzz_reading import QUICK, AnyValue, Gate, Stage, Truth
from tests.fuzz_watch import Case

Rows = Mapping[str, list[Record]]
_LINK = ("PARENT_CI_ID", "CHILD_CI_ID", "RELATION_TYPE_ID")


class Easyvista:
    """The kind `easyvista`."""

    name = "easyvista"

    def __init__(self, url: str, gate: Gate, app: Any) -> None:
        self._url = url
        self.gate = gate
        self._app = app

    def draw(self, random: Random) -> Case:
        return draw(random)

    def stage(self, case: Case) -> Stage:
        settings = {
            "users": {"api": {"password": SECRET}},
            "views": {VIEW: case["view"]} if case["view"] else {},
            **case["knobs"],
            "faults": case["faults"],
        }
        knobs = EasyVistaKnobs.model_validate(settings)
        state = EasyVista(Store(case["tables"]), knobs)
        self._app.state.easyvista = state
        connection = {
            "base_url": self._url,
            "account": 50004,
            "auth": {"type": "basic", "username": "api", "password": SECRET},
            "retry": QUICK,
            "max_body": "2MiB",
            **case["connection"],
        }
        search = {"search": case["conditions"]} if case["conditions"] else {}
        config = {"connection": "tenant", "datasets": {"feed": {**case["dataset"], **search}}}
        fields = None if case["fields"] is None else frozenset(case["fields"])
        since, until = (datetime.fromisoformat(each) if each else None for each in case["window"])
        before = _rows(state)

        def truth() -> Truth:
            return truth_of(case, knobs, before, _rows(state))

        return Stage(
            SOURCE,
            SOURCE.config.model_validate(config),
            SOURCE.connection.model_validate(connection),
            Scope(fields, since, until),
            lambda record: told(case, record),
            truth,
            (SECRET,),
        )


@contextmanager
def served() -> Iterator[Easyvista]:
    app = create_app({})
    gate = Gate(app)
    with serve(gate) as url:
        yield Easyvista(url, gate, app)


def _rows(state: EasyVista) -> Rows:
    return {name: [dict(row) for row in state.store.rows(name)] for name in state.store.names}


def key_of(case: Case, row: Record) -> str:
    names = _LINK if case["kind_of"] == "links" else (case["key"],)
    return "|".join(str(row.get(name)) for name in names)


def told(case: Case, record: Record) -> tuple[str, Any]:
    return key_of(case, record), record.get(case["shown"])


# -- what there is


def truth_of(case: Case, knobs: EasyVistaKnobs, before: Rows, after: Rows) -> Truth:
    first, last = _listed(case, knobs, before), _listed(case, knobs, after)
    must = first.keys() & last.keys()
    may: dict[str, Any] = {}
    added: dict[str, list[Record]] = {}
    for fault in case["faults"]:
        for row in fault.get("add", ()):
            added.setdefault(fault["table"], []).append(row)
    every = {
        name: [*before.get(name, []), *after.get(name, []), *added.get(name, [])]
        for name in {*before, *after, *added}
    }
    for row in _candidates(case, knobs, every, widely=True):
        may.setdefault(key_of(case, row), set()).update(_shown(case, row))
    kinds = {fault["kind"] for fault in case["faults"]}
    if "repeat" in kinds:  # also of the rows of another question
        named = every.get(case["table"], [])
        may |= {key_of(case, row): set() for row in named if case["kind_of"] != "links"}
    if kinds & {"repeat"} or case["any_value"]:
        may = dict.fromkeys(may, AnyValue())
    weak = _weak(knobs, kinds)
    return Truth(
        must=frozenset(must),
        may={
            key: each if isinstance(each, AnyValue) else frozenset(each)
            for key, each in may.items()
        },
        odd=10_000 if "bad_record" in kinds else 0,
        often=_often(case, kinds, weak),
        keyless="None|None|None" if case["kind_of"] == "links" else "None",
        weak=weak,
        honest=not case["faults"] and case["honest"] and set(case["knobs"]) <= NEUTRAL,
    )


def _often(case: Case, kinds: set[str], weak: str) -> Container[str]:
    """Keys that may come again: those of rows that were changed in a window, and what is weak."""
    windowed, keyless = any(case["window"]), "key" not in case["dataset"] and bool(case["view"])
    if weak or keyless or (windowed and "repeat" in kinds):
        return AnyValue()
    changed = (key for fault in case["faults"] for key in fault.get("update", ()))
    return frozenset(changed if windowed else ())


def _weak(knobs: EasyVistaKnobs, kinds: set[str]) -> str:
    """Why rows may be lost: two things that are wrong, and agree with each other."""
    withheld = bool(kinds & {"short", "repeat"})
    if knobs.counts in {"empty", "missing"}:
        return "no total tells what is withheld" if withheld or knobs.max_rows_cap == 1 else ""
    if not (knobs.total_error or "total" in kinds):
        return ""
    old = knobs.build == "2018" or knobs.offset_ignored or not knobs.view_offset
    more = withheld or "rows" in kinds or old or knobs.inner_joins or bool(knobs.max_rows_cap)
    return "a wrong total, and more that is wrong" if more else ""


def _shown(case: Case, row: Record) -> set[Any]:
    value = row.get(case["shown"])
    named = case["fields"] is not None and case["shown"] in case["fields"]
    return {value or None} | (set() if named or case["view"] else {None})


def _listed(case: Case, knobs: EasyVistaKnobs, rows: Rows) -> dict[str, Record]:
    return {key_of(case, row): row for row in _candidates(case, knobs, rows)}


def _candidates(
    case: Case, knobs: EasyVistaKnobs, rows: Rows, *, widely: bool = False
) -> list[Record]:
    """The rows that are to be read; *widely*: all that may rightly come."""
    if case["kind_of"] == "links":
        return _links(case, knobs, rows, widely=widely)
    found = []
    for row in rows.get(case["table"], ()):
        if not (widely or _is_listed(case, knobs, row, rows)):
            continue
        if case["kind_of"] == "configuration-items" and not row.get("IS_CI"):
            continue
        meets = all(met(row, each, rows, knobs.zone, widely=widely) for each in case["conditions"])
        if meets and _in_window(case, knobs, row, widely=widely):
            found.append(row)
    return found


def _is_listed(case: Case, knobs: EasyVistaKnobs, row: Record, rows: Rows) -> bool:
    if case["table"] != "AM_ASSET":
        return True
    if knobs.removed == "hidden" and row.get("REMOVED_DATE") and case["kind_of"] != "view":
        return False
    if case["kind_of"] != "assets" or not knobs.inner_joins or _is_joined(row, rows):
        return True
    linked = any("." in each["field"] for each in case["conditions"])
    looked = case["dataset"].get("crosscheck", "partial") != "none"
    # Two totals that are compared are of two moments.
    looked = looked and not any(fault["kind"] == "rows" for fault in case["faults"])
    return bool(row.get("IS_CI")) and looked and not linked and not any(case["window"])


def _is_joined(row: Record, rows: Rows) -> bool:
    locations = {each["LOCATION_ID"] for each in rows.get("AM_LOCATION", ())}
    departments = {each["DEPARTMENT_ID"] for each in rows.get("AM_DEPARTMENT", ())}
    return row.get("LOCATION_ID") in locations and row.get("DEPARTMENT_ID") in departments


def _links(case: Case, knobs: EasyVistaKnobs, rows: Rows, *, widely: bool) -> list[Record]:
    """The links of the CIs that are listed; those that `/assets` leaves out are looked for too."""
    cis = {
        row["ASSET_ID"]
        for row in rows["AM_ASSET"]
        if row.get("IS_CI") and not (knobs.removed == "hidden" and row.get("REMOVED_DATE"))
    }
    ends = {
        "both": ("PARENT_CI_ID", "CHILD_CI_ID"),
        "impacting": ("CHILD_CI_ID",),
        "impacted": ("PARENT_CI_ID",),
    }[case["dataset"]["links"].get("direction", "both")]
    return [
        row for row in rows.get("CI_LINK", ()) if widely or any(row[end] in cis for end in ends)
    ]


def _in_window(case: Case, knobs: EasyVistaKnobs, row: Record, *, widely: bool) -> bool:
    since, until = case["window"]
    if not (since or until):
        return True
    if not row.get("LAST_UPDATE"):
        return False
    stamp = datetime.fromisoformat(row["LAST_UPDATE"])
    # A text of a second, or of a millisecond, may be any moment in it.
    blur = timedelta(seconds=1) if knobs.stamps == "locale" else timedelta(milliseconds=1)
    blur = blur if widely else timedelta()
    early = bool(since) and stamp < datetime.fromisoformat(since) - blur
    late = bool(until) and stamp >= datetime.fromisoformat(until) + blur
    return not (early or late)


def met(row: Record, condition: Mapping[str, Any], rows: Rows, zone: str, *, widely: bool) -> bool:
    """Whether a row meets a condition to the letter; *widely*: whatever its case and blanks."""
    value = _value(row, condition["field"], rows)
    if value is None:
        return False
    if condition.get("cond") == "between" or "since" in condition or "until" in condition:
        return _is_between(value, condition, zone, widely=widely)
    wanted = condition["value"] if isinstance(condition["value"], list) else [condition["value"]]
    held = str(value)
    if widely:
        held, wanted = held.strip().casefold(), [str(each).strip().casefold() for each in wanted]
    tests: dict[str, Callable[[str, str], bool]] = {
        "eq": str.__eq__,
        "is_one_of": str.__eq__,
        "begin_with": str.startswith,
        "end_with": str.endswith,
        "contain": str.__contains__,
    }
    return any(tests[condition.get("cond", "eq")](held, str(each)) for each in wanted)


def _value(row: Record, name: str, rows: Rows) -> Any:
    link, _, column = name.rpartition(".")
    if link:
        held = rows.get(f"AM_{link}", ())
        row = next((each for each in held if each[f"{link}_ID"] == row.get(f"{link}_ID")), {})
    value = row.get(column)
    return None if value == "" else value


def _is_between(value: str, condition: Mapping[str, Any], zone: str, *, widely: bool) -> bool:
    """As the server compares: a day begins at midnight there; *widely*: or anywhere on earth."""
    low, high = condition.get("since", ""), condition.get("until", "")
    if len(value) == 10:
        return (not low or value >= low) and (
            not high or value < high or (widely and value == high)
        )
    stamp = datetime.fromisoformat(value).astimezone(UTC)
    room = timedelta(hours=26) if len(low or high) == 10 else timedelta(seconds=1)
    room = room if widely else timedelta()
    late = not low or stamp >= _moment(low, zone) - room
    return late and (not high or stamp < _moment(high, zone) + room)


def _moment(text: str, zone: str) -> datetime:
    read = datetime.fromisoformat(text)
    return (read if read.tzinfo else read.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)
