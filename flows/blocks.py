"""Prefect blocks as a place for secrets: `${prefect:BLOCK}` in refsync.yaml."""

from typing import cast

from prefect.blocks.system import Secret


def secret(name: str) -> str:
    """The value of the Prefect Secret block *name*; raises LookupError when there is none."""
    try:
        block = Secret.load(name)
    except ValueError as error:  # Prefect's own way to say that the block is not there
        raise LookupError(f"no Prefect Secret block named {name!r}") from error
    # `load` is typed as if it could be a coroutine: it is none outside of a running event loop
    return str(cast("Secret[str]", block).get())
