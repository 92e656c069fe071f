"""The ServiceNow source keeps every source's promises, through pysnow and over real HTTP."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count as numbers
from typing import Any

import pytest

from sandbox.serve import serve
from sandbox.servicenow import create_app
from sandbox.servicenow_instance import Instance
from sandbox.servicenow_knobs import ServiceNowKnobs, User
from sources.base import Record
from sources.servicenow import SOURCE
from tests.sources.contract import (
    AnchoredContract,
    Bench,
    Fault,
    HttpContract,
    Served,
    SlicedContract,
    key_of,
)

SECRET = "s3cr3t/ +é"
PAGE_SIZE = 5

_TABLES = numbers(1)


@dataclass(frozen=True)
class Hall:
    """One instance for all the tables of this module: stopping one takes longer than a test."""

    url: str
    instance: Instance

    @property
    def token_url(self) -> str:
        return f"{self.url}/oauth_token.do"


@pytest.fixture(scope="module")
def hall() -> Iterator[Hall]:
    app = create_app({}, ServiceNowKnobs(users={"reader": User(password=SECRET)}, lockout=0))
    with serve(app) as url:
        yield Hall(url, app.state.servicenow)


@dataclass(frozen=True)
class ServiceNowBench:
    """Tables of one instance, read in one way."""

    hall: Hall
    auth: Mapping[str, Any]
    dataset: Mapping[str, Any]
    source: Any = SOURCE
    page_size: int = PAGE_SIZE
    identity: str = "sys_id"

    @contextmanager
    def serve(self, count: int, fault: Fault | None = None, *, size: int = 0) -> Iterator[Served]:
        table = f"u_table{next(_TABLES)}"
        page_size = PAGE_SIZE if count < 10_000 else 1_000
        instance = self.hall.instance
        instance.reset()
        instance.put_table(table, [_row(number, count, size) for number in range(1, count + 1)])
        instance.turn(_knobs(fault or Fault("none"), table))
        config = SOURCE.config.model_validate(
            {
                "connection": "acme",
                "datasets": {"things": {"table": table, "page_size": page_size, **self.dataset}},
            }
        )
        yield Served(config, self._connection(), "things", secrets=(SECRET,))

    def _connection(self) -> Any:
        return SOURCE.connection.model_validate(
            {
                "base_url": self.hall.url,
                "auth": self.auth,
                "retry": {"attempts": 3, "initial": 0.01, "jitter": 0},
                "max_body": "2MiB",
            }
        )

    def key(self, record: Record) -> str:
        name = record["name"]
        return str(name["value"] if isinstance(name, dict) else name)


def _row(number: int, count: int, size: int) -> Record:
    step = 2**128 // (count + 2)  # sys_ids all over their range, in the order of the numbers
    # ASCII: an encoded text of other letters is kept beside it, which the memory test would count.
    return {"sys_id": f"{number * step:032x}", "name": key_of(number), "text": "e" * size}


def _knobs(fault: Fault, table: str) -> dict[str, Any]:
    """What the simulator is to do for a fault of the contract."""
    totals = {"total_too_low": -1, "total_too_high": 1}
    first = {"sys_id": "0" * 32, "name": key_of(0)}
    last = {"sys_id": "f" * 32, "name": key_of(999_999)}
    faults: dict[str, dict[str, Any]] = {
        "odd_row": {"kind": "bad_record", "index": 1},
        "cut": {"kind": "cut", "times": 0},
        "repeated_page": {"kind": "repeat", "times": 0},
        "short_page": {"kind": "short", "keep": 0.2},
        "row_added": {"kind": "rows", "add": [first]},
        "row_removed": {"kind": "rows", "remove": 1},
        "row_replaced": {"kind": "rows", "remove": 1, "add": [last]},
        "too_many_requests": {"kind": "rate_limit", "retry_after": "0.05"},
        "fails_twice": {"kind": "status", "times": 2},
        "fails_always": {"kind": "status", "status": 503, "body": "html", "times": 0},
        "html": {"kind": "hibernating", "times": 0},
        "empty_body": {"kind": "empty", "times": 0},
        "huge": {"kind": "huge", "megabytes": 4, "times": 0},
        "endless": {"kind": "huge", "megabytes": 300, "times": 0},
    }
    knobs: dict[str, Any] = {"total_error": totals.get(fault.kind, 0)}
    if fault.kind in faults:
        knobs["faults"] = [{**faults[fault.kind], "on": table, "at": fault.page}]
    if fault.kind == "credentials":
        knobs["users"] = {"reader": {"password": "another"}}
    return knobs


BASIC = {"type": "basic", "username": "reader", "password": SECRET}


class TestBasic(HttpContract, AnchoredContract, SlicedContract):
    @pytest.fixture
    def bench(self, hall: Hall) -> Bench:
        return ServiceNowBench(hall, BASIC, {})


class TestBothValues(HttpContract, AnchoredContract, SlicedContract):
    @pytest.fixture
    def bench(self, hall: Hall) -> Bench:
        return ServiceNowBench(hall, BASIC, {"display_value": "all"})


class TestPasswordGrant(HttpContract, AnchoredContract):
    @pytest.fixture
    def bench(self, hall: Hall) -> Bench:
        auth = {
            "type": "oauth2_password",
            "token_url": hall.token_url,
            "client_id": "etl-client",
            "client_secret": "client-secret",
        }
        return ServiceNowBench(hall, {**BASIC, **auth}, {})
