"""A value of a driver file, read from its node.

It is written `{type: set|copy|template|regexp, value:, field:, regexp:}`, in the legacy dialect as
the text of a path. Templates and expressions are compiled while it is read, so that a file with a
bad one is refused before anything is asked of anybody (decision D14 of `specs/driver-compat.md`).
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from mappings.driver import Path, Value, ValueType
from mappings.driver_sheet import Entry, Sheet
from mappings.golang.functions import FUNCTIONS
from mappings.goregexp import Regexp, RegexpSyntaxError, compile_regexp
from mappings.gotemplate import Template, TemplateSyntaxError, compile_template
from mappings.goyaml import Mapping, Scalar, Sequence
from mappings.vocabulary import suggestion

TYPES = ("set", "copy", "template", "regexp")
_WORDS = ("type", "value", "field", "regexp")
_UNKNOWN_FUNCTION = re.compile(r'function "(.+)" not defined')
_WHOLE = "whole_match"
_AS_GO = "write the template as Go's text/template does"


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
        if entry is None or entry.empty:
            return None
        if self.legacy:
            return self._copy(entry)
        if isinstance(entry.node, Mapping):
            return self._read(entry, self.sheet.entries(entry, _WORDS))
        what = f"{entry.key.text} must be a mapping {{type: …, value: …}}"
        field = entry.node.text if isinstance(entry.node, Scalar) else ""
        self.sheet.fault(
            entry.node, what, f"to copy a field write {{type: copy, value: {field or '…'}}}"
        )
        return None

    def _read(self, entry: Entry, given: dict[str, Entry]) -> Value | None:
        if "type" not in given or given["type"].empty:
            self.sheet.missing(entry, "type", f"add `type:`, one of {', '.join(TYPES)}")
            return None
        kind = self.sheet.word_at(given["type"], TYPES)
        if kind is None:
            return None
        if kind in ("template", "regexp"):
            return self._computed(entry, given, kind)
        for word in ("field", "regexp"):
            if word in given:
                self.sheet.remark(given[word].key, f"{word} says nothing to a value of type {kind}")
        if "value" not in given:
            self.sheet.missing(entry, "value")
            return None
        return self._constant(given["value"]) if kind == "set" else self._copy(given["value"])

    def _copy(self, entry: Entry) -> Value | None:
        path = self._path(entry)
        return None if path is None else self._value(entry, "copy", path=path)

    def _value(self, entry: Entry, kind: ValueType, **parts: Any) -> Value:
        return Value(kind, line=entry.node.line, column=entry.node.column, **parts)

    def _constant(self, entry: Entry) -> Value | None:
        """The source text of a scalar (decision D10), or the texts of a list."""
        if not isinstance(entry.node, Sequence):
            text = self.sheet.text_at(entry)
            return None if text is None else self._value(entry, "set", constant=text)
        texts = [self.sheet.text_at(Entry(entry.key, item)) for item in entry.node.items]
        whole = tuple(text for text in texts if text is not None)
        return self._value(entry, "set", constant=whole) if len(whole) == len(texts) else None

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
        if "value" not in given and kind == "template":
            self.sheet.missing(entry, "value")
        if regexp is not None and "field" not in given:
            what = "a regexp without field never matches: the value is always absent"
            self.sheet.remark(given["regexp"].key, what, "add `field:`")
        if len(self.sheet.faults) > before:
            return None
        if template is None and regexp is not None:
            regexp, template = self._bare(given["regexp"], regexp)
        elif template is not None:
            self._check_names(given["value"], template, regexp)
        return self._value(entry, "template", path=path, template=template, regexp=regexp)

    def _bare(self, entry: Entry, regexp: Regexp) -> tuple[Regexp, Template]:
        """A regexp that has no template: its first named group, else the whole match (D1)."""
        what = "a regexp without value gives its first named group, else the whole match"
        self.sheet.remark(entry.key, what, "say it in `value:`, a template")
        named = next((key for key, _ in regexp.names if not key.isdecimal()), "")
        if not named:  # as a named group, which does not move the numbers of back-references
            regexp, named = compile_regexp(f"(?P<{_WHOLE}>{regexp.text})"), _WHOLE
        return regexp, compile_template(f"{{{{ .RegexMatch.{named} }}}}")

    def _template(self, entry: Entry) -> Template | None:
        text = self.sheet.text_at(entry)
        if text is None:
            return None
        try:
            return compile_template(text, self.zone, json_numbers=not self.plain_numbers)
        except TemplateSyntaxError as error:
            unknown = _UNKNOWN_FUNCTION.search(error.cause)
            mend = suggestion(unknown[1], FUNCTIONS, "functions") if unknown else _AS_GO
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
            self.sheet.fault(entry.node, str(error), "write it as Go's regexp does", offset=offset)
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
