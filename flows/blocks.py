"""Prefect blocks as a place for secrets: `${prefect:BLOCK}` in refsync.yaml, and connections."""

import contextlib
import os
from collections.abc import Iterator
from enum import StrEnum
from typing import Any, ClassVar, cast

from httpx import HTTPError
from prefect.blocks.core import Block
from prefect.blocks.system import Secret
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.exceptions import ObjectNotFound
from prefect.types import SecretDict
from pydantic import ConfigDict, Field

from flows.prefect_env import CONNECTION_BLOCK
from referential.errors import Unreachable


class Kind(StrEnum):
    """The systems that a connection may lead to: those we read, and the one we write."""

    API = "api"
    CANOPSIS = "canopsis"
    CSV = "csv"
    EASYVISTA = "easyvista"
    EXCEL = "excel"
    ITOP = "itop"
    SERVICENOW = "servicenow"
    SQL = "sql"


class RefsyncConnection(Block):
    """A named endpoint with its credentials, which the job files of refsync name.

    `words` and `secrets` together are what would stand under the connection's name in refsync.yaml:
    the plain settings in the one, what nobody may read in the other, each at its own depth. Prefect
    keeps both encrypted, and shows the second to nobody.
    """

    # what Prefect's server refuses must not be quoted by whoever tells of it
    model_config = ConfigDict(hide_input_in_errors=True)

    _block_type_name: ClassVar[str | None] = "Refsync connection"
    _block_type_slug: ClassVar[str | None] = CONNECTION_BLOCK

    kind: Kind = Field(description="The system that it leads to.")
    words: dict[str, Any] = Field(
        default_factory=dict,
        description='Plain settings, as in refsync.yaml: `{"base_url": "https://cmdb.example",'
        ' "auth": {"type": "bearer"}}`.',
    )
    secrets: SecretDict = Field(
        default_factory=lambda: SecretDict({}),
        description='Secret settings, at the same depth: `{"auth": {"token": "…"}}`.',
    )


def secret(name: str) -> str:
    """The value of the Prefect Secret block *name*.

    Raises LookupError when there is none, Unreachable when Prefect does not answer.
    """
    try:
        with _answering(f"its Secret block {name!r}"):
            block = Secret.load(name)
    except ValueError as error:  # Prefect's own way to say that the block is not there
        raise LookupError(f"no Prefect Secret block named {name!r}") from error
    # `load` is typed as if it could be a coroutine: it is none outside of a running event loop
    return str(cast("Secret[str]", block).get())


def connection(name: str) -> dict[str, Any] | None:
    """What the block of the connection *name* holds, `{kind, words, secrets}`; None: no such block.

    It is data as it was saved, maybe by hand: nothing of it is judged here. Raises Unreachable.
    """
    with _answering(f"its block {CONNECTION_BLOCK}/{name}"), _client() as client:
        try:
            found = client.read_block_document_by_name(name, CONNECTION_BLOCK)
        except ObjectNotFound:
            return None
    return dict(found.data)


def connections() -> tuple[str, ...]:
    """The names of all connections that are blocks, sorted. Raises Unreachable."""
    with _answering("its blocks"), _client() as client:
        try:
            found = client.read_block_documents_by_type(CONNECTION_BLOCK, include_secrets=False)
        except ObjectNotFound:  # the type is not registered
            return ()
    return tuple(sorted(each.name for each in found if each.name))


def register() -> None:
    """Make the type of block known to Prefect, whose form then asks for its fields."""
    with _answering("its types of blocks"):
        RefsyncConnection.register_type_and_schema()


def save(name: str, kind: str, words: dict[str, Any], secrets: dict[str, Any]) -> None:
    """Save a connection as a block, in place of one of that name. Raises Unreachable."""
    block = RefsyncConnection(kind=Kind(kind), words=words, secrets=SecretDict(secrets))
    with _answering(f"its block {CONNECTION_BLOCK}/{name}"):
        block.save(name, overwrite=True)


@contextlib.contextmanager
def _client() -> Iterator[SyncPrefectClient]:
    with get_client(sync_client=True) as client:
        yield client


@contextlib.contextmanager
def _answering(what: str) -> Iterator[None]:
    """An outage of Prefect is told as ours are."""
    try:
        yield
    except HTTPError as error:
        raise Unreachable(
            f"Prefect does not give {what}: {type(error).__name__}",
            where=os.environ.get("PREFECT_API_URL", ""),
            mend="see that its server runs and that PREFECT_API_URL names it",
        ) from error
