"""Who may call the simulated EasyVista, and what their profile lets them do."""

import base64
import binascii
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sandbox.easyvista_knobs import EasyVistaKnobs, User


@dataclass(frozen=True, slots=True)
class Caller:
    """An account that has shown who it is."""

    name: str
    user: User
    language: str

    def may(self, method: str, route: str) -> bool:
        """Whether the profile has a route, such as `configuration-items/{id}/item-links`."""
        return not any(_covers(denied, method, route) for denied in self.user.denied)


@dataclass(slots=True)
class Login:
    """Counts the calls made with each access token."""

    used: Counter[str] = field(default_factory=Counter)

    def caller(self, knobs: EasyVistaKnobs, authorization: str) -> Caller | None:
        """Whose call it is; None is a 401. Each call uses a token once more."""
        scheme, _, rest = authorization.partition(" ")
        name = None
        if scheme.lower() == "basic":
            name = _basic(knobs, rest)
        elif scheme.lower() == "bearer" and knobs.build == "2025.3":
            name = self._bearer(knobs, rest.strip())
        if name is None:
            return None
        user = knobs.users[name]
        return Caller(name, user, user.language or knobs.language)

    def _bearer(self, knobs: EasyVistaKnobs, value: str) -> str | None:
        token = knobs.tokens.get(value)
        if token is None or token.user not in knobs.users:
            return None
        now = datetime.fromisoformat(knobs.now).astimezone(ZoneInfo(knobs.zone))
        # "expires at midnight of that date": the day itself is already over
        if token.expires and now.date() >= date.fromisoformat(token.expires):
            return None
        self.used[value] += 1
        return None if token.uses and self.used[value] > token.uses else token.user


def _basic(knobs: EasyVistaKnobs, encoded: str) -> str | None:
    """The account; None when the header cannot be read or the password is not the account's."""
    try:
        login, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    user = knobs.users.get(login)
    return login if user is not None and user.password == password else None


def _covers(denied: str, method: str, route: str) -> bool:
    verb, _, path = denied.rpartition(" ")
    return (not verb or verb.upper() == method) and (
        route == path or route.startswith(f"{path}/") or path == "*"
    )
