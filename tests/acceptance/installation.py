"""A client's installation in a folder: its `refsync.yaml`, its ledger and its spool."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from flows.job import Job, load_job
from flows.run import Call, Report, directly, run_job
from flows.settings import Settings, load_settings
from flows.workplace import Options, open_ledger
from referential.history import Reject, Run

CUSTOMERS = Path(__file__).resolve().parents[2] / "mappings" / "customers"
SOON = {"first": 0.01, "factor": 1.5, "longest": 0.05}  # the simulators do not dawdle


@dataclass(frozen=True)
class Installation:
    """Its files lie in `folder`; `jobs` are the customers' own unless stated."""

    folder: Path
    jobs: Path = CUSTOMERS

    def settle(
        self, client: str, *, canopsis: str, api: str, imports: Mapping[str, Any] | None = None
    ) -> None:
        """Connect *client* to its two systems, `imports` being those of its Canopsis."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "key").write_text("sandbox-key", encoding="utf-8")
        target = {
            "type": "canopsis",
            "url": canopsis,
            "auth": {"type": "api_key", "key": "${file:key}"},
            "retry": {"attempts": 3, "first": 0.01, "longest": 0.05},
            "imports": {"pace": SOON} | dict(imports or {}),
        }
        source = {
            "type": "api",
            "base_url": api,
            "retry": {"attempts": 2, "initial": 0.01, "max_delay": 0.05, "jitter": 0},
        }
        words = {
            "ledger": "sqlite:///ledger.db",
            "spool": "spool",
            "state": "state",
            "events": False,
            "jobs": str(self.jobs),
            "connections": {f"{client}-canopsis": target, f"{client}-cmdb": source},
        }
        # JSON is YAML
        self.settings_file.write_bytes(orjson.dumps(words, option=orjson.OPT_INDENT_2))

    @property
    def settings_file(self) -> Path:
        return self.folder / "refsync.yaml"

    def settings(self) -> Settings:
        return load_settings({"REFSYNC_CONFIG": str(self.settings_file)})

    def job(self, name: str) -> Job:
        return load_job(name, self.jobs)

    def sync(self, name: str, *, call: Call = directly, **options: Any) -> Report:
        """Run a job here and now; `options` are those of `flows.workplace.Options`."""
        return run_job(self.settings(), self.job(name), Options(**options), call=call)

    def runs(self) -> list[Run]:
        """What the ledger tells of all runs, newest first."""
        with open_ledger(self.settings()) as ledger:
            return ledger.runs(1_000)

    def rejects(self, run: str) -> list[Reject]:
        with open_ledger(self.settings()) as ledger:
            return ledger.rejects(run)
