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
    "written",
    ["0.9%%", "many", "120%", "-1%", "nan%", 1.5, -0.1, 10**400, True, None, []],
    ids=lambda each: str(each)[:9],
)
def test_a_share_is_from_0_to_1_or_a_percentage(written: object) -> None:
    with pytest.raises(MappingErrors) as caught:
        failures({"rejects": written}, []) if written is not None else failures(
            {"filled": {"env": None}}, []
        )

    assert "expected a share from 0 to 1 or a percentage" in caught.value.problems[0].what


def infos_of(expect: dict[str, Any], *records: dict[str, Any]) -> list[str]:
    return [failure.what for failure in failures(expect, list(records))]


A, B, NONE = {"name": "a", "env": "x"}, {"name": "b", "env": "x"}, {"name": "c"}


def test_an_info_that_must_be_unique_is_told_with_the_values_that_are_shared() -> None:
    assert infos_of({"unique": ["env"]}, A, NONE, NONE) == []
    assert infos_of({"unique": ["env"]}, A, B, A, NONE) == [
        "info 'env' is not unique: 'x' (3 times)"
    ]


def test_a_field_that_a_rule_reads_may_have_to_be_unique_too() -> None:
    assert infos_of({"unique": ["name"]}, A, B) == []
    assert infos_of({"unique": ["name"]}, A, A) == ["field 'name' is not unique: 'a' (2 times)"]


def test_numbers_and_their_texts_are_one_and_arrays_are_compared_whole() -> None:
    one, text, array = ({"name": "n", "env": env} for env in (1, "1", ["1", "2"]))

    assert infos_of({"unique": ["env"]}, one, array) == []
    assert infos_of({"unique": ["env"]}, one, text) == ["info 'env' is not unique: '1' (2 times)"]
    assert infos_of({"unique": ["env"]}, array, array) == [
        "info 'env' is not unique: '1, 2' (2 times)"
    ]


def test_many_shared_values_are_counted_and_the_first_named() -> None:
    rows = [{"name": "n", "env": f"v{rank % 5}"} for rank in range(10)]

    assert infos_of({"unique": ["env"]}, *rows)[0].endswith(
        "'v0' (2 times), 'v1' (2 times), 'v2' (2 times) and 2 more"
    )


def test_uniqueness_is_that_of_each_kind_of_entity() -> None:
    rule = {"name": "name", "infos": {"env": "env"}}
    block = {
        "dataset": "servers",
        "component": rule,
        "resource": {**rule, "name": {"set": "disk"}, "component": "name"},
    }
    mapper = load_mapping({"entities": [block], "expect": {"servers": {"unique": ["env"]}}})

    mapper.map_page("servers", [A], 1)

    assert mapper.report().failures == ()


def test_values_that_are_not_allowed_are_told_with_their_number() -> None:
    expect = {"allowed": {"env": ["prod", 1, True]}}
    rows = [{"name": "n", "env": env} for env in ("prod", 1, "1", True, None, ["prod", "1"])]

    assert infos_of(expect, *rows) == []
    assert infos_of(expect, *rows, A, B, {"name": "d", "env": ["prod", "y"]}) == [
        "info 'env' has values that are not allowed: 'x' (2 times), 'y' (1 times)"
    ]
    assert infos_of({"allowed": {"name": ["a"]}}, A, B) == [
        "field 'name' has values that are not allowed: 'b' (1 times)"
    ]


def test_such_failures_say_which_word_of_the_job_to_change() -> None:
    found = failures({"unique": ["env"], "allowed": {"env": ["y"]}}, [A, B])

    assert [failure.mend.split("mapping.expect.")[1] for failure in found] == [
        *("servers.unique", "servers.allowed.env"),
    ]


@pytest.mark.parametrize(
    ("expect", "path", "what", "mend"),
    [
        ({"unique": ["en"]}, ("unique", 0), "no info and no field 'en'", "did you mean 'env'?"),
        ({"allowed": {"nam": [1]}}, ("allowed", "nam"), "no info and no field 'nam'", "did you"),
        ({"allowed": {"env": []}}, ("allowed", "env"), "expected a list of values", ""),
        ({"allowed": {"env": "a"}}, ("allowed", "env"), "expected a list of values", ""),
        ({"unique": "env"}, ("unique",), "expected a list, not a text", ""),
    ],
    ids=str,
)
def test_an_expectation_of_nothing_known_is_refused(
    expect: dict[str, Any], path: tuple[Any, ...], what: str, mend: str
) -> None:
    with pytest.raises(MappingErrors) as caught:
        failures(expect, [])

    (problem,) = caught.value.problems
    assert problem.path == ("mapping", "expect", "servers", *path)
    assert problem.what.startswith(what)
    assert problem.mend.startswith(mend)


def test_a_table_may_be_expected_to_have_records() -> None:
    lookup = {"dataset": "sites", "key": "id", "value": "name"}
    component = {"name": {"copy": "name", "lookup": lookup}}
    mapper = load_mapping(
        {
            "entities": [{"dataset": "servers", "component": component}],
            "expect": {"sites": {"min": 1}},
        }
    )

    (failure,) = mapper.report().failures

    assert failure.dataset == "sites"
