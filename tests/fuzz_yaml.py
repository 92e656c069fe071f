"""Driver files to try, and YAML as Go reads it: what the tests have of them, spoilt."""

import json
from pathlib import Path
from random import Random
from typing import Any

from mappings.driver import NoRows, rows_of
from mappings.driver_reading import read_driver
from mappings.driver_rules import DriverMapper
from mappings.driver_sheet import DriverErrors
from mappings.goyaml import GoYamlError, plain, read_goyaml
from mappings.remarks import remarks
from tests.fuzz_records import check_rejects, odd_value
from tests.fuzz_templates import vectors
from tests.fuzz_text import spoilt
from tests.fuzz_watch import Case, Poor

DRIVER = Path(__file__).parent / "mappings" / "driver"
FILES = {path.name: path.read_text(encoding="utf-8") for path in sorted(DRIVER.glob("*.yml"))}
ANSWERS: list[Any] = [
    json.loads((DRIVER / name).read_text(encoding="utf-8"))
    for name in ("applications.json", "composants.json", "servers.json")
]
SCALARS = [str(line["yaml"]) for line in vectors("goyaml")]
PIECES = (
    *("- ", ": ", "? ", "{", "}", "[", "]", ", ", "&a ", "*a", "<<: *a", "!!str ", "!!int ", "!x "),
    *(
        "!!binary ",
        "!!map ",
        "|\n  ",
        ">-\n  ",
        "|+2\n",
        "# ",
        "---\n",
        "...\n",
        "%YAML 1.1\n",
        "@",
    ),
    *(
        "'",
        '"',
        "\\x41",
        "\\ud800",
        "\n",
        "\n  ",
        "0x1F",
        "0o17",
        "1_000",
        ".inf",
        "2021-09-29",
        "~",
    ),
    *(
        "yes",
        "null",
        "api:",
        "import:",
        "mapping:",
        "component:",
        "infos:",
        "name:",
        "type: regexp",
    ),
    *("regexp: '(a'", "value: '{{ .Field }}'", "field: host", "path: hits.hits", "is_map: yes"),
)


def draw_yaml(random: Random) -> Case:
    chance = random.random()
    if chance < 0.4:
        count = random.choice((1, 2, 4, 8, 30))
        return {"text": "".join(random.choice((*PIECES, *SCALARS)) for _ in range(count))}
    if chance < 0.6:
        return {"text": f"v: {spoilt(random, random.choice(SCALARS), PIECES)}"}
    if chance < 0.65:
        return {"text": random.choice(PIECES) * random.choice((50, 300, 2000))}
    return {"text": spoilt(random, random.choice(list(FILES.values())), PIECES)}


def run_yaml(case: Case) -> str:
    try:
        plain(read_goyaml(case["text"]))
    except GoYamlError as error:
        if not str(error) or error.line < 1 or error.column < 1:
            raise Poor(f"an error without cause or place: {error}") from error
        return "refused"
    return "read"


def draw_driver(random: Random) -> Case:
    answer: Any = random.choice(ANSWERS)
    if random.random() < 0.7:
        names = ("host", "level", "kind", "asset", "serial", "live", "above", "_id", "_source")
        row = {name: odd_value(random) for name in names}
        answer = {"rows": [row, odd_value(random)], "hits": {"hits": [row]}}
    text = random.choice(list(FILES.values()))
    if random.random() < 0.6:
        text = spoilt(random, text, PIECES)
    return {"text": text, "answer": answer}


def run_driver(case: Case) -> str:
    try:
        file = read_driver(case["text"])
    except DriverErrors as errors:
        if not errors.problems or any(each.line < 1 or not each.what for each in errors.problems):
            raise Poor("a fault without cause or place") from errors
        return "refused"
    try:
        rows = rows_of(file, case["answer"])
    except NoRows:
        return "no rows"
    mapper = DriverMapper(file)
    mapped = mapper.map_page("rows", rows, 1)
    tally = mapper.report()
    check_rejects(tally, mapped.rejects)
    remarks(tally)
    return "mapped" if mapped.entities.ids else "rejected"
