"""A job file with the fragments that it includes and the tables that it names.

Every fault is told in the file where it was written. Nothing is read outside of the folder of the
jobs, wherever symbolic links lead; paths start at the folder of the file that names them.
"""

import errno
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

from flows.misdeclared import Fault, Misdeclared
from flows.yaml_file import Place, YamlError, YamlFile
from mappings.errors import Path, Problem
from mappings.fragments import Fragment, FragmentFault, expand
from mappings.vocabulary import nearest

_OWN = ""  # what `mappings.fragments` calls the job's own file
# What is said of something that a fragment might have given, had it been there.
_ABSENT = re.compile(
    r"'?\w+'? is missing|unknown (variable|lookup|dataset) .*|nothing to map to: .*"
    r"|entities is empty: .*|no info .*|no rule of the mapping reads .*"
)


@dataclass(frozen=True, slots=True)
class _Part:
    """One file of the job: the path by which it is reached, and what it holds."""

    path: FilePath
    yaml: YamlFile


class JobFile:
    """The document of a job (`data`), plain data with its fragments and variables in place.

    Raises Misdeclared when the file itself is no YAML. Tables are read once: whoever compiles the
    mapping again is given the bytes of the first time.
    """

    def __init__(self, path: FilePath, root: FilePath) -> None:
        self.path = path
        self.name = shown(path)
        self._root = FilePath(os.path.realpath(root))
        self._own = FilePath(os.path.realpath(path))
        self._faults: list[Fault] = []  # of fragments that are no YAML
        self._tables: dict[tuple[str, str], bytes] = {}
        try:
            yaml = YamlFile.read(path, self.name)
        except YamlError as error:
            raise Misdeclared([_fault(error)]) from error
        except OSError as error:
            what = f"the job file cannot be read: {error.strerror or error}"
            raise Misdeclared([Fault(self.name, what, "make it readable")]) from error
        self._parts = {_OWN: _Part(path, yaml)}
        self._expanded = expand(yaml.data, self._fragment)

    @property
    def data(self) -> Any:
        return self._expanded.data

    def place(self, path: Path) -> Place:
        """Where the node of the document at *path* was written, or the nearest one above it."""
        spot = self._expanded.spot(path)
        return self._parts[spot.file].yaml.place(spot.path)

    def read_table(self, name: str, path: Path) -> bytes:
        """The bytes of the file *name*, which is written at *path* of the document.

        Raises OSError, also for what is no file, or is none of the folder of the jobs.
        """
        within = self._expanded.spot(path).file
        if (within, name) not in self._tables:
            real = self._real(self._parts[within].path.parent / name)
            self._tables[within, name] = real.read_bytes()
        return self._tables[within, name]

    @property
    def tables(self) -> tuple[bytes, ...]:
        """The bytes of the tables read so far, by their names."""
        return tuple(self._tables[name] for name in sorted(self._tables))

    def faults(self, problems: Iterable[Problem]) -> list[Fault]:
        """Every fault of the job once, by file and in its order: *problems* of the document, and
        those of its files and of what they include.
        """
        told = [self._expanded.located(problem) for problem in problems]
        told += self._expanded.problems
        placed = [(spot.file, problem) for spot, problem in told if self._is_judged(problem)]
        for name, part in self._parts.items():
            placed += [(name, problem) for problem in part.yaml.problems]
        ranks = {name: rank for rank, name in enumerate(self._parts)}
        found = [(ranks[name], self._placed(name, problem), problem) for name, problem in placed]
        found.sort(key=lambda each: (each[0], each[1].line, each[1].column))
        faults = [Fault(str(place), each.what, each.mend) for _, place, each in found]
        return list(dict.fromkeys([*faults, *self._faults]))

    def _is_judged(self, problem: Problem) -> bool:
        lacking = self._expanded.lacking or self._faults
        return not (lacking and _ABSENT.fullmatch(problem.what))

    def _placed(self, name: str, problem: Problem) -> Place:
        yaml = self._parts[name].yaml
        return yaml.place(problem.path, on_key=problem.on_key, offset=problem.offset)

    def _fragment(self, written: str, within: str) -> Fragment:
        """What `mappings.fragments` reads with; a fragment is called by its place in the folder."""
        path = self._parts[within].path.parent / written
        try:
            real = self._real(path)
            name = _OWN if real == self._own else os.path.relpath(real, self._root)
            if name not in self._parts:
                yaml = YamlFile.read(real, shown(path))
                self._parts[name] = _Part(path, yaml)
        except YamlError as error:  # it has a place of its own
            self._faults.append(_fault(error))
            return Fragment(name, {})
        except OSError as error:
            what = f"cannot read {written}: {error.strerror or error}"
            raise FragmentFault(what, _mend(path, error)) from None
        return Fragment(name, self._parts[name].yaml.data)

    def _real(self, path: FilePath) -> FilePath:
        """The file that a path leads to, links followed; raises OSError when it must not be read.

        What is no plain file might never end.
        """
        try:
            real = FilePath(os.path.realpath(path))  # `resolve` raises in a circle of links
            if not real.is_relative_to(self._root):
                raise PermissionError(errno.EPERM, f"it is outside of {shown(self._root)}")
            real.stat()
        except ValueError:  # a zero byte
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)) from None
        if not real.is_file():
            raise FileNotFoundError(errno.ENOENT, "it is no file")
        return real


def shown(path: FilePath) -> str:
    """A path as messages have it: from the current folder, when it is below."""
    path = FilePath(os.path.normpath(path))
    here = FilePath.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _mend(path: FilePath, error: OSError) -> str:
    """The nearest name of a file in the folder where a fragment was looked for."""
    if isinstance(error, PermissionError):
        return "include files that stand among the jobs, and that may be read"
    try:
        near = nearest(path.name, [each.name for each in path.parent.glob("*.yaml")])
    except ValueError:  # a zero byte
        near = None
    return f"did you mean {near!r}?" if near else "put it there; paths start at the including file"


def _fault(error: YamlError) -> Fault:
    return Fault(str(error.place), error.what, error.mend)
