"""Everything that goes wrong with an iTop goes wrong with the simulated one, as told (§9, §11)."""

import time
from collections.abc import Iterator

import pytest
import requests

from sandbox.itop_store import Objects
from tests.sandbox.itop_captures import captured, release_of
from tests.sandbox.itop_client import Client, serving

ALL = "SELECT Server"
COUNT = 8


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    held = Objects()
    for number in range(1, COUNT + 1):
        held.add("Server", name=f"srv-{number}")
    with serving(held) as client:
        yield client


@pytest.fixture
def itop(client: Client) -> Client:
    client.itop.reset()
    return client


@pytest.fixture(params=["2.3.4", "2.4.3", "3.2"])
def any_itop(itop: Client, request: pytest.FixtureRequest) -> Client:
    """The three releases, one after the other."""
    itop.turn(release=request.param)
    return itop


def read(itop: Client, oql: str = ALL, fields: str = "id,name") -> requests.Response:
    return itop.call("core/get", {"class": "Server", "key": oql, "output_fields": fields})


def http(name: str) -> tuple[int, str, str]:
    """Status, content type and body of a capture with its headers."""
    head, _, body = captured(name).partition("\n\n")
    lines = head.splitlines()
    headers = dict(line.split(": ", 1) for line in lines[1:])
    return int(lines[0].split()[1]), headers["Content-type"], body


def told(answer: requests.Response) -> tuple[int, str, str]:
    return answer.status_code, answer.headers["Content-Type"], answer.text


@pytest.mark.parametrize(
    ("cause", "name"),
    [("memory", "fatal_memory"), ("time", "fatal_timeout"), ("database", "db_down")],
)
def test_php_dies_as_it_was_seen_to(itop: Client, cause: str, name: str) -> None:
    itop.fault("fatal", cause=cause)

    assert told(read(itop)) == http(f"32_{name}.http")
    assert read(itop).json()["code"] == 0


def test_php_dies_without_a_word_before_2_6(itop: Client) -> None:
    itop.turn(release="2.4.3")
    itop.fault("fatal")

    answer = read(itop)

    assert (answer.status_code, answer.text) == (500, "")


def test_displayed_errors_are_html_with_200(itop: Client) -> None:
    itop.turn(memory_objects=COUNT - 1, display_errors=True)

    assert told(read(itop)) == http("32_fatal_memory_display_errors_on.http")


def test_displayed_errors_of_2x_are_php_s_own(itop: Client) -> None:
    itop.turn(release="2.3.4", memory_objects=1, display_errors=True)

    answer = read(itop)

    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.text.startswith("<br />\n<b>Fatal error</b>:  Allowed memory size of 33554432")
    assert "iTop" not in answer.text


@pytest.mark.parametrize("knob", ["memory_objects", "memory_bytes"])
def test_a_large_answer_kills_where_its_halves_do_not(any_itop: Client, knob: str) -> None:
    whole = len(read(any_itop).content)
    any_itop.turn(**{knob: COUNT - 1 if knob == "memory_objects" else whole - 1})

    assert read(any_itop).status_code == 500
    assert read(any_itop, f"{ALL} WHERE id <= 4").json()["message"] == "Found: 4"


def test_maintenance_has_the_shape_of_its_release(any_itop: Client) -> None:
    any_itop.turn(maintenance=True)

    answer = any_itop.call("list_operations")

    if any_itop.itop.knobs.release == "3.2":
        assert told(answer) == http("32_maintenance.http")
    else:
        assert answer.status_code == 503
        assert answer.json() == {
            "code": 100,
            "message": "This application is currently under maintenance.",
        }


@pytest.mark.parametrize(
    "name", ["23_invalid_utf8.txt", "24_invalid_utf8.txt", "32_invalid_utf8.txt"]
)
def test_a_byte_that_is_no_utf8_spoils_its_answer(itop: Client, name: str) -> None:
    itop.turn(release=release_of(name), invalid_utf8=["Server::105"])
    for number in (104, 105, 106):
        itop.itop.held.add("Server", number, name=f"srv-{number - 31:05}")

    answer = read(itop, f"{ALL} WHERE id > 103", "id,name,description")

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.text == captured(name)
    assert read(itop, f"{ALL} WHERE id > 105", "id,description").json()["code"] == 0
    assert read(itop, f"{ALL} WHERE id > 103", "id,name").json()["code"] == 0


def test_the_dump_of_an_answer_prints_flags_and_lists(itop: Client) -> None:
    itop.turn(invalid_utf8=["Server::1"], invalid_field="name")
    itop.itop.held.change("Server::1", status="obsolete")

    fields = "name,obsolescence_flag,contacts_list"
    message = read(itop, f"{ALL} WHERE id <= 2", fields).json()["message"]

    dump = bytes.fromhex(message.rpartition(" ")[2])
    assert b"[name] => a\xffb\n" in dump
    assert b"[obsolescence_flag] => 1\n" in dump
    assert b"[obsolescence_flag] => \n" in dump
    assert b"[contacts_list] => Array\n" in dump


