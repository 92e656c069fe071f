"""Where the rows of a lookup come from: the job itself, a CSV file beside it, another dataset.

{production: prod, test: qualif}                         rows in place, or under `rows:`
{csv: sites.csv, key: code, value: label}                a file in the job's folder
{dataset: locations, key: id, value: name}               a dataset of the job, read first
{dataset: links, key: server, value: app, many: true}    all values of a key, as an array
"""

from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Annotated, Self

from pydantic import Discriminator, Field, GetJsonSchemaHandler, Tag, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from mappings.constants import ROWS_SCHEMA, RowsField
from mappings.errors import Path
from mappings.strict import Bare, refusal

_PLACE = "put the file beside the job, and write its name"
# The bytes of the file of that name, written at that place of the job; raises OSError.
ReadFile = Callable[[str, Path], bytes]


class TableRule(Bare):
    """A table: its rows, or where they are read.

    A mapping without `csv`, `dataset`, or `key` and `value`, is taken for the rows.
    """

    written = "rows `key: value`, a line each or between braces"
    scalars = ()

    rows: RowsField | None = Field(
        default=None,
        description="Rows `value in the source: value`; needed only to tell them apart.",
    )
    csv: str | None = Field(
        default=None, description="Path of a CSV file with a header, in the folder of the job."
    )
    dataset: str | None = Field(
        default=None, description="Dataset of the job whose records are the rows; it is read first."
    )
    key: str | None = Field(
        default=None, description="Column, or path of the field, that is compared with the value."
    )
    value: str | None = Field(
        default=None, description="Column, or path of the field, that the value becomes."
    )
    many: bool = Field(
        default=False,
        strict=True,
        description="Whether a key may have several values, which are given as an array.",
    )
    delimiter: str | None = Field(
        default=None,
        min_length=1,
        max_length=1,
        description="Character between the columns; the likeliest of `;`, `,`, tab and `|`.",
    )
    encoding: str = Field(default="utf-8-sig", description="Encoding of the CSV file.")

    @classmethod
    def dressed(cls, data: object) -> object:
        return data if _tells_where(data) else {"rows": data}

    @model_validator(mode="after")
    def _has_rows(self) -> Self:
        origins = [key for key in ("rows", "csv", "dataset") if getattr(self, key) is not None]
        read = self.rows is None
        beside, column = len(self.model_fields_set) > 1, "name the column"
        for wrong, what, mend, *spot in (
            (not origins, "a table needs rows, csv or dataset", "write rows `key: value`"),
            (len(origins) > 1, f"{' and '.join(origins)} exclude each other", "keep one of them"),
            (read and self.key is None, "key is missing: the column that is compared", column),
            (read and self.value is None, "value is missing: the column that is given", column),
            (not read and beside, "rows stand alone", "remove what is beside them", "rows"),
            (self._strays(), "a path stays in the job's folder", _PLACE, "csv"),
            (self._dressed_as_file(), "delimiter and encoding are for csv", "remove them"),
        ):
            if wrong:
                raise refusal(what, mend, *spot)
        return self

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Allows the rows in place."""
        schema = super().__get_pydantic_json_schema__(core, handler)
        schema["additionalProperties"] = ROWS_SCHEMA
        return schema

    def _strays(self) -> bool:
        return self.csv is not None and not _stays(self.csv)

    def _dressed_as_file(self) -> bool:
        return self.csv is None and bool(self.model_fields_set & {"delimiter", "encoding"})


LookupField = Annotated[
    Annotated[str, Tag("the name")] | Annotated[TableRule, Tag("the table")],
    Discriminator(lambda written: "the name" if isinstance(written, str) else "the table"),
]


def _tells_where(written: object) -> bool:
    if not isinstance(written, dict):
        return False
    words = written.keys()
    alone = len(words) == 1 and all(isinstance(each, dict) for each in written.values())
    return alone or bool(words & {"csv", "dataset"}) or words >= {"key", "value"}


def _stays(path: str) -> bool:
    """Whether a path is below the folder that it starts from."""
    pure = PurePosixPath(path)
    leaves = pure.is_absolute() or ".." in pure.parts or bool({"\\", ":"} & set(path))
    return bool(path.strip()) and not leaves
