"""Plain data of which each part knows the file, and the place in it, where it was written."""

from dataclasses import dataclass
from typing import Any

from mappings.errors import Path, Problem

_NAMED = ("lookups", "cleanup", "expect", "variables", "datasets", "limits", "anonymize")


@dataclass(frozen=True, slots=True)
class Spot:
    """A node as it was written: the file ("": the job's own) and the path in it."""

    file: str
    path: Path

    def __truediv__(self, step: str | int) -> "Spot":
        return Spot(self.file, (*self.path, step))


Told = tuple[Spot, Problem]


@dataclass(slots=True)
class Node:
    """Plain data that knows where each part of it was written."""

    held: Any  # a dict or a list of nodes, or a scalar
    spot: Spot

    def tell(self, what: str, mend: str = "", offset: tuple[int, int] | None = None) -> Told:
        return self.spot, Problem(self.spot.path, what, mend, offset)


def grown(data: object, spot: Spot) -> Node:
    if isinstance(data, dict):
        return Node({key: grown(each, spot / key) for key, each in data.items()}, spot)
    if isinstance(data, list):
        return Node([grown(each, spot / rank) for rank, each in enumerate(data)], spot)
    return Node(data, spot)


def merged(under: Node, over: Node, at: Path) -> Node:
    """Both nodes as one, which stands at *at*: what *over* holds goes before."""
    if isinstance(under.held, dict) and isinstance(over.held, dict) and _is_joined(at):
        both = dict(under.held)
        for key, node in over.held.items():
            both[key] = merged(both[key], node, (*at, key)) if key in both else node
        return Node(both, over.spot)
    lists = isinstance(under.held, list) and isinstance(over.held, list)
    if lists and (at == ("mapping", "entities") or (len(at) == 4 and at[3] == "ignore")):
        return Node(under.held + over.held, over.spot)
    return over


def _is_joined(at: Path) -> bool:
    """Whether what stands at *at* is one block, or has names for keys: not a value or a table."""
    if len(at) < 2:
        return True
    if at[:2] == ("mapping", "entities"):
        return len(at) < 5 or at[4:] == ("infos",)
    of_names = at[1] in ("cleanup", "expect", "anonymize") and len(at) == 3
    return (at[1] in _NAMED and len(at) == 2) or of_names
