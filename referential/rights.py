"""The permissions of Canopsis that refsync needs, and how to tell which ones we hold (§1.2)."""

from collections.abc import Sequence
from dataclasses import dataclass

from referential.answers import Forbidden
from referential.dialect import Dialect
from referential.errors import Refused
from referential.wire import Wire

IMPORT = "api_contextgraph: create"
STATUS = "api_contextgraph: read"
READ = "api_entity: read"
SWITCH = "api_entity: update"
EVENT = "api_event: can"
ALARMS = "api_alarm_read: can"
LOADING = (IMPORT, STATUS, READ, SWITCH)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who we are for Canopsis, and which of the permissions asked for we hold or lack.

    Those that cannot be found out are in neither.
    """

    name: str
    rights: tuple[str, ...]
    lacking: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Probe:
    """A call that takes one permission and changes nothing."""

    method: str
    path: str
    body: bytes | None = None


def unknown_rights(dialect: Dialect) -> frozenset[str]:
    """The rights that no call can find out about without changing something, or none takes.

    4.3 and before ask for no source: the import of a probe would be carried out. The bulk endpoint
    is of 4.6: earlier ones are switched by imports.
    """
    unknown = set()
    if dialect.version < (4, 4, 0):
        unknown.add(IMPORT)
    if dialect.version < (4, 6, 0):
        unknown.add(SWITCH)
    if dialect.webcore:
        unknown.add(ALARMS)
    return frozenset(unknown)


def lacking_rights(wire: Wire, dialect: Dialect, rights: Sequence[str]) -> tuple[str, ...]:
    """Those of *rights* that we lack.

    Permissions are checked before anything else of a call (`specs/canopsis.md` §2.1): one that
    could not succeed anyway tells them apart, for 403 lacks the right and any other refusal has it.
    """
    probes = {
        IMPORT: _Probe("PUT", dialect.import_path(partial=False), b"[]"),  # 400: no source
        STATUS: _Probe("GET", dialect.status_path("probe")),  # 404: no such import
        READ: _Probe("GET", "/api/v4/entities?limit=1"),
        SWITCH: _Probe("PUT", "/api/v4/bulk/entities/disable", b"[]"),
        EVENT: _Probe("POST", "/api/v4/event", b"0"),  # 400: neither an object nor an array
        ALARMS: _Probe("GET", "/api/v4/alarms?opened=true&limit=1"),
    }
    if dialect.webcore:
        probes[READ] = _Probe("POST", "/context", b'{"limit":1}')
        probes[EVENT] = _Probe("POST", "/api/v2/event", b"[]")  # no events
    unasked, lacking = unknown_rights(dialect), []
    for right in rights:
        if right in unasked:
            continue
        probe = probes[right]
        try:
            wire.call(probe.method, probe.path, body=probe.body, right=right)
        except Forbidden:
            lacking.append(right)
        except Refused:
            continue
    return tuple(lacking)
