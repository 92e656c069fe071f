"""What is drawn of an iTop: objects, a dataset, a window, knobs and faults."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from sources.base import Record
from tests.fuzz_watch import Case

SECRET = "s3cr3t/ +é"
ZONE = "Europe/Paris"
NIGHT = datetime(2026, 10, 25, 2, 30)  # noqa: DTZ001 - a local time, that comes twice
NAMES = ("srv-1", "srv-1", "srv-1", "srv-2", "été", "", "a 'b'", "x&y", "\u2028", "[[Server:1]]")
STATUSES = ("production", "obsolete", "stock", "")
CONDITIONS: dict[str, tuple[str, Callable[[dict[str, Any]], bool]]] = {
    "live": ("status != 'obsolete'", lambda row: row.get("status") != "obsolete"),
    "some": (
        "status IN ('production', 'stock')",
        lambda row: row.get("status") in {"production", "stock"},
    ),
    "named": ("name LIKE 'srv%'", lambda row: row.get("name", "").startswith("srv")),
    "either": (
        "name = 'srv-1' OR status = 'stock'",
        lambda row: row.get("name") == "srv-1" or row.get("status") == "stock",
    ),
}
# Knobs that leave a reading whole, whatever they are.
NEUTRAL = frozenset(
    {"release", "custom", "labels", "double_encoded_html", "shuffle", "trusting_sessions"}
    | {"rest_profile", "memory_objects", "memory_bytes", "display_errors"}
)
VARIANTS = ("Server",) * 5 + ("FunctionalCI",) * 2 + ("link", "ticket", "ticket", "related")


def draw(random: Random) -> Case:
    variant = random.choice(VARIANTS)
    count = random.choice((0, 1, 2, 3, random.randrange(4, 30), random.randrange(4, 80)))
    count = random.randrange(60, 200) if random.random() < 0.12 else count
    count = min(count, 15) if variant == "related" else count
    case: Case = {
        "kind": "itop",
        "variant": variant,
        "rows": objects(random, variant, count),
        "dataset": {"class": "Server"},
        "conditions": [],
        "fields": None,
        "shown": "name",
        "window": ["", ""],
        "slices": random.choice((0, 0, 0, 1, 2, 3, 5)),
        "auth": random.choice(("form", "form", "basic")),
        "user": {"organizations": [1]} if random.random() < 0.15 else {},
        "knobs": {},
        "faults": [],
        "any_value": False,
        "honest": True,
    }
    _draw_dataset(random, case)
    case["knobs"] = _knobs(random, case)
    for _ in range(random.choice((0, 0, 1, 1, 1, 2, 3))):
        case["faults"].append(_fault(random, case))
    return case


# -- objects


def objects(random: Random, variant: str, count: int) -> list[Record]:
    numbers = sorted(random.sample(range(1, 4 * count + 3), count))
    if random.random() < 0.1:
        numbers = [number + random.choice((65_534, 2**31)) for number in numbers]
    classes = {
        "Server": ("Server",) * 5 + ("VirtualMachine",),
        "FunctionalCI": ("Server", "VirtualMachine", "ApplicationSolution"),
        "ticket": ("UserRequest",),
        "related": ("Server", "Server", "Hypervisor", "VirtualMachine", "ApplicationSolution"),
    }.get(variant, ("Server",))
    if variant == "link":
        return [_link(random, number, numbers) for number in numbers]
    rows = [_object(random, random.choice(classes), number) for number in numbers]
    if variant == "related":
        _relate(random, rows)
    return rows


def _object(random: Random, kind: str, number: int) -> Record:
    row = {"class": kind, "id": number, "org_id": random.choice((1, 1, 2))}
    if kind == "UserRequest":
        when = NIGHT + timedelta(
            minutes=random.choice((0, 0, 0, 1, 10 * random.randrange(-30, 30)))
        )
        stamp = random.choice((f"{when:%Y-%m-%d %H:%M:%S}",) * 9 + ("",))
        return row | {"title": random.choice(NAMES), "last_update": stamp}
    row |= {"name": random.choice(NAMES), "status": random.choice(STATUSES)}
    if random.random() < 0.05:
        row["archive_flag"] = 1
    return row


def _link(random: Random, number: int, ends: list[int]) -> Record:
    return {
        "class": "lnkApplicationSolutionToFunctionalCI",
        "id": number,
        "applicationsolution_id": random.choice(ends),
        "functionalci_id": random.choice(ends),
    }


def _relate(random: Random, rows: list[Record]) -> None:
    by_class: dict[str, list[int]] = {}
    for row in rows:
        row.pop("archive_flag", None)
        by_class.setdefault(row["class"], []).append(row["id"])
    for row in rows:
        key, target = {
            "Hypervisor": ("server_id", "Server"),
            "VirtualMachine": ("virtualhost_id", "Hypervisor"),
        }.get(row["class"], ("", ""))
        if key and by_class.get(target) and random.random() < 0.8:
            row[key] = random.choice(by_class[target])
    solutions = by_class.get("ApplicationSolution", [])
    ids = [row["id"] for row in rows]
    for number in range(1, len(solutions) * 3):
        link = _link(random, number, ids) | {"applicationsolution_id": random.choice(solutions)}
        rows.append(link)


# -- the dataset


def _draw_dataset(random: Random, case: Case) -> None:
    dataset, variant = case["dataset"], case["variant"]
    dataset["page_size"] = random.choice((1, 2, 3, 5, 7, 10, 20, 50, 500))
    if len(case["rows"]) > 60:
        dataset["page_size"] = max(dataset["page_size"], 5)
    case["fields"] = random.choice((None, ["name"], ["name"], ["name", "status"], ["status"]))
    if variant == "link":
        dataset["class"] = "lnkApplicationSolutionToFunctionalCI"
        case["fields"], case["shown"] = ["functionalci_id"], "functionalci_id"
    elif variant == "ticket":
        dataset |= {"class": "UserRequest", "cursor_field": "last_update"}
        case["fields"], case["shown"] = ["title", "last_update"], "title"
        if random.random() < 0.8:
            _draw_window(random, case)
    elif variant == "related":
        dataset["related"] = {"direction": random.choice(("down", "up"))}
        case["fields"], case["slices"], case["user"] = None, 0, {}
        if dataset["related"]["direction"] == "up":
            dataset["class"] = "ApplicationSolution"
    else:
        dataset["class"] = variant
        _draw_conditions(random, case)
    case["any_value"] = True if case["fields"] is None else case["any_value"]


def _draw_conditions(random: Random, case: Case) -> None:
    dataset = case["dataset"]
    if case["variant"] == "FunctionalCI":  # its own class has a name and no status
        case["fields"] = ["name"]
    if random.random() < 0.1:
        dataset["archived"] = True
    if random.random() < 0.35:
        names = ["named"] if case["variant"] == "FunctionalCI" else list(CONDITIONS)
        case["conditions"] = [random.choice(names)]
    dataset["oql"] = random.random() < 0.25


def _draw_window(random: Random, case: Case) -> None:
    low, high = sorted(random.randrange(-36, 36) for _ in range(2))
    middle = datetime(2026, 10, 25, 1, 0, tzinfo=UTC)
    odd = timedelta(microseconds=random.choice((0, 0, 1, 500_000)))
    ends = [(middle + timedelta(minutes=10 * n) + odd).isoformat() for n in (low, high)]
    case["window"] = random.choice((ends, [ends[0], ""], ["", ends[1]]))


# -- knobs


def _knobs(random: Random, case: Case) -> dict[str, Any]:
    keys = [f"{row['class']}::{row['id']}" for row in case["rows"]]
    sometimes: dict[str, Any] = {
        "release": random.choice(("2.3.4", "2.4.3")),
        "custom": {"Server": "x_env"},
        "double_encoded_html": False,
        "shuffle": False,
        "trusting_sessions": False,
        "rest_profile": False,
        "display_errors": True,
    }
    rarely: dict[str, Any] = {
        "memory_objects": random.choice((1, 2, 3, 10)),
        "memory_bytes": random.choice((200, 1000, 4000)),
        "post_max_bytes": random.choice((50, 300, 1000)),
        "invalid_utf8": random.sample(keys, min(len(keys), random.choice((1, 2, 12)))),
        "invalid_field": random.choice(("name", "status", "title")),
        "found_error": random.choice((-1, 1, 10, -50)),
        "maintenance": True,
        "secure": True,
        "login_types": ["basic"],
        "missing": [random.choice(("Server.status", "FunctionalCI.description"))],
        "now": "2026-10-25 02:30:00",
    }
    weights = {"maintenance": 0.005, "secure": 0.005, "login_types": 0.01, "post_max_bytes": 0.02}
    knobs = {name: value for name, value in sometimes.items() if random.random() < 0.15}
    knobs |= {
        name: value for name, value in rarely.items() if random.random() < weights.get(name, 0.05)
    }
    if knobs.get("memory_objects") == 1 or "memory_bytes" in knobs:
        case["honest"] = False  # one object may be too much
    if "memory_objects" in knobs and (case["dataset"].get("oql") or case["variant"] == "related"):
        case["honest"] = False  # a list that cannot be cut
    return knobs


# -- faults


def _fault(random: Random, case: Case) -> dict[str, Any]:
    kind = case["dataset"]["class"]
    fault: dict[str, Any] = {
        "on": random.choice((kind, kind, "core/get", "core/get", "")),
        "at": random.choice((1, 1, 2, 2, 3, 4, 5, random.randrange(1, 12))),
    }
    if random.random() < 0.3:
        fault["fields"] = random.choice((case["shown"], "id"))
    if random.random() < 0.3:
        fault["times"] = random.choice((0, 2, 3))
    kinds: dict[str, Callable[[], dict[str, Any]]] = {
        "status": lambda: {
            "status": random.choice((429, 500, 500, 502, 503, 504, 400, 401, 403, 404, 413)),
            "retry_after": random.choice(("", "", "0", "0.001", "3600")),
        },
        "html": dict,
        "empty": dict,
        "reset": dict,
        "cut": lambda: {"keep": random.choice((0, 0.3, 0.9))},
        "redirect": lambda: {"to": "http://127.0.0.1:9"},
        "code": lambda: random.choice(
            (
                {"code": 2006, "message": "MySQL server has gone away"},
                {"code": 1205, "message": "Lock wait timeout exceeded"},
                {"code": 1054, "message": "Unknown column"},
                {"code": 1, "message": "Error: Invalid login"},
                {"code": 100, "message": "Error: x"},
                {"code": -7, "message": ""},
            )
        ),
        "fatal": lambda: {"cause": random.choice(("memory", "time", "database"))},
        "repeat": dict,
        "short": lambda: {"keep": random.choice((0, 0.2, 0.5, 0.9))},
        "bad_record": lambda: {
            "index": random.choice((0, 1, 4, 1000)),
            "record": random.choice(("odd", None, 7, [], {}, {"code": 0}, {"fields": None})),
        },
        "rows": lambda: _moves(random, case),
    }
    names = [*kinds, "rows", "rows", "rows", "rows", "short", "repeat"]
    if case["variant"] == "related":
        names = [name for name in names if name not in {"rows", "repeat"}]
    name = random.choice(names)
    if name == "rows":
        fault.pop("times", 1)
    return {"kind": name, **fault, **kinds[name]()}


def _moves(random: Random, case: Case) -> dict[str, Any]:
    keys = [f"{row['class']}::{row['id']}" for row in case["rows"]]
    taken = case.setdefault("taken", [])
    free = [each for each in keys if each not in taken]
    gone = random.sample(free, min(len(free), random.choice((0, 1, 3))))
    taken += gone
    some = range(random.choice((0, 1, 3)))
    kind = {"link": "", "ticket": "UserRequest"}.get(case["variant"], "Server")
    add = [_object(random, kind, 0) for _ in some] if kind else []
    free = [each for each in keys if each not in taken]
    moved = random.sample(free, min(len(free), random.choice((0, 1, 3)))) if kind else []
    taken += moved
    change = {key: _object(random, kind, 0) for key in moved}
    for values in change.values():
        for name in ("class", "id", "org_id", "archive_flag"):
            values.pop(name, None)
    return {"add": add, "remove": gone, "change": change}
