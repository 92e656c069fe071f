"""What is drawn of a ServiceNow: rows, a dataset, a window, rights, releases and faults."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from sources.base import Record
from tests.fuzz_watch import Case

SECRET = "s3cr3t/ +é"
NAMES = ("srv-1", "srv-1", "srv-2", "lyon-a", "lyon-b", "", "été", "a^b", "x,y", "=1", "n")
ENVS = ("prod", "prod", "test", "dev", "")
CLASSES = ("cmdb_ci_linux_server", "cmdb_ci_win_server", "cmdb_ci_unix_server")
WORDS = ("global", "glide.maint", "ABCDEF", "zz", "a-b", "a b", "0", "o'neil", "é1", "x^y", "a_1")
TYPES = {"t1": "Depends on::Used by", "t2": "Runs on::Runs", "t3": "Runs on::Runs"}
START = datetime(2024, 3, 31, 1, 0, tzinfo=UTC)
STAMP = "%Y-%m-%d %H:%M:%S"
TEXTS = frozenset({"surrogate", "control", "bad_utf8"})
# Knobs that leave a reading whole, whatever they are.
NEUTRAL = frozenset(
    {"release", "collation", "shuffle", "no_count_header", "cookies", "gzip", "empty_dotwalk"}
    | {"empty_reference_link", "negative_prev", "session_queue", "strict_queries"}
)


def draw(random: Random) -> Case:
    table = random.choice(("u_things",) * 6 + ("cmdb_ci_server",) * 2 + ("cmdb_rel_ci",) * 2)
    count = random.choice((0, 1, 2, 3, random.randrange(4, 30), random.randrange(4, 80)))
    count = random.randrange(60, 200) if random.random() < 0.15 else count
    ids = sys_ids(random, count)
    rows = [_row(random, table, key) for key in ids]
    case: Case = {
        "kind": "servicenow",
        "table": table,
        "rows": rows,
        "dataset": {},
        "conditions": [],
        "fields": random.choice((None, ["name"], ["name"], ["name", "u_env"], ["u_env"])),
        "window": ["", ""],
        "zone": random.choice(("UTC", "Europe/Paris")),
        "slices": random.choice((0, 0, 0, 1, 2, 3, 5)),
        "knobs": _knobs(random, table, ids),
        "faults": [],
        "honest": True,
    }
    _draw_dataset(random, case)
    if random.random() < 0.2:
        low, high = sorted(random.randrange(-5, 30) for _ in range(2))
        ends = [(START + timedelta(seconds=n / 2)).isoformat() for n in (low, high)]
        case["window"] = random.choice((ends, [ends[0], ""], ["", ends[1]]))
    for _ in range(random.choice((0, 0, 1, 1, 1, 2, 3))):
        case["faults"].append(_fault(random, case, ids))
    return case


def sys_ids(random: Random, count: int) -> list[str]:
    """As many, no two the same to any database: GUIDs, alike or not, and now and then words."""
    odd = random.random() < 0.25
    head = random.choice(("", "", f"{random.getrandbits(64):016x}"))
    found: dict[str, str] = {}
    while len(found) < count:
        key = head + f"{random.getrandbits(128):032x}"[len(head) :]
        if odd and random.random() < 0.2:
            key = random.choice((random.choice(WORDS), key.upper(), key[:5]))
        found.setdefault(key.lower(), key)
    return list(found.values())


def _row(random: Random, table: str, key: str) -> Record:
    stamp = START + timedelta(seconds=random.choice((0, 0, 1, 2, random.randrange(12))))
    row = {"sys_id": key, "sys_updated_on": stamp.strftime(STAMP)}
    if table == "cmdb_rel_ci":
        ends = [random.choice(("c1", "c2", "c3", "c4", "")) for _ in range(2)]
        return row | {"parent": ends[0], "child": ends[1], "type": random.choice((*TYPES, "gone"))}
    row |= {"name": random.choice(NAMES), "u_env": random.choice(ENVS)}
    return row | ({"sys_class_name": random.choice(CLASSES)} if table == "cmdb_ci_server" else {})


def _draw_dataset(random: Random, case: Case) -> None:
    table, dataset = case["table"], case["dataset"]
    dataset["page_size"] = random.choice((2, 3, 5, 7, 10, 11, 20, 50, 1000))
    if len(case["rows"]) < 25 and random.random() < 0.1:
        dataset["page_size"] = 1
    dataset["overlap"] = random.choice((0, 0, 3))
    if random.random() < 0.15:
        dataset["max_hidden"] = random.choice((0, 0.1, 1))
    if table == "cmdb_rel_ci":
        dataset["relations"] = True
        if random.random() < 0.4:
            dataset["types"] = random.sample(sorted({*TYPES.values()}), 1)
        case["fields"] = random.choice(
            (["parent", "child", "type"], ["parent", "child", "type.name"])
        )
        case["fields"] = [*case["fields"]]
    else:
        dataset["table"] = table
        dataset["display_value"] = random.choice((False, False, False, True, "all"))
        dataset["exclude_reference_link"] = random.random() < 0.8
        if random.random() < 0.35:
            _draw_query(random, case)
    if table == "cmdb_ci_server" and random.random() < 0.6:
        dataset["classes"] = random.sample(CLASSES, random.choice((1, 2)))
    if random.random() < 0.1:
        dataset["query_category"] = "replica"


def _draw_query(random: Random, case: Case) -> None:
    conditions = [_condition(random) for _ in range(random.choice((1, 1, 2)))]
    if random.random() < 0.2:
        conditions.append({"any": [_condition(random), _condition(random)]})
    if random.random() < 0.08:
        conditions.append({"field": "u_nothing", "cond": "eq", "value": "1"})
        case["honest"] = False
    case["conditions"] = conditions


def _condition(random: Random) -> dict[str, Any]:
    name = random.choice(("u_env", "u_env", "name"))
    values = [each for each in (ENVS if name == "u_env" else NAMES) if each]
    cond = random.choice(
        (
            *("eq", "neq", "is_one_of", "is_not_one_of", "begin_with", "end_with"),
            *("contain", "not_contain", "exist"),
        )
    )
    value: Any = random.choice(values)
    if cond in {"begin_with", "contain", "not_contain"}:
        value = value[:2]
    if cond == "end_with":
        value = value[-1:]
    if cond in {"is_one_of", "is_not_one_of"}:
        plain_values = [each for each in values if "," not in each]
        value = random.sample(sorted({*plain_values}), 2)
    if cond == "exist":
        value = random.random() < 0.5
    return {"field": name, "cond": cond, "value": value}


def _knobs(random: Random, table: str, ids: list[str]) -> dict[str, Any]:
    sometimes = {
        "release": "madrid",
        "collation": "binary",
        "shuffle": False,
        "strict_queries": True,
        "no_count_header": True,
        "cookies": False,
        "empty_dotwalk": "missing",
        "empty_reference_link": True,
        "negative_prev": True,
        "gzip": True,
        "session_queue": 1,
    }
    rarely: dict[str, Any] = {
        "total_error": random.choice((-1, 1, 5, -50)),
        "stats_error": random.choice((-1, 1, -50)),
        "row_acls": [_row_acl(random, table, ids) for _ in range(random.choice((1, 1, 2)))],
        "field_acls": [
            {
                "fields": [random.choice(("name", "u_env", "sys_updated_on", "sys_id"))],
                "shape": random.choice(("missing", "empty")),
            }
        ],
        "table_acls": [{"table": random.choice((table, "cmdb_rel_type", "other"))}],
        "query_acls": [
            {
                "fields": [random.choice(("sys_id", "sys_id", "name", "u_env", "sys_updated_on"))],
                "effect": random.choice(("ignored", "refused")),
            }
        ],
        "row_cost": random.choice((1, 5, 20)),
        "cancelled_form": random.choice(
            ("partial", "error_first", "only_error", "spliced", "string")
        ),
        "clock_skew": random.choice((-3600, 3600)),
        "rate_limit": random.choice((1, 3, 10)),
        "max_url_bytes": random.choice((200, 1000)),
        "state": random.choice(("hibernating", "maintenance")),
    }
    weights = {"row_acls": 0.2, "query_acls": 0.08, "state": 0.005, "max_url_bytes": 0.01}
    knobs = {name: value for name, value in sometimes.items() if random.random() < 0.1}
    knobs |= {
        name: value for name, value in rarely.items() if random.random() < weights.get(name, 0.04)
    }
    return knobs


def _row_acl(random: Random, table: str, ids: list[str]) -> dict[str, Any]:
    low, high = sorted(f"{random.randrange(16):x}" for _ in range(2))
    acl = {"table": table} if random.random() < 0.9 else {}
    return acl | random.choice(
        (
            {"every": random.choice((2, 3, 4))},
            {"low": low, "high": high},
            {"starts": "srv"},
            {"starts": random.choice(ids or ["a"])[:1], "field": "sys_id"},
            {"everything": True} if random.random() < 0.2 else {"every": 5},
        )
    )


def _fault(random: Random, case: Case, ids: list[str]) -> dict[str, Any]:
    table = case["table"]
    fault: dict[str, Any] = {
        "on": random.choice((table, table, table, "", f"stats/{table}")),
        "at": random.choice((1, 1, 2, 2, 3, 4, random.randrange(1, 12))),
    }
    if random.random() < 0.3:
        fault["times"] = random.choice((0, 2, 3))
    if random.random() < 0.1:
        fault["every"] = 2
    kinds: dict[str, Callable[[], dict[str, Any]]] = {
        "status": lambda: {
            "status": random.choice((429, 500, 500, 502, 503, 504, 400, 401, 403, 404, 418)),
            "body": random.choice(("json", "html", "empty")),
            "retry_after": random.choice(("", "", "0", "0.001", "3600")),
            "message": random.choice(("No Record found", "java.lang.NullPointerException")),
        },
        "rate_limit": lambda: {"retry_after": "0.001"},
        "semaphore": lambda: {"body": random.choice(("empty", "html"))},
        "accepted": dict,
        "node_switch": dict,
        "hibernating": dict,
        "maintenance": dict,
        "login_page": dict,
        "empty": dict,
        "redirect": lambda: {"to": "http://127.0.0.1:9"},
        "reset": dict,
        "cut": lambda: {
            "cut": random.choice(("length", "chunked", "gzip", "between_rows")),
            "keep": random.choice((0, 0.3, 0.5, 0.95)),
        },
        "cancelled": lambda: {
            "form": random.choice(("partial", "error_first", "only_error", "spliced", "string")),
            "keep": random.choice((0, 0.5, 1)),
        },
        "result": lambda: random.choice(
            ({"value": ""}, {"value": None}, {"value": {}}, {"missing": True})
        ),
        "repeat": dict,
        "short": lambda: {"keep": random.choice((0.2, 0.5, 0.9))},
        "bad_record": lambda: {
            "index": random.choice((0, 1, 4, 1000)),
            "record": random.choice(("odd", None, 7, [], {}, {"name": "odd"}, {"sys_id": ""})),
        },
        "surrogate": lambda: {"index": random.randrange(4)},
        "control": lambda: {"index": random.randrange(4)},
        "bad_utf8": lambda: {"index": random.randrange(4)},
        "bom": dict,
        "content_type": lambda: {
            "media_type": random.choice(("text/plain", "text/json", "a/b+json"))
        },
        "rows": lambda: _moves(random, case, ids),
    }
    if table == "cmdb_rel_ci":  # a text that is spoilt would be an end of a relation
        kinds = {kind: make for kind, make in kinds.items() if kind not in TEXTS}
    kind = random.choice([*kinds, "rows", "rows", "rows", "rows", "short", "cancelled"])
    return {"kind": kind, **fault, **kinds[kind]()}


def _moves(random: Random, case: Case, ids: list[str]) -> dict[str, Any]:
    acls = case["knobs"].get("row_acls", ())
    if any("every" in acl for acl in acls):  # which are hidden would change with the ranks
        case["knobs"]["row_acls"] = [{"low": "4", "high": "7"}]
    some = random.sample(ids, min(len(ids), 3))
    case["taken"] = []
    add = [_row(random, case["table"], key) for key in sys_ids(random, random.choice((0, 1, 3)))]
    held = {each.lower() for each in ids}
    return {
        "add": [row for row in add if row["sys_id"].lower() not in held],
        "remove": random.choice((0, 0, 1, 2)),
        "remove_ids": random.choice(([], some[:1], some)),
        "on": case["table"],
    }
