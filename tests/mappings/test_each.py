"""`each`: one entity for every item of a list inside a record, with the record in reach."""

from typing import Any

import orjson
import pytest

from mappings.errors import MappingErrors
from mappings.loading import load_mapping
from mappings.mapper import Mapper
from mappings.remarks import remarks

Record = dict[str, Any]
SERVER = {
    "name": "srv1",
    "interfaces": [{"name": "eth0", "speed": 10}, {"name": "eth1", "mac": {"text": "aa:bb"}}],
    "disks": {"sda": {"size": 5}, "sdb": {"size": 7}},
    "tags": ["dmz", None, "pci"],
}


def mapper(each: object, *, ignore: tuple[str, ...] = (), **resource: Any) -> Mapper:
    rule = {"name": "name", "component": "$parent.name", **resource}
    block = {"dataset": "servers", "each": each, "resource": rule, "ignore": list(ignore)}
    return load_mapping({"entities": [block]})


def infos(made: Mapper, *records: Any) -> dict[str, dict[str, Any]]:
    """The infos of each entity by its id."""
    page = made.map_page("servers", list(records), 1).entities
    bodies = map(orjson.loads, page.payloads)
    return {
        name: {key: found["value"] for key, found in body["infos"].items()}
        for name, body in zip(page.ids, bodies, strict=True)
    }


def test_every_item_of_a_list_becomes_an_entity_of_its_record() -> None:
    made = mapper("interfaces", infos={"speed": "speed", "mac": "mac.text", "rank": "$key"})

    assert infos(made, SERVER) == {
        "eth0/srv1": {"speed": 10, "rank": 0},
        "eth1/srv1": {"mac": "aa:bb", "rank": 1},
    }
    assert made.fields("servers") == {"interfaces", "name"}


def test_every_value_of_a_map_becomes_one_and_its_key_can_be_had() -> None:
    made = mapper("disks", name="$key", infos={"size": "size"})

    assert infos(made, SERVER) == {"sda/srv1": {"size": 5}, "sdb/srv1": {"size": 7}}


def test_items_may_be_texts_and_nulls_among_them_are_passed_over() -> None:
    made = mapper("tags", name=".", infos={"up": "{{ uppercase . }}", "rank": "$key"})

    assert infos(made, SERVER) == {
        "dmz/srv1": {"up": "DMZ", "rank": 0},
        "pci/srv1": {"up": "PCI", "rank": 2},
    }


@pytest.mark.parametrize(
    ("template", "texts"),
    [
        ("{{ .name }} of {{ $parent.name }}", ["eth0 of srv1", "eth1 of srv1"]),
        ("{{ $key }}:{{ .name }}", ["0:eth0", "1:eth1"]),
        ("{{ if .speed }}{{ .speed }}{{ else }}{{ $parent.name }}{{ end }}", ["10", "srv1"]),
        ("{{ range $key, $value := $parent.tags }}{{ $value }}{{ end }}", ["ab", "ab"]),
        ("{{ .speed }}", ["10", None]),
        ("{{ $parent.nothing }}", [None, None]),
    ],
    ids=str,
)
def test_a_template_starts_at_the_item_and_has_the_record_as_parent(
    template: str, texts: list[str | None]
) -> None:
    made = mapper("interfaces", infos={"x": {"value": template}})

    record = {**SERVER, "tags": ["a", "b"]}
    assert [each.get("x") for each in infos(made, record).values()] == texts


def test_a_template_over_a_field_of_the_item_or_of_the_record() -> None:
    rules = {
        "a": {"value": {"template": "{{ uppercase .Field }}", "field": "name"}},
        "b": {"value": {"template": "{{ uppercase .Field }}", "field": "$parent.name"}},
        "c": {"value": {"regexp": "[0-9]", "field": "$key"}},
    }

    assert infos(mapper("interfaces", infos=rules), SERVER)["eth1/srv1"] == {
        "a": "ETH1",
        "b": "SRV1",
        "c": "1",
    }


@pytest.mark.parametrize("nothing", [{}, {"interfaces": None}, {"interfaces": []}], ids=str)
def test_a_record_without_items_makes_nothing_and_is_no_reject(nothing: Record) -> None:
    mapped = mapper("interfaces").map_page("servers", [{"name": "s", **nothing}], 1)

    assert (len(mapped.entities), mapped.rejects) == (0, [])


@pytest.mark.parametrize("odd", ["eth0", 3, True], ids=repr)
def test_what_is_neither_a_list_nor_a_map_rejects_the_record(odd: object) -> None:
    made = mapper("interfaces")

    mapped = made.map_page("servers", [{"name": "s", "interfaces": odd}], 4)

    (reject,) = mapped.rejects
    assert (reject.number, reject.rule, reject.id) == (4, "resource.each", "")
    assert reject.reason.startswith("each goes over an array or an object, not a")
    assert made.report().datasets["servers"].nameless == 1


def test_a_bad_item_is_a_reject_that_says_which_and_the_others_go_on() -> None:
    made = mapper("interfaces", infos={"speed": {"value": {"copy": "speed", "required": True}}})

    mapped = made.map_page("servers", [SERVER, {"name": "s", "interfaces": [3, {}]}], 1)

    assert mapped.entities.ids == ["eth0/srv1"]
    assert [(each.number, each.rule, each.id) for each in mapped.rejects] == [
        (1, "resource.infos.speed", "eth1/srv1"),
        (2, "resource.name", ""),
        (2, "resource.name", ""),
    ]
    assert mapped.rejects[0].reason.endswith("(item 1 of interfaces)")
    assert made.report().datasets["servers"].rejects == 2


