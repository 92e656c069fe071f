"""The connection of an EasyVista: address, account number, credentials, how its values are written.

Every route is `{base_url}/api/v1/{account}/{resource}` (`specs/easyvista.md` §1).
"""

from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, field_validator

from sources.auth import BasicAuth, BearerAuth
from sources.connection import HttpConnection

Language = Literal["EN", "FR", "SP", "GE", "IT", "PO", "L1", "L2", "L3", "L4", "L5", "L6"]
EasyVistaAuth = Annotated[BasicAuth | BearerAuth, Field(discriminator="type")]

_API: Final = "/api"


class EasyVistaConnection(HttpConnection):
    """An EasyVista Service Manager: `base_url` is its host, such as `https://acme.easyvista.com`."""

    type: Literal["easyvista"] = "easyvista"
    account: str = Field(
        pattern=r"^\d{1,10}$",
        description="Number of the account, as in `/api/v1/50004`; no login. A wrong one is "
        "answered like a wrong password.",
    )
    auth: EasyVistaAuth = Field(
        description="`basic`: login and password of a user with the REST profile; `bearer`: an "
        "access token (2023.1 and later)."
    )
    decimal: Literal[",", "."] = Field(
        ",", description="What stands before the decimals of the fields in `decimals`."
    )
    languages: tuple[Language, ...] = Field(
        ("EN", "FR"), min_length=1, description="Languages of labels, the preferred one first."
    )
    timezone: str | None = Field(
        None, description="IANA time zone of moments that tell no offset; without it none is read."
    )
    date_format: str | None = Field(
        None,
        description="How dates are written where they are not ISO 8601 (strptime), such as "
        "`%d/%m/%Y %H:%M:%S`; without it such dates are not read.",
    )
    max_concurrency: int = Field(
        4, ge=1, le=16, description="Calls under way at once, at most; one takes about 0.5 s."
    )

    @field_validator("base_url")
    @classmethod
    def _host(cls, url: str) -> str:
        path = urlsplit(url).path
        if f"{path}/".startswith(f"{_API}/"):
            raise ValueError(
                f"{path!r} is added by refsync; mend: write the host alone, and the number of the "
                "account in `account`"
            )
        return url

    @field_validator("account", mode="before")
    @classmethod
    def _text(cls, account: Any) -> Any:
        return str(account) if type(account) is int else account

    @field_validator("timezone")
    @classmethod
    def _known(cls, timezone: str | None) -> str | None:
        if timezone is not None and timezone not in available_timezones():
            raise ValueError(
                f"unknown time zone {timezone!r}; mend: write one such as Europe/Paris"
            )
        return timezone

    @property
    def root(self) -> str:
        """What the routes of resources are added to."""
        return f"{self.base_url}{_API}/v1/{self.account}"

    @property
    def zone(self) -> ZoneInfo | None:
        return ZoneInfo(self.timezone) if self.timezone else None
