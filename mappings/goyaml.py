"""YAML as Canopsis' driver reads it (Go's yaml.v3), for its own files only.

A scalar keeps the text it was written with, beside the value that yaml.v3 resolves it to: what
becomes of it depends on where it goes. `name: 0123` is the text `0123` in a string field and
the number 83 elsewhere; `yes` is a text, and true in a boolean field. Keys are unique.
Source: `specs/driver-compat.md` §1.7, yaml.v3 3.0.1. Job files are YAML 1.2 and not read here.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeAlias

from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from mappings.golang.yaml_scalar import Kind, UnfitScalar, resolve, short_tag
from mappings.golang.yaml_scanner import GoScanner
from mappings.plain_yaml import DEEPEST, PlainYaml

MOST_NODES = 100_000  # of a document, aliases spelled out

_TRUE = ("y", "Y", "yes", "Yes", "YES", "on", "On", "ON")
_FALSE = ("n", "N", "no", "No", "NO", "off", "Off", "OFF")


class GoYamlError(Exception):
    """A driver file that is refused: *what*, and its 1-based line and column."""

    def __init__(self, what: str, line: int, column: int) -> None:
        super().__init__(what)
        self.add_note(f"where: line {line}, column {column}")
        self.line = line
        self.column = column


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text, and what it means where no type is declared: `kind` and `value`."""

    text: str
    kind: Kind
    value: Any
    line: int
    column: int

    def string(self) -> str:
        """What a string field holds: the text as written, empty for null."""
        return "" if self.kind == "null" else self.text

    def boolean(self) -> bool:
        """What a boolean field holds: false for null; GoYamlError when it is none."""
        if self.kind == "null":
            return False
        if self.kind == "bool":
            return bool(self.value)
        if self.kind == "str" and self.text in _TRUE + _FALSE:
            return self.text in _TRUE
        raise GoYamlError(f"`{self.text}` is neither true nor false", self.line, self.column)


@dataclass(frozen=True, slots=True)
class Sequence:
    items: tuple["Node", ...]
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys with their values in the order of the file, merge keys (`<<`) spelled out."""

    entries: tuple[tuple[Scalar, "Node"], ...]
    line: int
    column: int

    def get(self, key: str) -> "Node | None":
        return next((node for name, node in self.entries if name.text == key), None)


Node: TypeAlias = Scalar | Sequence | Mapping


def read_goyaml(text: str) -> Node | None:
    """The first document of *text*, None when there is none; GoYamlError when it is refused."""
    yaml = PlainYaml()
    yaml.version = (1, 1)
    yaml.Scanner = GoScanner
    try:
        return _Builder().build(yaml.parse(text))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = str(error.problem or error.context)
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise GoYamlError(what, line, column) from None
    except YAMLError as error:
        raise GoYamlError(str(error).splitlines()[0], 1, 1) from None


def plain(node: Node | None) -> Any:
    """*node* as Python data, each scalar as yaml.v3 resolves it where no type is declared."""
    return _Plain().of(node)


class _Plain:
    def __init__(self) -> None:
        self._count = 0

    def of(self, node: Node | None) -> Any:
        self._count += 1
        if node is None:
            return None
        if self._count > MOST_NODES:
            raise GoYamlError("document contains excessive aliasing", node.line, node.column)
        if isinstance(node, Scalar):
            return node.value
        if isinstance(node, Sequence):
            return [self.of(item) for item in node.items]
        return {key.value: self.of(value) for key, value in node.entries}


@dataclass(slots=True)
class _Open:
    """A collection whose end has not been read."""

    event: Event
    nodes: list[Node] = field(default_factory=list)


class _Builder:
    """Makes nodes of the parser's events."""

    def __init__(self) -> None:
        self._open: list[_Open] = []
        self._anchors: dict[str, Node | None] = {}  # None while the node is being read

    def build(self, events: Iterator[Event]) -> Node | None:
        root: Node | None = None
        for event in events:
            if isinstance(event, DocumentEndEvent):
                break  # as yaml.v3: what follows is not even parsed
            node = self._node(event)
            if node is None:
                continue
            if self._open:
                self._open[-1].nodes.append(node)
            else:
                root = node
        return root

    def _node(self, event: Event) -> Node | None:
        """The node that *event* completes, if it does."""
        match event:
            case ScalarEvent():
                return self._anchored(event, _scalar(event))
            case AliasEvent():
                return self._alias(event)
            case SequenceStartEvent() | MappingStartEvent():
                if len(self._open) >= DEEPEST:
                    _fail(event, f"more than {DEEPEST} levels inside one another")
                if event.anchor:
                    self._anchors[event.anchor] = None
                self._open.append(_Open(event))
            case SequenceEndEvent() | MappingEndEvent():
                ended = self._open.pop()
                return self._anchored(ended.event, _collection(ended))
        return None

    def _anchored(self, event: Any, node: Node) -> Node:
        if event.anchor:
            self._anchors[event.anchor] = node
        return node

    def _alias(self, event: AliasEvent) -> Node:
        if event.anchor not in self._anchors:
            _fail(event, f"unknown anchor '{event.anchor}' referenced")
        node = self._anchors[event.anchor]
        if node is None:
            _fail(event, f"anchor '{event.anchor}' value contains itself")
        return node


def _scalar(event: ScalarEvent) -> Scalar:
    tag = "" if event.tag is None else str(event.tag)
    quoted = event.style is not None and event.style != ""
    try:
        kind, value = resolve(event.value, short_tag(tag), quoted=quoted)
    except UnfitScalar as unfit:
        _fail(event, str(unfit))
    text = str(value) if short_tag(tag) == "!!binary" else event.value
    return Scalar(text, kind, value, *_place(event))


def _collection(ended: _Open) -> Node:
    place = _place(ended.event)
    if isinstance(ended.event, SequenceStartEvent):
        return Sequence(tuple(ended.nodes), *place)
    entries: dict[str, tuple[Scalar, Node]] = {}
    merged: Node | None = None
    for key, value in zip(ended.nodes[::2], ended.nodes[1::2], strict=True):
        if not isinstance(key, Scalar):
            raise GoYamlError("invalid map key", key.line, key.column)
        if key.text in entries:
            first = entries[key.text][0].line
            raise GoYamlError(
                f"mapping key `{key.text}` already defined at line {first}", key.line, key.column
            )
        entries[key.text] = (key, value)
        if key.kind == "merge":
            merged = value
    if merged is not None:
        del entries["<<"]
        for key, value in _merged(merged):
            entries.setdefault(key.text, (key, value))
    return Mapping(tuple(entries.values()), *place)


def _merged(node: Node) -> Iterable[tuple[Scalar, Node]]:
    """The entries that a merge key brings in, the first ones first."""
    for part in node.items if isinstance(node, Sequence) else (node,):
        if not isinstance(part, Mapping):
            raise GoYamlError(
                "map merge requires map or sequence of maps as the value", part.line, part.column
            )
        yield from part.entries


def _place(event: Event) -> tuple[int, int]:
    return event.start_mark.line + 1, event.start_mark.column + 1


def _fail(event: Event, what: str) -> NoReturn:
    raise GoYamlError(what, *_place(event))
