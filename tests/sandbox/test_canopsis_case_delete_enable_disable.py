"""Deleting, enabling and disabling by import: cases 56 to 75 of `specs/canopsis.md` §10."""

from typing import Any

import pytest

from tests.sandbox.canopsis_cases import (
    Caller,
    c,
    check_event,
    infos,
    names,
    r,
    svc,
    values,
    without,
)

SIMULTANEOUS_DELETE = "can't create and delete component simutaneously"
SIMULTANEOUS_DISABLE = "can't create and disable component simutaneously"
DISABLED_COMPONENT = "can't create resource for disabled component"


def refused(canopsis: Caller, *items: dict[str, Any]) -> str:
    """Canopsis' words on an import that must fail."""
    report = canopsis.load(list(items))
    assert report["status"] == "failed", report
    return str(report["info"])


def enabled(canopsis: Caller, *ids: str) -> list[bool]:
    return [canopsis.entity(entity_id)["enabled"] for entity_id in ids]


def gone(canopsis: Caller, entity_id: str) -> bool:
    absent = canopsis.get("entitybasics", _id=entity_id).status_code == 404
    assert absent is not canopsis.has(entity_id)
    return absent


def test_case_056_a_deleted_resource_leaves_its_component(canopsis: Caller) -> None:
    canopsis.given(c("A"), r("R", "A"), r("R2", "A"))

    report = canopsis.load([r("R", "A", "delete")])

    assert report["status"] == "done"
    assert gone(canopsis, "R/A")
    assert not gone(canopsis, "A")
    assert canopsis.context("A")["depends"] == ["R2/A"]


def test_case_057_a_deleted_component_takes_its_resources_away(canopsis: Caller) -> None:
    canopsis.given(c("A"), r("R1", "A"), r("R2", "A"), c("B"))

    report = canopsis.load([c("A", "delete")])

    assert report["status"] == "done"
    assert report["stats"] == {"deleted": 0, "updated": 3}
    assert [gone(canopsis, entity_id) for entity_id in ("A", "R1/A", "R2/A")] == [True] * 3
    assert canopsis.ids() == ["B"]


def test_case_058_what_is_absent_cannot_be_deleted(canopsis: Caller) -> None:
    assert refused(canopsis, c("X", "delete")) == "failed to delete an entity with _id = X"
    assert refused(canopsis, r("R", "X", "delete")) == "failed to delete an entity with _id = R/X"


def test_case_059_what_is_deleted_cannot_be_deleted_again(canopsis: Caller) -> None:
    canopsis.given(c("A"))
    canopsis.given(c("A", "delete"))

    assert refused(canopsis, c("A", "delete")) == "failed to delete an entity with _id = A"


@pytest.mark.parametrize("known", [False, True], ids=["new resource", "known resource"])
@pytest.mark.parametrize("first", [False, True], ids=["set first", "delete first"])
def test_case_060_a_component_is_not_deleted_while_a_resource_is_set(
    canopsis: Caller, *, known: bool, first: bool
) -> None:
    canopsis.given(c("A"), *([r("R", "A")] if known else []))
    items = [r("R", "A", infos=infos(a=1)), c("A", "delete")]

    words = refused(canopsis, *(reversed(items) if first else items))

    assert words == SIMULTANEOUS_DELETE
    assert not gone(canopsis, "A")
    assert canopsis.has("R/A") is known


def test_case_060_a_component_is_not_set_and_deleted_at_once(canopsis: Caller) -> None:
    canopsis.given(c("A"))

    assert refused(canopsis, c("A"), c("A", "delete")) == SIMULTANEOUS_DELETE
    assert refused(canopsis, c("A", "delete"), c("A")) == SIMULTANEOUS_DELETE


@pytest.mark.parametrize("known", [False, True], ids=["new resource", "known resource"])
def test_case_061_a_component_is_not_disabled_while_a_resource_is_set(
    canopsis: Caller, *, known: bool
) -> None:
    canopsis.given(c("A"), *([r("R", "A")] if known else []))

    assert refused(canopsis, r("R", "A"), c("A", "disable")) == SIMULTANEOUS_DISABLE
    assert refused(canopsis, c("A", "disable"), r("R", "A")) == SIMULTANEOUS_DISABLE
    assert enabled(canopsis, "A") == [True]


