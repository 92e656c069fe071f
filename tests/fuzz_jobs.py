"""Whole job files to try: the shipped ones and one with every word, spoilt as texts and as data."""

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import orjson

from flows.job import load_job
from flows.misdeclared import Misdeclared
from flows.yaml_file import YamlFile
from mappings.errors import MappingErrors
from mappings.fragments import Fragment, FragmentFault, expand
from mappings.loading import load_mapping
from mappings.remarks import remarks
from tests.flows.every_job import jobs, plain_source, written
from tests.fuzz_records import TEXTS, check_rejects, odd_records, odd_value
from tests.fuzz_text import spoilt
from tests.fuzz_watch import Case, Poor
from tests.mappings.every_word import CSV, EVERY_WORD, PHRASES

CUSTOMERS = Path(__file__).resolve().parent.parent / "mappings" / "customers"
FILES = sorted(CUSTOMERS.glob("[!_]*/[!_]*.yaml"))
SHARED = {
    "_shared/lookups.yaml": "mapping:\n  lookups: {levels: {low: 1, high: 3}}\n",
    "acme/_infos.yaml": "infos:\n  site: {copy: site, lookup: levels, unknown: keep}\n",
    "acme/sites.csv": CSV.decode(),
    "acme/odd.csv": 'code;label\n"a;\0b\n\xff;;;\nlyo;Lyon;x\n',
}
EVERY = [document for _, _, document in jobs()]
EVERY.append({**EVERY[0], "source": plain_source(EVERY_WORD), "mapping": EVERY_WORD})
TEXT_OF = [file.read_text(encoding="utf-8") for file in FILES]
TEXT_OF += [written(document).text for document in EVERY]
DOCUMENTS: list[Any] = [YamlFile("job", text).data for text in TEXT_OF]
WORDS = sorted({word for text in TEXT_OF for word in re.findall(r"[A-Za-z_$]\w*(?=:)", text)})
PIECES = (
    *WORDS,
    *(f"{word}: " for word in WORDS),
    *("include: [../_shared/lookups.yaml]\n", "include: _infos.yaml\n", "include: /etc/passwd\n"),
    *("include: ../../../../../etc/passwd\n", "variables: {x: 1}\n", "${x}", "$${x}", "&a ", "*a"),
    *(
        "<<: *a\n",
        "- ",
        ": ",
        ", ",
        "{}",
        "[]",
        "null",
        "true",
        "1",
        "1.5",
        "10%",
        '""',
        "|\n",
        ">-\n",
    ),
    *(
        "{{ .a }}",
        "{{ uppercase .a }}",
        "{{",
        "(?P<a>x)",
        "(",
        "$parent.x",
        "$key",
        ".",
        "a..b",
        "!!str ",
    ),
)
CONSTANTS: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 3, 0.5, 1e308, 10**30, 10**400),
    *([], {}, [[]], {"": None}, ["a", 1, None]),
    *("{{ .a }}", "{{ if .a }}{{ .b }}{{ end }}", "{{", "${x}", "10%", "-1%", "1e999%", "nan%"),
    *("Europe/Paris", "Mars/Olympus", "../x", "Europe/../../x", "UTC"),
    *("%d/%m/%Y", "%", "%d %d", "%Y%%%j", "%(", "(%d", "%U %Y", "%c" * 50, "%"),
    *("(?P<SI>.*)", "(?=a)(a+)+$", "(", "is_one_of", "int", "infos.env", "has_one_of", "string"),
    *("utf-16", "rot13", "zip", "idna", "punycode", "unicode_escape", "mbcs", "undefined", "hex"),
    *("/etc/passwd", "../../../etc/passwd", "odd.csv", "sites.csv", "\0"),
    *({"copy": "x"}, {"set": 1}, {"regexp": "a", "field": "b"}, {"first_of": ["a", "{{ .b }}"]}),
)
_JARGON = re.compile(PHRASES)  # words alone may be those of the file
_PLACED = re.compile(r":[0-9]+:[0-9]+$")


def lay(folder: Path) -> Path:
    """Makes the folder of jobs that fuzzed ones stand in; gives the path of the fuzzed one."""
    for name, text in SHARED.items():
        path = folder / "jobs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("latin-1"))
    return folder / "jobs" / "acme" / "fuzzed.yaml"


def draw_text(random: Random) -> Case:
    if random.random() < 0.4:
        text = spoilt(random, random.choice(TEXT_OF), PIECES)
    else:
        text = json.dumps(
            altered(random, random.choice(DOCUMENTS)), indent=random.choice((None, 1))
        )
    return {"text": text, "chance": random.randrange(1 << 30)}


def run_text(case: Case, path: Path) -> str:
    """*path* holds the text of the case already."""
    try:
        job = load_job(str(path), path.parent.parent)
    except Misdeclared as misdeclared:
        check_faults(misdeclared)
        return "refused"
    return mapped(job.mapper(), Random(case["chance"]))


