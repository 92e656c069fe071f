"""An invented CMDB in the classes of iTop, as large as asked, the same at every call.

    held = objects(servers=50_000)

Every tenth server has the name of others, `srv-dup`; some names and descriptions hold accents,
quotes, tags, line breaks, an emoji or U+2028. Sizes follow the servers: a virtual machine for ten,
a hypervisor for fifty, an application solution for twenty, each of them on up to eight CIs.
"""

from datetime import date, timedelta
from typing import Any, Final

from sandbox.itop_store import Objects

__all__ = ["Objects", "objects"]

_ORGANIZATIONS: Final[tuple[dict[str, Any], ...]] = (
    {"name": "Ville de Nîmes", "code": "ORG1", "status": "active"},
    {"name": "Müller & Söhne GmbH", "code": "ORG2", "status": "active", "parent_id": 1},
    {"name": "株式会社テスト", "code": "ORG3", "status": "active"},
    {"name": 'O\'Reilly <Labs> "R&D"', "code": "ORG4", "status": "active", "parent_id": 1},
    {"name": "Ancienne régie", "code": "ORG5", "status": "inactive"},
    {"name": "Zeta Бюро", "code": "ORG6", "status": "active", "parent_id": 3},
)
_CITIES: Final = ("Nîmes", "Lyon", "Orléans", "Brest", "Besançon")
_BRANDS: Final = ("Dell", "HPE", "Lenovo")
_SYSTEMS: Final = (("Linux", "Debian 12"), ("Linux", "RHEL 9"), ("Windows", "Server 2022"))
_STATUSES: Final = ("production", "production", "stock", "implementation", "obsolete")
_CRITICITIES: Final = ("low", "medium", "high")
_ODD_NAMES: Final = (
    "srv ünïcode № {} \"q\" 'a' <b> & 服务器",
    "srv-🚀-{}",
    "srv line {}\u2028end",
    "SRV-É{}\\back",
)
_ODD_DESCRIPTIONS: Final = (
    "Multi\r\nline <script>alert(1)</script> & tab\there",
    "Salle n°3, à l'étage\nprévenir M. O'Brien",
    "&amp; &eacute; 100 % \u2028 🔥",
)
_APPLICATIONS: Final = ("Paie", "Comptabilité", "Intranet", "Facturation", "Relation usagers")
_PEOPLE: Final = (("Zoé", "Lefèvre"), ("Anne-Sophie", "Noël"), ("Jérôme", "Müller"), ("Wei", "Li"))
_DAY_ONE: Final = date(2013, 1, 1)


def objects(servers: int = 200) -> Objects:
    """The CMDB with *servers* servers; ids of servers are 1 to *servers*."""
    held = Objects()
    for values in _ORGANIZATIONS:
        held.add("Organization", **values)
    for number in range(1, 21):
        held.add("Location", **_location(number))
    for brand in _BRANDS:
        held.add("Brand", name=brand)
    models = [held.add("Model", name=f"Model {n}", brand_id=n % 3 + 1) for n in range(6)]
    families = {name: held.add("OSFamily", name=name) for name, _ in _SYSTEMS[1:]}
    systems = [
        (families[name], held.add("OSVersion", name=version, osfamily_id=families[name]))
        for name, version in _SYSTEMS
    ]
    for number in range(1, servers + 1):
        held.add("Server", **_server(number, systems, models))
    _virtual(held, servers)
    _software(held, servers)
    _services(held, servers)
    _people(held, servers)
    _papers(held, servers)
    return held


def _location(number: int) -> dict[str, Any]:
    return {
        "name": f"Site {number:02}",
        "status": "inactive" if number % 7 == 0 else "active",
        "org_id": number % 6 + 1,
        "address": f"{number}, rue de l'Été\nBâtiment B",
        "postal_code": f"{30000 + number}",
        "city": _CITIES[number % 5],
        "country": "France",
    }


def _server(number: int, systems: list[tuple[int, int]], models: list[int]) -> dict[str, Any]:
    family, version = systems[number % 3]
    model = number % len(models)
    description = _ODD_DESCRIPTIONS[number // 50 % 3] if number % 50 == 0 else ""
    return {
        "name": _name(number),
        "description": description,
        "org_id": number % 6 + 1,
        "business_criticity": _CRITICITIES[number % 3],
        "move2production": _day(number) if number % 5 else "",
        "serialnumber": f"SN{number:08}",
        "location_id": number % 20 + 1 if number % 9 else 0,
        "status": _STATUSES[number % 5],
        "brand_id": model % 3 + 1,
        "model_id": models[model],
        "asset_number": f"CMDB:{number:06},{number % 97}",
        "purchase_date": _day(number + 300) if number % 4 else "",
        "nb_u": number % 4 or None,
        "managementip": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}",
        "redundancy": "1",
        "osfamily_id": family,
        "osversion_id": version,
        "cpu": str(number % 16 + 1),
        "ram": f"{number % 128 + 2} GB",
    }


