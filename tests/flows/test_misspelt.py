"""A valid job with one word misspelt, or one value of another kind: told where, and how to mend.

Every key, then every value, of the jobs that have every word (`tests.flows.every_job`).
"""

import copy
import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path as FilePath
from typing import Any

import pytest
from pydantic import BaseModel

from flows.anonymize import RecordBlock
from flows.job import load_job
from flows.misdeclared import Fault, Misdeclared
from flows.sync_config import SyncConfig
from mappings.errors import Path
from mappings.language import MappingBlock
from sources.registry import SOURCES
from tests.flows.every_job import FILE, NAME, Written, jobs, written
from tests.mappings.every_word import CSV, FREE, JARGON, TABLES

Case = tuple[str, Path]

JOBS = {name: job for name, _, job in jobs()}
OWN = {name: under for name, under, _ in jobs()}
# Under these, keys are names that the job gives and no words of the language.
NAMES = (*FREE, "datasets", "params", "headers", "form", "anonymize", "categories")
KINDS: dict[str, Any] = {
    "text": "zz",
    "whole": 3,
    "fraction": 0.5,
    "truth": True,
    "nothing": None,
    "list": [["zz"]],
    "mapping": {"what": {"is": "this"}},
}
SCALARS = ("text", "whole", "fraction", "truth")
CONSTANTS = ("text", "whole", "truth")
ENTITY = r"mapping\.entities\.\d+\.(component|resource|service)"
# Where something of another kind is as good. "nothing" is, wherever it stands for a missing key.
# Places in a source begin with its type.
AS_GOOD: dict[str, tuple[str, ...]] = {
    # a value may be written short: a path, a template, a constant
    rf"{ENTITY}\.(name|category|component|output_template|infos\.\w+(\.value)?)": SCALARS,
    rf"{ENTITY}\.pattern(\.\d)*\.value": SCALARS,
    rf"{ENTITY}\.impact_level": ("text", "whole"),  # from 1 to 10
    r"mapping\.entities\.\d+\.each": ("text",),
    # constants, and what is compared with values
    rf"{ENTITY}\.(category|output_template)\.set": SCALARS,
    r"mapping\.entities\.0\.when\.all\.0\.value": SCALARS,
    r"mapping\.expect\.servers\.allowed\.env\.\d": SCALARS,
    r"mapping\.cleanup\.servers\.null_values\.serial\.\d": SCALARS,
    r"mapping\.lookups\.(environments\.\w+|levels\.rows\.low)": (*SCALARS, "nothing"),
    # a mapping under `rows` has the rows; anything else is a row of that name
    r"mapping\.lookups\.levels\.rows": (*SCALARS, "nothing"),
    # one or several, a share or a number
    r"(api|sql)\.datasets\.servers\.(primary_)?key": ("text",),
    r"(csv|excel)\.datasets\.servers\.(max_age_hours|settle_seconds)": ("whole",),
    r"itop\.datasets\.servers\.unset_keys": ("truth",),
    r"servicenow\.datasets\.servers\.(classes|types)": ("text",),
    r"servicenow\.datasets\.servers\.(lag|overlap)": ("whole",),
    r"mapping\.cleanup\.servers\.(untranslated|zero)": ("truth",),
    r"mapping\.expect\.servers\.filled\.env": ("fraction",),
    r"sync\.limits\.(missing|datasets\.servers\.(missing|changed))": ("whole",),
    r"sync\.missing_after": ("whole",),
    r"sync\.timeouts\.(check|extract)": ("whole",),
    # a word or something else
    r"excel\.datasets\.servers\.skip_rows_before_header": ("whole",),
    r"servicenow\.datasets\.servers\.display_value": ("truth",),
    # what another system is sent
    r"api\.datasets\.servers\.params\.\w+": SCALARS,
    r"api\.datasets\.servers\.params\.expand\.\d": ("text", "whole"),
    r"api\.datasets\.servers\.json(\.\w+)*": tuple(KINDS),
    # what a system is asked to compare with
    r"easyvista\.datasets\.servers\.search\.\d\.value(\.\d)?": ("text", "whole"),
    r"servicenow\.datasets\.servers\.query\.(0\.value\.\d|1\.any\.0\.value)": CONSTANTS,
}


