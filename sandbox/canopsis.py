"""A Canopsis over real HTTP, in memory, of any version from 3.25 to 25.04 (`specs/canopsis.md`).

    with serve(create_app(Knobs(manual=True))) as url: ...     # in a test
    python -m sandbox.canopsis --port 8082 --tick 0.05         # until stopped

Credentials: API key `sandbox-key` or Basic `root`/`root` (all rights), `loader-key` (all but
`api_maintenance`), `reader-key` (reads). Control without credentials: `sandbox.canopsis_control`.
"""

import argparse
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace

from starlette.applications import Starlette
from starlette.routing import Mount

from sandbox import (
    canopsis_alarm_list,
    canopsis_basics,
    canopsis_categories,
    canopsis_checks,
    canopsis_control,
    canopsis_entities,
    canopsis_export,
    canopsis_imports,
    canopsis_services,
    canopsis_session,
    canopsis_webcore,
)
from sandbox.canopsis_api import Api
from sandbox.canopsis_front import Front
from sandbox.canopsis_knobs import Fault, JobFault, Knobs, Poison, User
from sandbox.canopsis_platform import Canopsis
from sandbox.canopsis_versions import VERSIONS, known
from sandbox.serve import serve_until_stopped

__all__ = ["Fault", "JobFault", "Knobs", "Poison", "User", "create_app"]

ENDPOINTS = (
    *canopsis_imports.ENDPOINTS,
    *canopsis_session.ENDPOINTS,
    *canopsis_entities.ENDPOINTS,
    *canopsis_basics.ENDPOINTS,
    *canopsis_services.ENDPOINTS,
    *canopsis_categories.ENDPOINTS,
    *canopsis_checks.ENDPOINTS,
    *canopsis_alarm_list.ENDPOINTS,
    *canopsis_export.ENDPOINTS,
)


def create_app(knobs: Knobs | None = None) -> Starlette:
    """One Canopsis; `app.state.canopsis` is its platform, for tests of the same process."""
    canopsis = Canopsis(knobs or Knobs())
    # Before 4.3 the API is the older one, in Python.
    endpoints = [replace(each, since=max(each.since, (4, 3))) for each in ENDPOINTS]
    api = Api([*endpoints, *canopsis_webcore.ENDPOINTS])
    front = Front(canopsis, api, Api(canopsis_control.ENDPOINTS))

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with canopsis.working():
            yield

    app = Starlette(routes=[Mount("/", app=front)], lifespan=lifespan)
    app.state.canopsis = canopsis
    return app


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox.canopsis", description=__doc__)
    parser.add_argument("--port", type=int, default=8082, help="0 takes a free one")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--version", default=VERSIONS[0], help=f"one of {', '.join(VERSIONS)}")
    parser.add_argument("--tick", type=float, default=1.0, help="seconds before each job")
    given = parser.parse_args()
    try:
        known(given.version)
    except ValueError as fault:
        parser.error(f"--version: {fault}")
    knobs = Knobs(version=given.version, tick=given.tick)
    serve_until_stopped(create_app(knobs), host=given.host, port=given.port)


if __name__ == "__main__":
    main()
