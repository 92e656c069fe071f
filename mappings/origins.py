"""Where a value comes from: paths, templates and expressions of a job, compiled or told of.

In a job a template gives no value when a field that it uses is missing or null, unless it decides
on that itself (`if`, `or`, …); even then `<no value>` never reaches Canopsis. Numbers are float64,
as Go decodes those of JSON (`docs/templates.md`); `copy` keeps them as they are.
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
from mappings.paths import KEY, PARENT, path_of
from mappings.rules import Computed, Constant, Copy, FirstOf, Origin
from mappings.value_rule import ValueRule
from mappings.vocabulary import suggestion

TextOf = Callable[[Any], str | None]

_ONE_GROUP = re.compile(r"\{\{\s*\.RegexMatch\.(\w+)\s*\}\}")
_UNKNOWN_FUNCTION = re.compile(r'function "(.+)" not defined')
_DECIDES = re.compile(r"\{\{[^}]*?\b(?:if|with|and|or|not)\b")
_WHOLE = "whole_match"
# In a block with `each` the dot is the item; what is around it has the names of variables.
_AROUND = re.compile(r"\$(parent|key)\b")
_WHOLE_PARENT = re.compile(r"\$parent\b(?!\.\w)")
_OURS = {"_parent": PARENT, "_key": KEY}
_NO_VALUE = "<no value>"  # what Go prints for a value that is not there


def origin_of(rule: ValueRule, place: Place, *, items: bool = False) -> Origin | None:
    """The rule's origin; None when it is at fault, which *place* (the rule's own) was told.

    `items`: paths and templates start at the items of an `each`.
    """
    if rule.kind == "set":
        return Constant(rule.constant)
    if rule.kind == "copy":
        path = path_of(rule.text, place / rule.spot, items=items)
        return None if path is None else Copy(path)
    if rule.first_of is not None:
        return _first_of(rule.first_of, place / "first_of", items=items)
    if rule.field is not None:
        return _over_field(rule, rule.field, place, items=items)
    return _over_record(rule.text, place / rule.spot, items=items)


def _first_of(texts: Sequence[str], place: Place, *, items: bool) -> Origin | None:
    """The first of several paths and templates over the record."""
    origins: list[Origin | None] = []
    for rank, text in enumerate(texts):
        if "{{" in text:
            origins.append(_over_record(text, place / rank, items=items))
        else:
            path = path_of(text, place / rank, items=items)
            origins.append(None if path is None else Copy(path))
    for rank, origin in enumerate(origins):
        if isinstance(origin, Constant):
            (place / rank).tell("a constant has no place in first_of", "write it as default:")
    good = tuple(origin for origin in origins if isinstance(origin, Copy | Computed))
    return FirstOf(good) if len(good) == len(texts) else None


def _template(text: str, place: Place, prelude: str = "") -> Template | None:
    """The template, after a *prelude* of ours which places do not count."""
    try:
        return compile_template(prelude + text, json_numbers=True)
    except TemplateSyntaxError as error:
        unknown = _UNKNOWN_FUNCTION.search(error.cause)
        mend = suggestion(unknown[1], FUNCTIONS, "functions") if unknown else ""
        before = len(prelude) if error.line == 1 else 0
        offset = (error.line - 1, max(0, error.column - 1 - before))
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


def _over_record(text: str, place: Place, *, items: bool) -> Origin | None:
    around = sorted(set(_AROUND.findall(text))) if items else []
    template = _template(text, place, "".join(f"{{{{${word} := ._{word}}}}}" for word in around))
    if template is None:
        return None
    if around and _WHOLE_PARENT.search(text):
        place.tell(f"{PARENT} is the whole record", f"name its field, such as {PARENT}.name")
        return None
    if "*" in template.fields:
        return _over_item(template, place, items=items, around=bool(around))
    return _over_fields(template, place, around=bool(around))


def _over_fields(template: Template, place: Place, *, around: bool) -> Origin | None:
    paths = tuple(map(_path, sorted(template.fields - {"_parent"})))
    decides = _decides(template)
    if paths and (around or decides):
        function = _present(template.function) if decides else template.function
        return Computed(function, "fields", paths, tolerant=decides)
    if paths:
        return Computed(template.function, "record", paths)
    try:
        return Constant(template.render({}))
    except TemplateExecError as error:
        place.tell(str(error), offset=(error.line - 1, error.column - 1))
        return None


def _path(field: str) -> tuple[str, ...]:
    first, *rest = field.split(".")
    return (_OURS.get(first, first), *rest)


def _over_item(template: Template, place: Place, *, items: bool, around: bool) -> Origin | None:
    """A template that looks into the dot as a whole: an item may be asked for so, a record not."""
    if not items or around:
        place.tell(
            f"the template looks into the {'item' if items else 'record'} as a whole, "
            "so what it needs cannot be asked for",
            "name its fields, such as .location.site",
        )
        return None
    decides = _decides(template)
    function = _present(template.function) if decides else template.function
    return Computed(function, "value", ((),), tolerant=decides)


def _over_field(rule: ValueRule, field: str, place: Place, *, items: bool) -> Origin | None:
    """A template over `.Field`, a regexp, or both."""
    template = _template(rule.text, place / rule.spot) if rule.kind == "template" else None
    path = path_of(field, place / "field", items=items)
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


def _of_field(template: Template, path: tuple[str, ...]) -> Origin:
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