def kind_of(value: object) -> str:
    if isinstance(value, bool):
        return "truth"
    named = {str: "text", int: "whole", float: "fraction", list: "list", dict: "mapping"}
    return named.get(type(value), "nothing")


def at(job: Any, path: Path) -> Any:
    for step in path:
        job = job[step]
    return job


def changed(job: dict[str, Any], path: Path, *, key: str = "", **value: Any) -> dict[str, Any]:
    """The job with another *key* at *path*, or another *value*, or without it; the order stays."""
    made = copy.deepcopy(job)
    parent = at(made, path[:-1])
    if isinstance(parent, list):
        parent[path[-1]] = value["value"]
        return made
    items = list(parent.items())
    parent.clear()
    for name, each in items:
        if name != path[-1]:
            parent[name] = each
        elif key:
            parent[key] = each
        elif value:
            parent[name] = value["value"]
    return made


def is_free(path: Path) -> bool:
    return "json" in path[:-1] or path[-2:-1] in [(name,) for name in NAMES] or "*" in path


def is_row(path: Path) -> bool:
    return path[:-1] == ("mapping", *TABLES[0])


def places() -> Iterator[Case]:
    """Every node of the jobs, in the part that is there to show it: of infos that are written
    alike, and of what stands in several jobs, the first.
    """
    seen = set()
    for name, job in JOBS.items():
        for path in written(job).values:
            kind = job["source"]["type"] if path[:1] == ("source",) else ""
            node = (kind, kind_of(at(job, path)), *map(_named, ("", *path), path))
            if path and path[: len(OWN[name])] == OWN[name] and node not in seen:
                seen.add(node)
                yield name, path


def _named(above: str | int, step: str | int) -> str | int:
    return "*" if above == "infos" else step


PLACES = list(places())
WORDS = [
    (name, path)
    for name, path in PLACES
    if isinstance(path[-1], str) and not is_free(path) and not is_row(path)
]


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(socket, "socket")


@pytest.fixture
def folder(tmp_path: FilePath) -> FilePath:
    """The folder of the jobs, with the table that they name."""
    path = tmp_path / FILE
    path.parent.mkdir(parents=True)
    (path.parent / "sites.csv").write_bytes(CSV)
    return tmp_path / "jobs"


def faults(text: str, folder: FilePath) -> list[Fault]:
    """What is at fault in a job; nothing when it compiles."""
    (folder / f"{NAME}.yaml").write_text(text, encoding="utf-8")
    try:
        load_job(NAME, folder)
    except Misdeclared as refused:
        return refused.faults
    return []


def place(line: int, column: int) -> str:
    return f"{FILE}:{line}:{column}"


def shown(case: object) -> str | None:
    return ".".join(map(str, case)) if isinstance(case, tuple) else None


def words_of(model: type[BaseModel]) -> set[str]:
    schema = model.model_json_schema()
    parts = [schema, *schema.get("$defs", {}).values()]
    return {word for part in parts for word in part.get("properties", {})}


@pytest.mark.parametrize("name", JOBS)
def test_a_job_that_is_spoilt_is_good_before(name: str, folder: FilePath) -> None:
    assert faults(written(JOBS[name]).text, folder) == []


def test_the_jobs_that_are_spoilt_have_every_word_there_is() -> None:
    known = {f"source.{kind}": words_of(source.config) for kind, source in SOURCES.items()}
    known |= {"mapping": words_of(MappingBlock) - {"include", "variables"}}
    known |= {"sync": words_of(SyncConfig), "record": words_of(RecordBlock)}
    used: dict[str, set[str]] = {block: set() for block in known}
    for name, path in WORDS:
        kind = f".{JOBS[name]['source']['type']}" if path[0] == "source" else ""
        used.setdefault(f"{path[0]}{kind}", set()).add(str(path[-1]))

    lacking = {block: words - used[block] for block, words in known.items()}
    assert lacking == {block: set() for block in known}


