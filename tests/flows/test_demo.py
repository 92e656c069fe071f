"""`refsync demo` as a stranger runs it: an empty folder, an empty HOME, one command."""

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
)


def test_the_demo_plays_its_five_scenes_and_ends_well(tmp_path: Path) -> None:
    began = time.monotonic()
    played = subprocess.run(
        [sys.executable, "-c", PROGRAM, "demo"],
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
    assert "Doc-APP1" in played.stdout
    assert played.stdout.count("imports sent: 0") == 2
    assert "no entity at all" in played.stderr
    assert "mend: " in played.stderr
    table = played.stdout.partition(" runs ")[2]
    outcomes = re.findall(r"^\S+ +(\S+/\S+) +sync +(\S+)", table, re.MULTILINE)
    assert {job for job, _ in outcomes} == {
        "threelevel/servers",
        "threelevel/composants",
        "threelevel/applications",
        "latin/machines",
    }
    assert [outcome for _, outcome in outcomes].count("refused") == 1
    assert [outcome for _, outcome in outcomes].count("nothing-to-do") == 4
    (report,) = re.findall(r"^report +(\S+)$", played.stdout, re.MULTILINE)
    assert Path(report).is_file()
    assert seconds < 120
    assert not list((tmp_path / "home").iterdir())
    assert {each.name for each in tmp_path.iterdir()} == {"home", ".refsync"}
