"""From the model of a `mapping:` block to a `Mapper`: all fallible thinking, all faults at once."""

from collections.abc import Collection

from mappings.errors import MappingErrors, Place
from mappings.language import EntityBlock, EntityRule, MappingBlock
from mappings.lookups import Lookup
from mappings.mapper import Mapper
from mappings.origins import path_of
from mappings.paths import Path, covered
from mappings.rules import Unit
from mappings.units import unit_of
from mappings.values import Values
from mappings.vocabulary import suggestion
from referential.entity import Kind


def compile_mapping(block: MappingBlock, *, datasets: Collection[str] | None = None) -> Mapper:
    """The mapper of a block.

    `datasets` are the names that the job's source declares (None: not checked). Raises
    MappingErrors with every problem; their paths start with "mapping".
    """
    place = Place(("mapping",))
    lookups = {name: Lookup(name, rows) for name, rows in block.lookups.items()}
    values = Values(lookups)
    units: list[Unit] = []
    ignored: dict[str, list[Path]] = {}
    for rank, entities in enumerate(block.entities):
        at = place / "entities" / rank
        _check_dataset(entities.dataset, datasets, at / "dataset", "datasets of the source")
        made = [unit for unit in _units(entities, values, at) if unit is not None]
        ignored.setdefault(entities.dataset, []).extend(_ignored(entities, made, at / "ignore"))
        units += made
    _check_twins(block, place / "entities")
    _check_expectations(block, place / "expect")
    if place.problems:
        raise MappingErrors(place.problems)
    return Mapper(units, ignored, values.lookups, block.expect)


def _units(block: EntityBlock, values: Values, place: Place) -> list[Unit | None]:
    """Component, then resource, then service: Canopsis needs components first."""
    return [
        unit_of(block.dataset, kind, rule, values, place / kind) for kind, rule in _rules(block)
    ]


def _rules(block: EntityBlock) -> list[tuple[Kind, EntityRule]]:
    rules: list[tuple[Kind, EntityRule | None]] = [
        ("component", block.component),
        ("resource", block.resource),
        ("service", block.service),
    ]
    return [(kind, rule) for kind, rule in rules if rule is not None]


def _ignored(block: EntityBlock, units: list[Unit], place: Place) -> list[Path]:
    mapped = {path for unit in units for rule in unit.rules for path in rule.origin.paths}
    paths = []
    for rank, text in enumerate(block.ignore):
        path = path_of(text, place / rank)
        if path is not None and covered(path, mapped):
            (place / rank).tell(f"{text!r} is ignored and mapped", "remove it from ignore")
        elif path is not None:
            paths.append(path)
    return paths


def _check_dataset(name: str, names: Collection[str] | None, place: Place, what: str) -> None:
    if names is not None and name not in names:
        place.tell(f"unknown dataset {name!r}", suggestion(name, names, what))


def _check_twins(block: MappingBlock, place: Place) -> None:
    """Two rules that make the same entities: the second would undo the infos of the first."""
    seen: list[tuple[str, Kind, EntityRule]] = []
    for rank, entities in enumerate(block.entities):
        for kind, rule in _rules(entities):
            mine = (entities.dataset, kind, rule)
            if any(
                (dataset, other_kind, other.name) == (*mine[:2], rule.name)
                and getattr(other, "component", None) == getattr(rule, "component", None)
                for dataset, other_kind, other in seen
            ):
                what = f"a second {kind} of dataset {entities.dataset!r} with the same name rule"
                (place / rank / kind).tell(what, "put the infos of both into one")
            seen.append(mine)


def _check_expectations(block: MappingBlock, place: Place) -> None:
    infos: dict[str, set[str]] = {}
    for entities in block.entities:
        keys = infos.setdefault(entities.dataset, set())
        keys.update(key for _, rule in _rules(entities) for key in rule.infos)
    for dataset, expect in block.expect.items():
        at = place / dataset
        if dataset not in infos:
            mend = suggestion(dataset, infos, "mapped datasets")
            at.tell(f"unknown dataset {dataset!r}", mend, on_key=True)
            continue
        for key in expect.filled:
            if key not in infos[dataset]:
                mend = suggestion(key, infos[dataset], "infos")
                (at / "filled" / key).tell(f"no info {key!r}", mend, on_key=True)
        if expect.min is not None and expect.max is not None and expect.min > expect.max:
            (at / "min").tell(f"min {expect.min} is more than max {expect.max}")
