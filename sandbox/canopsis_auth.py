"""Who calls, and what they may (`specs/canopsis.md` §1.1, §1.2)."""

import base64
import binascii
import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.cookies import SimpleCookie

from sandbox.canopsis_knobs import Knobs, User

SESSION = "session-id"
"""The cookie of a session."""


class Unauthorized(Exception):
    """Credentials were found, and they are wrong."""


class Unspeakable(Exception):
    """Credentials on which Canopsis itself stumbles: 500."""


@dataclass(slots=True)
class _Token:
    user: str
    issued: float
    calls: int = 0


class Tokens:
    """Login tokens, from login to logout or to the end of their life."""

    def __init__(self, knobs: Knobs, now: Callable[[], float]) -> None:
        self._knobs, self._now = knobs, now
        self._tokens: dict[str, _Token] = {}

    def issue(self, user: User) -> str:
        """A token shaped as a JWT; only its presence here makes it worth anything."""
        parts = ({"alg": "HS256", "typ": "JWT"}, {"user": user.name, "jti": str(uuid.uuid4())})
        head, claims = (_base64url(json.dumps(part).encode()) for part in parts)
        token = f"{head}.{claims}.{_base64url(uuid.uuid4().bytes)}"
        self._tokens[token] = _Token(user.name, self._now())
        return token

    def revoke(self, token: str) -> bool:
        return self._tokens.pop(token, None) is not None

    def user_of(self, token: str) -> str | None:
        """The user of a live token, and one call less of its life."""
        known = self._tokens.get(token)
        if known is None:
            return None
        lifetime, calls = self._knobs.token_lifetime, self._knobs.token_calls
        aged = lifetime is not None and self._now() - known.issued >= lifetime
        if aged or (calls is not None and known.calls >= calls):
            del self._tokens[token]
            return None
        known.calls += 1
        return known.user


def authenticate(
    knobs: Knobs, tokens: Tokens, headers: Mapping[str, str], query: Mapping[str, str]
) -> User | None:
    """The caller; None when the call carries no credentials at all.

    The first kind of credentials found decides: Basic, then Bearer, then the API key of the
    query, then that of the header, then the session's cookie. Raises Unauthorized and Unspeakable.
    """
    scheme, _, given = headers.get("authorization", "").partition(" ")
    if scheme == "Basic":
        return _required(_basic(knobs, given))
    if scheme == "Bearer":
        name = tokens.user_of(given)
        return _required(next((u for u in knobs.users if u.name == name), None))
    key = query.get("authkey") or headers.get("x-canopsis-authkey")
    if key:
        return _required(next((u for u in knobs.users if u.authkey == key), None))
    if session := cookie(headers, SESSION):
        name = tokens.user_of(session)
        return _required(next((u for u in knobs.users if u.name == name), None))
    return None


def cookie(headers: Mapping[str, str], name: str) -> str:
    """The cookie of that name a call carries, or ""."""
    cookies = SimpleCookie(headers.get("cookie", ""))
    return cookies[name].value if name in cookies else ""


def with_password(knobs: Knobs, name: str, password: str) -> User | None:
    """The enabled user of that name and password."""
    return next(
        (u for u in knobs.users if u.enabled and u.name == name and u.password == password), None
    )


def may(user: User, permission: str, action: str) -> bool:
    return action in user.rights.get(permission, ())


def bearer(headers: Mapping[str, str]) -> str:
    """The token a call carries, or ""."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token if scheme == "Bearer" else ""


def _basic(knobs: Knobs, given: str) -> User | None:
    try:
        pair = base64.b64decode(given, validate=True).decode("utf-8", "replace").split(":")
    except binascii.Error as fault:
        raise Unspeakable(str(fault)) from fault
    # A password with a colon gives three parts, and never passes.
    return with_password(knobs, *pair) if len(pair) == 2 else None


def _required(user: User | None) -> User:
    if user is None or not user.enabled:
        raise Unauthorized
    return user


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
