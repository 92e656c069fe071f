"""One value as a job writes it, in its long and short forms.

    {type: copy, value: location.site}       location.site            {copy: location.site}
    {type: set, value: Server}               {set: Server}            (numbers and booleans bare)
    {type: template, value: "{{ .Field }}", field: site, regexp: …}   {template: …, field:, regexp:}
    {type: regexp, regexp: …, field: site}   {regexp: …, field: site}
    "APP-{{ .code }}"                        a string with {{ is a template over the record
    {first_of: [alias, "{{ .id }}"]}         the first that is there and not blank

The long form is the driver's (`specs/driver-compat.md` §1.4).

A value is absent when its path is missing or null, its expression does not match, its template
would show a value that is not there, or its lookup says so. Then `default` takes its place; without
one an info or a category is left out, and a name, a component or a pattern (or whatever is
`required`) makes the record a reject. What Canopsis cannot hold (an object, a mixed array) is
refused: counted, and the value absent. A lookup translates what was found, never the default; the
text of its keys is compared, so that 1 and "1" are one. The other options are applied around the
lookup, in the order that `mappings.options` tells.
"""

from collections.abc import Iterator
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from mappings.cast_rule import CastRule, Step
from mappings.constants import ConstantField
from mappings.errors import Path
from mappings.options import Case, Digest, chained, of_text, of_value
from mappings.strict import Bare, refusal
from mappings.table_rule import LookupField

ORIGINS = ("type", "copy", "set", "template", "regexp", "first_of")
UnknownPolicy = Literal["reject", "warn", "keep", "default"]


