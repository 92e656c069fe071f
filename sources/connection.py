"""The connection of an HTTP source: address, credentials, limits; vendors add their own fields."""

from typing import Literal
from urllib.parse import urlsplit

from pydantic import ByteSize, ConfigDict, Field, FilePath, SecretStr, field_validator

from sources.auth import Auth, NoAuth
from sources.base import Connection, Strict


class Timeouts(Strict):
    """How long a call may take, in seconds."""

    connect: float = Field(5, gt=0, description="Seconds to open a connection.")
    read: float = Field(60, gt=0, description="Longest silence of the server, in seconds.")
    total: float = Field(300, gt=0, description="Seconds for one whole answer, however it drips.")


class Tls(Strict):
    """How the server is recognised, and how it recognises us."""

    verify: bool = Field(True, description="Whether the server's certificate is verified.")
    ca_bundle: FilePath | None = Field(None, description="PEM file of the authorities to trust.")
    client_cert: FilePath | None = Field(None, description="PEM file of the client certificate.")
    client_key: FilePath | None = Field(None, description="Its key, when in a file of its own.")


class Retries(Strict):
    """How calls that may be repeated are repeated after an outage."""

    attempts: int = Field(5, ge=1, le=20, description="Times a call is made at most.")
    initial: float = Field(0.5, ge=0, description="Seconds before the second attempt.")
    factor: float = Field(2, ge=1, description="What each wait is multiplied by.")
    max_delay: float = Field(30, ge=0, description="Longest wait of our own choice, in seconds.")
    jitter: float = Field(1, ge=0, description="Random seconds added to a wait, at most.")
    within: float = Field(900, gt=0, description="Seconds after which no attempt is added.")
    max_retry_after: float = Field(
        120, ge=0, description="Longest wait a server's Retry-After may impose, in seconds."
    )
    statuses: tuple[int, ...] = Field(
        (408, 425, 429, 500, 502, 503, 504),
        description="HTTP statuses that are outages; 590 is a refusal and cannot be one of them.",
    )

    @field_validator("statuses")
    @classmethod
    def _no_590(cls, statuses: tuple[int, ...]) -> tuple[int, ...]:
        # EasyVista's 590 is a refused request, the same at every attempt: specs/easyvista.md §7.
        if 590 in statuses:
            raise ValueError("590 is a refusal: repeating the call never helps")
        return statuses


class HttpConnection(Connection):
    """An HTTP endpoint and its credentials: what all HTTP sources have in common."""

    # A validation error must not print the secrets of the block it refuses.
    model_config = ConfigDict(hide_input_in_errors=True)

    base_url: str = Field(description="Address that the paths of datasets are added to.")
    auth: Auth = Field(NoAuth(), description="How calls prove who they are.")
    headers: dict[str, SecretStr] = Field({}, description="Headers sent with every call.")
    timeout: Timeouts = Field(Timeouts(), description="How long a call may take.")
    tls: Tls = Field(Tls(), description="Certificates.")
    proxy: SecretStr | None = Field(
        None,
        description="URL of the proxy; `direct` for none; HTTP(S)_PROXY and NO_PROXY by default.",
    )
    retry: Retries = Field(Retries(), description="Attempts after an outage.")
    redirects: Literal["refuse", "same_origin"] = Field(
        "refuse", description="Whether redirects inside the origin of `base_url` are followed."
    )
    max_body: ByteSize = Field(
        ByteSize(32 * 2**20), description="Largest answer once decompressed (`64MiB`)."
    )
    max_concurrency: int = Field(4, ge=1, le=16, description="Calls under way at once, at most.")

    @property
    def at_once(self) -> int:
        return self.max_concurrency

    @field_validator("base_url")
    @classmethod
    def _plain(cls, url: str) -> str:
        parts = urlsplit(url)
        _ = parts.port  # raises ValueError when it is no number
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("an address begins with http:// or https:// and names a host")
        if "@" in parts.netloc:
            raise ValueError("credentials belong in `auth`, not in the address")
        if parts.query or parts.fragment:
            raise ValueError("parameters belong to a dataset, not to the address")
        return url.rstrip("/")


class ApiConnection(HttpConnection):
    """A JSON API."""

    type: Literal["api"] = "api"
