"""The folder that a connection means."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sources.drop_connection import DropConnection
from sources.errors import Refused
from sources.folder import Folder, LocalFolder

if TYPE_CHECKING:
    from sources.remote_folder import RemoteFolder

# Each loads libraries of its own, which are extras: a local folder needs none of them.
_MODULES: Final = {"sftp": "sources.sftp", "s3": "sources.s3"}


@contextmanager
def open_folder(connection: DropConnection) -> Iterator[Folder]:
    """The folder of *connection*, for as long as the context lasts.

    Raises Unreachable when a server does not answer; Refused when it is not the one expected,
    refuses us, or when the library that speaks its language is not installed.
    """
    if isinstance(connection.root, Path):
        yield LocalFolder(connection.root)
        return
    try:
        remote: RemoteFolder = import_module(_MODULES[connection.scheme]).folder_of(connection)
    except ImportError as error:
        raise Refused(
            f"the library that speaks {connection.scheme}:// is not installed: {error.name}",
            where=connection.root,
            mend=f"install refsync with its extra: pip install refsync[{connection.scheme}]",
        ) from None
    with remote.connected() as folder:
        yield folder
