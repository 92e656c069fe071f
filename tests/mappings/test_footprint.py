"""What a mapping needs of the records: the paths that it reads, into the items of lists too."""

from typing import Any

from mappings.footprint import Footprint, footprint_of
from mappings.loading import load_mapping
from mappings.mapper import Mapper

RECORD = {
    "id": "1",
    "name": "srv-001",
    "os": {"family": "Linux", "version": "12.7"},
    "site": None,
    "contacts": [
        {"name": "Zoé", "email": "z@x.example", "phones": ["1", "2"]},
        {"name": "Li", "email": "l@x.example"},
    ],
    "interfaces": {"lan": {"speed": 10, "mac": "00"}, "wan": {"speed": 1, "mac": "01"}},
    "roles": "web,db",
    "Resp. technique": "Anne",
}


def mapper(*blocks: dict[str, Any], **words: Any) -> Mapper:
    entities = [{"dataset": "servers"} | block for block in blocks]
    return load_mapping({"entities": entities, **words})


def footprint(*blocks: dict[str, Any], **words: Any) -> Footprint:
    return footprint_of(mapper(*blocks, **words), "servers")


def pruned(*blocks: dict[str, Any]) -> Any:
    (record,) = footprint(*blocks).pruned([RECORD])
    return record


def test_a_record_keeps_what_rules_and_filters_read() -> None:
    block = {
        "when": {"field": "site", "cond": "exist", "value": False},
        "component": {"name": "name", "infos": {"os": "os.version", "who": r"Resp\. technique"}},
        "ignore": ["id"],
    }

    assert pruned(block) == {
        "name": "srv-001",
        "os": {"version": "12.7"},
        "site": None,
        "Resp. technique": "Anne",
    }


def test_items_of_a_list_keep_what_is_read_of_them_and_what_is_around() -> None:
    block = {
        "each": "contacts",
        "resource": {"name": "email", "component": "$parent.name"},
    }

    assert pruned(block) == {
        "name": "srv-001",
        "contacts": [{"email": "z@x.example"}, {"email": "l@x.example"}],
    }


def test_a_map_keeps_its_keys() -> None:
    block = {"each": "interfaces", "resource": {"name": "$key", "component": "$parent.name"}}
    with_speed = block | {"resource": {**block["resource"], "infos": {"speed": "speed"}}}  # type: ignore[dict-item]

    assert pruned(with_speed)["interfaces"] == {"lan": {"speed": 10}, "wan": {"speed": 1}}
    assert list(pruned(block)["interfaces"]) == ["lan", "wan"]


def test_what_is_read_whole_stays_whole_though_a_part_is_read_too() -> None:
    items = {"each": "contacts", "resource": {"name": "email", "component": "$parent.name"}}
    split = {
        "each": {"copy": "roles", "split": ","},
        "resource": {"name": ".", "component": "$parent.name"},
    }
    whole = {"component": {"name": "name", "infos": {"contacts": "contacts"}}}

    assert pruned(items, whole)["contacts"] == RECORD["contacts"]
    assert pruned(split) == {"name": "srv-001", "roles": "web,db"}


def test_a_path_that_meets_something_else_finds_nothing_and_leaves_nothing_unread() -> None:
    block = {"component": {"name": "name", "infos": {"a": "contacts.email", "b": "roles.first"}}}

    assert pruned(block) == {"name": "srv-001", "contacts": [], "roles": "web,db"}
    assert footprint(block).pruned(["no object", RECORD]) == [pruned(block)]  # type: ignore[list-item]


def test_a_table_keeps_its_two_fields_and_knows_what_others_ask_it_for() -> None:
    made = mapper(
        {
            "component": {
                "name": "name",
                "infos": {
                    "owner": {"copy": "owner_id", "trim": True, "lookup": "owners"},
                    "by": {"template": "{{ .by }}", "lookup": "owners"},
                },
            }
        },
        lookups={"owners": {"dataset": "people", "key": "id", "value": "name"}},
    )

    assert footprint_of(made, "people").paths == {("id",), ("name",)}
    (ask,) = footprint_of(made, "servers").asks
    assert (ask.dataset, ask.key, ask.path) == ("people", ("id",), ("owner_id",))
    records: list[Any] = [{"owner_id": " 7 "}, {"owner_id": 8}, {"owner_id": {}}, {}]
    assert list(ask.words(records)) == ["7", "8"]


def test_what_each_looks_up_is_asked_for_by_the_record() -> None:
    made = mapper(
        {
            "each": {"copy": "ids", "lookup": "owners", "unknown": "warn"},
            "service": {
                "name": ".",
                "pattern": {"field": "name", "cond": "is_one_of", "value": "$parent.name"},
            },
        },
        lookups={"owners": {"dataset": "people", "key": "id", "value": "name", "many": True}},
    )

    (ask,) = footprint_of(made, "servers").asks
    assert ask.path == ("ids",)
    assert list(ask.words([{"ids": ["7", 8]}])) == ["7", "8"]
    assert footprint_of(made, "servers").paths == {("ids",), ("name",)}
