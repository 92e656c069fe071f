"""An invented CMDB of servers, as large as asked, the same at every call, and its second day.

    day_one = records(100_000)
    day_two = records(100_000, changed=0.01, gone=40, new=25)

A record has 13 top-level fields and about 650 bytes of JSON:

    {"id": "SRV000042", "name": "par-app-000042", "serial": "000042-1336", "status": "production",
     "criticality": "low", "ip": "10.0.0.42", "os": {"family": "Linux", "version": "Debian …"},
     "environment": {"code": "prd", "label": "Production"},
     "location": {"site": "Paris", "room": "C0", "rack": {"name": "R42", "unit": 2}},
     "owner": {"team": "Messagerie", "contacts": [{"name": …, "email": …, "phone": …}]},  # 1 to 3
     "application": {"code": "APP-03", "name": "Facturation", "tier": "bronze"},
     "tags": ["sauvegarde:quotidienne", "virtuel"], "updated_at": "2026-01-01T00:00:42Z"}
"""

from typing import Any

Record = dict[str, Any]

_SITES = (("Lyon", "lyo"), ("Nîmes", "nim"), ("Paris", "par"), ("Orléans", "orl"), ("Brest", "brs"))
_ENVIRONMENTS = (
    ("prd", "Production", "production"),
    ("rec", "Recette", "production"),
    ("dev", "Développement", "implementation"),
    ("old", "Archivé", "obsolete"),
)
_ROLES = ("web", "db", "app", "mq", "sto", "dns")
_SYSTEMS = (("Linux", "Debian GNU/Linux 12.7"), ("Linux", "RHEL 9.4"), ("Windows", "Server 2022"))
_TEAMS = ("Réseau", "Systèmes", "Bases de données", "Messagerie", "Poste de travail")
_PEOPLE = ("Zoé Lefèvre", "Anne-Sophie Noël", "Jérôme Müller", "François D'Hérouville", "Li Wei")
_APPLICATIONS = ("Paie", "Comptabilité générale", "Intranet", "Facturation", "Relation client")
_CRITICALITIES = ("low", "medium", "high")
_TIERS = ("bronze", "silver", "gold")
_TAGS = ("sauvegarde:quotidienne", "zone:dmz", "contrat:2027", "virtuel", "cluster", "pci-dss")


def records(count: int, *, changed: float = 0.0, gone: int = 0, new: int = 0) -> list[Record]:
    """The servers of day one, or of the day after, in the order of their `id`.

    Day one has *count* records. On the day after, *gone* of them are no longer there, the share
    *changed* (0 to 1) of those that stay has another `criticality`, `owner.team`,
    `location.rack.unit` and `updated_at`, and *new* records follow the others. What goes and what
    changes is spread evenly. Raises ValueError when more would go than there is.
    """
    if not 0 <= changed <= 1:
        raise ValueError(f"changed is a share, from 0 to 1, not {changed}")
    if not 0 <= gone <= count:
        raise ValueError(f"{gone} records cannot go: there are {count}")
    leaving = _spread(gone, count)
    staying = [number for number in range(count) if number not in leaving]
    changing = _spread(round(changed * len(staying)), len(staying))
    return [
        *(_record(number, day=int(rank in changing)) for rank, number in enumerate(staying)),
        *(_record(number, day=0) for number in range(count, count + new)),
    ]


def _spread(some: int, of: int) -> frozenset[int]:
    """*some* ranks, evenly among *of*."""
    return frozenset(rank * of // some for rank in range(some))


def _record(number: int, *, day: int) -> Record:
    site, prefix = _pick(_SITES, number)
    code, label, status = _pick(_ENVIRONMENTS, number // 5)
    family, version = _pick(_SYSTEMS, number // 7)
    role = _pick(_ROLES, number // 3)
    application = number // 11 % 40
    return {
        "id": f"SRV{number:06}",
        "name": f"{prefix}-{role}-{number:06}",
        "serial": f"{number:06}-{number * 7919 % 65536:04X}",
        "status": status,
        "criticality": _pick(_CRITICALITIES, number // 2 + day),
        "ip": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}",
        "os": {"family": family, "version": version},
        "environment": {"code": code, "label": label},
        "location": {
            "site": site,
            "room": f"{'ABCD'[number % 4]}{number % 3}",
            "rack": {"name": f"R{number % 60:02}", "unit": number % 41 + 1 + day},
        },
        "owner": {
            "team": _pick(_TEAMS, number // 13 + day),
            "contacts": [_contact(number + rank) for rank in range(number % 3 + 1)],
        },
        "application": {
            "code": f"APP-{application:02}",
            "name": _pick(_APPLICATIONS, application),
            "tier": _pick(_TIERS, application),
        },
        "tags": [_pick(_TAGS, number), _pick(_TAGS, number + 1 + number % 4)],
        "updated_at": f"2026-01-{day + 1:02}T{number // 3600 % 24:02}:{number // 60 % 60:02}"
        f":{number % 60:02}Z",
    }


def _contact(number: int) -> Record:
    return {
        "name": _pick(_PEOPLE, number),
        "email": f"contact{number % 900:03}@cmdb.example",
        "phone": f"+33 4 00 00 {number // 100 % 100:02} {number % 100:02}",
    }


def _pick(choices: tuple[Any, ...], number: int) -> Any:
    return choices[number % len(choices)]
