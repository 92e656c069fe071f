r"""Many rows in a text file: one block of columns a line, as JSON.

    {"rows":3,"id":["sw1","eth0/sw1","eth1/sw1"],"kind":["component","resource","resource"],
     "group":[null,"sw1","sw1"],"dataset":["ports"],"fingerprint":"0f…","offset":"00…"}

Columns are named by those who write them. What a column holds follows from its name: 16-byte
digests (one hexadecimal string), places in the spool (likewise, eight bytes each, the lowest first;
numbers in the files of an earlier refsync), integers, text for all others. Four habits keep blocks
small and quick to read: a text column of one value throughout is written once, one of few values as
the values and their places (`{"of":["env\nsite","env"],"at":[0,0,1]}`), a `group` equal to its
row's `id` is null, and equal labels come back as one object in memory.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import orjson
import pandas as pd

from referential.errors import Unreadable

Columns = Mapping[str, Sequence[Any] | npt.NDArray[np.int64]]

FOUND = ("id", "kind", "group", "dataset", "category", "infos", "fingerprint", "offset", "size")
ROWS = 10_000
DIGEST = 16
_DIGESTS = frozenset({"fingerprint"})
_PLACES = frozenset({"offset", "size"})
_INTEGERS = _PLACES | {"missed"}
_PLACE = np.dtype("<i8")


def encode_block(columns: Columns) -> bytes:
    """Columns of equal length as one line, its end included."""
    ids = columns["id"]
    block: dict[str, Any] = {"rows": len(ids)}
    for name, values in columns.items():
        if name in _DIGESTS:
            block[name] = b"".join(values).hex()
        elif name == "group":
            block[name] = _once([None if g == i else g for g, i in zip(values, ids, strict=True)])
        elif name in _PLACES:
            block[name] = np.array(values, dtype=_PLACE).tobytes().hex()
        elif name in _INTEGERS or name == "id":
            block[name] = values if isinstance(values, list) else list(values)
        else:
            block[name] = _coded(values if isinstance(values, list) else list(values))
    return orjson.dumps(block) + b"\n"


def decode_block(
    line: bytes, columns: Iterable[str], seen: dict[str, str] | None = None
) -> dict[str, Any]:
    """The wanted columns of one line: lists, and of places arrays.

    Raises KeyError or ValueError when they are not there, TypeError when they are something else.
    `seen` keeps the labels of earlier lines, so that equal ones are one object throughout.
    """
    seen = {} if seen is None else seen
    block = orjson.loads(line)
    rows, ids = block["rows"], block["id"]
    decoded: dict[str, Any] = {}
    for name in columns:
        values = block[name]
        if name in _DIGESTS:
            values = np.frombuffer(bytes.fromhex(values), dtype=f"V{DIGEST}").tolist()
        elif name == "group":
            values = _groups(values, ids)
        elif name in _PLACES:
            values = _places(values)
        elif name != "id" and name not in _INTEGERS:
            values = _decoded(values, rows, seen)
        if len(values) != rows:
            raise ValueError(f"{len(values)} values of {name} in a block of {rows} rows")
        decoded[name] = values
    return decoded


def write_columns(
    path: Path, rows: pd.DataFrame | Iterable[Columns], header: Mapping[str, Any] | None = None
) -> None:
    """Write *path* whole: a reader sees all of it or what stood there before."""
    part = path.with_name(f".{path.name}.part")
    with part.open("wb") as file:
        if header is not None:
            file.write(orjson.dumps({"header": header}) + b"\n")
        for block in _cut(rows) if isinstance(rows, pd.DataFrame) else rows:
            file.write(encode_block(block))
    part.replace(path)


def read_header(path: Path) -> dict[str, Any]:
    """What `write_columns` was given beside the rows."""
    with path.open("rb") as file:
        try:
            header: dict[str, Any] = orjson.loads(file.readline())["header"]
        except (KeyError, ValueError) as error:
            raise _unreadable(path, 1) from error
    return header


def read_columns(path: Path, columns: Sequence[str] = FOUND) -> pd.DataFrame:
    """The rows of a file in its order; `columns` are read, the others left alone."""
    parts: dict[str, list[Any]] = {name: [] for name in columns}
    seen: dict[str, str] = {}
    with path.open("rb") as file:
        for number, line in enumerate(_blocks(file), 1):
            try:
                block = decode_block(line, columns, seen)
            except (KeyError, ValueError, TypeError) as error:
                raise _unreadable(path, number) from error
            for name, values in block.items():
                if name in _INTEGERS:
                    parts[name].append(np.asarray(values, dtype=np.int64))
                else:
                    parts[name] += values
    return to_frame(
        {
            name: np.concatenate(values or [np.empty(0, np.int64)]) if name in _INTEGERS else values
            for name, values in parts.items()
        }
    )


def to_frame(columns: Mapping[str, Sequence[Any] | npt.NDArray[Any]]) -> pd.DataFrame:
    """A frame whose text stays Python objects: pandas would take it for its own string type.

    Arrays are taken as they are, each column apart: pandas would copy a million rows twice, first
    into its series, then into one block for all columns.
    """
    arrays = {
        name: np.asarray(values, dtype=np.int64) if name in _INTEGERS else objects(values)
        for name, values in columns.items()
    }
    series = {name: pd.Series(v, dtype=v.dtype, copy=False) for name, v in arrays.items()}
    return pd.DataFrame(series, copy=False)


def objects(values: Sequence[Any] | npt.NDArray[Any]) -> npt.NDArray[np.object_]:
    """An array of the very objects: numpy would pad byte strings and cut their zeros."""
    if isinstance(values, np.ndarray):
        return values.astype(object, copy=False)
    return np.fromiter(values, dtype=object, count=len(values))


def _cut(frame: pd.DataFrame) -> Iterable[Columns]:
    columns = {str(name): frame[name].to_numpy() for name in frame.columns}
    for start in range(0, len(frame), ROWS):
        part = {name: values[start : start + ROWS] for name, values in columns.items()}
        # places are written from arrays: no integer of Python is made of them
        yield {name: v if name in _PLACES else v.tolist() for name, v in part.items()}


def _blocks(file: BinaryIO) -> Iterable[bytes]:
    return (line for line in file if not line.startswith(b'{"header":'))


def _places(written: str | list[int]) -> npt.NDArray[np.int64]:
    if isinstance(written, str):
        return np.frombuffer(bytes.fromhex(written), dtype=_PLACE)
    return np.array(written, dtype=np.int64)


def _groups(values: list[str | None], ids: list[str]) -> list[str]:
    if values == [None]:
        return ids
    if len(values) == 1:
        values = values * len(ids)
    return [i if g is None else g for g, i in zip(values, ids, strict=True)]


def _once(values: list[Any]) -> list[Any]:
    """One value for all rows when they agree."""
    if len(values) > 1 and values.count(values[0]) == len(values):
        return values[:1]
    return values


def _coded(values: list[Any]) -> list[Any] | dict[str, list[Any]]:
    """One value for all rows, or the few there are and where each stands, or all of them."""
    once = _once(values)
    if len(once) == 1:
        return once
    of = dict.fromkeys(values)
    if len(of) * 4 > len(values):
        return values
    places = dict(zip(of, range(len(of)), strict=True))
    return {"of": list(of), "at": list(map(places.__getitem__, values))}


def _decoded(written: Any, rows: int, seen: dict[str, str]) -> list[str]:
    if isinstance(written, dict):
        of = [seen.setdefault(value, value) for value in written["of"]]
        return list(map(of.__getitem__, written["at"]))
    values = [seen.setdefault(value, value) for value in written]
    return values * rows if len(values) == 1 else values


def _unreadable(path: Path, block: int) -> Unreadable:
    return Unreadable(
        "a file of columns is cut short or was changed",
        where=f"{path}, block {block}",
        mend="start the run again: it writes its files anew",
    )