def test_what_is_no_object_is_a_reject_here_too() -> None:
    records: list[Any] = [None, "text", SERVER]

    mapped = mapper("interfaces").map_page("servers", records, 1)

    assert len(mapped.entities) == 2
    assert {reject.reason for reject in mapped.rejects} == {
        *("a record is an object, not None", "a record is an object, not 'text'"),
    }


def test_items_may_make_services_that_gather_their_records() -> None:
    pattern = {"field": "name", "cond": "is_one_of", "value": "$parent.name"}
    rule = {"name": "TAG-{{ . }}", "pattern": pattern}
    made = load_mapping({"entities": [{"dataset": "servers", "each": "tags", "service": rule}]})

    made.map_page("servers", [SERVER, {"name": "srv0", "tags": ["pci"]}], 1)

    bodies = map(orjson.loads, made.finish("servers").entities.payloads)
    assert {body["name"]: body["entity_pattern"][0][0]["cond"]["value"] for body in bodies} == {
        "TAG-dmz": ["srv1"],
        "TAG-pci": ["srv0", "srv1"],
    }


def test_each_may_cut_a_text_or_look_a_list_up() -> None:
    cut = mapper({"copy": "roles", "split": ",", "trim": True}, name=".")
    assert list(infos(cut, {"name": "s", "roles": "web, db"})) == ["web/s", "db/s"]
    table = {"s": ["a", "b"]}
    looked_up = mapper({"copy": "name", "lookup": table, "unknown": "warn"}, name=".")
    assert list(infos(looked_up, {"name": "s"}, {"name": "t"})) == ["a/s", "b/s"]
    needed = mapper({"copy": "roles", "required": True}, name=".")
    (reject,) = needed.map_page("servers", [{"name": "s"}], 1).rejects
    assert (reject.rule, reject.id) == ("resource.each", "")
    assert list(infos(mapper({"copy": "r", "default": ["x"]}, name="."), {"name": "s"})) == ["x/s"]


def test_an_item_that_json_cannot_hold_is_a_reject_of_its_record() -> None:
    items = [{"name": "a"}, {"name": "b", "speed": 2**70}]
    made = mapper("interfaces", infos={"speed": "speed"})

    mapped = made.map_page("servers", [{"name": "r"}, {"name": "s", "interfaces": items}], 5)

    assert mapped.entities.ids == ["a/s"]
    assert [(each.number, each.id) for each in mapped.rejects] == [(6, "b/s")]


def test_fields_of_items_are_mapped_ignored_or_reported_like_those_of_records() -> None:
    made = mapper("interfaces", ignore=("mac", "$parent.disks"), infos={"x": "speed"})

    made.map_page("servers", [{**SERVER, "interfaces": [{"name": "a", "mac": 1, "duplex": 2}]}], 1)

    assert made.report().datasets["servers"].unmapped == ("tags", "interfaces[].duplex")


def test_a_list_that_never_had_an_item_is_reported() -> None:
    made = mapper("interfacess")
    made.map_page("servers", [SERVER], 1)

    assert made.report().datasets["servers"].silent == ("resource.each",)
    assert "servers: rules that never gave a value: resource.each" in remarks(made.report())


@pytest.mark.parametrize(
    ("where", "what"),
    [
        ({"name": "$parent"}, "$parent is the whole record"),
        ({"name": "{{ $parent }}"}, "$parent is the whole record"),
        ({"name": "{{ $parnet.name }}"}, "template: undefined variable"),
        ({"name": "{{ . }}{{ $key }}"}, "the template looks into the item as a whole"),
        ({"name": "$key.x"}, "$key is a text and has no fields"),
        ({"name": "a..b"}, "path 'a..b' has an empty step"),
    ],
    ids=str,
)
def test_what_leads_nowhere_is_refused(where: dict[str, Any], what: str) -> None:
    with pytest.raises(MappingErrors) as caught:
        mapper("interfaces", **where)

    (problem,) = caught.value.problems
    assert problem.what.startswith(what)


def test_a_fault_in_a_template_keeps_its_column_though_parents_are_put_before_it() -> None:
    with pytest.raises(MappingErrors) as caught:
        mapper("interfaces", name="{{ $parent.name }}{{ upcase .name }}")

    assert caught.value.problems[0].offset == (0, 21)


def test_the_key_of_a_record_that_lay_in_a_map_is_a_field_of_it() -> None:
    made = mapper("disks", name="$key", component="$parent.$key")

    assert list(infos(made, {"$key": "srv1", **SERVER})) == ["sda/srv1", "sdb/srv1"]
    flat = load_mapping({"entities": [{"dataset": "a", "component": {"name": "$key"}}]})
    assert flat.map_page("a", [{"$key": "srv1"}], 1).entities.ids == ["srv1"]


@pytest.mark.parametrize("path", ["$parent.name", "$key.x", "."])
def test_the_words_of_each_are_refused_without_it(path: str) -> None:
    with pytest.raises(MappingErrors):
        load_mapping({"entities": [{"dataset": "a", "component": {"name": path}}]})


def test_a_constant_has_no_items() -> None:
    with pytest.raises(MappingErrors) as caught:
        mapper({"set": ["a"]})

    assert caught.value.problems[0].what == "a constant has no items of the record"
