"""The first client of the runbook works as written; `python -m tests.runbook` installs it too."""

import socket
import sys
from pathlib import Path

from tests.runbook import follow, script

PORTS = (4200, 8082, 8083)  # those that the section names


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now; held together, so that they differ."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    found = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return found


def test_the_first_client_is_followed_to_the_letter(tmp_path: Path) -> None:
    ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    text = script(ports)

    done = follow(text, tmp_path / "client", Path(sys.executable).parent)

    assert done.returncode == 0, done.stdout
    assert not [port for port in PORTS if str(port) in text]
    assert "nothing-to-do" in done.stdout  # the second sync
    assert "acme/servers" in done.stdout.rpartition("refsync health")[2]
