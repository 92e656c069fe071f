"""Which dialect a Canopsis speaks, as it says itself (`specs/canopsis.md` §9)."""

from dataclasses import dataclass

from referential.answers import Absent, WrongMethod
from referential.dialect import NEWEST, Dialect, Version, parse_version
from referential.dialect_d0 import D0
from referential.dialect_d1 import D1
from referential.dialect_d2 import D2
from referential.errors import Refused, Unreadable
from referential.wire import Wire

_ASKED = ("/api/v4/app-info", "/api/v4/internal/login_info", "/api/internal/login/login_info")
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
    """What Canopsis says of itself, at the address of its time; raises the last refusal."""
    for path in _ASKED:
        try:
            told = wire.call("GET", path).body
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


def version_of(info: AppInfo, wire: Wire) -> Version:
    """Its version; a development build is asked what it can do, changing nothing."""
    version = parse_version(info.version)
    if version != NEWEST:
        return version
    if _has(wire, _FLAT):
        # D1 was removed when the address of the status changed
        return (23, 10, 0) if _has(wire, _LINKED) else NEWEST
    return (22, 10, 0) if _has(wire, _LINKED) else NEWEST


def _has(wire: Wire, path: str) -> bool:
    """Whether an import may be PUT there: to GET it is another method, or no such thing."""
    try:
        wire.call("GET", path)
    except WrongMethod:
        return True
    except Absent:
        return False
    return False
