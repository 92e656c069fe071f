"""What a dataset looks like on a good day, and what is said of another day."""

from typing import Any

import pytest

from mappings.errors import MappingErrors
from mappings.loading import load_mapping
from mappings.tally import Failure


def failures(expect: dict[str, Any], records: list[dict[str, Any]]) -> tuple[Failure, ...]:
    component = {"name": "name", "infos": {"env": "env"}}
    mapper = load_mapping(
        {
            "entities": [{"dataset": "servers", "component": component}],
            "expect": {"servers": expect},
        }
    )
    mapper.map_page("servers", records, 1)
    return mapper.report().failures


GOOD, BARE, BAD = {"name": "a", "env": "prod"}, {"name": "b"}, {"name": ""}


@pytest.mark.parametrize(
    ("expect", "records"),
    [
        ({}, []),
        ({"min": 2, "max": 2}, [GOOD, BAD]),
        ({"filled": {"env": 0.5}}, [GOOD, BARE]),
        ({"filled": {"env": "50%"}}, [GOOD, BARE, BAD]),
        ({"filled": {"env": 0}}, []),
        ({"rejects": "50%"}, [GOOD, BAD]),
        ({"rejects": 0}, [GOOD]),
        ({"rejects": 0}, []),
    ],
    ids=str,
)
def test_an_expectation_is_met_at_its_limit(expect: Any, records: Any) -> None:
    assert failures(expect, records) == ()


@pytest.mark.parametrize(
    ("expect", "records", "what"),
    [
        ({"min": 3}, [GOOD, BAD], "2 records, where at least 3 were expected"),
        ({"min": 1}, [], "0 records, where at least 1 were expected"),
        ({"max": 1}, [GOOD, BAD], "2 records, where at most 1 were expected"),
        (
            {"filled": {"env": "60%"}},
            [GOOD, BARE, BAD],
            "info 'env' is filled for 50.0% of the entities, where at least 60.0% was expected",
        ),
        (
            {"rejects": 0.1},
            [GOOD, BAD],
            "1 of 2 records are rejects (50.0%), where at most 10.0% was expected",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_failed_expectation_is_told_with_its_numbers(
    expect: Any, records: Any, what: str
) -> None:
    (failure,) = failures(expect, records)

    assert (failure.dataset, failure.what) == ("servers", what)
    assert failure.mend.startswith("mend the source, or change mapping.expect.servers.")


def test_all_failed_expectations_are_told() -> None:
    found = failures({"min": 9, "filled": {"env": 1}, "rejects": 0}, [BARE, BAD])

    assert [failure.mend.split(".")[-1] for failure in found] == ["min", "env", "rejects"]


@pytest.mark.parametrize(
    "written", ["0.9%%", "many", "120%", "-1%", 1.5, -0.1, True, None], ids=str
)
def test_a_share_is_from_0_to_1_or_a_percentage(written: object) -> None:
    with pytest.raises(MappingErrors) as caught:
        failures({"rejects": written}, []) if written is not None else failures(
            {"filled": {"env": None}}, []
        )

    assert "expected a share from 0 to 1 or a percentage" in caught.value.problems[0].what
