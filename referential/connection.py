"""How to reach one Canopsis: address, credentials, timeouts, and the limits of its imports."""

from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator


class _Strict(BaseModel):
    """Frozen, and a word it does not know is an error; refused values are not echoed (secrets)."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class ApiKey(_Strict):
    """A user's API key: the header `x-canopsis-authkey`, in 3.x `authkey` of the query."""

    type: Literal["api_key"] = Field("api_key", description="Authenticate with an API key.")
    key: SecretStr = Field(description="The `authkey` of a Canopsis user.")

    @field_validator("key")
    @classmethod
    def _fits_a_header(cls, key: SecretStr) -> SecretStr:
        text = key.get_secret_value()
        if not text or not text.isascii() or not text.isprintable() or " " in text:
            raise ValueError("an API key is made of printable ASCII characters, without spaces")
        return key


class Basic(_Strict):
    """A local account, sent as HTTP Basic."""

    type: Literal["basic"] = Field("basic", description="Authenticate with HTTP Basic.")
    username: str = Field(description="Name of a local Canopsis account.")
    password: SecretStr = Field(description="Its password.")

    @model_validator(mode="after")
    def _without_colon(self) -> Self:
        # Canopsis splits the decoded header on every ":" (specs/canopsis.md §1.1).
        if ":" in self.username + self.password.get_secret_value():
            raise ValueError(
                "Canopsis always refuses HTTP Basic with a ':' in the username or the password; "
                "use `type: login` or `type: api_key`"
            )
        return self


class Login(_Strict):
    """An account that logs in for a token (`POST /api/v4/login`, Canopsis 4.4 and later)."""

    type: Literal["login"] = Field("login", description="Log in once and send the token.")
    username: str = Field(description="Name of a Canopsis account.")
    password: SecretStr = Field(description="Its password.")


Auth = Annotated[ApiKey | Basic | Login, Field(discriminator="type")]


class Timeout(_Strict):
    """Seconds; `total` covers one call, its retries included."""

    connect: float = Field(5, gt=0, description="Seconds to open a connection.")
    read: float = Field(60, gt=0, description="Seconds without a byte before giving up.")
    total: float = Field(300, gt=0, description="Seconds for one call, its retries included.")


class Retry(_Strict):
    """How an outage is waited out; only calls that may be repeated are retried."""

    attempts: int = Field(5, ge=1, description="Attempts of one call, the first included.")
    first: float = Field(0.5, ge=0, description="Seconds before the second attempt; then doubled.")
    longest: float = Field(30, ge=0, description="Longest wait between two attempts, in seconds.")


class Tls(_Strict):
    """How the server is trusted, and how we present ourselves."""

    verify: bool = Field(default=True, description="Check the server's certificate.")
    ca_bundle: Path | None = Field(None, description="PEM file of the authorities to trust.")
    client_cert: Path | None = Field(None, description="PEM file of our certificate (and key).")
    client_key: Path | None = Field(None, description="PEM file of our key, when it is apart.")


class Pace(_Strict):
    """How an import is awaited. Canopsis looks at its queue every second (§2.5)."""

    first: float = Field(0.5, gt=0, description="Seconds before the first look at an import.")
    factor: float = Field(1.5, ge=1, description="Growth of the wait between two looks.")
    longest: float = Field(5, gt=0, description="Longest wait between two looks, in seconds.")
    deadline: float = Field(
        1800, gt=0, description="Seconds an import may take, the queue before it included."
    )
    deadline_per_entity: float = Field(
        0.1, ge=0, description="Seconds added to the deadline for each entity of the import."
    )


class Imports(_Strict):
    """The size of one import. Stock nginx refuses bodies over 7 MB (§1.4, §2.6)."""

    max_bytes: int = Field(5_000_000, ge=1, description="Largest body of one import, in bytes.")
    max_items: int = Field(5_000, ge=1, description="Most entities in one import.")
    max_failures: int = Field(
        200,
        ge=0,
        description="Failed imports of one run after which a refused batch is no longer halved "
        "to find its bad entities, but set aside whole.",
    )
    pace: Pace = Field(default_factory=Pace, description="How an import is awaited.")


class CanopsisConnection(_Strict):
    """A Canopsis, as declared under `connections:` with its secrets resolved."""

    type: Literal["canopsis"] = Field("canopsis", description="The system is a Canopsis.")
    url: str = Field(
        description="Base address, with its prefix if any (`https://canopsis.example/backend`); "
        "`/api/...` is added to it."
    )
    auth: Auth = Field(description="Credentials.")
    timeout: Timeout = Field(default_factory=Timeout, description="Timeouts of a call.")
    retry: Retry = Field(default_factory=Retry, description="Retries of a call.")
    tls: Tls = Field(default_factory=Tls, description="TLS settings.")
    proxy: SecretStr | None = Field(
        None, description="Proxy URL; without it the environment decides (HTTPS_PROXY, NO_PROXY)."
    )
    version: str | None = Field(
        None,
        pattern=r"^\d+\.\d+(\.\d+)?$",
        description="Version of Canopsis (`24.10.3`), when it must not be asked of the server.",
    )
    imports: Imports = Field(default_factory=Imports, description="Size and pace of imports.")

    @field_validator("url")
    @classmethod
    def _plain_address(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("an address starts with http:// or https:// and names a host")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError(
                "an address holds neither credentials nor a query; credentials go under `auth`"
            )
        return url.rstrip("/")

    def secrets(self) -> tuple[str, ...]:
        """Every value that may never be shown."""
        match self.auth:
            case ApiKey(key=secret) | Basic(password=secret) | Login(password=secret):
                found = [secret.get_secret_value()]
        if self.proxy is not None:
            found.append(self.proxy.get_secret_value())
            found.append(unquote(urlsplit(found[-1]).password or ""))
        return tuple(dict.fromkeys(secret for secret in found if secret))
