"""Relations: services over links, services of services, and names that no dataset gave."""

from typing import Any

import orjson
import pytest

from mappings.links import Orphan
from mappings.loading import load_mapping
from mappings.mapper import Mapper
from mappings.pattern import check_pattern
from mappings.remarks import remarks

HOSTS = {"dataset": "hosts", "component": {"name": "name"}}
DISKS = {"dataset": "disks", "resource": {"name": "disk", "component": "host"}}


def service(field: str, cond: str, value: object, dataset: str = "links") -> dict[str, Any]:
    pattern = {"field": field, "cond": cond, "value": value}
    return {"dataset": dataset, "service": {"name": "app", "pattern": pattern}}


def run(*blocks: dict[str, Any], **records: list[dict[str, Any]]) -> tuple[Mapper, dict[str, Any]]:
    """The mapper once it has read everything, and the pattern of each service."""
    mapper = load_mapping({"entities": list(blocks)})
    patterns = {}
    for dataset in mapper.datasets:
        given = records.get(dataset, [])
        for mapped in (mapper.map_page(dataset, given, 1), mapper.finish(dataset)):
            for payload in mapped.entities.payloads:
                body = orjson.loads(payload)
                patterns[body["name"]] = body.get("entity_pattern")
    return mapper, patterns


def orphans(mapper: Mapper, dataset: str = "links") -> list[Orphan]:
    return list(mapper.report().datasets[dataset].orphans)


def test_a_link_to_an_entity_that_no_dataset_gave_is_reported() -> None:
    links = [{"app": "A", "host": host} for host in ("h1", "gone", "lost", "gone")]

    mapper, _ = run(
        HOSTS, service("name", "is_one_of", "host"), hosts=[{"name": "h1"}], links=links
    )

    assert orphans(mapper) == [Orphan("service.pattern.name", 2, ("gone", "lost"))]
    assert (
        "links: service.pattern.name named 2 entities that no dataset gave: gone, lost"
        in remarks(mapper.report())
    )


def test_links_may_be_read_before_what_they_link_to() -> None:
    links = [{"app": "A", "host": "h1"}]

    mapper, _ = run(
        service("name", "is_one_of", "host"), HOSTS, hosts=[{"name": "h1"}], links=links
    )

    assert orphans(mapper) == []


@pytest.mark.parametrize(
    ("field", "cond", "value", "lost"),
    [
        ("name", "eq", "x", ["sda/h1"]),
        ("_id", "is_one_of", "x", ["sda"]),
        ("component", "eq", "x", ["sda", "sda/h1"]),
    ],
)
def test_a_link_is_by_name_by_id_or_by_component(
    field: str, cond: str, value: str, lost: list[str]
) -> None:
    rows = [{"app": f"A{rank}", "x": name} for rank, name in enumerate(("h1", "sda", "sda/h1"))]

    mapper, _ = run(
        *(HOSTS, DISKS, service(field, cond, value)),
        hosts=[{"name": "h1"}],
        disks=[{"disk": "sda", "host": "h1"}],
        links=rows,
    )

    assert [name for orphan in orphans(mapper) for name in orphan.names] == lost


def test_a_resource_whose_component_no_dataset_gave_is_reported() -> None:
    mapper, _ = run(HOSTS, DISKS, hosts=[], disks=[{"disk": "sda", "host": "h9"}])

    assert orphans(mapper, "disks") == [Orphan("resource.component", 1, ("h9",))]


def test_a_job_that_makes_no_such_entities_cannot_tell_and_pays_nothing() -> None:
    links = [{"app": "A", "host": "elsewhere"}]

    mapper, _ = run(service("name", "is_one_of", "host"), links=links)
    assert orphans(mapper) == []
    mapper, _ = run(DISKS, disks=[{"disk": "sda", "host": "h9"}])
    assert orphans(mapper, "disks") == []


def test_a_constant_or_another_field_links_to_nothing() -> None:
    blocks = [service("name", "is_one_of", {"set": ["x"]}), service("category", "eq", "host", "l2")]

    mapper, _ = run(HOSTS, *blocks, links=[{"app": "A"}], l2=[{"app": "B", "host": "c"}])

    assert (orphans(mapper), orphans(mapper, "l2")) == ([], [])


def test_many_orphans_are_counted_and_the_first_of_them_named() -> None:
    links = [{"app": "A", "host": f"h{rank:03}"} for rank in range(500)]

    mapper, _ = run(HOSTS, service("name", "is_one_of", "host"), links=links)

    (orphan,) = orphans(mapper)
    assert (orphan.count, len(orphan.names), orphan.names[0]) == (500, 10, "h000")


def test_a_service_may_depend_on_services() -> None:
    top = {
        "dataset": "domains",
        "service": {
            "name": "domain",
            "pattern": [
                {"field": "type", "cond": "eq", "value": {"set": "service"}},
                {"field": "name", "cond": "is_one_of", "value": "app"},
            ],
        },
    }
    mapper, patterns = run(
        *(HOSTS, service("name", "is_one_of", "host"), top),
        hosts=[{"name": "h1"}],
        links=[{"app": "A", "host": "h1"}, {"app": "B", "host": "h1"}],
        domains=[{"domain": "D", "app": app} for app in ("B", "A", "C")],
    )

    assert patterns["D"][0][1]["cond"] == {"type": "is_one_of", "value": ["A", "B", "C"]}
    assert orphans(mapper, "domains") == [Orphan("service.pattern.name", 1, ("C",))]


def test_a_service_that_gathers_nothing_is_a_reject_with_its_name() -> None:
    table = {"dataset": "links", "key": "app", "value": "host", "many": True}
    value = {"copy": "app", "lookup": table, "unknown": "warn"}
    mapper = load_mapping({"entities": [service("name", "is_one_of", value, "apps")]})
    mapper.map_page("links", [{"app": "A", "host": "h1"}], 1)
    mapper.finish("links")

    mapped = mapper.map_page("apps", [{"app": "A"}, {"app": "B"}], 1)

    (reject,) = mapped.rejects
    assert (reject.id, reject.rule) == ("B", "service.pattern.name")
    assert reject.reason.startswith("service.pattern.name gathered nothing: app has no value")
    assert mapper.report().datasets["apps"].reasons == {
        "service.pattern.name: gathered nothing": 1,
    }
    assert mapper.finish("apps").entities.ids == ["A"]


def test_groups_and_several_conditions_gather_each_their_own() -> None:
    pattern = [
        [
            {"field": "name", "cond": "is_one_of", "value": "host"},
            {"field": "infos.env", "field_type": "string", "cond": "eq", "value": "env"},
        ],
        [
            {
                "field": "infos.apps",
                "field_type": "string_array",
                "cond": "has_one_of",
                "value": "app",
            },
            {"field": "infos.env", "cond": "exist", "value": {"set": True}},
        ],
    ]
    block = {"dataset": "links", "service": {"name": "app", "pattern": pattern}}
    rows = [{"app": "A", "host": host, "env": "prod"} for host in ("h2", "h1")]

    _, patterns = run(block, links=rows)

    assert check_pattern(patterns["A"]) == []
    assert [[each["cond"]["value"] for each in group] for group in patterns["A"]] == [
        [["h1", "h2"], "prod"],
        [["A"], True],
    ]
