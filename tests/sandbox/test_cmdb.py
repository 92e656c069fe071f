"""The invented CMDB is the same at every call, and its second day differs as asked."""

import orjson
import pytest

from sandbox.cmdb import records


def test_a_record_is_nested_and_of_a_usual_size() -> None:
    day = records(3000)

    assert {len(record) for record in day} == {13}
    assert {len(record["owner"]["contacts"]) for record in day} == {1, 2, 3}
    assert 600 < len(orjson.dumps(day)) / len(day) < 700
    assert [record["id"] for record in day[:2]] == ["SRV000000", "SRV000001"]
    assert len({record["name"] for record in day}) == 3000
    assert day == records(3000)


def test_the_second_day_differs_as_asked() -> None:
    first = {record["id"]: record for record in records(2000)}
    second = {record["id"]: record for record in records(2000, changed=0.01, gone=7, new=5)}

    changed = [key for key in first.keys() & second.keys() if first[key] != second[key]]

    assert len(first.keys() - second.keys()) == 7
    assert len(second.keys() - first.keys()) == 5
    assert len(changed) == round(0.01 * (2000 - 7))
    assert list(second) == sorted(second)
    differing = {
        field for key in changed for field in first[key] if first[key][field] != second[key][field]
    }
    assert differing == {"criticality", "location", "owner", "updated_at"}


@pytest.mark.parametrize("wrong", [{"changed": 1.5}, {"gone": 11}], ids=str)
def test_more_than_there_is_cannot_change_or_go(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=str(next(iter(wrong.values())))):
        records(10, **wrong)
