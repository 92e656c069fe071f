"""Every YAML example of the page on the mapping language compiles; the page knows each option."""

import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from mappings.loading import load_mapping
from mappings.value_rule import ValueRule

PAGE = Path(__file__).parents[2] / "docs" / "parts" / "mapping.md"
TEXT = PAGE.read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_of_the_page_compiles(example: str) -> None:
    document = YAML(typ="safe", pure=True).load(example)

    assert load_mapping(document["mapping"]).datasets


def test_the_page_speaks_of_every_word_of_a_value() -> None:
    words = [field.alias or name for name, field in ValueRule.model_fields.items()]

    assert [word for word in words if not re.search(rf"\b{word}\b", TEXT)] == []
    assert len(EXAMPLES) > 2