def draw_mapping(random: Random) -> Case:
    document = random.choice(DOCUMENTS)["mapping"]
    if random.random() < 0.7:
        document = altered(random, document)
    return {"mapping": document, "chance": random.randrange(1 << 30)}


def run_mapping(case: Case) -> str:
    def fragment(path: str, _: str) -> Fragment:
        if path not in SHARED:
            raise FragmentFault(f"no file {path}", "write one")
        return Fragment(path, {"infos": {"a": "b"}} if "infos" in path else {"lookups": {}})

    expanded = expand({"mapping": case["mapping"]}, fragment)
    try:
        mapper = load_mapping(expanded.data.get("mapping"), read_file=_content)
    except MappingErrors as errors:
        for problem in errors.problems:
            check_words(problem.what, problem.mend)
            expanded.located(problem)
        return "refused"
    return mapped(mapper, Random(case["chance"]))


def _content(name: str, _: object) -> bytes:
    try:
        return SHARED[f"acme/{name}"].encode("latin-1")
    except KeyError:
        raise FileNotFoundError(2, "No such file", name) from None


def mapped(mapper: Any, random: Random) -> str:
    """What the mapper makes of odd records: entities that are JSON, rejects with a reason."""
    made = 0
    rejects = []
    for dataset in mapper.datasets:
        records = odd_records(random, mapper.fields(dataset), RECORDS.get(dataset, ()))
        for page in (mapper.map_page(dataset, records, 1), mapper.finish(dataset)):
            rejects += page.rejects
            for name, kind, payload in zip(
                page.entities.ids, page.entities.kinds, page.entities.payloads, strict=True
            ):
                body = orjson.loads(payload)
                if body["type"] != kind or not name.startswith(body["name"]):
                    raise Poor(f"an entity is not what it is called: {name!r:.100}")
                made += 1
    tally = mapper.report()
    check_rejects(tally, rejects)
    remarks(tally)
    return "mapped" if made else "rejected"


def _records() -> dict[str, list[Any]]:
    """The records of the golden pairs, by dataset."""
    found: dict[str, list[Any]] = {}
    for file, document in zip(FILES, DOCUMENTS, strict=False):
        names = list(document["source"]["datasets"])
        for line in file.with_suffix(".records.jsonl").read_bytes().splitlines():
            record = orjson.loads(line)
            several = record.keys() == {"dataset", "record"}
            name, record = (record["dataset"], record["record"]) if several else (names[0], record)
            found.setdefault(name, []).append(record)
    return found


RECORDS = _records()


def check_faults(misdeclared: Misdeclared) -> None:
    """Raises Poor unless every fault has its place and says in plain words what it is."""
    if not misdeclared.faults:
        raise Poor("no fault at all")
    for fault in misdeclared.faults:
        if not _PLACED.search(fault.where):
            raise Poor(f"a fault without line and column: {fault.where} {fault.what}")
        check_words(fault.what, fault.mend)


def check_words(what: str, mend: str) -> None:
    if not what.strip():
        raise Poor("a fault that says nothing")
    if found := _JARGON.search(f"{what} / {mend}"):
        raise Poor(f"jargon {found[0]!r}: {what} / {mend}")


# Data spoilt

_DEEPEST = 40  # levels that are looked at for something to spoil


def altered(random: Random, document: Any) -> Any:
    """The document with a few of its nodes lost, renamed, replaced, moved or wrapped."""
    document = copy.deepcopy(document)
    for _ in range(random.choice((0, 0, 1, 1, 1, 2, 3))):
        spots = list(_spots(document))
        if spots:
            _alter(random, document, random.choice(spots), spots)
    return document


def _spots(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    keys = node if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
    for key in keys:
        yield (*path, key)
        if len(path) < _DEEPEST:
            yield from _spots(node[key], (*path, key))


def _alter(random: Random, document: Any, spot: tuple[Any, ...], spots: list[Any]) -> None:
    *above, key = spot
    parent = document
    for step in above:
        parent = parent[step]
    chance = random.random()
    if chance < 0.15:
        del parent[key]
    elif chance < 0.35 and isinstance(parent, dict):
        word = random.choice((*WORDS, spoilt(random, str(key), WORDS)))
        parent[word] = parent.pop(key) if random.random() < 0.5 else copy.deepcopy(parent[key])
    elif chance < 0.6:
        parent[key] = copy.deepcopy(random.choice(CONSTANTS))
    elif chance < 0.75 and isinstance(parent[key], str):
        parent[key] = spoilt(random, parent[key], (*PIECES, *TEXTS))
    elif chance < 0.85:
        other = document
        for step in random.choice(spots):
            other = other[step]
        parent[key] = copy.deepcopy(other)
    elif chance < 0.95:
        parent[key] = random.choice(([parent[key]], {random.choice(WORDS): parent[key]}))
    else:
        parent[key] = odd_value(random, 1)  # files have few levels
