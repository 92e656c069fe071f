"""What a list answers: its rows, its two counts, whether it says that more follows.

    {"HREF": "…", "record_count": "100", "total_record_count": "250", "@next": "…", "records": […]}

Counts are texts, numbers, or nothing; the key of the rows has several spellings, the others any
order, and `HREF` may be missing (`specs/easyvista.md` §6).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from sources.easyvista_session import EasyVistaSession
from sources.errors import Unreadable
from sources.selector import as_count
from sources.session import Answer, Call
from sources.verdict import Denied

_ENVELOPES: Final = ("records", "documents", "groups")
_ERRORS: Final = frozenset({"error", "error_message", "message"})
_PLAIN: Final = frozenset({str, int})
_ROOT: Final = re.compile(r"^.*?/api/v1/\d+/")
_SORTED: Final = orjson.OPT_SORT_KEYS


@dataclass(frozen=True, slots=True)
class Listing:
    """One answer of a list; `total` and `counted` are None where it does not tell."""

    rows: list[Any]
    total: int | None
    counted: int | None
    more: bool  # it announces a next page
    room: bool  # it holds fewer rows than were asked for
    doubtful: bool
    where: str


@dataclass(frozen=True, slots=True)
class Query:
    """A list to be read: its address, its parameters but those of paging, its key.

    `offsets`: an `@next` shows that it can be read from any rank.
    """

    url: str
    params: Mapping[str, str] = field(default_factory=dict)
    key: tuple[str, ...] = ()
    offsets: bool = True

    @property
    def resource(self) -> str:
        """The route below the account, as in `configuration-items/1001/item-links`."""
        return _ROOT.sub("", self.url)

    def call(self, size: int, offset: int) -> Call:
        """The first page is asked without offset, which old builds do not know (§4)."""
        params = {**self.params, "max_rows": str(size)}
        return Call(self.url, params={**params, "offset": str(offset)} if offset else params)

    def identities(self, rows: Sequence[Any]) -> list[str]:
        """What tells the rows apart: their keys, or all they hold where there is none."""
        try:
            columns = [[row[name] for row in rows] for name in self.key]
            kinds = {kind for column in columns for kind in {*map(type, column)}}
            if kinds <= _PLAIN and columns:
                texts = columns if kinds == {str} else [list(map(str, each)) for each in columns]
                return texts[0] if len(texts) == 1 else list(map(" ".join, zip(*texts)))  # noqa: B905 - columns of the same rows
        except (KeyError, TypeError):
            pass  # a dotted key, a row without its own or that is no object: one by one
        return [_identity(row, self.key) for row in rows]


def ask(session: EasyVistaSession, call: Call) -> Listing:
    """Raises what `HttpSession.ask` raises, and Refused or Unreadable for what is no list."""
    answer = session.ask(call)
    document = answer.document
    if not isinstance(document, dict):
        raise _unreadable(answer, "the answer is no object")
    keys = {str(key).lower(): key for key in document}
    rows = next((document[keys[name]] for name in _envelopes(answer, keys)), None)
    if not isinstance(rows, list):
        if _ERRORS & keys.keys():
            raise session.refused(answer.where, document)
        raise _unreadable(answer, "the answer has no `records`")
    total = as_count(document.get(keys.get("total_record_count", "")))
    if "groups" in keys and "records" not in keys:
        # The groups of an employee are addresses, all of them at once, and nobody counts them.
        rows = [{"HREF": row} if isinstance(row, str) else row for row in rows]
        total = len(rows)
    return Listing(
        rows,
        total,
        as_count(document.get(keys.get("record_count", ""))),
        bool(document.get("@next")),
        len(rows) < int(call.params["max_rows"]),
        answer.doubtful,
        answer.where,
    )


def single(session: EasyVistaSession, url: str) -> Answer:
    """One record by its address, a bare object; raises as `ask`, 404 is `Denied`."""
    answer = session.ask(Call(url))
    document = answer.document
    if not isinstance(document, dict):
        raise _unreadable(answer, "the answer is no object")
    if document.keys() <= _ERRORS:
        raise session.refused(answer.where, document)
    return answer


def is_gone(session: EasyVistaSession, url: str) -> bool:
    """Whether the record at *url* is no more: 404, and nothing else."""
    try:
        single(session, url)
    except Denied as denied:
        if denied.status != 404:
            raise
        return True
    return False


def _envelopes(answer: Answer, keys: Mapping[str, str]) -> tuple[str, ...]:
    resource = answer.where.partition("?")[0].rpartition("/")[2].lower()
    return tuple(name for name in (*_ENVELOPES, resource) if name in keys)


def _unreadable(answer: Answer, what: str) -> Unreadable:
    return Unreadable(
        f"{what}: it is not one of EasyVista",
        where=answer.where,
        mend="check `base_url` of the connection and `resource` of the dataset",
    )


def _identity(row: Any, key: tuple[str, ...]) -> str:
    values = [at(row, path) for path in key] if isinstance(row, dict) else []
    if any(value is not None for value in values):
        return " ".join(map(str, values))
    try:
        return orjson.dumps(row, option=_SORTED).decode()
    except orjson.JSONEncodeError:
        return repr(row)


def at(row: Any, path: str) -> Any:
    """The value at a dotted path; None where it is unset or missing."""
    for step in path.split("."):
        row = row.get(step) if isinstance(row, dict) else None
    return row
