"""Creating entities by import: cases 17 to 31 of `specs/canopsis.md` §10."""

from tests.sandbox.canopsis_cases import Caller, c, infos, names, r, svc, values, without


def test_case_017_a_new_component_has_what_the_item_says(canopsis: Caller) -> None:
    about = {"k": {"description": "d", "value": "v"}}

    report = canopsis.load([c("A", infos=about, category="Cat")])

    entity = canopsis.entity("A")
    assert report["status"] == "done"
    assert (entity["_id"], entity["name"], entity["type"]) == ("A", "A", "component")
    assert entity["component"] == "A"
    assert entity["enabled"] is True
    assert entity["infos"] == {"k": {"name": "k", "description": "d", "value": "v"}}
    assert entity["impact_level"] == 1
    assert entity["import_source"] == "s1"
    assert isinstance(entity["imported"], int)
    assert entity["imported"] > 0
    assert entity["category"]["name"] == "Cat"


def test_case_018_a_resource_carries_the_infos_of_its_component(canopsis: Caller) -> None:
    about = {"k": {"name": "k", "description": "d", "value": "v"}}

    canopsis.given(c("A", infos=about), r("R", "A", infos=infos(own=1)))

    entity = canopsis.entity("R/A")
    assert entity["component"] == "A"
    assert entity["component_infos"] == about
    assert values(entity) == {"own": 1}
    assert canopsis.context("R/A") == {"impact": ["A"], "depends": []}
    assert canopsis.context("A") == {"impact": [], "depends": ["R/A"]}


def test_case_019_the_absent_component_of_a_resource_is_created(canopsis: Caller) -> None:
    canopsis.given(r("R1", "X"), r("R2", "X"))

    entity = canopsis.entity("X")
    assert (entity["type"], entity["component"]) == ("component", "X")
    assert (entity["enabled"], entity["impact_level"], entity["infos"]) == (True, 1, {})
    assert entity["import_source"] == "s1"
    assert entity["imported"] == canopsis.entity("R1/X")["imported"]
    assert canopsis.context("X")["depends"] == ["R1/X", "R2/X"]


def test_case_020_a_resource_takes_the_stored_infos_of_its_component(canopsis: Caller) -> None:
    canopsis.given(c("A", infos=infos(k="v")))

    canopsis.given(r("R3", "A"))

    assert values(canopsis.entity("R3/A"), "component_infos") == {"k": "v"}
    assert values(canopsis.entity("A")) == {"k": "v"}


def test_case_021_an_unknown_category_is_created(canopsis: Caller) -> None:
    canopsis.given(c("A", category="Cat"))

    categories = canopsis.get("entity-categories", search="Cat").json()["data"]
    assert [category["name"] for category in categories] == ["Cat"]
    assert canopsis.entity("A")["category"]["_id"] == categories[0]["_id"]
    assert canopsis.ids(category=categories[0]["_id"]) == ["A"]


def test_case_022_a_known_category_is_reused(canopsis: Caller) -> None:
    known = canopsis.call("POST", "entity-categories", json={"name": "Cat"})

    canopsis.given(c("A", category="Cat"))

    assert known.status_code == 201
    assert canopsis.entity("A")["category"] == {"_id": known.json()["_id"], "name": "Cat"}
    assert canopsis.get("entity-categories").json()["meta"]["total_count"] == 1


def test_case_022_a_category_is_found_by_its_exact_name(canopsis: Caller) -> None:
    canopsis.given(c("A", category="Cat"), c("B", category="cat"))

    assert canopsis.get("entity-categories").json()["meta"]["total_count"] == 2


def test_case_023_a_category_survives_the_import_that_failed(canopsis: Caller) -> None:
    report = canopsis.load([c("A", category="Cat"), c("")])

    categories = canopsis.get("entity-categories").json()["data"]
    assert report["status"] == "failed"
    assert canopsis.ids() == []
    assert [category["name"] for category in categories] == ["Cat"]


def test_case_024_a_component_that_is_not_said_enabled_is_disabled(canopsis: Caller) -> None:
    report = canopsis.load([without(c("A"), "enabled"), c("B", enabled=False)])

    assert report["status"] == "done"
    assert canopsis.entity("A")["enabled"] is False
    assert canopsis.entity("B")["enabled"] is False


