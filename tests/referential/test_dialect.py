from datetime import UTC, datetime

import orjson
import pytest

from referential.dialect import NEWEST, ImportStatus, Version, parse_version
from referential.dialect_d2 import D2
from referential.dialect_detect import dialect_of
from referential.errors import Refused


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("24.04.3", (24, 4, 3)),
        ("24.10", (24, 10, 0)),
        ("24.10.0-rc1", (24, 10, 0)),
        ("development", NEWEST),
        ("", NEWEST),
    ],
)
def test_a_version_is_three_numbers_and_what_has_none_is_the_newest(
    text: str, version: Version
) -> None:
    assert parse_version(text) == version


@pytest.mark.parametrize("version", [(23, 4, 0), (23, 10, 9), (24, 4, 3), (25, 10, 0), NEWEST])
def test_23_04_and_later_speak_d2(version: Version) -> None:
    assert dialect_of(version).name == "D2"


@pytest.mark.parametrize(
    ("version", "name"),
    [((3, 25, 0), "D0"), ((4, 2, 9), "D0"), ((4, 3, 0), "D1"), ((22, 10, 13), "D1")],
)
def test_older_versions_speak_the_dialect_of_their_time(version: Version, name: str) -> None:
    assert dialect_of(version).name == name


def test_what_is_older_than_3_25_is_refused_by_name() -> None:
    with pytest.raises(Refused, match=r"Canopsis 3\.24\.9 is older than 3\.25"):
        dialect_of((3, 24, 9))


@pytest.mark.parametrize(
    ("version", "works"),
    [
        ((23, 4, 0), False),
        ((23, 4, 13), False),
        ((23, 4, 14), True),
        ((23, 10, 5), False),
        ((23, 10, 6), True),
        ((24, 4, 0), True),
        (NEWEST, True),
    ],
)
def test_the_versions_whose_partial_import_is_broken_are_known(
    version: Version, *, works: bool
) -> None:
    assert D2(version).partial_works is works


def test_items_are_sent_as_they_are() -> None:
    assert D2(NEWEST).body([b'{"a":1}', b'{"b":2}']) == b'[{"a":1},{"b":2}]'


@pytest.mark.parametrize(
    ("kind", "identity", "group", "deleted"),
    [
        ("component", "sw1", "sw1", {"name": "sw1"}),
        ("resource", "eth0/1/sw/1", "sw/1", {"name": "eth0/1", "component": "sw/1"}),
        ("service", "APP", "", {"name": "APP"}),
    ],
)
def test_a_deletion_names_the_entity_by_its_parts(
    kind: str, identity: str, group: str, deleted: dict[str, str]
) -> None:
    item = orjson.loads(D2(NEWEST).deletion(kind, identity, group))

    assert item == {"action": "delete", "type": kind, **deleted}


def test_a_status_is_read_and_its_counters_left_alone() -> None:
    answer = {
        "_id": "j",
        "creation": "2024-10-18T12:03:12.345678901Z",
        "last_ping": None,
        "status": "failed",
        "info": "empty import",
        "exec_time": "00:00:02",
        "source": "cmdb",
        "stats": {"deleted": 0, "updated": 12},
    }

    assert D2(NEWEST).status(answer) == ImportStatus(
        id="j",
        state="failed",
        info="empty import",
        created=datetime(2024, 10, 18, 12, 3, 12, 345678, tzinfo=UTC),
        duration="00:00:02",
    )


@pytest.mark.parametrize("answer", [{}, [], None, {"_id": "j"}, {"_id": "j", "status": "asleep"}])
def test_what_is_not_a_status_is_none(answer: object) -> None:
    assert D2(NEWEST).status(answer) is None


@pytest.mark.parametrize("answer", [{}, {"_id": ""}, {"total": 1, "data": [{"import_id": "j"}]}])
def test_what_is_not_a_receipt_is_none(answer: object) -> None:
    assert D2(NEWEST).job(answer) is None
    assert D2(NEWEST).job({"_id": "j"}) == "j"
