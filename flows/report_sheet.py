"""How a page is made: templates, one style sheet, one script, and a policy that lets in no other.

A page is one file. Its policy names its style and its script by their digests: what is not them
does not run, and nothing can be fetched or sent. What is foreign is text, escaped where it is put.
"""

import base64
import hashlib
import os
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import resources, util
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from flows.files import write_whole
from flows.report_charts import TONES
from referential.change import ACTIONS
from referential.history import Run

SEARCHED_FROM = 8  # rows; fewer are seen at a glance, and their page does without 600 KiB of script
_EXPORT = re.compile(r"export\s*\{[^{}]*?\b([\w$]+) as default\b[^{}]*\}")


def write_page(path: Path, template: str, *, searched: bool, **values: Any) -> None:
    """Write one page; `searched`: whether it has tables that are long enough to be searched.

    Raises Unwritable.
    """
    style, script = _part("page.css"), _script(searched=searched)
    html = (
        _pages()
        .get_template(template)
        .render(
            values,
            style=Markup(style),  # noqa: S704 - ours
            script=Markup(script),  # noqa: S704 - ours and DataTables'
            policy=_policy(style, script),
            tables=searched,
        )
    )
    # a lone surrogate, which JSON may hold, is shown by its number
    write_whole(path, html.encode("utf-8", "backslashreplace"))


def link(page: Path, to: Path) -> str:
    """The address of one page as seen from another: relative, so that the folder can be moved."""
    return quote(os.path.relpath(to, page.parent))


def changes(run: Run) -> int:
    """How many changes the plan of a run had."""
    plan = run.counts.get("plan", {})
    return sum(plan.get(action, 0) for action in ACTIONS)


def moment(when: datetime | None) -> str:
    return "" if when is None else f"{when.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def span(seconds: float | timedelta | None) -> str:
    """A duration in the two units that matter: `0.4 s`, `3 min 20 s`, `2 h 05 min`."""
    if seconds is None:
        return ""
    total = seconds.total_seconds() if isinstance(seconds, timedelta) else float(seconds)
    if total < 60:
        return f"{total:.1f} s"
    whole = round(total)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60:02} min"
    return f"{whole // 86400} d {whole % 86400 // 3600} h"


@cache
def _pages() -> Environment:
    pages = Environment(
        loader=PackageLoader("flows"),
        autoescape=True,  # by name of file it would miss .j2
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters |= {
        "number": lambda value: f"{value:,}",
        "moment": moment,
        "span": span,
        "tone": lambda outcome: TONES.get(outcome, "warn"),
        "share": _share,
        "bytes": _bytes,
        "changed": changes,
    }
    return pages


def _share(part: float, whole: float) -> str:
    """How much of a bar 100 wide is filled."""
    return f"{min(100.0, 100.0 * part / whole) if whole else 0:.1f}"


def _bytes(size: int) -> str:
    for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return f"{size} bytes"


def _policy(style: str, script: str) -> str:
    words: Sequence[str] = (
        "default-src 'none'",
        f"script-src {_digest(script)}",
        f"style-src {_digest(style)}",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    )
    return "; ".join(words)


@cache
def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def _part(name: str) -> str:
    return resources.files("flows").joinpath("templates", name).read_text(encoding="utf-8")


@cache
def _script(*, searched: bool) -> str:
    """Ours alone, or after DataTables, whose name we learn from what its module exports."""
    ages = _part("ages.js")
    if not searched:
        return ages
    library = _datatables()
    exported = _EXPORT.search(library)
    if exported is None:
        raise LookupError("the DataTables of itables exports nothing by default")
    return f"{library}\n;const DataTable = {exported[1]};\n{_part('tables.js')}\n{ages}"


def _datatables() -> str:
    """The bundle inside the package itables, which is not imported: we need the file alone."""
    spec = util.find_spec("itables")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("itables is not installed", name="itables")
    folder = Path(spec.submodule_search_locations[0])
    return (folder / "html" / "dt_bundle.js").read_text(encoding="utf-8")
