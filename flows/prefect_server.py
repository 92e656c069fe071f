"""A Prefect server of our own, on loopback, for the demo and the tests."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import requests

from flows.prefect_env import prefect_environment

WITHIN = 120.0  # seconds to be healthy: a fresh database takes up to 30 s on a busy machine


@contextlib.contextmanager
def prefect_server(state: Path, *, ui: bool = True, database: str = "") -> Iterator[str]:
    """A server whose files lie under *state*; gives its URL. Raises RuntimeError when it dies.

    *database* is SQLAlchemy's URL of the one it uses, "" an SQLite file under *state*.
    """
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {
        # the machine's own Prefect (its database, its API) is none of this server's business
        **{name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")},
        **prefect_environment(state),
        "PREFECT_UI_URL": url,  # the links in messages of automations
        "PREFECT_UI_API_URL": f"{url}/api",
        "PREFECT_SERVER_UI_ENABLED": str(ui).lower(),
        "PREFECT_LOGGING_SERVER_LEVEL": "ERROR",
    }
    if database:
        environment["PREFECT_SERVER_DATABASE_CONNECTION_URL"] = database
    state.mkdir(parents=True, exist_ok=True)
    log = state / "prefect-server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter
            [sys.executable, "-m", "prefect", "server", "start", "--port", str(port)],
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _await_health(process, url, log)
            yield url
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)  # the server proper is its child
                process.wait()


def _await_health(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + WITHIN
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        with contextlib.suppress(requests.RequestException):
            if requests.get(f"{url}/api/health", timeout=2).ok:
                return
        time.sleep(0.2)
    tail = log.read_text(encoding="utf-8", errors="replace")[-2000:]
    raise RuntimeError(
        f"the Prefect server did not start within {WITHIN:.0f} s; its log ends:\n{tail}"
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
