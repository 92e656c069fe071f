"""Every YAML example of the page on the mapping language compiles; the page knows each word."""

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from ruamel.yaml import YAML

from mappings.fragments import Fragment, expand
from mappings.language import MappingBlock
from mappings.loading import load_mapping
from mappings.strict import Strict

PAGE = Path(__file__).parents[2] / "docs" / "parts" / "mapping.md"
TEXT = PAGE.read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
# a block that begins with the name of a file is that file
FILES = {found[1]: block for block in BLOCKS if (found := re.match(r"# (_\S+\.yaml)\n", block))}
EXAMPLES = [block for block in BLOCKS if block not in FILES.values()]


def plain(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


def read_file(name: str, _: object) -> bytes:
    assert name == "sites.csv"
    return b"code;label\nlyo;Lyon\n"


def fragment(path: str, _: str) -> Fragment:
    return Fragment(path, plain(FILES[path]))


def models(model: type[BaseModel]) -> list[type[BaseModel]]:
    return [model, *(each for sub in model.__subclasses__() for each in models(sub))]


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_of_the_page_compiles(example: str) -> None:
    expanded = expand(plain(example), fragment)

    assert expanded.problems == ()
    assert load_mapping(expanded.data["mapping"], read_file=read_file).datasets


def test_fragments_of_the_page_are_used_by_an_example() -> None:
    assert len(FILES) > 1
    assert [name for name in FILES if not any(name in example for example in EXAMPLES)] == []


def test_the_page_speaks_of_every_word_of_the_language() -> None:
    assert issubclass(MappingBlock, Strict)
    words = {
        field.alias or name
        for model in models(Strict)
        if model.__module__.startswith("mappings.")
        for name, field in model.model_fields.items()
    }

    assert [word for word in sorted(words) if not re.search(rf"\b{word}\b", TEXT)] == []
    assert len(EXAMPLES) > 8
