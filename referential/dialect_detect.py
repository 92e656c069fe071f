"""Which dialect a Canopsis speaks, as it says itself (`specs/canopsis.md` §9)."""

from dataclasses import dataclass
from typing import Any

from referential.answers import Absent, Stranger, WrongMethod
from referential.dialect import NEWEST, Dialect, Version, parse_version
from referential.dialect_d0 import D0
from referential.dialect_d1 import D1
from referential.dialect_d2 import D2
from referential.errors import Refused, Unreadable
from referential.wire import Wire

_ASKED = ("/api/v4/app-info", "/api/v4/internal/login_info", "/api/internal/login/login_info")
_NEW_STATUS = "/api/v4/contextgraph-import-status/probe"
_FLAT, _LINKED = "/api/v4/contextgraph-import", "/api/v4/contextgraph/import"


@dataclass(frozen=True, slots=True)
class AppInfo:
    """`max_bytes` is the largest import that it takes, told from 25.04 on."""

    version: str
    edition: str = ""
    max_bytes: int | None = None


def dialect_of(version: Version, *, where: str = "") -> Dialect:
    """The dialect to speak to *version*. Raises Refused for those that we cannot serve."""
    if version >= (23, 4, 0):
        return D2(version)
    if version >= (4, 3, 0):
        return D1(version)
    if version >= (3, 25, 0):
        return D0(version)
    raise Refused(
        f"Canopsis {'.'.join(map(str, version))} is older than 3.25, whose import was the first to"
        " merge what it is sent",
        where=where,
        mend="load into Canopsis 3.25 or later, or correct `version` of the connection",
    )


def app_info(wire: Wire) -> AppInfo:
    """What Canopsis says of itself, at the address of its time; raises the last refusal.

    It tells anybody: which credentials it takes depends on its version. Where a proxy lets nobody
    pass without credentials, ours are shown.
    """
    for path in _ASKED:
        try:
            told = _asked(wire, path)
        except Absent:
            if path == _ASKED[-1]:
                raise
            continue
        match told:
            case {"version": str(version)} | {"data": [{"version": str(version)}]}:
                most = told.get("file_import_max_size")
                edition = str(told.get("edition") or "")
                return AppInfo(version, edition, most if isinstance(most, int) else None)
            case dict() if path == _ASKED[0]:
                return AppInfo("", str(told.get("edition") or ""))
        raise Unreadable(
            "Canopsis does not tell its version",
            where=f"GET {wire.url}{path}",
            mend="give `version` of the connection",
        )
    raise AssertionError("the last address answers or raises")


def _asked(wire: Wire, path: str) -> Any:
    try:
        return wire.call("GET", path, anonymous=True).body
    except Stranger:
        return wire.call("GET", path).body


def version_of(info: AppInfo, wire: Wire) -> Version:
    """Its version; a development build is asked what it can do, changing nothing."""
    version = parse_version(info.version)
    if version != NEWEST:
        return version
    if _has(wire, _FLAT):
        return NEWEST if _has_new_status(wire) else (23, 10, 0)
    return (22, 10, 0) if _has(wire, _LINKED) else NEWEST


def _has_new_status(wire: Wire) -> bool:
    """With credentials an import that nobody knows is as absent as the address: 404 both."""
    try:
        wire.call("GET", _NEW_STATUS, anonymous=True)
    except Stranger:
        return True
    except Absent:
        return False
    return True


def _has(wire: Wire, path: str) -> bool:
    """Whether an import may be PUT there: to GET it is another method, or no such thing."""
    try:
        wire.call("GET", path, anonymous=True)
    except WrongMethod:
        return True
    except Absent:
        return False
    return False