def misspellings(word: str) -> list[str]:
    """Without its middle letter, that letter doubled, and changed places with the one before."""
    at = len(word) // 2
    before, here, after = word[: at - 1], word[at - 1 : at + 1], word[at + 1 :]
    spoilt = (word[:at] + after, word[:at] + word[at:][:1] + word[at:], before + here[::-1] + after)
    return [each for each in dict.fromkeys(spoilt) if each != word]


@pytest.mark.parametrize(("name", "path"), WORDS, ids=shown)
def test_any_misspelt_key_is_one_fault_at_its_place_that_names_the_right_word(
    name: str, path: Path, folder: FilePath
) -> None:
    for wrong in misspellings(str(path[-1])):
        text = written(changed(JOBS[name], path, key=wrong))

        found = faults(text.text, folder)

        mend = f"did you mean {path[-1]!r}?"
        assert [(each.where, each.mend) for each in found] == [
            (place(*text.keys[*path[:-1], wrong]), mend)
        ]
        assert repr(wrong) in found[0].what


def as_good(job: dict[str, Any], path: Path) -> set[str]:
    """The kinds of value that are as good as the one at *path* of the job."""
    first = job["source"]["type"] if path[:1] == ("source",) else ""
    dotted = ".".join(map(str, (first, *path[1:]) if first else path))
    return {each for form, kinds in AS_GOOD.items() if re.fullmatch(form, dotted) for each in kinds}


def with_value(job: dict[str, Any], path: Path, value: object) -> Written:
    """The job with another value, which stands in one line; the places are those of the others."""
    text = written(changed(job, path, value="@"))
    text.text = text.text.replace('"@"', json.dumps(value))
    return text


@pytest.mark.parametrize(("name", "path"), PLACES, ids=shown)
def test_any_value_of_another_kind_is_told_where_it_stands(
    name: str, path: Path, folder: FilePath
) -> None:
    job = JOBS[name]
    good = as_good(job, path) | {kind_of(at(job, path))}
    for kind, value in KINDS.items():
        text = with_value(job, path, value)

        found = faults(text.text, folder)

        if kind == "nothing" and kind not in good and is_absence(found, text, path):
            absent = faults(written(changed(job, path)).text, folder)
            found, good_here = [], [(each.what, each.mend) for each in found]
            assert good_here == [(each.what, each.mend) for each in absent]
        elif kind in good:
            assert kind == kind_of(at(job, path)) or found == [], kind
        else:
            assert found, kind
            check(found, text, path)


def is_absence(found: list[Fault], text: Written, path: Path) -> bool:
    """Whether the faults, if any, are those of a key that is not there: of what is beside it."""
    here = {place(*found_at[path]) for found_at in (text.values, text.keys) if path in found_at}
    return all(each.where not in here for each in found)


def check(found: list[Fault], text: Written, path: Path) -> None:
    """Every fault stands at the value, or in it, and says in plain words how to mend it."""
    line, column = text.values[path]
    for fault in found:
        file, at_line, at_column = fault.where.rsplit(":", 2)
        assert (file, int(at_line)) == (FILE, line), fault
        assert int(at_column) >= min(column, text.keys.get(path, (line, column))[1]), fault
        assert fault.what, fault
        assert fault.mend, fault
        assert not JARGON.search(f"{fault.what} {fault.mend}"), fault


@pytest.mark.parametrize(
    ("above", "word"),
    [
        ((), "include"),
        ((), "variables"),
        (("mapping",), "include"),
        (("mapping",), "variables"),
        (("mapping", "entities", 0), "include"),
        (("mapping", "entities", 0, "component"), "include"),
    ],
)
def test_a_misspelt_word_of_what_is_put_in_place_first_is_told_like_any_other(
    above: Path, word: str, folder: FilePath
) -> None:
    for wrong in misspellings(word):
        job = copy.deepcopy(JOBS["job"])
        at(job, above)[wrong] = {"site": "Lyon"} if word == "variables" else "_parts.yaml"
        text = written(job)

        found = faults(text.text, folder)

        where = place(*text.keys[*above, wrong])
        assert [(each.where, each.mend) for each in found] == [(where, f"did you mean {word!r}?")]
