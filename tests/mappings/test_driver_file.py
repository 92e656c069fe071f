"""Driver files, from their text to the entities: the use case, and the examples of the spec."""

import json
import re
import textwrap
from pathlib import Path

import pytest

from mappings import driver_entities, driver_reading, driver_values
from mappings.driver import rows_of
from mappings.driver_reading import read_driver
from mappings.driver_rules import ROWS
from mappings.goyaml import Mapping, Scalar, Sequence, read_goyaml
from tests.mappings.driver_rows import FILE, answer, mapped, read


def test_the_three_levels_give_exactly_the_nine_entities() -> None:
    got = []
    for name in ("servers", "composants", "applications"):
        file = read_driver(read(f"{name}.yml"))
        made, mapper = mapped(read(f"{name}.yml"), rows_of(file, answer(name)))
        assert file.remarks == ()
        assert mapper.report().datasets[ROWS].rejects == 0
        got += made

    fixed = {(e.pop("action"), e.pop("enabled"), e.pop("impact_level")) for e in got}
    assert fixed == {("set", True, 1)}
    assert got == json.loads(read("entities.json"))


@pytest.mark.parametrize("name", ["documented", "legacy", "every_key"])
def test_an_example_gives_exactly_its_entities(name: str) -> None:
    """The documented examples, the legacy file of §1.5, and a file with every key."""
    file = read_driver(read(f"{name}.yml"))

    made, mapper = mapped(read(f"{name}.yml"), rows_of(file, answer(name)))

    assert made == json.loads(read(f"{name}_entities.json"))
    assert mapper.report().datasets[ROWS].rejects == 0


def test_the_documented_service_has_the_pattern_of_the_worked_reading() -> None:
    """`specs/driver-compat.md` §1.4: a scalar is wrapped for a condition on arrays."""
    made, _ = mapped(read("documented.yml"), answer("documented")["hits"]["hits"])

    assert made[4]["entity_pattern"] == [
        [
            {
                "field": "infos.applications",
                "field_type": "string_array",
                "cond": {"type": "has_one_of", "value": ["Doc-APP1"]},
            }
        ]
    ]


def test_a_legacy_file_is_read_as_the_current_one_with_its_action_remarked_on() -> None:
    file = read_driver(read("legacy.yml"))

    assert (file.legacy, file.missing, file.is_map, file.path) == (True, "keep", True, ("data",))
    assert file.api.url == "http://localhost:9200/cis?filtre=filtre1"
    assert [(each.line, each.column) for each in file.remarks] == [(6, 11)]
    assert "create is unknown to Canopsis since 23.04" in file.remarks[0].what


def test_a_legacy_file_of_4_4_has_its_rows_at_the_root() -> None:
    text = read("legacy.yml").replace("  path: data\n  is_map: true\n", "")
    rows = rows_of(read_driver(text), list(answer("legacy")["data"].values()))

    made, _ = mapped(text, rows)

    assert made == json.loads(read("legacy_entities.json"))


def test_the_file_with_every_key_lacks_none_and_has_every_type_of_value() -> None:
    keys, texts, left = set(), set(), [read_goyaml(read("every_key.yml"))]
    for node in left:
        if isinstance(node, Mapping):
            keys.update(key.text for key, _ in node.entries)
            left += [each for _, each in node.entries]
        elif isinstance(node, Sequence):
            left += node.items
        elif isinstance(node, Scalar):
            texts.add(node.text)
    current = {*driver_entities._CURRENT, *driver_entities._ENTITY, *driver_entities._CONDITION}
    own = {word for words in driver_entities._OWN.values() for word in words}
    read_by = {*driver_reading._FILE, *driver_reading._API, *driver_reading._IMPORT}

    assert current | own | read_by | {*driver_values._WORDS} <= keys
    assert set(driver_values.TYPES) <= texts


def test_the_example_of_the_page_is_read_and_gives_an_entity() -> None:
    page = (Path(__file__).parents[2] / "docs" / "driver.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    text = FILE[: FILE.index("  component:")] + textwrap.indent(example, "  ")

    made, _ = mapped(text, [{"name": "n", "zone": "z", "parent": "p"}])

    assert read_driver(text).remarks == ()
    assert (made[0]["name"], made[0]["tags"], made[0]["upstream"]) == ("S-n", {"zone": "z"}, "p")
    assert [len(group) for group in made[0]["entity_pattern"]] == [2, 1]


def test_the_call_of_a_file_with_every_key_is_read_whole() -> None:
    api = read_driver(read("every_key.yml")).api

    assert (api.url, api.method) == ("http://localhost:9200/cis", "POST")
    assert api.headers == (("Content-Type", "application/json"), ("X-Site", "Nîmes"))
    assert api.json == {
        "query": {"match": "all"},
        "size": 10,
        "since": "2021-09-29T00:00:00Z",
    }
    assert api.insecure_skip_verify
