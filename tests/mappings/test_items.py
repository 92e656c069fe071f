"""The bytes that generated code writes are those of `referential.entity.encode`, in every case."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.loading import load_mapping
from mappings.mapper import Mapper
from referential.entity import EntityPage, encode, entity_id, fingerprint, joined_keys

FIELDS = st.sampled_from("abc")
TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=4)
VALUES = st.one_of(st.none(), TEXTS, st.integers(-3, 3), st.booleans(), st.lists(TEXTS, max_size=2))
RULES = st.one_of(
    FIELDS,
    st.builds(lambda field, given: {"copy": field, "default": given}, FIELDS, TEXTS),
    st.builds(lambda field: {"copy": field, "required": True}, FIELDS),
    st.builds(lambda given: {"set": given}, st.one_of(TEXTS, st.integers(0, 9))),
    st.just("{{ .a }}-{{ .b }}"),
)
INFO_RULES = st.one_of(RULES, st.builds(lambda given: {"set": given}, st.lists(TEXTS, max_size=2)))
INFOS = st.dictionaries(
    st.sampled_from(["k", "é", 'q"', "b\\", "z z", "K2"]),
    st.one_of(INFO_RULES, st.builds(lambda v, d: {"value": v, "description": d}, RULES, TEXTS)),
    max_size=4,
)
HEADS = st.fixed_dictionaries(
    {"infos": INFOS},
    optional={"category": RULES, "impact_level": st.sampled_from(["a", {"set": 4}])},
)
PATTERN = [
    {"field": "name", "cond": "eq", "value": "a"},
    {"field": "component", "cond": "eq", "value": {"set": "é"}},
]
KINDS: dict[str, dict[str, Any]] = {
    "component": {},
    "resource": {"component": "home"},
    "service": {"pattern": PATTERN, "output_template": "a"},
}


def mapper_of(kind: str, rule: dict[str, Any]) -> Mapper:
    return load_mapping({"entities": [{"dataset": "all", kind: {"name": "name", **rule}}]})


def check(page: EntityPage) -> None:
    """The bytes are canonical, and the columns say what is in them."""
    bodies = list(map(orjson.loads, page.payloads))
    assert page.payloads == list(map(encode, bodies))
    assert page.fingerprints == list(map(fingerprint, page.payloads))
    assert page.categories == [body.get("category", "") for body in bodies]
    assert page.infos == [joined_keys(tuple(body["infos"])) for body in bodies]
    assert page.kinds == [body["type"] for body in bodies]
    assert page.ids == [
        entity_id(body["type"], body["name"], body.get("component", "")) for body in bodies
    ]


@pytest.mark.parametrize("kind", KINDS)
@given(
    heads=HEADS,
    records=st.lists(
        st.fixed_dictionaries(
            {"name": st.text('n"\\é', max_size=2), "home": st.text("hé", min_size=1, max_size=2)},
            optional=dict.fromkeys("abc", VALUES),
        ),
        max_size=4,
    ),
)
def test_entities_are_canonical_and_their_columns_say_what_is_in_them(
    kind: str, heads: dict[str, Any], records: list[dict[str, Any]]
) -> None:
    mapped = mapper_of(kind, {**KINDS[kind], **heads}).map_page("all", records, 1)

    assert len(mapped.entities) + len(mapped.rejects) == len(records)
    check(mapped.entities)


@pytest.mark.parametrize("odd", [10**30, "\ud800", ["\ud800"]], ids=repr)
@pytest.mark.parametrize("kind", KINDS)
def test_a_constant_that_json_cannot_hold_rejects_every_record(kind: str, odd: object) -> None:
    mapper = mapper_of(kind, {**KINDS[kind], "infos": {"x": {"set": odd}, "y": "a"}})

    mapped = mapper.map_page("all", [{"name": "n", "home": "h", "a": 1}, {"name": ""}], 1)

    assert mapped.entities.ids == []
    first, second = mapped.rejects
    assert first.id == ("n/h" if kind == "resource" else "n")
    assert first.rule == f"{kind}.name"
    assert "cannot be written as JSON" in first.reason
    assert "blank" in second.reason
    check(mapped.entities)


def test_a_gathered_service_that_json_cannot_hold_is_a_reject_beside_the_others() -> None:
    pattern = {"field": "name", "cond": "is_one_of", "value": "machine"}
    mapper = mapper_of("service", {"pattern": pattern, "infos": {"x": "a"}})
    rows = [("one", "m1", "fine"), ("two", "m2", "\ud800"), ("two", "m3", "fine")]
    records = [{"name": name, "machine": machine, "a": a} for name, machine, a in rows]
    assert len(mapper.map_page("all", records, 1).entities) == 0

    mapped = mapper.finish("all")

    assert mapped.entities.ids == ["one"]
    check(mapped.entities)
    (reject,) = mapped.rejects
    assert (reject.id, reject.number, reject.record) == ("two", 2, records[1])
    assert "cannot be written as JSON" in reject.reason


def test_what_is_kept_of_an_info_changes_nothing_however_many_texts_there_are() -> None:
    rules = {"x": "a", "y": {"copy": "a", "default": "none"}, "z": "{{ uppercase .a }}", "k": "b"}
    mapper = mapper_of("component", {"infos": rules})
    texts = [f"t{n % 700}" for n in range(2_000)]
    records = [{"name": f"n{n}", "a": text, "b": n} for n, text in enumerate(texts)]

    mapped = mapper.map_page("all", [*records, {"name": "none"}, {"name": "odd", "a": [1]}], 1)

    assert mapped.rejects == []
    infos = [orjson.loads(payload)["infos"] for payload in mapped.entities.payloads]
    found = [{key: info["value"] for key, info in each.items()} for each in infos]
    expected = [{"x": t, "y": t, "z": t.upper(), "k": n} for n, t in enumerate(texts)]
    assert found == [*expected, {"y": "none"}, {"y": "none", "z": ""}]
    check(mapped.entities)
    (tally,) = mapper.report().datasets.values()
    assert tally.filled == {"x": 2000 / 2002, "y": 1.0, "z": 2001 / 2002, "k": 2000 / 2002}
    assert {each.rule: each.count for each in tally.refused}["component.infos.x"] == 1
