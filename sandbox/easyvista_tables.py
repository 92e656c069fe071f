"""An invented EasyVista tenant, as large as asked, the same at every call.

    tables = tenant()                  # the 250 assets of specs/easyvista-cases.md
    tables = tenant(assets=50_000)     # links, characteristics and people in proportion

Assets are numbered from 1001. Of each 250 in turn: 180 are CIs (the last 15 of them removed), then
50 are equipment without being CIs, 12 licences and 8 contracts; 7 have no location, 3 others no
department; 120 share one LAST_UPDATE (a bulk import) and 5 another. The first 250 have the odd
tags, stamps around the changes of summer time, and links in a circle, to oneself, twice, to what is
removed.
"""

from typing import Any, Final

from sandbox.easyvista_people import (
    characteristics,
    departments,
    employees,
    groups,
    locations,
    manufacturers,
    models,
    references,
)
from sandbox.easyvista_store import Record

FIRST: Final = 1001
BLOCK: Final = 250
CIS: Final = 180
_LICENCES: Final = range(230, 242)
_CONTRACTS: Final = range(242, 250)
_NO_LOCATION: Final = frozenset({20, 45, 70, 95, 120, 145, 200})
_NO_DEPARTMENT: Final = frozenset({33, 88, 210})
_REMOVED: Final = range(165, 180)
_IMPORTED: Final = range(50, 170)
_TOGETHER: Final = range(10, 15)
_AROUND_SUMMER_TIME: Final = {
    30: "2025-10-26T00:30:00.000+00:00",  # both 02:30 on the clocks of Paris
    31: "2025-10-26T01:30:00.000+00:00",
    32: "2026-03-29T00:59:59.999+00:00",
    33: "2026-03-29T01:00:00.000+00:00",
}
ODD_TAGS: Final = (
    "T_0001",
    "TX0001",
    "A[1]",
    "50%",
    "A*B",
    "a,b",
    "a;b",
    '22" screen',
    "C++",
    "R&D",
    "#12",
    "Été",
    "007",
    "NA",
    "trailing  ",
    "x" * 200,
    "<b>&amp;</b>",
    "null",
    "two  spaces",
    "back\\slash",
)
_ROLES: Final = ("web", "db", "app", "mq", "sto", "dns")
_CRITICALITIES: Final = ("Haute", "Moyenne", "Basse", None)


