"""Throttling and faults: cases 65 to 85 of specs/servicenow-cases.md. Every row, or an error."""

from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from sandbox.serve import serve
from sandbox.servicenow import create_app
from sandbox.servicenow_schema import key
from sources.errors import Refused, Unreachable, Unreadable
from sources.selector import NotJson
from sources.servicenow_pace import Pace
from sources.servicenow_text import decode
from sources.session import USER_AGENT
from tests.sources.conftest import Server
from tests.sources.servicenow_rig import QUICK, Rig

APPL = "cmdb_ci_appl"  # of 800 rows
HUNDRED = {"table": APPL, "page_size": 100}
MARK = "\N{REPLACEMENT CHARACTER}"


@pytest.fixture(scope="module")
def served() -> Iterator[Rig]:
    app = create_app()
    with serve(app) as url:
        yield Rig(url, app.state.servicenow)


@pytest.fixture
def rig(served: Rig) -> Iterator[Rig]:
    """The instance as it was at the start; a fault that a test sets must have struck."""
    served.instance.reset()
    yield served
    for armed in served.instance.faults._armed:
        assert armed.left == 0 if armed.fault.times else armed.seen >= armed.fault.at


def limits(rig: Rig, table: str = "cmdb_ci_server") -> list[int]:
    return [int(call["query"]["sysparm_limit"]) for call in rig.calls(table)]


# Throttling


def test_case_65_a_rate_limit_is_waited_for(rig: Rig) -> None:
    rig.fault("rate_limit", APPL, at=2, times=2, retry_after="0.05")

    read = rig.read(HUNDRED)

    assert read.ids == rig.ids(APPL)
    assert rig.instance.traffic.statuses[429] == 2


def test_case_66_an_hour_is_not_waited_for(rig: Rig) -> None:
    rig.fault("rate_limit", APPL, at=2, times=0, retry_after="3600")

    read = rig.read(HUNDRED, settings={"retry": {**QUICK, "max_retry_after": 0.02}})

    assert isinstance(read.error, Unreachable)
    assert "429 Too Many Requests: Rate limit exceeded: Rate limit of 100 requests" in read.told
    assert "tried: 3 times" in read.told
    assert len(read.records) == 100


@pytest.mark.parametrize("body", ["html", "empty"])
def test_case_67_a_full_queue_is_waited_for(rig: Rig, body: str) -> None:
    rig.fault("semaphore", APPL, at=3, times=2, body=body)

    read = rig.read(HUNDRED)

    assert read.ids == rig.ids(APPL)


def test_case_68_a_call_that_was_dropped_is_made_again(rig: Rig) -> None:
    rig.fault("accepted", APPL, at=2, every=3, times=4)

    read = rig.read(HUNDRED)

    assert read.ids == rig.ids(APPL)
    assert rig.instance.traffic.statuses[202] == 4


def test_case_68_calls_that_are_always_dropped_are_an_outage(rig: Rig) -> None:
    rig.fault("accepted", APPL, at=2, times=0)

    read = rig.read(HUNDRED)

    assert isinstance(read.error, Unreachable)
    assert "busy and dropped the call (202)" in read.told


