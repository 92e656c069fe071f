"""A compiled mapping: pages of records in, encoded entities and rejects out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mappings.codegen import generate
from mappings.expect import judge
from mappings.language import ExpectRule
from mappings.lookups import Lookup
from mappings.paths import Path, path_text
from mappings.rejects import Record
from mappings.rules import Unit
from mappings.running import Mapped, Running, joined
from mappings.strays import Strays
from mappings.tally import DatasetTally, Tally


class Mapper:
    """A compiled mapping and its counters; it serves one run of one job, in one thread.

    `datasets` are in the order of the job. `source` is the generated Python.
    """

    def __init__(
        self,
        units: Sequence[Unit],
        ignored: Mapping[str, Sequence[Path]],
        lookups: Sequence[Lookup] = (),
        expect: Mapping[str, ExpectRule] | None = None,
    ) -> None:
        self.source, namespace = generate(units)
        self.datasets = tuple(dict.fromkeys(unit.dataset for unit in units))
        self._lookups = tuple(lookups)
        self._expect = dict(expect or {})
        self._made = {dataset: _Made() for dataset in self.datasets}
        self._units: dict[str, list[Running]] = {dataset: [] for dataset in self.datasets}
        for index, unit in enumerate(units):
            self._units[unit.dataset].append(Running(index, unit, namespace))
        exec(compile(self.source, "<mapping>", "exec"), namespace)  # noqa: S102 - see codegen
        self._paths = {dataset: self._named(dataset) for dataset in self.datasets}
        self._strays = {
            dataset: Strays((*self._paths[dataset], *ignored.get(dataset, ())))
            for dataset in self.datasets
        }

    def fields(self, dataset: str) -> frozenset[str]:
        """The paths that rules read, as a job writes them."""
        return frozenset(map(path_text, self._paths[dataset]))

    def gathers(self, dataset: str) -> bool:
        """Whether some entities need all records of the dataset, so that it cannot be sliced."""
        return any(running.unit.gathered for running in self._units[dataset])

    def map_page(self, dataset: str, records: list[Record], first: int) -> Mapped:
        """Maps records, the first of which is the *first*-th of its dataset, counted from 1."""
        self._strays[dataset].look(records)
        mapped = joined([running.map(records, first) for running in self._units[dataset]])
        made = self._made[dataset]
        made.records += len(records)
        made.entities += len(mapped.entities)
        made.rejects += len({reject.number for reject in mapped.rejects})
        return mapped

    def finish(self, dataset: str) -> Mapped:
        """The services gathered over all pages, in the order in which they were first seen."""
        mapped = joined([running.finish() for running in self._units[dataset]])
        self._made[dataset].entities += len(mapped.entities)
        return mapped

    def report(self) -> Tally:
        """What the mapping did with all it was given."""
        datasets = {dataset: self._dataset_tally(dataset) for dataset in self.datasets}
        tallies = [running.tally for units in self._units.values() for running in units]
        translations = [
            rule.translation for tally in tallies for rule in tally.unit.rules if rule.translation
        ]
        return Tally(
            datasets=datasets,
            unknown=tuple(unknown for each in translations for unknown in each.unknown.values()),
            refused=tuple(refused for tally in tallies for refused in tally.refused.values()),
            dead=tuple(f"{each.name}: {key}" for each in self._lookups for key in each.dead),
            silent=tuple(silent for tally in tallies for silent in tally.silent),
            failures=tuple(judge(self._expect, datasets)),
        )

    def _named(self, dataset: str) -> frozenset[Path]:
        rules = (rule for running in self._units[dataset] for rule in running.unit.rules)
        return frozenset(path for rule in rules for path in rule.origin.paths)

    def _dataset_tally(self, dataset: str) -> DatasetTally:
        made, tallies = self._made[dataset], [running.tally for running in self._units[dataset]]
        entities: dict[str, int] = {}
        present: dict[str, int] = {}
        for tally in tallies:
            for key, count in tally.present().items():
                entities[key] = entities.get(key, 0) + tally.entities
                present[key] = present.get(key, 0) + count
        return DatasetTally(
            records=made.records,
            entities=made.entities,
            rejects=made.rejects,
            reasons={why: count for tally in tallies for why, count in tally.reasons.items()},
            filled={key: present[key] / entities[key] if entities[key] else 0.0 for key in present},
            unmapped=self._strays[dataset].found,
        )


@dataclass(slots=True)
class _Made:
    """Counts of one dataset."""

    records: int = 0
    entities: int = 0
    rejects: int = 0
