"""What answers of iTop mean: texts of real servers (2.3.4, 2.4.3, 3.2.0)."""

from typing import Any

import pytest

from sources.errors import Refused, SourceError, Unreachable, Unreadable
from sources.itop_answer import ItopJudge, failure
from sources.itop_errors import (
    Broken,
    NoRight,
    Slow,
    UnknownAttribute,
    Unserved,
    UnsupportedVersion,
)
from sources.selector import NotJson
from sources.verdict import Denied, Later

WHERE = "POST https://itop.acme.example/webservices/rest.php?version=1.3"
SECRET = "s3cr3t"
NO_CLASS = "Error: class: 'Servr' is not a valid class'"
NO_PROFILE = (
    "Error: This user is not authorized to use the web services. (The profile REST Services User "
    "is required to access the REST web services)"
)
NO_READING = "The current user does not have enough permissions for reading data of class Server"
NO_EXPORT = "The current user does not have enough permissions for exporting data of class Server"
EXPECTING = "{finalclass, friendlyname, name, status, id}, I would suggest to use 'id'"
NO_FILTER_2 = (
    f"Error: Unknown filter code - found 'stauts' at 20 in 'SELECT Server', expecting {EXPECTING}"
)
NO_FILTER_3 = (
    "Error: Query failed to execute: query = SELECT Server WHERE stauts = 1, exception_class = "
    "OqlNormalizeException, exception_message = Unknown filter code - found 'stauts' at 20 in "
    f"'SELECT Server WHERE stauts = 1', expecting {EXPECTING}"
)
DUMP = (
    "json encoding failed with message: Malformed UTF-8 characters, possibly incorrectly encoded. "
    "Full response structure for debugging purposes (print_r+bin2hex): " + "5265737452" * 100_000
)
MEMORY = (
    b"<p>iTop: Allowed memory size of 32M exhausted, contact your administrator to increase "
    b"'memory_limit' in php.ini</p>"
)
DISPLAYED = b"<br />\n<b>Fatal error</b>:  Allowed memory size of 33554432 bytes exhausted<br />"
UNDER_MAINTENANCE = "This application is currently under maintenance."
JUDGE = ItopJudge("POST", "https://itop.acme.example", (SECRET,), (429, 500, 502, 503, 504))


def judged(code: Any, message: Any) -> SourceError:
    error = failure({"code": code, "message": message}, WHERE, (SECRET,))
    assert error is not None
    return error


def notes(error: SourceError) -> str:
    return "\n".join(error.__notes__)


def answered(status: int, body: bytes, **headers: str) -> SourceError:
    error = JUDGE.status(status, headers, body, now=0)
    assert error is not None
    return error


@pytest.mark.parametrize(
    "document",
    [
        {"code": 0, "message": "Found: 0", "objects": None},
        {"objects": {}, "code": 0, "message": "Found: 0"},
        {"code": "0", "message": ""},
    ],
)
def test_code_0_is_a_success(document: dict[str, Any]) -> None:
    assert failure(document, WHERE, ()) is None


@pytest.mark.parametrize(
    ("code", "message", "kind", "mend"),
    [
        (1, "Error: Invalid login", Refused, "check user, password or token"),
        (1, NO_PROFILE, NoRight, "the profile REST Services User"),
        (1, "Error: Portal user is not allowed", NoRight, "use another account"),
        (1, NO_READING, NoRight, "may read, and bulk read, class Server"),
        (1, NO_EXPORT, NoRight, "may read, and bulk read, class Server"),
        (2, "Error: Missing parameter 'version' (e.g. '1.0')", Refused, "`base_url`"),
        (3, "Error: Missing parameter 'json_data'", Refused, "post_max_size"),
        (4, "Error: Parameter json_data is not a valid JSON structure", Refused, "defect"),
        (6, "Error: Missing parameter 'auth_pwd'", Refused, "use `form`"),
        (10, "Error: There is no service available for version '1.4'", UnsupportedVersion, "2.2"),
        (11, "Error: Unknown verb 'core/foo' in version '1.3'", Refused, "operation"),
        (100, NO_CLASS, Refused, "correct `class`"),
        (100, "Error: output_fields: invalid attribute code 'foo'", UnknownAttribute, "`fields`"),
        (100, NO_FILTER_2, UnknownAttribute, "did you mean 'status'?"),
        (100, NO_FILTER_3, UnknownAttribute, "did you mean 'status'?"),
        (100, "Error: Unexpected token NAME - found 'Server' at 6", Refused, "`where` or `oql`"),
        (100, "Error: Secure connection required!", Refused, "https://"),
        (100, DUMP, Unserved, "not UTF-8"),
        (100, UNDER_MAINTENANCE, Unreachable, "run again later"),
        (100, "Error: MySQL server has gone away", Unreachable, "run again later"),
        (1054, "Error: Unknown column 'x' in 'where clause'", Refused, "error log"),
        (1205, "Error: Lock wait timeout exceeded", Unreachable, "run again later"),
        (1213, "Error: Deadlock found when trying to get lock", Unreachable, "run again later"),
        (2006, "Error: gone", Unreachable, "run again later"),
        (7777, None, Refused, "error log"),
    ],
)
def test_every_code_is_an_error_of_its_kind_with_a_way_to_mend_it(
    code: int, message: str | None, kind: type[SourceError], mend: str
) -> None:
    error = judged(code, message)

    assert type(error) is kind
    assert mend in notes(error)
    assert f"where: {WHERE}" in notes(error)
    assert len(str(error)) < 300