def test_case_062_a_disabled_component_takes_no_new_resource(canopsis: Caller) -> None:
    canopsis.given(c("A"))
    canopsis.given(c("A", "disable"))

    assert refused(canopsis, r("Rnew", "A")) == DISABLED_COMPONENT
    assert gone(canopsis, "Rnew/A")


def test_case_063_enabling_the_component_in_the_same_import_does_not_help(
    canopsis: Caller,
) -> None:
    canopsis.given(c("A", enabled=False))

    assert refused(canopsis, c("A", "enable"), r("Rnew", "A")) == DISABLED_COMPONENT
    assert enabled(canopsis, "A") == [False]


def test_case_064_setting_the_component_enabled_in_the_same_import_helps(
    canopsis: Caller,
) -> None:
    canopsis.given(c("A", enabled=False))

    report = canopsis.load([c("A"), r("Rnew", "A")])

    assert report["status"] == "done"
    assert enabled(canopsis, "A", "Rnew/A") == [True, True]


@pytest.mark.parametrize("first", [False, True], ids=["component first", "resource first"])
def test_case_065_a_component_and_its_resource_are_deleted_together(
    canopsis: Caller, *, first: bool
) -> None:
    canopsis.given(c("A"), r("R", "A"))
    items = [c("A", "delete"), r("R", "A", "delete")]

    report = canopsis.load(items[::-1] if first else items)

    assert report["status"] == "done"
    assert canopsis.ids() == []


def test_case_066_a_resource_deleted_then_set_lives_with_merged_infos(canopsis: Caller) -> None:
    canopsis.given(c("A"), r("R", "A", infos=infos(a=1)))

    report = canopsis.load([r("R", "A", "delete"), r("R", "A", infos=infos(b=2))])

    resource = canopsis.entity("R/A")
    assert report["status"] == "done"
    assert (resource["enabled"], values(resource)) == (True, {"a": 1, "b": 2})


def test_case_066_a_resource_set_then_deleted_is_deleted(canopsis: Caller) -> None:
    canopsis.given(c("A"), r("R", "A", infos=infos(a=1)))

    report = canopsis.load([r("R", "A", infos=infos(b=2)), r("R", "A", "delete")])

    assert report["status"] == "done"
    assert gone(canopsis, "R/A")


def test_case_066_a_new_resource_set_then_deleted_fails(canopsis: Caller) -> None:
    canopsis.given(c("A"))

    words = refused(canopsis, r("R", "A"), r("R", "A", "delete"))

    assert words == "failed to delete an entity with _id = R/A"


def test_case_067_enabling_a_component_does_that_alone(canopsis: Caller) -> None:
    canopsis.given(c("A", infos=infos(a=1)), r("R", "A"))
    canopsis.given(c("A", "disable"))
    assert enabled(canopsis, "A", "R/A") == [False, False]

    canopsis.given(c("A", "enable", infos=infos(b=2), impact_level=7), source="s2")

    component = canopsis.entity("A")
    assert enabled(canopsis, "A", "R/A") == [True, False]
    assert values(component) == {"a": 1}
    assert component["impact_level"] == 1
    assert component["import_source"] == "s2"
    assert canopsis.entity("R/A")["import_source"] == "s1"


def test_case_068_disabling_a_component_disables_its_resources(canopsis: Caller) -> None:
    canopsis.given(c("A"), r("R1", "A"), r("R2", "A"), c("B"), r("R1", "B"))

    report = canopsis.load([c("A", "disable")], source="s2")

    assert report["status"] == "done"
    assert enabled(canopsis, "A", "R1/A", "R2/A", "B", "R1/B") == [False] * 3 + [True] * 2
    assert canopsis.ids(search='import_source = "s2"') == ["A", "R1/A", "R2/A"]


def test_case_068_disabling_a_resource_leaves_its_component(canopsis: Caller) -> None:
    canopsis.given(c("A"), r("R1", "A"), r("R2", "A"))

    canopsis.given(r("R1", "A", "disable"))

    assert enabled(canopsis, "A", "R1/A", "R2/A") == [True, False, True]


@pytest.mark.parametrize("action", ["enable", "disable"])
def test_case_069_what_is_absent_cannot_be_switched(canopsis: Caller, action: str) -> None:
    canopsis.given(c("deleted"))
    canopsis.given(c("deleted", "delete"))

    for item, entity_id in (
        (c("X", action), "X"),
        (r("R", "X", action), "R/X"),
        (c("deleted", action), "deleted"),
    ):
        words = refused(canopsis, item)
        assert words == f"failed to {action} an entity with _id = {entity_id}"