def _name(number: int) -> str:
    if number % 10 == 0:
        return "srv-dup"
    if number % 47 == 0:
        return _ODD_NAMES[number // 47 % 4].format(number)
    return f"srv-{number:05}"


def _day(number: int) -> str:
    return (_DAY_ONE + timedelta(days=number % 4000)).isoformat()


def _virtual(held: Objects, servers: int) -> None:
    common: dict[str, Any] = {"status": "production", "business_criticity": "low"}
    farm = held.add("Farm", name="ferme-1", org_id=1, redundancy="1", **common)
    hosts = [
        held.add(
            "Hypervisor",
            name=f"hyp-{number}",
            org_id=number % 6 + 1,
            server_id=min(number * 3, servers),
            farm_id=farm if number % 2 else 0,
            **common,
        )
        for number in range(1, servers // 50 + 2)
    ]
    for number in range(1, servers // 10 + 2):
        held.add(
            "VirtualMachine",
            name="vm-dup" if number % 10 == 0 else f"vm-{number:04}",
            org_id=number % 6 + 1,
            business_criticity=_CRITICITIES[number % 3],
            status=_STATUSES[number % 5],
            virtualhost_id=hosts[number % len(hosts)],
            cpu=str(number % 8 + 1),
            ram=f"{number % 32 + 1}",
            managementip=f"10.200.{number >> 8 & 255}.{number & 255}",
        )


def _software(held: Objects, servers: int) -> None:
    software = held.add("Software", name="PostgreSQL", version="16", type="DBServer")
    for number in range(1, min(servers, 40) // 10 + 1):
        base = held.add(
            "DBServer",
            name=f"db-{number}",
            org_id=1,
            system_id=number,
            software_id=software,
            status=None if number % 2 else "active",
        )
        held.add("DatabaseSchema", name=f"schéma-{number}", org_id=1, dbserver_id=base)


def _services(held: Objects, servers: int) -> None:
    machines = held.ids("VirtualMachine")
    processes = [
        held.add("BusinessProcess", name=f"processus-{n}", org_id=n % 6 + 1, status="active")
        for n in range(1, servers // 200 + 2)
    ]
    for number in range(1, servers // 20 + 2):
        solution = held.add(
            "ApplicationSolution",
            name=f"{_APPLICATIONS[number % 5]} {number:03}",
            description=f"Application {number}",
            org_id=number % 6 + 1,
            business_criticity=_CRITICITIES[number % 3],
            status="inactive" if number % 9 == 0 else "active",
            redundancy="disabled",
        )
        cis = {number * 7 * step % servers + 1 for step in range(1, 8)} if servers else set()
        for each in (*sorted(cis), machines[number % len(machines)]):
            held.add(
                "lnkApplicationSolutionToFunctionalCI",
                applicationsolution_id=solution,
                functionalci_id=each,
            )
        held.add(
            "lnkApplicationSolutionToBusinessProcess",
            applicationsolution_id=solution,
            businessprocess_id=processes[number % len(processes)],
        )


def _people(held: Objects, servers: int) -> None:
    teams = [
        held.add("Team", name=f"Équipe {n}", status="active", org_id=n, notify="yes")
        for n in range(1, 5)
    ]
    solutions = held.ids("ApplicationSolution")
    for number in range(1, servers // 20 + 5):
        first, last = _PEOPLE[number % 4]
        person = held.add(
            "Person",
            name=f"{last} {number:03}",
            first_name=first,
            status="active" if number % 11 else "inactive",
            org_id=number % 6 + 1,
            email=f"p{number}@cmdb.example",
            phone=f"+33 4 00 00 00 {number % 100:02}",
            notify="yes",
        )
        held.add("lnkPersonToTeam", team_id=teams[number % 4], person_id=person)
        solution = solutions[number % len(solutions)]
        held.add("lnkContactToFunctionalCI", functionalci_id=solution, contact_id=person)


def _papers(held: Objects, servers: int) -> None:
    """A note, a ticket with its log, and the history of the first servers."""
    admin = held.add("User", login="admin")
    held.add("DocumentNote", name="note-1", org_id=1, status="draft", text="<p>R&amp;D, é</p>")
    entry = {
        "date": "2026-11-24 03:34:04",
        "user_login": "My first name My last name",
        "user_id": "1",
        "message": "first entry",
        "message_html": "<p>first <b>entry</b></p>",
    }
    held.add(
        "UserRequest",
        operational_status="ongoing",
        ref="R-000001",
        org_id=1,
        caller_id=held.ids("Person")[0],
        title="Ticket <1>",
        description="<p>desc <b>R&amp;D</b></p>",
        start_date="2026-11-24 03:34:04",
        last_update="2026-11-24 03:34:04",
        status="new",
        public_log=[entry],
    )
    for number in range(1, min(servers, 10) + 1):
        change = held.add("CMDBChange", date=f"2026-11-{number:02} 03:29:23", userinfo="seed")
        held.add(
            "CMDBChangeOpCreate", change=change, user_id=admin, objclass="Server", objkey=number
        )