def test_the_words_of_itop_are_told() -> None:
    assert str(judged(1, "Error: Invalid login")) == "iTop refuses: Invalid login"
    assert str(judged(100, NO_CLASS)) == (
        "iTop refuses (code 100): class: 'Servr' is not a valid class'"
    )
    assert str(judged(1054, "Error: no column")) == "iTop refuses (MySQL error 1054): no column"


def test_the_cause_is_told_rather_than_the_whole_query() -> None:
    assert str(judged(100, NO_FILTER_3)).startswith(
        "iTop refuses (code 100): Unknown filter code - found 'stauts' at 20"
    )


def test_a_dump_of_what_could_not_be_written_is_not_repeated() -> None:
    error = judged(100, DUMP)

    assert "Malformed UTF-8" in str(error)
    assert "5265737452" not in str(error)


def test_a_secret_that_itop_repeats_is_masked() -> None:
    assert SECRET not in str(judged(100, f"Error: what is {SECRET}?"))


@pytest.mark.parametrize(
    ("message", "lacking"),
    [
        (NO_PROFILE, "profile REST Services User"),
        (NO_READING, "reading of class Server"),
        (NO_EXPORT, "exporting of class Server"),
        (NO_EXPORT.replace("class Server", "class(es): Person, Team"), "of class Person, Team"),
        ("Error: Portal user is not allowed", "not of the portal alone"),
    ],
)
def test_a_right_that_lacks_is_named(message: str, lacking: str) -> None:
    error = judged(1, message)

    assert isinstance(error, NoRight)
    assert lacking in error.lacking


def test_an_unknown_attribute_is_named_with_those_that_there_are() -> None:
    error = judged(100, NO_FILTER_3)

    assert isinstance(error, UnknownAttribute)
    assert error.attribute == "stauts"
    assert error.known == ("finalclass", "friendlyname", "name", "status", "id")


def test_maintenance_has_two_shapes() -> None:
    shape = {"data": [{"code": 100, "message": UNDER_MAINTENANCE}], "scripts": []}

    error = failure(shape, WHERE, ())

    assert isinstance(error, Unreachable)
    assert UNDER_MAINTENANCE in str(error)


@pytest.mark.parametrize(
    "document",
    [[], "text", None, 1, {}, {"message": "Found: 3"}, {"data": []}, {"data": [{"code": 3}]}],
)
def test_json_without_a_code_is_unreadable(document: object) -> None:
    error = failure(document, WHERE, ())

    assert isinstance(error, Unreadable)
    assert "`base_url`" in notes(error)


@pytest.mark.parametrize("code", [None, True, [], "ten", 3.5])
def test_a_code_that_is_no_number_is_no_success(code: object) -> None:
    assert isinstance(judged(code, "Found: 3"), Refused)


def test_maintenance_with_503_is_told_in_its_own_words() -> None:
    body = b'{"data":[{"code":100,"message":"' + UNDER_MAINTENANCE.encode() + b'"}],"scripts":[]}'

    error = answered(503, body, **{"Retry-After": "7"})

    assert isinstance(error, Later)
    assert error.retry_after == 7
    assert str(error) == f"the server answers 503: {UNDER_MAINTENANCE}"


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (500, MEMORY, Unserved),
        (500, b"<p>iTop: Maximum execution time of 1 exceeded, contact us</p>", Unserved),
        (500, b"<p>iTop: An error occurred, check server error log</p>", Broken),
        (504, b"<html>Gateway Time-out</html>", Slow),
        (502, b"<html>Bad Gateway</html>", Later),
        (429, b"", Later),
        (401, b"", Denied),
        (404, b"<html>Not Found</html>", Denied),
        (302, b"", Denied),
    ],
)
def test_a_status_is_judged_with_what_the_page_says(
    status: int, body: bytes, kind: type[SourceError]
) -> None:
    error = answered(status, body)

    assert type(error) is kind
    assert "<" not in str(error) or status == 404


@pytest.mark.parametrize("body", [MEMORY, DISPLAYED, b"", b" \n"])
def test_a_success_that_php_gave_up_on_is_too_much_at_once(body: bytes) -> None:
    error = JUDGE.not_json(NotJson("unexpected character"), body)

    assert isinstance(error, Unserved)


@pytest.mark.parametrize(
    "body", [b"<html><form>Sign in</form></html>", b"Missing token in the request"]
)
def test_a_page_of_a_forced_login_is_unreadable_and_not_asked_for_in_halves(body: bytes) -> None:
    error = JUDGE.not_json(NotJson("unexpected character"), body)

    assert type(error) is Unreadable
    assert "login" in notes(error)
