"""How Prefect is set before it is first imported: its files under our state folder, no telemetry.

The figures behind each setting are in specs/prefect.md, by section.
"""

import contextlib
import os
from pathlib import Path

CONNECTION_BLOCK = "refsync-connection"  # the type of block that a connection is
LOGGERS = ("refsync", "sources", "mappings", "referential")  # what the layers log under


def prefect_environment(state: Path) -> dict[str, str]:
    """The variables of a quiet, local Prefect."""
    return {
        "PREFECT_HOME": str(state / "prefect"),
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_V2_ENABLED": "false",  # it asks a host outside (§3)
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        # 20 s is too short for a busy two-core machine (§2)
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
        # with the defaults, most task runs of a short-lived server are lost (§2)
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "100",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "100",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",  # the least Prefect takes (§3)
        "PREFECT_LOGGING_EXTRA_LOGGERS": ",".join(LOGGERS),
    }


def settle(state: Path) -> None:
    """Set what the environment does not set already, and make the folder of Prefect's files."""
    for name, value in prefect_environment(state.absolute()).items():
        os.environ.setdefault(name, value)
    with contextlib.suppress(OSError):  # Prefect says so itself, where it needs the folder
        Path(os.environ["PREFECT_HOME"]).mkdir(parents=True, exist_ok=True)
