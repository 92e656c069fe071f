"""One HTTP session with Canopsis: strict JSON in, typed errors out, outages waited out.

A call is repeated only when it may be (`repeatable`), or when it surely was not done. Secrets
never reach a message: URLs are shown without their query, foreign texts are cleared of them.
"""

import io
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import orjson
import requests
import stamina
import urllib3
from requests.adapters import HTTPAdapter

from referential.answers import Outage, Raw, decoded, page, refusal, words
from referential.connection import CanopsisConnection, Login
from referential.credentials import Credentials, keep_keys_out_of_logs
from referential.errors import Refused, Unreachable, Unreadable
from referential.masking import masked

_BLOCK = 1 << 18  # bytes sent or read at once
_READ = 4_000  # characters of a foreign text that are looked at to tell it
_BROKEN = (
    requests.ConnectionError,
    requests.exceptions.ChunkedEncodingError,
    urllib3.exceptions.HTTPError,
    ConnectionError,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` is decoded JSON (None for 204); `at` the server's clock, when it tells."""

    body: Any = field(repr=False)
    at: datetime | None


@dataclass(frozen=True, slots=True)
class _Call:
    method: str
    path: str
    params: Mapping[str, Any] | None = None
    body: bytes | None = field(default=None, repr=False)  # it may hold a password
    right: str = ""
    repeatable: bool = True
    anonymous: bool = False


class Wire:
    """A session with one Canopsis; `url` is its base address.

    `key_in_query`: an API key is sent where 3.x looks for it, once that version is known.
    """

    def __init__(self, connection: CanopsisConnection) -> None:
        self.url = connection.url
        self._connection = connection
        self.key_in_query = False
        self._token = ""
        self._session = _session(connection)
        keep_keys_out_of_logs()

    def close(self) -> None:
        self._session.close()

    def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: bytes | None = None,
        right: str = "",
        repeatable: bool | None = None,
        anonymous: bool = False,
    ) -> Answer:
        """The decoded answer.

        `body` is JSON already encoded; `right` names the Canopsis permission that the call takes,
        for the message of a 403. GET, PUT and DELETE may be repeated unless told otherwise, POST
        may not. *anonymous* calls bear no credentials. Raises Unreachable, Refused (Absent,
        TooLarge) and Unreadable.
        """
        if repeatable is None:
            repeatable = method != "POST"
        call = _Call(method, path, params, body, right, repeatable, anonymous)
        raw = self._patiently(call)
        return Answer(decoded(raw, self._where(call)), raw.at)

    def text(self, path: str, *, right: str = "") -> str:
        """A downloaded UTF-8 file (CSV); a web page in its place is Unreadable."""
        call = _Call("GET", path, right=right)
        raw = self._patiently(call)
        if raw.is_page:
            raise page(raw, self._where(call))
        try:
            return raw.content.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise Unreadable(
                "the downloaded file is not UTF-8",
                where=self._where(call),
                mend="see the proxy in front of Canopsis",
            ) from None

    def _patiently(self, call: _Call) -> Raw:
        """Repeat *call* over outages, within `timeout.total` seconds in all."""
        retry, started = self._connection.retry, time.monotonic()
        deadline = started + self._connection.timeout.total
        # Not the call: what `again` holds lives until the collector looks, megabytes of a body too.
        repeatable = call.repeatable

        def again(error: Exception) -> bool | float:
            if not isinstance(error, Outage) or not (repeatable or error.undone):
                return False
            if error.wait is None:
                return time.monotonic() < deadline
            wait = error.wait + random.uniform(0, retry.first)  # noqa: S311 - only spreads callers
            return wait if time.monotonic() + wait < deadline else False

        attempts = stamina.retry_context(
            on=again,
            attempts=retry.attempts,
            timeout=None,  # `again` knows the deadline, and Retry-After with it
            wait_initial=retry.first,
            wait_max=retry.longest,
            wait_jitter=retry.first,
        ).with_name(f"Canopsis {call.method} {call.path}", (), {})
        tried = 0
        try:
            for attempt in attempts:
                with attempt:
                    tried += 1
                    return self._authenticated(call, deadline)
        except Outage as outage:
            if tried > 1:
                outage.add_note(f"tried: {tried} times in {time.monotonic() - started:.1f} s")
            raise
        raise AssertionError("the last attempt returns or raises")

    def _authenticated(self, call: _Call, deadline: float) -> Raw:
        """One attempt; a token that expired is renewed once."""
        auth = None if call.anonymous else self._connection.auth
        if isinstance(auth, Login) and not self._token:
            self._log_in(auth, deadline)
        raw = self._once(call, deadline)
        if raw.status == 401 and isinstance(auth, Login):
            self._log_in(auth, deadline)
            raw = self._once(call, deadline)
        return self._good(raw, call)

    def _log_in(self, auth: Login, deadline: float) -> None:
        self._token = ""
        body = {"username": auth.username, "password": auth.password.get_secret_value()}
        call = _Call("POST", "/api/v4/login", body=orjson.dumps(body), anonymous=True)
        where = self._where(call)
        match decoded(self._good(self._once(call, deadline), call), where):
            case {"access_token": str(token)} if token:
                self._token = token
            case _:
                raise Unreadable(
                    "the login answered without an access token",
                    where=where,
                    mend="use `type: basic` or `type: api_key` under `auth`",
                )

    def _good(self, raw: Raw, call: _Call) -> Raw:
        if raw.status >= 300:
            raise refusal(raw, words(raw), self._where(call), call.right)
        return raw

    def _once(self, call: _Call, deadline: float) -> Raw:
        timeout, left = self._connection.timeout, deadline - time.monotonic()
        where = self._where(call)
        if left <= 0:
            raise self._too_late(where)
        try:
            response = self._session.request(
                call.method,
                self.url + call.path,
                params=call.params,
                # A file, not bytes: bytes go out in one `sendall`, whose whole duration is bounded
                # by the *connect* timeout; a slow link could then never send 5 MB.
                data=None if call.body is None else io.BytesIO(call.body),
                headers=None if call.body is None else {"Content-Type": "application/json"},
                auth=Credentials(
                    self._connection,
                    self._token,
                    anonymous=call.anonymous,
                    in_query=self.key_in_query,
                ),
                timeout=(min(timeout.connect, left), min(timeout.read, left)),
                allow_redirects=False,  # credentials stay with the host they were given for
                stream=True,
            )
            with response:
                content = self._read(response, deadline, where)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            # `from None`: a foreign exception may hold the proxy's password
            raise self._failure(error, where) from None
        return Raw(response.status_code, response.headers, content, self._scrub)

    def _read(self, response: requests.Response, deadline: float, where: str) -> bytes:
        """The whole body as it drips: a read timeout alone lets a byte a minute pass for ever."""
        chunks = []
        while chunk := response.raw.read1(_BLOCK, decode_content=True):
            chunks.append(chunk)
            if time.monotonic() > deadline:
                raise self._too_late(where)
        return b"".join(chunks)

    def _too_late(self, where: str) -> Outage:
        return Outage(
            f"Canopsis took longer than {self._connection.timeout.total:g} s to answer",
            where=where,
            mend="raise `timeout.total` of the connection, or see what keeps Canopsis busy",
        )

    def _failure(self, error: Exception, where: str) -> Unreachable | Refused:
        """What a call without an answer means."""
        timeout, root = self._connection.timeout, _root(error)
        reason = self._scrub(str(root))
        undone = isinstance(
            root, requests.ConnectTimeout | urllib3.exceptions.NewConnectionError
        ) or isinstance(error, requests.ConnectTimeout | requests.exceptions.ProxyError)
        mend = f"see that {urlsplit(self.url).netloc} is up, and reachable from here"
        if isinstance(error, requests.ConnectTimeout):
            what = f"no connection to Canopsis within {timeout.connect:g} s"
        elif isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError):
            what = f"not a byte from Canopsis within {timeout.read:g} s"
            mend = "raise `timeout.read` of the connection, or see what keeps Canopsis busy"
        elif isinstance(error, requests.exceptions.ProxyError):
            what = f"the proxy gives no way to Canopsis: {reason}"
            mend = "see `proxy` of the connection, or HTTPS_PROXY"
        elif "CERTIFICATE_VERIFY_FAILED" in reason:
            what = f"the certificate of Canopsis is not trusted: {reason}"
            mend = "give the PEM file of its authority as `tls.ca_bundle` of the connection"
            return Refused(what, where=where, mend=mend)
        elif isinstance(error, _BROKEN):
            what = f"no whole answer from Canopsis: {reason}"
        else:
            what = f"the call cannot be made: {reason}"
            return Refused(what, where=where, mend="see `url` and `tls` of the connection")
        return Outage(what, where=where, mend=mend, undone=undone)

    def _where(self, call: _Call) -> str:
        return f"{call.method} {self.url}{call.path}"

    def cleared(self, text: str) -> str:
        """*text* without our secrets."""
        return masked(text, (*self._connection.secrets(), self._token))

    def quoted(self, body: Any) -> str:
        """The beginning of an answer that is not as it should be, on one line, for a message."""
        return self._scrub(orjson.dumps(body).decode("utf-8", "replace"))[:200]

    def _scrub(self, text: str) -> str:
        """What is told of a foreign text: it is cut last, since half of a secret is one too."""
        return self.cleared(text[:_READ])[:300]


class _Adapter(HTTPAdapter):
    """Sends bodies by blocks larger than urllib3's 16 KiB: a batch weighs megabytes."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs, blocksize=_BLOCK)


def _session(connection: CanopsisConnection) -> requests.Session:
    session = requests.Session()
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    session.headers.update({"Accept": "application/json", "User-Agent": "refsync"})
    tls = connection.tls
    if tls.client_cert is not None:
        pair = (str(tls.client_cert), str(tls.client_key))
        session.cert = pair if tls.client_key is not None else str(tls.client_cert)
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Adapter())
    # The environment is read now, and not at every call: that costs more than a small call.
    proxies, trust = _proxies(connection), _trust(connection)
    settings = session.merge_environment_settings(connection.url, proxies, None, trust, None)
    session.proxies, session.verify = settings["proxies"], settings["verify"]
    session.trust_env = False
    return session


def _proxies(connection: CanopsisConnection) -> dict[str, str]:
    if connection.proxy is None:
        return {}
    return dict.fromkeys(("http", "https"), connection.proxy.get_secret_value())


def _trust(connection: CanopsisConnection) -> bool | str:
    tls = connection.tls
    return str(tls.ca_bundle) if tls.verify and tls.ca_bundle is not None else tls.verify


def _root(error: BaseException) -> BaseException:
    """The innermost exception that requests and urllib3 wrapped."""
    inner = getattr(error, "reason", None) or next(
        (part for part in error.args if isinstance(part, BaseException)), None
    )
    return _root(inner) if isinstance(inner, BaseException) else error
