"""What tests of driver files share: a small file, and the entities that rows become."""

import json
from pathlib import Path
from typing import Any

from mappings.driver_reading import read_driver
from mappings.driver_rules import ROWS, DriverMapper

FILES = Path(__file__).parent / "driver"
FILE = """\
api:
  url: http://cmdb.example/cis
import:
  source: cmdb
  action: set
mapping:
  path: rows
  component:
    name: {type: copy, value: name}
"""


def read(name: str) -> str:
    return (FILES / name).read_text(encoding="utf-8")


def answer(name: str) -> Any:
    return json.loads((FILES / f"{name}.json").read_bytes())


def mapped(text: str, rows: list[Any], **options: Any) -> tuple[list[dict[str, Any]], DriverMapper]:
    mapper = DriverMapper(read_driver(text), **options)
    done = mapper.map_page(ROWS, rows, 1)
    return [json.loads(payload) for payload in done.entities.payloads], mapper


def with_info(value: str) -> str:
    return f"{FILE}    infos: {{x: {{value: {value}}}}}\n"


def info_of(value: str, row: dict[str, Any]) -> Any:
    """What an info becomes whose value is written so; None when it is left out."""
    made, _ = mapped(with_info(value), [{"name": "a", **row}])
    return made[0]["infos"].get("x", {}).get("value")


def odd(value: str, row: dict[str, Any]) -> list[str]:
    """What is told about it."""
    _, mapper = mapped(with_info(value), [{"name": "a", **row}] * 2)
    return [note.reason for note in mapper.counts.odd.values()]
