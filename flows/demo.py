"""`refsync demo`: a Canopsis, two clients and a Prefect server on loopback; five scenes.

With `--full` a client of every other kind of source comes after them (`flows.demo_kinds`).
"""

import contextlib
import os
import shutil
import threading
import time
from importlib import resources
from pathlib import Path
from typing import Any

import requests
from rich.text import Text

from flows.console import Shown
from flows.demo_kinds import connections, play
from flows.demo_stage import KEY, Stage, canopsis_connection, settle
from flows.prefect_server import prefect_server
from flows.settings import load_settings
from flows.workplace import open_ledger
from sandbox import canopsis, jsonapi
from sandbox.latin import machines
from sandbox.serve import serve

THREE_LEVELS = ("servers", "composants", "applications")
MACHINES = 600
ALARMED = "Doc-ServeurAPP1"


def show_demo(shown: Shown, *, keep: bool, full: bool) -> int:
    """Play the scenes; returns the exit code."""
    home = Path(".refsync/demo").absolute()
    shutil.rmtree(home, ignore_errors=True)
    (home / "drop").mkdir(parents=True)
    started = time.monotonic()
    with contextlib.ExitStack() as servers:
        target = servers.enter_context(serve(canopsis.create_app(canopsis.Knobs(tick=0.05))))
        source = servers.enter_context(serve(jsonapi.create_app({})))
        stage = Stage(shown, target, source, home / "drop")
        others = servers.enter_context(connections(home, target)) if full else ""
        settle(home, _connections(target, source) + others)
        shown.out.print(f"Canopsis (simulated)  {target}\nCMDB API (simulated)  {source}")
        prefect = servers.enter_context(prefect_server(home))
        os.environ["PREFECT_API_URL"] = f"{prefect}/api"
        shown.out.print(f"Prefect               {prefect}\n")
        passed = _scenes(stage)
        if full:
            passed &= play(stage, first=6)
        _closing(shown, time.monotonic() - started)
        if keep:
            shown.out.print("The servers stay up; Ctrl-C ends them.")
            with contextlib.suppress(KeyboardInterrupt):
                threading.Event().wait()
    return 0 if passed else 1


def _connections(target: str, source: str) -> str:
    return (
        f"  threelevel-cmdb: {{type: api, base_url: '{source}/files'}}\n"
        "  latin-drop: {type: csv, root: drop}\n"
        f"{canopsis_connection('threelevel', target)}{canopsis_connection('latin', target)}"
    )


# --- the scenes


def _scenes(stage: Stage) -> bool:
    """Play them in order; False when one did not end as it should."""
    before = _raise_alarm(stage)
    return all(
        [
            _first_load(stage),
            _nothing_to_do(stage),
            _a_day_later(stage),
            _the_empty_answer(stage),
            _the_alarm(stage, before),
        ]
    )


def _first_load(stage: Stage) -> bool:
    what = "Two clients: three levels from an API, a CSV drop in cp1252."
    stage.title(1, "The first load", what)
    for name in THREE_LEVELS:
        content = resources.files("sandbox").joinpath("threelevel", f"{name}.json").read_bytes()
        stage.serve_file(name, content)
    (stage.drop / "machines-1.csv").write_bytes(machines(MACHINES))
    reports = [stage.run(job) for job in _jobs()]
    stage.tree("Doc-APP1", levels=2)
    return all(report is not None and report.outcome == "done" for report in reports)


def _nothing_to_do(stage: Stage) -> bool:
    stage.title(2, "Nothing changed", "The same data again: no import may be sent.")
    before = stage.imports()
    reports = [stage.run(job) for job in _jobs()]
    sent = stage.imports() - before
    stage.shown.out.print(f"imports sent: {sent}")
    return sent == 0 and all(r is not None and r.outcome == "nothing-to-do" for r in reports)


def _a_day_later(stage: Stage) -> bool:
    what = "1 % of the machines changed, five are gone from the CMDB."
    stage.title(3, "A day later", what)
    (stage.drop / "machines-2.csv").write_bytes(machines(MACHINES, changed=0.01, gone=5))
    report = stage.run("latin/machines")
    return report is not None and report.loaded is not None and report.loaded.counts["disable"] == 5


def _the_empty_answer(stage: Stage) -> bool:
    what = "It lost a right, or restarted: 200, nothing."
    stage.title(4, "The CMDB answers an empty list", what)
    before = stage.imports()
    stage.serve_file("servers", b'{"hits":{"total":{"value":0,"relation":"eq"},"hits":[]}}')
    report = stage.run("threelevel/servers")
    sent = stage.imports() - before
    stage.shown.out.print(f"imports sent: {sent}")
    return report is None and sent == 0


def _the_alarm(stage: Stage, before: Any) -> bool:
    what = f"One alarm on {ALARMED}, open since before scene 1."
    stage.title(5, "What the pilot sees", what)
    after = _alarm(stage)
    for moment, alarm in (("before", before), ("after", after)):
        stage.shown.out.print(Text(f"{moment}:", style="bold"), Text(_described(alarm)))
    return not before["entity"]["infos"] and bool(after["entity"]["infos"])


# --- how a scene does it


def _jobs() -> tuple[str, ...]:
    return (*(f"threelevel/{name}" for name in THREE_LEVELS), "latin/machines")


def _raise_alarm(stage: Stage) -> Any:
    """A poor alarm, as a monitoring probe sends it; gives it back as the pilot sees it."""
    event = {
        "event_type": "check",
        "connector": "probe",
        "connector_name": "demo",
        "source_type": "component",
        "component": ALARMED,
        "state": 3,
        "output": "disk full",
    }
    headers = {"x-canopsis-authkey": KEY}
    url = f"{stage.canopsis}/api/v4/event"
    requests.post(url, json=event, headers=headers, timeout=10).raise_for_status()
    requests.post(f"{stage.canopsis}/sandbox/tick", timeout=10).raise_for_status()
    return _alarm(stage)


def _alarm(stage: Stage) -> Any:
    return stage.call("alarms", opened="true", search=ALARMED)["data"][0]


def _described(alarm: Any) -> str:
    entity = alarm["entity"]
    infos = ", ".join(f"{key}={info['value']}" for key, info in entity["infos"].items())
    category = (entity.get("category") or {}).get("name", "none")
    return f"{alarm['v']['component']}  category: {category}  infos: {infos or 'none'}"


def _closing(shown: Shown, seconds: float) -> None:
    settings = load_settings()
    with open_ledger(settings) as ledger:
        latest = ledger.runs(limit=50)
    shown.out.rule("runs")
    shown.runs(latest)
    shown.out.print(f"report    {settings.reports / 'index.html'}")
    shown.out.print(f"took      {seconds:.0f} s")
