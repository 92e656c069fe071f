"""An invented CMDB, as large as asked and the same at every call; the fixture of the spec's cases.

day_one = tables(50_000, dirty=False)
day_two = tables(50_000, dirty=False, changed=0.01, gone=40, new=25)
"""

from functools import cache

from sandbox.servicenow_items import application, business_application, server, server_id, service
from sandbox.servicenow_places import places
from sandbox.servicenow_relations import deleted_id, relation_types, relations
from sandbox.servicenow_schema import Record, key

Tables = dict[str, list[Record]]


def tables(
    servers: int = 2500,
    *,
    business_apps: int = 0,
    dirty: bool = True,
    changed: float = 0.0,
    gone: int = 0,
    new: int = 0,
) -> Tables:
    """Servers, with 8 applications for 25 of them, 60 services for 2,500, and their relations.

    *dirty*: odd names, 16 % of the servers stamped in one second, broken relations. On the day
    after, *gone* servers are not there any more (their relations are), the share *changed* of the
    others is retired and has another group, *new* ones come; what goes and changes is spread
    evenly. Raises ValueError when more would go than there is.
    """
    if not 0 <= gone <= servers or not 0 <= changed <= 1:
        raise ValueError(f"{gone} of {servers} servers cannot go, or {changed} is no share")
    leaving = _spread(gone, servers)
    staying = [number for number in range(servers) if number not in leaving]
    changing = _spread(round(changed * len(staying)), len(staying))
    rows = [
        server(number, dirty=dirty, day=int(rank in changing))
        for rank, number in enumerate(staying)
    ]
    rows += [server(number, dirty=dirty) for number in range(servers, servers + new)]
    applications, services = servers * 8 // 25, max(servers * 6 // 250, 1)
    return {
        **_by_class(rows),
        "cmdb_ci_appl": [application(number) for number in range(applications)],
        "cmdb_ci_service": [service(number) for number in range(services)],
        "cmdb_ci_business_app": [business_application(number) for number in range(business_apps)],
        "cmdb_rel_ci": relations(servers, applications, services, business_apps, dirty=dirty),
        "cmdb_rel_type": relation_types(),
        "sys_audit_delete": _deleted(leaving),
        **places(),
    }


@cache
def fixture() -> Tables:
    """The tables of the spec's cases: 2,500 servers, and the tables of single cases."""
    return {**tables(), "big": _big(), "weird": _weird(), "hidblock": _hidblock()}


def _by_class(rows: list[Record]) -> Tables:
    classes: Tables = {}
    for row in rows:
        classes.setdefault(row["sys_class_name"], []).append(row)
    return classes


def _deleted(leaving: frozenset[int]) -> list[Record]:
    """30 rows gone long ago, and the servers that went today."""
    old = [
        (("cmdb_ci_linux_server", "cmdb_ci_win_server")[rank % 2], deleted_id(rank), rank)
        for rank in range(30)
    ]
    today = [
        (server(number)["sys_class_name"], server_id(number), 60) for number in sorted(leaving)
    ]
    return [
        {
            "sys_id": key(f"sys_audit_delete:{table}:{sys_id}"),
            "tablename": table,
            "documentkey": sys_id,
            "display_value": f"old-{day:03}",
            "payload": f"<{table}><sys_id>{sys_id}</sys_id></{table}>",
            "sys_created_on": f"2024-{2 + day // 30:02}-{day % 28 + 1:02} 12:00:00",
            "sys_created_by": "admin",
        }
        for table, sys_id, day in [*old, *today]
    ]


def _big() -> list[Record]:
    return [
        {"sys_id": key(f"big:{number}"), "name": f"big-{number:05}"} for number in range(10_050)
    ]


def _weird() -> list[Record]:
    """Texts that break parsers or databases."""
    texts = (
        "forty characters that end in half an \ud83d",
        "a NUL \x00 inside",
        "\ufeffa byte order mark",
        "tab\tand\x07bell",
        "x" * 100_000,
    )
    return [
        {
            "sys_id": key(f"weird:{number}"),
            "name": f"weird-{number:02}",
            "text": texts[number % 10] if number % 10 < len(texts) else f"plain {number}",
        }
        for number in range(50)
    ]


def _hidblock() -> list[Record]:
    return [
        {"sys_id": key(f"hidblock:{number}"), "name": f"row-{number:04}"} for number in range(3000)
    ]


def _spread(some: int, of: int) -> frozenset[int]:
    """*some* ranks, evenly among *of*."""
    return frozenset(rank * of // some for rank in range(some))
