"""Updating entities by import: cases 32 to 47 of `specs/canopsis.md` §10."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.canopsis_cases import (
    Caller,
    c,
    condition,
    infos,
    r,
    svc,
    values,
    without,
)

Start = Callable[[str], Caller]


def test_case_032_given_infos_are_merged_into_the_stored_ones(canopsis: Caller) -> None:
    canopsis.given(c("A", infos=infos(a=1)))

    canopsis.given(c("A", infos=infos(b=2)))
    assert values(canopsis.entity("A")) == {"a": 1, "b": 2}

    canopsis.given(c("A", infos=infos(a=3)))
    assert values(canopsis.entity("A")) == {"a": 3, "b": 2}


def test_case_033_an_update_without_infos_leaves_them(canopsis: Caller) -> None:
    canopsis.given(c("A", infos=infos(a=1)))

    canopsis.given(c("A"))

    assert values(canopsis.entity("A")) == {"a": 1}


def test_case_034_an_update_with_no_info_leaves_them(canopsis: Caller) -> None:
    canopsis.given(c("A", infos=infos(a=1)))

    canopsis.given(c("A", infos={}))

    assert values(canopsis.entity("A")) == {"a": 1}


def test_case_035_an_info_is_replaced_whole(canopsis: Caller) -> None:
    canopsis.given(c("A", infos={"a": {"description": "d", "value": 0}}))

    canopsis.given(c("A", infos=infos(a=1)))

    info = canopsis.entity("A")["infos"]["a"]
    assert info["value"] == 1
    assert not info.get("description")


def test_case_036_new_infos_of_a_component_reach_all_its_resources(canopsis: Caller) -> None:
    canopsis.given(c("A", infos=infos(k="old")), r("R1", "A"), r("R2", "A"))

    canopsis.given(c("A", infos=infos(k="new")))

    for resource in ("R1/A", "R2/A"):
        assert values(canopsis.entity(resource), "component_infos") == {"k": "new"}


def test_case_037_a_full_import_gives_resources_the_infos_of_the_item_alone(
    canopsis: Caller,
) -> None:
    canopsis.given(c("A", infos=infos(a=1, b=2)), r("R", "A"))
    assert values(canopsis.entity("R/A"), "component_infos") == {"a": 1, "b": 2}

    canopsis.given(c("A", infos=infos(a=9)))

    assert values(canopsis.entity("A")) == {"a": 9, "b": 2}
    assert values(canopsis.entity("R/A"), "component_infos") == {"a": 9}


def test_case_037_a_partial_import_ends_with_the_merged_infos(canopsis: Caller) -> None:
    canopsis.given(c("A", infos=infos(a=1, b=2)), r("R", "A"))

    canopsis.given(c("A", infos=infos(a=9)), partial=True)

    assert values(canopsis.entity("R/A"), "component_infos") == {"a": 9, "b": 2}


def test_case_037_a_partial_import_of_23_10_sends_no_component_event(canopsis_of: Start) -> None:
    older = canopsis_of("23.10.6")
    older.given(c("A", infos=infos(a=1, b=2)), r("R", "A"))

    older.given(c("A", infos=infos(a=9)), partial=True)

    assert values(older.entity("R/A"), "component_infos") == {"a": 9}


def test_case_038_set_enabled_false_does_not_disable(canopsis: Caller) -> None:
    canopsis.given(c("A"), c("B"))

    report = canopsis.load([c("A", enabled=False), without(c("B"), "enabled")])

    assert report["status"] == "done"
    assert canopsis.entity("A")["enabled"] is True
    assert canopsis.entity("B")["enabled"] is True


def test_case_039_set_enabled_true_enables(canopsis: Caller) -> None:
    canopsis.given(c("A", enabled=False))

    canopsis.given(c("A", enabled=True))

    assert canopsis.entity("A")["enabled"] is True


def test_case_040_a_category_is_kept_when_not_given(canopsis: Caller) -> None:
    canopsis.given(c("A", category="Cat"))

    canopsis.given(c("A"))
    assert canopsis.entity("A")["category"]["name"] == "Cat"

    canopsis.given(c("A", category=""))
    assert canopsis.entity("A")["category"]["name"] == "Cat"


def test_case_041_the_last_source_to_write_owns_the_entity(canopsis: Caller) -> None:
    canopsis.given(c("A"), source="s1")

    canopsis.given(c("A"), source="s2")

    assert canopsis.entity("A")["import_source"] == "s2"


def test_case_042_a_known_resource_is_updated_under_a_disabled_component(
    canopsis: Caller,
) -> None:
    canopsis.given(c("A"), r("R", "A", infos=infos(a=1)))
    canopsis.given(c("A", "disable"))

    report = canopsis.load([r("R", "A", infos=infos(a=2))])

    resource = canopsis.entity("R/A")
    assert report["status"] == "done"
    assert (resource["enabled"], values(resource)) == (True, {"a": 2})
    assert canopsis.entity("A")["enabled"] is False


def test_case_043_one_changed_entity_counts_once(canopsis: Caller) -> None:
    canopsis.given(c("A"))

    report = canopsis.load([c("A", impact_level=2)])

    assert report["stats"] == {"deleted": 0, "updated": 1}


def test_case_043_the_infos_copied_to_resources_count_too(canopsis: Caller) -> None:
    report = canopsis.load([c("A", infos=infos(k="v")), r("R", "A")])

    assert report["stats"]["deleted"] == 0
    assert report["stats"]["updated"] >= 3


def test_case_043_a_failed_import_counts_nothing(canopsis: Caller) -> None:
    report = canopsis.load([c("A"), c("")])

    assert (report["status"], report["stats"]) == ("failed", {"deleted": 0, "updated": 0})


@pytest.mark.parametrize("empty", [{"value": None}, {}, None], ids=["null", "absent", "no info"])
def test_case_044_an_info_without_value_is_there_but_does_not_exist(
    canopsis: Caller, empty: Any
) -> None:
    exists = [[condition("infos.k", "exist", True)]]
    canopsis.given(c("A", infos={"k": empty}), c("B", infos=infos(k="v")))

    canopsis.given(svc("S", entity_pattern=exists))

    assert values(canopsis.entity("A")) == {"k": None}
    assert canopsis.context("S")["depends"] == ["B"]


def test_case_045_an_info_that_is_not_an_object_fails_the_import(canopsis: Caller) -> None:
    report = canopsis.load([c("A", infos={"k": "str"})])

    assert report["status"] == "failed"
    assert report["info"].startswith("failed to decode cis item: json: cannot unmarshal string")


def test_case_046_a_value_may_be_any_json(canopsis: Caller) -> None:
    odd = {"object": {"a": 1}, "list": ["a", "b"], "empty": "", "real": 1.5, "no": False}

    report = canopsis.load([c("A", infos=infos(**odd))])

    assert report["status"] == "done"
    assert values(canopsis.entity("A")) == odd


@pytest.mark.parametrize(
    "fields",
    [{"impact_level": "3"}, {"impact_level": 3.5}, {"enabled": "true"}, {"enabled": 1}],
    ids=["string level", "real level", "string enabled", "number enabled"],
)
def test_case_047_a_field_of_the_wrong_type_fails_the_whole_import(
    canopsis: Caller, fields: dict[str, Any]
) -> None:
    report = canopsis.load([c("good"), c("A") | fields])

    assert report["status"] == "failed"
    assert report["info"].startswith("failed to decode cis item: json: cannot unmarshal ")
    assert canopsis.ids() == []
