"""What is drawn of an EasyVista: rows, a dataset, a window, knobs and faults."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from sources.base import Record
from tests.fuzz_watch import Case

SECRET = "s3cr3t/ +é"
VIEW = "{11111111-2222-3333-4444-555555555555}"
START = datetime(2026, 3, 28, 23, 59, 58, tzinfo=UTC)
TAGS = ("SRV-1", "SRV-1", "srv-1", "SRV-2", "LYON 1", "a,b", "é", "[x]", None, None, "Z")
# Knobs that leave a reading whole, whatever they are.
NEUTRAL = frozenset(
    {"language", "zone", "removed", "next_link", "order", "numbers", "unset", "decimal"}
    | {"grouping", "untranslated", "random_keys", "gzip", "interval_end", "like", "collation"}
    | {"stamps", "ci_links"}
)
KINDS = ("assets",) * 5 + ("configuration-items",) * 2 + ("locations", "E_THINGS", "view", "links")


def draw(random: Random) -> Case:
    kind = random.choice(KINDS)
    count = random.choice((0, 1, 2, 3, random.randrange(4, 30), random.randrange(4, 80)))
    count = random.randrange(60, 200) if random.random() < 0.12 and kind != "links" else count
    case: Case = {
        "kind": "easyvista",
        "kind_of": kind,
        "table": {"locations": "AM_LOCATION", "E_THINGS": "E_THINGS"}.get(kind, "AM_ASSET"),
        "key": {"locations": "LOCATION_ID", "E_THINGS": "E_CODE"}.get(kind, "ASSET_ID"),
        "shown": {"locations": "CITY", "E_THINGS": "LABEL"}.get(kind, "ASSET_TAG"),
        "tables": tables(random, kind, count),
        "dataset": {},
        "view": {},
        "conditions": [],
        "fields": None,
        "window": ["", ""],
        "slices": random.choice((0, 0, 0, 1, 2, 3, 5)),
        "connection": {},
        "knobs": {},
        "faults": [],
        "any_value": False,
        "honest": True,
    }
    _draw_dataset(random, case)
    case["knobs"] = _knobs(random, case)
    for _ in range(random.choice((0, 0, 1, 1, 1, 2, 3))):
        case["faults"].append(_fault(random, case))
    if case["faults"] or "ties" in case["knobs"]:  # which call is which is certain then
        case["connection"]["max_concurrency"] = 1
    return case


# -- rows


def tables(random: Random, kind: str, count: int) -> dict[str, list[Record]]:
    keys = random.sample(range(1, 10 * count + 5), count)
    if random.random() < 0.1:
        keys = [2**31 - 1 - key for key in keys]
    tied = random.random() < 0.3
    found: dict[str, list[Record]] = {
        "AM_LOCATION": [{"LOCATION_ID": n, "CITY": city} for n, city in ((1, "Lyon"), (2, None))],
        "AM_DEPARTMENT": [{"DEPARTMENT_ID": n, "DEPARTMENT_FR": f"D{n}"} for n in (1, 2)],
    }
    if kind == "locations":
        found["AM_LOCATION"] = [
            {
                "LOCATION_ID": key,
                "CITY": random.choice(TAGS),
                "LAST_UPDATE": stamp(random, tied=tied),
            }
            for key in keys
        ]
    elif kind == "E_THINGS":
        form = random.choice(("{}", "{:05}", "T-{}", "é{}"))
        found["E_THINGS"] = [
            {"E_CODE": form.format(key), "LABEL": random.choice(TAGS)} for key in keys
        ]
    else:
        found["AM_ASSET"] = [asset(random, key, tied=tied) for key in keys]
    if kind == "links":
        ends = [*keys, 7_777_777]
        some = range(random.randrange(3 * count + 1))
        triples = {(random.choice(ends), random.choice(ends), random.choice((1, 2))) for _ in some}
        names = ("LINK_ID", "PARENT_CI_ID", "CHILD_CI_ID", "RELATION_TYPE_ID")
        found["CI_LINK"] = [
            dict(zip(names, (rank, *each), strict=True))
            for rank, each in enumerate(sorted(triples), 1)
        ]
    return found


def asset(random: Random, key: int, *, tied: bool = False) -> Record:
    return {
        "ASSET_ID": key,
        "ASSET_TAG": random.choice(TAGS),
        "LOCATION_ID": random.choice((1, 1, 2, 2, 2, None, 99)),
        "DEPARTMENT_ID": random.choice((1, 2, 2, 2, 2, 2, None)),
        "IS_CI": random.choice((1, 1, 1, 0)),
        "STATUS_ID": random.choice((1, 2, 3, None)),
        "NET_PRICE": random.choice(("12.50", "0", None)),
        "REMOVED_DATE": random.choice((None, None, None, "2020-01-31")),
        "INSTALLATION_DATE": random.choice(("2026-01-01", "2026-01-02", None)),
        "LAST_UPDATE": stamp(random, tied=tied),
    }


def stamp(random: Random, *, tied: bool = False) -> str | None:
    if random.random() < 0.03:
        return None
    ticks = random.choice((0, 0, 0, 1)) if tied else random.randrange(40)
    when = START + timedelta(milliseconds=ticks * random.choice((1, 250, 1000)))
    return when.isoformat(timespec="milliseconds")


# -- the dataset


def _draw_dataset(random: Random, case: Case) -> None:
    dataset, kind = case["dataset"], case["kind_of"]
    dataset["page_size"] = random.choice((2, 2, 3, 5, 7, 10, 20, 50, 500))
    if kind == "view":
        _draw_view(random, case)
        return
    if kind == "links":
        dataset["links"] = {"direction": random.choice(("both", "both", "impacting", "impacted"))}
        if random.random() < 0.3:
            dataset["links"]["of"] = "assets"
        case["any_value"] = True
        return
    dataset["resource"] = kind
    if kind == "E_THINGS":
        dataset["key"] = "E_CODE"
    case["fields"] = random.choice((None, [case["shown"]], [case["shown"]], []))
    if case["fields"] is None and kind != "E_THINGS":
        case["any_value"] = kind == "configuration-items"
    if kind == "assets":
        dataset["crosscheck"] = random.choice(("partial", "fetch", "none"))
    if case["table"] == "AM_ASSET" and random.random() < 0.35:
        case["conditions"] = [_condition(random, kind) for _ in range(random.choice((1, 1, 2)))]
        named = {each["field"] for each in case["conditions"]}
        if len(named) < len(case["conditions"]):  # two of one field are alternatives there
            del case["conditions"][1:]
    if case["table"] == "AM_ASSET" and random.random() < 0.3:
        low, high = sorted(random.randrange(-4, 44) for _ in range(2))
        odd = timedelta(microseconds=random.choice((0, 0, 500)))
        ends = [(START + timedelta(milliseconds=250 * n) + odd).isoformat() for n in (low, high)]
        case["window"] = random.choice((ends, [ends[0], ""], ["", ends[1]]))


def _draw_view(random: Random, case: Case) -> None:
    columns = {"ASSET_ID": "ASSET_ID", "ASSET_TAG": "ASSET_TAG", "CITY": "LOCATION.CITY"}
    case["view"] = {"table": "AM_ASSET", "columns": columns}
    case["dataset"]["internal_query"] = {"queryguid": VIEW}
    if random.random() < 0.7:
        case["dataset"]["key"] = "ASSET_ID"


def _condition(random: Random, kind: str) -> dict[str, Any]:
    choices: list[dict[str, Any]] = [
        {"field": "ASSET_TAG", "cond": "eq", "value": random.choice(("SRV-1", "a,b", "é"))},
        {"field": "ASSET_TAG", "cond": "is_one_of", "value": ["SRV-1", "SRV-2"]},
        {"field": "ASSET_TAG", "cond": "begin_with", "value": "SRV"},
        {"field": "ASSET_TAG", "cond": "end_with", "value": "1"},
        {"field": "asset_tag", "cond": "contain", "value": "-"},
        {"field": "STATUS_ID", "value": random.choice((1, 2))},
        {"field": "STATUS_ID", "cond": "is_one_of", "value": [1, 3]},
        {"field": "IS_CI", "value": 1},
        {"field": "INSTALLATION_DATE", "since": "2026-01-01", "until": "2026-01-02"},
        {"field": "LAST_UPDATE", "since": "2026-03-29T00:00:00.100+00:00"},
        {"field": "LAST_UPDATE", "since": "2026-03-29"},
        {"field": "LAST_UPDATE", "until": "2026-03-29"},
        {"field": "NOTHING_ID", "value": 1},
    ]
    if kind == "assets":
        choices.append({"field": "LOCATION.CITY", "value": "Lyon"})
    found = random.choice(choices)
    if found["field"] == "asset_tag":
        found["field"] = "ASSET_TAG"
    return found


# -- knobs


def _knobs(random: Random, case: Case) -> dict[str, Any]:
    case["honest"] = not any(each["field"] == "NOTHING_ID" for each in case["conditions"])
    sometimes: dict[str, Any] = {
        "language": "EN",
        "removed": "hidden",
        "next_link": random.choice(("absent", "always", "foreign", "uppercase", "raw")),
        "order": "key",
        "numbers": random.choice(("int", "mixed")),
        "unset": "null",
        "random_keys": True,
        "gzip": True,
        "interval_end": "excluded",
        "like": "contains",
        "collation": "insensitive",
        "stamps": random.choice(("utc", "locale")),
        "ci_links": False,
        "zone": "America/New_York",
    }
    rarely: dict[str, Any] = {
        "build": random.choice(("2018", "2018", "2021")),
        "inner_joins": True,
        "max_rows_cap": random.choice((1, 2, 3, 5)),
        "offset_ignored": True,
        "view_offset": False,
        "counts": random.choice(("int", "empty", "missing")),
        "total_error": random.choice((-1, 1, 7, -50)),
        "ties": "shuffled",
        "sort_ignored": True,
        "dropped": [random.choice(("LAST_UPDATE", "ASSET_TAG", "STATUS_ID", "IS_CI"))],
        "numeric_intervals": "dropped",
        "timeout_rows": random.choice((1, 3, 60)),
        "unknown_fields": "rejected",
        "max_url": random.choice((120, 400)),
    }
    weights = {"inner_joins": 0.25, "max_url": 0.01, "build": 0.08}
    knobs = {name: value for name, value in sometimes.items() if random.random() < 0.1}
    knobs |= {
        name: value for name, value in rarely.items() if random.random() < weights.get(name, 0.05)
    }
    if knobs.get("stamps") == "locale":
        case["connection"]["timezone"] = knobs.get("zone", "Europe/Paris")
        case["connection"]["date_format"] = "%d/%m/%Y %H:%M:%S"
        case["honest"] = case["honest"] and not any(case["window"])
    if case["kind_of"] == "assets" and "inner_joins" in knobs:
        case["honest"] = False
    return knobs


# -- faults


def _fault(random: Random, case: Case) -> dict[str, Any]:
    path = {"view": "internalqueries", "links": "configuration-items*"}.get(
        case["kind_of"], case["kind_of"]
    )
    fault: dict[str, Any] = {
        "on": random.choice((path, path, path, "", "configuration-items")),
        "at": random.choice((1, 1, 2, 2, 3, 4, 5, random.randrange(1, 12))),
    }
    if random.random() < 0.3:
        fault["times"] = random.choice((0, 2, 3))
    if random.random() < 0.15:
        fault["over"] = 1
    if random.random() < 0.1:
        fault["asked"] = "offset"
    kinds: dict[str, Callable[[], dict[str, Any]]] = {
        "status": lambda: {
            "status": random.choice((429, 500, 500, 502, 503, 504, 400, 401, 403, 404, 406, 414)),
            "body": random.choice(("json", "html", "empty")),
            "retry_after": random.choice(("", "", "0", "0.001", "3600")),
        },
        "rejected": lambda: {
            "form": random.choice(("plain", "quotes", "broken", "error_code", "code_message"))
        },
        "timeout": lambda: {"status": random.choice((500, 590, 408, 200))},
        "html": dict,
        "empty": dict,
        "error": dict,
        "no_records": dict,
        "redirect": lambda: {"to": "http://127.0.0.1:9"},
        "reset": dict,
        "cut": lambda: {"keep": random.choice((0, 0.3, 0.9))},
        "gzip_cut": lambda: {"keep": random.choice((0, 0.5, 0.95))},
        "bom": dict,
        "nan": dict,
        "bad_utf8": dict,
        "partial_content": dict,
        "repeat": dict,
        "short": lambda: {"keep": random.choice((0, 0.2, 0.5, 0.9))},
        "bad_record": lambda: {
            "index": random.choice((0, 1, 2, 1000)),
            "record": random.choice(("odd", None, 7, [], {}, {"ASSET_TAG": "odd"})),
        },
        "miscounted": lambda: {"by": random.choice((-1, 1))},
        "total": lambda: {"by": random.choice((-1, 1, -20, 20))},
        "rows": lambda: _moves(random, case),
    }
    kind = random.choice([*kinds, "rows", "rows", "rows", "rows", "rows", "short", "repeat"])
    if kind == "rows":  # once: rows are added under keys that are free
        fault.pop("times", 1)
    return {"kind": kind, **fault, **kinds[kind]()}


def _moves(random: Random, case: Case) -> dict[str, Any]:
    name, key = case["table"], case["key"]
    keys = [str(row[key]) for row in case["tables"][name]]
    taken = case.setdefault("taken", [])
    some = random.sample(keys, min(len(keys), 3))
    gone = [each for each in random.choice(([], some[:1], some)) if each not in taken]
    taken += gone
    fresh = [n for n in random.sample(range(20_000), 3) if str(n) not in keys][
        : random.choice((0, 1, 3))
    ]
    fresh = [n for n in fresh if n and str(n) not in taken]
    taken += map(str, fresh)
    add = [_added(random, name, number) for number in fresh]
    moved = {"table": name, "add": add, "remove_keys": gone, "remove": random.choice((0, 0, 1, 2))}
    if name == "AM_ASSET" and random.random() < 0.5:
        held = [each for each in some if each not in taken][:2]
        moved["update"] = {each: {"LAST_UPDATE": _later(random)} for each in held}
    return moved


def _later(random: Random) -> str:
    when = START + timedelta(seconds=random.choice((3, 10, 11)))
    return when.isoformat(timespec="milliseconds")


def _added(random: Random, name: str, number: int) -> Record:
    if name == "AM_ASSET":
        return asset(random, number)
    key = {"AM_LOCATION": "LOCATION_ID", "E_THINGS": "E_CODE"}[name]
    return {key: number if name == "AM_LOCATION" else str(number)}
