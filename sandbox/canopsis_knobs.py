"""The knobs of the Canopsis simulator: what a test may bend, in the process or over HTTP."""

import difflib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal, get_args

FaultKind = Literal["500", "502", "503", "html", "reset", "hang", "401", "429"]
JobFaultKind = Literal["fail", "never", "stuck"]

CRUD = ("create", "read", "update", "delete")
RIGHTS: dict[str, tuple[str, ...]] = {
    "api_contextgraph": CRUD,
    "api_entity": CRUD,
    "api_entityservice": CRUD,
    "api_entitycategory": CRUD,
    "api_event": ("can",),
    "api_alarm_read": ("can",),
    "api_healthcheck": ("can",),
    "api_maintenance": ("can",),
}
"""Every permission a loader may meet (`specs/canopsis.md` §1.2), with its actions."""

READ_RIGHTS: dict[str, tuple[str, ...]] = {
    "api_contextgraph": ("read",),
    "api_entity": ("read",),
    "api_entityservice": ("read",),
    "api_entitycategory": ("read",),
    "api_alarm_read": ("can",),
    "api_healthcheck": ("can",),
}


class KnobError(ValueError):
    """A knob that does not exist or does not fit."""


@dataclass(slots=True)
class User:
    """Someone who may call; `rights` is `{permission: [action, …]}`."""

    name: str
    password: str = ""
    authkey: str = ""
    rights: Mapping[str, tuple[str, ...] | list[str]] = field(default_factory=lambda: dict(RIGHTS))
    enabled: bool = True


def default_users() -> list[User]:
    """`root` may all; `loader` all but pass the maintenance page; `reader` reads."""
    loader = {name: actions for name, actions in RIGHTS.items() if name != "api_maintenance"}
    return [
        User("root", "root", "sandbox-key"),
        User("loader", "loader", "loader-key", loader),
        User("reader", "reader", "reader-key", READ_RIGHTS),
    ]


@dataclass(slots=True)
class Fault:
    """An outage: calls whose method and path match globs get *kind* instead of their answer.

    The first `after` matching calls are answered, then `times` of them are not (`None`: never
    again). `reset` carries the call out, sends half of the answer and closes the socket; the
    other kinds do nothing but fail, unless `executed` says otherwise. `hang` lasts until the
    client leaves, `seconds` at most. `seen` counts the matching calls so far.
    """

    kind: FaultKind
    route: str = "*"
    method: str = "*"
    times: int | None = 1
    after: int = 0
    retry_after: float | None = None
    seconds: float = 60.0
    executed: bool | None = None
    seen: int = 0

    def __post_init__(self) -> None:
        self.kind = _one_of(str(self.kind), get_args(FaultKind), "fault kind")


@dataclass(slots=True)
class JobFault:
    """What befalls the next `times` jobs (`None`: all of them).

    `fail`: they fail with `info`, in which `{id}` stands for the job, once `applied` of their
    write operations are done; `never`: no worker picks them up; `stuck`: their worker dies and
    they stay ongoing, until a worker takes them for dead after five minutes without a ping (from
    23.04 on: before, they stay so for ever and stand in nobody's way).
    """

    kind: JobFaultKind = "fail"
    info: str = "open /tmp/import_{id}.json: no such file or directory"
    times: int | None = 1
    applied: int = 0

    def __post_init__(self) -> None:
        self.kind = _one_of(self.kind, get_args(JobFaultKind), "job fault kind")


@dataclass(slots=True)
class Poison:
    """A job that holds an item whose name matches `name` (a regular expression) fails with `info`.

    In phase `parse` nothing is written; in phase `write` what comes before the item is.
    """

    name: str
    info: str
    phase: Literal["parse", "write"] = "parse"


@dataclass(slots=True)
class Knobs:
    """All knobs, at the values of a stock installation; durations in seconds, sizes in bytes.

    `tick` is the pause before a worker looks for a job, `job_latency` the time a job stays
    ongoing, `event_delay` the time until an event takes effect, `latency` the time added to each
    call. With `manual` nothing moves but by `tick()` or `POST /sandbox/tick`.
    `token_calls` ends a login token after so many calls, `token_lifetime` after so long.
    `failed_job_alarm` lets a failed import raise its alarm, as a real one does (§2.5); it is
    off because the three entities it creates would stand in every test's way.
    `import_max_size` is the limit that an import meets from 25.04 on. When an item of dialect D1
    brings the API of 23.x down (§3.12), the next `crash_calls` calls meet `crash_kind`.
    `store_fault` is why an import before 4.3 cannot be stored, which is told with status 200.
    """

    version: str = "24.10.0"
    edition: str = "community"
    body_limit: int = 7 * 1024 * 1024
    tick: float = 1.0
    job_latency: float = 0.0
    event_delay: float = 0.05
    latency: float = 0.0
    manual: bool = False
    token_lifetime: float | None = None
    token_calls: int | None = None
    maintenance: bool = False
    report_retention: float = 24 * 3600
    soft_delete_wait: float = 3600
    clock_offset: float = 0.0
    failed_job_alarm: bool = False
    import_max_size: int = 314_572_800
    crash_kind: FaultKind = "reset"
    crash_calls: int = 1
    store_fault: str = ""
    users: list[User] = field(default_factory=default_users)
    faults: list[Fault] = field(default_factory=list)
    job_faults: list[JobFault] = field(default_factory=list)
    poison: list[Poison] = field(default_factory=list)

    def numbers(self) -> tuple[int, ...]:
        """`24.10.3` as `(24, 10, 3)`; a development build is newer than all."""
        parts = self.version.split("-")[0].split(".")
        if not all(part.isdigit() for part in parts):
            return (9999,)
        return tuple(int(part) for part in parts)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def turn(self, wanted: Mapping[str, Any]) -> None:
        """Set the knobs named in *wanted*; lists are replaced, users of other names are kept.

        Raises KnobError, with the nearest name, before anything is set.
        """
        valid = [known.name for known in fields(self)]
        values = {_one_of(name, valid, "knob"): value for name, value in wanted.items()}
        for name, kind in _LISTS.items():
            if name in values:
                values[name] = [_made(kind, each) for each in values[name]]
        if "users" in values:
            named = {user.name: user for user in [*self.users, *values["users"]]}
            values["users"] = list(named.values())
        replace(self, **values)
        for name, value in values.items():
            setattr(self, name, value)


_LISTS: dict[str, type[Any]] = {
    "users": User,
    "faults": Fault,
    "job_faults": JobFault,
    "poison": Poison,
}


def _one_of(name: str, valid: Any, what: str) -> Any:
    if name in valid:
        return name
    near = difflib.get_close_matches(name, valid, 1)
    hint = f"; did you mean {near[0]!r}?" if near else f"; valid: {', '.join(valid)}"
    raise KnobError(f"unknown {what} {name!r}{hint}")


def _made(kind: type[Any], value: Any) -> Any:
    if isinstance(value, kind):
        return value
    valid = [known.name for known in fields(kind)]
    try:
        return kind(
            **{_one_of(name, valid, f"key of {kind.__name__}"): v for name, v in value.items()}
        )
    except (TypeError, AttributeError) as fault:
        raise KnobError(f"not a {kind.__name__}: {value!r} ({fault})") from fault
