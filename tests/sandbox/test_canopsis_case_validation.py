"""Items that fail a whole import: cases 48 to 55 of `specs/canopsis.md` §10."""

from typing import Any

import orjson
import pytest

from tests.sandbox.canopsis_cases import Caller, c, names, r, svc, without


def fails(canopsis: Caller, *items: dict[str, Any]) -> str:
    """Load good items around the given ones; nothing may be written. Gives Canopsis' words."""
    report = canopsis.load([c("first"), *items, c("last")])

    assert report["status"] == "failed"
    assert report["stats"] == {"deleted": 0, "updated": 0}
    assert canopsis.ids() == []
    return str(report["info"])


@pytest.mark.parametrize("item", [c(""), without(c("A"), "name")], ids=["empty", "absent"])
def test_case_048_a_name_is_needed(canopsis: Caller, item: dict[str, Any]) -> None:
    assert fails(canopsis, item) == "ci = , validation error: empty name is not allowed"


def test_case_049_a_connector_cannot_be_imported(canopsis: Caller) -> None:
    item = c("A") | {"type": "connector"}

    assert fails(canopsis, item) == "ci = , validation error: type is not valid connector"


def test_case_049_a_type_is_needed(canopsis: Caller) -> None:
    item = without(c("A"), "type")

    assert fails(canopsis, item) == "ci = , validation error: type is not valid "


@pytest.mark.parametrize(
    "item", [r("R", ""), without(r("R", "A"), "component")], ids=["empty", "absent"]
)
def test_case_050_a_resource_needs_its_component(canopsis: Caller, item: dict[str, Any]) -> None:
    words = "ci = , validation error: resource R contains empty component"

    assert fails(canopsis, item) == words


@pytest.mark.parametrize("item", [c("A"), r("R", "A")], ids=["component", "resource"])
def test_case_051_only_a_service_has_a_pattern(canopsis: Caller, item: dict[str, Any]) -> None:
    words = "ci = , validation error: contains entity pattern, but ci is not a service"

    assert fails(canopsis, item | {"entity_pattern": names("eq", "A")}) == words


@pytest.mark.parametrize("action", ["some", "create", "update", ""])
def test_case_052_an_action_of_another_dialect_is_not_recognized(
    canopsis: Caller, action: str
) -> None:
    service = svc("S", action, entity_pattern=names("eq", "A"))

    assert fails(canopsis, service) == f"the action {action} is not recognized"
    assert fails(canopsis, c("A", action)) == f"the action {action} is not recognized"


def test_case_052_an_action_is_needed(canopsis: Caller) -> None:
    assert fails(canopsis, without(c("A"), "action")) == "the action  is not recognized"


def test_case_053_one_bad_item_after_99_good_ones_writes_nothing(canopsis: Caller) -> None:
    report = canopsis.load([*(c(f"srv{rank:02}") for rank in range(99)), c("")])

    assert report["status"] == "failed"
    assert canopsis.page()["meta"]["total_count"] == 0


@pytest.mark.parametrize("item", [svc("S"), svc("S", entity_pattern=[])], ids=["absent", "empty"])
def test_case_054_a_service_needs_a_pattern(canopsis: Caller, item: dict[str, Any]) -> None:
    words = "ci = , validation error: service S contains empty pattern"

    assert fails(canopsis, item) == words


def test_case_055_a_body_cut_inside_an_item_fails(canopsis: Caller) -> None:
    whole = orjson.dumps([c("A"), c("B")])

    report = canopsis.load(whole[:-5])

    assert report["status"] == "failed"
    assert report["info"] == "failed to decode cis item: unexpected EOF"
    assert canopsis.ids() == []


@pytest.mark.parametrize("tail", [b"", b"  \n"], ids=["no bracket", "blanks"])
def test_case_055_a_body_cut_between_items_passes_for_whole(canopsis: Caller, tail: bytes) -> None:
    report = canopsis.load(b"[" + orjson.dumps(c("A")) + tail)

    assert report["status"] == "done"
    assert canopsis.ids() == ["A"]


def test_case_055_a_body_cut_after_a_comma_fails(canopsis: Caller) -> None:
    report = canopsis.load(b"[" + orjson.dumps(c("A")) + b",")

    assert report["status"] == "failed"
    assert report["info"].startswith("failed to decode cis item: ")
    assert canopsis.ids() == []


def test_case_055_what_follows_the_array_is_not_looked_at(canopsis: Caller) -> None:
    report = canopsis.load(orjson.dumps([c("A")]) + b" and more, that is not JSON")

    assert report["status"] == "done"
    assert canopsis.ids() == ["A"]
