"""The folder that a connection means."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sources.drop_connection import DropConnection
from sources.folder import Folder, LocalFolder


@contextmanager
def open_folder(connection: DropConnection) -> Iterator[Folder]:
    """The folder of *connection*, for as long as the context lasts.

    Raises Unreachable when a server does not answer, Refused when it is not the one expected or
    refuses us, and when the library that speaks its language is not installed.
    """
    if isinstance(connection.root, Path):
        yield LocalFolder(connection.root)
        return
    from sources.remote_folder import RemoteFolder  # noqa: PLC0415 - fsspec, for those who need it

    with RemoteFolder.open(connection) as folder:
        yield folder
