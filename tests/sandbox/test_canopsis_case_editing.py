"""Reading and editing entities one by one: cases 92 to 96 of `specs/canopsis.md` §10."""

from typing import Any

import pytest

from tests.sandbox.canopsis_cases import (
    Caller,
    answered,
    basics_form,
    c,
    check_event,
    condition,
    names,
    service_form,
    values,
)


def test_case_092_only_connectors_components_and_resources_are_read_one_by_one(
    park: Caller,
) -> None:
    assert answered(park.get("entitybasics", _id="absent")) == (404, {"error": "Not found"})
    assert answered(park.get("entitybasics", _id="S")) == (404, {"error": "Not found"})
    assert park.get("entitybasics").status_code == 400
    assert park.entity("foo/bar")["name"] == "foo"
    assert park.get("entities/context-graph", _id="absent").status_code == 404


@pytest.mark.parametrize("entity_id", ["bar", "absent"])
def test_case_092_a_form_is_checked_before_its_entity_is_sought(
    park: Caller, entity_id: str
) -> None:
    answer = park.call("PUT", "entitybasics", params={"_id": entity_id}, json={})

    status, body = answered(answer)
    assert status == 400
    assert body["errors"] == {
        "enabled": "Enabled is missing.",
        "impact_level": "ImpactLevel is missing.",
        "sli_avail_state": "SliAvailState is missing.",
    }


def test_case_092_an_unknown_entity_cannot_be_edited(canopsis: Caller) -> None:
    answer = canopsis.call("PUT", "entitybasics", params={"_id": "X"}, json=basics_form())

    assert answered(answer) == (404, {"error": "Not found"})


def test_case_093_editing_replaces_all_the_infos(park: Caller) -> None:
    before = park.entity("other")
    form = basics_form(infos=[{"name": "os", "description": "d", "value": "bsd"}])

    answer = park.call("PUT", "entitybasics", params={"_id": "other"}, json=form)

    after = park.entity("other")
    assert answer.status_code == 200
    assert answer.json()["infos"] == after["infos"]
    assert after["infos"] == {"os": {"name": "os", "description": "d", "value": "bsd"}}
    assert after["import_source"] == "s2"
    assert after["imported"] == before["imported"]


def test_case_093_editing_with_no_info_empties_them(park: Caller) -> None:
    answer = park.call("PUT", "entitybasics", params={"_id": "bar"}, json=basics_form())
    park.settle()

    assert answer.status_code == 200
    assert park.entity("bar")["infos"] == {}
    assert park.entity("bar")["import_source"] == "s1"
    assert values(park.entity("foo/bar"), "component_infos") == {}


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({"category": "absent"}, {"category": "Category doesn't exist."}),
        ({"impact_level": 11}, {"impact_level": "ImpactLevel should be 10 or less."}),
        ({"impact_level": -1}, {"impact_level": "ImpactLevel should be 1 or more."}),
        ({"infos": [{"value": 1}]}, {"infos.0.name": "Name is missing."}),
    ],
    ids=["category", "level too high", "level too low", "info without name"],
)
def test_case_093_a_wrong_form_is_refused(
    park: Caller, fields: dict[str, Any], errors: dict[str, str]
) -> None:
    form = basics_form(**fields)

    answer = park.call("PUT", "entitybasics", params={"_id": "bar"}, json=form)

    assert answered(answer) == (400, {"errors": errors})
    assert values(park.entity("bar")) == {"os": "bsd"}


def test_case_093_an_info_that_is_an_object_is_refused(park: Caller) -> None:
    form = basics_form(infos=[{"name": "k", "value": {"a": 1}}])

    answer = park.call("PUT", "entitybasics", params={"_id": "bar"}, json=form)

    assert answered(answer) == (400, {"error": "request has invalid structure"})


def test_case_093_disabling_a_component_by_form_disables_its_resources(park: Caller) -> None:
    park.call("PUT", "entitybasics", params={"_id": "bar"}, json=basics_form(enabled=False))
    assert [park.entity(entity_id)["enabled"] for entity_id in ("bar", "foo/bar")] == [False] * 2

    park.call("PUT", "entitybasics", params={"_id": "bar"}, json=basics_form())
    assert [park.entity(entity_id)["enabled"] for entity_id in ("bar", "foo/bar")] == [True, False]


def test_case_094_an_entity_with_an_open_alarm_is_not_deleted(park: Caller) -> None:
    park.send_event(check_event("other"))

    answer = park.call("DELETE", "entitybasics", params={"_id": "other"})

    assert answered(answer) == (400, {"error": "entity is linked to alarm"})
    assert park.has("other")


def test_case_094_a_component_with_resources_is_not_deleted(park: Caller) -> None:
    with_one = park.call("DELETE", "entitybasics", params={"_id": "bar"})
    resource = park.call("DELETE", "entitybasics", params={"_id": "foo/bar"})
    not_purged = park.call("DELETE", "entitybasics", params={"_id": "bar"})

    assert answered(with_one) == (400, {"error": "component has resources"})
    assert resource.status_code == 204
    assert answered(not_purged) == (400, {"error": "component has resources"})


