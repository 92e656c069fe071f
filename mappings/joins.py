"""Lookups in another dataset of the job, which is read before what looks into it."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from mappings.casts import shown, text
from mappings.cleaner import Cleaner
from mappings.lookups import Lookup
from mappings.paths import Path, path_text
from mappings.rejects import Record, Refusal


class Join(Lookup):
    """A table made of a dataset of the job, filled page by page and whole once it is sealed.

    Its rows are the values at one path by the text at another: with `many` all of them as an array
    of texts, sorted; otherwise a key that has several is known to none. A record without a value
    makes its key known all the same, one without a key gives no row.
    """

    def __init__(
        self, name: str, dataset: str, paths: tuple[Path, Path], *, many: bool, cleaner: Cleaner
    ) -> None:
        super().__init__(name, {}, many=many)
        self.dataset = dataset
        self.paths = paths
        self.sealed = False
        self._cleaner = cleaner
        self._keys: list[str] = []
        self._values: list[Any] = []
        self._blank: set[str] = set()  # keys of records without a value
        self._doubtful: frozenset[str] = frozenset()

    def use(self) -> dict[str, Any]:
        """All rows: those of a dataset are not the job's to mend, so that none is dead."""
        return self.rows

    @property
    def dead(self) -> tuple[str, ...]:
        return ()

    def take(self, records: list[Record]) -> None:
        """Takes the rows of a page."""
        keys, values = (self._cleaner.values(records, path) for path in self.paths)
        for key, value in zip(keys, values, strict=True):
            word = key if key.__class__ is str else _word(key)
            if word is None:
                continue
            if value is None:
                self._blank.add(word)
            elif value.__class__ is list and self.many:
                self._keys += [word] * len(value)
                self._values += value
            else:
                self._keys.append(word)
                self._values.append(value)

    def seal(self) -> None:
        """Makes the rows, once all records were taken."""
        keys, self._keys, values, self._values = self._keys, [], self._values, []
        if self.many:
            self.rows.update(_grouped(keys, values))
        else:
            self.rows.update(zip(keys, values, strict=True))
            if len(self.rows) < len(keys):
                pairs = zip(keys, values, strict=True)
                self._doubtful = frozenset(key for key, value in pairs if self.rows[key] != value)
                for key in self._doubtful:
                    del self.rows[key]
        for key in self._blank.difference(self.rows, self._doubtful):
            self.rows[key] = None
        self.sealed = True

    def learned(self) -> list[Any]:
        """The table as JSON, once it is sealed."""
        return [self.rows, sorted(self._doubtful)]

    def absorb(self, learned: list[Any]) -> None:
        """Takes the table that another one has sealed."""
        rows, doubtful = learned
        self.rows.update(rows)
        self._doubtful = frozenset(doubtful)
        self.sealed = True

    def unknown(self, key: str) -> str:
        if key in self._doubtful:
            what = f"dataset {self.dataset!r} has several values for {shown(key)}"
            return f"{what}: mend them, or say many: true"
        what = f"{shown(key)} is no {path_text(self.paths[0])} of dataset {self.dataset!r}"
        return f"{what}: mend it there, or say unknown: warn, keep or default"


def _grouped(keys: list[str], values: list[Any]) -> Iterator[tuple[str, list[str]]]:
    """Each key with the distinct texts of its values, sorted: the order of records is no matter."""
    import numpy as np  # noqa: PLC0415 - with pandas, takes longer to load than a job to compile
    import pandas as pd  # noqa: PLC0415 - see above

    texts = [value if value.__class__ is str else _word(value) for value in values]
    ranks, names = pd.factorize(np.array(keys, dtype=object))
    codes, words = pd.factorize(np.array(texts, dtype=object), sort=True)
    there = codes >= 0  # the others have no text
    pairs = np.unique(ranks[there].astype(np.int64) * len(words) + codes[there])
    ranks, codes = np.divmod(pairs, max(1, len(words)))
    found: list[str] = words[codes].tolist()
    cuts = np.flatnonzero(np.diff(ranks, prepend=-1))  # where the next key begins
    owners = names[ranks[cuts]].tolist()
    for name, (first, last) in zip(owners, pairwise([*cuts.tolist(), len(found)]), strict=True):
        yield name, found[first:last]


def _word(value: Any) -> str | None:
    """The text of a scalar; None for what has none."""
    try:
        return text(value)
    except Refusal:
        return None
