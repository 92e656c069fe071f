"""The connection of a database: its address, password and limits."""

import re
from typing import TYPE_CHECKING, Final, Literal, Self
from urllib.parse import quote

from pydantic import ConfigDict, Field, SecretStr, field_validator, model_validator

from sources.base import Connection, Strict
from sources.masking import is_secret_name

if TYPE_CHECKING:
    from sqlalchemy import URL


class SqlTimeouts(Strict):
    """How long a database may take, in seconds."""

    connect: float = Field(10, gt=0, description="Seconds to open a connection.")
    statement: float = Field(
        300,
        gt=0,
        description="Seconds for a statement, or for one page of its rows; MySQL knows a limit "
        "for the whole of it alone, which is `total`.",
    )
    total: float = Field(
        3600,
        gt=0,
        description="Seconds for the reading of a dataset from end to end, or of one slice, the "
        "mapping of its pages included.",
    )


class SqlConnection(Connection):
    """A database."""

    # A validation error must not print the secrets of the block it refuses.
    model_config = ConfigDict(hide_input_in_errors=True)

    type: Literal["sql"] = "sql"
    url: str | SecretStr = Field(
        description="Address as SQLAlchemy writes it: `postgresql://reader@db.example/cmdb`, "
        "`mysql+pymysql://…`, `oracle+oracledb://…`, `mssql+pyodbc://…`, `sqlite:////path/of.db`. "
        "Options of the driver, such as those of TLS, stand in its query."
    )
    password: SecretStr | None = Field(None, description="Password, where `url` has none.")
    timeout: SqlTimeouts = Field(SqlTimeouts(), description="How long the database may take.")
    attempts: int = Field(
        3, ge=1, le=20, description="Times a connection is tried at most, one to ten seconds apart."
    )
    max_concurrency: int = Field(4, ge=1, le=16, description="Connections at once, at most.")

    @property
    def at_once(self) -> int:
        return self.max_concurrency

    @property
    def address(self) -> str:
        """The URL as it is stated, secrets included."""
        return self.url.get_secret_value() if isinstance(self.url, SecretStr) else self.url

    @property
    def secrets(self) -> tuple[str, ...]:
        """Texts that no message may show."""
        stated = (self.password.get_secret_value(),) if self.password else ()
        return (*stated, *_secrets(self.address))

    @field_validator("url")
    @classmethod
    def _address(cls, url: str | SecretStr) -> str | SecretStr:
        """A URL that holds a secret becomes one."""
        text = url.get_secret_value() if isinstance(url, SecretStr) else url
        kind, sign, rest = text.partition("://")
        if not kind or not sign:
            raise ValueError(f"an address begins with a kind of database; mend: write {_FORM}")
        user = rest.partition("?")[0].rpartition("@")[0]
        if not user.startswith("/") and set(user) & set("@/#"):
            raise ValueError(
                "a sign of user or password cannot stand there as it is; mend: write %40 for @, "
                "%2F for /, %23 for #, or the password as `password`"
            )
        return SecretStr(text) if _secrets(text) else text

    @model_validator(mode="after")
    def _one_password(self) -> Self:
        if self.password and _parsed(self.address).password:
            raise ValueError("a password stands in `url` and in `password`; mend: keep one of them")
        return self


_FORM: Final = "`postgresql://reader@db.example/cmdb`"


def _parsed(address: str) -> "URL":
    """The URL as SQLAlchemy reads it, which is who will use it; raises ValueError."""
    import sqlalchemy as sa  # noqa: PLC0415 - only who reads a database pays for its import

    try:
        return sa.make_url(address)
    except (sa.exc.ArgumentError, ValueError):  # the latter for a port that is no number
        raise ValueError(f"this is no address of a database; mend: write {_FORM}") from None


def _secrets(address: str) -> tuple[str, ...]:
    """The password of a URL, as it is and as it is written there, and secrets of its query."""
    url = _parsed(address)
    password = str(url.password or "")
    found = [password, quote(password, safe="")]
    for name, values in url.normalized_query.items():
        if name == "odbc_connect":
            found += [*values, *re.findall(r"(?i)\bpwd=([^;]+)", ";".join(values))]
        elif is_secret_name(name):
            found += values
    return tuple(dict.fromkeys(each for each in found if each))
