"""The sources a job may name, by the `type` of its `source:` block."""

from typing import Any, Final

from sources import api, csv_file, easyvista, excel, itop, servicenow, sql
from sources.base import Source

SOURCES: Final[dict[str, Source[Any, Any]]] = {
    "api": api.SOURCE,
    "csv": csv_file.SOURCE,
    "easyvista": easyvista.SOURCE,
    "excel": excel.SOURCE,
    "itop": itop.SOURCE,
    "servicenow": servicenow.SOURCE,
    "sql": sql.SOURCE,
}
