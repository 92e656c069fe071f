"""The one HTTP call of a driver file, as Go's client makes it (`specs/driver-compat.md`, D16-D19).

It is made once: what fails is not asked again. Redirects lead to other hosts too, where the
credentials stay behind, and keep of method, body and Host what `net/http` of Go 1.26 keeps.
"""

import json
import os
import time
from typing import Any
from urllib.parse import unquote, urlencode, urljoin, urlsplit, urlunsplit

import requests
from pydantic import SecretStr

from flows.driver_proxy import proxy_for
from flows.settings import Settings
from mappings.driver import Api
from mappings.golang import gojson
from sources.auth import BasicAuth, NoAuth
from sources.connection import HttpConnection, Retries, Timeouts, Tls
from sources.errors import Refused, SourceError, Unreachable, Unreadable
from sources.masking import is_secret_name, shown_url
from sources.session import Call, HttpSession, Origin
from sources.verdict import Denied

_CALLS = 10  # with those that redirects lead to: Go makes no eleventh
_LARGEST = 1 << 30  # bytes of an answer: the driver asks for everything at once
_WHOLE = 300.0  # seconds for an answer that keeps coming, unless the timeout is longer
_FORM = "application/x-www-form-urlencoded"
_PRIVATE = ("Authorization", "Www-Authenticate", "Cookie", "Cookie2")  # what Go leaves behind
_OF_BODY = ("Content-Length", "Content-Type", "Content-Encoding", "Content-Language")


class DriverConnection(HttpConnection):
    """Where the call of a file goes; made from the file and the environment."""


def connection_of(api: Api, seconds: float, settings: Settings) -> DriverConnection:
    """The connection of a file's call, its secrets known to *settings* from now on."""
    parts = urlsplit(api.url)
    name = os.environ.get("EXTERNAL_API_USERNAME", "") or unquote(parts.username or "")
    password = unquote(parts.password or "")
    if os.environ.get("EXTERNAL_API_USERNAME"):
        password = os.environ.get("EXTERNAL_API_PASSWORD", "")
    proxy = proxy_for(api.url)
    secrets = [value for key, value in api.headers if is_secret_name(key)]
    for secret in (password, urlsplit(proxy or "").password or "", *secrets):
        settings.keep_secret(secret)
    basic = bool(name) and "Authorization" not in dict(api.headers)  # its own wins (decision D17)
    return DriverConnection(
        base_url=urlunsplit((parts.scheme, _host(api.url), "", "", "")),
        auth=BasicAuth(username=name, password=SecretStr(password)) if basic else NoAuth(),
        headers={key: SecretStr(_on_the_wire(value)) for key, value in api.headers},
        timeout=Timeouts(connect=seconds, read=seconds, total=max(_WHOLE, seconds)),
        tls=Tls(verify=not api.insecure_skip_verify),
        proxy=SecretStr(proxy or "direct"),
        retry=Retries(attempts=1),
        max_body=_LARGEST,
    )


def ask(api: Api, connection: DriverConnection) -> Any:
    """The decoded answer; raises what `HttpSession.ask` does, with mends that a file can follow."""
    try:
        with _Session(connection) as session:
            answer = session.ask(_call(api))
    except SourceError as error:
        _say_mend(error)
        raise
    return _whole(answer.document) if answer.doubtful else answer.document


def _call(api: Api) -> Call:
    parts = urlsplit(api.url)
    url = urlunsplit((parts.scheme, _host(api.url), parts.path, parts.query, ""))
    if api.json is not None:
        return Call(url, api.method, body=gojson.encode(api.json).encode())
    if not api.form:
        return Call(url, api.method)
    headers = {} if "Content-Type" in dict(api.headers) else {"Content-Type": _FORM}
    body = urlencode(sorted(api.form)).encode()
    return Call(url, api.method, headers=headers, body=body)


def _host(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]


def _on_the_wire(value: str) -> str:
    """What must be given to `http.client`, which writes Latin-1, that UTF-8 is sent as Go does."""
    return value.encode().decode("latin-1")


