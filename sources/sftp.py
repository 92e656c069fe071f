"""Drop folders over SFTP: fsspec's file system, on servers whose key is known.

fsspec trusts whatever key a server shows (paramiko's AutoAddPolicy) unless it is told otherwise,
and knows no file of known keys. This module loads paramiko, and is loaded for `sftp://` alone.
"""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

import paramiko
from fsspec.implementations.sftp import SFTPFileSystem

from sources.connection import Timeouts
from sources.drop_connection import DropConnection, SftpLogin
from sources.errors import Refused, SourceError
from sources.remote_folder import Interrupted, RemoteFolder, shown


class _Verified(SFTPFileSystem):  # type: ignore[misc] # fsspec ships no types
    """fsspec's file system over a client that was connected by us; renames never write over."""

    cachable = False  # fsspec would keep connections, and what they were made with

    def __init__(self, client: paramiko.SSHClient, silence: float) -> None:
        self._client = client
        self._silence = silence
        super().__init__("")

    def _connect(self) -> None:
        self.client = self._client
        self.ftp = self.client.open_sftp()
        self.ftp.get_channel().settimeout(self._silence)

    def mv(self, old: str, new: str, **_: Any) -> None:
        self.ftp.rename(old, new)


@dataclass(slots=True)
class SftpRemote:
    """An SFTP server; `login` says how it is recognised, and how it recognises us."""

    host: str
    port: int
    login: SftpLogin
    timeout: Timeouts
    system: Any = None
    client: paramiko.SSHClient = field(default_factory=paramiko.SSHClient)

    @property
    def version(self) -> str:
        transport = self.client.get_transport()
        return f"SFTP, {transport.remote_version}" if transport else "SFTP"

    @property
    def secrets(self) -> tuple[str, ...]:
        stated = (self.login.password, self.login.passphrase)
        return tuple(secret.get_secret_value() for secret in stated if secret)

    def connect(self) -> None:
        self.close()
        client = paramiko.SSHClient()
        self._trust(client)
        login, limits = self.login, self.timeout
        client.connect(
            self.host,
            self.port,
            username=login.username,
            password=login.password.get_secret_value() if login.password else None,
            pkey=self._own_key(),
            allow_agent=False,
            look_for_keys=False,
            timeout=limits.connect,
            banner_timeout=limits.read,
            auth_timeout=limits.read,
            channel_timeout=limits.read,
        )
        self.client = client
        self.system = _Verified(client, limits.read)

    def _trust(self, client: paramiko.SSHClient) -> None:
        """Let *client* know the keys that the server may have; any other is refused."""
        client.set_missing_host_key_policy(paramiko.RejectPolicy())
        if self.login.host_key is None:
            known = self.login.known_hosts.expanduser()
            if known.is_file():
                client.load_host_keys(str(known))
            return
        kind, _, text = self.login.host_key.strip().partition(" ")
        name = self.host if self.port == 22 else f"[{self.host}]:{self.port}"
        with _readable_key("host_key"):
            key = paramiko.PKey.from_type_string(kind, base64.b64decode(text.split()[0]))
        client.get_host_keys().add(name, kind, key)

    def _own_key(self) -> paramiko.PKey | None:
        path, passphrase = self.login.private_key, self.login.passphrase
        if path is None:
            return None
        with _readable_key("private_key"):
            secret = passphrase.get_secret_value().encode() if passphrase else None
            return paramiko.PKey.from_path(str(path.expanduser()), password=secret)

    def close(self) -> None:
        if self.system is not None:
            self.system.ftp.close()
            self.system = None
        self.client.close()

    def is_there(self, path: str) -> bool:
        return bool(self.system.isdir(path))

    def worded(self, error: Exception, where: str) -> SourceError | None:
        words = shown(error, self.secrets)
        if refusal := self._refusal(error, words):
            what, mend = refusal
            return Refused(what, where=where, mend=mend)
        if isinstance(error, OSError | EOFError | paramiko.SSHException):
            return Interrupted(
                "the server cannot be reached, or the line was cut: "
                f"{words or type(error).__name__}",
                where=where,
                mend="run again once it answers; `retry` and `timeout` of the connection bound it",
            )
        return None

    def _refusal(self, error: Exception, words: str) -> tuple[str, str] | None:
        """What is refused, and what mends it."""
        if isinstance(error, paramiko.BadHostKeyException):
            return (
                f"{self.host} is not the server it was: it shows another key",
                "ask who runs it whether its key was changed, and take over the new one",
            )
        if isinstance(error, paramiko.AuthenticationException):
            return (
                f"the server refuses {self.login.username}: {words}",
                "check `sftp` of the connection: username, password or private_key",
            )
        if isinstance(error, paramiko.SSHException) and "known_hosts" in words:
            return f"the key of {self.host} is not known", (
                "compare it with what who runs it says, then state it as `sftp.host_key`, or add "
                f"it to {self.login.known_hosts}"
            )
        if isinstance(error, PermissionError):
            return f"the server refuses: {words}", "give the account the right to it"
        return None


@contextmanager
def _readable_key(word: str) -> Iterator[None]:
    """Whatever goes wrong with a key is one thing to who wrote it down."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - of three libraries, of kinds they do not name
        raise Refused(
            f"the key cannot be read: {type(error).__name__}",
            where=f"sftp.{word} of the connection",
            mend="check the file and `passphrase`"
            if word == "private_key"
            else "write its type, a blank, and the key: `ssh-ed25519 AAAA…`",
        ) from None


def folder_of(connection: DropConnection) -> RemoteFolder:
    """The folder `sftp://host:port/path`; its path starts from the root of the server."""
    address = str(connection.root)
    parts = urlsplit(address)
    if connection.sftp is None or parts.hostname is None:
        raise ValueError("a connection to sftp:// has an account and a host")
    remote = SftpRemote(parts.hostname, parts.port or 22, connection.sftp, connection.timeout)
    return RemoteFolder(
        remote,
        address,
        unquote(parts.path),
        connection.timeout,
        connection.retry,
        connection.max_size,
    )
