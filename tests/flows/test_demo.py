"""`refsync demo --full` as a stranger runs it: an empty folder, an empty HOME, one command."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

from tests.flows.command import PROGRAM

SCENES = (
    "The first load",
    "Nothing changed",
    "A day later",
    "The CMDB answers an empty list",
    "What the pilot sees",
    "iTop",
    "ServiceNow",
    "EasyVista",
    "SQL",
    "Excel",
)
# A service of each client that has some, and one entity that it depends on.
TREES = {
    "Doc-APP1": "DOC-COMPOSANT1",
    "Intranet 002": "srv-00015",
    "Service 007": "app-00007",
    "T-0004": "par-sto-00004",
    "APP-00": "brs-db-000004",
}


def test_the_demo_plays_all_its_scenes_and_ends_well(tmp_path: Path) -> None:
    began = time.monotonic()
    played = subprocess.run(
        [sys.executable, "-c", PROGRAM, "demo", "--full"],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTHON")},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=240,
        check=False,
    )
    seconds = time.monotonic() - began

    assert played.returncode == 0, played.stdout + played.stderr
    for number, title in enumerate(SCENES, 1):
        assert f"{number}. {title}" in played.stdout
    for service, member in TREES.items():
        assert re.search(rf"^{service}\n├── {member}$", played.stdout, re.MULTILINE), service
    assert played.stdout.count("imports sent: 0") == 2
    assert "no entity at all" in played.stderr
    assert "mend: " in played.stderr
    table = played.stdout.partition(" runs ")[2]
    outcomes = re.findall(r"^\S+ +(\S+/\S+) +sync +(\S+)", table, re.MULTILINE)
    assert {job.partition("/")[0] for job, _ in outcomes} == {
        "corvelle",
        "latin",
        "meridian",
        "novalys",
        "orbis",
        "threelevel",
        "valmont",
    }
    assert [outcome for _, outcome in outcomes].count("refused") == 1
    assert [outcome for _, outcome in outcomes].count("nothing-to-do") == 4
    assert [outcome for _, outcome in outcomes].count("done") == 14
    (report,) = re.findall(r"^report +(\S+)$", played.stdout, re.MULTILINE)
    assert Path(report).is_file()
    assert seconds < 120
    assert not list((tmp_path / "home").iterdir())
    assert {each.name for each in tmp_path.iterdir()} == {"home", ".refsync"}
