"""What an HTTP answer of Canopsis means: decoded JSON, or an error typed by how one recovers.

The error envelopes are those of `specs/canopsis.md` §1.3; bodies are read whatever their content
type, for some refusals come as `text/plain`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import orjson

from referential.errors import Refused, Unreachable, Unreadable

_COME_BACK_LATER = frozenset((408, 425, 429, 500, 502, 503, 504))
_MAINTENANCE = "canopsis is under maintenance"
_TITLE = re.compile(rb"<title>\s*([^<]{1,100}?)\s*</title>", re.IGNORECASE)


class Stranger(Refused):
    """401: these credentials are not known, or there are none."""


class Absent(Refused):
    """404: no such thing in Canopsis, or no such route in this version."""


class WrongMethod(Refused):
    """405: the route is there, for another method."""


class Forbidden(Refused):
    """403: the user is known and lacks a permission."""


class TooLarge(Refused):
    """The body is over the limit of Canopsis or of its proxy; `limit` in bytes, when it is told."""

    def __init__(self, what: str, *, where: str, mend: str, limit: int | None = None) -> None:
        super().__init__(what, where=where, mend=mend)
        self.limit = limit


class Outage(Unreachable):
    """`wait` is the server's Retry-After in seconds; `undone`: the call was surely not done."""

    def __init__(
        self, what: str, *, where: str, mend: str, wait: float | None = None, undone: bool = False
    ) -> None:
        super().__init__(what, where=where, mend=mend)
        self.wait = wait
        self.undone = undone


@dataclass(frozen=True, slots=True)
class Raw:
    """An answer as it came; `headers` are found whatever their case.

    `cleared` gives a text of it without our secrets, cut to what a message has room for.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)
    cleared: Callable[[str], str] = field(default=lambda text: text[:300], repr=False)

    @property
    def is_page(self) -> bool:
        """A web page: Canopsis' own (a path outside the API) or a proxy's."""
        return self.content.lstrip()[:1] == b"<" or "html" in self.headers.get("Content-Type", "")

    @property
    def at(self) -> datetime | None:
        """The server's clock."""
        return _moment(self.headers.get("Date"))

    @property
    def wait(self) -> float | None:
        """Retry-After in seconds; a date is compared with the server's own clock."""
        text = self.headers.get("Retry-After", "").strip()
        if text.isdecimal():
            return float(text)
        until = _moment(text)
        if until is None:
            return None
        return max(0.0, (until - (self.at or datetime.now(UTC))).total_seconds())


def decoded(raw: Raw, where: str) -> Any:
    """The JSON of a good answer, None when there is none to expect (204). Raises Unreadable."""
    if raw.status in (202, 204) and not raw.content:
        return None
    if raw.is_page:
        raise page(raw, where)
    if not raw.content.strip():
        raise Unreadable(
            f"an empty answer ({raw.status}) where JSON was due",
            where=where,
            mend="see the proxy in front of Canopsis",
        )
    try:
        return orjson.loads(raw.content)
    except orjson.JSONDecodeError as error:
        raise Unreadable(
            f"an answer ({raw.status}) that is not JSON: {error}",
            where=where,
            mend="see the proxy in front of Canopsis",
        ) from None


def page(raw: Raw, where: str) -> Unreadable:
    return Unreadable(
        f"a web page ({raw.status}{_title(raw)}) where Canopsis' API should have answered",
        where=where,
        mend="see `url` of the connection: any path outside the API gives a page with status 200; "
        "up to Canopsis 4.3 it ends with /backend",
    )


def words(raw: Raw) -> str:
    """Canopsis' own words about a refusal, cleared of secrets."""
    try:
        body = orjson.loads(raw.content)
    except orjson.JSONDecodeError:
        if raw.is_page:
            return f"a web page{_title(raw)}"
        text = raw.content.decode("utf-8", "replace").strip()
        return raw.cleared(text) or "an empty answer"
    return raw.cleared(told(body))


def told(body: Any) -> str:
    """The text of an error envelope, also of one item of a bulk answer."""
    match body:
        case {"error": str(text)}:
            return text
        case {"errors": dict(faults)}:
            return "; ".join(f"{path}: {text}" for path, text in sorted(faults.items()))
        case {"description": str(text)} | {"data": {"msg": str(text)}} if text:  # up to 4.2
            return text
    return orjson.dumps(body).decode()


def refusal(raw: Raw, said: str, where: str, right: str) -> Unreachable | Refused:
    """What a status of 300 and above means.

    `said` are Canopsis' words, cleared of secrets; `right` the permission that the call takes.
    """
    what = f"Canopsis answered {raw.status}: {said}"
    mend = "see `url` and `version` of the connection"
    kind: type[Refused] = Refused
    match raw.status:
        case 401:
            what = f"Canopsis does not know these credentials: {said}"
            mend = "see `auth` of the connection; the user must exist and be enabled"
            kind = Stranger
        case 403:
            what = f"the Canopsis user lacks a right: {said}"
            mend = f"give its role the permission {right}" if right else "see the user's roles"
            kind = Forbidden
        case 404 | 405:
            kind = Absent if raw.status == 404 else WrongMethod
        case 413:
            return TooLarge(what, where=where, mend="lower `imports.max_bytes` of the connection")
        case 400 if "exceeds limit" in said:  # Canopsis 25.04 and later (§2.6)
            limit = said.rpartition("limit ")[2]
            mend = "lower `imports.max_bytes` of the connection"
            told_limit = int(limit) if limit.isdecimal() else None
            return TooLarge(what, where=where, mend=mend, limit=told_limit)
        case status if status in _COME_BACK_LATER:
            mend = "wait for Canopsis to come back, and see its health page"
            undone = status == 429 or _MAINTENANCE in said
            return Outage(what, where=where, mend=mend, wait=raw.wait, undone=undone)
        case status if status < 400:
            there = urlsplit(raw.headers.get("Location", "")).netloc.rpartition("@")[2]
            what = f"Canopsis answered {status}, a redirection to {there or 'another path'}"
            mend = "set `url` of the connection to the final address"
    return kind(what, where=where, mend=mend)


def _title(raw: Raw) -> str:
    found = _TITLE.search(raw.content[:4000])
    return f" «{raw.cleared(found[1].decode('utf-8', 'replace'))}»" if found else ""


def _moment(text: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
