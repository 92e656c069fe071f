"""Who may call the simulated instance: Basic, OAuth tokens, API keys, sessions (spec §8.3, §10)."""

import asyncio
import base64
import binascii
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sandbox.servicenow_knobs import ServiceNowKnobs, User

SESSION_COOKIE: Final = "JSESSIONID"
_REFRESH_LIFETIME: Final = 100 * 86400  # spec §10
_SESSIONS: Final = 10_000  # those of callers without cookies are never asked for again


class Unauthorized(Exception):
    """401: nobody, or someone who may not call."""


class TokenRefused(Exception):
    """The token endpoint says no: `status`, and OAuth's own words."""

    def __init__(self, error: str, description: str, status: int = 401) -> None:
        super().__init__(description)
        self.error = error
        self.status = status


@dataclass(slots=True)
class Session:
    """One session runs one transaction at a time."""

    id: str
    user: str
    calls: int = 0  # under way, the waiting ones included
    roleless: bool = False  # restored on another node without its roles
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(slots=True)
class Token:
    """An access token: whose, until when (monotonic seconds), for how many calls (None: any)."""

    user: str
    client: str
    deadline: float
    uses: int | None


@dataclass(slots=True)
class Refresh:
    user: str
    client: str
    deadline: float


@dataclass(slots=True)
class Login:
    """Accounts at work: tokens `access-1`, `refresh-1`, …; wrong passwords; sessions."""

    issued: int = 0
    wrong: Counter[str] = field(default_factory=Counter)
    sessions: dict[str, Session] = field(default_factory=dict)
    _access: dict[str, Token] = field(default_factory=dict)
    _refresh: dict[str, Refresh] = field(default_factory=dict)
    opened: int = 0

    def caller(
        self,
        knobs: ServiceNowKnobs,
        headers: Mapping[str, str],
        session: Session | None,
        now: float,
    ) -> str:
        """The account a call is made for; raises Unauthorized."""
        authorization = headers.get("authorization", "")
        scheme, _, rest = authorization.partition(" ")
        key = headers.get("x-sn-apikey", "")
        if scheme.lower() == "basic":
            name = self._basic(knobs, rest)
        elif scheme.lower() == "bearer":
            name = self._bearer(rest, now)
        elif key and knobs.release != "madrid" and key in knobs.api_keys:
            name = knobs.api_keys[key]
        elif session and not authorization:
            name = session.user
        else:
            raise Unauthorized
        if name not in knobs.users or self._is_locked(knobs, name):
            raise Unauthorized
        return name

    def session(self, cookie: str) -> Session | None:
        return self.sessions.get(cookie)

    def open_session(self, user: str) -> Session:
        self.opened += 1
        opened = Session(f"{self.opened:032X}", user)
        self.sessions[opened.id] = opened
        if len(self.sessions) > _SESSIONS:
            del self.sessions[next(iter(self.sessions))]
        return opened

    def revoke(self, *, refresh: bool = False) -> None:
        """No access token is good any more; with *refresh*, no refresh token either."""
        self._access.clear()
        if refresh:
            self._refresh.clear()

    def grant(
        self,
        knobs: ServiceNowKnobs,
        headers: Mapping[str, str],
        form: Mapping[str, str],
        now: float,
    ) -> dict[str, Any]:
        """The answer of `/oauth_token.do`; raises TokenRefused."""
        client = _client(knobs, headers, form)
        match form.get("grant_type"):
            case "password":
                name = form.get("username", "")
                self._check(knobs, name, form.get("password", ""))
                return self._token(knobs, client, name, now, self._refresh_of(client, name, now))
            case "refresh_token":
                told = form.get("refresh_token", "")
                held = self._refresh.get(told)
                if held is None or held.client != client or now >= held.deadline:
                    raise TokenRefused("server_error", "access_denied")
                self._forget(client, held.user)
                return self._token(knobs, client, held.user, now, told)
            case "client_credentials" if knobs.client_credentials and knobs.release != "madrid":
                return self._token(knobs, client, knobs.clients[client].user, now, "")
            case _:
                raise TokenRefused("unsupported_grant_type", "unsupported_grant_type")

    def _token(
        self, knobs: ServiceNowKnobs, client: str, user: str, now: float, refresh: str
    ) -> dict[str, Any]:
        """A token; as long as one is good the same is given again, with less time (spec §10)."""
        text, token = next(
            (
                (text, token)
                for text, token in self._access.items()
                if (token.client, token.user) == (client, user) and token.deadline > now
            ),
            ("", None),
        )
        if token is None:
            self.issued += 1
            text = f"access-{self.issued}"
            token = Token(user, client, now + knobs.token_lifetime, knobs.token_uses or None)
            self._access[text] = token
        answer = {
            "access_token": text,
            "refresh_token": refresh,
            "scope": "useraccount",
            "token_type": "Bearer",
            "expires_in": max(round(token.deadline - now), 0),
        }
        return {name: value for name, value in answer.items() if value != ""}

    def _refresh_of(self, client: str, user: str, now: float) -> str:
        for text, held in self._refresh.items():
            if (held.client, held.user) == (client, user) and held.deadline > now:
                return text
        text = f"refresh-{len(self._refresh) + 1}"
        self._refresh[text] = Refresh(user, client, now + _REFRESH_LIFETIME)
        return text

    def _forget(self, client: str, user: str) -> None:
        for text in [
            text
            for text, token in self._access.items()
            if (token.client, token.user) == (client, user)
        ]:
            del self._access[text]

    def _check(self, knobs: ServiceNowKnobs, name: str, password: str) -> None:
        user = knobs.users.get(name)
        if user is None or user.password != password or self._is_locked(knobs, name):
            self.wrong[name] += 1
            raise TokenRefused("server_error", "access_denied")
        self.wrong[name] = 0

    def _basic(self, knobs: ServiceNowKnobs, encoded: str) -> str:
        name, password = _credentials(encoded)
        user = knobs.users.get(name)
        if user is None or user.password != password:
            self.wrong[name] += 1
            raise Unauthorized
        if not (knobs.basic_auth or user.web_service_only):
            raise Unauthorized
        if not self._is_locked(knobs, name):
            self.wrong[name] = 0
        return name

    def _bearer(self, text: str, now: float) -> str:
        token = self._access.get(text)
        if token is None or now >= token.deadline or token.uses == 0:
            self._access.pop(text, None)
            raise Unauthorized
        if token.uses is not None:
            token.uses -= 1
        return token.user

    def _is_locked(self, knobs: ServiceNowKnobs, name: str) -> bool:
        user = knobs.users.get(name, User())
        return user.locked or 0 < knobs.lockout <= self.wrong[name]


def _client(knobs: ServiceNowKnobs, headers: Mapping[str, str], form: Mapping[str, str]) -> str:
    """The id of the client that asks for a token; raises TokenRefused."""
    ways = []
    scheme, _, rest = headers.get("authorization", "").partition(" ")
    if knobs.client_auth in {"any", "basic"} and scheme.lower() == "basic":
        ways.append(_credentials(rest))
    if knobs.client_auth in {"any", "body"}:
        ways.append((form.get("client_id", ""), form.get("client_secret", "")))
    for name, secret in ways:
        if name in knobs.clients and knobs.clients[name].secret == secret:
            return name
    raise TokenRefused("server_error", "access_denied")


def _credentials(encoded: str) -> tuple[str, str]:
    """Name and password of a Basic header; two empty texts when it is not one."""
    try:
        name, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return name, password
