"""iTops to read: classes, conditions, queries, windows, impact graphs; and what they hold."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.itop import create_app
from sandbox.itop_classes import is_a
from sandbox.itop_knobs import USERS, ItopKnobs
from sandbox.itop_state import Itop
from sandbox.itop_store import Objects
from sandbox.serve import serve
from sources.base import Record, Scope
from sources.itop import SOURCE
from tests.fuzz_itop_cases import CONDITIONS, NEUTRAL, SECRET, ZONE, draw
from tests.fuzz_reading import QUICK, AnyValue, Gate, Stage, Truth
from tests.fuzz_watch import Case

_TOO_MUCH = frozenset({"memory_objects", "memory_bytes"})
Held = dict[str, dict[str, Any]]  # values by `Class::id`


@dataclass(frozen=True, slots=True)
class ItopKind:
    """The kind `itop`."""

    url: str
    gate: Gate
    app: Any
    name: str = "itop"

    def draw(self, random: Random) -> Case:
        return draw(random)

    def stage(self, case: Case) -> Stage:
        etl = {"login": "etl", "password": SECRET, **case["user"]}
        others = [each.model_dump() for each in USERS if each.login != "etl"]
        knobs = {**case["knobs"], "users": [etl, *others], "faults": case["faults"]}
        objects = Objects()
        for row in case["rows"]:
            given = dict(row)
            objects.add(given.pop("class"), id=given.pop("id"), **given)
        itop = Itop(objects, ItopKnobs.model_validate(knobs))
        self.app.state.itop = itop
        connection = {
            "base_url": self.url,
            "auth": {"type": case["auth"], "username": "etl", "password": SECRET},
            "retry": QUICK,
            "max_body": "2MiB",
            "timezone": ZONE,
        }
        config = {"connection": "itop", "datasets": {"feed": _dataset(case)}}
        fields = None if case["fields"] is None else frozenset(case["fields"])
        since, until = (datetime.fromisoformat(each) if each else None for each in case["window"])
        before = _held(itop)

        def truth() -> Truth:
            return truth_of(case, before, _held(itop))

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
def served() -> Iterator[ItopKind]:
    app = create_app(Objects())
    gate = Gate(app)
    with serve(gate) as url:
        yield ItopKind(url, gate, app)


def _dataset(case: Case) -> dict[str, Any]:
    """The dataset with its conditions, as one or as a whole query."""
    where = " AND ".join(f"({CONDITIONS[name][0]})" for name in case["conditions"])
    dataset = {name: value for name, value in case["dataset"].items() if name != "oql"}
    if case["dataset"].get("oql"):
        clause = f" WHERE {where}" if where else ""
        return {**dataset, "oql": f"SELECT {dataset['class']}{clause}"}
    return {**dataset, "where": where}


def _held(itop: Itop) -> Held:
    return {thing.key: dict(thing.values) for thing in itop.held}


def told(case: Case, record: Record) -> tuple[str, Any]:
    if "related" in case["dataset"]:
        return f"{record['source']}|{record['target']}", None
    return str(record["id"]), record.get(case["shown"])


# -- what there is


def truth_of(case: Case, before: Held, after: Held) -> Truth:
    kinds = {fault["kind"] for fault in case["faults"]}
    common: dict[str, Any] = {
        "odd": 10_000 if "bad_record" in kinds else len(case["knobs"].get("invalid_utf8", ())),
        "honest": not case["faults"] and case["honest"] and set(case["knobs"]) <= NEUTRAL,
    }
    if (
        kinds & {"status", "fatal", "empty"} or {*case["knobs"]} & _TOO_MUCH
    ):  # on an object alone they are its own fault
        common["odd"] = 10_000
    if "related" in case["dataset"]:
        edges = dict.fromkeys(_edges(case, before), AnyValue())
        weak = "the edges around an object that is a reject" if common["odd"] else ""
        return Truth(must=frozenset(edges), may=edges, weak=weak, **common)
    first, last = _listed(case, before), _listed(case, after)
    may: dict[str, set[Any]] = {}
    for held in (before, after):
        for key, values in _listed(case, held, widely=True).items():
            may.setdefault(key, set()).add(_shown(case, values))
    anything = ("rows" in kinds) or case["any_value"] or "repeat" in kinds
    weak = "a list of ids that is another one" if "repeat" in kinds else ""
    if "short" in kinds and "found_error" in case["knobs"]:
        weak = "objects and their number lie alike"
    return Truth(
        weak=weak,
        must=frozenset(first.keys() & last.keys()),
        may={key: AnyValue() if anything else frozenset(each) for key, each in may.items()},
        **common,
    )


def _shown(case: Case, values: dict[str, Any]) -> Any:
    if case["fields"] is not None and case["shown"] not in case["fields"]:
        return None
    value = values.get(case["shown"], "")
    return str(value)


def _listed(case: Case, held: Held, *, widely: bool = False) -> dict[str, dict[str, Any]]:
    """The values of the objects that are to be read, by id."""
    dataset = case["dataset"]
    found = {}
    for key, values in held.items():
        kind, _, number = key.partition("::")
        if not is_a(kind, dataset["class"]):
            continue
        archived = values.get("archive_flag") and not dataset.get("archived")
        org, allowed = values.get("org_id"), case["user"].get("organizations")
        hidden = bool(allowed) and org is not None and org not in allowed
        meets = all(CONDITIONS[name][1](values) for name in case["conditions"])
        if meets and not archived and not hidden and _in_window(case, values, widely=widely):
            found[number] = values
    return found


def _in_window(case: Case, values: dict[str, Any], *, widely: bool) -> bool:
    """A local time that is two moments is in if one of them is; *widely*: an hour of room."""
    since, until = (datetime.fromisoformat(each) if each else None for each in case["window"])
    if since is None and until is None:
        return True
    if not values.get("last_update"):
        return False
    local = datetime.fromisoformat(values["last_update"])
    room = timedelta(hours=1, seconds=1) if widely else timedelta()
    moments = (local.replace(tzinfo=ZoneInfo(ZONE), fold=fold) for fold in (0, 1))
    return any(
        (since is None or each.timestamp() >= (since - room).timestamp())
        and (until is None or each.timestamp() < (until + room).timestamp())
        for each in moments
    )


def _edges(case: Case, held: Held) -> set[str]:
    """The arrows that are met from the objects of the dataset, followed to their end."""
    by_number = {
        key.partition("::")[2]: key for key in held if is_a(key.partition("::")[0], "FunctionalCI")
    }
    arrows = set()
    for key, values in held.items():
        for name in ("server_id", "virtualhost_id"):
            if source := by_number.get(str(values.get(name))):
                arrows.add((source, key))
        if key.startswith("lnk"):
            ends = (values["functionalci_id"], values["applicationsolution_id"])
            source, target = (by_number.get(str(end)) for end in ends)
            if source and target:
                arrows.add((source, target))
    down = case["dataset"]["related"].get("direction", "down") == "down"
    start, end = (0, 1) if down else (1, 0)
    reached = {by_number[number] for number in _listed(case, held)}
    met: set[tuple[str, str]] = set()
    while more := {each for each in arrows - met if each[start] in reached}:
        met |= more
        reached |= {each[end] for each in more}
    return {f"{source}|{target}" for source, target in met}
