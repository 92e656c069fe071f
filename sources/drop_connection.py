"""The connection of a source that reads files: a folder of this machine, or one elsewhere."""

import re
from pathlib import Path
from typing import Annotated, Final, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, ByteSize, ConfigDict, Field, SecretStr, model_validator

from sources.base import Connection, Strict
from sources.connection import Retries, Timeouts

SCHEMES: Final = ("sftp", "s3")


def _root(root: object) -> object:
    """A folder of this machine as a Path, an address as the text it is."""
    found = re.match(r"[a-zA-Z][a-zA-Z0-9+.-]+:/", str(root))  # a Path keeps one slash of two
    if not found:
        return root if isinstance(root, Path) or not isinstance(root, str) else Path(root)
    address = str(root)
    parts = urlsplit(address)
    _ = parts.port  # raises ValueError when it is no number
    if parts.scheme not in SCHEMES or not parts.hostname:
        raise ValueError(
            "a folder of this machine is wanted, or sftp://host/folder or s3://bucket/folder; "
            "mend: write one of them"
        )
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError(
            "credentials and options belong beside the root; mend: write the address alone"
        )
    return address.rstrip("/")


class SftpLogin(Strict):
    """How an SFTP server is recognised, and how it recognises us."""

    username: str = Field(description="Name of the account.")
    password: SecretStr | None = Field(None, description="Its password.")
    private_key: Path | None = Field(None, description="File of its private key.")
    passphrase: SecretStr | None = Field(None, description="What the private key is locked with.")
    host_key: str | None = Field(
        None, description="Public key of the server (`ssh-ed25519 AAAA…`), in place of the file."
    )
    known_hosts: Path = Field(
        Path("~/.ssh/known_hosts"),
        description="File with the public keys of servers; one that is not in it is refused.",
    )

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self.password is None and self.private_key is None:
            raise ValueError("a password or a private key is needed; mend: add `password`")
        return self


class S3Login(Strict):
    """How an object store recognises us; nothing stated: as the AWS tools would."""

    access_key: str | None = Field(None, description="Access key of the account.")
    secret_key: SecretStr | None = Field(None, description="Secret key of the account.")
    session_token: SecretStr | None = Field(None, description="Token of a session for a time.")
    endpoint: str | None = Field(None, description="URL of a store that is not Amazon's.")
    region: str | None = Field(None, description="Region of the bucket.")

    @model_validator(mode="after")
    def _both(self) -> Self:
        if (self.access_key is None) != (self.secret_key is None):
            raise ValueError("`access_key` and `secret_key` go together; mend: state both")
        return self


class DropConnection(Connection):
    """A folder where files are delivered."""

    # A validation error must not print the secrets of the block it refuses.
    model_config = ConfigDict(hide_input_in_errors=True)

    root: Annotated[Path | str, BeforeValidator(_root)] = Field(
        description="Folder that the paths of datasets start from: a path, `sftp://host/folder` or "
        "`s3://bucket/folder`."
    )
    max_size: ByteSize = Field(
        ByteSize(16 * 2**30), description="Largest file once decompressed (`16GiB`)."
    )
    sftp: SftpLogin | None = Field(None, description="Account, where `root` is `sftp://…`.")
    s3: S3Login | None = Field(None, description="Account, where `root` is `s3://…`.")
    timeout: Timeouts = Field(
        Timeouts(total=3600), description="How long a transfer from elsewhere may take."
    )
    retry: Retries = Field(Retries(), description="Attempts of such a transfer after an outage.")

    @property
    def scheme(self) -> str:
        """`sftp`, `s3`, or nothing for a folder of this machine."""
        return urlsplit(self.root).scheme if isinstance(self.root, str) else ""

    @model_validator(mode="after")
    def _its_account(self) -> Self:
        for kind in SCHEMES:
            if getattr(self, kind) is not None and kind != self.scheme:
                raise ValueError(f"`{kind}` is for a root {kind}://…; mend: leave it out")
        if self.scheme == "sftp" and self.sftp is None:
            raise ValueError("an account is needed; mend: add `sftp: {username: …, …}`")
        return self
