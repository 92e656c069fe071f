"""A real SFTP server for tests: paramiko's server side over loopback, on a folder."""

import contextlib
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import paramiko

USER = "refsync"
PASSWORD = "hunter2-of-the-drop"


@dataclass
class Served:
    """Where the server is, and how it misbehaves: `cut_after` bytes of a file the line is cut, as
    often as `cuts` says; `grows` is appended to a file when its reading begins.
    """

    root: Path
    key: paramiko.PKey
    users: dict[str, paramiko.PKey] = field(default_factory=dict)
    port: int = 0
    cut_after: int | None = None
    cuts: int = 1
    grows: bytes = b""
    connections: int = 0

    @property
    def host_key(self) -> str:
        return f"{self.key.get_name()} {self.key.get_base64()}"

    @property
    def address(self) -> str:
        return f"sftp://127.0.0.1:{self.port}/drop"


@contextmanager
def sftp_server(root: Path) -> Iterator[Served]:
    """Serve *root*, whose folder `drop` is the drop, to `USER`."""
    (root / "drop").mkdir(exist_ok=True)
    served = Served(root, paramiko.ECDSAKey.generate())
    transports: list[paramiko.Transport] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        served.port = listener.getsockname()[1]
        thread = threading.Thread(target=_accept, args=(listener, served, transports))
        thread.start()
        try:
            yield served
        finally:
            for transport in transports:
                transport.close()
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join()
            for transport in transports:
                transport.join(5)


def _accept(listener: socket.socket, served: Served, transports: list[paramiko.Transport]) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        served.connections += 1
        transport = paramiko.Transport(connection)
        transports.append(transport)
        transport.add_server_key(served.key)
        transport.set_subsystem_handler("sftp", paramiko.SFTPServer, _Files, served, transport)
        with contextlib.suppress(paramiko.SSHException, EOFError, OSError):
            transport.start_server(server=_Doorkeeper(served))


class _Doorkeeper(paramiko.ServerInterface):  # type: ignore[misc]
    def __init__(self, served: Served) -> None:
        self.served = served

    def get_allowed_auths(self, username: str) -> str:
        del username
        return "password,publickey"

    def check_auth_password(self, username: str, password: str) -> int:
        good = (username, password) == (USER, PASSWORD)
        return int(paramiko.AUTH_SUCCESSFUL if good else paramiko.AUTH_FAILED)

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        good = self.served.users.get(username) == key
        return int(paramiko.AUTH_SUCCESSFUL if good else paramiko.AUTH_FAILED)

    def check_channel_request(self, kind: str, chanid: int) -> int:
        del kind, chanid
        return int(paramiko.OPEN_SUCCEEDED)


class _Files(paramiko.SFTPServerInterface):  # type: ignore[misc]
    def __init__(
        self, server: Any, served: Served, transport: paramiko.Transport, *_: Any, **__: Any
    ) -> None:
        super().__init__(server)
        self.served = served
        self.transport = transport

    def _path(self, path: str) -> Path:
        return self.served.root / path.lstrip("/")

    def list_folder(self, path: str) -> Any:
        try:
            return [
                paramiko.SFTPAttributes.from_stat(each.lstat(), each.name)
                for each in self._path(path).iterdir()
            ]
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno)

    def stat(self, path: str) -> Any:
        try:
            return paramiko.SFTPAttributes.from_stat(self._path(path).stat())
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno)

    lstat = stat

    def open(self, path: str, flags: int, attr: Any) -> Any:
        del flags, attr
        try:
            return _Handle(self._path(path), self.served, self.transport)
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno)

    def rename(self, oldpath: str, newpath: str) -> int:
        if self._path(newpath).exists():
            return int(paramiko.SFTP_FAILURE)
        try:
            self._path(oldpath).rename(self._path(newpath))
        except OSError as error:
            return int(paramiko.SFTPServer.convert_errno(error.errno))
        return int(paramiko.SFTP_OK)

    def mkdir(self, path: str, attr: Any) -> int:
        del attr
        self._path(path).mkdir()
        return int(paramiko.SFTP_OK)


class _Handle(paramiko.SFTPHandle):  # type: ignore[misc]
    def __init__(self, path: Path, served: Served, transport: paramiko.Transport) -> None:
        super().__init__(os.O_RDONLY)
        self.served = served
        self.transport = transport
        self.path = path
        self.readfile = path.open("rb")

    def stat(self) -> Any:
        return paramiko.SFTPAttributes.from_stat(self.path.stat())

    def read(self, offset: int, length: int) -> Any:
        served = self.served
        if served.grows and not offset:
            with self.path.open("ab") as file:
                file.write(served.grows)
        if served.cut_after is not None and offset + length > served.cut_after and served.cuts:
            served.cuts -= 1
            self.transport.close()
            return paramiko.SFTP_FAILURE
        return super().read(offset, length)
