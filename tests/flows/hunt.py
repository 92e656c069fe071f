"""Secrets that can be told from everything else, and the search for them, whatever their form."""

import base64
import dataclasses
import hashlib
import logging
import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

import psycopg
from pydantic import BaseModel

OURS = ("flows", "sources", "referential", "mappings")
_SEEN_AT = 10  # characters of a secret that are one too many: also a part of it is a leak


def planted(place: str, odd: str = "") -> str:
    """A secret of its own for each *place*; *odd* are characters that forms write otherwise."""
    return f"Cnry{hashlib.md5(place.encode(), usedforsecurity=False).hexdigest()[:12]}{odd}"


def needles(secret: str) -> frozenset[bytes]:
    """What betrays a secret: its first characters, which no form changes but base64, and that."""
    core = secret.encode()[:16]
    found = {core[:_SEEN_AT]}
    for before in range(3):
        whole = base64.b64encode(bytes(before) + core)
        found.add(whole[(0, 2, 3)[before] : (before + len(core)) * 8 // 6][:_SEEN_AT])
    return frozenset(found)


class Hunt:
    """A search for *secrets*, `{name: value}`; what it finds gathers in `hits`."""

    def __init__(self, secrets: dict[str, str]) -> None:
        self.needles = {name: needles(secret) for name, secret in secrets.items()}
        self.hits: list[str] = []
        self.searched = 0  # bytes

    def search(self, text: str | bytes, place: str) -> None:
        data = text if isinstance(text, bytes) else text.encode("utf-8", "replace")
        self.searched += len(data)
        for name, forms in self.needles.items():
            for form in forms:
                if (at := data.find(form)) >= 0:
                    near = data[max(0, at - 60) : at + 40]
                    self.hits.append(f"{name} in {place}: …{near!r}…")
                    break

    def files(self, top: Path) -> set[str]:
        """Every file under *top*; gives their names."""
        names = set()
        for path in sorted(top.rglob("*")):
            if path.is_file():
                names.add(path.name)
                self.search(path.read_bytes(), str(path))
        return names

    def postgres(self, url: str) -> int:
        """Every row of every table that its user may read, as text; gives their number."""
        rows = 0
        with psycopg.connect(url) as connection:
            tables = connection.execute(
                "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c"
                " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r'"
                " AND n.nspname NOT IN ('pg_catalog', 'information_schema')"
                " AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')"
            ).fetchall()
            for (table,) in tables:
                for (row,) in connection.execute(
                    f"SELECT t::text FROM {table} t"  # noqa: S608 - names of the catalogue
                ):
                    rows += 1
                    self.search(row, f"{url.rpartition('@')[2]} {table}")
        return rows

    def error(self, error: BaseException, place: str) -> None:
        """An exception: what it says, what caused it, what it reaches, its frames' own objects."""
        whole = traceback.TracebackException.from_exception(error, capture_locals=False)
        self.search("".join(whole.format()), f"{place}: traceback")
        for each in chain(error):
            self.search(f"{each!r} {each}", f"{place}: {type(each).__name__}")
            self.search(" ".join(getattr(each, "__notes__", ())), f"{place}: notes")
            for thing in reached((each.args, vars(each))):
                self.search(_told(thing), f"{place}: {type(thing).__name__} of the exception")
            for frame in frames(each.__traceback__):
                self.locals(frame, f"{place}: {frame.f_code.co_qualname}")

    def locals(self, frame: FrameType, place: str) -> None:
        """The objects that a traceback with locals would show; texts stand there as they must."""
        for name, value in frame.f_locals.items():
            if type(value).__module__.partition(".")[0] in OURS:
                self.search(_told(value), f"{place}: local {name} ({type(value).__name__})")


class Listener(logging.Handler):
    """Everything that is logged by anybody, at any level, with its arguments and exceptions."""

    def __init__(self, hunt: Hunt) -> None:
        super().__init__(logging.DEBUG)
        self._hunt = hunt
        self._format = logging.Formatter("%(name)s %(levelname)s %(message)s")
        self.records = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.records += 1
        self._hunt.search(self._format.format(record), f"log of {record.name}")


def chain(error: BaseException) -> Iterator[BaseException]:
    """An exception, and all that it was raised from or during, also where that is not shown."""
    left, seen = [error], set()
    while left:
        each = left.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        left += [found for found in (each.__cause__, each.__context__) if found is not None]
        if isinstance(each, BaseExceptionGroup):
            left += each.exceptions


def frames(trace: TracebackType | None) -> Iterator[FrameType]:
    while trace is not None:
        yield trace.tb_frame
        trace = trace.tb_next


def reached(start: Any, most: int = 3_000) -> Iterator[Any]:
    """What can be reached from *start* through containers and through objects of ours."""
    left, seen = [start], set()
    while left and len(seen) < most:
        thing = left.pop()
        if id(thing) in seen or isinstance(thing, (type, FrameType, TracebackType)):
            continue
        seen.add(id(thing))
        yield thing
        left += _parts(thing)


def _parts(thing: Any) -> Iterable[Any]:
    if isinstance(thing, dict):
        return [*thing.keys(), *thing.values()]
    if isinstance(thing, (list, tuple, set, frozenset)):
        return list(thing)
    if type(thing).__module__.partition(".")[0] not in OURS:
        return []
    if isinstance(thing, BaseModel):
        return [getattr(thing, name) for name in type(thing).model_fields]
    if dataclasses.is_dataclass(thing):
        shown = (each.name for each in dataclasses.fields(thing) if each.repr)
        return [getattr(thing, name) for name in shown]
    return []


def _told(thing: Any) -> str:
    return repr(thing) if not isinstance(thing, (dict, list, tuple, set)) else ""
