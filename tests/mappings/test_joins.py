"""Lookups in another dataset of the job: which is read first, what a key gives, what it does not.

{dataset: locations, key: id, value: name}               one value a key
{dataset: links, key: server, value: app, many: true}    all values of a key, as an array
"""

import random
from collections import defaultdict
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.errors import MappingErrors, Problem
from mappings.loading import load_mapping
from mappings.mapper import Mapper

Record = dict[str, Any]
SITES = {"dataset": "locations", "key": "id", "value": "name"}
APPS = {"dataset": "links", "key": "server", "value": "app", "many": True}


def job(lookup: dict[str, Any], **more: Any) -> dict[str, Any]:
    value = {"copy": "key", "lookup": lookup, **more}
    component = {"name": "name", "infos": {"found": {"value": value}}}
    return {"entities": [{"dataset": "servers", "component": component}]}


def read(mapper: Mapper, **records: list[Record]) -> dict[str, Any]:
    """The info `found` of each server by its name, all datasets read in their order."""
    found = {}
    for dataset in mapper.datasets:
        given = records.get(dataset, [])
        for mapped in (mapper.map_page(dataset, given, 1), mapper.finish(dataset)):
            for payload in mapped.entities.payloads:
                body = orjson.loads(payload)
                found[body["name"]] = body["infos"].get("found", {}).get("value")
    return found


def only(raw: dict[str, Any], datasets: Any = None) -> Problem:
    with pytest.raises(MappingErrors) as caught:
        load_mapping(raw, datasets=datasets)
    (problem,) = caught.value.problems
    return problem


def test_a_dataset_that_is_a_table_alone_is_read_first_and_only_for_its_two_fields() -> None:
    mapper = load_mapping(job(SITES), datasets=["servers", "locations"])

    assert mapper.datasets == ("locations", "servers")
    assert mapper.fields("locations") == {"id", "name"}
    assert mapper.needs("servers") == ("locations",)
    assert mapper.needs("locations") == ()
    assert mapper.gathers("locations")
    assert not mapper.gathers("servers")
    read(mapper, locations=[{"id": "1", "name": "x", "town": "y"}])
    assert mapper.report().datasets["locations"].unmapped == ()


def test_one_value_a_key_is_given_by_the_text_of_the_key() -> None:
    locations = [{"id": 1, "name": "Lyon"}, {"id": "2", "name": ["Paris"]}, {"id": 3, "name": 7}]
    servers = [{"name": key, "key": key} for key in ("1", "2", "3")]

    found = read(load_mapping(job(SITES)), locations=locations, servers=servers)

    assert found == {"1": "Lyon", "2": ["Paris"], "3": 7}


def test_all_values_of_a_key_are_given_as_distinct_texts_in_order() -> None:
    links = [{"server": "s", "app": app} for app in ("b", "a", 3, "b", ["d", "c"], None)]

    found = read(load_mapping(job(APPS)), links=links, servers=[{"name": "n", "key": "s"}])

    assert found == {"n": ["3", "a", "b", "c", "d"]}


def test_a_key_with_several_values_where_one_is_wanted_is_known_to_none() -> None:
    locations = [{"id": "a", "name": "x"}, {"id": "a", "name": "y"}, {"id": "b", "name": "z"}]
    mapper = load_mapping(job(SITES))
    mapper.map_page("locations", [*locations, {"id": "b", "name": "z"}], 1)
    mapper.finish("locations")

    mapped = mapper.map_page("servers", [{"name": "n", "key": "a"}, {"name": "m", "key": "b"}], 1)

    assert mapped.entities.ids == ["m"]
    (reject,) = mapped.rejects
    assert reject.reason == (
        "dataset 'locations' has several values for 'a': mend them, or say many: true"
    )


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, {}),
        ({"unknown": "warn"}, {"n": None}),
        ({"unknown": "keep"}, {"n": "gone"}),
        ({"default": "none"}, {"n": "none"}),
    ],
    ids=str,
)
def test_a_key_that_no_record_has_does_what_the_job_says(
    options: dict[str, Any], expected: dict[str, Any]
) -> None:
    mapper = load_mapping(job(SITES, **options))

    assert read(mapper, servers=[{"name": "n", "key": "gone"}]) == expected
    assert [each.value for each in mapper.report().datasets["servers"].unknown] == ["gone"]


