"""Where a value comes from: paths, templates and expressions of a job, compiled or told of.

In a job a template gives no value when a field that it uses is missing or null, unless it decides
on that itself (`if`, `or`, …); even then `<no value>` never reaches Canopsis. Numbers print as JSON
wrote them, for whole ones are Go's int64; a driver file has them as float64.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

from mappings.errors import Place
from mappings.golang.functions import FUNCTIONS
from mappings.goregexp import Regexp, RegexpSyntaxError, compile_regexp
from mappings.gotemplate import (
    StrMap,
    Template,
    TemplateExecError,
    TemplateSyntaxError,
    compile_template,
)
from mappings.paths import Path, PathError, parse_path
from mappings.rules import Computed, Constant, Copy, FirstOf, Origin
from mappings.value_rule import ValueRule
from mappings.vocabulary import suggestion

TextOf = Callable[[Any], str | None]

_ONE_GROUP = re.compile(r"\{\{\s*\.RegexMatch\.(\w+)\s*\}\}")
_UNKNOWN_FUNCTION = re.compile(r'function "(.+)" not defined')
_DECIDES = re.compile(r"\{\{[^}]*?\b(?:if|with|and|or|not)\b")
_WHOLE = "whole_match"
_NO_VALUE = "<no value>"  # what Go prints for a value that is not there


def origin_of(rule: ValueRule, place: Place) -> Origin | None:
    """The rule's origin; None when it is at fault, which *place* (the rule's own) was told."""
    if rule.kind == "set":
        return Constant(rule.constant)
    if rule.kind == "copy":
        path = path_of(rule.text, place / rule.spot)
        return None if path is None else Copy(path)
    if rule.first_of is not None:
        return _first_of(rule.first_of, place / "first_of")
    template = _template(rule.text, place / rule.spot) if rule.kind == "template" else None
    if rule.field is not None:
        return _over_field(rule, rule.field, template, place)
    return None if template is None else _over_record(template, place / rule.spot)


def _first_of(texts: Sequence[str], place: Place) -> Origin | None:
    """The first of several paths and templates over the record."""
    origins: list[Origin | None] = []
    for rank, text in enumerate(texts):
        at = place / rank
        if "{{" not in text:
            path = path_of(text, at)
            origins.append(None if path is None else Copy(path))
        else:
            template = _template(text, at)
            origins.append(None if template is None else _over_record(template, at))
    for rank, origin in enumerate(origins):
        if isinstance(origin, Constant):
            (place / rank).tell("a constant has no place in first_of", "write it as default:")
    good = tuple(origin for origin in origins if isinstance(origin, Copy | Computed))
    return FirstOf(good) if len(good) == len(texts) else None


def path_of(text: str, place: Place) -> Path | None:
    """The path written at *place*; None when it is at fault, which *place* was told."""
    try:
        return parse_path(text)
    except PathError as error:
        place.tell(str(error), error.mend)
        return None


def _template(text: str, place: Place) -> Template | None:
    try:
        return compile_template(text)
    except TemplateSyntaxError as error:
        unknown = _UNKNOWN_FUNCTION.search(error.cause)
        mend = suggestion(unknown[1], FUNCTIONS, "functions") if unknown else ""
        offset = (error.line - 1, error.column - 1)
        place.tell(f"template: {error.cause}", mend, offset=offset)
        return None


def _regexp(text: str, place: Place) -> Regexp | None:
    try:
        return compile_regexp(text)
    except RegexpSyntaxError as error:
        line_start = text.rfind("\n", 0, error.offset) + 1
        offset = (text.count("\n", 0, error.offset), error.offset - line_start)
        place.tell(str(error), offset=offset)
        return None


def _over_record(template: Template, place: Place) -> Origin | None:
    if "*" in template.fields:
        place.tell(
            "the template looks into the record as a whole, so what it needs cannot be asked for",
            "name its fields, such as .location.site",
        )
        return None
    paths = tuple(tuple(field.split(".")) for field in sorted(template.fields))
    if paths and _decides(template):
        return Computed(_present(template.function), "fields", paths, tolerant=True)
    if paths:
        return Computed(template.function, "record", paths)
    try:
        return Constant(template.render({}))
    except TemplateExecError as error:
        place.tell(str(error), offset=(error.line - 1, error.column - 1))
        return None


def _over_field(
    rule: ValueRule, field: str, template: Template | None, place: Place
) -> Origin | None:
    """A template over `.Field`, a regexp, or both."""
    path = path_of(field, place / "field")
    regexp = None if rule.regexp is None else _regexp(rule.regexp, place / "regexp")
    if (regexp is None) != (rule.regexp is None):
        return None
    if template is not None and not _sees(template, regexp, place / rule.spot):
        return None
    if path is None or (template is None) != (rule.kind == "regexp"):
        return None
    if regexp is not None:
        return Computed(_of_match(regexp, template), "text", (path,))
    return None if template is None else _of_field(template, path)


def _sees(template: Template, regexp: Regexp | None, place: Place) -> bool:
    """Whether a template keeps to what it is given; if not, *place* is told."""
    known = {"Field"}
    if regexp is not None:
        known |= {"RegexMatch", *(f"RegexMatch.{key}" for key, _ in regexp.names)}
    for field in sorted(template.fields - known):
        what = f"with field a template does not see .{field}"
        place.tell(what, suggestion(field, known, "it sees"))
    return template.fields <= known


def _of_field(template: Template, path: Path) -> Origin:
    decides = _decides(template)
    render = template.field_function

    def text_of(value: Any) -> str:
        return render(value, None)

    return Computed(_present(text_of) if decides else text_of, "value", (path,), tolerant=decides)


def _of_match(regexp: Regexp, template: Template | None) -> TextOf:
    """What makes a text of the match in a text; None without a match."""
    if template is None:
        return _of_group(regexp, next((key for key, _ in regexp.names if not key.isdecimal()), ""))
    alone = _ONE_GROUP.fullmatch(template.text)
    if alone is not None:
        return _of_group(regexp, alone[1])
    groups_of, render = regexp.groups, template.field_function

    def text_of(text: str) -> str | None:
        groups = groups_of(text)
        return None if groups is None else render(text, StrMap(groups))

    return text_of


def _of_group(regexp: Regexp, key: str) -> TextOf:
    """What gives one group of the match, or with "" the whole of it."""
    if not key:  # as a named group, which does not move the numbers of back-references
        regexp, key = compile_regexp(f"(?P<{_WHOLE}>{regexp.text})"), _WHOLE
    groups_of = regexp.groups
    if regexp.pattern is None:
        return lambda text: None if (groups := groups_of(text)) is None else groups[key]
    search, limit, number = regexp.pattern.search, regexp.limit, dict(regexp.names)[key]

    def text_of(text: str) -> str | None:
        if len(text) > limit:
            groups = groups_of(text)
            return None if groups is None else groups[key]
        match = search(text)
        return (match[number] or "") if match else None

    return text_of


def _decides(template: Template) -> bool:
    """Whether the template has a say of its own when a field is missing or null."""
    return _DECIDES.search(template.text) is not None


def _present(text_of: Callable[[Any], str]) -> TextOf:
    """The same, where a text that shows a value that is not there is no value."""

    def present(value: Any) -> str | None:
        text = text_of(value)
        return None if _NO_VALUE in text else text

    return present
