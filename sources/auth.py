"""How calls prove who they are: the `auth:` block of a connection and what it adds to a request."""

import base64
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from pydantic import Field, SecretStr
from requests import PreparedRequest
from requests.auth import AuthBase

from sources.base import Strict
from sources.errors import Refused, Unreadable
from sources.masking import shown_url


class NoAuth(Strict):
    """Calls carry no credentials."""

    type: Literal["none"] = "none"


class BasicAuth(Strict):
    """User and password, in UTF-8."""

    type: Literal["basic"] = "basic"
    username: str = Field(description="User of the account.")
    password: SecretStr = Field(description="Its password.")


class BearerAuth(Strict):
    """A token that does not change."""

    type: Literal["bearer"] = "bearer"
    token: SecretStr = Field(description="The token, without the word Bearer.")


class ApiKeyAuth(Strict):
    """A key under a name of the vendor's choice."""

    type: Literal["api_key"] = "api_key"
    name: str = Field(description="Name of the header or query parameter that carries the key.")
    key: SecretStr = Field(description="The key.")
    location: Literal["header", "query"] = Field("header", description="Where the key travels.")


class FormAuth(Strict):
    """User and password among the fields of every call, each of which is a form (iTop)."""

    type: Literal["form"] = "form"
    username: str = Field(description="User of the account.")
    password: SecretStr = Field(description="Its password.")
    username_field: str = Field("auth_user", description="Field of the form for the user.")
    password_field: str = Field("auth_pwd", description="Field of the form for the password.")


class OAuth2(Strict):
    """What the grants of OAuth 2 have in common."""

    token_url: str = Field(description="Address that gives tokens.", pattern=r"^https?://")
    client_id: str = Field(description="Identity of the client.")
    client_secret: SecretStr = Field(description="Secret of the client.")
    scope: str | None = Field(None, description="Scopes asked for, separated by spaces.")
    audience: str | None = Field(None, description="Audience asked for, where the vendor wants it.")
    client_in: Literal["header", "body"] = Field(
        "header", description="Whether the client's identity goes by Basic or in the form."
    )
    skew: float = Field(60, ge=0, description="Seconds before its expiry when a token is renewed.")


class ClientCredentialsAuth(OAuth2):
    """OAuth 2: a token is asked for with the client's own identity, and again when it expires."""

    type: Literal["oauth2_client_credentials"] = "oauth2_client_credentials"


class PasswordAuth(OAuth2):
    """OAuth 2: a token is asked for with a user's password, then renewed by its refresh token."""

    type: Literal["oauth2_password"] = "oauth2_password"
    username: str = Field(description="User of the account.")
    password: SecretStr = Field(description="Its password.")


Auth = Annotated[
    NoAuth | BasicAuth | BearerAuth | ApiKeyAuth | FormAuth | ClientCredentialsAuth | PasswordAuth,
    Field(discriminator="type"),
]


class Authenticator(AuthBase):
    """Puts credentials on a request; this one puts none.

    A session always has one: without, requests may read `~/.netrc` and let it replace an
    Authorization header (`specs/csv-and-api.md` §2.3).
    """

    def __init__(self, identity: str, *secrets: str) -> None:
        self.identity = identity
        self._secrets = secrets

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        return request

    def secrets(self) -> tuple[str, ...]:
        """Texts that no message may show."""
        return self._secrets

    def renew(self, request: PreparedRequest) -> bool:
        """Whether *request*, answered 401, is worth repeating with new credentials."""
        del request
        return False


AskToken = Callable[[str, dict[str, str], Authenticator], Any]
"""Posts a form to the token URL under a client authentication; gives the decoded answer."""


class _Header(Authenticator):
    def __init__(self, identity: str, name: str, value: str, *secrets: str) -> None:
        super().__init__(identity, value, *secrets)
        self._name = name
        self._value = value

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers[self._name] = self._value
        return request


class _Query(Authenticator):
    def __init__(self, identity: str, name: str, value: str) -> None:
        super().__init__(identity, value)
        self._name = name
        self._value = value

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        # A next URL may echo the key: it is replaced, since some servers refuse it twice.
        parts = urlsplit(str(request.url))
        pairs = parse_qsl(parts.query, keep_blank_values=True)
        if any(name == self._name for name, _ in pairs):
            kept = urlencode([pair for pair in pairs if pair[0] != self._name])
            request.url = urlunsplit(parts._replace(query=kept))
        request.prepare_url(request.url, {self._name: self._value})
        return request


class _Form(Authenticator):
    """Adds its fields to a form; they go last, and once however often a request is sent."""

    def __init__(self, config: FormAuth) -> None:
        secret = config.password.get_secret_value()
        super().__init__(f"user {config.username}", secret)
        fields = {config.username_field: config.username, config.password_field: secret}
        self._fields = urlencode(fields)

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        kind = request.headers.get("Content-Type", "")
        if not kind.startswith("application/x-www-form-urlencoded"):
            raise Refused(
                "credentials that go in a form are for calls that send one",
                where=f"{request.method} {shown_url(str(request.url), self.secrets())}",
                mend="choose another `auth` of the connection, or send a form",
            )
        body = request.body or ""
        text = body if isinstance(body, str) else body.decode()
        if not text.endswith(self._fields):
            request.body = f"{text}&{self._fields}" if text else self._fields
            request.prepare_content_length(request.body)
        return request


