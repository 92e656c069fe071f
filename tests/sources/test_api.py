"""The api source against the simulated JSON API: shapes, paging, scope, probe."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse

from sandbox.jsonapi import create_app
from sandbox.jsonapi_knobs import ApiKnobs
from sandbox.jsonapi_state import Api, File
from sandbox.serve import serve
from sources.api import SOURCE, ApiConfig
from sources.base import Complete, Outcome, Page, Partial, Probe, Scope
from sources.connection import ApiConnection
from sources.errors import Refused, SourceError, Unreadable
from sources.registry import SOURCES
from tests.sources.conftest import QUICK, Server

ROWS = [{"id": f"{n:03d}", "site": {"name": "Nîmes"}} for n in range(1, 26)]
IDS = [row["id"] for row in ROWS]


@dataclass(frozen=True)
class Extracted:
    pages: list[Page]
    outcome: Outcome

    @property
    def ids(self) -> list[str]:
        return [record["id"] for page in self.pages for record in page.records]


@dataclass(frozen=True)
class Simulated:
    url: str
    api: Api

    def connection(self, **settings: Any) -> ApiConnection:
        return ApiConnection.model_validate({"base_url": self.url, "retry": QUICK} | settings)

    def extract(self, scope: Scope | None = None, **dataset: Any) -> Extracted:
        pages = []
        extraction = SOURCE.extract(
            config(**dataset), "servers", self.connection(), scope or Scope()
        )
        try:
            while True:
                pages.append(next(extraction))
        except StopIteration as stop:
            return Extracted(pages, stop.value)

    def queries(self) -> list[dict[str, str]]:
        return [call["query"] for call in self.api.traffic.calls]


def config(**dataset: Any) -> ApiConfig:
    servers = {"path": "/api/servers", "data_selector": "data"} | dataset
    return ApiConfig.model_validate({"connection": "cmdb", "datasets": {"servers": servers}})


def told(error: SourceError) -> str:
    return "\n".join([str(error), *error.__notes__])


@pytest.fixture(scope="module")
def running() -> Iterator[Simulated]:
    app = create_app({"servers": ROWS})
    with serve(app) as url:
        yield Simulated(url, app.state.jsonapi)


@pytest.fixture
def cmdb(running: Simulated) -> Simulated:
    running.api.reset()
    running.api.turn({"page_size": 10})
    return running


# Paging, as vendors have it

WALKS = {
    "all at once": ({"paging": "none"}, {"type": "single_page"}),
    "pages from 1": ({"paging": "page"}, {"type": "page_number", "base_page": 1}),
    "pages from 0": ({"paging": "page", "first_page": 0}, {"type": "page_number"}),
    "pages with a size": (
        {"paging": "page"},
        {"type": "page_number", "base_page": 1, "page_size": 4, "page_size_param": "limit"},
    ),
    "pages that say more": (
        {"paging": "page", "more_path": "meta.more"},
        {"type": "page_number", "base_page": 1, "has_more_path": "meta.more"},
    ),
    "offset": ({"paging": "offset"}, {"type": "offset", "limit": 10}),
    "offset, limit lowered": (
        {"paging": "offset", "max_page_size": 4},
        {"type": "offset", "limit": 1000},
    ),
    "offset, limit of one": ({"paging": "offset", "max_page_size": 1}, {"type": "offset"}),
    "offset, no overlap": ({"paging": "offset"}, {"type": "offset", "limit": 7, "overlap": False}),
    "cursor": ({"paging": "cursor"}, {"type": "cursor", "cursor_path": "next"}),
    "cursor, then absent": (
        {"paging": "cursor", "end": "absent", "next_path": "meta.cursor"},
        {"type": "cursor", "cursor_path": "meta.cursor"},
    ),
    "keyset": (
        {"paging": "keyset"},
        {"type": "cursor", "cursor_path": "data.-1.id", "cursor_param": "after"},
    ),
    "next URL": ({"paging": "next"}, {"type": "json_link", "next_url_path": "next"}),
    "next URL, relative": (
        {"paging": "next", "links": "relative", "end": "empty"},
        {"type": "json_link", "next_url_path": "next"},
    ),
    "Link header": ({"paging": "link"}, {"type": "header_link"}),
}


@pytest.mark.parametrize(("knobs", "paginator"), WALKS.values(), ids=WALKS)
def test_every_record_comes_once_and_in_order(
    cmdb: Simulated, knobs: dict[str, Any], paginator: dict[str, Any]
) -> None:
    cmdb.api.turn(knobs)

    extracted = cmdb.extract(paginator=paginator, primary_key="id")

    assert extracted.ids == IDS
    assert isinstance(extracted.outcome, Complete)


def test_the_wrong_first_page_is_never_silent(cmdb: Simulated) -> None:
    # The simulator counts from 1 and takes page 0 for what stands before: an error.
    with pytest.raises(Refused, match="400"):
        cmdb.extract(paginator={"type": "page_number", "base_page": 0})


@pytest.mark.parametrize("total", ["number", "string", "header"])
def test_a_total_is_compared_wherever_it_stands(cmdb: Simulated, total: str) -> None:
    where = {"total_header": "X-Total-Count"} if total == "header" else {"total_path": "total"}
    paginator = {"type": "page_number", "base_page": 1}
    cmdb.api.turn({"total": total})

    good = cmdb.extract(paginator=paginator, **where)
    cmdb.api.turn({"total_error": 1})
    wrong = cmdb.extract(paginator=paginator, **where)

    name = next(iter(where.values()))
    assert good.outcome == Complete(f"25 records, page 4 is empty, {name} says 25")
    assert wrong.outcome == Partial(f"{name} says 26, 25 records were received")


@pytest.mark.parametrize(
    ("knobs", "outcome"),
    [
        ({"total": "number"}, Complete("25 records, page 4 is refused (404), total says 25")),
        ({"total": "number", "total_error": 1}, None),
        ({}, None),
    ],
    ids=["total agrees", "total disagrees", "no total"],
)
def test_a_refused_page_is_an_end_only_where_the_total_agrees(
    cmdb: Simulated, knobs: dict[str, Any], outcome: Outcome | None
) -> None:
    cmdb.api.turn({"beyond": "404"} | knobs)
    total = {"total_path": "total"} if knobs else {}

    extracted = cmdb.extract(paginator={"type": "page_number", "base_page": 1}, **total)

    assert extracted.ids == IDS
    if outcome is None:
        assert isinstance(extracted.outcome, Partial)
        assert "page 4 is refused" in extracted.outcome.reason
    else:
        assert extracted.outcome == outcome


def test_a_server_that_repeats_its_last_page_for_ever_is_stopped(cmdb: Simulated) -> None:
    cmdb.api.turn({"beyond": "last"})

    extracted = cmdb.extract(paginator={"type": "page_number", "base_page": 1})

    assert extracted.ids == IDS
    assert extracted.outcome == Partial("page 4 brings again the records of an earlier page")


def test_a_cursor_in_a_circle_is_stopped(cmdb: Simulated) -> None:
    cmdb.api.turn({"paging": "none", "extra": {"next": "again"}})
    paginator = {"type": "cursor", "cursor_path": "next"}

    extracted = cmdb.extract(paginator=paginator)

    assert extracted.ids == IDS
    assert isinstance(extracted.outcome, Partial)
    assert len(cmdb.queries()) == 2


def test_a_cursor_that_repeats_under_new_records_is_stopped(server: Server) -> None:
    asked: list[str] = []

    async def endless(request: Request) -> JSONResponse:
        asked.append(request.url.query)
        return JSONResponse({"data": [{"id": str(len(asked))}], "next": "again"})

    cursor = {"type": "cursor", "cursor_path": "next"}
    extracted = Simulated(server.add(endless), Api({}, ApiKnobs())).extract(paginator=cursor)

    assert asked == ["", "cursor=again"]
    assert extracted.outcome == Partial("page 2 asks for a page that was read already")


def test_a_page_is_let_go_before_the_next_one_is_asked_for(server: Server) -> None:
    held: list[Any] = []
    references: list[int] = []

    async def count(_: Request) -> JSONResponse:
        references.extend(map(sys.getrefcount, held))
        return JSONResponse({"data": [{"id": str(len(references))}]})

    pages = {"type": "page_number"}
    connection = Simulated(server.add(count), Api({}, ApiKnobs())).connection()
    extraction = SOURCE.extract(config(paginator=pages), "servers", connection, Scope())
    held.append(next(extraction).records[0])
    next(extraction)

    assert references == list(map(sys.getrefcount, [object()]))


def test_the_limit_of_pages_is_told(cmdb: Simulated) -> None:
    paginator = {"type": "page_number", "base_page": 1}

    extracted = cmdb.extract(paginator=paginator, max_pages=2)

    assert extracted.ids == IDS[:20]
    assert extracted.outcome == Partial(
        "the limit of 2 pages (`max_pages`) is reached; more follow"
    )


def test_a_next_url_on_another_origin_is_not_followed(cmdb: Simulated) -> None:
    cmdb.api.turn({"paging": "next", "links_base": "https://evil.example"})

    extracted = cmdb.extract(paginator={"type": "json_link", "next_url_path": "next"})

    assert extracted.ids == IDS[:10]
    assert extracted.outcome == Partial(
        "the next page is announced on another origin, https://evil.example:443: not followed"
    )


def test_a_selector_of_one_page_that_announces_another_is_partial(cmdb: Simulated) -> None:
    cmdb.api.turn({"paging": "link"})

    assert isinstance(cmdb.extract().outcome, Partial)


def test_an_offset_over_rows_that_shift_is_partial_without_any_total(cmdb: Simulated) -> None:
    cmdb.api.turn({"paging": "offset", "faults": [{"kind": "rows", "at": 1, "remove": 1}]})

    extracted = cmdb.extract(paginator={"type": "offset", "limit": 10})

    assert extracted.ids == IDS
    assert isinstance(extracted.outcome, Partial)
    assert "rows moved" in extracted.outcome.reason


# Shapes


@pytest.mark.parametrize(
    ("knobs", "dataset"),
    [
        ({"shape": "list"}, {"data_selector": ""}),
        ({"shape": "envelope", "records_path": "a.b"}, {"data_selector": "a.b"}),
        ({"shape": "map"}, {}),
        ({"shape": "map", "records_path": ""}, {"data_selector": "$"}),
        ({"shape": "map", "map_drops_key": True}, {"record_key_field": "id"}),
        ({"gzip": True}, {}),
        ({"content_type": "text/plain"}, {}),
        ({"faults": [{"kind": "bom"}]}, {}),
    ],
)
def test_records_are_found_in_every_shape(
    cmdb: Simulated, knobs: dict[str, Any], dataset: dict[str, Any]
) -> None:
    cmdb.api.turn({"paging": "none"} | knobs)

    extracted = cmdb.extract(**dataset)

    assert extracted.ids == IDS
    assert extracted.outcome == Complete("25 records, single answer")


def test_hits_keep_their_envelope_and_their_total(cmdb: Simulated) -> None:
    cmdb.api.turn({"paging": "none", "shape": "hits"})

    extracted = cmdb.extract(data_selector="hits.hits", total_path="hits.total", primary_key="_id")

    assert extracted.pages[0].records[0] == {"_id": "001", "_source": ROWS[0]}
    assert extracted.outcome == Complete(
        "25 records, single answer, every _id once, hits.total says 25"
    )


def test_an_odd_row_is_a_reject_with_its_rank(cmdb: Simulated) -> None:
    odd = ["x" * 300]
    cmdb.api.turn({"faults": [{"kind": "bad_record", "at": 2, "index": 3, "record": odd}]})

    extracted = cmdb.extract(paginator={"type": "page_number", "base_page": 1})

    (reject,) = extracted.pages[1].rejects
    assert (reject.dataset, reject.number, reject.reason) == ("servers", 14, "not an object")
    assert reject.sample == '["' + "x" * 198 + "…"
    assert extracted.ids == IDS[:13] + IDS[14:]
    assert isinstance(extracted.outcome, Complete)


def test_half_a_character_rejects_its_record_alone(cmdb: Simulated) -> None:
    body = rb'[{"id": "1", "name": "caf\ud83d"}, {"id": "2", "name": "\ud83d\ude00"}]'
    cmdb.api.files["page"] = File(body, "application/json")

    extracted = cmdb.extract(path="/files/page", data_selector="")

    assert extracted.ids == ["2"]
    (reject,) = extracted.pages[0].rejects
    assert (reject.number, reject.reason) == (1, "half a character in a text")
    reject.sample.encode()


@pytest.mark.parametrize("kind", ["nan", "bad_utf8", "html", "empty"])
def test_a_body_that_is_not_strict_json_is_unreadable(cmdb: Simulated, kind: str) -> None:
    cmdb.api.turn({"faults": [{"kind": kind, "at": 2}]})

    with pytest.raises(Unreadable):
        cmdb.extract(paginator={"type": "page_number", "base_page": 1})


@pytest.mark.parametrize(
    ("extra", "dataset", "words"),
    [
        (
            {"code": 1, "message": "Error: \x00Invalid login"},
            {"error_path": "code", "error_message_path": "message"},
            "code: Error: Invalid login",
        ),
        ({"errors": [{"message": "no"}]}, {"error_path": "errors"}, 'errors: [{"message":"no"}]'),
        ({"error": {"message": "no", "x": 1}}, {"error_path": "error"}, "error: no"),
        ({"timed_out": True}, {"error_path": "timed_out"}, "timed_out: true"),
    ],
)
def test_an_error_inside_a_success_is_a_refusal(
    cmdb: Simulated, extra: dict[str, Any], dataset: dict[str, Any], words: str
) -> None:
    cmdb.api.turn({"extra": extra})

    with pytest.raises(Refused) as error:
        cmdb.extract(**dataset)

    assert str(error.value) == f"the API refuses inside a success, {words}"


@pytest.mark.parametrize("nothing", [0, False, None, "", [], {}])
def test_nothing_at_the_error_path_is_a_success(cmdb: Simulated, nothing: Any) -> None:
    cmdb.api.turn({"paging": "none", "extra": {"code": nothing}})

    assert cmdb.extract(error_path="code").ids == IDS


# What is asked


def test_parameters_headers_and_lists_are_sent(cmdb: Simulated) -> None:
    cmdb.extract(
        params={"active": True, "class": ["a", "b"], "limit": 3, "q": "a+b é"},
        headers={"Accept-Language": "fr"},
    )

    (call,) = cmdb.api.traffic.calls
    assert call["query"] == {"active": "true", "class": "b", "limit": "3", "q": "a+b é"}
    assert call["headers"]["accept-language"] == "fr"


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        (
            {"json": {"filter": {"a": 1}, "limit": 10}},
            '{"filter": {"a": 1}, "limit": 10, "offset": 0}',
        ),
        ({"form": {"limit": "10"}}, "limit=10&offset=0"),
    ],
    ids=["json", "form"],
)
def test_a_post_pages_in_its_body(cmdb: Simulated, body: dict[str, Any], sent: str) -> None:
    cmdb.api.turn({"paging": "offset", "faults": [{"kind": "status", "at": 2}]})
    where = {"limit_body_path": "limit", "offset_body_path": "offset"}
    paginator = {"type": "offset", "limit": 10} | where

    extracted = cmdb.extract(method="POST", safe_to_repeat=True, paginator=paginator, **body)

    assert extracted.ids == IDS
    assert cmdb.api.traffic.calls[0]["body"] == sent
    assert cmdb.api.traffic.calls[0]["query"] == {}


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        ({}, "code,owner.team,site.name"),
        ({"fields_separator": " "}, "code owner.team site.name"),
        ({"fields_nested": False}, "code,owner,site"),
    ],
)
def test_the_fields_of_the_mapping_and_the_key_are_asked_for(
    cmdb: Simulated, options: dict[str, Any], sent: str
) -> None:
    scope = Scope(fields=frozenset({"site.name", "owner.team", "_key"}))

    cmdb.extract(
        scope, fields_param="fields", primary_key="code", record_key_field="_key", **options
    )

    assert cmdb.queries()[0]["fields"] == sent


def test_all_fields_are_asked_for_by_asking_for_none(cmdb: Simulated) -> None:
    cmdb.extract(Scope(), fields_param="fields")

    assert "fields" not in cmdb.queries()[0]


def test_a_window_is_written_in_utc(cmdb: Simulated) -> None:
    paris = timezone(timedelta(hours=2))
    scope = Scope(
        since=datetime(2026, 8, 17, 1, tzinfo=paris), until=datetime(2026, 8, 18, tzinfo=UTC)
    )

    cmdb.extract(scope, since_param="from", until_param="to")
    cmdb.extract(scope, since_param="from", until_param="to", datetime_format="%d/%m/%Y")

    assert cmdb.queries() == [
        {"from": "2026-08-16T23:00:00Z", "to": "2026-08-18T00:00:00Z"},
        {"from": "16/08/2026", "to": "18/08/2026"},
    ]


def test_a_window_that_cannot_be_asked_for_is_refused_before_any_call(cmdb: Simulated) -> None:
    with pytest.raises(Refused) as error:
        cmdb.extract(Scope(until=datetime(2026, 8, 18, tzinfo=UTC)), since_param="from")

    assert told(error.value) == (
        "dataset 'servers' cannot be read by modification date: it has no `until_param`\n"
        "where: source.datasets.servers\n"
        "mend: declare `until_param` if the API filters by date, or read everything"
    )
    assert cmdb.queries() == []


def test_an_unknown_dataset_is_refused_with_the_nearest_name(cmdb: Simulated) -> None:
    with pytest.raises(Refused) as error:
        next(SOURCE.extract(config(), "server", cmdb.connection(), Scope()))

    assert "mend: did you mean 'servers'?" in told(error.value)


# Probe and count


def test_a_probe_asks_for_one_record_and_tells_who_asked(cmdb: Simulated) -> None:
    cmdb.api.turn({"auth": "basic", "paging": "offset"})
    connection = cmdb.connection(
        auth={"type": "basic", "username": "api", "password": "api-password"}
    )

    probe = SOURCE.probe(config(paginator={"type": "offset"}), connection)

    assert probe == Probe("HTTP 200, uvicorn", "user api", ("read servers",))
    assert cmdb.queries() == [{"limit": "1", "offset": "0"}]


def test_a_probe_with_a_wrong_selector_is_unreadable(cmdb: Simulated) -> None:
    with pytest.raises(Unreadable):
        SOURCE.probe(config(data_selector="dta"), cmdb.connection())


def test_the_count_is_the_total_where_there_is_one(cmdb: Simulated) -> None:
    cmdb.api.turn({"total": "header"})

    with_total = config(total_header="X-Total-Count")

    assert SOURCE.count(with_total, "servers", cmdb.connection(), Scope()) == 25
    assert SOURCE.count(config(), "servers", cmdb.connection(), Scope()) is None
    assert len(cmdb.queries()) == 1


# What is declared


@pytest.mark.parametrize(
    ("dataset", "words"),
    [
        ({"path": "https://other.example/api"}, "no host in it"),
        ({"headers": {"Authorization": "Basic h1dden"}}, "a job holds no secret"),
        ({"json": {}, "form": {}}, "a call has one body"),
        ({"paginator": {"type": "pages"}}, "single_page"),
        ({"selector": "data"}, "Extra inputs are not permitted"),
    ],
)
def test_a_dataset_that_cannot_be_read_is_mis_declared(dataset: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as error:
        config(**dataset)

    assert words in str(error.value)


def test_every_option_is_described() -> None:
    for root in (ApiConfig.model_json_schema(), ApiConnection.model_json_schema()):
        for model in [root, *root["$defs"].values()]:
            for option, schema in model["properties"].items():
                assert option == "type" or schema.get("description"), (model["title"], option)


def test_the_source_is_registered() -> None:
    assert SOURCES["api"] is SOURCE
