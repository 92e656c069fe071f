"""A YAML 1.2 file read into plain data, with the place of every node.

Two rules differ from a common loader, because ids are never turned into numbers: keys are always
text, and a plain scalar of digits with a leading zero (`0123`) stays text.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path as FilePath
from typing import Any, cast

from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from mappings.errors import Path, Problem
from mappings.plain_yaml import PlainYaml

# A document whose aliases unfold to more nodes than this is an attack or a mistake.
MOST_NODES = 200_000
MOST_LEVELS = 60
MOST_DIGITS = 400  # what is longer is no number: Python could not write it out again

# what plain nodes resolve to; any other tag was written
_TAGS = frozenset(
    f"tag:yaml.org,2002:{name}"
    for name in ("map", "seq", "str", "int", "float", "bool", "null", "timestamp", "merge", "value")
)
_TEXT = "tag:yaml.org,2002:str"
_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)|0x[0-9a-fA-F]+|0o[0-7]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_HALF = re.compile("[\ud800-\udfff]")
_CONSTANTS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: lines and columns count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class YamlError(Exception):
    """A file that is not YAML: what is wrong, where, and how to mend it."""

    def __init__(self, what: str, place: Place, mend: str = "") -> None:
        super().__init__(what)
        self.what, self.place, self.mend = what, place, mend


class YamlFile:
    """Plain data (`data`), the doubled keys that were met (`problems`), and places by path."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.problems: list[Problem] = []
        self._marks: dict[Path, tuple[int, int]] = {}
        self._key_marks: dict[Path, tuple[int, int]] = {}
        self._block_scalars: dict[Path, int] = {}
        self._quoted: set[Path] = set()
        self._count = 0
        self._lines = text.splitlines()
        node = _compose(name, text)
        self.data: Any = None if node is None else self._build(node, ())

    @classmethod
    def read(cls, path: FilePath, name: str = "") -> "YamlFile":
        """Read *path* (UTF-8); raises YamlError, or OSError when it cannot be opened."""
        name = name or str(path)
        try:
            text = path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            line = error.object[: error.start].count(b"\n") + 1
            raise YamlError(
                "the file is not UTF-8", Place(name, line, 1), "save it as UTF-8"
            ) from error
        return cls(name, text)

    def place(
        self, path: Path, *, on_key: bool = False, offset: tuple[int, int] | None = None
    ) -> Place:
        """The place of the node at *path*, or of the nearest node above it that exists.

        *offset* is a (line, column) inside a scalar, both from 0.
        """
        while path and path not in self._marks:
            path = path[:-1]
            on_key, offset = True, None
        marks = self._key_marks if on_key and path in self._key_marks else self._marks
        line, column = marks.get(path, (0, 0))
        if offset is not None:
            if path in self._block_scalars:  # the text starts on the next line, indented
                line, column = line + 1 + offset[0], self._block_scalars[path] + offset[1]
            elif offset[0] == 0:
                column += offset[1] + (path in self._quoted)
        return Place(self.name, line + 1, column + 1)

    def _build(self, node: Node, path: Path) -> Any:
        self._count += 1
        if self._count > MOST_NODES or len(path) > MOST_LEVELS:
            raise YamlError(
                f"the file unfolds to more than {MOST_NODES} nodes or {MOST_LEVELS} levels",
                self.place(path),
                "aliases (*name) repeat other aliases: write the parts out",
            )
        mark = node.start_mark
        self._marks[path] = (mark.line, mark.column)
        if node.tag not in _TAGS:
            what = f"the tag {node.tag!r} means nothing here"
            self.problems.append(Problem(path, what, "write the plain value"))
        if isinstance(node, MappingNode):
            return self._build_mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self._build(child, (*path, i)) for i, child in enumerate(node.value)]
        scalar = cast("ScalarNode", node)
        if scalar.style in ("|", ">"):
            self._block_scalars[path] = _indent(self._lines, scalar)
        elif scalar.style:
            self._quoted.add(path)
        value = _scalar(scalar)
        return self._whole(value, path) if isinstance(value, str) else value

    def _whole(self, text: str, path: Path) -> str:
        """The text with the halves of its characters joined: JSON escapes some as two.

        What has no other half could not be written again.
        """
        if _HALF.search(text) is None:
            return text
        joined = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        if "\ufffd" in joined and "\ufffd" not in text:
            what = f"{text!a} holds half of a character"
            self.problems.append(Problem(path, what, "write the whole one"))
        return joined

    def _build_mapping(self, node: MappingNode, path: Path) -> dict[str, Any]:
        built: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode):
                self.problems.append(
                    Problem(path, "a key must be a plain word", "quote it, or write a list")
                )
                continue
            key = self._whole(key_node.value, path)
            if key in built:
                first = self._key_marks[(*path, key)][0] + 1
                self._key_marks[(*path, key)] = _position(key_node)
                self.problems.append(
                    Problem(
                        (*path, key),
                        f"the key {key!r} stands twice, first on line {first}",
                        "keep one of them",
                        on_key=True,
                    )
                )
                continue
            self._key_marks[(*path, key)] = _position(key_node)
            built[key] = self._build(value_node, (*path, key))
        return built


def _position(node: Node) -> tuple[int, int]:
    return node.start_mark.line, node.start_mark.column


def _indent(lines: Sequence[str], node: ScalarNode) -> int:
    """Columns before the text of a block scalar: read from the line after its header."""
    for line in islice(lines, node.start_mark.line + 1, None):
        if line.strip():
            return len(line) - len(line.lstrip(" "))
    return 0


def _compose(name: str, text: str) -> Node | None:
    try:
        documents = list(PlainYaml().compose_all(text))
    except RecursionError as error:
        what = f"the file has more than {MOST_LEVELS} levels"
        raise YamlError(what, Place(name, 1, 1), "close the brackets that were opened") from error
    except ReaderError as error:
        before = text[: error.position]
        place = Place(name, before.count("\n") + 1, len(before) - before.rfind("\n"))
        what = f"the character {text[error.position]!r} cannot stand in YAML"
        raise YamlError(what, place, "remove it, or write it as an escape in quotes") from error
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(name, mark.line + 1, mark.column + 1) if mark else Place(name, 1, 1)
        what = f"not valid YAML: {error.problem or error.context}"
        raise YamlError(what, place, _mend(what)) from error
    except YAMLError as error:
        raise YamlError(f"not valid YAML: {error}", Place(name, 1, 1), _mend("")) from error
    if len(documents) > 1:
        line = documents[1].start_mark.line + 1
        raise YamlError(
            "the file holds several YAML documents", Place(name, line, 1), "remove the `---` line"
        )
    return documents[0] if documents else None


def _mend(what: str) -> str:
    if "\\t" in what:
        return "indent with spaces"
    return "look at the brackets, quotes and indentation of this line and of the one before"


def _scalar(node: ScalarNode) -> Any:
    text: str = node.value
    # quoted and block scalars are text, and so is what is said to be (`!!str 123`)
    if node.style or node.tag == _TEXT:
        return text
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if len(text) > MOST_DIGITS:
        return text
    if _INT.fullmatch(text):
        return int(text, 0) if text[:2] in ("0x", "0o") else int(text)
    if _FLOAT.fullmatch(text) and not text.lstrip("+-").isdigit():
        return float(text)
    return text
