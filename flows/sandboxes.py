"""The simulated systems, by the names that `refsync sandbox` knows them by.

With `flows.demo` and `flows.demo_kinds` the only place that imports the sandbox.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from flows.misdeclared import Fault, Misdeclared
from sandbox import canopsis, easyvista, itop, jsonapi, servicenow
from sandbox.canopsis_versions import VERSIONS
from sandbox.cmdb import records
from sandbox.easyvista_knobs import EasyVistaKnobs
from sandbox.itop_knobs import ItopKnobs
from sandbox.serve import serve_until_stopped
from sandbox.servicenow_knobs import ServiceNowKnobs
from sandbox.servicenow_tables import tables

Build = Callable[[str], Any]  # from a version to an ASGI application


def _canopsis(version: str) -> Any:
    return canopsis.create_app(canopsis.Knobs(version=version) if version else canopsis.Knobs())


def _api(_version: str) -> Any:
    return jsonapi.create_app({"servers": records(1_000)})


def _itop(release: str) -> Any:
    return itop.create_app(knobs=ItopKnobs.model_validate({"release": release}))


def _servicenow(release: str) -> Any:
    knobs = ServiceNowKnobs.model_validate({"release": release})
    return servicenow.create_app(tables(500), knobs)


def _easyvista(build: str) -> Any:
    return easyvista.create_app(knobs=EasyVistaKnobs.model_validate({"build": build}))


# The versions that each can be, the first one by default; none where any will do.
SANDBOXES: Final[Mapping[str, tuple[Build, tuple[str, ...]]]] = {
    "canopsis": (_canopsis, VERSIONS),
    "api": (_api, ()),
    "itop": (_itop, ("3.2", "2.4.3", "2.3.4")),
    "servicenow": (_servicenow, ("today", "madrid")),
    "easyvista": (_easyvista, ("2025.3", "2021", "2018")),
}


def serve_sandbox(name: str, port: int, version: str) -> int:
    """Serve one simulator until stopped; raises Misdeclared for a version that it cannot be."""
    app = build(name, version)
    serve_until_stopped(app, port=port)
    return 0


def build(name: str, version: str = "") -> Any:
    """The application *name*, of its first version unless one is given."""
    make, versions = SANDBOXES[name]
    if version and versions and version not in versions:
        what = f"the simulated {name} has no version {version!r}"
        raise Misdeclared([Fault("--version", what, f"write one of {', '.join(versions)}")])
    return make(version or next(iter(versions), ""))
