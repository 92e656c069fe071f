"""Nodes of a driver file read by their declared type, every fault and remark at its place.

A value is `{type: set|copy|template|regexp, value:, field:, regexp:}`, in the legacy dialect the
text of a path. Templates and expressions are compiled here, so that a file with a bad one is
refused before anything is asked of anybody (decision D14).
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from mappings.driver import Path, Remark, Value
from mappings.gofunctions import FUNCTIONS
from mappings.goregexp import Regexp, RegexpSyntaxError, compile_regexp
from mappings.gotemplate import Template, TemplateSyntaxError, compile_template
from mappings.goyaml import GoYamlError, Mapping, Node, Scalar, Sequence
from mappings.vocabulary import suggestion

TYPES = ("set", "copy", "template", "regexp")
_WORDS = ("type", "value", "field", "regexp")
_UNKNOWN_FUNCTION = re.compile(r'function "(.+)" not defined')


@dataclass(frozen=True, slots=True)
class Entry:
    """A key and what stands under it."""

    key: Scalar
    node: Node

    @property
    def empty(self) -> bool:
        return isinstance(self.node, Scalar) and self.node.kind == "null"


@dataclass(slots=True)
class Sheet:
    """The file while it is read.

    Faults refuse it. Remarks do not, but are told beside faults, for the one may explain the other:
    a misspelt key is unknown, and what it should have said is missing.
    """

    text: str
    faults: list[Remark] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)

    def fault(
        self, node: Node, what: str, mend: str = "", *, offset: tuple[int, int] | None = None
    ) -> None:
        """A fault at a node; *offset* is a line and a column, from 0, in the text of a scalar."""
        line, column = node.line, node.column
        if offset is not None:
            line, column = _inside(self.text.splitlines(), line, column, offset)
        self.faults.append(Remark(line, column, what, mend))

    def remark(self, node: Node, what: str, mend: str = "") -> None:
        self.remarks.append(Remark(node.line, node.column, what, mend))

    def missing(self, at: Entry, word: str, mend: str = "") -> None:
        self.fault(at.key, f"{word} is missing under {at.key.text!r}", mend or f"add `{word}:`")

    def entries(self, at: Entry, words: Collection[str] = ()) -> dict[str, Entry]:
        """The entries of a mapping, none for null; with *words*, others are remarked on."""
        if at.empty:
            return {}
        if not isinstance(at.node, Mapping):
            what = f"{at.key.text} must be a mapping, not {_kind(at.node)}"
            self.fault(at.node, what, "write `word: value`, a line each, under it")
            return {}
        found = {}
        for key, node in at.node.entries:
            if not words or key.text in words:
                found[key.text] = Entry(key, node)
            else:
                what = f"unknown key {key.text!r}, which the driver ignores"
                self.remark(key, what, suggestion(key.text, words, "known keys"))
        return found

    def text_at(self, entry: Entry | None) -> str | None:
        """The text of a string field as written; None when it is absent or at fault."""
        if entry is None:
            return None
        if isinstance(entry.node, Scalar):
            return entry.node.string()
        what = f"{entry.key.text} must be a text, not {_kind(entry.node)}"
        self.fault(entry.node, what, "put it in quotes")
        return None

    def word_at(self, entry: Entry | None, words: Collection[str]) -> str | None:
        """One of *words*; None when it is absent, empty or at fault."""
        word = self.text_at(entry)
        if not word or entry is None or word in words:
            return word or None
        self.fault(entry.node, f"unknown {entry.key.text} {word!r}", suggestion(word, words))
        return None

    def flag_at(self, entry: Entry | None) -> bool:
        if entry is None:
            return False
        try:
            if isinstance(entry.node, Scalar):
                return entry.node.boolean()
        except GoYamlError:
            pass
        self.fault(entry.node, f"{entry.key.text} must be true or false")
        return False


@dataclass(frozen=True, slots=True)
class Values:
    """Reads values. `variables` are the names that templates find under `.Env`."""

    sheet: Sheet
    legacy: bool = False
    zone: str | None = None
    plain_numbers: bool = False
    variables: Collection[str] = ()

    def read(self, entry: Entry | None) -> Value | None:
        """The value at an entry; None when it is absent or at fault."""
        if entry is None:
            return None
        if self.legacy:
            path = self._path(entry)
            return None if path is None else Value("copy", path=path)
        if isinstance(entry.node, Scalar):
            what = f"{entry.key.text} must be a mapping {{type: …, value: …}}"
            mend = f"to copy a field write {{type: copy, value: {entry.node.text or '…'}}}"
            self.sheet.fault(entry.node, what, mend)
            return None
        given = self.sheet.entries(entry, _WORDS)
        if not isinstance(entry.node, Mapping):
            return None
        if "type" not in given or given["type"].empty:
            self.sheet.missing(entry, "type", f"add `type:`, one of {', '.join(TYPES)}")
            return None
        kind = self.sheet.word_at(given["type"], TYPES)
        if kind in ("template", "regexp"):
            return self._computed(entry, given, kind)
        for word in ("field", "regexp"):
            if kind is not None and word in given:
                self.sheet.remark(given[word].key, f"{word} says nothing to a value of type {kind}")
        if kind is not None and "value" not in given:
            self.sheet.missing(entry, "value")
        elif kind == "set":
            return self._constant(given["value"])
        elif kind == "copy" and (path := self._path(given["value"])) is not None:
            return Value("copy", path=path)
        return None

    def _constant(self, entry: Entry) -> Value | None:
        """The source text of a scalar (decision D10), or the texts of a list."""
        if not isinstance(entry.node, Sequence):
            text = self.sheet.text_at(entry)
            return None if text is None else Value("set", constant=text)
        texts = [self.sheet.text_at(Entry(entry.key, item)) for item in entry.node.items]
        whole = tuple(text for text in texts if text is not None)
        return Value("set", constant=whole) if len(whole) == len(texts) else None

    def _path(self, entry: Entry) -> Path | None:
        text = self.sheet.text_at(entry)
        if text == "":
            what = f"{entry.key.text} is empty where the path of a field should be"
            self.sheet.fault(entry.node, what, "write the keys that lead to it, a dot between two")
        return tuple(text.split(".")) if text else None

    def _computed(self, entry: Entry, given: dict[str, Entry], kind: str) -> Value | None:
        before = len(self.sheet.faults)
        template = self._template(given["value"]) if "value" in given else None
        regexp = self._regexp(given["regexp"]) if "regexp" in given else None
        path = self._path(given["field"]) if "field" in given else None
        if kind == "regexp" and "regexp" not in given:
            self.sheet.missing(entry, "regexp")
        if "value" not in given:
            if kind == "template":
                self.sheet.missing(entry, "value")
            elif regexp is not None:
                what = "a regexp without value gives its first named group, else the whole match"
                self.sheet.remark(given["regexp"].key, what, "say it in `value:`, a template")
        if regexp is not None and "field" not in given:
            what = "a regexp without field never matches: the value is always absent"
            self.sheet.remark(given["regexp"].key, what, "add `field:`")
        if len(self.sheet.faults) > before:
            return None
        if template is not None:
            self._check_names(given["value"], template, regexp)
        asks = template is not None and "RegexMatch" in template.fields
        return Value("template", path=path, template=template, regexp=regexp, asks=asks)

    def _template(self, entry: Entry) -> Template | None:
        text = self.sheet.text_at(entry)
        if text is None:
            return None
        try:
            return compile_template(text, self.zone, json_numbers=not self.plain_numbers)
        except TemplateSyntaxError as error:
            unknown = _UNKNOWN_FUNCTION.search(error.cause)
            mend = suggestion(unknown[1], FUNCTIONS, "functions") if unknown else ""
            offset = (error.line - 1, error.column - 1)
            self.sheet.fault(entry.node, f"template: {error.cause}", mend, offset=offset)
            return None

    def _regexp(self, entry: Entry) -> Regexp | None:
        text = self.sheet.text_at(entry)
        if text is None:
            return None
        try:
            return compile_regexp(text)
        except RegexpSyntaxError as error:
            before = text[: error.offset]
            offset = (before.count("\n"), error.offset - (before.rfind("\n") + 1))
            self.sheet.fault(entry.node, str(error), offset=offset)
            return None

    def _check_names(self, entry: Entry, template: Template, regexp: Regexp | None) -> None:
        """Remarks on what a template never finds: it then fails on every row (decision D15)."""
        groups = {f"RegexMatch.{key}" for key, _ in regexp.names} if regexp else set()
        known = {"*", "Field", "RegexMatch", *groups, *(f"Env.{name}" for name in self.variables)}
        for path in sorted(template.fields - known):
            steps = path.split(".")
            if steps[0] == "Field" or ".".join(steps[:2]) in known:
                continue
            what = f"the template finds no .{path}: the value is always absent"
            if steps[0] == "Env":
                mend = f"give it by --template-var {steps[-1]}=…"
            else:
                mend = suggestion(path, known - {"*"}, "it finds")
            self.sheet.remark(entry.node, what, mend)


def _kind(node: Node) -> str:
    if isinstance(node, Scalar):
        return "nothing" if node.kind == "null" else "a text"
    return "a list" if isinstance(node, Sequence) else "a mapping"


def _inside(
    lines: list[str], line: int, column: int, offset: tuple[int, int]
) -> tuple[int, int]:
    """The place *offset* away in the text of the scalar that begins at a place of the file."""
    opening = lines[line - 1][column - 1 : column] if line <= len(lines) else ""
    down, right = offset
    if opening in ("|", ">"):  # the text begins on the next line, indented
        below = next((each for each in lines[line:] if each.strip()), "")
        return line + 1 + down, len(below) - len(below.lstrip(" ")) + 1 + right
    if down:  # a folded scalar: its lines are not those of the file
        return line, column
    return line, column + right + (opening in ("'", '"'))
