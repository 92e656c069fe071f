"""The Prefect server that stays, asked by a client whose errors are told as ours are.

Import it after `flows.prefect_env.settle`.
"""

import contextlib
from collections.abc import Iterator

from httpx import HTTPError, HTTPStatusError
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.settings import PREFECT_API_URL

from flows.misdeclared import Fault, Misdeclared
from referential.errors import Refused, Unreachable


def server() -> str:
    """The URL of Prefect's API; raises Misdeclared when none is named.

    A server that lives as long as a command keeps no schedule and no automation, and no worker
    finds it.
    """
    url = PREFECT_API_URL.value()
    if not url:
        what = "no Prefect server is named, and this needs one that stays"
        mend = "set PREFECT_API_URL=http://HOST:4200/api; `prefect server start` starts one"
        raise Misdeclared([Fault("PREFECT_API_URL", what, mend)])
    return str(url)


@contextlib.contextmanager
def prefect_client() -> Iterator[SyncPrefectClient]:
    """A client of that server. Raises what `server` raises, Refused and Unreachable."""
    where = server()
    try:
        with get_client(sync_client=True) as client:
            yield client
    except HTTPStatusError as error:
        what = f"Prefect refuses: {error.response.status_code} {_detail(error)}"
        mend = "see that its server is of the version that `refsync` was installed with"
        raise Refused(what, where=where, mend=mend) from error
    except HTTPError as error:
        what = f"Prefect does not answer: {type(error).__name__}"
        mend = "see that its server runs and that PREFECT_API_URL names it"
        raise Unreachable(what, where=where, mend=mend) from error


def _detail(error: HTTPStatusError) -> str:
    try:
        body = error.response.json()
    except ValueError:
        return error.response.text[:200]
    if not isinstance(body, dict):
        return str(body)[:500]
    return str(body.get("detail") or body.get("exception_message") or body)[:500]
