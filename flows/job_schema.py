"""The JSON Schema of a job file, for editors: the models, and what fragments and variables allow.

A fragment may give whatever stands beside its `include`, or below: nothing is required there. What
is no text may be written as a variable, `"${name}"`, which takes its value with its type.
"""

from typing import Annotated, Any, Union

from pydantic import BaseModel, ConfigDict, Field, create_model

from flows.anonymize import RecordBlock
from flows.sync_config import SyncConfig
from mappings.constants import ConstantField
from mappings.language import Include, MappingBlock
from sources.registry import SOURCES

Schema = dict[str, Any]

_KINDS = {"component": "ComponentRule", "resource": "ResourceRule", "service": "ServiceRule"}
_VARIABLE = {"$ref": "#/$defs/Variable"}
_NO_TEXT = ("integer", "number", "boolean")
_BELOW = ("properties", "patternProperties", "$defs")  # schemas by name
_INSIDE = ("items", "additionalProperties")


def job_schema() -> Schema:
    """The schema of a job file."""
    schema = _job().model_json_schema(by_alias=True)
    _require(schema)
    schema = _with_variables(schema)
    schema["$defs"]["Variable"] = {
        "type": "string",
        "pattern": r"^\$\{[A-Za-z_]\w*\}$",
        "description": "A variable of the job, with its type.",
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _job() -> type[BaseModel]:
    configs = tuple(source.config for source in SOURCES.values())
    source: Any = Union[configs]  # noqa: UP007 - made of a tuple
    if len(configs) > 1:
        source = Annotated[source, Field(discriminator="type")]
    words = MappingBlock.model_fields
    return create_model(
        "Job",
        __config__=ConfigDict(extra="forbid", title="refsync job"),
        include=(Include, Field(default=(), description=words["include"].description)),
        variables=(
            dict[str, ConstantField],
            Field(default_factory=dict, description=words["variables"].description),
        ),
        source=(source, Field(description="Where records come from.")),
        mapping=(MappingBlock, Field(description="What records become.")),
        sync=(SyncConfig, Field(description="Where entities go.")),
        record=(
            RecordBlock,
            Field(default=RecordBlock(), description="What becomes of values that are kept."),
        ),
    )


def _require(schema: Schema) -> None:
    """Requires words of blocks only where nothing is included that could give them."""
    parts: dict[str, Schema] = schema["$defs"]

    def of(name: str) -> list[str]:
        words: list[str] = parts[name].pop("required")
        return words

    kinds = {kind: _unless_included(of(name)) for kind, name in _KINDS.items()}
    block = _unless_included(of("EntityBlock"), kinds)
    entities = {"entities": {"items": block}}
    configs = [set(of(source.config.__name__)) for source in SOURCES.values()]
    blocks = {
        "source": {"required": sorted(set.intersection(*configs))},
        "mapping": _unless_included(of("MappingBlock"), entities),
        "sync": {"required": of("SyncConfig")},
    }
    schema.update(_unless_included(schema.pop("required"), blocks))


def _unless_included(required: list[str], below: Schema | None = None) -> Schema:
    needs: Schema = {"required": required} | ({"properties": below} if below else {})
    return {"if": {"required": ["include"]}, "else": needs}


def _with_variables(schema: Any) -> Any:
    """The same, where a variable may stand for what is no text."""
    if not isinstance(schema, dict):
        return schema
    made = dict(schema)
    for word in _BELOW:
        if word in made:
            made[word] = {name: _with_variables(each) for name, each in made[word].items()}
    for word in _INSIDE:
        if word in made:
            made[word] = _with_variables(made[word])
    for union in ("anyOf", "oneOf"):
        if union in made:
            made[union] = [_with_variables(each) for each in made[union]]
    if not _is_no_text(schema):
        return made
    told = {word: made.pop(word) for word in ("title", "description", "default") if word in made}
    return {"anyOf": [made, _VARIABLE], **told}


def _is_no_text(schema: Schema) -> bool:
    kind = schema.get("type")
    if kind == "array":  # a variable is a list of scalars at most
        return "$ref" not in str(schema.get("items"))
    return "enum" in schema or "pattern" in schema or any(kind == each for each in _NO_TEXT)
