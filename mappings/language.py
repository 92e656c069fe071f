"""The `mapping:` block of a job file, as pydantic models: the single truth of the language.

    MappingBlock ⊃ EntityBlock ⊃ ComponentRule, ResourceRule, ServiceRule ⊃ InfoRule ⊃ ValueRule

A value is written long, as in the driver (`specs/driver-compat.md` §1.4), or short:

    {type: copy, value: location.site}       location.site            {copy: location.site}
    {type: set, value: Server}               {set: Server}            (numbers and booleans bare)
    {type: template, value: "{{ .Field }}", field: site, regexp: …}   {template: …, field:, regexp:}
    {type: regexp, regexp: …, field: site}   {regexp: …, field: site}
    "APP-{{ .code }}"                        a string with {{ is a template over the record

Models hold what was written and refuse what contradicts itself; what a text *means* (paths,
templates, tables) is settled by `mappings.compile`.
"""

from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    GetJsonSchemaHandler,
    PrivateAttr,
    Tag,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from mappings.constants import ConstantField, LookupField, RatioField, TableField
from mappings.errors import Path

ORIGINS = ("type", "copy", "set", "template", "regexp")
UnknownPolicy = Literal["reject", "warn", "keep", "default"]


class Strict(BaseModel):
    """Configuration: frozen, and a word it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Bare(Strict):
    """A model that may also be written as one scalar; `bare` tells that it was."""

    bare_schema: ClassVar[JsonSchemaValue] = {"type": "string"}
    _bare: bool = PrivateAttr(default=False)

    @classmethod
    def dressed(cls, data: object) -> object:
        """The scalar as the mapping it stands for; anything else unchanged."""
        return data

    @model_validator(mode="wrap")
    @classmethod
    def _read(cls, data: object, handler: Callable[[object], Self]) -> Self:
        dressed = cls.dressed(data)
        model = handler(dressed)
        model._bare = dressed is not data  # noqa: SLF001 - a private attribute of this very class
        return model

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"anyOf": [cls.bare_schema, handler(core)]}

    @property
    def bare(self) -> bool:
        return self._bare


class ValueRule(Bare):
    """Where a value comes from, and what to do when it is not there."""

    bare_schema: ClassVar[JsonSchemaValue] = {
        "type": ["string", "number", "boolean"],
        "description": "A path; a template when it holds {{; a number or boolean is a constant.",
    }

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
    lookup: LookupField | None = Field(
        default=None,
        description="Table that translates the value: a name of `mapping.lookups`, or its rows.",
    )
    unknown: UnknownPolicy | None = Field(
        default=None,
        description="What a value outside the lookup does: reject the record, warn and leave the "
        "value out, keep it as it is, or take the default. Reject, unless there is a default.",
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
        origins = self._origins()
        for wrong, what in (
            (self.value is not None and self.type is None, "value needs type: set, copy, template"),
            (not origins, "no value: write a path, or one of copy, set, template"),
            (len(origins) > 1, f"{' and '.join(origins)} exclude each other"),
            (self._lacks_value(), f"type {self.type} needs value"),
            (self._not_a_text(), f"the value of type {self.type} must be a text"),
            (self.field is not None and not self._sees_field(), "field needs template or regexp"),
            (self.regexp is not None and self.field is None, "regexp needs field, its subject"),
            (self.kind == "regexp" and self.regexp is None, "type regexp needs regexp"),
            (self.unknown is not None and self.lookup is None, "unknown needs a lookup"),
            (self.unknown == "default" and self.default is None, "unknown: default needs default"),
            (self.required and self.default is not None, "required and default contradict"),
            (self._is_sure(), "a constant needs no lookup, default or required"),
        ):
            if wrong:
                raise PydanticCustomError("value_rule", what)
        return self

    @property
    def kind(self) -> Literal["set", "copy", "template", "regexp"]:
        if self.type == "regexp" and self.value is not None:
            return "template"
        if self.type is not None:
            return self.type
        if self.template is not None:
            return "template"
        if self.copy_ is not None:
            return "copy"
        return "set" if self.set_ is not None else "regexp"

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

    def _origins(self) -> list[str]:
        given = [key for key in ("type", "template") if getattr(self, key) is not None]
        given += [key for key in ("copy", "set") if getattr(self, f"{key}_") is not None]
        return given or (["regexp"] if self.regexp is not None else [])

    def _sees_field(self) -> bool:
        return self.kind in ("template", "regexp")

    def _lacks_value(self) -> bool:
        return self.value is None and self.type in ("set", "copy", "template")

    def _not_a_text(self) -> bool:
        return self.value is not None and self.type != "set" and not isinstance(self.value, str)

    def _is_sure(self) -> bool:
        options = self.required or self.lookup is not None or self.default is not None
        return self.kind == "set" and options


class InfoRule(Bare):
    """One key of `infos`: `{value: …, description: …}`, or the value alone."""

    value: ValueRule = Field(description="Where the info's value comes from.")
    description: str = Field(default="", description="Text shown in Canopsis, taken literally.")

    @classmethod
    def dressed(cls, data: object) -> object:
        if isinstance(data, dict):
            if ("value" in data and "type" not in data) or data.keys().isdisjoint(ORIGINS):
                return data
            value = {key: value for key, value in data.items() if key != "description"}
            return {"value": value, "description": data.get("description", "")}
        return {"value": data}


class ConditionRule(Strict):
    """One condition of a service's pattern (`specs/canopsis.md` §4)."""

    field: str = Field(
        description="What is compared: name, type, category, component, impact_level, infos.<key>."
    )
    cond: str = Field(description="How: eq, neq, is_one_of, has_one_of, regexp, contain, exist, …")
    value: ValueRule = Field(
        description="With what. A condition that takes a list gathers the values of all the "
        "records of one service."
    )
    field_type: Literal["string", "int", "bool", "string_array"] | None = Field(
        default=None, description="Type of the info; needed for infos, unless cond is exist."
    )


