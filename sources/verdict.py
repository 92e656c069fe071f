"""What became of a call that failed: exceptions and statuses, turned into errors by recovery."""

import contextlib
import http
import http.client
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Final

import requests
import urllib3

from sources.errors import Refused, SourceError, Unreachable, Unreadable
from sources.masking import masked, shown_url
from sources.selector import NotJson

_SAMPLE: Final = 200


class Later(Unreachable):
    """An outage whose end the server may announce: `retry_after` is in seconds."""

    def __init__(
        self, what: str, *, retry_after: float | None, where: str = "", mend: str = ""
    ) -> None:
        super().__init__(what, where=where, mend=mend)
        self.retry_after = retry_after


class Denied(Refused):
    """A refusal by HTTP `status`; `words` are its `where` and its `mend`."""

    def __init__(self, what: str, *, status: int, where: str = "", mend: str = "") -> None:
        super().__init__(what, where=where, mend=mend)
        self.status = status
        self.words = {"where": where, "mend": mend}


@dataclass(frozen=True, slots=True)
class Judge:
    """Words the errors of one call. `url` and `secrets` are what must be shown and hidden."""

    method: str
    url: str = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    outages: tuple[int, ...]  # HTTP statuses that are outages

    @property
    def where(self) -> str:
        return f"{self.method} {shown_url(self.url, self.secrets)}"

    def exception(self, error: Exception, seconds: Mapping[str, float]) -> SourceError:
        """The error for an exchange that did not end.

        The text of requests' exceptions holds the whole URL, secrets included: only the innermost
        cause is told. *seconds* are the `connect` and `read` limits that were set.
        """
        chain = _chain(error)
        for cause in chain:
            if isinstance(cause, ssl.SSLCertVerificationError):
                return Refused(
                    f"the server's certificate is not trusted: {cause.verify_message}",
                    where=self.where,
                    mend="set `tls.ca_bundle` to the authority that signed it",
                )
        if type(error) is OSError:  # so requests says that a file is not there
            return Refused(
                "a certificate file cannot be read",
                where=self.where,
                mend="check `tls` of the connection, and REQUESTS_CA_BUNDLE in the environment",
            )
        if isinstance(error, requests.ConnectTimeout):
            what = f"no connection within {seconds['connect']:g} s"
        elif isinstance(error, requests.ReadTimeout | urllib3.exceptions.ReadTimeoutError):
            what = f"the server was silent for {seconds['read']:g} s"
        elif isinstance(error, requests.exceptions.ProxyError):
            what = f"the proxy cannot be used: {_words(chain[-1])}"
        elif isinstance(error, urllib3.exceptions.DecodeError):
            what = "the answer cannot be decompressed"
        elif any(isinstance(cause, http.client.IncompleteRead) for cause in chain):
            what = "the answer stops in the middle"
        elif isinstance(error, ValueError):
            # Also requests' InvalidURL and InvalidHeader: a call that cannot even be written.
            return Refused(
                f"the call cannot be written: {type(error).__name__}",
                where=self.where,
                mend="check the address, headers and credentials for line ends and odd characters",
            )
        else:
            what = f"the server cannot be reached: {_words(chain[-1])}"
        return Unreachable(what, where=self.where, mend=_LATER)

    def status(
        self, status: int, headers: Mapping[str, str], body: bytes, now: float
    ) -> SourceError | None:
        """The error for an answer of *status*, None for a success; *now* is in epoch seconds."""
        if 200 <= status < 300:
            return None
        words = sample(body, self.secrets)
        said = f"the server answers {_phrase(status)}" + (f": {words}" if words else "")
        if status in self.outages:
            after = retry_after(headers, now)
            return Later(said, retry_after=after, where=self.where, mend=_LATER)
        if 300 <= status < 400:
            target = shown_url(headers.get("Location", ""), self.secrets)
            said = f"the server redirects ({status}) to {target or 'nowhere'}"
        return Denied(said, status=status, where=self.where, mend=_MENDS.get(status, _CHECK))

    def not_json(self, error: NotJson, body: bytes) -> SourceError:
        """The error for a success whose body is no JSON: cut ones are outages, others are not."""
        if error.truncated and body:
            return Unreachable(
                f"the answer stops in the middle: {error}", where=self.where, mend=_LATER
            )
        return self.unreadable(f"not JSON, {error}", body)

    def unreadable(self, why: str, body: bytes) -> Unreadable:
        words = sample(body, self.secrets)
        if not words:
            return Unreadable(
                "the server answers with an empty body", where=self.where, mend=_CHECK
            )
        if body.lstrip()[:1] == b"<":
            why = "a page instead of JSON"
        return Unreadable(
            f"the server answers with {why}: {words}",
            where=self.where,
            mend="check the path; a login, maintenance or proxy page answers like this",
        )


def sample(text: str | bytes, secrets: tuple[str, ...]) -> str:
    """The first 200 characters of *text* on one line, secrets masked, nothing unprintable."""
    if isinstance(text, bytes):
        text = text[: 20 * _SAMPLE].decode("utf-8", errors="replace")
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: 20 * _SAMPLE]).split())
    shown = masked(line, secrets)
    return shown[:_SAMPLE] + ("…" if len(shown) > _SAMPLE else "")


_LATER: Final = (
    "run again once the server answers; `retry` and `timeout` of the connection bound it"
)
_CHECK: Final = "check `base_url` of the connection and `path` of the dataset"
_MENDS: Final = {
    401: "check the credentials of the connection",
    403: "ask for the rights to read this",
    590: "the request itself is refused: check the parameters of the dataset",
    **dict.fromkeys(
        (301, 302, 303, 307, 308),
        "write the final address in `base_url`, or set `redirects: same_origin`",
    ),
}


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds to wait by the Retry-After header: a number, or a date against the server's own."""
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.replace(".", "", 1).isdigit():
        return float(value)
    try:
        until = parsedate_to_datetime(value).timestamp()
    except ValueError:
        return None
    with contextlib.suppress(ValueError):
        now = parsedate_to_datetime(headers.get("Date", "")).timestamp()
    return max(0.0, until - now)


def _phrase(status: int) -> str:
    try:
        return f"{status} {http.HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _chain(error: BaseException) -> list[BaseException]:
    """*error* and what caused it, outermost first."""
    chain = [error]
    while True:
        inner = getattr(error, "reason", None)
        if not isinstance(inner, BaseException):
            inner = next((arg for arg in error.args if isinstance(arg, BaseException)), None)
        inner = inner or error.__cause__ or error.__context__
        if inner is None or inner in chain:
            return chain
        chain.append(inner)
        error = inner


def _words(cause: BaseException) -> str:
    return (cause.strerror if isinstance(cause, OSError) else None) or type(cause).__name__
