"""Every example of `docs/templates.md` gives what the page says."""

import json
import re
from pathlib import Path

import orjson
import pytest

from mappings.golang.functions import FUNCTIONS
from mappings.gotemplate import TemplateExecError, compile_template

PAGE = Path(__file__).parents[2] / "docs" / "templates.md"
CELL = re.compile(r"(?<!\\)\|")


def examples() -> list[tuple[str, str, str]]:
    """Template, record and result of each row, without their backquotes."""
    rows = []
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in CELL.split(line)]
        if len(cells) == 6 and cells[2].startswith("`"):
            template, record, result = (bare(cell) for cell in cells[2:5])
            rows.append((template, record, result))
    return rows


def bare(cell: str) -> str:
    quotes = "``" if cell.startswith("``") else "`"
    return cell[len(quotes) : -len(quotes)].replace("\\|", "|")


EXAMPLES = examples()


@pytest.mark.parametrize(
    ("template", "record", "result"), EXAMPLES, ids=[row[0] for row in EXAMPLES]
)
def test_an_example_of_the_page_gives_its_result(template: str, record: str, result: str) -> None:
    compiled = compile_template(template, json_numbers=True)
    decoded = orjson.loads(record)

    if result == "error":
        with pytest.raises(TemplateExecError):
            compiled.render(decoded)
    else:
        assert compiled.render(decoded) == result


def test_the_page_has_an_example_of_every_function() -> None:
    written = " ".join(template for template, _, _ in EXAMPLES)

    missing = [name for name in FUNCTIONS if not re.search(rf"[{{(| ]{name}\b", written)]

    assert missing == []


def test_the_page_is_short_and_its_records_are_json() -> None:
    assert len(PAGE.read_text(encoding="utf-8").splitlines()) < 120
    assert len(EXAMPLES) > 50
    assert all(isinstance(json.loads(record), dict) for _, record, _ in EXAMPLES)
