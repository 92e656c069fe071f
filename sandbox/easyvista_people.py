"""The organisation of the invented EasyVista tenant: places, people, models, reference tables."""

from typing import Final

from sandbox.easyvista_store import Record

_CITIES: Final = ("Lyon", "Nîmes", "Paris", "Orléans", "Brest", "Genève", "Lausanne")
_DEPARTMENTS: Final = (
    ("Direction générale", "General management"),
    ("Finance", None),  # nobody has translated these two
    ("Achats", None),
    ("Exploitation", "Operations"),
    ("Réseaux et télécoms", "Networks"),
    ("Ressources humaines", "Human resources"),
    ("Études", "Development"),
)
_LAST: Final = ("Lefèvre", "Noël", "Müller", "D'Hérouville", "Wei", "Garcia", "O'Neil")
_FIRST: Final = ("Zoé", "Anne-Sophie", "Jérôme", "François", "Li", "Inès")
_MANUFACTURERS: Final = ("Dell", "HP", "Cisco", "Lenovo", "NetApp", "Écrans & Cie")
_MODELS: Final = (
    ("PowerEdge R650", "Serveur", "Server"),
    ("ProLiant DL380", "Serveur", "Server"),
    ("Catalyst 9300", "Commutateur", "Switch"),
    ("ThinkPad T14", "Portable", "Laptop"),
    ("FAS2750", "Baie de stockage", "Storage"),
)
_CHARACTERISTICS: Final = (
    ("Processeurs", "Processors"),
    ("Mémoire (Go)", "Memory (GB)"),
    ("Disques", "Disks"),
    ("Système", "Operating system"),
    ("Adresse IP", "IP address"),
    ("Adresse MAC", "MAC address"),
    ("Version du BIOS", "BIOS version"),
    ("Cartes réseau", "Network cards"),
    ("Alimentations", "Power supplies"),
    ("Cœurs", "Cores"),
)
_STATUSES: Final = (
    ("En service", "In use"),
    ("En stock", "In stock"),
    ("En réparation", "In repair"),
    ("Prêté", "Lent"),
    ("Clos", "Closed"),
)
_RELATIONS: Final = (
    ("S'exécute sur", "Runs on"),
    ("Dépend de", "Depends on"),
    ("Est hébergé par", "Is hosted by"),
    ("Est connecté à", "Is connected to"),
)
_UPDATED: Final = "2026-06-15T08:00:00.000+00:00"


def locations(count: int) -> list[Record]:
    """A root without path, two countries, seven cities, and buildings: four levels."""
    rows = [_location(1, None, 1, "-", "")]
    rows += [_location(2, 1, 2, "France", "France"), _location(3, 1, 2, "Suisse", "Suisse")]
    for number in range(4, count + 1):
        city = _CITIES[(number - 4) % 7]
        country = 3 if city in _CITIES[5:] else 2
        path = f"{('France', 'Suisse')[country - 2]}/{city}"
        if number <= 10:
            rows.append(_location(number, country, 3, city, path))
        else:
            label = f"Bâtiment {number - 10}"
            rows.append(_location(number, 4 + (number - 4) % 7, 4, label, f"{path}/{label}"))
    return rows


def _location(number: int, parent: int | None, level: int, label: str, path: str) -> Record:
    return {
        "LOCATION_ID": number,
        "PARENT_LOCATION_ID": parent,
        "LEVEL": level,
        "LOCATION_CODE": f"L{number:04}" if parent else None,
        "LOCATION_FR": label,
        "LOCATION_EN": label.replace("Bâtiment", "Building").replace("Suisse", "Switzerland"),
        "LOCATION_PATH": path,
        "CITY": path.split("/")[1] if level > 2 else None,
        "LAST_UPDATE": _UPDATED,
    }


def departments() -> list[Record]:
    """25, of which two have no English name."""
    rows = []
    for rank in range(25):
        label, english = _DEPARTMENTS[rank % 7]
        suffix = f" {rank // 7 + 1}" if rank >= 7 else ""
        translated = english or (f"{label} EN" if suffix else None)
        rows.append(
            {
                "DEPARTMENT_ID": rank + 1,
                "PARENT_DEPARTMENT_ID": 1 if rank else None,
                "DEPARTMENT_CODE": f"D{rank + 1:03}",
                "DEPARTMENT_FR": f"{label}{suffix}",
                "DEPARTMENT_EN": f"{translated}{suffix}" if translated else None,
                "DEPARTMENT_LABEL": f"D{rank + 1:03} {label}",
                "DEPARTMENT_PATH": f"Direction générale/{label}{suffix}" if rank else label,
                "MANAGER_ID": rank + 1,
                "LEVEL": 2 if rank else 1,
                "LAST_UPDATE": _UPDATED,
            }
        )
    return rows


