"""JSON APIs to read: every paginator, shape, total and credential of the simulator."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import Any

from sandbox.jsonapi import create_app
from sandbox.jsonapi_knobs import ApiKnobs
from sandbox.jsonapi_state import Api
from sandbox.serve import serve
from sources.api import SOURCE
from sources.base import Record, Scope
from tests.fuzz_reading import QUICK, AnyValue, Gate, Stage, Truth
from tests.fuzz_watch import Case

SECRET = "s3cr3t/ +é"
PLAIN = "s3cr3t-t0ken"  # where the simulator compares a text as it stands in a header
NAMES = ("srv-1", "srv-1", "srv-2", "", "été", None, "\u2028", {"a": 1})
_LIES = frozenset({"total_error", "beyond"})


@dataclass(frozen=True, slots=True)
class ApiKind:
    """The kind `api`."""

    url: str
    gate: Gate
    app: Any
    name: str = "api"

    def draw(self, random: Random) -> Case:
        return draw(random)

    def stage(self, case: Case) -> Stage:
        key = self._key(case)
        secrets = {"password": SECRET, "token": PLAIN, "api_key": key, "client_secret": PLAIN}
        knobs = ApiKnobs.model_validate({**case["knobs"], **secrets, "faults": case["faults"]})
        api = Api({"servers": list(case["rows"])}, knobs)
        self.app.state.jsonapi = api
        connection = {
            "base_url": self.url,
            "auth": self._auth(case),
            "retry": QUICK,
            "max_body": "2MiB",
        }
        config = {"connection": "acme", "datasets": {"feed": case["dataset"]}}
        before = list(case["rows"])
        fields = None if case["fields"] is None else frozenset(case["fields"])
        return Stage(
            SOURCE,
            SOURCE.config.model_validate(config),
            SOURCE.connection.model_validate(connection),
            Scope(fields),
            lambda record: told(case, record),
            lambda: truth_of(case, before, api.collections["servers"]),
            (SECRET, PLAIN),
        )

    def _key(self, case: Case) -> str:
        return SECRET if case["knobs"].get("api_key_in") == "query" else PLAIN

    def _auth(self, case: Case) -> dict[str, Any]:
        return {
            "none": {"type": "none"},
            "basic": {"type": "basic", "username": "api", "password": SECRET},
            "bearer": {"type": "bearer", "token": PLAIN},
            "api_key": {
                "type": "api_key",
                "name": "X-Api-Key",
                "key": self._key(case),
                "location": case["knobs"].get("api_key_in", "header"),
            },
            "oauth2": {
                "type": "oauth2_client_credentials",
                "token_url": f"{self.url}/token",
                "client_id": "api-client",
                "client_secret": PLAIN,
            },
        }[case["knobs"].get("auth", "none")]


@contextmanager
def served() -> Iterator[ApiKind]:
    app = create_app({})
    gate = Gate(app)
    with serve(gate) as url:
        yield ApiKind(url, gate, app)


def told(case: Case, record: Record) -> tuple[str, Any]:
    if case["knobs"]["shape"] == "hits":
        held = record.get("_source") or {}
        return str(record.get("_id")), repr(held.get("name"))
    return str(record.get("id")), repr(record.get("name"))


def truth_of(case: Case, before: list[Any], after: list[Any]) -> Truth:
    kinds = {fault["kind"] for fault in case["faults"]}
    first = {str(row["id"]): row for row in before if isinstance(row, dict)}
    last = {str(row["id"]): row for row in after if isinstance(row, dict)}
    added = [row for fault in case["faults"] for row in fault.get("add", ())]
    may = {**first, **last, **{str(row["id"]): row for row in added}}
    odd = sum(not isinstance(row, dict) for row in before)
    neutral = not _LIES & {*case["knobs"]} and case["honest"]
    return Truth(
        must=frozenset(first.keys() & last.keys()),
        may={
            key: AnyValue() if "bad_utf8" in kinds else frozenset({repr(row.get("name"))})
            for key, row in may.items()
        },
        odd=10_000 if "bad_record" in kinds else odd,
        spare=odd,
        weak=_weak(case, kinds),
        often=AnyValue() if _weak(case, kinds) else (),
        honest=not case["faults"] and neutral,
    )


def _weak(case: Case, kinds: set[str]) -> str:
    """Why rows may be lost, by the words of `sources.paginators`."""
    paginator, knobs = case["dataset"]["paginator"], case["knobs"]
    has_total = bool(case["dataset"].get("total_path") or case["dataset"].get("total_header"))
    lies = bool(knobs.get("total_error"))
    small = 1 in (paginator.get("limit"), knobs["page_size"], knobs.get("max_page_size"))
    anchored = paginator["type"] == "offset" and paginator.get("overlap", True) and not small
    if "rows" in kinds and not anchored:
        return "moves that leave the total alone are noticed by pages that hang on a row alone"
    if kinds & {"short", "repeat"} and (not has_total or lies or (small and case["slices"] > 1)):
        return "a page that lacks rows is noticed by the total alone"
    return ""


# -- what is drawn


def draw(random: Random) -> Case:
    count = random.choice((0, 1, 2, 3, random.randrange(4, 30), random.randrange(4, 80)))
    count = random.randrange(60, 200) if random.random() < 0.12 else count
    knobs: dict[str, Any] = {
        "paging": random.choice(
            (
                "none",
                "page",
                "page",
                "offset",
                "offset",
                "offset",
                "offset",
                "cursor",
                "link",
                "next",
            )
        ),
        "page_size": random.choice((1, 2, 3, 5, 7, 10, 20, 50)),
        "shape": random.choice(("envelope", "envelope", "envelope", "list", "hits", "map")),
        "total": random.choice(("none", "number", "string", "header", "header")),
    }
    if count > 60:
        knobs["page_size"] = max(knobs["page_size"], 5)
    case: Case = {
        "kind": "api",
        "rows": rows(random, count),
        "dataset": {"path": "/api/servers"},
        "fields": random.choice((None, ["name"])),
        "slices": random.choice((0, 0, 0, 1, 2, 3, 5)),
        "knobs": knobs,
        "faults": [],
        "honest": True,
    }
    _draw_paging(random, case)
    _draw_shape(random, case)
    _draw_more(random, case)
    for _ in range(random.choice((0, 0, 1, 1, 1, 2, 3))):
        case["faults"].append(_fault(random, case))
    return case


def rows(random: Random, count: int) -> list[Any]:
    form = random.choice(("{:04}", "{}", "a{}"))
    numbers = random.sample(range(10 * count + 5), count)
    scale = random.choice((1, 1, 1, 2**51))
    made: list[Any] = [
        {"id": form.format(n) if scale == 1 else n * scale, "name": random.choice(NAMES)}
        for n in numbers
    ]
    return made


def _draw_paging(random: Random, case: Case) -> None:
    knobs, size = case["knobs"], case["knobs"]["page_size"]
    paging = knobs["paging"]
    if paging in {"cursor", "next"} and knobs["shape"] == "list":
        knobs["shape"] = "envelope"
    if paging == "page":
        knobs["first_page"] = random.choice((0, 1))
        paginator: dict[str, Any] = {"type": "page_number", "base_page": knobs["first_page"]}
        if random.random() < 0.5:
            paginator |= {"page_size": size, "page_size_param": "limit"}
    elif paging == "offset":
        paginator = {"type": "offset", "limit": size}
        if random.random() < 0.15:
            paginator["overlap"] = False
    else:
        paginator = {
            "none": {"type": "single_page"},
            "cursor": {"type": "cursor", "cursor_path": "next"},
            "link": {"type": "header_link"},
            "next": {"type": "json_link", "next_url_path": "next"},
        }[paging]
    case["dataset"]["paginator"] = paginator
    if paging in {"cursor", "next"}:
        knobs["end"] = random.choice(("null", "absent", "empty"))
        # One page and no key for the next one proves nothing.
        case["honest"] = knobs["end"] != "absent" or len(case["rows"]) > size
    if paging in {"link", "next"}:
        knobs["links"] = random.choice(("absolute", "relative"))
        if random.random() < 0.05:
            knobs["links_base"] = "http://127.0.0.1:9"
            case["honest"] = False


def _draw_shape(random: Random, case: Case) -> None:
    knobs, dataset, shape = case["knobs"], case["dataset"], case["knobs"]["shape"]
    key = "_id" if shape == "hits" else "id"
    if shape == "list" and knobs["total"] in {"number", "string"}:
        knobs["total"] = "header"
    dataset["data_selector"] = {"envelope": "data", "map": "data", "hits": "hits.hits"}.get(
        shape, ""
    )
    if shape == "map":
        dataset["record_key_field"] = "id"
        knobs["map_drops_key"] = random.random() < 0.5
        if any(not isinstance(row["id"], str) for row in case["rows"]):
            case["rows"] = [{**row, "id": str(row["id"])} for row in case["rows"]]
    if random.random() < 0.75:
        dataset["primary_key"] = key
    if knobs["total"] == "header":
        dataset["total_header"] = "X-Total-Count"
    elif shape == "hits":
        knobs["total"] = "none"
        dataset["total_path"] = "hits.total"
    elif knobs["total"] != "none":
        dataset["total_path"] = "total"
    if shape in {"envelope", "list"} and case["rows"] and random.random() < 0.15:
        odd = random.choice(("odd", None, 7, ["odd"]))
        case["rows"][random.randrange(len(case["rows"]))] = odd


def _draw_more(random: Random, case: Case) -> None:
    knobs, paginator = case["knobs"], case["dataset"]["paginator"]
    size = knobs["page_size"]
    if random.random() < 0.15:
        knobs["max_page_size"] = random.choice((1, 2, 3, 5))
    if random.random() < 0.15 and paginator["type"] in {"page_number", "offset"}:
        knobs["beyond"] = random.choice(("404", "last"))
    told = knobs["shape"] in {"envelope", "map"}
    if random.random() < 0.15 and told and paginator["type"] in {"page_number", "offset", "cursor"}:
        knobs["more_path"] = paginator["has_more_path"] = "more"
    if random.random() < 0.06 and knobs["shape"] != "hits":
        knobs["total_error"] = random.choice((-1, 1, 7, -50))
    if random.random() < 0.1:
        knobs["gzip"] = True
    if random.random() < 0.3:
        knobs["auth"] = random.choice(("basic", "bearer", "api_key", "oauth2"))
        knobs["api_key_in"] = random.choice(("header", "query"))
        knobs["token_uses"] = random.choice((0, 0, 3))
    if paginator["type"] == "offset" and (size == 1 or not paginator.get("overlap", True)):
        case["honest"] = case["honest"] and len(case["rows"]) != 1


def _fault(random: Random, case: Case) -> dict[str, Any]:
    fault: dict[str, Any] = {"at": random.choice((0, 1, 1, 2, 2, 3, 4, random.randrange(1, 12)))}
    if random.random() < 0.3:
        fault["times"] = random.choice((0, 2, 3))
    kinds: dict[str, Callable[[], Mapping[str, Any]]] = {
        "status": lambda: {
            "status": random.choice((429, 500, 500, 502, 503, 504, 400, 401, 403, 404, 416, 418)),
            "retry_after": random.choice(("", "", "0", "0.001", "3600")),
        },
        "html": dict,
        "empty": dict,
        "redirect": lambda: {"to": "http://127.0.0.1:9"},
        "reset": dict,
        "cut": lambda: {"keep": random.choice((0, 0.3, 0.9))},
        "repeat": dict,
        "short": lambda: {"keep": random.choice((0, 0.2, 0.5, 0.9))},
        "bad_record": lambda: {
            "index": random.choice((0, 1, 4, 1000)),
            "record": random.choice(("odd", None, 7, [], {}, {"name": "odd"})),
        },
        "nan": dict,
        "bad_utf8": dict,
        "bom": dict,
        "rows": lambda: {
            "add": [{"id": f"new-{n}", "name": "new"} for n in range(random.choice((0, 1, 3)))],
            "remove": random.choice((0, 1, 3)),
        },
    }
    names = [*kinds, "rows", "rows", "rows", "rows", "rows", "short", "repeat"]
    if any(not isinstance(row, dict) for row in case["rows"]) or case["knobs"]["shape"] in {
        "map",
        "hits",
    }:
        # What spoils a record needs one, and here it has a name.
        names = [name for name in names if name not in {"nan", "bad_utf8", "bad_record"}]
    name = random.choice(names)
    if name == "rows":
        fault.pop("times", 1)
    if name in {"status", "html", "empty", "reset"} and random.random() < 0.1:
        fault["on"] = "token"
    return {"kind": name, **fault, **kinds[name]()}