def test_case_094_an_entity_is_deleted_once(park: Caller) -> None:
    first = park.call("DELETE", "entitybasics", params={"_id": "other"})
    again = park.call("DELETE", "entitybasics", params={"_id": "other"})

    assert first.status_code == 204
    assert answered(again) == (404, {"error": "Not found"})
    assert park.get("entitybasics", _id="other").status_code == 404
    assert not park.has("other")


def test_case_095_each_entity_of_a_bulk_has_its_own_answer(park: Caller) -> None:
    bulk = [{"_id": "bar"}, {}, {"_id": "absent"}]

    answer = park.call("PUT", "bulk/entities/disable", json=bulk)

    status, items = answered(answer)
    assert status == 207
    assert [item["status"] for item in items] == [200, 400, 404]
    assert [item["item"] for item in items] == bulk
    assert items[0]["id"] == "bar"
    assert items[1]["errors"] == {"_id": "ID is missing."}
    assert items[2]["error"] == "Not found"
    assert [park.entity(entity_id)["enabled"] for entity_id in ("bar", "foo/bar")] == [False] * 2
    assert park.entity("bar")["import_source"] == "s1"


def test_case_095_a_bulk_resolves_the_alarms_of_the_resources_too(park: Caller) -> None:
    park.send_event(check_event("bar", "foo"))
    assert park.open_alarms() == ["foo/bar"]

    park.set_enabled("bar", enabled=False)

    assert park.open_alarms() == []


def test_case_095_a_bulk_switches_services_and_does_not_cascade_back(park: Caller) -> None:
    for entity_id in ("S", "bar"):
        park.set_enabled(entity_id, enabled=False)
        park.set_enabled(entity_id, enabled=True)

    states = {entity_id: park.listed(entity_id)["enabled"] for entity_id in ("S", "bar", "foo/bar")}
    assert states == {"S": True, "bar": True, "foo/bar": False}


def test_case_095_a_bulk_takes_ten_thousand_entities_at_most(canopsis: Caller) -> None:
    answer = canopsis.call(
        "PUT", "bulk/entities/enable", json=[{"_id": f"x{rank}"} for rank in range(10_001)]
    )

    assert answered(answer) == (
        400,
        {"error": "number of elements shouldn't be greater than 10000"},
    )


def test_case_096_two_services_do_not_share_a_name(park: Caller) -> None:
    answer = park.call("POST", "entityservices", json=service_form("S"))

    assert answered(answer) == (400, {"errors": {"name": "Name already exists."}})


@pytest.mark.parametrize("field", ["connector", "component_infos.x", "import_source"])
def test_case_096_a_service_on_a_forbidden_field_is_refused(canopsis: Caller, field: str) -> None:
    form = service_form("T", entity_pattern=[[condition(field, "exist", True)]])

    answer = canopsis.call("POST", "entityservices", json=form)

    assert answered(answer) == (
        400,
        {"errors": {"entity_pattern": "EntityPattern is invalid entity pattern."}},
    )


def test_case_096_a_service_is_created_edited_and_deleted_by_its_id(canopsis: Caller) -> None:
    canopsis.given(c("x1"), c("y1"))
    uuid = canopsis.add_service("T")
    assert canopsis.context(uuid)["depends"] == ["x1"]

    form = service_form("T", impact_level=3, entity_pattern=names("begin_with", "y"))
    edited = canopsis.call("PUT", f"entityservices/{uuid}", json=form)
    canopsis.settle()
    depends = canopsis.context(uuid)["depends"]
    deleted = canopsis.call("DELETE", f"entityservices/{uuid}")

    assert (edited.status_code, edited.json()["impact_level"]) == (200, 3)
    assert depends == ["y1"]
    assert deleted.status_code == 204
    assert canopsis.get(f"entityservices/{uuid}").status_code == 404


def test_case_096_each_service_of_a_bulk_has_its_own_answer(canopsis: Caller) -> None:
    forms = [service_form("T"), service_form("U", impact_level=11), service_form("T")]

    created = canopsis.call("POST", "bulk/entityservices", json=forms)
    uuid = created.json()[0]["id"]
    deleted = canopsis.call("DELETE", "bulk/entityservices", json=[{"_id": uuid}, {"_id": "no"}])

    assert (created.status_code, deleted.status_code) == (207, 207)
    assert [item["status"] for item in created.json()] == [201, 400, 400]
    assert created.json()[1]["errors"] == {"impact_level": "ImpactLevel should be 10 or less."}
    assert created.json()[2]["errors"] == {"name": "Name already exists."}
    assert [item["status"] for item in deleted.json()] in ([204, 404], [200, 404])
    assert canopsis.ids() == []
