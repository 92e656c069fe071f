"""The datasets that a job declares, by name."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import TypeVar

from sources.errors import Refused

Dataset = TypeVar("Dataset")


def declared(datasets: Mapping[str, Dataset], name: str) -> Dataset:
    """The dataset *name*; raises Refused with the nearest name where there is none."""
    found = datasets.get(name)
    if found is None:
        near = get_close_matches(name, datasets, n=1) or sorted(datasets)[:1]
        raise Refused(
            f"the source has no dataset {name!r}",
            where="source.datasets",
            mend=f"did you mean {near[0]!r}?",
        )
    return found