def test_case_070_what_is_disabled_may_be_disabled_again(canopsis: Caller) -> None:
    canopsis.given(c("A"), c("B", enabled=False))

    assert canopsis.load([c("B", "disable")])["status"] == "done"
    assert canopsis.load([c("A", "enable")])["status"] == "done"
    assert enabled(canopsis, "A", "B") == [True, False]


@pytest.mark.parametrize("action", ["enable", "disable", "delete"])
def test_case_071_a_resource_needs_its_component_whatever_the_action(
    canopsis: Caller, action: str
) -> None:
    canopsis.given(c("A"), r("R", "A"))

    words = refused(canopsis, without(r("R", "A", action), "component"))

    assert words == "ci = , validation error: resource R contains empty component"


def test_case_072_a_partial_disable_resolves_the_alarm_of_a_component(canopsis: Caller) -> None:
    canopsis.given(c("srv-a"))
    canopsis.send_event(check_event("srv-a"))
    assert canopsis.open_alarms() == ["srv-a"]

    canopsis.given(c("srv-a", "disable"), partial=True)

    found = canopsis.get("alarms", opened="true", search="srv-a").json()
    assert found["data"] == []
    assert found["meta"]["total_count"] == 0
    assert canopsis.get("alarms", opened="false").json()["meta"]["total_count"] == 1


def test_case_072_resources_disabled_by_cascade_keep_their_alarm(canopsis: Caller) -> None:
    canopsis.given(c("srv-a"), r("disk", "srv-a"))
    canopsis.send_event(check_event("srv-a", "disk"))

    canopsis.given(c("srv-a", "disable"), partial=True)

    assert enabled(canopsis, "disk/srv-a") == [False]
    assert canopsis.open_alarms() == ["disk/srv-a"]


def test_case_073_the_alarm_of_a_deleted_component_is_resolved_later(canopsis: Caller) -> None:
    canopsis.given(c("srv-a", category="Cat"))
    canopsis.send_event(check_event("srv-a"))

    canopsis.given(c("srv-a", "delete"), partial=True)
    canopsis.advance(61)

    assert canopsis.open_alarms() == []
    assert gone(canopsis, "srv-a")


@pytest.mark.parametrize(
    ("wait", "kept"), [(1800, True), (2 * 3600, False)], ids=["within the hour", "later"]
)
def test_case_073_a_deleted_entity_is_physically_removed_after_an_hour(
    canopsis: Caller, wait: int, *, kept: bool
) -> None:
    canopsis.given(c("srv-a", category="Cat"))
    created = canopsis.entity("srv-a")["imported"]
    canopsis.given(c("srv-a", "delete"), partial=True)

    canopsis.advance(wait)
    canopsis.given(c("srv-a"))

    entity = canopsis.entity("srv-a")
    assert bool(entity.get("category")) is kept
    assert bool(canopsis.ids(search=f"created <= {created}")) is kept


def test_case_074_deleting_a_component_clears_the_service_over_it(canopsis: Caller) -> None:
    canopsis.given(
        c("srv-a"),
        r("disk", "srv-a"),
        r("cpu", "srv-a"),
        svc("S", entity_pattern=names("is_one_of", ["disk", "cpu"])),
    )
    canopsis.send_event([check_event("srv-a", "disk", 3), check_event("srv-a", "cpu", 2)])
    resources = {"cpu/srv-a", "disk/srv-a"}
    assert resources <= set(canopsis.open_alarms())
    assert canopsis.listed("S")["state"] == 3

    canopsis.given(c("srv-a", "delete"), partial=True)
    canopsis.advance(61)

    assert canopsis.open_alarms() == []
    assert [canopsis.has(resource) for resource in sorted(resources)] == [False, False]
    assert canopsis.listed("S")["state"] == 0
    assert canopsis.context("S")["depends"] == []


def test_case_075_a_full_disable_leaves_the_alarm_open(canopsis: Caller) -> None:
    canopsis.given(c("srv-a"), r("disk", "srv-a"))
    canopsis.send_event(check_event("srv-a", "disk"))

    canopsis.given(r("disk", "srv-a", "disable"))

    assert enabled(canopsis, "disk/srv-a") == [False]
    assert canopsis.open_alarms() == ["disk/srv-a"]
