"""Services and their dependencies: cases 76 to 87 of `specs/canopsis.md` §10."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.canopsis_cases import (
    Caller,
    c,
    check_event,
    condition,
    infos,
    names,
    r,
    svc,
    without,
)

Start = Callable[[str], Caller]
Pattern = list[list[dict[str, Any]]]

FORBIDDEN = {
    "connector": [[condition("connector", "eq", "supervision/poller1")]],
    "last event date": [[condition("last_event_date", "relative_time", {"value": 1, "unit": "d"})]],
    "component infos": [[condition("component_infos.x", "exist", True)]],
}
INVALID = {
    "empty group": [[]],
    "one empty group": [[condition("name", "eq", "A")], []],
    "unknown condition": [[condition("name", "like", "A")]],
    "unknown field": [[condition("import_source", "eq", "s1")]],
    "empty list": [[condition("name", "is_one_of", [])]],
    "list of numbers": [[condition("name", "is_one_of", [1, 2])]],
    "empty string": [[condition("name", "contain", "")]],
    "text for a number": [[condition("impact_level", "eq", "3")]],
    "real for a number": [[condition("impact_level", "gt", 3.5)]],
    "number for a text": [[condition("name", "eq", 3)]],
    "untyped info": [[condition("infos.k", "eq", "v")]],
    "unknown info type": [[condition("infos.k", "eq", "v", "date")]],
    "text for a boolean": [[condition("infos.k", "exist", "true")]],
}
VALID = {
    "typed info": [[condition("infos.k", "eq", "v", "string")]],
    "untyped existence": [[condition("infos.k", "exist", True)]],
    "whole real": [[condition("impact_level", "gt", 3.0)]],
    "look-around": [[condition("name", "regexp", "^A(?!B)")]],
    "array": [[condition("infos.k", "has_one_of", ["a"], "string_array")]],
    "two groups": [[condition("name", "eq", "A")], [condition("type", "eq", "resource")]],
}


def cases(patterns: dict[str, Pattern]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("pattern", patterns.values(), ids=patterns.keys())


def test_case_076_a_service_depends_on_what_its_pattern_finds(canopsis: Caller) -> None:
    pattern = names("regexp", "^x")

    report = canopsis.load(
        [
            svc("S", entity_pattern=pattern, output_template="{{ .All }} alarms", impact_level=4),
            c("A"),
            r("x1", "A"),
            r("x2", "A"),
            r("y1", "A"),
        ]
    )

    canopsis.settle()
    service = canopsis.service("S")
    assert report["status"] == "done"
    assert (service["_id"], service["name"], service["type"]) == ("S", "S", "service")
    assert service["entity_pattern"] == pattern
    assert service["output_template"] == "{{ .All }} alarms"
    assert service["impact_level"] == 4
    assert canopsis.context("S") == {"impact": [], "depends": ["x1/A", "x2/A"]}
    assert canopsis.context("x1/A") == {"impact": ["A", "S"], "depends": []}
    assert canopsis.context("y1/A") == {"impact": ["A"], "depends": []}


def test_case_076_a_service_may_depend_on_services(canopsis: Caller) -> None:
    canopsis.given(
        c("A"),
        svc("level1", entity_pattern=names("eq", "A")),
        svc("level2", entity_pattern=names("eq", "level1")),
    )

    assert canopsis.context("level2") == {"impact": [], "depends": ["level1"]}
    assert canopsis.context("level1") == {"impact": ["level2"], "depends": ["A"]}


def test_case_076_an_entity_that_no_longer_matches_is_let_go(canopsis: Caller) -> None:
    prod = [[condition("infos.env", "eq", "prod", "string")]]
    canopsis.given(c("A", infos=infos(env="prod")), svc("S", entity_pattern=prod))
    assert canopsis.context("S")["depends"] == ["A"]

    canopsis.given(c("A", infos=infos(env="test")))

    assert canopsis.context("S")["depends"] == []


@cases(FORBIDDEN)
def test_case_077_a_service_on_a_forbidden_field_is_skipped(
    canopsis: Caller, pattern: Pattern
) -> None:
    alone = canopsis.load([svc("S", entity_pattern=pattern)])
    beside = canopsis.load([svc("S", entity_pattern=pattern), c("A")])

    assert (alone["status"], alone["info"]) == ("failed", "empty import")
    assert (beside["status"], beside["info"]) == ("done", "")
    assert canopsis.ids() == ["A"]


@pytest.mark.parametrize("action", ["delete", "disable"])
def test_case_077_the_pattern_is_looked_at_whatever_the_action(
    canopsis: Caller, action: str
) -> None:
    canopsis.given(svc("S", entity_pattern=names("eq", "A")))

    report = canopsis.load([svc("S", action, entity_pattern=FORBIDDEN["connector"])])

    assert report["info"] == "empty import"
    assert canopsis.listed("S")["enabled"] is True


def test_case_078_an_info_is_compared_with_its_type_stated(canopsis: Caller) -> None:
    untyped = [[condition("infos.k", "eq", "v")]]
    typed = [[condition("infos.k", "eq", "v", "string")]]

    canopsis.given(
        c("A", infos=infos(k="v")),
        svc("untyped", entity_pattern=untyped),
        svc("typed", entity_pattern=typed),
    )

    assert canopsis.ids(**{"type[]": "service"}) == ["typed"]
    assert canopsis.context("typed")["depends"] == ["A"]


@cases(INVALID)
def test_case_079_a_service_with_an_invalid_pattern_is_skipped(
    canopsis: Caller, pattern: Pattern
) -> None:
    report = canopsis.load([svc("S", entity_pattern=pattern), c("A")])

    assert report["status"] == "done"
    assert canopsis.ids() == ["A"]


@cases(VALID)
def test_case_079_a_service_with_a_valid_pattern_is_created(
    canopsis: Caller, pattern: Pattern
) -> None:
    canopsis.given(svc("S", entity_pattern=pattern))

    assert canopsis.ids() == ["S"]


@pytest.mark.parametrize("pattern", [{}, "name", [1], [{}]], ids=str)
def test_case_080_a_pattern_of_the_wrong_shape_fails_the_import(
    canopsis: Caller, pattern: Any
) -> None:
    report = canopsis.load([c("A"), svc("S", entity_pattern=pattern)])

    assert report["status"] == "failed"
    assert report["info"].startswith("failed to decode cis item: json: cannot unmarshal ")
    assert canopsis.ids() == []


@pytest.mark.parametrize("action", ["delete", "disable", "enable"])
def test_case_081_a_service_made_by_hand_is_found_by_its_name(
    canopsis: Caller, action: str
) -> None:
    uuid = canopsis.add_service("S", enabled=action != "enable")
    assert uuid != "S"

    report = canopsis.load([svc("S", action)])

    assert report["status"] == "done"
    assert canopsis.has(uuid) is (action != "delete")
    assert not canopsis.has("S")
    if action != "delete":
        assert canopsis.listed(uuid)["enabled"] is (action == "enable")


@pytest.mark.parametrize("action", ["delete", "disable", "enable"])
def test_case_081_an_absent_service_cannot_be_switched(canopsis: Caller, action: str) -> None:
    report = canopsis.load([svc("S", action)])

    assert report["status"] == "failed"
    assert report["info"] == f"failed to {action} an entity service with name = S"


def test_case_082_a_service_made_by_hand_cannot_be_set(canopsis: Caller) -> None:
    uuid = canopsis.add_service("S", impact_level=2)

    report = canopsis.load([svc("S", entity_pattern=names("eq", "A"))])

    assert report["status"] == "failed"
    assert "immutable field '_id'" in report["info"]
    assert canopsis.ids() == [uuid]
    assert canopsis.listed(uuid)["impact_level"] == 2


def test_case_082_what_was_written_before_the_immutable_id_stays(canopsis: Caller) -> None:
    canopsis.add_service("S")

    report = canopsis.load([c("before"), svc("S", entity_pattern=names("eq", "A")), c("after")])

    assert report["status"] == "failed"
    assert report["stats"] == {"deleted": 0, "updated": 0}
    assert canopsis.has("before")
    assert not canopsis.has("after")


def test_case_083_a_component_of_the_same_name_becomes_the_service(canopsis: Caller) -> None:
    canopsis.given(c("S", infos=infos(k="v")))

    canopsis.given(svc("S", entity_pattern=names("eq", "A")))

    assert canopsis.ids() == ["S"]
    assert canopsis.listed("S")["type"] == "service"
    assert canopsis.get("entitybasics", _id="S").status_code == 404


def test_case_083_a_component_named_as_a_service_turns_it_back(canopsis: Caller) -> None:
    canopsis.given(svc("S", entity_pattern=names("eq", "A")))

    canopsis.given(c("S"))

    assert canopsis.entity("S")["type"] == "component"


def test_case_084_a_new_service_is_not_computed_by_a_partial_import(canopsis: Caller) -> None:
    others = [svc(f"other{rank}", entity_pattern=names("eq", "other")) for rank in range(5)]
    canopsis.given(c("A"), *others)

    canopsis.given(svc("S", entity_pattern=names("eq", "A")), partial=True)
    assert canopsis.has("S")
    assert canopsis.context("S")["depends"] == []

    canopsis.given(c("B"))
    assert canopsis.context("S")["depends"] == ["A"]


def test_case_084_more_events_than_services_compute_them_all(canopsis: Caller) -> None:
    canopsis.given(c("A"))

    canopsis.given(
        svc("S", entity_pattern=names("begin_with", "x")),
        *(r(f"x{rank}", "A") for rank in range(3)),
        partial=True,
    )

    assert canopsis.context("S")["depends"] == ["x0/A", "x1/A", "x2/A"]


def test_case_085_a_new_component_is_attached_by_a_partial_import(canopsis: Caller) -> None:
    canopsis.given(svc("S", entity_pattern=names("eq", "A")))
    assert canopsis.context("S")["depends"] == []

    canopsis.given(c("A"), partial=True)

    assert canopsis.context("S")["depends"] == ["A"]
    assert canopsis.context("A")["impact"] == ["S"]


def test_case_086_a_changed_component_is_attached_by_a_partial_import(canopsis: Caller) -> None:
    prod = [[condition("infos.env", "eq", "prod", "string")]]
    canopsis.given(c("A"), svc("S", entity_pattern=prod))
    assert canopsis.context("S")["depends"] == []

    canopsis.given(c("A", infos=infos(env="prod")), partial=True)
    assert canopsis.context("S")["depends"] == ["A"]

    canopsis.given(c("A", infos=infos(env="test")), partial=True)
    assert canopsis.context("S")["depends"] == []


@pytest.mark.parametrize(
    ("version", "attached"),
    [
        ("23.04.13", []),
        ("23.04.14", ["x1/A"]),
        ("23.10.5", []),
        ("23.10.6", ["x1/A"]),
        ("24.04.3", ["x1/A"]),
        ("24.10", ["x1/A"]),
    ],
)
def test_case_087_a_partial_import_forgets_the_resource_in_some_versions(
    canopsis_of: Start, version: str, attached: list[str]
) -> None:
    older = canopsis_of(version)
    older.given(c("A"), svc("S", entity_pattern=names("eq", "x1")))

    older.given(r("x1", "A"), partial=True)

    assert older.context("S")["depends"] == attached
    assert older.context("A")["depends"] == ["x1/A"]


def test_a_disabled_service_takes_no_part_in_the_computing(canopsis: Caller) -> None:
    item = svc("S", entity_pattern=names("eq", "A"))

    canopsis.given(without(item, "enabled"), c("A"))

    assert canopsis.context("S")["depends"] == []


def test_the_state_of_a_service_is_the_worst_of_its_dependencies(canopsis: Caller) -> None:
    canopsis.given(
        c("A"), r("x1", "A"), r("x2", "A"), svc("S", entity_pattern=names("regexp", "^x"))
    )

    canopsis.send_event([check_event("A", "x1", 1), check_event("A", "x2", 2)])
    assert canopsis.listed("S")["state"] == 2

    canopsis.send_event(check_event("A", "x2", 0))
    assert canopsis.listed("S")["state"] == 1


def test_a_deleted_service_leaves_no_open_alarm(canopsis: Caller) -> None:
    canopsis.given(c("A"), svc("S", entity_pattern=names("eq", "A")))
    canopsis.open_alarm("A")
    canopsis.open_alarm("S")
    assert canopsis.open_alarms() == ["A", "S"]

    canopsis.given(svc("S", "delete"), partial=True)

    assert canopsis.open_alarms() == ["A"]
    assert canopsis.context("A")["impact"] == []
