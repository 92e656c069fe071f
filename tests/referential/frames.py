"""Small `found` and `known` frames, written the way one speaks of them."""

import pandas as pd
from xxhash import xxh3_128_digest

from referential.columns import FOUND, to_frame
from referential.owned import KNOWN

Found = tuple[str, str, str, str]  # id, kind, dataset, content
Known = tuple[str, str, str, str, str]  # and the state


def digest(content: str) -> bytes:
    return xxh3_128_digest(content.encode())


def group_of(identity: str, kind: str) -> str:
    """A component's own id, a resource's component, nothing for a service."""
    if kind == "service":
        return ""
    return identity.rpartition("/")[2]


def component(name: str, content: str = "v1", *, dataset: str = "servers") -> Found:
    return (name, "component", dataset, content)


def resource(name: str, content: str = "v1", *, dataset: str = "disks") -> Found:
    """`name` is the whole id: `sda/srv1`."""
    return (name, "resource", dataset, content)


def service(name: str, content: str = "v1", *, dataset: str = "links") -> Found:
    return (name, "service", dataset, content)


def found_of(*rows: Found) -> pd.DataFrame:
    return _frame(
        FOUND, [{**_row(row), "offset": n * 100, "size": 99} for n, row in enumerate(rows)]
    )


def known_of(*rows: Found | Known) -> pd.DataFrame:
    """Rows are enabled unless a fifth word says otherwise."""
    return _frame(KNOWN, [{**_row(row), "state": (*row, "enabled")[4]} for row in rows])


def disabled(row: Found) -> Known:
    return (*row, "disabled")


def _row(row: Found | Known) -> dict[str, object]:
    identity, kind, dataset, content = row[:4]
    return {
        "id": identity,
        "kind": kind,
        "group": group_of(identity, kind),
        "dataset": dataset,
        "category": "",
        "infos": "",
        "missed": 0,
        "fingerprint": digest(content),
    }


def _frame(names: tuple[str, ...], rows: list[dict[str, object]]) -> pd.DataFrame:
    return to_frame({name: [row[name] for row in rows] for name in names})