def employees(count: int, places: int) -> list[Record]:
    """Their LAST_NAME holds both names; some phones are the placeholder " -"."""
    return [
        {
            "EMPLOYEE_ID": rank + 1,
            "LAST_NAME": f"{_LAST[rank % 7]}, {_FIRST[rank // 7 % 6]}",
            "E_MAIL": f"user{rank + 1}@acme.example",
            "PHONE_NUMBER": " -" if rank % 4 == 0 else f"+33 4 00 00 00 {rank % 100:02}",
            "CELLULAR_NUMBER": None,
            "IDENTIFICATION": f"{rank + 1:07}",
            "LOGIN": f"user{rank + 1}",
            "PASSWD": "never shown",
            "SALT": "never shown",
            "LOCATION_ID": rank % (places - 1) + 2,
            "DEPARTMENT_ID": rank % 25 + 1,
            "MANAGER_ID": rank // 10 + 1 if rank else None,
            "END_OF_CONTRACT": "2026-12-31" if rank % 10 == 9 else None,
            "LAST_UPDATE": _UPDATED,
        }
        for rank in range(count)
    ]


def models() -> list[Record]:
    rows = []
    for rank in range(30):
        model, french, english = _MODELS[rank % 5]
        rows.append(
            {
                "CATALOG_ID": rank + 1,
                "ARTICLE_MODEL": f"{model} v{rank // 5 + 1}",
                "TITLE_FR": french,
                "TITLE_EN": english,
                "NET_PRICE": f"{990 + rank * 10}.00",
                "SMBIOS_NAME": model if rank % 2 else None,
                "MANUFACTURER_ID": rank % 6 + 1,
                "LAST_UPDATE": _UPDATED,
            }
        )
    return rows


def manufacturers() -> list[Record]:
    return [
        {"MANUFACTURER_ID": rank + 1, "MANUFACTURER": name, "DISCOVERY_NAME": f"{name} Inc."}
        for rank, name in enumerate(_MANUFACTURERS)
    ]


def characteristics() -> list[Record]:
    return [
        {"CHARACTERISTIC_ID": rank + 1, "CHARACTERISTIC_FR": french, "CHARACTERISTIC_EN": english}
        for rank, (french, english) in enumerate(_CHARACTERISTICS)
    ]


def references() -> dict[str, list[Record]]:
    """Statuses, relation types, domains, and an external table of the tenant."""
    return {
        "SD_STATUS": [
            {"STATUS_ID": rank + 1, "STATUS_FR": french, "STATUS_EN": english}
            for rank, (french, english) in enumerate(_STATUSES)
        ],
        "RELATION_TYPE": [
            {"REFERENCE_ID": rank + 1, "REFERENCE_FR": french, "REFERENCE_EN": english}
            for rank, (french, english) in enumerate(_RELATIONS)
        ],
        "AM_DOMAIN": [{"DOMAIN_ID": 1, "NAME_FR": "Tous", "NAME_EN": "All"}],
        "SD_URGENCY": [
            {"URGENCY_ID": rank, "URGENCY_FR": label, "URGENCY_EN": label}
            for rank, label in enumerate("123", start=1)
        ],
        "E_CONTRACT_TYPE": [
            {"E_CONTRACT_TYPE_ID": str(rank), "E_LABEL": label, "E_ACTIVE": "1"}
            for rank, label in enumerate(("Maintenance", "Location", "Licence", "Support"), start=1)
        ],
        "DOCUMENT": [
            {"DOCUMENT_ID": rank, "REQUEST_ID": 1, "DOCUMENT_NAME": f"capture-{rank}.png"}
            for rank in range(1, 4)
        ],
    }


def groups(people: int) -> dict[str, list[Record]]:
    """Ten groups; each employee is in two of them."""
    return {
        "AM_GROUP": [
            {"GROUP_ID": rank, "GROUP_FR": f"Équipe {rank}", "GROUP_EN": f"Team {rank}"}
            for rank in range(1, 11)
        ],
        "EMPLOYEE_GROUP": [
            {
                "ROW_ID": rank * 2 + part + 1,
                "EMPLOYEE_ID": rank + 1,
                "GROUP_ID": (rank + part * 4) % 10 + 1,
            }
            for rank in range(people)
            for part in range(2)
        ],
    }
