"""The one HTTP call of a driver file, as Go's client makes it (`specs/driver-compat.md`, D16-D19).

Proxies come from the environment. Redirects are followed ten times and to other hosts, where the
credentials stay behind.
"""

import json
import os
import time
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

import requests
from pydantic import SecretStr

from flows.settings import Settings
from mappings.driver import Api
from sources.auth import BasicAuth, NoAuth, shown_url
from sources.connection import HttpConnection, Retries, Timeouts, Tls
from sources.errors import Refused
from sources.session import Call, HttpSession, Origin

_HOPS = 10
_LARGEST = 1 << 30  # bytes of an answer: the driver asks for everything at once
_PRIVATE = ("Authorization", "Www-Authenticate", "Cookie", "Cookie2")  # what Go leaves behind


class DriverConnection(HttpConnection):
    """Where the call of a file goes; made from the file and the environment."""


def connection_of(api: Api, seconds: float, settings: Settings) -> DriverConnection:
    """The connection of a file's call, its secrets known to *settings* from now on."""
    parts = urlsplit(api.url)
    name = os.environ.get("EXTERNAL_API_USERNAME", "") or unquote(parts.username or "")
    password = unquote(parts.password or "")
    if os.environ.get("EXTERNAL_API_USERNAME"):
        password = os.environ.get("EXTERNAL_API_PASSWORD", "")
    settings.keep_secret(password)
    headers = dict(api.headers)
    basic = bool(name) and "Authorization" not in headers  # the file's own wins (decision D17)
    host = parts.netloc.rpartition("@")[2]
    return DriverConnection(
        base_url=urlunsplit((parts.scheme, host, "", "", "")),
        auth=BasicAuth(username=name, password=SecretStr(password)) if basic else NoAuth(),
        headers={key: SecretStr(value) for key, value in headers.items()},
        timeout=Timeouts(connect=seconds, read=seconds, total=max(300, seconds)),
        tls=Tls(verify=not api.insecure_skip_verify),
        retry=Retries(attempts=3),
        max_body=_LARGEST,
    )


def ask(api: Api, connection: DriverConnection) -> Any:
    """The decoded answer; raises what `HttpSession.ask` does."""
    parts = urlsplit(api.url)
    host = parts.netloc.rpartition("@")[2]
    url = urlunsplit((parts.scheme, host, parts.path, parts.query, ""))
    call = Call(
        url,
        api.method,
        json=api.json,
        form=dict(api.form) or None,
        safe=api.method in ("GET", "HEAD"),
    )
    with _Session(connection) as session:
        answer = session.ask(call)
    return _whole(answer.document) if answer.doubtful else answer.document


class _Session(HttpSession):
    """Follows redirects where Go does."""

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """One exchange and those that its redirects lead to; any other status is let by."""
        deadline = time.monotonic() + self.connection.timeout.total
        for limit in ("timeout", "stream", "allow_redirects"):
            kwargs.pop(limit, None)
        response = self._exchange(request, deadline, kwargs)
        for _ in range(_HOPS):
            if not response.is_redirect:
                return response
            request = self._onward(request, response)
            response = self._exchange(request, deadline, kwargs)
        if not response.is_redirect:
            return response
        raise Refused(
            f"stopped after {_HOPS} redirects",
            where=f"{request.method} {shown_url(str(request.url), self.secrets())}",
            mend="write the final address in api.url",
        )

    def _onward(
        self, request: requests.PreparedRequest, response: requests.Response
    ) -> requests.PreparedRequest:
        request = request.copy()
        origin = urlsplit(str(request.url)).hostname or ""
        request.prepare_url(urljoin(str(request.url), response.headers["Location"]), {})
        target = urlsplit(str(request.url)).hostname or ""
        if response.status_code not in (307, 308) and request.method not in ("GET", "HEAD"):
            request.method, request.body = "GET", None
            for name in ("Content-Length", "Content-Type", "Transfer-Encoding"):
                request.headers.pop(name, None)
        request.headers.pop("Host", None)
        if target != origin and not target.endswith(f".{origin}"):
            for name in _PRIVATE:
                request.headers.pop(name, None)
        self.origin = Origin.of(str(request.url))
        return request


def _whole(document: Any) -> Any:
    """The document with a sign in place of each lone surrogate, as Go's decoder leaves it."""
    text = json.dumps(document, ensure_ascii=False)
    return json.loads(text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace"))
