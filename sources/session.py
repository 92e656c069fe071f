"""The HTTP session every HTTP source shares: one exchange with its limits, repeated when sound.

`HttpSession` is a `requests.Session`, so that a vendor's library can run over it; `ask` is what
our own sources call. Whatever is sent leaves for the connection's origin and for no other.
"""

import contextlib
import logging
import os
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from importlib.metadata import version
from typing import Any, ClassVar, Final, NamedTuple, TypeVar
from urllib.parse import urljoin, urlsplit

import requests
import stamina
import urllib3
from requests.adapters import HTTPAdapter

from sources.auth import Authenticator, NoAuth, authenticator
from sources.connection import HttpConnection
from sources.errors import Refused, SourceError, Unreachable, Unreadable
from sources.masking import is_secret_name
from sources.selector import NotJson, decode
from sources.verdict import Denied, Judge, Later
from sources.wire_log import keep_queries_out_of_logs

log = logging.getLogger(__name__)

USER_AGENT: Final = f"refsync/{version('refsync')}"
_CHUNK: Final = 256 * 1024
_HOPS: Final = 5

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `safe`: repeating it changes nothing at the other end."""

    url: str
    method: str = "GET"
    params: Mapping[str, Any] = field(default_factory=dict)
    json: Any = None
    form: Mapping[str, Any] | None = field(default=None, repr=False)  # of a token, with passwords
    headers: Mapping[str, str] = field(default_factory=dict)
    safe: bool = True
    body: bytes | None = None  # sent as it is, in place of `form`


@dataclass(frozen=True, slots=True)
class Answer:
    """A decoded answer; `doubtful` when some of its texts may not be writable as UTF-8."""

    document: Any = field(repr=False)
    doubtful: bool
    status: int
    headers: Mapping[str, str] = field(repr=False)
    where: str  # the URL without secrets


class Origin(NamedTuple):
    """Scheme, host and port: what a URL may share with another without leaking credentials."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> "Origin":
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        return cls(parts.scheme, parts.hostname or "", port)


