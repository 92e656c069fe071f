from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from referential.bisect import named
from referential.dialect import Surroundings, Version
from referential.dialect_d0 import D0
from referential.dialect_d1 import D1
from referential.dialect_items import replacing
from tests.referential.canopsis_rig import component, resource, service

NEW, OLD = D1((22, 10, 0)), D1((4, 6, 0))


def sent(dialect: D0 | D1, *items: bytes, **around: Any) -> dict[str, Any]:
    body = orjson.loads(dialect.body(items, Surroundings(**around)))
    graph: dict[str, Any] = body["json"]
    return graph


def patterned(*conditions: dict[str, Any]) -> bytes:
    return orjson.dumps(orjson.loads(service("APP")) | {"entity_pattern": [list(conditions)]})


def condition(field: str, kind: str, value: Any) -> dict[str, Any]:
    return {"field": field, "cond": {"type": kind, "value": value}}


@pytest.mark.parametrize("dialect", [NEW, OLD, D0((3, 25, 0))])
def test_a_component_and_its_resources_become_items_and_one_link(dialect: D0 | D1) -> None:
    body = sent(dialect, component("a", env="x"), resource("r1", "a"), resource("r/2", "a"))

    assert [each["_id"] for each in body["cis"]] == ["a", "r1/a", "r/2/a"]
    assert body["links"] == [{"from": ["r1/a", "r/2/a"], "to": "a", "action": "create"}]
    assert body["cis"][0] == {
        "_id": "a",
        "type": "component",
        "action": "set",
        "name": "a",
        "enabled": True,
        "impact_level": 1,
        "infos": {"env": {"name": "env", "value": "x"}},
    }


@pytest.mark.parametrize("dialect", [NEW, D0((3, 25, 0))])
def test_an_item_without_a_word_on_enabled_says_that_it_is_off(dialect: D0 | D1) -> None:
    body = orjson.loads(component("a"))
    del body["enabled"]

    assert sent(dialect, orjson.dumps(body))["cis"][0]["enabled"] is False


@pytest.mark.parametrize("dialect", [NEW, D0((3, 25, 0))])
def test_a_component_that_exists_nowhere_comes_before_its_resource(dialect: D0 | D1) -> None:
    body = sent(dialect, resource("r", "x"), absent=["x"])

    assert [(each["_id"], each["enabled"]) for each in body["cis"]] == [("x", True), ("r/x", True)]


@pytest.mark.parametrize("dialect", [NEW, D0((3, 25, 0))])
def test_fields_of_later_versions_are_never_sent(dialect: D0 | D1) -> None:
    item = orjson.dumps(orjson.loads(component("a")) | {"tags": ["x"], "foo": 1})

    assert not {"tags", "foo"} & sent(dialect, item)["cis"][0].keys()


def test_a_category_is_sent_by_its_id_and_to_d0_not_at_all() -> None:
    item = orjson.dumps(orjson.loads(component("a")) | {"category": "Server"})

    assert sent(NEW, item, categories={"Server": "c1"})["cis"][0]["category"] == "c1"
    assert "category" not in sent(D0((3, 25, 0)), item)["cis"][0]


def test_a_body_of_d0_is_one_line() -> None:
    assert b"\n" not in D0((3, 25, 0)).body([component("a", text="two\nlines")])


@pytest.mark.parametrize("dialect", [NEW, D0((3, 25, 0))])
def test_a_deletion_names_the_id(dialect: D0 | D1) -> None:
    item = dialect.deletion("resource", "eth0/1/sw/1", "sw/1")

    assert sent(dialect, item) == {
        "cis": [{"_id": "eth0/1/sw/1", "type": "resource", "action": "delete"}],
        "links": [],
    }


def test_an_item_that_replaces_infos_is_an_update() -> None:
    item = replacing(component("a", old="x"), {"new": {"name": "new", "value": 1}})

    made = sent(NEW, item)["cis"][0]
    assert (made["action"], list(made["infos"]), made["name"]) == ("update", ["new"], "a")


def test_d0_switches_with_the_properties_of_the_action() -> None:
    item = orjson.dumps({"action": "disable", "type": "component", "name": "a"})

    assert sent(D0((3, 25, 0)), item)["cis"][0]["action_properties"] == {"disable": None}


# --- patterns


def test_a_pattern_is_sent_as_it_is_from_22_10_on() -> None:
    item = patterned(condition("name", "neq", "x"))

    assert sent(NEW, item)["cis"][0]["entity_pattern"][0][0]["cond"]["type"] == "neq"
    assert NEW.objection(item) == ""


