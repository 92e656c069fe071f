"""An invented client's inventory in Excel: three sheets of one workbook; and its second day.

    day_one = workbook(machines=500)
    day_two = workbook(machines=500, changed=0.02, gone=5)

`Sites` has a title, a header in row 4 and regions merged over their sites; `Machines` has numbers
whose zeros are a format, dates, decimals, truth values, a formula with its value and a few that
ended in `#N/A`; `Lists` is hidden.
"""

from collections.abc import Iterator
from datetime import date, timedelta

from sandbox.workbook_xml import Cell, Failed, Formula, SheetOf, Shown, book_bytes

_REGIONS = {
    "North": ("Lille", "Amiens", "Rouen"),
    "West": ("Brest", "Nantes", "Angers"),
    "South": ("Nîmes", "Béziers", "Orange"),
}
_SITES = [(region, city) for region, cities in _REGIONS.items() for city in cities]
_ROLES = ("web", "db", "app", "sto")
_MODELS = ("PowerEdge R760", "ProLiant DL380", "ThinkSystem SR650", "vSphere guest")
_STATES = ("In production", "In production", "In production", "In test", "In stock")
_OWNERS = ("Zoé Lefèvre", "Jérôme Müller", "Ada O'Neill", "Li Wei")
_BEGIN = date(2019, 1, 15)


def workbook(machines: int, *, changed: float = 0.0, gone: int = 0) -> bytes:
    """A workbook of *machines* less *gone*; the share *changed* of them has another owner."""
    every = round(1 / changed) if changed else 0
    rows = [
        _machine(number, moved=bool(every) and number % every == 0)
        for number in range(gone, machines)
    ]
    return book_bytes(
        [
            _sites(),
            SheetOf("Machines", [_HEADER, *rows]),
            SheetOf(
                "Lists", [["State"], *([each] for each in dict.fromkeys(_STATES))], hidden=True
            ),
        ]
    )


_HEADER = (
    "Asset",
    "Hostname",
    "Site code",
    "Model",
    "State",
    "Memory (GB)",
    "Virtual",
    "Bought on",
    "Renewal year",
    "Owner",
    "Contract",
    "Serial number",
)


def site_code(rank: int) -> int:
    """The code of a site, which its format shows with five digits."""
    return 1075 + 1900 * rank % 90_000


def _sites() -> SheetOf:
    rows: list[list[Cell]] = [
        ["Orbis: sites"],
        ["Inventory of", date(2026, 1, 31)],
        [],
        ["Region", "Site code", "City", "Opened on", "Floors"],
    ]
    merged = ["A1:E1"]
    for rank, (region, city) in enumerate(_SITES):
        first = city == _REGIONS[region][0]
        if first:
            top = len(rows) + 1
            merged.append(f"A{top}:A{top + len(_REGIONS[region]) - 1}")
        opened = _BEGIN - timedelta(days=400 * rank)
        code = Shown(site_code(rank), "00000")
        rows.append([region if first else None, code, city, opened, rank % 4 + 1])
    return SheetOf("Sites", rows, merged)


def _machine(number: int, *, moved: bool) -> list[Cell]:
    rank = number % len(_SITES)
    bought = _BEGIN + timedelta(days=number * 7 % 2200)
    model = _MODELS[number // 2 % 4]
    return [
        Shown(number + 42, "000000"),
        f"{_SITES[rank][1][:3].casefold()}-{_ROLES[number % 4]}-{number:05}",
        Shown(site_code(rank), "00000"),
        model,
        _STATES[number % 5],
        [16, 32, 64, 1.5][number % 4],
        model == "vSphere guest",
        bought,
        Formula(f"YEAR(H{number + 2})+5", bought.year + 5),
        _OWNERS[(number + moved) % 4],
        _contract(number),
        f"{number * 7919 % 1_000_003:07}",
    ]


def _contract(number: int) -> Cell:
    if number % 10 == 9:
        return Failed("#N/A")  # a look-up in another workbook that found nothing
    return None if number % 3 else f"C-{number % 7:03}"


def machine_names(machines: int) -> Iterator[str]:
    """The hostnames, in the order of the sheet."""
    return (str(_machine(number, moved=False)[1]) for number in range(machines))
