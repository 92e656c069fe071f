"""Golden pairs: the records kept beside a job file, and the entities that they must become.

<job>.records.jsonl    one record a line; with several datasets {"dataset": …, "record": {…}}
<job>.entities.jsonl   one import item a line, as canonical bytes, in the order of the mapper
<job>.rejects.jsonl    one reject a line, {dataset, number, reason, rule}; no file without any
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from mappings.casts import article
from mappings.rejects import Record, Reject
from mappings.running import Mapped
from mappings.vocabulary import suggestion

_WRAPPED = {"dataset", "record"}


class Maps(Protocol):
    """What is asked of a mapper here."""

    def map_page(self, dataset: str, records: list[Any], first: int, /) -> Mapped: ...
    def finish(self, dataset: str, /) -> Mapped: ...


@dataclass(frozen=True, slots=True)
class OddLine:
    """A line of a golden file that cannot be read; `number` and `column` count from 1."""

    number: int
    column: int
    what: str
    mend: str


class OddLines(Exception):
    """A golden file that cannot be read; `lines` are all that are at fault."""

    def __init__(self, lines: Sequence[OddLine]) -> None:
        super().__init__("\n".join(f"line {line.number}: {line.what}" for line in lines))
        self.lines = tuple(lines)


@dataclass(frozen=True, slots=True)
class Golden:
    """What a mapping made of golden records: the lines of the two other files, and the rejects."""

    entities: list[str]
    rejects: list[Reject]

    @property
    def reject_lines(self) -> list[str]:
        return [_reject_line(reject) for reject in self.rejects]


def read_objects(content: bytes) -> list[dict[str, Any]]:
    """The JSON objects of a file, one a line; raises OddLines. Blank lines are passed over."""
    return [found for _, found in _objects(content)]


def read_records(datasets: Sequence[str], content: bytes) -> dict[str, list[Record]]:
    """The records of a file by dataset, in the order of *datasets*; raises OddLines."""
    records: dict[str, list[Record]] = {dataset: [] for dataset in datasets}
    odd = []
    for number, line in _objects(content):
        name, record = _unwrapped(datasets, line)
        fault = _fault(datasets, name, record)
        if fault is None:
            records[str(name)].append(record)
        else:
            odd.append(OddLine(number, 1, *fault))
    if odd:
        raise OddLines(odd)
    return records


def record_lines(records: Mapping[str, Sequence[Record]], *, wrapped: bool) -> list[bytes]:
    """The lines of a records file; *wrapped*: the mapping reads several datasets."""
    return [
        orjson.dumps({"dataset": dataset, "record": record} if wrapped else record)
        for dataset, each in records.items()
        for record in each
    ]


def map_golden(mapper: Maps, records: Mapping[str, list[Record]]) -> Golden:
    """What *mapper*, a new one, makes of records, given in the order in which it reads them."""
    entities: list[str] = []
    rejects: list[Reject] = []
    for dataset, page in records.items():
        for mapped in (mapper.map_page(dataset, page, 1), mapper.finish(dataset)):
            entities += [payload.decode() for payload in mapped.entities.payloads]
            rejects += mapped.rejects
    return Golden(entities, rejects)


def _objects(content: bytes) -> list[tuple[int, dict[str, Any]]]:
    """The objects with the numbers of their lines; raises OddLines."""
    found: list[tuple[int, dict[str, Any]]] = []
    odd = []
    for number, line in enumerate(content.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            read = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            what = f"not JSON: {error.msg}"
            odd.append(OddLine(number, error.colno, what, "write one JSON object a line"))
            continue
        if isinstance(read, dict):
            found.append((number, read))
        else:
            what = f"expected an object, not {'null' if read is None else article(read)}"
            odd.append(OddLine(number, 1, what, "write one JSON object a line"))
    if odd:
        raise OddLines(odd)
    return found


def _unwrapped(datasets: Sequence[str], line: dict[str, Any]) -> tuple[Any, Any]:
    wrapped = line.keys() == _WRAPPED and (len(datasets) > 1 or line["dataset"] in datasets)
    if wrapped:
        return line["dataset"], line["record"]
    return (datasets[0] if len(datasets) == 1 else None), line


def _fault(datasets: Sequence[str], name: Any, record: Any) -> tuple[str, str] | None:
    """What is wrong with a record of the dataset *name*, and the mend."""
    if name is None:
        what = "the job reads several datasets, and the line does not say of which it is"
        return what, 'write {"dataset": …, "record": {…}}'
    if name not in datasets:
        return f"unknown dataset {name!r}", suggestion(name, datasets, "datasets of the mapping")
    if not isinstance(record, dict):
        return "the record is no object", 'write {"dataset": …, "record": {…}}'
    return None


def _reject_line(reject: Reject) -> str:
    line = {
        "dataset": reject.dataset,
        "number": reject.number,
        "reason": reject.reason,
        "rule": reject.rule,
    }
    return orjson.dumps(line, option=orjson.OPT_SORT_KEYS).decode()