def _shape(data: object) -> str:
    if not isinstance(data, list):
        return "one"
    return "any" if data and isinstance(data[0], list) else "all"


Pattern = Annotated[
    Annotated[ConditionRule, Tag("one")]
    | Annotated[tuple[ConditionRule, ...], Tag("all")]
    | Annotated[tuple[tuple[ConditionRule, ...], ...], Tag("any")],
    Discriminator(_shape),
]


class EntityRule(Strict):
    """What an entity of any kind has."""

    name: ValueRule = Field(description="The entity's name; a record without it is a reject.")
    category: ValueRule | None = Field(
        default=None, description="Name of the category; Canopsis creates it when it is new."
    )
    impact_level: ValueRule | None = Field(
        default=None, description="From 1 to 10; 1 when the rule gives nothing."
    )
    infos: dict[str, InfoRule] = Field(
        default_factory=dict, description="The entity's infos, complete, by their key."
    )


class ComponentRule(EntityRule):
    """A component: a server, a device."""


class ResourceRule(EntityRule):
    """A resource of a component: its identity is `name/component`."""

    component: ValueRule = Field(description="Name of the component that it belongs to.")


class ServiceRule(EntityRule):
    """A service: what depends on it is found by its pattern."""

    pattern: Pattern = Field(
        description="One condition, a list of conditions that all hold, or a list of such lists of "
        "which one holds."
    )
    output_template: ValueRule | None = Field(
        default=None, description="Canopsis template of the service's output."
    )


class EntityBlock(Strict):
    """The entities that the records of one dataset become."""

    dataset: str = Field(description="Name of the dataset, declared under `source.datasets`.")
    component: ComponentRule | None = Field(default=None, description="One component a record.")
    resource: ResourceRule | None = Field(default=None, description="One resource a record.")
    service: ServiceRule | None = Field(
        default=None, description="One service a record, or for all records of the same name."
    )
    ignore: tuple[str, ...] = Field(
        default=(), description="Paths of fields that are not mapped, on purpose."
    )

    @model_validator(mode="after")
    def _maps_something(self) -> Self:
        if not (self.component or self.resource or self.service):
            raise PydanticCustomError(
                "entity_block", "nothing to map to: add component, resource or service"
            )
        return self


class ExpectRule(Strict):
    """What a dataset looks like on a good day; otherwise the run is refused."""

    min: int | None = Field(default=None, ge=0, strict=True, description="Fewest records.")
    max: int | None = Field(default=None, ge=0, strict=True, description="Most records.")
    filled: dict[str, RatioField] = Field(
        default_factory=dict,
        description="By info: the smallest share of entities that have it, such as 0.9 or 90%.",
    )
    rejects: RatioField | None = Field(
        default=None, description="Largest share of records that may be rejects."
    )


class MappingBlock(Strict):
    """The `mapping:` block: records in, entities out."""

    lookups: dict[str, TableField] = Field(
        default_factory=dict, description="Tables by name: rows `value in the source: value`."
    )
    entities: tuple[EntityBlock, ...] = Field(description="What each dataset becomes.")
    expect: dict[str, ExpectRule] = Field(
        default_factory=dict, description="By dataset: what its data looks like on a good day."
    )

    @model_validator(mode="after")
    def _maps_something(self) -> Self:
        if not self.entities:
            raise PydanticCustomError("mapping_block", "entities is empty: nothing would be loaded")
        return self