@pytest.mark.parametrize(
    ("kind", "value", "old"),
    [
        ("eq", "a.b", "a.b"),
        ("regexp", "^a.b$", {"regex_match": "^a.b$"}),
        ("is_one_of", ["a.b", "c"], {"regex_match": r"^(a\.b|c)$"}),
        ("contain", "a.b", {"regex_match": r"a\.b"}),
        ("begin_with", "a.b", {"regex_match": r"^a\.b"}),
        ("end_with", "a.b", {"regex_match": r"a\.b$"}),
    ],
)
def test_a_pattern_is_put_in_the_syntax_of_4_6(kind: str, value: Any, old: Any) -> None:
    item = patterned(condition("name", kind, value), condition("infos.env", kind, value))

    assert OLD.objection(item) == ""
    assert sent(OLD, item)["cis"][0]["entity_patterns"] == [
        {"name": old, "infos": {"env": {"value": old}}}
    ]


@pytest.mark.parametrize(
    "conditions",
    [
        [condition("name", "neq", "x")],
        [condition("infos.k", "exist", value=True)],
        [condition("impact_level", "eq", 3)],
        [condition("name", "begin_with", "x"), condition("name", "end_with", "y")],
    ],
)
def test_a_pattern_that_4_6_does_not_know_is_objected_to(conditions: list[Any]) -> None:
    assert OLD.objection(patterned(*conditions)).startswith("patterns of services in Canopsis 4.6")


def test_d0_loads_a_service_as_a_watcher_with_a_filter() -> None:
    item = patterned(
        condition("name", "is_one_of", ["a", "b"]),
        condition("infos.env", "eq", "x"),
        condition("type", "eq", "service"),
    )

    made = sent(D0((3, 25, 0)), item)["cis"][0]

    assert (made["_id"], made["type"]) == ("APP", "watcher")
    assert orjson.loads(made["mfilter"]) == {
        "$and": [
            {"_id": {"$ne": "APP"}},
            {
                "$or": [
                    {
                        "$and": [
                            {"name": {"$regex": "^(a|b)$"}},
                            {"infos.env.value": "x"},
                            {"type": "watcher"},
                        ]
                    }
                ]
            },
        ]
    }


def test_d0_deletes_a_service_as_a_watcher() -> None:
    item = D0((3, 25, 0)).deletion("service", "APP", "")

    assert sent(D0((3, 25, 0)), item)["cis"] == [
        {"_id": "APP", "type": "watcher", "action": "delete"}
    ]


@pytest.mark.parametrize(
    "lacking",
    [condition("name", "neq", "x"), condition("category", "eq", "c"), condition("tags", "eq", "t")],
)
def test_d0_objects_to_a_service_whose_pattern_is_no_filter(lacking: dict[str, Any]) -> None:
    assert D0((3, 25, 0)).objection(patterned(lacking)).startswith("filters of watchers")
    assert D0((3, 25, 0)).objection(component("a")) == ""


# --- answers


def test_4_3_writes_its_status_with_capital_letters() -> None:
    answer = {
        "ID": "j",
        "Creation": "2021-10-18T12:03:12Z",
        "Status": "failed",
        "Info": "empty import",
        "ExecTime": "00:00:02",
        "Stats": {"deleted": 0, "updated": 0},
    }

    status = D1((4, 3, 0)).status(answer)

    assert status is not None
    assert (status.id, status.state, status.info, status.duration) == (
        "j",
        "failed",
        "empty import",
        "00:00:02",
    )
    assert status.created == datetime(2021, 10, 18, 12, 3, 12, tzinfo=UTC)


def test_d0_tells_an_unknown_import_with_status_200() -> None:
    status = D0((3, 25, 0)).status({"status": "not_found", "_id": "j"})

    assert status is not None
    assert status.state == "expired"


def test_d0_writes_its_moments_as_text() -> None:
    answer = {"_id": "j", "creation": "Mon Aug 28 17:41:27 2017", "status": "done"}

    status = D0((4, 2, 0)).status(answer)

    assert status is not None
    assert (status.state, status.created) == ("done", datetime(2017, 8, 28, 17, 41, 27, tzinfo=UTC))


@pytest.mark.parametrize(
    ("answer", "job"),
    [
        ({"total": 1, "data": [{"import_id": "j"}], "success": True}, "j"),
        ({"total": 1, "data": [{"error": "Impossible to store the import"}]}, None),
    ],
)
def test_d0_says_in_its_receipt_when_it_could_not_store(answer: Any, job: str | None) -> None:
    assert D0((3, 25, 0)).job(answer) == job


@pytest.mark.parametrize(
    ("words", "culprit"),
    [
        ("ci = a, validation error: type is required", "a"),
        ("failed to update an entity with _id = r/a", "r/a"),
        ("ValueError(u'The ci of id X does not match any existing entity.',)", "X"),
        ("import action not implemented", None),
    ],
)
def test_the_texts_of_d1_and_d0_name_the_culprit(words: str, culprit: str | None) -> None:
    assert named(words) == culprit


@pytest.mark.parametrize("version", [(4, 3, 0), (4, 6, 0), (22, 10, 0)])
def test_what_a_version_cannot_do_is_told_and_its_imports_are_full(version: Version) -> None:
    assert D1(version).limits
    assert not D1(version).partial_works
