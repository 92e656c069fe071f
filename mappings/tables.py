"""The lookups of a job: made of its tables when a rule first uses them, and what they wait for."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from mappings.cleaner import Cleaner
from mappings.csv_table import TableFault, csv_rows
from mappings.errors import Place
from mappings.joins import Join
from mappings.lookups import Lookup
from mappings.paths import path_of
from mappings.table_rule import ReadFile, TableRule
from mappings.vocabulary import suggestion


@dataclass(slots=True)
class Tables:
    """The lookups of a job: those that it names, made when a rule first uses them.

    `datasets` are those that the source declares (None: not checked). `joined` tells which dataset
    looks into which one, and where that is written.
    """

    named: Mapping[str, TableRule]
    place: Place
    read_file: ReadFile | None = None
    datasets: Collection[str] | None = None
    cleaners: Mapping[str, Cleaner] = field(default_factory=dict)
    lookups: list[Lookup] = field(default_factory=list)
    joined: list[tuple[str, str, Place]] = field(default_factory=list)
    _made: dict[str, Lookup | None] = field(default_factory=dict)

    def get(self, written: str | TableRule, user: str, name: str, place: Place) -> Lookup | None:
        """The table *written* at *place* by a rule called *name* of dataset *user*."""
        if isinstance(written, TableRule):
            lookup = self._make(name, written, place)
        elif written not in self.named:
            mend = suggestion(written, self.named, "lookups") or "declare mapping.lookups"
            place.tell(f"unknown lookup {written!r}", mend)
            return None
        else:
            if written not in self._made:
                at = self.place / written
                self._made[written] = self._make(written, self.named[written], at)
            lookup = self._made[written]
        if isinstance(lookup, Join):
            self.joined.append((user, lookup.dataset, place))
        return lookup

    def _make(self, name: str, rule: TableRule, place: Place) -> Lookup | None:
        if rule.dataset is not None and self.datasets is not None:
            check_dataset(rule.dataset, self.datasets, place / "dataset")
        lookup = lookup_of(name, rule, place, read_file=self.read_file, cleaners=self.cleaners)
        if lookup is not None:
            self.lookups.append(lookup)
        return lookup


def check_dataset(name: str, names: Collection[str], place: Place) -> None:
    """Tells of a dataset that the source does not declare."""
    if name not in names:
        place.tell(f"unknown dataset {name!r}", suggestion(name, names, "datasets of the source"))


def lookup_of(
    name: str,
    rule: TableRule,
    place: Place,
    *,
    read_file: ReadFile | None,
    cleaners: Mapping[str, Cleaner],
) -> Lookup | None:
    """The lookup of a table, which stands at *place*; None when it is at fault and told of."""
    if rule.rows is not None:
        return Lookup(name, rule.rows)
    if rule.csv is None:
        return _join_of(name, rule, place, cleaners)
    at = place / "csv"
    if read_file is None:
        at.tell("no file can be read here", "write the rows in the job")
        return None
    try:
        return Lookup(name, csv_rows(read_file(rule.csv, at.path), rule), many=rule.many)
    except OSError as error:
        at.tell(
            f"cannot read {rule.csv}: {error.strerror or error}",
            "put it beside the file that names it",
        )
    except TableFault as fault:
        (place / fault.key).tell(str(fault), fault.mend)
    return None


def _join_of(
    name: str, rule: TableRule, place: Place, cleaners: Mapping[str, Cleaner]
) -> Join | None:
    key = path_of(rule.key or "", place / "key")
    value = path_of(rule.value or "", place / "value")
    if key is None or value is None or rule.dataset is None:
        return None
    cleaner = cleaners.get(rule.dataset, Cleaner())
    return Join(name, rule.dataset, (key, value), many=rule.many, cleaner=cleaner)
