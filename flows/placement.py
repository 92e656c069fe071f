"""Where the runs of deployments work: the pool that starts them, their code and their environment.

From a checkout a run loads the flow by its file, in the folder of the checkout; from an installed
wheel by the name of its module, which the interpreter of the worker must have (specs/prefect.md
§3). Either finds the customers and the settings by variables, wherever the worker was started.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from flows.misdeclared import Fault, Misdeclared
from flows.prefect_env import prefect_environment
from flows.settings import Settings

ORIGIN: Final = "REFSYNC_DEPLOYED_FROM"  # the folder of jobs that a deployment was made of
KINDS: Final = ("process", "docker")
IN_IMAGE: Final = ("/refsync", "/jobs")  # of the settings and of the jobs, where it mounts them
_ROOT = Path(__file__).resolve().parent.parent
# the worker has its own HOME and database; these are of the run itself
_OF_RUNS = (
    "DO_NOT_TRACK",
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY",
    "PREFECT_LOGGING_EXTRA_LOGGERS",
)


@dataclass(frozen=True, slots=True)
class Placement:
    """How a run is started: `pool` None is this process (`refsync serve`).

    `checkout` is the folder of the sources, None where they are installed. `variables` are those
    that Prefect calls job variables; what is secret is none of them, for Prefect keeps them.
    """

    pool: str | None
    checkout: Path | None
    variables: dict[str, Any] = field(default_factory=dict)

    def code(self, function: str) -> tuple[str, list[dict[str, Any]]]:
        """The entrypoint of a flow (`module:function` of the package `flows`), and its steps."""
        module, _, name = function.partition(":")
        if self.checkout is None:
            return f"flows.{module}.{name}", []
        step = {"directory": str(self.checkout)}
        steps = [{"prefect.deployments.steps.set_working_directory": step}]
        return f"flows/{module}.py:{name}", steps


def checkout() -> Path | None:
    """The folder of the sources when this is a checkout, None when it is an installation."""
    return _ROOT if (_ROOT / "pyproject.toml").is_file() else None


def here(settings: Settings, folder: Path) -> Placement:
    """Runs of `refsync serve`: subprocesses of this one, in its environment."""
    return Placement(None, checkout(), {"env": run_environment(settings, folder)})


def in_processes(settings: Settings, folder: Path, pool: str) -> Placement:
    """Runs of a worker of type `process` on a machine that has the same files as this one."""
    return Placement(pool, checkout(), {"env": run_environment(settings, folder)})


def in_containers(
    settings: Settings, folder: Path, pool: str, image: str, volumes: Sequence[str]
) -> Placement:
    """Runs of a worker of type `docker`; *volumes* in place of the folders of settings and jobs."""
    file = _settings_file(settings)
    config, jobs = IN_IMAGE
    environment = _environment(f"{config}/{file.name}", jobs, folder)
    mounted = list(volumes) or [f"{file.parent}:{config}", f"{folder}:{jobs}:ro"]
    return Placement(pool, None, {"image": image, "env": environment, "volumes": mounted})


def run_environment(settings: Settings, folder: Path) -> dict[str, str]:
    """What a run on this machine needs to find its files. Raises Misdeclared without settings."""
    return _environment(str(_settings_file(settings)), str(folder), folder)


def _environment(config: str, jobs: str, origin: Path) -> dict[str, str]:
    quiet = prefect_environment(Path())
    return {
        "REFSYNC_CONFIG": config,
        "REFSYNC_JOBS": jobs,
        ORIGIN: str(origin),
        **{name: quiet[name] for name in _OF_RUNS},
    }


def _settings_file(settings: Settings) -> Path:
    if settings.file is None:
        what = "no settings file, so a run on its own would know neither ledger nor connections"
        mend = "write refsync.yaml here, or set REFSYNC_CONFIG to the one there is"
        raise Misdeclared([Fault("refsync.yaml", what, mend)])
    return settings.base / Path(settings.file.name).name
