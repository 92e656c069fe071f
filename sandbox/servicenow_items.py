"""The invented configuration items: servers, applications, services, business applications."""

from datetime import UTC, datetime, timedelta
from typing import Final

from sandbox.servicenow_places import company, group, location, user
from sandbox.servicenow_schema import Record, key

# Of 25 servers: 15 Linux, 9 Windows, and one whose class is the parent itself.
_ROUND: Final = 25
TIED: Final = "2024-03-31 01:30:00"  # inside the change to summer time of Paris
_TIED: Final = 4  # of a round: stamped in that one second
_HIDDEN: Final = 7  # rank in a round of the server named hid-
_START: Final = datetime(2024, 1, 1, tzinfo=UTC)
_CHANGED: Final = "2024-04-02 06:00:00"
ODD_NAMES: Final = (
    "a^b",
    "a",
    "R&D",
    "100% up",
    "a+b",
    "#1",
    "a,b",
    'the "big" one',
    "two\nlines",
    "rocket \U0001f680",
    "right \u200fto left",
    "",
)
_SYSTEMS: Final = {
    "cmdb_ci_linux_server": (("Linux Red Hat", "9.4"), ("Linux Debian", "12.7")),
    "cmdb_ci_win_server": (("Windows 2022 Standard", "10.0.20348"),),
    "cmdb_ci_server": (("", ""),),
}
_USES: Final = ("Production", "QA", "Test", "")
_ENVIRONMENTS: Final = ("production", "test", "development")


def server_class(number: int) -> str:
    rank = number % _ROUND
    if rank < 15:
        return "cmdb_ci_linux_server"
    return "cmdb_ci_win_server" if rank < 24 else "cmdb_ci_server"


def server_id(number: int) -> str:
    return key(f"{server_class(number)}:{number}")


def item_id(table: str, number: int) -> str:
    return key(f"{table}:{number}")


def server(number: int, *, dirty: bool = True, day: int = 0) -> Record:
    """One server; on another *day* its status, group and stamp are others."""
    table = server_class(number)
    system, version = _SYSTEMS[table][number % len(_SYSTEMS[table])]
    tied = dirty and number % _ROUND < _TIED
    stamp = TIED if tied else (_START + timedelta(seconds=7 * number)).strftime("%Y-%m-%d %H:%M:%S")
    status = number // 3 % 8
    row = {
        "sys_id": key(f"{table}:{number}"),
        "sys_class_name": table,
        "name": f"srv-{number:06}",
        "short_description": f"Serveur n° {number}",
        "asset_tag": f"P{number:07}",
        "serial_number": f"{number:06}-{number * 7919 % 65536:04X}",
        "ip_address": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}",
        "mac_address": number.to_bytes(6, "big").hex(":").upper(),
        "fqdn": f"srv-{number:06}.acme.example",
        "dns_domain": "acme.example",
        "category": "Hardware",
        "environment": _ENVIRONMENTS[number // 5 % 3],
        "operational_status": "6" if day else str(max(status - 1, 1)),
        "install_status": "7" if number // 7 % 8 == 7 else "1",
        "discovery_source": "ServiceNow" if number % 3 else "Manual Entry",
        "company": company(number // 3),
        "location": "" if number % 10 == 9 else location(number),
        "manufacturer": company(number % 4 * 3),
        "assigned_to": "" if number % 4 else user(number),
        "support_group": group(number // 13 + day),
        "sys_domain": "global",
        "sys_domain_path": "/",
        "os": system,
        "os_version": version,
        "host_name": f"srv-{number:06}",
        "cpu_count": str(1 << number % 5),
        "ram": str(4096 << number % 4),
        "disk_space": str(40 + number % 500),
        "virtual": str(number % 3 != 0).lower(),
        "used_for": _USES[number // 5 % 4],
        "sys_created_on": "2023-11-05 07:30:00",
        "sys_created_by": "discovery",
        "sys_updated_on": _CHANGED if day else stamp,
        "sys_updated_by": "discovery",
        "sys_mod_count": str(number % 40 + day),
    }
    return {**row, **_oddities(number)} if dirty else row


def _oddities(number: int) -> Record:
    """What every parser should meet once."""
    if number % _ROUND == _HIDDEN:
        return {"name": f"hid-{number:06}"}
    if number % _ROUND != 24:
        return {}
    rank = number // _ROUND
    odd = {
        "cost": "45557.5",
        "cost_cc": "USD",
        "u_outage": "1970-01-02 00:02:17",
        "u_watchers": f"{user(1)},{user(2)}",
    }
    if rank < len(ODD_NAMES):
        odd["name"] = ODD_NAMES[rank]
    if rank == len(ODD_NAMES):
        odd["comments"] = "é" * 4000
    return odd


def application(number: int) -> Record:
    return _item("cmdb_ci_appl", number, f"app-{number:05}") | {
        "version": f"{number % 9}.{number % 4}",
        "tcp_port": str(8000 + number % 100),
        "is_clustered": str(number % 7 == 0).lower(),
    }


def service(number: int) -> Record:
    return _item("cmdb_ci_service", number, f"Service {number:03}") | {
        "busines_criticality": ("1 - most critical", "3 - less critical")[number % 2],
        "service_classification": "Business Service",
        "number": f"BSN{number:07}",
    }


def business_application(number: int) -> Record:
    return _item("cmdb_ci_business_app", number, f"Application métier {number:03}") | {
        "business_criticality": "2 - somewhat critical",
        "version": "1.0",
    }


def _item(table: str, number: int, name: str) -> Record:
    stamp = _START + timedelta(seconds=11 * number)
    return {
        "sys_id": item_id(table, number),
        "sys_class_name": table,
        "name": name,
        "short_description": f"{name}, pour tous",
        "operational_status": "2" if number % 9 == 8 else "1",
        "install_status": "1",
        "company": company(number),
        "location": location(number) if number % 3 else "",
        "owned_by": user(number),
        "support_group": group(number),
        "sys_domain": "global",
        "sys_created_on": "2023-11-06 08:00:00",
        "sys_created_by": "admin",
        "sys_updated_on": stamp.strftime("%Y-%m-%d %H:%M:%S"),
        "sys_updated_by": "admin",
        "sys_mod_count": str(number % 12),
    }