def tenant(*, assets: int = BLOCK) -> dict[str, list[Record]]:
    """The tables of the tenant by name."""
    people = max(90, assets // 4)
    places = max(40, assets // 500)
    return {
        "AM_ASSET": [_asset(rank, people, places) for rank in range(assets)],
        "AM_LOCATION": locations(places),
        "AM_DEPARTMENT": departments(),
        "AM_EMPLOYEE": employees(people, places),
        "AM_CATALOG": models(),
        "AM_MANUFACTURER": manufacturers(),
        "AM_CHARACTERISTIC": characteristics(),
        "AM_ASSET_CHARACTERISTICS": [
            _characteristic(rank, part) for rank in range(assets) for part in range(2)
        ],
        "CI_LINK": _ci_links(assets),
        "ASSET_LINK": _asset_links(assets),
        "SD_REQUEST": [_request(rank, assets, people) for rank in range(max(60, assets // 10))],
        **references(),
        **groups(people),
    }


def is_ci(rank: int) -> bool:
    return rank % BLOCK < CIS


def _asset(rank: int, people: int, places: int) -> Record:
    slot = rank % BLOCK
    ci = is_ci(rank)
    odd = slot - CIS if rank < BLOCK and CIS <= slot < CIS + len(ODD_TAGS) else -1
    day = f"{rank % 28 + 1:02}"
    return {
        "ASSET_ID": FIRST + rank,
        "ASSET_TAG": ODD_TAGS[odd] if odd >= 0 else f"T-{rank + 1:04}",
        "ASSET_LABEL": f"Contrat n° {rank}" if slot in _CONTRACTS else None,
        "ASSET_GUID": f"{{{_guid(rank)}}}",
        "D_HARDWARE_GUID": _guid(rank).lower() if ci else None,
        "SERIAL_NUMBER": "007" if rank == 0 else f"SN{rank * 7919 % 999_983:06}",
        "NETWORK_IDENTIFIER": f"par-{_ROLES[rank % 6]}-{rank:05}" if ci else None,
        "CATALOG_ID": rank % 30 + 1,
        "LOCATION_ID": None if slot in _NO_LOCATION else rank % (places - 1) + 2,
        "DEPARTMENT_ID": None if slot in _NO_DEPARTMENT else rank % 25 + 1,
        "EMPLOYEE_ID": rank * 7 % people + 1 if rank % 3 else None,
        "STATUS_ID": None if rank % 11 == 10 else rank % 5 + 1,
        "CI_STATUS_ID": rank % 3 + 1 if ci else None,
        "IS_CI": int(ci),
        "CI_VERSION": f"{rank % 4}.{rank % 10}" if ci else None,
        "PURCHASE_PRICE": None if rank % 7 == 6 else "0" if rank % 5 == 4 else f"{rank + 1234}.56",
        "ENTRY_DATE": f"2024-{rank % 12 + 1:02}-{day}",
        "INSTALLATION_DATE": f"2024-{rank % 12 + 1:02}-{day}" if rank % 4 else None,
        "PURCHASE_DATE": f"2023-{rank % 12 + 1:02}-{day}",
        "END_OF_WARANTY": f"20{27 + rank % 4}-{rank % 12 + 1:02}-{day}",
        "REMOVED_DATE": f"2026-02-{day}" if slot in _REMOVED else None,
        "LAST_UPDATE": _last_update(rank),
        "LAST_INTEGRATION": f"2026-08-{day}T04:00:00.000+00:00" if ci else None,
        "COMMENT_ASSET": f"<p>Vérifié 👍 n° {rank}</p>" if rank % 9 == 0 else None,
        "AVAILABLE_FIELD_1": f"rack {rank % 60:02}" if ci else None,
        "E_CRITICALITY": _CRITICALITIES[rank % 4],
        "E_SITE_CODE": f"S{rank % 40:03}",
    }


def _last_update(rank: int) -> str:
    """With an offset; the stamps of later blocks are as many hours later."""
    block, slot = divmod(rank, BLOCK)
    hour = f"{block % 24:02}"
    day = f"{block // 24 % 28 + 1:02}"
    if slot in _TOGETHER:
        return f"2026-05-{day}T{hour}:00:00.125+00:00"
    if slot in _IMPORTED:
        return f"2026-03-{day}T{hour}:15:00.000+00:00"
    if slot in _AROUND_SUMMER_TIME and block == 0:
        return _AROUND_SUMMER_TIME[slot]
    month = slot % 7 + 1
    return f"2026-{month:02}-{day}T{hour}:{slot % 60:02}:{slot // 60 * 7:02}.{rank % 1000:03}+00:00"


def _guid(rank: int) -> str:
    text = f"{(rank + 1) * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128:032X}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _characteristic(rank: int, part: int) -> Record:
    return {
        "ROW_ID": rank * 2 + part + 1,
        "ASSET_ID": FIRST + rank,
        "CHARACTERISTIC_ID": (rank + part * 5) % 10 + 1,
        "DATA_1": f"{2 ** (rank % 6 + part + 1)}",
        "LAST_INVENTORY_DATE": f"2026-07-{rank % 28 + 1:02}T02:00:00.000+00:00",
    }


def _ci_links(assets: int) -> list[Record]:
    """300 for each 250 assets, no two alike."""
    ends = [_ends(number) for number in range(-(-assets // BLOCK) * 300)]
    return [
        {
            "LINK_ID": number + 1,
            "PARENT_CI_ID": FIRST + parent,
            "CHILD_CI_ID": FIRST + child,
            "RELATION_TYPE_ID": kind,
            "BLOCKING": int(number % 3 == 0),
        }
        for number, (parent, child, kind) in enumerate(ends)
        if parent < assets and child < assets
    ]


# A circle, a pair with two relations, a CI that is removed, a CI linked to itself.
_ODD_LINKS: Final = (
    (0, 1, 1),
    (1, 2, 1),
    (2, 0, 1),
    (3, 4, 1),
    (3, 4, 2),
    (5, 170, 1),
    (6, 6, 1),
)


def _ends(number: int) -> tuple[int, int, int]:
    if number < len(_ODD_LINKS):
        return _ODD_LINKS[number]
    block, place = divmod(number, 300)
    parent, turn = place % 30, place // 30
    child = 30 + (parent * 5 + turn * 15) % 150
    return block * BLOCK + parent, block * BLOCK + child, place % 4 + 1


def _asset_links(assets: int) -> list[Record]:
    """Each contract covers five assets of its block."""
    contracts = [rank for rank in range(assets) if rank % BLOCK in _CONTRACTS]
    pairs = [(rank, rank - 242 + 5 * turn) for rank in contracts for turn in range(5)]
    return [
        {
            "LINK_ID": number,
            "ASSET_ID": FIRST + covered,
            "PARENT_ASSET_ID": FIRST + contract,
            "CONTRACT_ROW": number % 5 + 1,
            "MONTHLY_PAYMENT": f"{number % 90}.50",
        }
        for number, (contract, covered) in enumerate(pairs, start=1)
    ]


def _request(rank: int, assets: int, people: int) -> dict[str, Any]:
    day = f"{rank % 28 + 1:02}"
    return {
        "REQUEST_ID": rank + 1,
        "RFC_NUMBER": f"I2608{day}_{rank + 1:06}",
        "TITLE": f"Panne n° {rank + 1}",
        "STATUS_ID": rank % 5 + 1,
        "RECIPIENT_ID": rank % people + 1,
        "REQUESTOR_ID": rank * 3 % people + 1,
        "LOCATION_ID": rank % 39 + 2,
        "DEPARTMENT_ID": rank % 25 + 1,
        "ASSET_ID": FIRST + rank * 3 % assets if assets else None,
        "SUBMIT_DATE_UT": f"2026-08-{day}T13:40:41.610+00:00",
        "MAX_RESOLUTION_DATE_UT": f"2026-08-{day}T17:40:41.610+00:00",
        "LAST_UPDATE": f"2026-08-{day}T{rank % 24:02}:00:00.000+00:00",
        "COMMENT": f"<p>Le disque n° {rank} est plein</p>",
        "DESCRIPTION": None,
    }
