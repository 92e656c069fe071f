"""Drop folders in an object store, through s3fs.

This module loads s3fs, aiobotocore and botocore, and is loaded for `s3://` alone.
"""

import logging
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import s3fs
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError
from s3fs.utils import FileExpired

from sources.connection import Timeouts
from sources.drop_connection import DropConnection, S3Login
from sources.errors import Refused, SourceError
from sources.remote_folder import Interrupted, RemoteFolder, shown

# at the level of debugging they log session tokens, and answers that may echo more
for _name in ("aiobotocore", "botocore", "s3fs"):
    _log = logging.getLogger(_name)
    _log.setLevel(max(_log.level, logging.INFO))


@dataclass(slots=True)
class S3Remote:
    """An object store; without a `login` botocore looks where the AWS tools look."""

    bucket: str
    login: S3Login
    timeout: Timeouts
    system: Any = None

    @property
    def version(self) -> str:
        return f"S3 at {self.login.endpoint}" if self.login.endpoint else "Amazon S3"

    @property
    def secrets(self) -> tuple[str, ...]:
        stated = (self.login.secret_key, self.login.session_token)
        return tuple(secret.get_secret_value() for secret in stated if secret)

    def connect(self) -> None:
        self.close()
        secret, token = self.login.secret_key, self.login.session_token
        client = {"endpoint_url": self.login.endpoint, "region_name": self.login.region}
        self.system = s3fs.S3FileSystem(
            key=self.login.access_key,
            secret=secret.get_secret_value() if secret else None,
            token=token.get_secret_value() if token else None,
            client_kwargs={name: value for name, value in client.items() if value},
            config_kwargs={
                "connect_timeout": self.timeout.connect,
                "read_timeout": self.timeout.read,
                "retries": {"max_attempts": 1},  # ours are the connection's
            },
            # A listing kept for later would show the second look what the first one saw, and an
            # instance kept for later its credentials.
            use_listings_cache=False,
            skip_instance_cache=True,
        )
        self.system.retries = 1

    def close(self) -> None:
        if self.system is not None:
            if self.system._s3creator is not None:  # noqa: SLF001 - whether a client was made
                self.system.close_session(self.system.loop, self.system.s3)
            self.system = None

    def is_there(self, path: str) -> bool:
        # A folder is but the beginning of a name: without objects there is none.
        del path
        return bool(self.system.exists(self.bucket))

    def worded(self, error: Exception, where: str) -> SourceError | None:
        words = shown(error, self.secrets)
        if isinstance(error, NoCredentialsError | PermissionError):
            return Refused(
                f"the store refuses: {words}",
                where=where,
                mend="check `s3` of the connection, and the rights of its account to the bucket",
            )
        if isinstance(error, FileExpired):
            return Interrupted(
                "the object was replaced while it was fetched",
                where=where,
                mend="run again once its delivery has ended",
            )
        if isinstance(error, OSError | BotoCoreError | ClientError):
            return Interrupted(
                f"the store cannot be reached, or the line was cut: {words}",
                where=where,
                mend="run again once it answers; `retry` and `timeout` of the connection bound it",
            )
        return None


def folder_of(connection: DropConnection) -> RemoteFolder:
    """The folder `s3://bucket/prefix`."""
    address = str(connection.root)
    parts = urlsplit(address)
    bucket = parts.netloc
    remote = S3Remote(bucket, connection.s3 or S3Login(), connection.timeout)
    base = f"{bucket}{unquote(parts.path)}"
    return RemoteFolder(
        remote, address, base, connection.timeout, connection.retry, connection.max_size
    )