def test_case_025_the_impact_level_falls_back_to_one(canopsis: Caller) -> None:
    canopsis.given(c("A", impact_level=3))
    assert canopsis.entity("A")["impact_level"] == 3

    canopsis.given(c("A"))
    assert canopsis.entity("A")["impact_level"] == 1


def test_case_025_the_range_of_an_impact_level_is_not_checked(canopsis: Caller) -> None:
    canopsis.given(c("A", impact_level=0), c("B", impact_level=99))

    assert canopsis.entity("A")["impact_level"] == 1
    assert canopsis.entity("B")["impact_level"] == 99


def test_case_026_unknown_fields_of_an_item_are_ignored(canopsis: Caller) -> None:
    canopsis.given(c("A", _id="zzz", description="words", foo={"bar": 1}))

    entity = canopsis.entity("A")
    assert canopsis.ids() == ["A"]
    assert not entity.get("description")
    assert "foo" not in entity


def test_case_027_slashes_are_kept_in_names(canopsis: Caller) -> None:
    canopsis.given(c("sw/1"), r("eth0/1", "sw/1"))

    assert canopsis.ids() == ["eth0/1/sw/1", "sw/1"]
    assert canopsis.entity("eth0/1/sw/1")["component"] == "sw/1"
    assert canopsis.context("sw/1")["depends"] == ["eth0/1/sw/1"]


def test_case_028_a_resource_may_come_before_its_component(canopsis: Caller) -> None:
    canopsis.given(r("R", "A"), c("A", infos=infos(k="v"), impact_level=5))

    component = canopsis.entity("A")
    assert (values(component), component["impact_level"]) == ({"k": "v"}, 5)
    assert values(canopsis.entity("R/A"), "component_infos") == {"k": "v"}


def test_case_029_the_second_item_of_a_new_component_replaces_the_first(
    canopsis: Caller,
) -> None:
    canopsis.given(c("A", infos=infos(x=1)), c("A", infos=infos(y=2)))

    assert values(canopsis.entity("A")) == {"y": 2}


def test_case_029_each_item_of_a_known_component_starts_from_what_was_stored(
    canopsis: Caller,
) -> None:
    canopsis.given(c("A", infos=infos(stored=0)))

    canopsis.given(c("A", infos=infos(x=1)), c("A", infos=infos(y=2)))

    assert values(canopsis.entity("A")) == {"stored": 0, "y": 2}


def test_case_030_a_deleted_component_comes_back_with_its_new_infos_alone(
    canopsis: Caller,
) -> None:
    canopsis.given(c("A", infos=infos(old=1), category="Cat"))
    created = canopsis.entity("A")["imported"]
    canopsis.given(c("A", "delete"))
    assert canopsis.ids() == []
    canopsis.advance(600)

    canopsis.given(c("A", infos=infos(new=2)))

    entity = canopsis.entity("A")
    assert entity["enabled"] is True
    assert values(entity) == {"new": 2}
    assert entity["imported"] >= created + 600
    assert canopsis.ids(search=f"created <= {created}") == ["A"]
    assert entity["category"]["name"] == "Cat"


def test_case_030_a_component_that_comes_back_without_enabled_is_disabled(
    canopsis: Caller,
) -> None:
    canopsis.given(c("A"))
    canopsis.given(c("A", "delete"))

    canopsis.given(without(c("A"), "enabled"))

    assert canopsis.entity("A")["enabled"] is False


def test_case_031_the_deleted_component_of_a_new_resource_comes_back_bare(
    canopsis: Caller,
) -> None:
    canopsis.given(c("X", infos=infos(k="v"), impact_level=4))
    canopsis.given(c("X", "delete"))

    canopsis.given(r("R", "X"))

    component = canopsis.entity("X")
    assert (component["enabled"], component["infos"]) == (True, {})
    assert component["impact_level"] == 1
    assert not canopsis.entity("R/X").get("component_infos")


def test_a_new_service_is_identified_by_its_name(canopsis: Caller) -> None:
    canopsis.given(svc("S", entity_pattern=names("eq", "A")))

    assert canopsis.ids() == ["S"]
    assert canopsis.listed("S")["type"] == "service"
