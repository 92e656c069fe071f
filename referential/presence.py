"""Which entities Canopsis still holds, asked cheaply: one list for many, one call for a few."""

from collections.abc import Iterable

from referential.client import Canopsis

_FEW = 20


def present(ids: Iterable[str], canopsis: Canopsis, source: str) -> set[str]:
    """Those of *ids* that are alive in Canopsis, whoever loaded them last.

    Nearly all bear our *source* and come with one export; an entity that another source loaded
    since is asked for by itself.
    """
    wanted = set(ids)
    many = len(wanted) > _FEW
    ours = wanted.intersection(canopsis.ids_of_source(source)) if many else set()
    return ours | {identity for identity in sorted(wanted - ours) if canopsis.holds(identity)}
