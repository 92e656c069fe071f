"""Who may read the simulated JSON API."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field

from sandbox.jsonapi_knobs import ApiKnobs


@dataclass(slots=True)
class Grant:
    """What is left of a token: until when (monotonic seconds), and how many calls (None: any)."""

    deadline: float
    uses: int | None


@dataclass(slots=True)
class Tokens:
    """The OAuth2 tokens that were issued: `token-1`, `token-2`, …"""

    issued: int = 0
    _grants: dict[str, Grant] = field(default_factory=dict)

    def issue(self, knobs: ApiKnobs, now: float) -> str:
        self.issued += 1
        token = f"token-{self.issued}"
        self._grants[token] = Grant(now + knobs.token_lifetime, knobs.token_uses or None)
        return token

    def accept(self, token: str, now: float) -> bool:
        """Whether the token is still good; a good one is used once more."""
        grant = self._grants.get(token)
        if grant is None or now >= grant.deadline or grant.uses == 0:
            return False
        if grant.uses is not None:
            grant.uses -= 1
        return True


def admits(
    knobs: ApiKnobs,
    tokens: Tokens,
    *,
    headers: Mapping[str, str],
    params: Mapping[str, str],
    now: float,
) -> bool:
    """Whether the credentials of a call are those the knobs ask for."""
    authorization = headers.get("authorization", "")
    bearer = authorization.removeprefix("Bearer ") if authorization.startswith("Bearer ") else ""
    match knobs.auth:
        case "none":
            return True
        case "basic":
            return _basic(authorization) == (knobs.username, knobs.password)
        case "bearer":
            return bearer == knobs.token
        case "api_key":
            held = headers if knobs.api_key_in == "header" else params
            return held.get(knobs.api_key_name) == knobs.api_key
        case _:
            return tokens.accept(bearer, now)


def admits_client(knobs: ApiKnobs, *, headers: Mapping[str, str], form: Mapping[str, str]) -> bool:
    """Whether a call to the token endpoint carries the client's credentials where they must be."""
    client = (knobs.client_id, knobs.client_secret)
    by_header = _basic(headers.get("authorization", "")) == client
    by_body = (form.get("client_id"), form.get("client_secret")) == client
    if knobs.client_auth == "basic":
        return by_header
    return by_body if knobs.client_auth == "body" else by_header or by_body


def _basic(authorization: str) -> tuple[str, str] | None:
    """User and password; None when the header is not Basic or not UTF-8."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return user, password