def test_records_without_a_key_and_odd_ones_give_no_row() -> None:
    odd: list[Any] = [{"id": None, "name": "x"}, {"name": "x"}, {"id": {}, "name": "x"}, None, 3]
    odd += [{"id": ["a"], "name": "x"}]
    mapper = load_mapping(job(SITES, unknown="warn"))

    assert read(mapper, locations=odd, servers=[{"name": "n", "key": "a"}]) == {"n": None}
    assert [each.value for each in mapper.report().datasets["servers"].unknown] == ["a"]


@pytest.mark.parametrize("lookup", [SITES, {**SITES, "many": True}], ids=["one", "many"])
def test_a_record_without_a_value_makes_its_key_known(lookup: dict[str, Any]) -> None:
    locations = [{"id": "a", "name": None}, {"id": "b"}, {"id": "b", "name": "x"}]
    mapper = load_mapping(job(lookup))

    found = read(
        mapper, locations=locations, servers=[{"name": key, "key": key} for key in ("a", "b")]
    )

    assert found == {"a": None, "b": ["x"] if "many" in lookup else "x"}
    assert mapper.report().datasets["servers"].unknown == ()


def test_rows_of_a_dataset_that_nobody_asks_for_are_not_dead() -> None:
    mapper = load_mapping(job(SITES))
    read(mapper, locations=[{"id": "a", "name": "x"}])

    assert mapper.report().dead == ()


def test_a_dataset_may_be_a_table_and_become_entities_too() -> None:
    raw = job({"dataset": "sites", "key": "code", "value": "location.name"})
    raw["entities"].append({"dataset": "sites", "component": {"name": "code"}})
    mapper = load_mapping(raw)

    found = read(
        mapper,
        sites=[{"code": "lyo", "location": {"name": "Lyon"}}],
        servers=[{"name": "n", "key": "lyo"}],
    )

    assert mapper.datasets == ("sites", "servers")
    assert mapper.fields("sites") == {"code", "location.name"}
    assert found == {"lyo": None, "n": "Lyon"}
    assert mapper.report().datasets["sites"].unmapped == ()


def test_a_table_may_be_named_and_shared() -> None:
    raw = job({}, unknown="warn")
    raw["entities"][0]["component"]["infos"]["found"]["value"]["lookup"] = "sites"
    raw["lookups"] = {"sites": SITES, "unused": {**APPS, "dataset": "elsewhere"}}

    assert load_mapping(raw, datasets=["servers", "locations"]).datasets == (
        *("locations", "servers"),
    )


def test_mapping_out_of_order_is_refused() -> None:
    mapper = load_mapping(job(SITES))

    with pytest.raises(ValueError, match="'locations' must be read to its end before 'servers'"):
        mapper.map_page("servers", [{"name": "n", "key": "a"}], 1)


def test_an_unknown_dataset_is_told_where_it_is_written() -> None:
    problem = only(job({**SITES, "dataset": "location"}), ["servers", "locations"])

    at = ("mapping", "entities", 0, "component", "infos", "found", "value", "lookup", "dataset")
    assert (problem.path, problem.what) == (at, "unknown dataset 'location'")
    assert problem.mend == "did you mean 'locations'?"


def test_a_dataset_cannot_be_read_before_itself() -> None:
    assert only(job({**SITES, "dataset": "servers"})).what == (
        "dataset 'servers' would have to be read before itself: 'servers' needs 'servers'"
    )
    raw = job({**SITES, "dataset": "sites"})
    value = {"copy": "x", "lookup": {"dataset": "servers", "key": "a", "value": "b"}}
    raw["entities"].append({"dataset": "sites", "component": {"name": value}})
    assert "'servers' needs 'sites' needs 'servers'" in only(raw).what


