"""Prefect blocks as a place for secrets: `${prefect:BLOCK}` in refsync.yaml."""

import os
from typing import cast

from httpx import HTTPError
from prefect.blocks.system import Secret

from referential.errors import Unreachable


def secret(name: str) -> str:
    """The value of the Prefect Secret block *name*.

    Raises LookupError when there is none, Unreachable when Prefect does not answer.
    """
    try:
        block = Secret.load(name)
    except ValueError as error:  # Prefect's own way to say that the block is not there
        raise LookupError(f"no Prefect Secret block named {name!r}") from error
    except HTTPError as error:
        raise Unreachable(
            f"Prefect does not give its Secret block {name!r}: {type(error).__name__}",
            where=os.environ.get("PREFECT_API_URL", ""),
            mend="see that its server runs and that PREFECT_API_URL names it",
        ) from error
    # `load` is typed as if it could be a coroutine: it is none outside of a running event loop
    return str(cast("Secret[str]", block).get())
