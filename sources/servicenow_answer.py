"""What a ServiceNow answer is: its rows, or the error that it is in one of its disguises.

A status 200 proves nothing: a cancelled call, a hibernating instance and a login page have one too
(specs/servicenow.md §7, §8.4, §9).
"""

import http
import re
from collections.abc import Mapping
from typing import Any, Final

import requests
import urllib3

from sources.errors import Refused, SourceError, Unreachable, Unreadable
from sources.selector import NotJson
from sources.servicenow_text import decode
from sources.verdict import Denied, Judge, Later, sample

_SMALLER: Final = "lower `page_size` of the dataset, or name fewer fields in the mapping"
_LATER: Final = "run again later; `retry` and `timeout` of the connection bound the waiting"
_MENDS: Final = {
    400: "check `table` and `query` of the dataset; an address that is too long is refused too",
    401: "check the credentials of the connection: a user that is locked, inactive or barred from "
    "basic authentication is answered like a wrong password",
    403: "ask for the rights of the account to read this table, and for query_range on what the "
    "query compares",
    404: "check `base_url` and `version` of the connection and `table` of the dataset",
}
_TAGS: Final = re.compile(r"<(script|style)\b.*?</\1\s*>|<[^>]*>", re.DOTALL | re.IGNORECASE)
_NOTHING_FOUND: Final = "no record found"


class Heavy(Unreachable):
    """The instance gave the call up, or one of its rows breaks it: a smaller page may pass."""

    def __init__(self, what: str, *, where: str = "", mend: str = "") -> None:
        super().__init__(what, where=where, mend=mend)
        self._stated = {"where": where, "mend": mend}

    def outage(self) -> Unreachable:
        """The same words, where the page cannot be smaller."""
        outage = Unreachable(str(self), **self._stated)
        known = getattr(outage, "__notes__", [])
        for note in getattr(self, "__notes__", []):
            if note not in known:
                outage.add_note(note)
        return outage


class ServiceNowJudge(Judge):
    """Words the errors of one call, with those of ServiceNow where it has some."""

    def exception(self, error: Exception, seconds: Mapping[str, float]) -> SourceError:
        failure = super().exception(error, seconds)
        silent = isinstance(error, requests.ReadTimeout | urllib3.exceptions.ReadTimeoutError)
        return Heavy(str(failure), where=self.where, mend=_SMALLER) if silent else failure

    def status(
        self, status: int, headers: Mapping[str, str], body: bytes, now: float
    ) -> SourceError | None:
        failure = super().status(status, headers, body, now)
        if status == 202:
            what = "the instance is busy and dropped the call (202)"
            return self._traced(
                Later(what, retry_after=None, where=self.where, mend=_LATER), headers
            )
        if failure is None or 300 <= status < 400:
            return failure
        error = error_of(body)
        words = self.words(error) if error else self.page_text(body)
        what = f"ServiceNow answers {_phrase(status)}" + (f": {words}" if words else "")
        if not isinstance(failure, Later):
            mend = _MENDS.get(status, _MENDS[404])
            failure = Denied(what, status=status, where=self.where, mend=mend)
        elif status == 500 and error:
            failure = Heavy(what, where=self.where, mend=_SMALLER)
        else:
            after = failure.retry_after
            failure = Later(what, retry_after=after, where=self.where, mend=_LATER)
        return self._traced(failure, headers)

    def document(
        self, body: bytes, headers: Mapping[str, str], kind: type[Any]
    ) -> tuple[dict[str, Any], int]:
        """The document of a success, whose `result` is a *kind*, and how many texts were mended.

        Raises Heavy for what a cancelled call leaves, Unreadable for what is not of the API.
        """
        media = headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if not body or not media.endswith("json"):
            raise self._traced(self._no_json(media, body), headers)
        failure: SourceError
        try:
            document, mended = decode(body)
        except NotJson as error:
            failure = self._broken(error, body)
        else:
            found = self._inside(document, kind)
            if found is None:
                return document, mended
            failure = found
        raise self._traced(failure, headers)

    def words(self, error: Mapping[str, Any]) -> str:
        """`message: detail` of an error, secrets masked."""
        told = [str(error[name]) for name in ("message", "detail") if error.get(name)]
        return sample(": ".join(dict.fromkeys(told)), self.secrets)

    def page_text(self, body: bytes) -> str:
        """What a person would read of an HTML page."""
        text = body[:8000].decode("utf-8", errors="replace")
        return sample(_TAGS.sub(" ", text), self.secrets)

    def _inside(self, document: Any, kind: type[Any]) -> SourceError | None:
        """The error that hides in a JSON answer of status 200."""
        if not isinstance(document, dict):
            return Unreadable("the answer is no object", where=self.where, mend=_MENDS[404])
        error = document.get("error")
        if error or document.get("status") == "failure":
            words = (
                self.words(error) if isinstance(error, dict) else sample(str(error), self.secrets)
            )
            what = f"the instance gives the call up in the middle: {words}"
            return Heavy(what, where=self.where, mend=_SMALLER)
        if not isinstance(document.get("result"), kind):
            what = f"the answer has no {'rows' if kind is list else 'object'} under `result`"
            return Heavy(what, where=self.where, mend=_SMALLER)
        return None

    def _broken(self, error: NotJson, body: bytes) -> SourceError:
        # A cancelled call leaves its JSON unfinished, or an error in the middle of its rows.
        if body.lstrip()[:1] == b"{":
            return Heavy(f"the answer breaks off: {error}", where=self.where, mend=_SMALLER)
        return self.unreadable(f"not JSON, {error}", body)

    def _no_json(self, media: str, body: bytes) -> SourceError:
        if not body or "html" not in media:
            return self.unreadable(f"{media or 'no media type'} instead of JSON", body)
        words = self.page_text(body)
        mend = "a login or maintenance page answers like this: look at the address in a browser"
        if "hibernat" in words.lower():
            mend = "wake the instance: sign in to it, or at developer.servicenow.com"
        what = f"the instance answers with a page instead of JSON: {words}"
        return Unreadable(what, where=self.where, mend=mend)

    def _traced(self, failure: SourceError, headers: Mapping[str, str]) -> SourceError:
        """*failure* with what ServiceNow's support asks for first."""
        if transaction := headers.get("X-Transaction-ID"):
            failure.add_note(f"transaction: {sample(transaction, self.secrets)}")
        return failure


def error_of(body: bytes) -> Mapping[str, Any] | None:
    """The `error` of a body as ServiceNow writes it: `{"error": {"message", "detail"}, …}`."""
    try:
        document, _ = decode(body)
    except NotJson:
        return None
    error = document.get("error") if isinstance(document, dict) else None
    return error if isinstance(error, dict) else None


def finds_nothing(status: int, body: bytes) -> bool:
    """Whether this is how version v1 of the API says that a query matches no row (§1)."""
    if status != 404:
        return False
    return str((error_of(body) or {}).get("message", "")).lower() == _NOTHING_FOUND


def no_right(error: Exception) -> bool:
    """Whether *error* says that the account may not read what was asked for."""
    return isinstance(error, Refused) and getattr(error, "status", 0) == 403


def _phrase(status: int) -> str:
    known = status in {each.value for each in http.HTTPStatus}
    return f"{status} {http.HTTPStatus(status).phrase}" if known else str(status)
