"""The files of one golden pair, read and written (`mappings.golden`)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from flows.files import write_whole
from flows.misdeclared import Fault, Misdeclared
from mappings.golden import OddLines, read_objects, read_records
from mappings.rejects import Record

_MOST = 10  # faults told of one file


@dataclass(frozen=True, slots=True)
class Pair:
    """The files beside a job file, there or not."""

    records: Path
    entities: Path
    rejects: Path

    @classmethod
    def beside(cls, job_file: Path) -> Self:
        return cls(
            *(job_file.with_suffix(f".{of}.jsonl") for of in ("records", "entities", "rejects"))
        )


def golden_records(path: Path, job: str, datasets: Sequence[str]) -> dict[str, list[Record]]:
    """The records of *job* by dataset; raises Misdeclared with every line that is none."""
    content = _read(path, f"write it by hand, or by refsync record {job}")
    try:
        return read_records(datasets, content)
    except OddLines as odd:
        raise _misdeclared(path, odd) from odd


def expected(path: Path) -> list[dict[str, Any]]:
    """The objects of a file; none when it is not there."""
    mend = "make it readable, or remove it and say refsync test --update"
    try:
        return read_objects(_read(path, mend)) if path.exists() else []
    except OddLines as odd:
        raise _misdeclared(path, odd) from odd


def _misdeclared(path: Path, odd: OddLines) -> Misdeclared:
    faults = [
        Fault(f"{path}:{line.number}:{line.column}", line.what, line.mend)
        for line in odd.lines[:_MOST]
    ]
    rest = len(odd.lines) - _MOST
    if rest > 0:
        faults.append(Fault(str(path), f"{rest} more lines cannot be read", "see those above"))
    return Misdeclared(faults)


def write(path: Path, lines: Sequence[str], *, always: bool) -> list[str]:
    """Write the file, unless it holds just that; without lines it goes, unless *always* there."""
    content = "".join(f"{line}\n" for line in lines).encode()
    there = path.exists()
    if not lines and not always:
        path.unlink(missing_ok=True)
        return [f"{path} (removed)"] if there else []
    if there and path.read_bytes() == content:
        return []
    write_whole(path, content)
    return [str(path)]


def _read(path: Path, mend: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Misdeclared([Fault(str(path), f"cannot read: {error.strerror}", mend)]) from error