class _Session(HttpSession):
    """Follows redirects where Go does."""

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """One exchange and those that its redirects lead to; any other status is let by."""
        deadline = time.monotonic() + self.connection.timeout.total
        for limit in ("timeout", "stream", "allow_redirects"):
            kwargs.pop(limit, None)
        for _ in range(_CALLS):
            response = self._exchange(request, deadline, kwargs)
            location = response.headers.get("Location", "") if response.is_redirect else ""
            if not location:
                return response
            request = self._onward(request, response.status_code, location)
            proxy = proxy_for(str(request.url))
            kwargs["proxies"] = {"http": proxy, "https": proxy} if proxy else {}
        raise Refused(
            f"stopped after {_CALLS} redirects",
            where=f"{request.method} {shown_url(str(request.url), self.secrets())}",
            mend=_FINAL,
        )

    def _onward(
        self, request: requests.PreparedRequest, status: int, location: str
    ) -> requests.PreparedRequest:
        before, request = str(request.url), request.copy()
        location = location.encode("latin-1").decode("utf-8", "replace")
        try:
            request.prepare_url(urljoin(before, location), {})
            self.origin = Origin.of(str(request.url))
        except ValueError:  # of requests' exceptions too
            what = f"the server redirects ({status}) to what is no address"
            raise Refused(what, where=shown_url(before, self.secrets()), mend=_FINAL) from None
        if status not in (307, 308):
            self._drop_body(request)
        if urlsplit(location).scheme:
            request.headers.pop("Host", None)
        host, target = urlsplit(before).hostname or "", self.origin.host
        if target != host and not target.endswith(f".{host}"):
            for name in _PRIVATE:
                request.headers.pop(name, None)
        return request

    def _drop_body(self, request: requests.PreparedRequest) -> None:
        """To where 301, 302 and 303 lead Go asks without a body, and by GET unless it was HEAD."""
        if request.method != "HEAD":
            request.method = "GET"
        request.body = None
        for name in _OF_BODY:
            request.headers.pop(name, None)


def _say_mend(error: SourceError) -> None:
    """Put in place of its mend, which speaks of connections, what can be done about a file."""
    notes: list[str] = getattr(error, "__notes__", [])
    notes[:] = [note for note in notes if not note.startswith("mend: ")]
    error.add_note(f"mend: {_mend(error)}")


def _mend(error: SourceError) -> str:
    if isinstance(error, Denied):
        moved = 300 <= error.status < 400
        return _FINAL if moved else _OF_STATUS.get(error.status, _CHECK)
    for word, mend in _OF_WORD.items():
        if word in str(error):
            return mend
    return next((mend for kind, mend in _OF_KIND.items() if isinstance(error, kind)), _CHECK)


_FINAL = "write the final address in api.url"
_CHECK = "check api.url, api.method, api.headers and api.body"
_OF_STATUS = {
    401: "check EXTERNAL_API_USERNAME and EXTERNAL_API_PASSWORD, or Authorization in api.headers",
    403: "ask for the rights to read this",
}
_OF_WORD = {
    "proxy": "check HTTP_PROXY, HTTPS_PROXY and NO_PROXY in the environment",
    "redirects": _FINAL,
    "certificate": "let REQUESTS_CA_BUNDLE in the environment name a PEM file with the authority"
    " that signed it, or write insecure_skip_verify: true under api",
}
_OF_KIND: dict[type[SourceError], str] = {
    Unreachable: "run it again once the server answers, or give it more time by --timeout",
    Unreadable: "check api.url: a login, maintenance or proxy page may answer, or too much at once",
    Refused: "check api.url, api.headers and the credentials for line ends and odd characters",
}


def _whole(document: Any) -> Any:
    """The document with a sign in place of each lone surrogate, as Go's decoder leaves it."""
    text = json.dumps(document, ensure_ascii=False)
    return json.loads(text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace"))
