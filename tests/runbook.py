"""The first client of the runbook, followed to the letter: `python -m tests.runbook`.

It builds the wheel, installs it as the runbook says into a fresh environment with an empty HOME,
and gives every shell block of the section to one shell, in an empty folder. `--installed` leaves
the installation out and takes the refsync of this interpreter.
"""

import argparse
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OPERATIONS = ROOT / "docs" / "operations.md"
FIRST_CLIENT = "Runbook: the first client in 15 minutes"
WITHIN = 600  # seconds, for all of it


def main() -> None:
    """Follow the section; exit 1 where a command of it fails."""
    parser = argparse.ArgumentParser(prog="python -m tests.runbook", description=__doc__)
    parser.add_argument("--installed", action="store_true", help="as this interpreter has it")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="refsync-runbook-") as name:
        home = Path(name)
        commands = Path(sys.executable).parent if given.installed else install(home)
        done = follow(script(), home / "client", commands)
    sys.stdout.write(done.stdout)
    sys.exit(done.returncode)


def section(title: str) -> str:
    """What stands below the heading *title* in docs/operations.md."""
    text = OPERATIONS.read_text(encoding="utf-8")
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    if found is None:
        raise LookupError(f"{OPERATIONS} has no section {title!r}")
    return found[1]


def script(ports: Mapping[int, int] | None = None) -> str:
    """The blocks of the first client in their order; *ports* in place of those that it names."""
    blocks = re.findall(r"^```sh\n(.*?)^```", section(FIRST_CLIENT), re.MULTILINE | re.DOTALL)
    text = "\n".join(blocks)
    for stated, other in (ports or {}).items():
        text = re.sub(rf"\b{stated}\b", str(other), text)
    return text


def install(folder: Path) -> Path:
    """A fresh environment with the wheel of this checkout; returns the folder of its commands."""
    uv, home = Path(sys.executable).parent / "uv", clean(folder)
    subprocess.run(
        [uv, "build", "--quiet", "--wheel", "--out-dir", folder / "dist", ROOT], check=True
    )
    (wheel,) = (folder / "dist").glob("*.whl")
    place = folder / "venv"
    subprocess.run([sys.executable, "-m", "venv", place], check=True, env=home)
    pip = [place / "bin" / "pip", "install", "--quiet", "--no-deps"]
    for words in (["-r", ROOT / "requirements.lock"], [wheel]):
        subprocess.run([*pip, *words], check=True, env=home)
    return place / "bin"


def follow(text: str, folder: Path, commands: Path) -> subprocess.CompletedProcess[str]:
    """Give *text* to one shell in the empty *folder*; what it started ends with it.

    Both streams come back as its output. Raises TimeoutExpired after `WITHIN` seconds.
    """
    folder.mkdir(parents=True)
    environment = clean(folder.parent)
    environment["PATH"] = os.pathsep.join([str(commands), environment["PATH"]])
    with subprocess.Popen(
        [shutil.which("bash") or "bash", "-e", "-u", "-x", "-c", text],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as shell:
        try:
            output, _ = shell.communicate(timeout=WITHIN)
        finally:
            with contextlib.suppress(ProcessLookupError):  # nothing of it is left
                os.killpg(shell.pid, signal.SIGKILL)
    return subprocess.CompletedProcess(shell.args, shell.returncode, output)


def clean(folder: Path) -> dict[str, str]:
    """An environment in which nothing is set but the path and an empty HOME in *folder*."""
    home = folder / "home"
    home.mkdir(parents=True, exist_ok=True)
    kept = ("PATH", "LANG", "TMPDIR", "PIP_INDEX_URL", "PIP_TRUSTED_HOST", "SSL_CERT_FILE")
    found = {name: os.environ[name] for name in kept if name in os.environ}
    return {"PATH": os.defpath, **found, "HOME": str(home)}


if __name__ == "__main__":
    main()
