"""What the scenes of the demo play with: a Canopsis, a shown console, runs as Prefect flows."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import requests
from rich.panel import Panel
from rich.text import Text
from rich.tree import Tree

from flows.console import Shown
from flows.job import SHIPPED
from flows.outcome import EXPECTED, told
from flows.prefect_env import prefect_environment
from flows.run import Report
from flows.settings import load_settings
from flows.workplace import Options

KEY: Final = "sandbox-key"
_SHOWN: Final = 4  # dependencies of a service that a tree shows


@dataclass(frozen=True)
class Stage:
    """The simulated Canopsis and JSON API, by their addresses, and the folder of the CSV drop."""

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

    def title(self, number: int, title: str, what: str) -> None:
        self.shown.out.print(Panel(Text(what), title=f"{number}. {title}", title_align="left"))

    def run(self, job: str) -> Report | None:
        """Run *job* as a flow and show what it reports; None when it was stopped."""
        from flows.sync import run_as_flow  # noqa: PLC0415 - after Prefect's settings are made

        try:
            report = run_as_flow(job, Options())
        except EXPECTED as error:
            self.shown.error(load_settings().redact(told(error)))
            return None
        self.shown.report(report)
        return report

    def depends(self, identity: str) -> list[str]:
        """What an entity depends on, as Canopsis has it."""
        found: list[str] = self.call("entities/context-graph", _id=identity)["depends"]
        return found

    def tree(self, identity: str, *, levels: int) -> None:
        """Show an entity and what it depends on, so many levels deep."""
        root = Tree(identity)
        self._grow(root, identity, levels)
        self.shown.out.print(root)

    def _grow(self, branch: Tree, identity: str, levels: int) -> None:
        if not levels:
            return
        found = self.depends(identity)
        for each in found[:_SHOWN]:
            self._grow(branch.add(Text(each)), each, levels - 1)
        if len(found) > _SHOWN:
            branch.add(Text(f"and {len(found) - _SHOWN} more", style="dim"))


def settle(home: Path, connections: str) -> None:
    """Settings, secrets and Prefect's variables for this process and its children."""
    (home / "refsync.yaml").write_text(
        "ledger: sqlite:///ledger.db\nspool: spool\nstate: .\nconnections:\n" + connections,
        encoding="utf-8",
    )
    os.environ |= {
        "REFSYNC_CONFIG": str(home / "refsync.yaml"),
        "REFSYNC_JOBS": str(SHIPPED),  # whatever `mappings/customers` stands here
        "DEMO_KEY": KEY,
        **prefect_environment(home),
        "PREFECT_LOGGING_LEVEL": "CRITICAL",  # the scenes speak for themselves
    }


def canopsis_connection(customer: str, url: str) -> str:
    """The line of refsync.yaml for the Canopsis of a customer."""
    auth = "{type: api_key, key: '${DEMO_KEY}'}"
    return f"  {customer}-canopsis: {{type: canopsis, url: '{url}', auth: {auth}}}\n"