class _Granted(Authenticator, ABC):
    """A bearer token kept until shortly before it expires; threads share one renewal."""

    def __init__(self, identity: str, config: OAuth2, ask: AskToken, *secrets: str) -> None:
        super().__init__(identity, config.client_secret.get_secret_value(), *secrets)
        self._config = config
        self._ask = ask
        self._lock = threading.Lock()
        self._token = ""
        self._expires = 0.0

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._current()}"
        return request

    def secrets(self) -> tuple[str, ...]:
        return (*super().secrets(), self._token) if self._token else super().secrets()

    def renew(self, request: PreparedRequest) -> bool:
        """Forget the token *request* carried, unless another thread has replaced it already."""
        with self._lock:
            if request.headers.get("Authorization") == f"Bearer {self._token}":
                self._expires = 0.0
        return True

    def _current(self) -> str:
        with self._lock:
            if time.monotonic() >= self._expires:
                self._token, lifetime = self._new_token()
                # A short-lived token is used for half of its life at least, whatever the skew.
                usable = max(lifetime - self._config.skew, lifetime / 2)
                self._expires = time.monotonic() + usable
            return self._token

    @abstractmethod
    def _new_token(self) -> tuple[str, float]:
        """A token and its lifetime in seconds."""

    def _given(self, form: dict[str, str]) -> dict[str, Any]:
        """What the token endpoint answers to *form*: at least an `access_token`."""
        config = self._config
        if config.scope:
            form["scope"] = config.scope
        if config.audience:
            form["audience"] = config.audience
        client = basic(config.client_id, config.client_secret, *self.secrets())
        if config.client_in == "body":
            form["client_id"] = config.client_id
            form["client_secret"] = config.client_secret.get_secret_value()
            client = Authenticator("client in the form", *self.secrets())
        answer = self._ask(config.token_url, form, client)
        token = answer.get("access_token") if isinstance(answer, dict) else None
        if not isinstance(token, str) or not token:
            raise Unreadable(
                "the token endpoint gives no `access_token`",
                where=shown_url(config.token_url, ()),
                mend="check `token_url` and the grants of this client",
            )
        given: dict[str, Any] = answer
        return given


def _token_of(given: dict[str, Any]) -> tuple[str, float]:
    """The token and its lifetime, an hour when the answer gives none."""
    lifetime = str(given.get("expires_in") or 3600)
    known = lifetime.replace(".", "", 1).isdigit()
    return given["access_token"], float(lifetime) if known else 3600.0


class _ClientCredentials(_Granted):
    def __init__(self, config: ClientCredentialsAuth, ask: AskToken) -> None:
        super().__init__(f"OAuth 2 client {config.client_id}", config, ask)

    def _new_token(self) -> tuple[str, float]:
        return _token_of(self._given({"grant_type": "client_credentials"}))


class _Password(_Granted):
    """Asked again with the password, a server may give the token that is about to expire.

    Source: specs/servicenow.md §10. Hence the refresh token, as long as it is good.
    """

    def __init__(self, config: PasswordAuth, ask: AskToken) -> None:
        self._pair = config.username, config.password.get_secret_value()
        super().__init__(f"user {config.username}", config, ask, self._pair[1])
        self._refresh = ""

    def secrets(self) -> tuple[str, ...]:
        return (*super().secrets(), self._refresh) if self._refresh else super().secrets()

    def _new_token(self) -> tuple[str, float]:
        given = self._refreshed() if self._refresh else None
        if given is None:
            username, password = self._pair
            form = {"grant_type": "password", "username": username, "password": password}
            given = self._given(form)
        self._refresh = str(given.get("refresh_token") or "")
        return _token_of(given)

    def _refreshed(self) -> dict[str, Any] | None:
        """None when the refresh token is good no more."""
        try:
            return self._given({"grant_type": "refresh_token", "refresh_token": self._refresh})
        except Refused:
            return None


def basic(username: str, password: SecretStr, *others: str) -> Authenticator:
    """Basic authentication in UTF-8; requests' own raises on what is not latin-1.

    *others* are secrets that travel beside it.
    """
    secret = password.get_secret_value()
    pair = base64.b64encode(f"{username}:{secret}".encode()).decode()
    return _Header(f"user {username}", "Authorization", f"Basic {pair}", pair, secret, *others)


def authenticator(auth: Auth, ask: AskToken) -> Authenticator:  # noqa: PLR0911 - one a kind
    """What puts the credentials of *auth* on requests; *ask* is used by OAuth 2 only."""
    match auth:
        case NoAuth():
            return Authenticator("no credentials")
        case BasicAuth(username=username, password=password):
            return basic(username, password)
        case BearerAuth(token=token):
            secret = token.get_secret_value()
            return _Header("bearer token", "Authorization", f"Bearer {secret}", secret)
        case ApiKeyAuth(name=name, key=key, location=location):
            kind = _Header if location == "header" else _Query
            return kind(f"API key in {location} {name}", name, key.get_secret_value())
        case FormAuth():
            return _Form(auth)
        case ClientCredentialsAuth():
            return _ClientCredentials(auth, ask)
        case PasswordAuth():
            return _Password(auth, ask)
