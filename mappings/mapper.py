"""A compiled mapping: pages of records in, encoded entities and rejects out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from mappings.absorbed import Absorbed
from mappings.cleaner import Cleaner
from mappings.codegen import generate
from mappings.expect import judge
from mappings.joins import Join
from mappings.language import ExpectRule
from mappings.links import Links
from mappings.lookups import Lookup, Translation
from mappings.packing import pack, unpack
from mappings.paths import Path
from mappings.rejects import Record
from mappings.running import Mapped, Running, joined
from mappings.slice_state import Claims, SliceState, again, contested
from mappings.strays import Strays, StraysOfSlice
from mappings.tally import DatasetTally, Tally
from mappings.unit import Unit
from mappings.unit_tally import Counts, dataset_tally
from mappings.watched import watched_of


class Mapper:
    """A compiled mapping and its counters; it serves one run of one job, in one thread.

    `datasets` are in the order in which they must be read, each to its end (`finish`) before the
    next: first those that are tables of others, then in the order of the job. `source` is the
    generated Python. `units` and `lookups` are what it was made of.
    """

    def __init__(
        self,
        units: Sequence[Unit],
        lookups: Sequence[Lookup] = (),
        expect: Mapping[str, ExpectRule] | None = None,
        *,
        datasets: Sequence[str] = (),
        cleaners: Mapping[str, Cleaner] | None = None,
    ) -> None:
        self.source, namespace = generate(units)
        named = (*datasets, *(unit.dataset for unit in units))
        self.datasets = tuple(dict.fromkeys(named))
        self.units, self.lookups = tuple(units), tuple(lookups)
        self._expect = dict(expect or {})
        self._cleaners = {name: (cleaners or {}).get(name, Cleaner()) for name in self.datasets}
        self._counts = {dataset: Counts() for dataset in self.datasets}
        self._links = Links(units)
        self._watched = list(watched_of(self._expect, units))
        self._units: dict[str, list[Running]] = {dataset: [] for dataset in self.datasets}
        for index, unit in enumerate(units):
            infos = (each.watch for each in self._watched if each.unit is unit)
            watches = (*self._links.watches(unit), *infos)
            self._units[unit.dataset].append(Running(index, unit, namespace, watches))
        self._claims: Claims = {}
        self._slice: SliceState | None = None
        namespace["claim"] = self._claims.setdefault
        exec(compile(self.source, "<mapping>", "exec"), namespace)  # noqa: S102 - see codegen
        self._all_joins = [lookup for lookup in self.lookups if isinstance(lookup, Join)]
        self._joins = {
            dataset: [join for join in self._all_joins if join.dataset == dataset]
            for dataset in self.datasets
        }
        self._paths = {dataset: self._read(dataset) for dataset in self.datasets}
        self._strays: dict[str, Sequence[Strays]] = {
            dataset: list(self._strays_of(dataset)) for dataset in self.datasets
        }

    def fields(self, dataset: str) -> frozenset[str]:
        """The paths that are read, their keys joined by dots (a flat column keeps its own)."""
        return frozenset(map(".".join, self._paths[dataset]))

    def gathers(self, dataset: str) -> bool:
        """Whether something needs all records of the dataset, so that it cannot be sliced."""
        gathered = any(running.unit.gathered for running in self._units[dataset])
        return gathered or bool(self._joins[dataset])

    def whole(self, dataset: str) -> bool:
        """Whether one mapper must read all of the dataset: it is a table of others."""
        return bool(self._joins[dataset])

    def tables(self) -> bytes:
        """What a mapper of a slice must know of the datasets that this one has finished.

        The rows of tables, and of what was read and absorbed so far the ids that are taken.
        """
        tables = [join.learned() if join.sealed else None for join in self._all_joins]
        begun = [[unit.begun for unit in units] for units in self._units.values()]
        return pack([tables, self._claims, begun])

    def take_tables(self, tables: bytes) -> None:
        """Makes this, before it maps anything, the mapper of one slice of one dataset.

        It is as if it had read the datasets that are tables. What it maps is given to the mapper of
        the whole by `learned`; it gathers no service by itself, so that it is never finished.
        """
        rows, claims, begun = unpack(tables)
        for join, learned in zip(self._all_joins, rows, strict=True):
            if learned is not None:
                join.absorb(learned)
        self._claims.update(claims)
        self._slice = SliceState(len(self._claims))
        for units, services in zip(self._units.values(), begun, strict=True):
            for unit, each in zip(units, services, strict=True):
                unit.of_slice(each)
        self._strays = {name: [s.of_slice() for s in each] for name, each in self._strays.items()}

    def learned(self) -> bytes:
        """What the mapper of a slice counted and gathered, for the mapper of the whole.

        Raises ValueError when this is none.
        """
        if self._slice is None:
            raise ValueError("what has taken no tables is no mapper of a slice")
        name = self._slice.dataset
        if not name:
            return pack(None)
        strays = (each for each in self._strays[name] if isinstance(each, StraysOfSlice))
        learned = {
            "dataset": name,
            "counts": self._counts[name].learned(),
            "claims": self._slice.claimed(self._claims),
            "units": [unit.learned() for unit in self._units[name]],
            "translations": [each.learned() for each in self._translations(name)],
            "watched": [each.learned() for each in self._watched if each.dataset == name],
            "strays": [each.learned() for each in strays],
            "links": self._links.learned(),
        }
        return pack(learned)

    def absorb(self, learned: bytes, before: int) -> Absorbed:
        """Takes what another mapper learned of the slice that comes next in its dataset.

        `before` is the number of records that all earlier slices had, rows that could not be read
        among them: it is added to the ranks of records. Once all slices are absorbed, `finish` and
        `report` are those of a mapper that has read the whole in that order.
        """
        given = unpack(learned)
        if given is None:  # a slice without records
            return Absorbed()
        name: str = given["dataset"]
        units = list(zip(self._units[name], given["units"], strict=True))
        odd = contested(self._claims, given["claims"])
        odd = odd or next(filter(None, (unit.contested(part) for unit, part in units)), "")
        if odd:
            return Absorbed(again=again(name, odd))
        self._claims.update(given["claims"])
        verdicts = [unit.absorb(part, before) for unit, part in units]
        counts, stay = self._counts[name], [trial for each in verdicts for trial in each.stay]
        counts.absorb(given["counts"])
        counts.rejects += len({trial.number for trial in stay if trial.alone})
        counts.nameless += sum(trial.nameless for trial in stay)
        for translation, part in zip(self._translations(name), given["translations"], strict=True):
            translation.absorb(part, before)
        watched = (each for each in self._watched if each.dataset == name)
        for each, part in zip(watched, given["watched"], strict=True):
            each.absorb(part)
        for strays, part in zip(self._strays[name], given["strays"], strict=True):
            strays.absorb(part)
        self._links.absorb(given["links"])
        return Absorbed(tuple(sorted(rank for each in verdicts for rank in each.dropped)))

    def needs(self, dataset: str) -> tuple[str, ...]:
        """The datasets that are tables of this one: where they lack rows, it lacks values."""
        used = {join.dataset for join in self._used(dataset)}
        return tuple(name for name in self.datasets if name in used)

    def map_page(self, dataset: str, records: list[Record], first: int) -> Mapped:
        """Maps records, the first of which is the *first*-th of its dataset, counted from 1.

        Raises ValueError when a dataset that it needs was not finished, and when the mapper of a
        slice is given a second dataset.
        """
        self._check_order(dataset)
        if self._slice is not None:
            self._slice.enter(dataset)
        for strays in self._strays[dataset]:
            strays.look(records)
        for join in self._joins[dataset]:
            join.take(records)
        for watched in self._watched:
            if watched.path is not None and watched.dataset == dataset:
                watched.look(self._cleaners[dataset].values(records, watched.path))
        self._counts[dataset].records += len(records)
        return self._counted(dataset, [unit.map(records, first) for unit in self._units[dataset]])

    def finish(self, dataset: str) -> Mapped:
        """The services gathered over all pages, in the order in which they were first seen.

        Raises ValueError when this is the mapper of a slice.
        """
        if self._slice is not None:
            raise ValueError("services are gathered over all slices: ask the mapper of the whole")
        for join in self._joins[dataset]:
            join.seal()
        return self._counted(dataset, [unit.finish() for unit in self._units[dataset]])

    def report(self) -> Tally:
        """What the mapping did with all it was given."""
        datasets = {dataset: self._tally(dataset) for dataset in self.datasets}
        return Tally(
            datasets=datasets,
            dead=tuple(f"{each.name}: {key}" for each in self.lookups for key in each.dead),
            failures=tuple(judge(self._expect, datasets, self._watched)),
        )

    def _tally(self, dataset: str) -> DatasetTally:
        units = self._units[dataset]
        tally = dataset_tally(
            self._counts[dataset],
            [unit.tally for unit in units],
            tuple(path for strays in self._strays[dataset] for path in strays.found),
            self._links.orphans(dataset),
        )
        rowless = dict.fromkeys(join.name for join in self._used(dataset) if not join.rows)
        return replace(
            tally,
            needs=self.needs(dataset),
            rowless=tuple(rowless),
            table=not units,
            gathers=any(running.unit.gathered for running in units),
        )

    def _counted(self, dataset: str, parts: Sequence[Mapped]) -> Mapped:
        mapped = joined(parts)
        counts = self._counts[dataset]
        counts.entities += len(mapped.entities)
        rejects = mapped.rejects
        if self._slice is not None:
            rejects = self._slice.certain(rejects, self._units[dataset])
        counts.rejects += len({reject.number for reject in rejects})
        counts.nameless += sum(not reject.id for reject in rejects)
        return mapped

    def _check_order(self, dataset: str) -> None:
        for join in self._used(dataset):
            if not join.sealed:
                what = f"dataset {join.dataset!r} must be read to its end before {dataset!r}"
                raise ValueError(f"{what}: Mapper.datasets has the order")

    def _used(self, dataset: str) -> Iterator[Join]:
        """The tables that the rules of a dataset look into."""
        for running in self._units[dataset]:
            for translation in running.unit.translations:
                if isinstance(translation.lookup, Join):
                    yield translation.lookup

    def _translations(self, dataset: str) -> Iterable[Translation]:
        """The uses of lookups by the rules of a dataset, each once: units of a block share some."""
        every = (each for unit in self._units[dataset] for each in unit.unit.translations)
        return {id(each): each for each in every}.values()

    def _read(self, dataset: str) -> frozenset[Path]:
        """The paths into the records that are read by anybody."""
        paths = {path for running in self._units[dataset] for path in running.unit.reads}
        paths |= {path for join in self._joins[dataset] for path in join.paths}
        return frozenset(paths)

    def _strays_of(self, dataset: str) -> Iterator[Strays]:
        """One for the records, and one for the items of each list that is gone through.

        None for a dataset that is a table alone: it is there for two of its fields.
        """
        units = [running.unit for running in self._units[dataset]]
        if not units:
            return
        ignored = {path for unit in units for path in unit.of_record(unit.ignored)}
        yield Strays(self._paths[dataset] | ignored)
        for found in dict.fromkeys(unit.list for unit in units if unit.list is not None):
            inside = [unit for unit in units if unit.list == found]
            known = {path for unit in inside for path in unit.of_item(unit.ignored)}
            yield Strays(known.union(*(unit.reads_of_item for unit in inside)), found)