def test_found_may_be_wrong(any_itop: Client) -> None:
    any_itop.turn(found_error=-2)

    answer = read(any_itop).json()

    assert (answer["message"], len(answer["objects"])) == (f"Found: {COUNT - 2}", COUNT)


def test_an_answer_comes_late(itop: Client) -> None:
    itop.turn(latency=0.05)
    begun = time.monotonic()

    read(itop)

    assert time.monotonic() - begun >= 0.05


def test_a_fault_strikes_from_its_rank_as_often_as_asked(itop: Client) -> None:
    itop.fault("status", status=503, at=2, times=2)

    assert [read(itop).status_code for _ in range(5)] == [200, 503, 503, 200, 200]


def test_a_fault_strikes_the_calls_it_is_for(itop: Client) -> None:
    itop.fault("status", fields="name", times=0)

    assert itop.call("list_operations").status_code == 200
    assert read(itop, fields="id").status_code == 200
    assert [read(itop, fields="id, name").status_code for _ in range(3)] == [500] * 3

    itop.fault("status", on="list_operations", times=0)
    assert (read(itop).status_code, itop.call("list_operations").status_code) == (200, 500)

    itop.fault("status", on="Location", times=0)
    assert read(itop).status_code == 200
    assert itop.call("core/get", {"class": "Location", "key": 1}).status_code == 500


def test_faults_strike_one_a_call_in_their_order(itop: Client) -> None:
    itop.turn(faults=[{"kind": "status", "status": 429, "retry_after": "1"}, {"kind": "empty"}])

    first, second, third = (read(itop) for _ in range(3))

    assert (first.status_code, first.headers["Retry-After"]) == (429, "1")
    assert (second.status_code, second.content) == (200, b"")
    assert third.json()["code"] == 0


def test_a_login_page_comes_with_200(any_itop: Client) -> None:
    any_itop.fault("html")

    answer = read(any_itop)

    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.text.startswith("<!DOCTYPE html>")


def test_an_error_of_mysql_passes_its_number_through(itop: Client) -> None:
    message = "Error: Unknown column 'x': SELECT `s`.`id` FROM `server`"
    itop.fault("code", code=1054, message=message)

    assert read(itop).json() == {"code": 1054, "message": message}


def test_a_connection_breaks_without_an_answer(itop: Client) -> None:
    itop.fault("reset")

    with pytest.raises(requests.ConnectionError):
        read(itop)
    assert read(itop).status_code == 200


def test_a_body_is_cut_before_its_announced_end(itop: Client) -> None:
    itop.fault("cut", keep=0.5)

    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        read(itop)


def test_a_body_drips(itop: Client) -> None:
    whole = read(itop).content
    itop.fault("drip", chunks=4, seconds=0.02)
    begun = time.monotonic()

    assert read(itop).content == whole
    assert time.monotonic() - begun >= 0.08


def test_an_answer_has_no_end_in_sight(itop: Client) -> None:
    itop.fault("endless", megabytes=3)

    answer = read(itop)

    assert "Content-Length" not in answer.headers
    assert len(answer.content) == 3_000_000 + len('{"message":""}')


def test_the_answer_before_comes_again(any_itop: Client) -> None:
    first = read(any_itop, f"{ALL} WHERE id <= 4").content
    any_itop.fault("repeat")

    again = read(any_itop, f"{ALL} WHERE id > 4").content

    assert again == first
    assert read(any_itop, f"{ALL} WHERE id > 4").content != first


def test_without_an_answer_before_there_is_nothing_to_repeat(itop: Client) -> None:
    itop.fault("repeat")

    assert read(itop).json()["message"] == f"Found: {COUNT}"


def test_objects_are_missing_while_found_tells_them(any_itop: Client) -> None:
    any_itop.fault("short", keep=0.5)

    answer = read(any_itop).json()

    assert (answer["message"], len(answer["objects"])) == (f"Found: {COUNT}", COUNT // 2)
    assert len(read(any_itop).json()["objects"]) == COUNT


@pytest.mark.parametrize("odd", ["not an object", None, 3, ["x"]], ids=str)
def test_an_object_is_none(any_itop: Client, odd: object) -> None:
    any_itop.fault("bad_record", index=1, record=odd)

    answer = read(any_itop, f"{ALL} WHERE id <= 3").json()

    assert [*answer["objects"]] == ["Server::1", "Server::2", "Server::3"]
    assert answer["objects"]["Server::2"] == odd
    assert answer["objects"]["Server::3"]["key"] == "3"


def test_objects_come_and_go_between_two_calls(any_itop: Client) -> None:
    any_itop.fault("rows", at=2, remove=["Server::1"], add=[{"class": "Server", "name": "new"}])

    sizes = [sorted(any_itop.ids(ALL)) for _ in range(3)]

    before = list(range(1, COUNT + 1))
    assert sizes == [before, before, [*before[1:], COUNT + 1]]
