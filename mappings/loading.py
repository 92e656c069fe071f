"""From the YAML of a `mapping:` block to its mapper, with the faults of both kinds at once."""

from collections.abc import Collection
from typing import Any

from mappings.compile import compile_mapping
from mappings.errors import MappingErrors, Path, Problem
from mappings.mapper import Mapper
from mappings.reading import Reading, read_mapping
from mappings.table_rule import ReadFile

# Words that mean something only beside one another: of a condition, of a table.
_PARTS = ("field", "field_type", "cond", "value", "rows", "csv", "key")


def load_mapping(
    raw: object,
    *,
    datasets: Collection[str] | None = None,
    read_file: ReadFile | None = None,
) -> Mapper:
    """The mapper of *raw*, the parsed YAML under `mapping`, its includes followed.

    `datasets` are the names that the job's source declares (None: not checked); `read_file` gives
    the bytes of a file beside the job (None: lookups cannot come from files). Faults of shape (an
    unknown key, a wrong type) and of meaning (an unknown lookup, a template that does not parse)
    are gathered together. Raises MappingErrors, its problems in file order.
    """
    reading = read_mapping(raw)
    problems = list(reading.problems)
    mapper: Mapper | None = None
    if reading.block is not None:
        read = None if read_file is None else _as_spelt(read_file, reading)
        try:
            mapper = compile_mapping(reading.block, datasets=datasets, read_file=read)
        except MappingErrors as errors:
            problems += [found for each in errors.problems if (found := _kept(each, reading))]
    if mapper is None or problems:
        raise MappingErrors(sorted(problems, key=lambda problem: _rank(problem.path, raw)))
    return mapper


def _as_spelt(read_file: ReadFile, reading: Reading) -> ReadFile:
    """The same, which is told where a name stands as the file spells it."""
    return lambda name, path: read_file(name, ("mapping", *reading.in_file(path[1:])))


def _kept(problem: Problem, reading: Reading) -> Problem | None:
    """The problem with its path as the file spells it; None when it only echoes another."""
    path = problem.path[1:]
    if path[0] in ("expect", "cleanup") and any(map(_holds_names, reading.gone | reading.dropped)):
        return None
    for gone in reading.gone:
        if path[: len(gone)] == gone:
            return None
        if gone[0] == "lookups" and path[-1] == "lookup" and problem.what.endswith(_named(gone)):
            return None
        if gone[-1] in _PARTS and path[: len(gone) - 1] == gone[:-1]:
            return None
    spelt = ("mapping", *reading.in_file(path))
    return Problem(spelt, problem.what, problem.mend, problem.offset, problem.on_key)


def _named(gone: Path) -> str:
    """How a complaint about the lookup that is gone ends; any lookup when all are."""
    return repr(gone[1]) if len(gone) > 1 else ""


def _holds_names(gone: Path) -> bool:
    """Whether datasets or infos went with it, of which expectations may speak."""
    if gone[0] != "entities":
        return False
    words = ("dataset", "component", "resource", "service", "infos", "name")
    return len(gone) < 3 or gone[-1] in words or "infos" in gone[-3:-1]


def _rank(path: Path, raw: object) -> tuple[int, ...]:
    """Where a node stands in the file, to sort by."""
    ranks = []
    node: Any = raw
    for step in path[1:]:
        if isinstance(node, dict):
            ranks.append(list(node).index(step) if step in node else len(node))
            node = node.get(step)
        elif isinstance(node, list) and isinstance(step, int) and step < len(node):
            ranks.append(step)
            node = node[step]
        else:
            break
    return tuple(ranks)
