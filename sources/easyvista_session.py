"""The session of an EasyVista: its errors in its own words, its empty texts as no value.

What a failed answer means is in `specs/easyvista.md` §7: 590 is a refused request whose text is
almost JSON, 401 is a wrong account too, 403 a path that does not exist too, and after 60 s of work
a timeout error comes with no status of its own.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import requests
import urllib3

from sources.easyvista_connection import EasyVistaConnection
from sources.errors import Refused, SourceError, Unreachable
from sources.selector import NotJson, decode
from sources.session import HttpSession
from sources.verdict import Denied, Judge, sample

_WORDS: Final = ("error", "error_message", "message")
_CODE: Final = re.compile(r"\((\w+)-([0-9a-fA-F]+)\)\s*$")
_INNER: Final = re.compile(r'^\s*\{\s*"\w+"\s*:\s*"(.*)"\s*\}\s*$', re.DOTALL)
_TIMEOUT: Final = re.compile(r"time[ -]?(d )?out", re.IGNORECASE)
_UNSET: Final = re.compile(rb':""')
_SPACED: Final = re.compile(rb': ""')
_SMALLER: Final = "lower `page_size` of the dataset, or name fewer fields in the mapping"


class Overrun(Unreachable):
    """The call took too long: a smaller one may not, the same one will again."""

    @classmethod
    def of(cls, error: SourceError) -> "Overrun":
        """The same words."""
        overrun = cls(str(error))
        for note in getattr(error, "__notes__", []):
            overrun.add_note(note)
        return overrun


class Told(NamedTuple):
    """What an error of EasyVista says: its text, its code, the number that its support wants."""

    text: str
    code: str = ""
    correlation: str = ""

    @classmethod
    def of(cls, body: Any) -> "Told":
        r"""From a decoded body, `{"error": …}`, `{"message": "{\"error\": …} (2013-62f8…)"}`…"""
        found = next((body[word] for word in _WORDS if body.get(word)), body)
        text = found if isinstance(found, str) else repr(found)
        correlation = str(body.get("correlationId") or "")
        code = str(body.get("code") or body.get("error_code") or "")
        if ending := _CODE.search(text):
            text, code = text[: ending.start()].strip(), ending[1]
            correlation = correlation or ending[2]
        # Quotes inside are often not escaped: it is no JSON to be read as such.
        inner = _INNER.match(text)
        return cls(inner[1] if inner else text, code, correlation)

    def shown(self, secrets: tuple[str, ...]) -> str:
        told = [f"code {self.code}"] * bool(self.code)
        told += [f"correlation {self.correlation[:40]}"] * bool(self.correlation)
        return sample(self.text, secrets) + (f" ({', '.join(told)})" if told else "")


@dataclass(frozen=True, slots=True)
class EasyVistaJudge(Judge):
    """Words the errors of one call to the account."""

    account: str

    def exception(self, error: Exception, seconds: Mapping[str, float]) -> SourceError:
        failure = Judge.exception(self, error, seconds)
        silent = isinstance(error, requests.ReadTimeout | urllib3.exceptions.ReadTimeoutError)
        return Overrun.of(failure) if silent else failure

    def status(
        self, status: int, headers: Mapping[str, str], body: bytes, now: float
    ) -> SourceError | None:
        failure = Judge.status(self, status, headers, body, now)
        if failure is None or 300 <= status < 400:
            return failure
        told = _told(body)
        if told is not None and _TIMEOUT.search(told.text):
            what = f"the server answers {status}: {told.shown(self.secrets)}"
            return Overrun(what, where=self.where, mend=_SMALLER)
        if isinstance(failure, Unreachable):
            return failure
        said = f": {told.shown(self.secrets)}" if told else str(failure).partition(str(status))[2]
        return Denied(
            f"the server answers {status}{said}",
            status=status,
            where=self.where,
            mend=self._mend(status),
        )

    def _mend(self, status: int) -> str:
        return {
            401: "check the credentials of the connection and its `account`: EasyVista answers a "
            f"wrong account ({self.account}) like a wrong password",
            403: "check the rights of the user's profile on this route in its REST API settings, "
            "and the spelling of the route: EasyVista answers 403 to a path that does not exist",
            404: "check `resource` of the dataset",
            590: "the request itself is refused: compare the types of the values in `search` with "
            "those of their fields",
        }.get(status, "check `base_url` and `account` of the connection and `resource`")


class EasyVistaSession(HttpSession):
    """The calls of one extraction; threads may share it."""

    connection: EasyVistaConnection
    numbers_are_texts = True  # specs/easyvista.md §6

    def _judge(self, request: requests.PreparedRequest | requests.Request) -> EasyVistaJudge:
        return EasyVistaJudge(
            str(request.method),
            str(request.url),
            self.secrets(),
            self.connection.retry.statuses,
            self.connection.account,
        )

    def _wait(self, error: Exception) -> bool | float:
        return False if isinstance(error, Overrun) else super()._wait(error)

    def _body(self, response: requests.Response, deadline: float, judge: Judge) -> bytes:
        """The body, its empty texts as null: EasyVista has no other sign of an unset value."""
        late = None
        try:
            return unset_as_null(super()._body(response, deadline, judge))
        except Unreachable as error:
            late = Overrun.of(error)
        raise late

    def refused(self, where: str, body: dict[str, Any]) -> SourceError:
        """The error that a success holds in place of records."""
        told = Told.of(body)
        what = f"the server answers an error inside a success: {told.shown(self.secrets())}"
        if _TIMEOUT.search(told.text):
            return Overrun(what, where=where, mend=_SMALLER)
        mend = "check `resource` and `search` of the dataset, and the rights of the profile"
        return Refused(what, where=where, mend=mend)


def _told(body: bytes) -> Told | None:
    """What a body says, when it is an object as EasyVista writes one."""
    try:
        document, _ = decode(body)
    except NotJson:
        return None
    return Told.of(document) if isinstance(document, dict) and document else None


def unset_as_null(body: bytes) -> bytes:
    r"""JSON with `null` for every value `""`, on its bytes: a tenth of what it costs on records.

    Between a colon and two quotes no text can end or begin: inside of one a quote is written `\"`,
    and after one comes a comma, a bracket or a colon.
    """
    first = body.find(b'":')
    if body[first + 2 : first + 3] == b" ":
        return _SPACED.sub(b": null", body)
    return _UNSET.sub(b":null", body)  # half of what `bytes.replace` costs
