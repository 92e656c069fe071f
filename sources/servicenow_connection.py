"""The connection of a ServiceNow: the instance, who asks, and how politely."""

from typing import Literal

from pydantic import Field, field_validator

from sources.auth import Auth, FormAuth, NoAuth
from sources.connection import HttpConnection, Timeouts

# The instance cancels a call after 60 s and some: whoever hangs up before never learns of it
# (specs/servicenow.md §7).
_PATIENT = Timeouts(connect=10, read=120)


class ServiceNowConnection(HttpConnection):
    """A ServiceNow instance."""

    type: Literal["servicenow"] = "servicenow"
    base_url: str = Field(description="Address of the instance (`https://acme.service-now.com`).")
    auth: Auth = Field(NoAuth(), description="How calls prove who they are.")
    timeout: Timeouts = Field(_PATIENT, description="How long a call may take.")
    version: Literal["v1", "v2"] | None = Field(
        None, description="Version of the API in its addresses; the newest one without."
    )
    pause: float = Field(
        0,
        ge=0,
        description="Seconds between two pages: calls share the instance's workers with Discovery.",
    )

    @field_validator("auth")
    @classmethod
    def _in_a_header(cls, auth: Auth) -> Auth:
        if isinstance(auth, FormAuth):
            what = "ServiceNow reads no credentials from a form; mend: `type: basic`"
            raise ValueError(what)  # noqa: TRY004 - what pydantic takes for a fault of the file
        return auth

    @property
    def api(self) -> str:
        """What stands before `/table/…` in a path."""
        return f"/api/now/{self.version}" if self.version else "/api/now"
