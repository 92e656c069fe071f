"""The easyvista source keeps every source's promises: by rank, by date, and through saved views."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from sandbox.easyvista import create_app
from sandbox.easyvista_knobs import EasyVistaKnobs, User, View
from sandbox.easyvista_state import EasyVista
from sandbox.serve import serve
from sources.base import Record
from sources.easyvista import SOURCE
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
FIRST = 1001
VIEW = "{11111111-2222-3333-4444-555555555555}"
COLUMNS = {"ASSET_ID": "ASSET_ID", "ASSET_TAG": "ASSET_TAG", "ASSET_LABEL": "ASSET_LABEL"}
START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Tenant:
    """One simulated EasyVista for all the tests of this module."""

    url: str
    state: EasyVista


@pytest.fixture(scope="module")
def tenant() -> Iterator[Tenant]:
    app = create_app({})
    with serve(app) as url:
        yield Tenant(url, app.state.easyvista)


def row(number: int, size: int = 0, *, tied: bool = False) -> Record:
    """A CI; all of them have the stamps of one minute after the other, or one stamp."""
    stamp = START if tied else START + timedelta(minutes=number)
    return {
        "ASSET_ID": FIRST + number,
        "ASSET_TAG": key_of(number),
        "ASSET_LABEL": "é" * size or None,
        "IS_CI": 1,
        "LAST_UPDATE": stamp.isoformat(timespec="milliseconds"),
    }


def faults(fault: Fault) -> list[dict[str, Any]]:
    """The simulator's words for a fault of the contract."""
    moved = {
        "row_added": {"add": [row(0)]},
        "row_removed": {"remove": 1},
        "row_replaced": {"remove": 1, "add": [row(999_999)]},
    }
    kinds: dict[str, dict[str, Any]] = {
        # The page begins with the last record of the one before.
        "odd_row": {"kind": "bad_record", "index": 2},
        "cut": {"kind": "cut", "times": 0},
        "repeated_page": {"kind": "repeat", "times": 0},
        "short_page": {"kind": "short", "keep": 0.2},
        "too_many_requests": {"kind": "status", "status": 429, "retry_after": "0.05"},
        "fails_twice": {"kind": "status", "status": 500, "times": 2, "body": "html"},
        "fails_always": {"kind": "status", "status": 503, "times": 0, "text": f"no, {SECRET}"},
        "html": {"kind": "html"},
        "empty_body": {"kind": "empty"},
        "credentials": {"kind": "status", "status": 401, "text": f"who is {SECRET}?", "times": 0},
        "huge": {"kind": "huge", "megabytes": 4},
        "endless": {"kind": "huge", "megabytes": 300},
        **{kind: {"kind": "rows", **change} for kind, change in moved.items()},
    }
    return [{"at": fault.page, **kinds[fault.kind]}] if fault.kind in kinds else []


@dataclass(frozen=True)
class ListBench:
    """The list of assets, whole or in slices."""

    tenant: Tenant
    source: Any = SOURCE
    page_size: int = PAGE_SIZE
    identity: str = "ASSET_ID"
    dataset: Callable[[int], Record] = lambda size: {
        "resource": "assets",
        "fields": ["ASSET_TAG", "ASSET_LABEL"],
        "page_size": size,
    }

    @contextmanager
    def serve(self, count: int, fault: Fault | None = None, *, size: int = 0) -> Iterator[Served]:
        fault = fault or Fault("")
        tied = fault.kind == "same_sort_key"
        rows = [row(number, size, tied=tied) for number in range(1, count + 1)]
        orjson.dumps(rows)  # a text keeps its UTF-8 once written: no page shall seem to leave it
        knobs = EasyVistaKnobs(
            users={"api": User(password=SECRET)},
            views={VIEW: View(table="AM_ASSET", columns=COLUMNS)},
            order="key",
            total_error={"total_too_low": -1, "total_too_high": 1}.get(fault.kind, 0),
        )
        state = self.tenant.state
        state.store.restore({"AM_ASSET": rows})
        state.turn(knobs.model_dump() | {"faults": faults(fault)})
        yield Served(
            SOURCE.config.model_validate(
                {
                    "connection": "tenant",
                    "datasets": {"things": self.dataset(PAGE_SIZE if count < 10_000 else 1_000)},
                }
            ),
            connection(self.tenant.url),
            "things",
            secrets=(SECRET,),
        )

    def key(self, record: Record) -> str:
        return str(record["ASSET_TAG"])


def connection(url: str) -> Any:
    return SOURCE.connection.model_validate(
        {
            "base_url": url,
            "account": 50004,
            "auth": {"type": "basic", "username": "api", "password": SECRET},
            "retry": {"attempts": 3, "initial": 0.01, "jitter": 0},
            "max_body": "2MiB",
        }
    )


class TestList(HttpContract, AnchoredContract, SlicedContract):
    @pytest.fixture
    def bench(self, tenant: Tenant) -> Bench:
        return ListBench(tenant)


class TestWindow(HttpContract, AnchoredContract):
    """A window that holds everything, so that all is read from stamp to stamp."""

    @pytest.fixture
    def bench(self, tenant: Tenant) -> Bench:
        def extract(config: Any, dataset: str, connection: Any, scope: Any) -> Any:
            return SOURCE.extract(config, dataset, connection, replace(scope, since=START))

        return ListBench(tenant, source=replace(SOURCE, extract=extract))


class TestView(HttpContract, AnchoredContract):
    """A saved view whose rows keep their order, although nobody asks for it."""

    @pytest.fixture
    def bench(self, tenant: Tenant) -> Bench:
        def dataset(size: int) -> Record:
            query = {"queryguid": VIEW}
            return {"internal_query": query, "key": "ASSET_ID", "page_size": size}

        return ListBench(tenant, dataset=dataset)
