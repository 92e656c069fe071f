"""A compiled mapping: pages of records in, encoded entities and rejects out."""

from collections.abc import Mapping, Sequence

from mappings.codegen import generate
from mappings.expect import judge
from mappings.language import ExpectRule
from mappings.lookups import Lookup
from mappings.paths import Path
from mappings.rejects import Record
from mappings.rules import Unit
from mappings.running import Mapped, Running, joined
from mappings.strays import Strays
from mappings.tally import Counts, Tally, dataset_tally


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
        self._counts = {dataset: Counts() for dataset in self.datasets}
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
        """The paths that rules read, their keys joined by dots (a flat column keeps its own)."""
        return frozenset(map(".".join, self._paths[dataset]))

    def gathers(self, dataset: str) -> bool:
        """Whether some entities need all records of the dataset, so that it cannot be sliced."""
        return any(running.unit.gathered for running in self._units[dataset])

    def map_page(self, dataset: str, records: list[Record], first: int) -> Mapped:
        """Maps records, the first of which is the *first*-th of its dataset, counted from 1."""
        self._strays[dataset].look(records)
        self._counts[dataset].records += len(records)
        return self._counted(dataset, [unit.map(records, first) for unit in self._units[dataset]])

    def finish(self, dataset: str) -> Mapped:
        """The services gathered over all pages, in the order in which they were first seen."""
        return self._counted(dataset, [unit.finish() for unit in self._units[dataset]])

    def report(self) -> Tally:
        """What the mapping did with all it was given."""
        datasets = {
            dataset: dataset_tally(
                self._counts[dataset],
                [unit.tally for unit in self._units[dataset]],
                self._strays[dataset].found,
            )
            for dataset in self.datasets
        }
        return Tally(
            datasets=datasets,
            dead=tuple(f"{each.name}: {key}" for each in self._lookups for key in each.dead),
            failures=tuple(judge(self._expect, datasets)),
        )

    def _counted(self, dataset: str, parts: Sequence[Mapped]) -> Mapped:
        mapped = joined(parts)
        counts = self._counts[dataset]
        counts.entities += len(mapped.entities)
        counts.rejects += len({reject.number for reject in mapped.rejects})
        return mapped

    def _named(self, dataset: str) -> frozenset[Path]:
        rules = (rule for running in self._units[dataset] for rule in running.unit.rules)
        return frozenset(path for rule in rules for path in rule.origin.paths)
