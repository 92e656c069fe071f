"""A client of every kind of source, each loaded over the wire that its CMDB speaks."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from flows.demo_stage import Stage, canopsis_connection
from sandbox import easyvista, itop, servicenow, sqlcmdb
from sandbox.cmdb import records
from sandbox.serve import serve
from sandbox.servicenow_tables import tables
from sandbox.workbook import workbook

# The accounts that the simulators know.
_FORM: Final = "{type: form, username: etl, password: '${DEMO_ITOP}'}"
_BASIC: Final = "{type: basic, username: etl, password: '${DEMO_SERVICENOW}'}"
_ACCOUNT: Final = (
    "account: '50004', auth: {type: basic, username: api, password: '${DEMO_EASYVISTA}'}"
)
_PASSWORDS: Final = {
    "DEMO_ITOP": "etl-password",
    "DEMO_SERVICENOW": "secret",
    "DEMO_EASYVISTA": "api-password",
}


@dataclass(frozen=True)
class Scene:
    """One client: its jobs in order, and a service whose tree is shown once they have run."""

    title: str
    what: str
    jobs: tuple[str, ...]
    service: str = ""
    levels: int = 1


SCENES: Final = (
    Scene(
        "iTop",
        "Servers by id windows; services from the links between applications and machines.",
        ("meridian/servers", "meridian/applications"),
        service="Intranet 002",
    ),
    Scene(
        "ServiceNow",
        "Servers by keyset over pysnow; services from the relations of the CMDB.",
        ("novalys/servers", "novalys/services"),
        service="Service 007",
        levels=2,
    ),
    Scene(
        "EasyVista",
        "Assets by offset, every filter checked again; services from item-links.",
        ("valmont/assets", "valmont/services"),
        service="T-0004",
    ),
    Scene(
        "SQL",
        "A database read in a transaction that cannot write.",
        ("corvelle/servers",),
        service="APP-00",
    ),
    Scene(
        "Excel",
        "A workbook whose every cell is text; cities of its sites looked up in another sheet.",
        ("orbis/machines", "orbis/sites"),
        service="SITE-01075",
    ),
)


@contextlib.contextmanager
def connections(home: Path, canopsis: str) -> Iterator[str]:
    """Serve the CMDBs of these clients; gives the lines of refsync.yaml that name them."""
    os.environ |= _PASSWORDS
    sqlcmdb.write(home / "cmdb.db", records(300))
    (home / "drop" / "inventory.xlsx").write_bytes(workbook(200))
    with contextlib.ExitStack() as servers:
        itop_url, servicenow_url, easyvista_url = (
            servers.enter_context(serve(app))
            for app in (
                itop.create_app(),
                servicenow.create_app(tables(500)),
                easyvista.create_app(),
            )
        )
        sources = {
            "meridian-itop": f"type: itop, base_url: '{itop_url}', auth: {_FORM}",
            "novalys-servicenow": f"type: servicenow, base_url: '{servicenow_url}', auth: {_BASIC}",
            "valmont-easyvista": f"type: easyvista, base_url: '{easyvista_url}', {_ACCOUNT}",
            "corvelle-sql": "type: sql, url: 'sqlite:///cmdb.db'",
            "orbis-drop": "type: excel, root: drop",
        }
        lines = [f"  {name}: {{{words}}}\n" for name, words in sources.items()]
        lines += [canopsis_connection(each, canopsis) for each in sorted(_customers())]
        yield "".join(lines)


def play(stage: Stage, *, first: int) -> bool:
    """Play a scene for each kind, numbered from *first*; False when one did not end well."""
    ended = [_play(stage, scene, number) for number, scene in enumerate(SCENES, first)]
    return all(ended)


def _play(stage: Stage, scene: Scene, number: int) -> bool:
    stage.title(number, scene.title, scene.what)
    reports = [stage.run(job) for job in scene.jobs]
    sound = all(report is not None and report.outcome == "done" for report in reports)
    if sound and scene.service:
        stage.tree(scene.service, levels=scene.levels)
        sound = bool(stage.depends(scene.service))
    return sound


def _customers() -> set[str]:
    return {job.partition("/")[0] for scene in SCENES for job in scene.jobs}
