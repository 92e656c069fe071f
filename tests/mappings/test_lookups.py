"""Tables that translate values: what they know, what they do not, and rows no one asks for."""

from typing import Any

import orjson
import pytest

from mappings.loading import load_mapping
from mappings.mapper import Mapper

TABLE = {"production": "prod", "test": "qualif", 2: "two", True: "yes", "gone": None}


def mapper(value: dict[str, Any]) -> Mapper:
    component = {"name": "name", "infos": {"env": {"value": {"copy": "status", **value}}}}
    block: dict[str, Any] = {"entities": [{"dataset": "servers", "component": component}]}
    if value["lookup"] == "environments":
        block["lookups"] = {"environments": TABLE}
    return load_mapping(block)


def translated(made: Mapper, *statuses: object) -> list[Any]:
    """The info of each entity (None when it is left out), in order; rejects give nothing."""
    records = [{"name": f"n{rank}", "status": status} for rank, status in enumerate(statuses)]
    payloads = made.map_page("servers", records, 1).entities.payloads
    infos = [orjson.loads(payload)["infos"] for payload in payloads]
    return [each["env"]["value"] if "env" in each else None for each in infos]


@pytest.mark.parametrize("lookup", ["environments", TABLE], ids=["by name", "in place"])
def test_a_value_is_translated_by_the_text_of_its_key(lookup: object) -> None:
    made = mapper({"lookup": lookup})

    assert translated(made, "production", "test", 2, "2", True, 2.0) == [
        *("prod", "qualif", "two", "two", "yes", "two"),
    ]


def test_a_row_keeps_the_type_that_the_job_gives_it() -> None:
    made = mapper({"lookup": {"a": 1, "b": True, "c": ["x", "y"], "d": 1.5, "e": "1"}})

    assert translated(made, "a", "b", "c", "d", "e") == [1, True, ["x", "y"], 1.5, "1"]


def test_an_absent_value_is_not_looked_up() -> None:
    made = mapper({"lookup": "environments"})

    assert translated(made, None) == [None]
    assert made.report().datasets["servers"].unknown == ()


def test_a_null_row_leaves_the_value_out_on_purpose() -> None:
    assert translated(mapper({"lookup": "environments"}), "gone") == [None]
    assert translated(mapper({"lookup": "environments", "default": "x"}), "gone") == ["x"]


def test_an_unknown_value_rejects_the_record_unless_the_job_says_otherwise() -> None:
    made = mapper({"lookup": "environments"})

    mapped = made.map_page("servers", [{"name": "n", "status": "staging"}], 3)

    assert len(mapped.entities) == 0
    (reject,) = mapped.rejects
    assert (reject.number, reject.rule) == (3, "component.infos.env")
    what, mend = reject.reason.split(": ", 1)
    assert what == "'staging' is not in lookup 'environments'"
    assert mend == "add a row, or say unknown: warn, keep or default"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"unknown": "warn"}, ["prod", None, None]),
        ({"unknown": "keep"}, ["prod", "staging", 7]),
        ({"default": "other"}, ["prod", "other", "other"]),
        ({"unknown": "default", "default": "other"}, ["prod", "other", "other"]),
        ({"unknown": "warn", "default": "other"}, ["prod", "other", "other"]),
        ({"unknown": "keep", "default": "other"}, ["prod", "staging", 7]),
        ({"unknown": "reject", "default": "other"}, ["prod"]),
    ],
    ids=str,
)
def test_an_unknown_value_does_what_the_job_says(options: dict[str, Any], expected: object) -> None:
    made = mapper({"lookup": "environments", **options})

    assert translated(made, "production", "staging", 7) == expected


def test_unknown_values_are_counted_whatever_they_do() -> None:
    for policy in ("reject", "warn", "keep"):
        made = mapper({"lookup": "environments", "unknown": policy})
        translated(made, "x", "production", "y", "x", None)

        found = [
            (each.value, each.count, each.number)
            for each in made.report().datasets["servers"].unknown
        ]
        assert found == [("x", 2, 1), ("y", 1, 3)]


def test_a_flood_of_unknown_values_is_counted_in_bounded_memory() -> None:
    made = mapper({"lookup": "environments", "unknown": "warn"})

    translated(made, *(f"value {rank}" for rank in range(5_000)))

    unknown = made.report().datasets["servers"].unknown
    assert len(unknown) == 1_001
    assert (unknown[-1].value, unknown[-1].count) == ("…", 4_000)


def test_rows_that_no_record_asked_for_are_reported() -> None:
    made = mapper({"lookup": "environments"})

    assert made.report().dead == tuple(
        f"environments: {key}" for key in ("production", "test", "2", "true", "gone")
    )
    translated(made, "gone", "test", 2)
    assert made.report().dead == ("environments: production", "environments: true")


def test_a_row_is_alive_when_any_rule_asks_for_it() -> None:
    infos = {key: {"value": {"copy": key, "lookup": "t"}} for key in ("a", "b")}
    component = {"name": "name", "infos": infos}
    made = load_mapping(
        {
            "lookups": {"t": {"x": 1, "y": 2, "z": 3}},
            "entities": [{"dataset": "servers", "component": component}],
        }
    )

    made.map_page("servers", [{"name": "n", "a": "x", "b": "y"}], 1)

    assert made.report().dead == ("t: z",)


def test_a_table_written_in_place_is_named_after_its_rule() -> None:
    made = mapper({"lookup": {"a": 1}})

    assert made.report().dead == ("component.infos.env: a",)


def test_an_array_has_no_row() -> None:
    made = mapper({"lookup": "environments", "unknown": "warn"})

    assert translated(made, ["production"]) == [None]
    (refused,) = made.report().datasets["servers"].refused
    assert refused.why == "not a text"


def test_a_kept_value_must_still_fit_its_place() -> None:
    level = {"copy": "level", "lookup": {"low": 1}, "unknown": "keep"}
    component = {"name": "name", "impact_level": level}
    made = load_mapping({"entities": [{"dataset": "servers", "component": component}]})

    mapped = made.map_page("servers", [{"name": "a", "level": 4}, {"name": "b", "level": "x"}], 1)

    assert [orjson.loads(payload)["impact_level"] for payload in mapped.entities.payloads] == [4]
    assert [reject.rule for reject in mapped.rejects] == ["component.impact_level"]


def test_what_a_template_or_an_expression_gives_can_be_translated() -> None:
    value = {"template": "{{ lowercase .Field }}", "field": "status", "lookup": {"prod": "P"}}
    component = {"name": "name", "infos": {"env": {"value": value}}}
    made = load_mapping({"entities": [{"dataset": "servers", "component": component}]})

    assert translated(made, "PROD") == ["P"]
