"""`refsync demo`: a Canopsis, two clients and a Prefect server on loopback; five scenes."""

import contextlib
import os
import shutil
import threading
import time
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import requests
from rich.panel import Panel
from rich.text import Text
from rich.tree import Tree

from flows.console import Shown
from flows.job import SHIPPED
from flows.outcome import EXPECTED, told
from flows.prefect_env import prefect_environment
from flows.prefect_server import prefect_server
from flows.run import Report
from flows.settings import load_settings
from flows.workplace import Options, open_ledger
from sandbox import canopsis, jsonapi
from sandbox.latin import machines
from sandbox.serve import serve

THREE_LEVELS = ("servers", "composants", "applications")
MACHINES = 600
KEY = "sandbox-key"
ALARMED = "Doc-ServeurAPP1"


@dataclass(frozen=True)
class Stage:
    """What the scenes play with."""

    shown: Shown
    canopsis: str
    api: str
    drop: Path

    def call(self, path: str, **params: str) -> Any:
        """One read of the Canopsis, as a pilot's screen would do it."""
        answer = requests.get(
            f"{self.canopsis}/api/v4/{path}",
            params=params,
            headers={"x-canopsis-authkey": KEY},
            timeout=10,
        )
        answer.raise_for_status()
        return answer.json()

    def imports(self) -> int:
        traffic = requests.get(f"{self.canopsis}/sandbox/traffic", timeout=10).json()
        return len(traffic["imports"])

    def serve_file(self, name: str, content: bytes) -> None:
        """What the CMDB answers from now on at `/files/<name>`."""
        requests.put(
            f"{self.api}/sandbox/files/{name}",
            data=content,
            headers={"Content-Type": "application/json"},
            timeout=10,
        ).raise_for_status()


def show_demo(shown: Shown, *, keep: bool) -> int:
    """Play the five scenes; returns the exit code."""
    home = Path(".refsync/demo").absolute()
    shutil.rmtree(home, ignore_errors=True)
    (home / "drop").mkdir(parents=True)
    started = time.monotonic()
    with contextlib.ExitStack() as servers:
        target = servers.enter_context(serve(canopsis.create_app(canopsis.Knobs(tick=0.05))))
        source = servers.enter_context(serve(jsonapi.create_app({})))
        stage = Stage(shown, target, source, home / "drop")
        _settle(home, target, source)
        shown.out.print(f"Canopsis (simulated)  {target}\nCMDB API (simulated)  {source}")
        prefect = servers.enter_context(prefect_server(home))
        os.environ["PREFECT_API_URL"] = f"{prefect}/api"
        shown.out.print(f"Prefect               {prefect}\n")
        passed = _scenes(stage)
        _closing(shown, time.monotonic() - started)
        if keep:
            shown.out.print("The servers stay up; Ctrl-C ends them.")
            with contextlib.suppress(KeyboardInterrupt):
                threading.Event().wait()
    return 0 if passed else 1


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
    _title(
        stage, 1, "The first load", "Two clients: three levels from an API, a CSV drop in cp1252."
    )
    for name in THREE_LEVELS:
        content = resources.files("sandbox").joinpath("threelevel", f"{name}.json").read_bytes()
        stage.serve_file(name, content)
    (stage.drop / "machines-1.csv").write_bytes(machines(MACHINES))
    reports = [_run(stage, job) for job in _jobs()]
    tree = Tree("Doc-APP1")
    for part in stage.call("entities/context-graph", _id="Doc-APP1")["depends"]:
        branch = tree.add(part)
        for server in stage.call("entities/context-graph", _id=part)["depends"]:
            branch.add(server)
    stage.shown.out.print(tree)
    return all(report is not None and report.outcome == "done" for report in reports)


def _nothing_to_do(stage: Stage) -> bool:
    _title(stage, 2, "Nothing changed", "The same data again: no import may be sent.")
    before = stage.imports()
    reports = [_run(stage, job) for job in _jobs()]
    sent = stage.imports() - before
    stage.shown.out.print(f"imports sent: {sent}")
    return sent == 0 and all(r is not None and r.outcome == "nothing-to-do" for r in reports)


def _a_day_later(stage: Stage) -> bool:
    _title(stage, 3, "A day later", "1 % of the machines changed, five are gone from the CMDB.")
    (stage.drop / "machines-2.csv").write_bytes(machines(MACHINES, changed=0.01, gone=5))
    report = _run(stage, "latin/machines")
    return report is not None and report.loaded is not None and report.loaded.counts["disable"] == 5


def _the_empty_answer(stage: Stage) -> bool:
    _title(
        stage, 4, "The CMDB answers an empty list", "It lost a right, or restarted: 200, nothing."
    )
    before = stage.imports()
    stage.serve_file("servers", b'{"hits":{"total":{"value":0,"relation":"eq"},"hits":[]}}')
    report = _run(stage, "threelevel/servers")
    sent = stage.imports() - before
    stage.shown.out.print(f"imports sent: {sent}")
    return report is None and sent == 0


def _the_alarm(stage: Stage, before: Any) -> bool:
    _title(stage, 5, "What the pilot sees", f"One alarm on {ALARMED}, open since before scene 1.")
    after = _alarm(stage)
    for moment, alarm in (("before", before), ("after", after)):
        stage.shown.out.print(Text(f"{moment}:", style="bold"), Text(_described(alarm)))
    return not before["entity"]["infos"] and bool(after["entity"]["infos"])


# --- how a scene does it


def _title(stage: Stage, number: int, title: str, what: str) -> None:
    stage.shown.out.print(Panel(Text(what), title=f"{number}. {title}", title_align="left"))


def _run(stage: Stage, job: str) -> Report | None:
    """Run *job* as a flow and show what it reports; None when it was stopped."""
    from flows.sync import run_as_flow  # noqa: PLC0415 - after Prefect's settings are made

    try:
        report = run_as_flow(job, Options())
    except EXPECTED as error:
        stage.shown.error(load_settings().redact(told(error)))
        return None
    stage.shown.report(report)
    return report


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
        latest = ledger.runs(limit=30)
    shown.out.rule("runs")
    shown.runs(latest)
    shown.out.print(f"report    {settings.reports / 'index.html'}")
    shown.out.print(f"took      {seconds:.0f} s")


def _settle(home: Path, target: str, source: str) -> None:
    """Settings, secrets and Prefect's variables for this process and its children."""
    canopsis_words = (
        f"type: canopsis, url: '{target}', auth: {{type: api_key, key: '${{DEMO_KEY}}'}}"
    )
    (home / "refsync.yaml").write_text(
        "ledger: sqlite:///ledger.db\n"
        "spool: spool\n"
        "state: .\n"
        "connections:\n"
        f"  threelevel-cmdb: {{type: api, base_url: '{source}/files'}}\n"
        f"  threelevel-canopsis: {{{canopsis_words}}}\n"
        f"  latin-drop: {{type: csv, root: drop}}\n"
        f"  latin-canopsis: {{{canopsis_words}}}\n",
        encoding="utf-8",
    )
    os.environ |= {
        "REFSYNC_CONFIG": str(home / "refsync.yaml"),
        "REFSYNC_JOBS": str(SHIPPED),  # whatever `mappings/customers` stands here
        "DEMO_KEY": KEY,
        **prefect_environment(home),
        "PREFECT_LOGGING_LEVEL": "CRITICAL",  # the scenes speak for themselves
    }
