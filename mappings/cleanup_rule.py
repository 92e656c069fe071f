"""What a source writes in place of nothing: blanks, `[text]`, "0" as a key, `N/A`.

    cleanup:
      assets: {blank: true, untranslated: true, zero: [LOCATION_ID], null_values: ["-", N/A]}

Such values are null to all that reads the dataset: rules, `when`, lookups, expectations. Only what
is read is cleaned, so that a field that nobody maps costs nothing.
"""

from typing import Annotated

from pydantic import Field, PlainValidator, WithJsonSchema

from mappings.constants import FieldsField, texts_by_field
from mappings.strict import Strict

_TEXTS = {"type": "array", "items": {"type": "string"}}


class CleanupRule(Strict):
    """What stands for no value in the records of a dataset."""

    blank: FieldsField = Field(
        default=False, description="Texts that are empty or blank: true, or the fields."
    )
    untranslated: FieldsField = Field(
        default=False, description="Texts in square brackets, `[Texte]`: true, or the fields."
    )
    zero: FieldsField = Field(
        default=False, description="0, as a text or as a number: true, or the fields."
    )
    null_values: Annotated[
        dict[str, tuple[str, ...]],
        PlainValidator(texts_by_field),
        WithJsonSchema({"anyOf": [_TEXTS, {"type": "object", "additionalProperties": _TEXTS}]}),
    ] = Field(
        default_factory=dict,
        description="Texts such as `N/A`: a list for all fields, or lists by field.",
    )
