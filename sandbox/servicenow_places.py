"""What the invented configuration items lead to: companies, locations, people, groups."""

from typing import Final

from sandbox.servicenow_schema import Record, key

COMPANIES: Final = 40
LOCATIONS: Final = 120  # two of them with a sys_id that is no GUID
USERS: Final = 50
GROUPS: Final = 12
ODD_IDS: Final = ("global", "ABCDEF00000000000000000000000000")
STAMPS: Final = {
    "sys_created_on": "2023-06-01 09:00:00",
    "sys_created_by": "admin",
    "sys_updated_on": "2023-12-15 10:20:30",
    "sys_updated_by": "admin",
    "sys_mod_count": "3",
}
_COUNTRIES: Final = ("France", "Deutschland", "España", "Österreich", "Ελλάδα", "日本")
_CITIES: Final = ("Paris", "Lyon", "Nîmes", "Berlin", "München", "Málaga", "Wien", "Αθήνα", "東京")
_FIRST: Final = ("Zoé", "Anne-Sophie", "Jérôme", "François", "Li")
_LAST: Final = ("Lefèvre", "Noël", "Müller", "D'Hérouville", "Wei", "Ng")
_TEAMS: Final = ("Réseau", "Systèmes", "Bases de données", "Messagerie", "Poste de travail", "SAP")


def places() -> dict[str, list[Record]]:
    """The tables that references lead to; the same at every call."""
    return {
        "core_company": [_company(rank) for rank in range(COMPANIES)],
        "cmn_location": _locations(),
        "cmn_department": [_department(rank) for rank in range(6)],
        "sys_user": [_user(rank) for rank in range(USERS)],
        "sys_user_group": [_group(rank) for rank in range(GROUPS)],
    }


def company(rank: int) -> str:
    return key(f"core_company:{rank % COMPANIES}")


def location(rank: int) -> str:
    """A site; the first ones are the root of the tree and its countries."""
    first = 1 + len(_COUNTRIES)
    return key(f"cmn_location:{first + rank % (LOCATIONS - len(ODD_IDS) - first)}")


def user(rank: int) -> str:
    return key(f"sys_user:{rank % USERS}")


def group(rank: int) -> str:
    return key(f"sys_user_group:{rank % GROUPS}")


def _company(rank: int) -> Record:
    return {
        "sys_id": company(rank),
        "name": f"Société {rank:02}" if rank else "ACME",
        "parent": company(rank // 5) if rank >= 5 else "",
        "customer": "false",
        "vendor": str(rank % 2 == 0).lower(),
        "manufacturer": str(rank % 3 == 0).lower(),
        "city": _CITIES[rank % len(_CITIES)],
        "country": _COUNTRIES[rank % len(_COUNTRIES)],
        **STAMPS,
    }


def _locations() -> list[Record]:
    countries = len(_COUNTRIES)
    rows = [_location(0, "World", "")]
    rows += [_location(rank, name, rows[0]["sys_id"]) for rank, name in enumerate(_COUNTRIES, 1)]
    for rank in range(1 + countries, LOCATIONS - len(ODD_IDS)):
        city = _CITIES[rank % len(_CITIES)]
        name = "HQ Paris" if rank == 1 + countries else f"Site {city} {rank:03}"
        rows.append(_location(rank, name, rows[1 + rank % countries]["sys_id"]))
    odd = (_location(rank, f"Odd {sys_id[:6]}", "") for rank, sys_id in enumerate(ODD_IDS))
    rows += [{**row, "sys_id": sys_id} for row, sys_id in zip(odd, ODD_IDS, strict=True)]
    return rows


def _location(rank: int, name: str, parent: str) -> Record:
    return {
        "sys_id": key(f"cmn_location:{rank}"),
        "name": name,
        "full_name": name,
        "parent": parent,
        "street": f"{rank} rue de la Gare",
        "city": _CITIES[rank % len(_CITIES)],
        "country": _COUNTRIES[rank % len(_COUNTRIES)],
        "latitude": "48.8566",
        "longitude": "2.3522",
        "company": company(rank),
        "time_zone": "Europe/Paris",
        **STAMPS,
    }


def _department(rank: int) -> Record:
    return {"sys_id": key(f"cmn_department:{rank}"), "name": f"Direction {rank}", **STAMPS}


def _user(rank: int) -> Record:
    first, last = _FIRST[rank % len(_FIRST)], _LAST[rank % len(_LAST)]
    return {
        "sys_id": user(rank),
        "user_name": f"user.{rank:03}",
        "name": f"{first} {last}",
        "first_name": first,
        "last_name": last,
        "email": f"user.{rank:03}@acme.example",
        "active": str(rank % 10 != 9).lower(),
        "department": key(f"cmn_department:{rank % 6}"),
        "manager": user(rank // 7) if rank >= 7 else "",
        "company": company(rank),
        "location": location(rank),
        **STAMPS,
    }


def _group(rank: int) -> Record:
    return {
        "sys_id": group(rank),
        "name": f"{_TEAMS[rank % len(_TEAMS)]} {rank // len(_TEAMS) + 1}",
        "manager": user(rank),
        "active": "true",
        **STAMPS,
    }
