"""Nodes of a driver file read by their declared type, with every fault and remark at its place.

A value is `{type: set|copy|template|regexp, value:, field:, regexp:}`; in the legacy dialect it is
the text of a path. Templates and expressions are compiled here, so that a file with a bad one is
refused before anything is asked of anybody (decision D14).
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

from mappings.driver import Path, Remark, Value
from mappings.gofunctions import FUNCTIONS
from mappings.goregexp import Regexp, RegexpSyntaxError, compile_regexp
from mappings.gotemplate import Template, TemplateSyntaxError, compile_template
from mappings.goyaml import GoYamlError, Node, Scalar, Sequence
from mappings.goyaml import Mapping as MappingNode
from mappings.vocabulary import suggestion

TYPES = ("set", "copy", "template", "regexp")
_WORDS = ("type", "value", "field", "regexp")
_UNKNOWN_FUNCTION = re.compile(r'function "(.+)" not defined')
_NULL = Scalar("", "null", None, 1, 1)


@dataclass(frozen=True, slots=True)
class Entry:
    """A key and what stands under it."""

    key: Scalar
    node: Node


@dataclass(slots=True)
class Sheet:
    """The file while it is read.

    `faults` refuse it; `remarks` do not, but are told beside faults, for the one may explain the
    other (a misspelt key is unknown, and what it should have said is missing).
    """

    text: str
    faults: list[Remark] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)

    def fault(self, node: Node, what: str, mend: str = "", *, offset: tuple[int, int] = (0, 0)) -> None:
        """A fault at a node; *offset* is a line and a column, from 0, in the text of a scalar."""
        line, column = node.line, node.column
        if offset != (0, 0) or isinstance(node, Scalar):
            line, column = self._inside(line, column, offset)
        self.faults.append(Remark(line, column, what, mend))

    def remark(self, node: Node, what: str, mend: str = "") -> None:
        self.remarks.append(Remark(node.line, node.column, what, mend))

    def entries(self, at: Entry, words: Collection[str] | None) -> dict[str, Entry]:
        """The entries of a mapping, none for null; those of no known word are remarked on.

        *words*: None when keys are free.
        """
        if isinstance(at.node, Scalar) and at.node.kind == "null":
            return {}
        if not isinstance(at.node, MappingNode):
            self.fault(at.node, f"{at.key.text} must be a mapping", "write `word: value` lines under it")
            return {}
        found = {}
        for key, node in at.node.entries:
            if words is None or key.text in words:
                found[key.text] = Entry(key, node)
            else:
                what = f"unknown key {key.text!r}, which the driver ignores"
                self.remark(key, what, suggestion(key.text, words, "known keys"))
        return found

    def text_at(self, entry: Entry | None) -> str | None:
        """The text of a string field as written; None when it is absent or at fault."""
        if entry is None:
            return None
        if not isinstance(entry.node, Scalar):
            kind = "a list" if isinstance(entry.node, Sequence) else "a mapping"
            self.fault(entry.node, f"{entry.key.text} must be a text, not {kind}")
            return None
        return entry.node.string()

    def flag(self, entry: Entry | None) -> bool:
        if entry is None:
            return False
        try:
            if isinstance(entry.node, Scalar):
                return entry.node.boolean()
            self.fault(entry.node, f"{entry.key.text} must be true or false")
        except GoYamlError as error:
            self.fault(entry.node, f"{entry.key.text}: {error}", "write true or false")
        return False

    def word[T: str](self, entry: Entry | None) -> None: ...

    def missing(self, at: Entry, word: str, mend: str = "") -> None:
        self.fault(at.key, f"{word} is missing under {at.key.text!r}", mend or f"add `{word}:`")

    def _inside(self, line: int, column: int, offset: tuple[int, int]) -> tuple[int, int]:
        """The place *offset* away in the text of the scalar that begins at a place."""
        lines = self.text.splitlines()
        first = lines[line - 1][column - 1 :] if line <= len(lines) else ""
        if first[:1] in ("|", ">") and offset is not None:
            below = lines[line + offset[0]] if line + offset[0] < len(lines) else ""
            indent = len(below) - len(below.lstrip(" "))
            return line + 1 + offset[0], indent + 1 + offset[1]
        if offset[0] or offset == (0, 0):
            return line, column
        return line, column + offset[1] + (first[:1] in ("'", '"'))
