"""Names made safe: what no event could carry, what Canopsis would make one of (canopsis.md §6)."""

from typing import Any

import pytest

from mappings.errors import MappingErrors
from mappings.loading import load_mapping
from mappings.mapper import Mapper
from mappings.rejects import Reject

COMPONENT = {"dataset": "hosts", "component": {"name": "name"}}
RESOURCE = {"dataset": "itfs", "resource": {"name": "name", "component": "host"}}
PATTERN = {"field": "component", "cond": "eq", "value": "name"}
SERVICE = {"dataset": "apps", "service": {"name": "name", "pattern": PATTERN}}
GATHERED = {
    "dataset": "links",
    "service": {"name": "app", "pattern": {"field": "name", "cond": "is_one_of", "value": "host"}},
}


def mapper(*blocks: dict[str, Any]) -> Mapper:
    return load_mapping({"entities": list(blocks)})


def only(made: Mapper, dataset: str, **record: Any) -> Reject:
    mapped = made.map_page(dataset, [record], 1)
    assert mapped.entities.ids == []
    (reject,) = mapped.rejects
    return reject


def ids(made: Mapper, dataset: str, *records: dict[str, Any]) -> list[str]:
    mapped = made.map_page(dataset, list(records), 1)
    assert mapped.rejects == []
    return mapped.entities.ids


def test_a_resource_and_its_component_fit_into_an_event_together() -> None:
    made = mapper(RESOURCE)

    assert len(ids(made, "itfs", {"name": "n" * 155, "host": "h" * 99})[0]) == 255
    reject = only(made, "itfs", name="n" * 155, host="h" * 100)
    assert (reject.rule, reject.id) == ("resource.name", f"{'n' * 155}/{'h' * 100}")
    assert reject.reason.startswith("the resource and its component have 256 characters")


@pytest.mark.parametrize("name", ["api", "axe", "che", "taskhandler", "api/v1", "che/che"])
def test_a_resource_with_the_id_of_an_internal_connector_is_a_reject(name: str) -> None:
    reject = only(mapper(RESOURCE), "itfs", name=name, host="h")

    assert reject.rule == "resource.name"
    assert "gives the id of a connector of Canopsis itself" in reject.reason
    assert reject.reason.endswith("give it a prefix")


@pytest.mark.parametrize("name", ["apis", "API", "x/api", "api-1", "che2/x"])
def test_a_name_that_only_looks_like_it_is_taken(name: str) -> None:
    assert ids(mapper(RESOURCE), "itfs", {"name": name, "host": "h"}) == [f"{name}/h"]


def test_a_component_may_be_called_so_but_not_have_its_ids() -> None:
    made = mapper(COMPONENT)

    assert ids(made, "hosts", {"name": "api"}, {"name": "a/b"}) == ["api", "a/b"]
    assert only(made, "hosts", name="taskhandler/task_importctx").rule == "component.name"
    assert only(mapper(RESOURCE), "itfs", name="x", host="che/che").rule == "resource.component"


@pytest.mark.parametrize(
    ("rule", "what"),
    [
        ({"resource": {"name": {"set": "api"}, "component": "h"}}, "connector of Canopsis itself"),
        ({"component": {"name": {"set": "che/x"}}}, "connector of Canopsis itself"),
        ({"component": {"name": {"set": "n" * 256}}}, "the name has 256 characters"),
        ({"resource": {"name": "n", "component": {"copy": "h", "default": ""}}}, "is blank"),
        (
            {"component": {"name": {"copy": "n", "lookup": {"a": "axe/a"}}}},
            "row 'a': 'axe/a' gives the id",
        ),
    ],
    ids=str,
)
def test_a_constant_that_no_entity_can_be_called_is_refused_when_the_job_compiles(
    rule: dict[str, Any], what: str
) -> None:
    with pytest.raises(MappingErrors) as caught:
        mapper({"dataset": "d", **rule})

    (problem,) = caught.value.problems
    assert what in problem.what


def test_a_service_cannot_have_the_name_of_a_component_of_the_run() -> None:
    made = mapper(COMPONENT, SERVICE)
    ids(made, "hosts", {"name": "x"}, {"name": "y"})

    reject = only(made, "apps", name="x")

    assert (reject.rule, reject.id) == ("service.name", "x")
    assert reject.reason == (
        "the id 'x' is already that of a component, and Canopsis would make one of both: "
        "give one of them a prefix"
    )
    assert ids(made, "apps", {"name": "z"}) == ["z"]
    assert only(made, "hosts", name="z").reason.startswith(
        "the id 'z' is already that of a service"
    )


def test_a_gathered_service_cannot_either() -> None:
    made = mapper(COMPONENT, GATHERED)
    ids(made, "hosts", {"name": "x"})

    assert only(made, "links", app="x", host="y").rule == "service.name"
    assert len(made.finish("links").entities) == 0


def test_a_component_cannot_have_the_id_of_a_resource_of_the_run() -> None:
    made = mapper(RESOURCE, COMPONENT)
    ids(made, "itfs", {"name": "a", "host": "b"})

    reject = only(made, "hosts", name="a/b")

    assert "already that of a resource of the component 'b'" in reject.reason


def test_two_resources_with_slashes_cannot_share_an_id() -> None:
    made = mapper(RESOURCE)
    ids(made, "itfs", {"name": "a/b", "host": "c"}, {"name": "a/b", "host": "c"})

    reject = only(made, "itfs", name="a", host="b/c")

    assert "the id 'a/b/c' is already that of a resource of the component 'c'" in reject.reason


def test_the_same_entity_twice_is_no_collision() -> None:
    made = mapper(COMPONENT, RESOURCE, SERVICE)

    assert ids(made, "hosts", {"name": "x"}, {"name": "x"}) == ["x", "x"]
    assert ids(made, "itfs", {"name": "x", "host": "x"}, {"name": "x", "host": "x"}) == ["x/x"] * 2


def test_a_rejected_record_does_not_keep_its_name_from_others() -> None:
    made = mapper({**COMPONENT, "component": {"name": "name", "category": "kind"}}, SERVICE)
    only(made, "hosts", name="x", kind=["odd"])

    assert ids(made, "apps", {"name": "x"}) == ["x"]


def test_a_job_of_components_alone_claims_nothing() -> None:
    assert "claim(" not in mapper(COMPONENT).source
    assert "claim(" in mapper(COMPONENT, SERVICE).source


@pytest.mark.parametrize(
    ("block", "record", "identity"),
    [
        (COMPONENT, {"name": "n"}, "n"),
        (RESOURCE, {"name": "n", "host": "h"}, "n/h"),
        (SERVICE, {"name": "n"}, "n"),
        (GATHERED, {"app": "n", "host": "h"}, "n"),
    ],
    ids=["component", "resource", "service", "gathered"],
)
def test_a_reject_has_the_identity_that_its_entity_would_have_had(
    block: dict[str, Any], record: dict[str, Any], identity: str
) -> None:
    (kind,) = block.keys() - {"dataset"}
    rule = {**block[kind], "impact_level": "level"}
    made = mapper({"dataset": block["dataset"], kind: rule})

    assert only(made, block["dataset"], **record, level=99).id == identity
    nameless = dict.fromkeys(record, None) | {"level": 99}
    assert only(made, block["dataset"], **nameless).id == ""
    assert made.report().datasets[block["dataset"]].nameless == 1
