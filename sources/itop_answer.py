"""What an answer of iTop means: nearly every error comes with HTTP 200 (specs/itop.md §9).

{"code": 0, "message": "Found: 4", "objects": {…}}                          a success
{"code": 1, "message": "Error: Invalid login"}                              and many more codes
{"data": [{"code": 100, "message": "… under maintenance."}], "scripts": []}  3.1 and later
<p>iTop: Allowed memory size of 32M exhausted, …</p>                        HTTP 500, or 200
"""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Final

import requests
import urllib3

from sources.errors import Refused, SourceError, Unreachable, Unreadable
from sources.itop_errors import (
    Broken,
    NoRight,
    Slow,
    UnknownAttribute,
    Unserved,
    UnsupportedVersion,
)
from sources.selector import NotJson, as_count
from sources.verdict import Judge, Later, retry_after, sample

_HEAD: Final = 10_000  # bytes of a page that may hold its words
_LATER: Final = "run again later; `retry` of the connection bounds the attempts"
_FEWER: Final = "lower `page_size` of the dataset, or raise PHP's limits on the server"
_FATAL: Final = re.compile(rb"Allowed memory size|Maximum execution time|Fatal error")
_TAGS: Final = re.compile(rb"<[^>]*>")
_MESSAGE: Final = re.compile(rb'"message"\s*:\s*"([^"]*)"')

# The hexadecimal dump that follows holds data, megabytes of it: specs/itop.md §1.2.
_DUMP: Final = re.compile(r"Full response structure.*", re.DOTALL)
_NOT_ENCODED: Final = "json encoding failed"
_CAUSE: Final = "exception_message = "
_ATTRIBUTE: Final = re.compile(r"invalid attribute code '([^']*)'")
_FILTER: Final = re.compile(r"found '([^']*)' at \d+ .*expecting \{([^}]*)", re.DOTALL)
_RIGHT: Final = re.compile(
    r"enough permissions for (reading|exporting) data of class(?:es|\(es\))?:? (.+)"
)
_PROFILE: Final = re.compile(r"[Tt]he profile (.+?) is required")
_MAINTENANCE: Final = re.compile(r"under maintenance|maintenance mode|setup is", re.IGNORECASE)
_OUTAGE: Final = re.compile(
    r"gone away|lost connection|lock wait timeout|deadlock found|too many connections",
    re.IGNORECASE,
)
# MySQL's own numbers: too many connections, shutdown, lock wait, deadlock, gone away, lost.
_PASSING: Final = frozenset({1040, 1053, 1205, 1213, 2002, 2006, 2013})

_MENDS: Final = {
    2: "the parameters were lost: write the final address in `base_url`",
    3: "the body was lost: write the final address in `base_url`, or raise PHP's post_max_size",
    4: "report this as a defect of refsync",
    5: "give the connection an `auth`; a Basic header may be lost by the web server: use `form`",
    6: "give the connection an `auth`; a Basic header may be lost by the web server: use `form`",
    10: "iTop 2.2 or later is needed",
    11: "iTop lacks an operation of its REST services",
    100: "correct `class`, `where` or `oql` of the dataset",
}


def failure(document: Any, where: str, secrets: tuple[str, ...]) -> SourceError | None:
    """The error that *document* tells, None for a success."""
    if not isinstance(document, dict) or "code" not in document:
        return _without_code(document, where, secrets)
    code = as_count(document["code"])
    if code == 0:
        return None
    text = str(document.get("message") or "")
    if code == 1:
        return _unauthorized(text, where, secrets)
    if code in _PASSING or _OUTAGE.search(text) or (code == 100 and _MAINTENANCE.search(text)):
        return Unreachable(f"iTop answers {_said(code, text, secrets)}", where=where, mend=_LATER)
    if _NOT_ENCODED in text:
        return Unserved(
            f"iTop cannot write its answer: {_words(text, secrets)}",
            where=where,
            mend="mend the text of this object in iTop: it is not UTF-8",
        )
    return _refusal(code, text, where, secrets)


def _without_code(document: Any, where: str, secrets: tuple[str, ...]) -> SourceError:
    """3.1 and later under maintenance; anything else is no answer of the REST services."""
    data = document.get("data") if isinstance(document, dict) else None
    first = data[0] if isinstance(data, list) and data else None
    text = str(first.get("message") or "") if isinstance(first, dict) else ""
    if _MAINTENANCE.search(text):
        return Unreachable(f"iTop answers: {_words(text, secrets)}", where=where, mend=_LATER)
    shown = text or repr(document)
    return Unreadable(
        f"the server answers JSON without a code: {sample(shown, secrets)}",
        where=where,
        mend="check `base_url` of the connection: it is not answered by iTop's REST services",
    )


