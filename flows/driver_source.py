"""The source of a driver file: one call, and the rows in its answer."""

from typing import Any

from flows.driver_call import DriverConnection, ask
from mappings.casts import article
from mappings.driver import DriverFile, NoRows, rows_of
from sources.base import Complete, Extraction, Page, Probe, Scope, Source, SourceConfig
from sources.errors import Unreadable
from sources.masking import shown_url


class DriverConfig(SourceConfig):
    """The source of a driver file, which has its own address: `connection` is for messages."""


def source_of(model: DriverFile) -> Source[DriverConfig, DriverConnection]:
    def extract(
        _config: DriverConfig, _dataset: str, connection: DriverConnection, _scope: Scope
    ) -> Extraction:
        rows = _rows(model, ask(model.api, connection))
        yield Page(1, rows)
        return Complete(f"{len(rows)} rows in one answer")

    return Source(DriverConfig, DriverConnection, extract, _probe)


def _probe(_config: DriverConfig, _connection: DriverConnection) -> Probe:
    """Nothing is asked: the file allows one call (decision D16), and that is for the rows."""
    return Probe("", "")


def _rows(model: DriverFile, answer: Any) -> list[Any]:
    """Raises Unreadable when there are none to import (decisions D3, D21, D29)."""
    where = f"{model.api.method} {shown_url(model.api.url, ())}"
    try:
        rows = rows_of(model, answer)
    except NoRows as error:
        mend = error.mend or "mend mapping.path"
        raise Unreadable(str(error), where=where, mend=mend) from error
    path = ".".join(model.path)
    if not rows:
        mend = f"look at what the API answers{path and ' under ' + path}; nothing was imported"
        raise Unreadable("empty import: the answer has no rows", where=where, mend=mend)
    if not any(isinstance(row, dict) for row in rows):
        what = f"no row is an object, the first one is {article(rows[0])}"
        raise Unreadable(what, where=where, mend="mend mapping.path")
    return rows
