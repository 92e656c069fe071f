"""Shared parts of job files: `include:` of fragments, `variables:` in texts. No language in it.

    variables: {site: Lyon}                    include: [../_shared/lookups.yaml]
    mapping:
      include: [_servers.yaml]
      entities:
        - {dataset: servers, component: {include: _infos.yaml, name: "${site}-{{ .name }}"}}

A fragment holds what could stand where it is included: at the top of the job, in `mapping`, in a
block of `entities`, in its component, resource or service. Its keys are added to those around it.
Where both have a key, blocks and what has names for keys (`lookups`, `infos`, `expect`, …) are
joined in turn; so are the lists `entities` and `ignore`, the fragment's first; of anything else the
including file's own holds, and of two fragments that of the later one.

`${name}` in a text is a variable, `$${name}` that text itself; a text that is one variable takes
its value with its type. Variables of the job go before those of its fragments.

All of it happens to plain data before anything is compiled. `Expanded.located` tells which file a
node came from, so that faults are told where they were written.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from mappings.casts import article
from mappings.errors import Path, Problem
from mappings.nodes import Node, Spot, Told, grown, merged
from mappings.variables import Variables

_INCLUDE = "include"
_KINDS = ("component", "resource", "service")
_MOST = 20  # fragments inside fragments
_MOST_IN_ALL = 500  # fragments followed
_MOST_NODES = 200_000  # of all fragments together, each as often as it is included


class FragmentFault(Exception):
    """A file that cannot be included; `mend` is the way out."""

    def __init__(self, what: str, mend: str = "") -> None:
        super().__init__(what)
        self.mend = mend


@dataclass(frozen=True, slots=True)
class Fragment:
    """A file by the one name that it always has, and the plain data that it holds."""

    file: str
    data: object


# The fragment of a path, as written in a file ("": the job's own); raises FragmentFault.
ReadFragment = Callable[[str, str], Fragment]


@dataclass(frozen=True, slots=True)
class Expanded:
    """A document without `include` and `variables`, and what was wrong with them.

    `problems` have the paths that they have in the files of their spots. `lacking`: some fragment
    could not be had, so that what is not there may be of it.
    """

    data: Any
    problems: tuple[tuple[Spot, Problem], ...]
    lacking: bool
    _spots: dict[Path, Spot]
    _changed: frozenset[Path]

    def spot(self, path: Path) -> Spot:
        """Where the node at *path* was written, or would be."""
        length = next(length for length in range(len(path), -1, -1) if path[:length] in self._spots)
        known = self._spots[path[:length]]
        return Spot(known.file, known.path + path[length:])

    def located(self, problem: Problem) -> tuple[Spot, Problem]:
        """A problem of the expanded document as one of the file where it was written.

        Inside a text with variables nobody knows the place any more.
        """
        spot = self.spot(problem.path)
        offset = None if problem.path in self._changed else problem.offset
        return spot, replace(problem, path=spot.path, offset=offset)


def expand(document: object, read: ReadFragment | None = None) -> Expanded:
    """The job file *document*, plain data, with its fragments and variables in place.

    `read` None: nothing can be included. The document itself stays as it is.
    """
    work = _Expansion(read)
    root = work.follow(grown(document, Spot("", ())), (), ("",))
    variables = Variables(work.problems)
    variables.take_from(root)
    data = work.flat(root, (), variables)
    problems = tuple(work.problems)
    return Expanded(data, problems, work.lacking, work.spots, frozenset(work.changed))


@dataclass(slots=True)
class _Expansion:
    """One document while it is expanded."""

    read: ReadFragment | None
    problems: list[Told] = field(default_factory=list)
    spots: dict[Path, Spot] = field(default_factory=dict)
    changed: set[Path] = field(default_factory=set)
    lacking: bool = False
    followed: int = 0
    nodes: int = 0

    def follow(self, node: Node, at: Path, within: tuple[str, ...]) -> Node:
        """The node with its fragments; it stands at *at*, in the last of the files *within*."""
        if isinstance(node.held, list) and at == ("mapping", "entities"):
            blocks = [self.follow(each, (*at, 0), within) for each in node.held]
            return Node(blocks, node.spot)
        if not isinstance(node.held, dict) or not _may_include(at):
            return node
        included = node.held.pop(_INCLUDE, None)
        for key, each in node.held.items():
            node.held[key] = self.follow(each, (*at, key), within)
        under = Node({}, node.spot)
        for each in [] if included is None else self._paths(included):
            fragment = self._fragment(each, within)
            if fragment is not None:
                root = grown(fragment.data, Spot(fragment.file, ()))
                under = merged(under, self.follow(root, at, (*within, fragment.file)), at)
        return merged(under, node, at)

    def _paths(self, included: Node) -> list[Node]:
        paths = included.held if isinstance(included.held, list) else [included]
        good = [each for each in paths if isinstance(each.held, str) and each.held.strip()]
        if not good or len(good) < len(paths):
            what = f"{_INCLUDE} takes the path of a file, or a list of them"
            self.problems.append(included.tell(what, "write include: [../_shared/lookups.yaml]"))
        return good

    def _fragment(self, path: Node, within: tuple[str, ...]) -> Fragment | None:
        try:
            return self._read(path.held, within)
        except FragmentFault as fault:
            self.lacking = True
            self.problems.append(path.tell(str(fault), fault.mend))
            return None

    def _read(self, path: str, within: tuple[str, ...]) -> Fragment:
        if self.read is None:
            raise FragmentFault("nothing can be included here", "write it out")
        self.followed += 1
        if self.followed > _MOST_IN_ALL:
            what = f"more than {_MOST_IN_ALL} fragments are included"
            raise FragmentFault(what, "include each once, where all that use it can see it")
        fragment = self.read(path, within[-1])
        if fragment.file in within:
            raise FragmentFault(f"{path} includes itself", "remove the include")
        if len(within) > _MOST:
            what = f"{path} is included in more than {_MOST} levels"
            raise FragmentFault(what, "include it in the job")
        if not isinstance(fragment.data, dict):
            what = f"{path} holds {article(fragment.data)}, not keys to be added here"
            raise FragmentFault(what, "write `key: value`, a line each")
        self.nodes += _nodes(fragment.data)
        if self.nodes > _MOST_NODES:
            what = f"fragments unfold to more than {_MOST_NODES} nodes"
            raise FragmentFault(what, "include each once, where all that use it can see it")
        return fragment

    def flat(self, node: Node, at: Path, variables: Variables) -> Any:
        """The plain data of a node that stands at *at*, its variables put in."""
        self.spots[at] = node.spot
        if isinstance(node.held, dict):
            return {key: self.flat(each, (*at, key), variables) for key, each in node.held.items()}
        if isinstance(node.held, list):
            return [self.flat(each, (*at, rank), variables) for rank, each in enumerate(node.held)]
        if isinstance(node.held, str) and "${" in node.held:
            self.changed.add(at)
            return variables.put(node)
        return node.held


def _nodes(data: object) -> int:
    """How many nodes there are in plain data."""
    held: Iterable[object] = ()
    if isinstance(data, dict):
        held = data.values()
    elif isinstance(data, list):
        held = data
    return 1 + sum(map(_nodes, held))


def _may_include(at: Path) -> bool:
    if len(at) < 2:
        return at in ((), ("mapping",))
    block = at[:2] == ("mapping", "entities")
    return block and (len(at) == 3 or (len(at) == 4 and at[3] in _KINDS))
