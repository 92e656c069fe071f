"""The invented relations between configuration items, and their dirt (spec §11.3)."""

from itertools import chain, islice
from typing import Final

from sandbox.servicenow_items import item_id, server_id
from sandbox.servicenow_places import STAMPS
from sandbox.servicenow_schema import Record, key

_TYPES: Final = {
    "Depends on::Used by": "1a9cb166f1571100a92eb60da2bce5c5",
    "Runs on::Runs": "60bc4e22c0a8010e01f074cbe6bd73c3",
    "Contains::Contained by": "",
    "Hosted on::Hosts": "",
    "Connects to::Connected by": "",
    "Members::Member of": "",
    "Manages::Managed by": "",
    "Owns::Owned by": "",
    "Uses::Used by": "",
    "Virtualized by::Virtualizes": "",
    "Sends data to::Receives data from": "",
    "Exchanges data with::Exchanges data with": "",
}
# How many of each kind a CMDB of 2,500 servers has; a smaller one has fewer, at least one.
_DIRT: Final = {
    "no parent": 5,
    "no type": 5,
    "gone": 10,
    "double": 20,
    "itself": 5,
    "unknown type": 5,
}
_FULL: Final = 2500
Link = tuple[str, str, str]  # parent, child, type


def deleted_id(number: int) -> str:
    """A configuration item that is no longer there."""
    return key(f"deleted:{number}")


def relation_types() -> list[Record]:
    return [
        {
            "sys_id": _type(name),
            "name": name,
            "parent_descriptor": name.partition("::")[0],
            "child_descriptor": name.partition("::")[2],
            **STAMPS,
        }
        for name in _TYPES
    ]


def relations(
    servers: int, applications: int, services: int, business: int, *, dirty: bool
) -> list[Record]:
    """Twelve relations for five servers: applications run on servers, services depend on them."""
    total = servers * 12 // 5
    dirt = list(_dirt(servers, total)) if dirty and servers > 1 else []
    clean = list(
        islice(_clean(servers, applications, services, business), max(total - len(dirt), 0))
    )
    doubled = [clean[rank] if link is None else link for rank, link in enumerate(dirt)]
    return [_relation(rank, link) for rank, link in enumerate(chain(clean, doubled))]


def _clean(servers: int, applications: int, services: int, business: int) -> "chain[Link]":
    depends, runs = _type("Depends on::Used by"), _type("Runs on::Runs")
    connects = _type("Connects to::Connected by")
    appl, service, app = "cmdb_ci_appl", "cmdb_ci_service", "cmdb_ci_business_app"
    return chain(
        (
            (item_id(app, number), item_id(service, (number + step) % services), depends)
            for number in range(business)
            for step in range(min(2, services))
        ),
        (
            (item_id(service, number % services), item_id(appl, number), depends)
            for number in range(applications)
        ),
        (
            (item_id(appl, number), server_id(number * 3 % servers), runs)
            for number in range(applications)
        ),
        (
            (server_id(number), server_id((number + step) % servers), connects)
            for step in range(1, servers)
            for number in range(servers)
        ),
    )


def _dirt(servers: int, total: int) -> "chain[Link | None]":
    """None is a double of the clean relation of the same rank."""
    counts = {kind: max(most * min(servers, _FULL) // _FULL, 1) for kind, most in _DIRT.items()}
    if sum(counts.values()) >= total // 2:
        return chain()
    depends = _type("Depends on::Used by")
    one = server_id(0)
    return chain(
        (None for _ in range(counts["double"])),
        (("", server_id(rank), depends) for rank in range(counts["no parent"])),
        ((one, server_id(rank + 1), "") for rank in range(counts["no type"])),
        ((one, deleted_id(rank), depends) for rank in range(counts["gone"])),
        ((server_id(rank), server_id(rank), depends) for rank in range(counts["itself"])),
        (
            (one, server_id(rank + 1), key("cmdb_rel_type:unknown"))
            for rank in range(counts["unknown type"])
        ),
    )


def _relation(rank: int, link: Link) -> Record:
    parent, child, kind = link
    return {
        "sys_id": key(f"cmdb_rel_ci:{rank}"),
        "parent": parent,
        "child": child,
        "type": kind,
        "connection_strength": "always",
        "percent_outage": "",
        "port": "",
        **STAMPS,
    }


def _type(name: str) -> str:
    return _TYPES[name] or key(f"cmdb_rel_type:{name}")
