"""Who may call the simulated iTop, and what a call without the right to is answered.

Modes and answers are those of specs/itop.md §2: form fields, Basic (split at every `:`), the URL
when it is allowed, a token on 3.2; a cookie of an earlier good call is trusted on 2.x.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sandbox.itop_classes import lineage, root
from sandbox.itop_knobs import User
from sandbox.itop_state import Itop

UNAUTHORIZED: Final = 1
MISSING_PASSWORD: Final = 6
_REST: Final = "REST Services User"
_PORTAL: Final = "Portal user"
# read by Administrators alone, with the stock profiles
_INTERNAL: Final = frozenset(
    {"CMDBChange", "CMDBChangeOp", "User", "URP_Profiles", "Event", "SynchroReplica"}
)


class Refusal(Exception):
    """An error as rest.php reports it: HTTP 200, this code, `Error: ` before the message."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Rejected(Exception):
    """401 and nothing else: 2.x of wrong Basic credentials, all of a console's own call."""


class NoTokenGiven(Exception):
    """3.2, forced to `login_mode=token` without one, answers a sentence instead of JSON."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a call brings to be let in."""

    url: Mapping[str, str]
    body: Mapping[str, str]
    authorization: str
    token: str
    session: str  # the cookie


def logged_in(itop: Itop, brought: Credentials) -> User:
    """The user of a call, allowed to use the web services.

    Raises Refusal, Rejected or NoTokenGiven.
    """
    user = _of_session(itop, brought) or _of_credentials(itop, brought)
    if _is_portal(user):
        raise Refusal(UNAUTHORIZED, "Portal user is not allowed")
    if itop.model.modern and itop.knobs.rest_profile and _REST not in user.profiles:
        raise Refusal(
            UNAUTHORIZED,
            "This user is not authorized to use the web services. (The profile REST Services User"
            " is required to access the REST web services)",
        )
    return user


def may_read(user: User, kind: str) -> bool:
    if "Administrator" in user.profiles:
        return True
    if not set(user.profiles) - {_REST} or root(kind) in _INTERNAL:
        return False
    return not set(lineage(kind)) & set(user.unreadable)


def may_export(user: User, kind: str) -> bool:
    """Whether the user may read the class in bulk."""
    return may_read(user, kind) and not set(lineage(kind)) & set(user.unexportable)


def admitted(itop: Itop, login: str, password: str) -> User | None:
    user = itop.user(login)
    return user if user and user.enabled and user.password == password else None


def _of_session(itop: Itop, brought: Credentials) -> User | None:
    if itop.model.modern or not itop.knobs.trusting_sessions:
        return None
    return itop.user(itop.sessions.get(brought.session, ""))


def _of_credentials(itop: Itop, brought: Credentials) -> User:
    modern, allowed = itop.model.modern, itop.knobs.login_types
    mode = {**brought.url, **brought.body}.get("login_mode", "")
    if modern and mode == "token" and not _token(brought):
        raise NoTokenGiven
    if modern and {"token", "rest-token"} & set(allowed) and (token := _token(brought)):
        return _or_invalid(itop.user(itop.knobs.token_login) if token == itop.knobs.token else None)
    if "basic" in allowed and brought.authorization and mode in ("", "basic"):
        user = admitted(itop, *_basic(brought.authorization))
        if user is None and not modern:
            raise Rejected
        return _or_invalid(user)
    named: Mapping[str, str] = {}
    if "url" in allowed and mode in ("", "url", "form"):
        named = {**brought.url, **brought.body}
    elif "form" in allowed and mode in ("", "form"):
        named = brought.body
    if not modern and not named.get("auth_pwd"):
        # without any credentials too, where `auth_user` would be expected
        raise Refusal(MISSING_PASSWORD, "Missing parameter 'auth_pwd'")
    return _or_invalid(admitted(itop, named.get("auth_user", ""), named.get("auth_pwd", "")))


def _or_invalid(user: User | None) -> User:
    if user is None or not user.enabled:
        raise Refusal(UNAUTHORIZED, "Invalid login")
    return user


def _is_portal(user: User) -> bool:
    return _PORTAL in user.profiles and not set(user.profiles) - {_PORTAL, _REST}


def _token(brought: Credentials) -> str:
    return brought.token or brought.body.get("auth_token", "") or brought.url.get("auth_token", "")


def _basic(authorization: str) -> tuple[str, str]:
    """User and password; what follows a second `:` is lost, as in iTop."""
    scheme, _, encoded = authorization.partition(" ")
    try:
        parts = base64.b64decode(encoded, validate=True).decode().split(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return (parts[0], parts[1]) if scheme.lower() == "basic" and len(parts) > 1 else ("", "")