class ValueRule(Bare):
    """Where a value comes from, and what to do when it is not there.

    Written as one text it is a path, or a template when it holds {{; as a number, a constant.
    """

    written = "a path, a template in quotes, a constant, or words such as {copy: status}"

    type: Literal["set", "copy", "template", "regexp"] | None = Field(
        default=None, description="Long form: what `value` is. The short forms need no type."
    )
    value: ConstantField | None = Field(
        default=None, description="Long form: the constant, the path, or the template."
    )
    copy_: str | None = Field(
        default=None, alias="copy", description="Path of the field to copy, such as location.site."
    )
    set_: ConstantField | None = Field(
        default=None, alias="set", description="A constant: string, number, boolean, strings."
    )
    template: str | None = Field(
        default=None,
        description="Go template over the record; with `field`, over .Field and .RegexMatch.",
    )
    field: str | None = Field(
        default=None, description="Path of the value that a template sees as .Field."
    )
    regexp: str | None = Field(
        default=None,
        description="Go regular expression run on `field`; its groups are .RegexMatch. Without a "
        "template the value is the first named group, else the whole match.",
    )
    first_of: tuple[str, ...] | None = Field(
        default=None,
        description="Paths and templates: the first that gives a value which is not blank.",
    )
    split: str | None = Field(
        default=None,
        min_length=1,
        description="Separator at which a text becomes an array; blank pieces are left out.",
    )
    trim: bool = Field(
        default=False,
        strict=True,
        description="Remove blanks around a text; a text of blanks alone is then no value.",
    )
    strip_accents: bool = Field(
        default=False, strict=True, description="Write a text in bare letters: é as e, œ as oe."
    )
    case: Case | None = Field(default=None, description="Case of a text: upper, lower or title.")
    lookup: LookupField | None = Field(
        default=None,
        description="Table that translates the value: a name of `mapping.lookups`, or a table.",
    )
    unknown: UnknownPolicy | None = Field(
        default=None,
        description="What a value outside the lookup does: reject the record, warn and leave the "
        "value out, keep it as it is, or take the default. Reject, unless there is a default.",
    )
    join: str | None = Field(
        default=None, description="What stands between the items of an array made one text."
    )
    hash: Digest | None = Field(
        default=None, description="Digest in place of the value, as hexadecimal: sha256 or xxh3."
    )
    cast: CastRule | None = Field(
        default=None,
        description="Type that the value is given: int, float, bool, string, string_array, date; "
        "or a mapping with type, and for a date its format and zone.",
    )
    default: ConstantField | None = Field(
        default=None, description="The value when the rule gives none."
    )
    required: bool = Field(
        default=False,
        strict=True,
        description="Reject a record for which the rule gives no value.",
    )

    @classmethod
    def dressed(cls, data: object) -> object:
        if isinstance(data, str):
            return {"template" if "{{" in data else "copy": data}
        return {"set": data} if isinstance(data, bool | int | float) else data

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        for wrong, what, mend, *spot in (*self._origin_checks(), *self._option_checks()):
            if wrong:
                raise refusal(what, mend, *spot)
        return self

    @property
    def kind(self) -> Literal["set", "copy", "template", "regexp", "first_of"]:
        if self.type == "regexp" and self.value is not None:
            return "template"
        if self.type is not None:
            return self.type
        if self.template is not None:
            return "template"
        if self.copy_ is not None:
            return "copy"
        if self.first_of is not None:
            return "first_of"
        return "set" if self.set_ is not None else "regexp"

    @property
    def steps_before(self) -> Step | None:
        """What is done to a value that was found."""
        return chained(
            of_text(
                split=self.split,
                trim=self.trim,
                strip_accents=self.strip_accents,
                case=self.case,
            )
        )

    @property
    def steps_after(self) -> Step | None:
        """What is done to what the lookup gave."""
        return chained(of_value(join=self.join, digest=self.hash, cast=self.cast))

    @property
    def text(self) -> str:
        """The path of a copy, the text of a template; "" otherwise."""
        written = self.value if self.type else self.copy_ or self.template
        return written if isinstance(written, str) else ""

    @property
    def constant(self) -> Any:
        """The constant of a set."""
        return self.value if self.type else self.set_

    @property
    def spot(self) -> Path:
        """Where, under this rule, the path, template or constant is written."""
        if self.bare:
            return ()
        return ("value",) if self.type else (self.kind,)

    @property
    def on_unknown(self) -> UnknownPolicy:
        return self.unknown or ("reject" if self.default is None else "default")

    def _origin_checks(self) -> Iterator[tuple[Any, ...]]:
        """What may be wrong with where the value comes from: whether it is, what, mend, word."""
        origins, kind = self._origins(), self.type
        yield (
            self.value is not None and not kind,
            "value needs type: set, copy, template",
            "add type:",
            "value",
        )
        yield self.first_of == (), "first_of is empty", "write `[a, b]`", "first_of"
        write = "write such as {copy: status}"
        yield not origins, "no value: write a path, or one of copy, set, template", write
        both = " and ".join(origins)
        yield len(origins) > 1, f"{both} exclude each other", "keep one of them", *origins[1:2]
        yield self._lacks_value(), f"type {kind} needs value", "add value:", "type"
        what = f"the value of type {kind} must be a text"
        yield self._not_a_text(), what, "put it in quotes", "value"
        seen = self.field is None or self._sees_field()
        yield not seen, "field needs template or regexp", "add one of them", "field"
        alone = self.regexp is not None and self.field is None
        yield alone, "regexp needs field, its subject", "add field:", "regexp"
        lacks = self.kind == "regexp" and self.regexp is None
        yield lacks, "type regexp needs regexp", "add regexp:", "type"

    def _option_checks(self) -> Iterator[tuple[Any, ...]]:
        """What may be wrong with the options: whether it is, what, the mend, the word."""
        alone = self.unknown is not None and self.lookup is None
        yield alone, "unknown needs a lookup", "add lookup:, or remove unknown", "unknown"
        lacks = self.unknown == "default" and self.default is None
        yield lacks, "unknown: default needs default", "add default:", "unknown"
        both = self.required and self.default is not None
        yield both, "required and default contradict", "keep one of them", "required"
        what = "a constant needs no options: write it as it should be"
        yield self._is_dressed_up(), what, "remove the options"
        what = "a constant needs no lookup, default or required"
        yield self._is_sure(), what, "remove them"

    def _origins(self) -> list[str]:
        given = [key for key in ("type", "template", "first_of") if getattr(self, key) is not None]
        given += [key for key in ("copy", "set") if getattr(self, f"{key}_") is not None]
        return given or (["regexp"] if self.regexp is not None else [])

    def _sees_field(self) -> bool:
        return self.kind in ("template", "regexp")

    def _lacks_value(self) -> bool:
        return self.value is None and self.type in ("set", "copy", "template")

    def _not_a_text(self) -> bool:
        return self.value is not None and self.type != "set" and not isinstance(self.value, str)

    def _is_dressed_up(self) -> bool:
        options = self.steps_before is not None or self.steps_after is not None
        return self.kind == "set" and options

    def _is_sure(self) -> bool:
        options = self.required or self.lookup is not None or self.default is not None
        return self.kind == "set" and options


# What tells a value written flat, beside its description, from `{value: …, description: …}`.
FLAT_WORDS = frozenset(field.alias or key for key, field in ValueRule.model_fields.items()) - {
    "value"
}