def test_pages_may_be_spaced(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr("sources.servicenow_keyset.time.sleep", waits.append)

    rig.read({"page_size": 1000}, settings={"pause": 0.25})

    assert waits == [0.25, 0.25]


# Servers that fail


def test_case_69_a_row_that_breaks_the_engine_is_a_clear_failure(rig: Rig) -> None:
    bad = rig.ids(APPL)[434]
    rig.fault("status", APPL, covers=bad, times=0, status=500)

    read = rig.read(HUNDRED)

    assert isinstance(read.error, Unreachable)
    assert "500 Internal Server Error: java.lang.NullPointerException" in read.told
    assert read.ids[-1] in read.told
    # All that can be read before it was, down to the smallest page.
    assert 434 - 10 <= len(read.records) <= 434
    assert read.ids == rig.ids(APPL)[: len(read.ids)]


def test_case_69_an_engine_that_fails_once_is_asked_for_less(rig: Rig) -> None:
    rig.fault("status", APPL, at=2, status=500)

    read = rig.read(HUNDRED)

    assert read.ids == rig.ids(APPL)
    assert limits(rig, APPL)[:3] == [100, 100, 50]


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_case_70_pages_of_an_outage_are_waited_for(rig: Rig, status: int) -> None:
    rig.fault("status", APPL, at=2, times=2, status=status, body="html")

    read = rig.read(HUNDRED)

    assert read.ids == rig.ids(APPL)
    assert set(limits(rig, APPL)) == {100}


FORMS = ["partial", "error_first", "only_error", "spliced", "string"]


@pytest.mark.parametrize("form", FORMS)
def test_case_71_to_74_a_cancelled_page_is_asked_for_in_halves(rig: Rig, form: str) -> None:
    rig.fault("cancelled", over=400, times=0, form=form, keep=0.3)

    read = rig.read()

    assert read.ids == rig.ids("cmdb_ci_server")
    assert "X-Total-Count and /stats say 2,500" in read.evidence
    assert limits(rig)[:3] == [1000, 500, 250]
    # Larger pages are tried again, but only after several that passed.
    assert limits(rig)[3:8] == [250, 250, 250, 250, 500]


@pytest.mark.parametrize("form", FORMS)
def test_case_71_to_74_pages_that_are_always_cancelled_are_an_outage(rig: Rig, form: str) -> None:
    rig.fault("cancelled", times=0, form=form)

    read = rig.read()

    assert isinstance(read.error, Unreachable)
    assert read.records == []
    assert limits(rig) == [1000, 500, 250, 125, 62, 31, 15, 10, 10, 10]
    if form in {"partial", "error_first", "only_error"}:
        assert "Transaction cancelled: maximum execution time exceeded" in read.told


def test_case_71_the_quota_of_wide_pages(rig: Rig) -> None:
    rig.turn(row_cost=0.2)  # a page of more than 300 rows is cancelled

    read = rig.read()

    assert read.ids == rig.ids("cmdb_ci_server")


@pytest.mark.parametrize(
    "fault", [{"value": ""}, {"value": None}, {"missing": True}, {"value": {"sys_id": "1"}}]
)
def test_case_75_what_are_no_rows_is_asked_for_again(rig: Rig, fault: dict[str, Any]) -> None:
    rig.fault("result", APPL, at=2, times=2, **fault)

    read = rig.read(HUNDRED)

    assert read.ids == rig.ids(APPL)


def test_case_75_rows_that_are_texts_are_rejects(rig: Rig) -> None:
    rig.instance.put_table("u_t", [{"sys_id": f"{rank:032x}"} for rank in range(25)])
    rig.fault("bad_record", "u_t", at=2, index=9, record="x")

    read = rig.read({"table": "u_t", "page_size": 10})

    assert [reject.number for reject in read.rejects] == [20]
    assert [reject.sample for reject in read.rejects] == ['"x"']
    # The window after the last row that has a key begins with the odd one, which is passed over.
    assert len(read.ids) == 24
    assert [call["query"]["sysparm_offset"] for call in rig.calls("u_t")] == ["0", "0", "1"]


def test_case_75_a_page_of_odd_rows_is_passed_over(rig: Rig) -> None:
    rows: list[dict[str, Any]] = [{"sys_id": f"{rank:032x}"} for rank in range(25)]
    rig.instance.put_table("u_t", rows)
    rig.fault("result", "u_t", at=2, value=["x"] * 10)

    read = rig.read({"table": "u_t", "page_size": 10})

    assert len(read.rejects) == 10
    assert len(read.ids) == 15
    assert [reject.number for reject in read.rejects] == list(range(11, 21))


@pytest.mark.parametrize("cut", ["length", "chunked", "gzip", "between_rows"])
@pytest.mark.parametrize("page", [1, 2, 8])
def test_case_76_a_body_that_is_cut_is_asked_for_again(rig: Rig, cut: str, page: int) -> None:
    rig.fault("cut", APPL, at=page, times=1, cut=cut)

    read = rig.read(HUNDRED)

    assert read.ids == rig.ids(APPL)


@pytest.mark.parametrize("cut", ["length", "chunked", "gzip", "between_rows"])
def test_case_76_bodies_that_are_always_cut_are_an_outage(rig: Rig, cut: str) -> None:
    rig.fault("cut", APPL, at=2, times=0, cut=cut)

    read = rig.read(HUNDRED)

    assert isinstance(read.error, Unreachable)
    assert len(read.records) == 100


def test_case_77_an_empty_success_is_none(rig: Rig) -> None:
    rig.fault("empty", APPL, at=2)

    read = rig.read(HUNDRED)

    assert isinstance(read.error, Unreadable)
    assert "empty body" in read.told


def test_case_78_a_hibernating_instance_is_to_be_woken(rig: Rig) -> None:
    rig.turn(state="hibernating")

    read = rig.read()

    assert isinstance(read.error, Unreadable)
    assert "Your instance is hibernating" in read.told
    assert "<" not in str(read.error)
    assert "mend: wake the instance" in read.told
    with pytest.raises(Unreadable, match="hibernating"):
        rig.probe()


@pytest.mark.parametrize("kind", ["login_page", "hibernating"])
def test_case_78_a_page_in_the_middle(rig: Rig, kind: str) -> None:
    rig.fault(kind, APPL, at=3)

    read = rig.read(HUNDRED)

    assert isinstance(read.error, Unreadable)
    assert "a page instead of JSON" in read.told


def test_case_79_a_redirect_is_not_followed(rig: Rig, elsewhere: Server) -> None:
    asked: list[Any] = []

    async def note(request: Any) -> Any:
        asked.append(request)
        raise AssertionError

    rig.fault("redirect", to=elsewhere.add(note))

    read = rig.read()

    assert isinstance(read.error, Refused)
    assert "login_with_sso.do" in read.told
    assert asked == []


def test_case_80_rows_that_are_said_to_be_text_are_refused(rig: Rig) -> None:
    rig.fault("content_type", media_type="text/plain")

    read = rig.read()

    assert isinstance(read.error, Unreadable)
    assert "text/plain instead of JSON" in read.told


def test_case_81_the_patience_is_ours_and_not_that_of_pysnow(rig: Rig) -> None:
    rig.fault("slow", seconds=0.3)

    read = rig.read()

    assert read.ids == rig.ids("cmdb_ci_server")
    assert rig.connection().timeout.read == 120


def test_case_81_a_page_that_takes_too_long_is_asked_for_in_halves(rig: Rig) -> None:
    rig.fault("slow", over=400, times=0, seconds=0.4)

    read = rig.read(settings={"timeout": {"read": 0.15}})

    assert read.ids == rig.ids("cmdb_ci_server")
    assert limits(rig)[:3] == [1000, 500, 250]


def test_case_81_a_page_that_drips_is_asked_for_in_halves(rig: Rig) -> None:
    rig.fault("drip", over=400, times=0, chunks=10, seconds=0.1)

    read = rig.read(settings={"timeout": {"total": 0.3}})

    assert read.ids == rig.ids("cmdb_ci_server")
    assert limits(rig)[:3] == [1000, 500, 250]


def test_case_81_silence_is_an_outage(rig: Rig) -> None:
    rig.fault("slow", times=0, seconds=0.15)

    read = rig.read({"page_size": 10}, settings={"timeout": {"read": 0.05}})

    assert isinstance(read.error, Unreachable)
    assert "the server was silent for 0.05 s" in read.told


def test_case_82_a_connection_that_breaks_is_made_again(rig: Rig) -> None:
    rig.fault("reset", APPL, at=2, every=4, times=3)

    read = rig.read(HUNDRED)

    assert read.ids == rig.ids(APPL)


def test_case_84_a_refusal_of_one_call_is_asked_again(rig: Rig) -> None:
    rig.fault("node_switch", APPL, at=3, every=4, times=0)

    read = rig.read(HUNDRED)

    assert read.ids == rig.ids(APPL)
    assert rig.instance.traffic.statuses[403] == 2


def test_case_84_a_refusal_that_stays_is_one(rig: Rig) -> None:
    rig.fault("node_switch", APPL, at=5, times=0)

    read = rig.read(HUNDRED)

    assert isinstance(read.error, Refused)
    assert "User Not Authorized: Failed API level ACL Validation" in read.told
    assert rig.instance.traffic.statuses[403] == 2


def test_case_84_a_first_refusal_is_final(rig: Rig) -> None:
    rig.fault("node_switch", APPL, times=0)

    read = rig.read(HUNDRED)

    assert isinstance(read.error, Refused)
    assert rig.instance.traffic.statuses[403] == 1


def test_case_85_maintenance_ends_the_reading_and_it_can_be_done_again(rig: Rig) -> None:
    rig.fault("maintenance", APPL, at=5, times=0)
    broken = rig.read(HUNDRED)
    rig.turn(faults=[])
    whole = rig.read(HUNDRED)

    assert isinstance(broken.error, Unreachable)
    assert broken.ids == rig.ids(APPL)[:400]
    assert whole.ids == rig.ids(APPL)


def test_errors_tell_the_transaction_and_no_secret(rig: Rig) -> None:
    rig.fault("status", status=503, times=0, message="try later, secret")

    read = rig.read()

    assert "transaction: 0" in read.told
    assert "try later, ***" in read.told
    assert "User-Agent" not in read.told
    assert USER_AGENT not in read.told


# Texts that are not sound (§9, item 23)


@pytest.mark.parametrize("kind", ["surrogate", "control", "bom"])
def test_texts_that_parsers_refuse_are_read(rig: Rig, kind: str) -> None:
    rig.fault(kind, APPL, at=2, index=3)

    read = rig.read(HUNDRED, {"name"})

    assert read.ids == rig.ids(APPL)
    assert orjson.dumps(read.records)
    told = "1 texts with half a character or a NUL were mended" in read.evidence
    assert told == (kind == "surrogate")


def test_broken_texts_of_a_table_are_mended(rig: Rig) -> None:
    read = rig.read({"table": "weird"}, {"text"})

    texts = read.values("text")
    assert f"forty characters that end in half an {MARK}" in texts
    assert f"a NUL {MARK} inside" in texts
    assert "tab\tand\x07bell" in texts
    assert "x" * 100_000 in texts
    assert "10 texts with half a character or a NUL were mended" in read.evidence


def test_bytes_that_are_no_utf_8_are_no_page(rig: Rig) -> None:
    rig.fault("bad_utf8", APPL, at=2, times=0)

    read = rig.read(HUNDRED)

    assert isinstance(read.error, Unreachable)
    assert "is not UTF-8" in read.told


@pytest.mark.parametrize(
    ("body", "document", "mended"),
    [
        (b'{"a":"b"}', {"a": "b"}, 0),
        (rb'{"a":"\ud83d\ude00"}', {"a": "\N{GRINNING FACE}"}, 0),
        (rb'{"a":"\ud83d"}', {"a": MARK}, 1),
        (rb'{"\ude00":["\ud83d",{"b":"\ud83d"}]}', {MARK: [MARK, {"b": MARK}]}, 3),
        (rb'{"a":"\u0000","b":"\\u0000"}', {"a": MARK, "b": r"\u0000"}, 1),
        (b'{"a":"\x01\t"}', {"a": "\x01\t"}, 0),
        (b'\xef\xbb\xbf{"a":null}', {"a": None}, 0),
    ],
)
def test_bytes_become_a_document(body: bytes, document: Any, mended: int) -> None:
    assert decode(body) == (document, mended)


@pytest.mark.parametrize("body", [b"", b"{", b'{"a":\xff}', b'"\xff"', b"<html>", b"{'a':1}"])
def test_what_is_no_json_is_none(body: bytes) -> None:
    with pytest.raises(NotJson):
        decode(body)


def test_pages_shrink_to_a_floor_and_grow_slowly() -> None:
    pace = Pace(100)
    sizes = []
    while pace.can_shrink:
        pace.shrink()
        sizes.append(pace.size)
    assert sizes == [50, 25, 12, 10]
    for _ in range(4):
        pace.passed()
    assert pace.size == 10
    pace.passed()
    assert pace.size == 20
    for _ in range(20):
        pace.passed()
    assert pace.size == 100


def test_small_pages_do_not_shrink() -> None:
    assert not Pace(5).can_shrink


# An instance that does not do what it was asked


def test_more_rows_than_asked_for_are_not_taken(rig: Rig) -> None:
    rows = [{"sys_id": key(str(rank))} for rank in range(20)]
    rig.instance.put_table("u_t", rows)
    rig.fault("result", "u_t", value=rows[:11], times=0)

    read = rig.read({"table": "u_t", "page_size": 10})

    assert "page 1 has 11 rows where 10 were asked for" in read.reason
    assert read.records == []


def test_rows_in_another_order_are_not_taken(rig: Rig) -> None:
    rows = [{"sys_id": f"{rank:032x}"} for rank in range(20)]
    rig.instance.put_table("u_t", rows)
    rig.fault("result", "u_t", at=2, value=[rows[12], rows[11], rows[13]], times=0)

    read = rig.read({"table": "u_t", "page_size": 10})

    assert "rows come in another order than that of their sys_id" in read.reason
    assert len(read.records) == 10


def test_rows_that_are_always_announced_and_never_come_end_in_doubt(rig: Rig) -> None:
    rig.instance.put_table("u_t", [{"sys_id": f"{rank:032x}"} for rank in range(20)])
    rig.turn(
        row_acls=[{"user": "etl_acl", "table": "u_t", "low": "1"}],
        total_error=10_000,
    )

    read = rig.read({"table": "u_t", "page_size": 100, "max_hidden": 1}, user="etl_acl")

    assert "X-Total-Count says 10,020 and /stats 20" in read.reason
    assert len(rig.calls("u_t")) < 110


def test_a_key_that_would_be_run_is_not_sent_back(rig: Rig) -> None:
    rows = [{"sys_id": f"{rank}"} for rank in range(3)]
    rig.instance.put_table("u_t", [*rows, {"sys_id": "javascript:gs.log(1)"}, {"sys_id": "k"}])

    read = rig.read({"table": "u_t", "page_size": 4})

    assert "a sys_id that the instance would run" in read.reason
    assert not [query for query in rig.queries("u_t") if "javascript" in query]
