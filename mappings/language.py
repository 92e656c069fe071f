"""The `mapping:` block of a job file, as pydantic models: the single truth of the language.

    MappingBlock ⊃ TableRule, CleanupRule, ExpectRule
                 ⊃ EntityBlock ⊃ WhenRule
                               ⊃ ComponentRule, ResourceRule, ServiceRule ⊃ InfoRule ⊃ ValueRule

Models hold what was written and refuse what contradicts itself; what a text *means* (paths,
templates, tables) is settled by `mappings.compile`.
"""

from typing import Annotated, Literal, Self

from pydantic import Discriminator, Field, GetJsonSchemaHandler, Tag, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from mappings.cleanup_rule import CleanupRule
from mappings.constants import ConstantField, RatioField, TextsField
from mappings.strict import Bare, Strict, refusal
from mappings.table_rule import TableRule
from mappings.value_rule import FLAT_WORDS, ORIGINS, ValueRule
from mappings.when_rule import WhenRule


class InfoRule(Bare):
    """One key of `infos`: `{value: …, description: …}`, or the value alone.

    A value written as a mapping may have the description beside it: `{copy: …, description: …}`.
    """

    written = ValueRule.written
    flat_words = ORIGINS

    value: ValueRule = Field(description="Where the info's value comes from.")
    description: str = Field(default="", description="Text shown in Canopsis, taken literally.")

    @classmethod
    def dressed(cls, data: object) -> object:
        if isinstance(data, dict):
            if ("value" in data and "type" not in data) or data.keys().isdisjoint(FLAT_WORDS):
                return data
            value = {key: value for key, value in data.items() if key != "description"}
            return {"value": value, "description": data.get("description", "")}
        return {"value": data}

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Allows the words of a value beside the description: the flat form."""
        schema = super().__get_pydantic_json_schema__(core, handler)
        words = [field.alias or name for name, field in ValueRule.model_fields.items()]
        schema["patternProperties"] = {f"^({'|'.join(words)})$": True}
        schema.pop("required", None)
        return schema


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


Include = str | tuple[str, ...]
_INCLUDED = "Files whose keys are added to these (`mappings.fragments`)."


class EntityRule(Strict):
    """What an entity of any kind has."""

    include: Include = Field(default=(), description=_INCLUDED)
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

    include: Include = Field(default=(), description=_INCLUDED)
    dataset: str = Field(description="Name of the dataset, declared under `source.datasets`.")
    when: WhenRule | None = Field(
        default=None, description="Conditions on the record; others are left out of the feed."
    )
    each: ValueRule | None = Field(
        default=None,
        description="What gives a list, or a map, of the record: one entity for each item. Paths "
        "and templates then start at the item; `$parent.` leads to the record, `$key` is the "
        "item's key or rank.",
    )
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
            what = "nothing to map to: add component, resource or service"
            raise refusal(what, "write such as component: {name: …}")
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
    unique: tuple[str, ...] = Field(
        default=(), description="Infos, or fields that a rule reads, of which no two are the same."
    )
    allowed: dict[str, TextsField] = Field(
        default_factory=dict,
        description="By info, or by field that a rule reads: the values that it may have.",
    )


class MappingBlock(Strict):
    """The `mapping:` block: records in, entities out."""

    include: Include = Field(default=(), description=_INCLUDED)
    variables: dict[str, ConstantField] = Field(
        default_factory=dict,
        description="What `${name}` stands for in the texts of the job; a job's go before those of "
        "its fragments.",
    )
    lookups: dict[str, TableRule] = Field(
        default_factory=dict,
        description="Tables by name: rows `value in the source: value`, or where they are read.",
    )
    cleanup: dict[str, CleanupRule] = Field(
        default_factory=dict, description="By dataset: what stands for no value in its records."
    )
    entities: tuple[EntityBlock, ...] = Field(description="What each dataset becomes.")
    expect: dict[str, ExpectRule] = Field(
        default_factory=dict, description="By dataset: what its data looks like on a good day."
    )

    @model_validator(mode="after")
    def _maps_something(self) -> Self:
        if not self.entities:
            what = "entities is empty: nothing would be loaded"
            raise refusal(what, "write a block `- dataset: …`", "entities")
        return self
