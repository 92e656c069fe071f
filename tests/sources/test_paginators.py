"""Each paginator decides the next request from the last answer, and nothing else."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from sources.base import Complete, Partial
from sources.paginators import Next, Paginator, Step, Turn
from sources.session import Answer, Call

BASE = "https://cmdb.example/api"
CALL = Call(f"{BASE}/servers", params={"status": "production"})


def paginator(kind: str, **options: Any) -> Any:
    return TypeAdapter(Paginator).validate_python({"type": kind} | options)


def turn(
    document: Any = None,
    *,
    number: int = 1,
    rows: int = 10,
    fresh: int | None = None,
    agreed: bool = False,
    link: str = "",
) -> Turn:
    headers = {"Link": link} if link else {}
    answer = Answer(document or {}, doubtful=False, status=200, headers=headers, where="")
    return Turn(number, rows, rows if fresh is None else fresh, agreed=agreed, answer=answer)


def params(step: Step) -> dict[str, Any]:
    assert isinstance(step, Next)
    return dict(step.call.params)


# single_page


def test_a_single_page_ends_with_its_answer() -> None:
    assert paginator("single_page").next(CALL, turn()) == Complete("single answer")


def test_a_single_page_that_announces_another_is_partial() -> None:
    end = paginator("single_page").next(CALL, turn(link=f'<{BASE}/servers?p=2>; rel="next"'))

    assert isinstance(end, Partial)


# page_number


def test_pages_are_counted_from_their_base() -> None:
    pages = paginator("page_number", base_page=1, page_size=50, page_size_param="size")

    first = pages.first(CALL)
    second = pages.next(first.call, turn())
    third = pages.next(second.call, turn(number=2))

    assert params(first) == {"status": "production", "page": 1, "size": 50}
    assert params(second) == {"status": "production", "page": 2, "size": 50}
    assert params(third)["page"] == 3


def test_a_page_number_may_stand_in_the_body() -> None:
    call = Call(BASE, "POST", json={"filter": {"a": 1}})
    pages = paginator("page_number", page_body_path="filter.page")

    first = pages.first(call)
    second = pages.next(first.call, turn())

    assert first.call.json == {"filter": {"a": 1, "page": 0}}
    assert second.call.json == {"filter": {"a": 1, "page": 1}}
    assert call.json == {"filter": {"a": 1}}


def test_a_page_number_may_stand_in_a_form() -> None:
    pages = paginator("page_number", page_body_path="page")

    assert pages.first(Call(BASE, "POST", form={"a": "1"})).call.form == {"a": "1", "page": 0}


@pytest.mark.parametrize("rows", [1, 9, 10])
def test_a_page_that_holds_rows_is_never_the_last(rows: int) -> None:
    assert isinstance(paginator("page_number").next(CALL, turn(rows=rows)), Next)


def test_an_empty_page_is_the_end() -> None:
    end = paginator("page_number").next(CALL, turn(number=4, rows=0))

    assert end == Complete("page 4 is empty")


@pytest.mark.parametrize("value", [False, "false", 0, "0"])
def test_has_more_false_is_the_end(value: Any) -> None:
    pages = paginator("page_number", has_more_path="meta.more")

    end = pages.next(CALL, turn({"meta": {"more": value}}, number=3))

    assert end == Complete("meta.more is false on page 3")


def test_an_empty_page_that_says_more_is_partial() -> None:
    pages = paginator("page_number", has_more_path="more")

    assert isinstance(pages.next(CALL, turn({"more": True}, rows=0)), Partial)


def test_a_page_size_needs_the_name_of_its_parameter() -> None:
    with pytest.raises(ValidationError, match="go together"):
        paginator("page_number", page_size=10)


# offset


def test_an_offset_advances_by_the_rows_received_and_asks_again_for_the_last() -> None:
    pages = paginator("offset", limit=100)

    first = pages.first(CALL)
    second = pages.next(first.call, turn(rows=40))

    assert params(first) == {"status": "production", "limit": 100, "offset": 0}
    assert params(second) == {"status": "production", "limit": 100, "offset": 39}
    assert second.overlap


def test_an_offset_without_overlap_begins_after_the_rows_received() -> None:
    pages = paginator("offset", limit=100, overlap=False)

    second = pages.next(pages.first(CALL).call, turn(rows=40))

    assert params(second)["offset"] == 40
    assert not second.overlap


def test_the_last_record_alone_is_an_end_only_when_the_total_agrees() -> None:
    pages = paginator("offset", limit=100)
    second = pages.next(pages.first(CALL).call, turn(rows=40))

    proven = pages.next(second.call, turn(number=2, rows=1, fresh=0, agreed=True))
    unproven = pages.next(second.call, turn(number=2, rows=1, fresh=0))

    assert proven == Complete("nothing follows the last record on page 2")
    assert params(unproven)["offset"] == 40
    assert not unproven.overlap


def test_an_offset_may_begin_at_one_and_stand_in_the_body() -> None:
    pages = paginator(
        "offset", limit=5, offset=1, limit_body_path="page.size", offset_body_path="page.from"
    )

    first = pages.first(Call(BASE, "POST", json={}))
    second = pages.next(first.call, turn(rows=5))

    assert first.call.json == {"page": {"size": 5, "from": 1}}
    assert second.call.json == {"page": {"size": 5, "from": 5}}


def test_a_limit_may_be_lowered_for_a_probe() -> None:
    assert params(paginator("offset", limit=100).first(CALL, limit=1))["limit"] == 1


# cursor


def test_a_cursor_is_carried_to_the_next_call() -> None:
    cursor = paginator("cursor", cursor_path="meta.next", cursor_param="after")

    step = cursor.next(CALL, turn({"meta": {"next": "abc="}}))

    assert params(step) == {"status": "production", "after": "abc="}


def test_a_cursor_may_be_the_sort_of_the_last_hit_in_the_body() -> None:
    cursor = paginator("cursor", cursor_path="hits.-1.sort", cursor_body_path="search_after")
    call = Call(BASE, "POST", json={"size": 2})

    step = cursor.next(call, turn({"hits": [{"sort": [1, "a"]}, {"sort": [2, "b"]}]}))

    assert isinstance(step, Next)
    assert step.call.json == {"size": 2, "search_after": [2, "b"]}


@pytest.mark.parametrize("end", [None, "", False])
def test_a_cursor_that_is_null_or_empty_is_the_end(end: Any) -> None:
    cursor = paginator("cursor", cursor_path="next")

    assert cursor.next(CALL, turn({"next": end})) == Complete("no next on page 1")


def test_a_cursor_that_was_never_there_proves_nothing() -> None:
    cursor = paginator("cursor", cursor_path="meta.nxet")

    assert isinstance(cursor.next(CALL, turn({"meta": {"next": "abc"}})), Partial)
    assert cursor.next(CALL, turn({}, rows=0)) == Complete("no meta.nxet on page 1")
    assert cursor.next(CALL, turn({}, number=2)) == Complete("no meta.nxet on page 2")


def test_has_more_decides_where_the_cursor_goes_on_after_the_end() -> None:
    cursor = paginator("cursor", cursor_path="end", has_more_path="more")

    assert isinstance(cursor.next(CALL, turn({"end": "x", "more": False})), Complete)
    assert isinstance(cursor.next(CALL, turn({"end": None, "more": True})), Partial)


# links


@pytest.mark.parametrize(
    ("link", "followed"),
    [
        (f"{BASE}/servers?page=2", f"{BASE}/servers?page=2"),
        ("?page=2", f"{BASE}/servers?page=2"),
        ("/other?page=2", "https://cmdb.example/other?page=2"),
        ("HTTPS://CMDB.example/api?page=2", "https://CMDB.example/api?page=2"),
        ("https://cmdb.example:443/api", "https://cmdb.example:443/api"),
        ("http://cmdb.example/api?page=2", f"{BASE}?page=2"),
        ("http://cmdb.example:8080/api?page=2", f"{BASE}?page=2"),
    ],
    ids=["absolute", "query", "path", "upper case", "port", "behind a TLS proxy", "inner port"],
)
@pytest.mark.parametrize("kind", ["json_link", "header_link"])
def test_a_link_is_followed_on_the_origin(kind: str, link: str, followed: str) -> None:
    options = {"next_url_path": "@odata.nextLink"} if kind == "json_link" else {}
    document = {"@odata.nextLink": link}

    step = paginator(kind, **options).next(CALL, turn(document, link=f'<{link}>; rel="next"'))

    assert isinstance(step, Next)
    assert step.call.url.replace("HTTPS", "https") == followed
    assert step.call.params == {}


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/api",
        "//evil.example/api",
        "https://cmdb.example:8443/api",
        "https://me@evil.example/",
        "ftp://cmdb.example/api",
        "https://cmdb.example:port/api",
        "https://[cmdb",
    ],
)
def test_a_link_to_another_origin_is_partial(link: str) -> None:
    step = paginator("json_link", next_url_path="next").next(CALL, turn({"next": link}))

    assert isinstance(step, Partial)
    assert "not followed" in step.reason


def test_the_next_link_is_found_among_others() -> None:
    link = f'<{BASE}?page=1>; rel="first", <{BASE}?page=-1>; rel="prev", <{BASE}?page=3>; rel=next'

    step = paginator("header_link").next(CALL, turn(link=link))

    assert isinstance(step, Next)
    assert step.call.url == f"{BASE}?page=3"


def test_no_link_is_the_end() -> None:
    link = f'<{BASE}?page=1>; rel="first"'

    assert paginator("header_link").next(CALL, turn(link=link)) == Complete(
        "no next link on page 1"
    )
