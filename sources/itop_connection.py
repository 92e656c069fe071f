"""The connection of an iTop: its root address, its credentials, how its texts tell dates."""

from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, field_validator

from sources.auth import ApiKeyAuth, BasicAuth, FormAuth, NoAuth
from sources.connection import HttpConnection

_SCRIPT: Final = "/webservices/rest.php"

ItopAuth = Annotated[
    NoAuth | FormAuth | BasicAuth | ApiKeyAuth,
    Field(discriminator="type"),
]


class ItopConnection(HttpConnection):
    """An iTop: `base_url` is its root, such as `https://itop.acme.example/web`."""

    type: Literal["itop"] = "itop"
    auth: ItopAuth = Field(
        NoAuth(),
        description="`form` (user and password in the body) works with every release; `basic`; "
        "`api_key` with `name: Auth-Token` for a token; `none` where the web server knows us.",
    )
    date_format: str = Field(
        "%Y-%m-%d",
        description="How dates are written for the language of this account (strptime).",
    )
    datetime_format: str = Field(
        "%Y-%m-%d %H:%M:%S",
        description="How dates with times are written for it, such as `%d/%m/%Y %H:%M:%S`.",
    )
    timezone: str | None = Field(
        None,
        description="IANA time zone of iTop, whose times tell none: needed to read by "
        "modification date, and to make ISO times of `datetimes`.",
    )

    @field_validator("base_url")
    @classmethod
    def _root(cls, url: str) -> str:
        return url.removesuffix(_SCRIPT).rstrip("/")

    @field_validator("auth")
    @classmethod
    def _no_colon(cls, auth: ItopAuth) -> ItopAuth:
        # iTop cuts the pair at every colon: specs/itop.md §2.1.
        if isinstance(auth, BasicAuth) and (
            ":" in auth.username or ":" in auth.password.get_secret_value()
        ):
            raise ValueError(
                "iTop cannot read a user or password with ':' by Basic; mend: `auth: {type: form}`"
            )
        return auth

    @field_validator("timezone")
    @classmethod
    def _known(cls, name: str | None) -> str | None:
        if name is not None and name not in available_timezones():
            raise ValueError("no such time zone; mend: an IANA name, such as Europe/Paris")
        return name

    @property
    def script(self) -> str:
        """The address of all calls."""
        return self.base_url + _SCRIPT

    @property
    def zone(self) -> ZoneInfo | None:
        return None if self.timezone is None else ZoneInfo(self.timezone)