@pytest.mark.parametrize(
    ("lookup", "what"),
    [
        ({"dataset": "d", "key": "a"}, "value is missing: the column that is given"),
        ({"dataset": "d", "value": "a"}, "key is missing: the column that is compared"),
        ({"key": "a", "value": "b"}, "a table needs rows, csv or dataset"),
        ({"dataset": "d", "csv": "f", "key": "a", "value": "b"}, "csv and dataset exclude"),
        ({"dataset": "d", "key": "a", "value": "b", "delimiter": ";"}, "delimiter and encoding"),
        ({"dataset": "d", "key": "a..b", "value": "b"}, "path 'a..b' has an empty step"),
    ],
    ids=str,
)
def test_a_table_that_contradicts_itself_is_refused(lookup: dict[str, Any], what: str) -> None:
    assert only(job(lookup)).what.startswith(what)


def test_an_array_where_one_value_is_wanted_is_refused_when_the_job_compiles() -> None:
    raw = job(APPS)
    component = raw["entities"][0]["component"]
    component["category"] = {"copy": "key", "lookup": APPS}

    problem = only(raw)

    assert problem.path[-1] == "category"
    assert problem.mend == 'add join: ", "'
    component["category"]["join"] = ", "
    load_mapping(raw)


def services(servers: list[Record], links: list[Record]) -> dict[str, list[str]]:
    """What the mapping makes of a join: applications of servers, and what they depend on."""
    apps = {"copy": "id", "lookup": APPS, "unknown": "warn"}
    condition = {"field": "name", "cond": "is_one_of", "value": "$parent.name"}
    mapper = load_mapping(
        {
            "entities": [
                {
                    "dataset": "servers",
                    "component": {"name": "name", "infos": {"apps": {"value": apps}}},
                },
                {
                    "dataset": "servers",
                    "each": apps,
                    "service": {"name": ".", "pattern": condition},
                },
            ]
        }
    )
    assert mapper.datasets == ("links", "servers")
    found = {}
    for dataset, records in (("links", links), ("servers", servers)):
        for first in range(0, len(records), 1_000):
            page = records[first : first + 1_000]
            for payload in mapper.map_page(dataset, page, first + 1).entities.payloads:
                body = orjson.loads(payload)
                found[body["name"]] = body["infos"].get("apps", {}).get("value", [])
        for payload in mapper.finish(dataset).entities.payloads:
            body = orjson.loads(payload)
            found[body["name"]] = body["entity_pattern"][0][0]["cond"]["value"]
    return found


def naive(servers: list[Record], links: list[Record]) -> dict[str, list[str]]:
    """The same, as one would write it for these records alone."""
    names = {server["id"]: server["name"] for server in servers}
    below, above = defaultdict(set), defaultdict(set)
    for link in links:
        above[link["server"]].add(link["app"])
        if link["server"] in names:
            below[link["app"]].add(names[link["server"]])
    found = {server["name"]: sorted(above[server["id"]]) for server in servers}
    return found | {app: sorted(servers) for app, servers in below.items()}


KEYS = st.integers(0, 9)


@given(st.sets(KEYS), st.lists(st.tuples(KEYS, KEYS), max_size=30))
def test_services_are_those_of_a_naive_computation(
    ids: set[int], pairs: list[tuple[int, int]]
) -> None:
    servers = [{"id": f"S{key}", "name": f"host-{key}"} for key in sorted(ids)]
    links = [{"server": f"S{server}", "app": f"A{app}"} for server, app in pairs]

    assert services(servers, links) == naive(servers, links)


def test_services_are_those_of_a_naive_computation_at_full_scale() -> None:
    draw = random.Random(7)
    servers = [{"id": f"S{key}", "name": f"host-{key}"} for key in range(100_000)]
    links = [
        {"server": f"S{draw.randrange(100_100)}", "app": f"A{draw.randrange(3_000)}"}
        for _ in range(300_000)
    ]

    assert services(servers, links) == naive(servers, links)