def _unauthorized(text: str, where: str, secrets: tuple[str, ...]) -> SourceError:
    """Code 1 has three meanings, which its English words alone tell apart (specs/itop.md §2.2)."""
    said = f"iTop refuses: {_words(text, secrets)}"
    if found := _RIGHT.search(text):
        verb, classes = found[1], sample(found[2], secrets)
        return NoRight(
            said,
            lacking=f"{verb} of class {classes}",
            where=where,
            mend=f"give the account a profile that may read, and bulk read, class {classes}",
        )
    if "not authorized to use the web services" in text or "Portal user" in text:
        profile = found[1] if (found := _PROFILE.search(text)) else "REST Services User"
        portal = "Portal user" in text
        lacking = "an account that is not of the portal alone" if portal else f"profile {profile}"
        mend = "use another account" if portal else f"give the account the profile {profile}"
        return NoRight(said, lacking=lacking, where=where, mend=mend)
    return Refused(
        said,
        where=where,
        mend="check user, password or token of the connection, its expiry, and iTop's "
        "allowed_login_types",
    )


def _refusal(code: int | None, text: str, where: str, secrets: tuple[str, ...]) -> SourceError:
    said = f"iTop refuses {_said(code, text, secrets)}"
    if code == 10:
        return UnsupportedVersion(said, where=where, mend=_MENDS[10])
    if found := _ATTRIBUTE.search(text):
        mend = "correct the mapping, or `fields` of the dataset"
        return UnknownAttribute(said, attribute=found[1], where=where, mend=mend)
    if found := _FILTER.search(text):
        known = tuple(found[2].split(", "))
        mend = f"correct `where` or `oql`: {guess(found[1], known)}"
        return UnknownAttribute(said, attribute=found[1], known=known, where=where, mend=mend)
    if "Secure connection required" in text:
        return Refused(said, where=where, mend="write https:// in `base_url` of the connection")
    if code is not None and code > 100:
        return Refused(
            said, where=where, mend="the database of iTop refuses: look at its error log"
        )
    return Refused(said, where=where, mend=_MENDS.get(code or 0, _MENDS[100]))


def guess(word: str, known: tuple[str, ...]) -> str:
    """Which of the *known* words was meant."""
    near = get_close_matches(word, known, n=1)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"there are {', '.join(known[:10])}{', …' if len(known) > 10 else ''}" if known else ""


def _said(code: int | None, text: str, secrets: tuple[str, ...]) -> str:
    origin = "MySQL error" if code is not None and code > 100 else "code"
    return f"({origin} {code}): {_words(text, secrets)}"


def _words(text: str, secrets: tuple[str, ...]) -> str:
    """What matters of a message: the cause, which stands behind the whole query from 2.7.11 on."""
    text = _DUMP.sub("…", text).removeprefix("Error: ")
    return sample(text.rpartition(_CAUSE)[2], secrets) or "no message"


def _readable(body: bytes) -> bytes:
    """What a page says without its tags, or the message that a JSON text holds."""
    found = _MESSAGE.search(body)
    return found[1] if found else _TAGS.sub(b" ", body[:_HEAD])


class ItopJudge(Judge):
    """Words the errors of one call to iTop, whose web server and PHP say more than a status."""

    def exception(self, error: Exception, seconds: Mapping[str, float]) -> SourceError:
        judged = super().exception(error, seconds)
        # PHP goes on with the query: asked for the same again, the server would work twice.
        if isinstance(error, requests.ReadTimeout | urllib3.exceptions.ReadTimeoutError):
            return Slow(str(judged), where=self.where, mend=_FEWER)
        return judged

    def status(
        self, status: int, headers: Mapping[str, str], body: bytes, now: float
    ) -> SourceError | None:
        """As its parent; an iTop that gave up on memory or time is not asked the same again."""
        failed = super().status(status, headers, body, now)
        if not isinstance(failed, Unreachable):
            return failed
        words = sample(_readable(body), self.secrets)
        said = f"the server answers {status}" + (f": {words}" if words else "")
        if _FATAL.search(body):
            return Unserved(said, where=self.where, mend=_FEWER)
        if status == 504:
            return Slow(said, where=self.where, mend=_FEWER)
        kind = Broken if status == 500 else Later
        after = retry_after(headers, now)
        return kind(said, retry_after=after, where=self.where, mend=_LATER)

    def not_json(self, error: NotJson, body: bytes) -> SourceError:
        """As its parent; with display_errors on, PHP gives up with a 200 (specs/itop.md §9)."""
        if _FATAL.search(body):
            words = sample(_readable(body), self.secrets)
            return Unserved(f"iTop gives up on this answer: {words}", where=self.where, mend=_FEWER)
        if not body.strip():
            return Unserved(
                "the server answers with an empty body",
                where=self.where,
                mend="iTop 2.3 writes nothing where a text is not UTF-8: mend it in iTop; else "
                "check allowed_login_types",
            )
        return super().not_json(error, body)