class HttpSession(requests.Session):
    """The calls of one extraction over *connection*; close it, or use it as a context manager."""

    # Whether the vendor writes every number as a text, so that no integer can be too long for JSON.
    numbers_are_texts: ClassVar[bool] = False

    def __init__(self, connection: HttpConnection) -> None:
        super().__init__()
        keep_queries_out_of_logs()
        self.connection = connection
        self.origin = Origin.of(connection.base_url)
        self.authenticator: Authenticator = authenticator(connection.auth, self._ask_token)
        self.auth = self.authenticator
        self.headers.update({"User-Agent": USER_AGENT, "Accept": "application/json"})
        fixed = {name: value.get_secret_value() for name, value in connection.headers.items()}
        self.headers.update(fixed)
        self._fixed_secrets = tuple(value for name, value in fixed.items() if is_secret_name(name))
        # A cookie kept would tie calls to one server session: iTop then accepts a wrong password
        # (specs/itop.md §0), ServiceNow drops parallel calls (specs/servicenow.md §8.3).
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        adapter = HTTPAdapter(pool_maxsize=connection.max_concurrency)
        self.mount("https://", adapter)
        self.mount("http://", adapter)
        self._set_network(connection)

    def _set_network(self, connection: HttpConnection) -> None:
        """Proxy and certificates, read from the environment once and only where not stated.

        With `trust_env`, requests reads it at every call, lets HTTP_PROXY and REQUESTS_CA_BUNDLE
        win over what a session was told, and `~/.netrc` over an Authorization header.
        """
        self.trust_env = False
        tls, proxy = connection.tls, connection.proxy
        if proxy is None:
            self.proxies.update(requests.utils.get_environ_proxies(connection.base_url))
        elif (url := proxy.get_secret_value()) != "direct":
            self.proxies.update({"http": url, "https": url})
        environment = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
        self.verify = str(tls.ca_bundle) if tls.ca_bundle else environment or True
        if tls.client_cert:
            cert = str(tls.client_cert)
            self.cert = (cert, str(tls.client_key)) if tls.client_key else cert
        if not tls.verify:
            self.verify = False
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
            log.warning("certificates are not verified: %s", connection.base_url)

    def secrets(self) -> tuple[str, ...]:
        """Texts that no message may show."""
        proxy = self.connection.proxy
        password = urlsplit(proxy.get_secret_value()).password if proxy else None
        found = (*self.authenticator.secrets(), *self._fixed_secrets)
        return (*found, password) if password else found

    def ask(self, call: Call) -> Answer:
        """The decoded answer to *call*; outages are waited for and repeated when it is `safe`.

        Raises Unreachable when the last attempt was an outage too, Refused (`Denied` when it is a
        status that says no), Unreadable when the answer is not JSON or passes `max_body`.
        """
        return self.patiently(lambda: self._ask_once(call), safe=call.safe)

    def patiently(self, once: Callable[[], T], *, safe: bool = True) -> T:
        """What *once* gives; outages are waited for and it is called again when it is `safe`.

        Lets out what *once* raises; Unreachable when the last attempt was an outage too.
        """
        retry = self.connection.retry
        attempts = stamina.retry_context(
            on=self._wait,
            attempts=retry.attempts if safe else 1,
            timeout=retry.within,
            wait_initial=retry.initial,
            wait_max=retry.max_delay,
            wait_jitter=retry.jitter,
            wait_exp_base=retry.factor,
        )
        number = 0
        try:
            for attempt in attempts:
                number = attempt.num
                with attempt:
                    got = once()
        except Unreachable as error:
            if number > 1:
                error.add_note(f"tried: {number} times")
            raise
        return got

    def _wait(self, error: Exception) -> bool | float:
        if not isinstance(error, Later) or error.retry_after is None:
            return isinstance(error, Unreachable)
        retry = self.connection.retry
        # Slices refused together must not come back together.
        jitter = random.uniform(0, retry.jitter)  # noqa: S311 - no secret depends on it
        return min(error.retry_after, retry.max_retry_after) + jitter

    def _ask_once(self, call: Call) -> Answer:
        response = self.request(
            call.method,
            call.url,
            params=call.params,
            json=call.json,
            data=call.form if call.body is None else call.body,
            headers=call.headers,
        )
        judge = self._judge(response.request)
        body = response.content
        failure = judge.status(response.status_code, response.headers, body, time.time())
        if failure is None:
            try:
                exact = not self.numbers_are_texts
                document, doubtful = decode(body, _charset(response), exact=exact)
            except NotJson as error:
                failure = judge.not_json(error, body)
            else:
                return Answer(
                    document, doubtful, response.status_code, response.headers, judge.where
                )
        raise failure

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        failure: SourceError
        try:
            return super().prepare_request(request)
        except ValueError as error:  # requests' InvalidURL and InvalidHeader are some
            failure = self._judge(request).exception(error, {})
        # Raised out of the handler: the context would hold the header with its secret.
        raise failure

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """One exchange inside the limits of the connection, its body read; any status is let by.

        Overrides what requests calls for every request, so that a vendor's library over this
        session keeps to the same origin, deadline, size, redirects and renewals.
        """
        deadline = time.monotonic() + self.connection.timeout.total
        for limit in ("timeout", "stream", "allow_redirects"):
            kwargs.pop(limit, None)  # ours, whatever the caller thinks
        response = self._exchange(request, deadline, kwargs)
        if response.status_code == 401 and self.authenticator.renew(request):
            request = self.authenticator(request.copy())
            response = self._exchange(request, deadline, kwargs)
        for _ in range(_HOPS):
            target = self._redirection(request, response)
            if target is None:
                break
            request = request.copy()
            request.prepare_url(target, {})
            response = self._exchange(self.authenticator(request), deadline, kwargs)
        return response

    def _limits(self, deadline: float) -> dict[str, Any]:
        limits = self.connection.timeout
        left = max(deadline - time.monotonic(), 0.001)
        timeout = urllib3.Timeout(total=left, connect=limits.connect, read=limits.read)
        return {"timeout": timeout, "stream": True, "allow_redirects": False}

    def get_redirect_target(self, resp: requests.Response) -> None:
        """None: `send` alone follows redirects, since requests' own leave the origin."""
        del resp

    def _redirection(
        self, request: requests.PreparedRequest, response: requests.Response
    ) -> str | None:
        """Where a redirect may be followed: inside the origin, the method and body kept."""
        keeps_method = request.method in {"GET", "HEAD"} or response.status_code in {307, 308}
        if self.connection.redirects == "refuse" or not (response.is_redirect and keeps_method):
            return None
        with contextlib.suppress(ValueError):  # a Location that is no URL is not followed either
            target = urljoin(str(request.url), response.headers["Location"])
            return target if Origin.of(target) == self.origin else None
        return None

    def _exchange(
        self, request: requests.PreparedRequest, deadline: float, given: Mapping[str, Any]
    ) -> requests.Response:
        judge = self._judge(request)
        if Origin.of(str(request.url)) != self.origin:
            raise Refused(
                "the call would leave the origin of the connection",
                where=judge.where,
                mend="write the address that answers in `base_url`",
            )
        failure: SourceError
        try:
            response = super().send(request, **given, **self._limits(deadline))
            try:
                body = self._body(response, deadline, judge)
            except BaseException:
                response.close()
                raise
        # OSError: also a certificate file that cannot be read; ValueError: a header out of latin-1.
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as e:
            limits = self.connection.timeout
            failure = judge.exception(e, {"connect": limits.connect, "read": limits.read})
        else:
            # What `requests.Response` itself keeps once read: `content`, `text` and `json()` work.
            response._content = body  # noqa: SLF001 - reading again through raw would copy twice
            response._content_consumed = True  # type: ignore[attr-defined]  # noqa: SLF001
            return response
        # Raised out of the handler: the context would hold the URL with its secrets.
        raise failure

    def _body(self, response: requests.Response, deadline: float, judge: Judge) -> bytes:
        """The decompressed body, read chunk by chunk with an eye on the clock and the size.

        `read1` returns what one read of the socket gave: a server that drips is seen dripping,
        where `iter_content` would wait for a whole chunk under the socket's timeout alone.
        """
        limit = int(self.connection.max_body)
        raw = response.raw
        chunks = []
        size = 0
        while chunk := raw.read1(_CHUNK, decode_content=True):
            chunks.append(chunk)
            size += len(chunk)
            if size > limit:
                raise Unreadable(
                    f"the answer is larger than {self.connection.max_body.human_readable()}",
                    where=judge.where,
                    mend="ask for smaller pages, or raise `max_body` of the connection",
                )
            if time.monotonic() > deadline:
                raise Unreachable(
                    f"the answer is not whole after {self.connection.timeout.total:g} s",
                    where=judge.where,
                    mend="ask for smaller pages, or raise `timeout.total` of the connection",
                )
        return b"".join(chunks)

    def _judge(self, request: requests.PreparedRequest | requests.Request) -> Judge:
        return Judge(
            str(request.method), str(request.url), self.secrets(), self.connection.retry.statuses
        )

    def _ask_token(self, url: str, form: dict[str, str], client: Authenticator) -> Any:
        """The answer of a token endpoint, over the same network settings but its own origin."""
        # Once: the call that needs the token is the one that is repeated.
        once = self.connection.retry.model_copy(update={"attempts": 1})
        update = {"base_url": url, "auth": NoAuth(), "headers": {}, "retry": once}
        connection = self.connection.model_copy(update=update)
        with HttpSession(connection) as session:
            session.auth = session.authenticator = client
            try:
                return session.ask(Call(url, "POST", form=form)).document
            except Denied as denied:
                failure = Refused(str(denied), **denied.words)
        # Not the status: it tells of the client, and would be taken for a right that lacks.
        raise failure


def _charset(response: requests.Response) -> str:
    _, _, charset = response.headers.get("Content-Type", "").partition("charset=")
    return charset.partition(";")[0].strip().strip('"')
