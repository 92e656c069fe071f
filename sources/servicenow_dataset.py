"""What a job says of a ServiceNow: tables, which of their rows, and how values are shown."""

from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from sources.base import SourceConfig, Strict, refusal
from sources.servicenow_encoded import check_encoded, check_value

_NAME: Final = r"^[a-z][a-z0-9_]*$"
_PATH: Final = r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$"
_ONE_OR_MANY: Final = {
    "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]
}
_LISTS: Final = frozenset({"is_one_of", "is_not_one_of"})
_NUMBERS: Final = frozenset({"gt", "lt"})
_WORDS: Final = ("field", "cond", "value")

RELATIONS: Final = "cmdb_rel_ci"


def _many(value: Any) -> Any:
    return (
        (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value
    )


def _column(name: str) -> str:
    check_value("field", name, _PATH)
    return name


def _class(name: str) -> str:
    check_value("class", name, _NAME)
    return name


Column = Annotated[str, AfterValidator(_column)]
Class = Annotated[str, AfterValidator(_class)]
Texts = Annotated[tuple[str, ...], BeforeValidator(_many), WithJsonSchema(_ONE_OR_MANY)]
Classes = Annotated[tuple[Class, ...], BeforeValidator(_many), WithJsonSchema(_ONE_OR_MANY)]
Scalar = str | int | bool
Cond = Literal[
    "eq",
    "neq",
    "is_one_of",
    "is_not_one_of",
    "contain",
    "not_contain",
    "begin_with",
    "end_with",
    "exist",
    "gt",
    "lt",
    "instance_of",
]


class Condition(Strict):
    """One condition on the rows, in the words of `when`; or several of which one must hold."""

    field: Column = Field("", description="Column that is compared, dot-walked or not.")
    cond: Cond | None = Field(
        None, description="How; `instance_of` a class is of it or of one that extends it."
    )
    value: Scalar | tuple[Scalar, ...] = Field(
        "", description="With what: a constant, a list for `is_one_of`, a number for `gt` and `lt`."
    )
    any: tuple["Condition", ...] = Field((), description="Conditions of which one must hold.")

    @field_validator("value")
    @classmethod
    def _constants(cls, value: Scalar | tuple[Scalar, ...]) -> Scalar | tuple[Scalar, ...]:
        for each in value if isinstance(value, tuple) else (value,):
            check_value("value", str(each))
        return value

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        if self.any:
            words = self.field or self.cond or "value" in self.model_fields_set
            if words or any(each.any for each in self.any):
                raise ValueError("`any` holds conditions and stands alone; mend: write one level")
            return self
        lacking = [word for word in _WORDS if word not in self.model_fields_set]
        if lacking or self.cond is None:
            word = lacking[0] if lacking else "cond"
            raise ValueError(f"a condition has field, cond and value; mend: write `{word}`")
        self._check_value(self.cond)
        return self

    def _check_value(self, cond: Cond) -> None:
        value = self.value
        if isinstance(value, tuple) and cond not in _LISTS:
            raise refusal(f"{cond} takes one value", "write one, or `cond: is_one_of`", "value")
        if cond in _LISTS and not (isinstance(value, tuple) and value):
            what = "takes a list" if value != () else "takes a list, and an empty list has no value"
            raise refusal(f"{cond} {what}", "write `[a, b]`", "value")
        if cond in _NUMBERS and (isinstance(value, bool) or not isinstance(value, int)):
            mend = "write digits alone; dates are for backfill windows"
            raise refusal(f"{cond} takes a whole number", mend, "value")
        if cond == "exist" and not isinstance(value, bool):
            raise refusal("exist takes true or false", "write one, without quotes", "value")
        for rank, each in enumerate(value if isinstance(value, tuple) else (value,)):
            spot = ("value", rank) if isinstance(value, tuple) else ("value",)
            if each == "":
                what = "an empty value is compared with `exist`"
                raise refusal(what, "write `cond: exist, value: false`", *spot)
            if cond in _LISTS and "," in str(each):
                what = f"a list cannot hold {each!r}, for its comma"
                raise refusal(what, "write `any` with an `eq` for each", *spot)


class ServiceNowDataset(Strict):
    """One table, or the relations between CIs."""

    table: str = Field(
        "", description="Name of the table.", json_schema_extra={"pattern": rf"{_NAME}|^$"}
    )
    relations: bool = Field(
        False,
        description="The relations between CIs, of `cmdb_rel_ci` unless a table is named: each has "
        "`parent`, `child` and `type` (`type.name`, `type.parent_descriptor`, …).",
    )
    types: Texts = Field(
        (), description="Of relations: names of the types wanted (`Depends on::Used by`)."
    )
    query: str | tuple[Condition, ...] = Field(
        "", description="Which rows: conditions that must all hold, or an encoded query."
    )
    classes: Classes = Field(
        (), description="Classes wanted, exactly: those that extend them are not read."
    )
    fields: tuple[Column, ...] = Field(
        (), description="Columns asked for besides those that the mapping reads."
    )
    display_value: bool | Literal["all"] = Field(
        False,
        description="Whether values are codes and ids (false), labels (true), or both (`all`: "
        "`status.value`, `status.display_value`).",
    )
    exclude_reference_link: bool = Field(
        True, description="Whether references come without their link."
    )
    page_size: int | None = Field(
        None, ge=1, le=10_000, description="Rows asked for per page; 1000, or 500 with `all`."
    )
    query_category: str = Field(
        "",
        pattern=r"^[A-Za-z0-9_]*$",
        description="Database category that reads go to (a replica, which may lag behind).",
    )
    no_domain: bool = Field(False, description="Whether rows of every domain are read.")
    lag: float = Field(
        30, ge=0, description="Seconds before the instance's now at which a backfill ends."
    )
    overlap: float = Field(
        900,
        ge=0,
        description="Seconds before the beginning of a backfill from which rows are read: imports "
        "stamp their rows long before these can be seen.",
    )
    max_hidden: float = Field(
        0.5,
        ge=0,
        le=1,
        description="Share of the rows that may be hidden from the account; more, and the reading "
        "is partial.",
    )

    @field_validator("table")
    @classmethod
    def _table(cls, table: str) -> str:
        if table:
            check_value("table", table, _NAME)
        return table

    @field_validator("query")
    @classmethod
    def _sound(cls, query: str | tuple[Condition, ...]) -> str | tuple[Condition, ...]:
        if isinstance(query, str):
            check_encoded(query)
        return query

    @model_validator(mode="after")
    def _is_of_one_kind(self) -> Self:
        if not (self.table or self.relations):
            raise ValueError("a dataset has a table; mend: write `table`, or `relations: true`")
        if self.types and not self.relations:
            raise ValueError("`types` are of relations; mend: write `relations: true`")
        if self.relations and (self.display_value is not False or not self.exclude_reference_link):
            raise ValueError("relations are read by their ids; mend: leave `display_value` out")
        return self

    @property
    def name(self) -> str:
        """The table that is read."""
        return self.table or RELATIONS

    @property
    def size(self) -> int:
        """Rows per page: specs/servicenow.md §4.6."""
        return self.page_size or (500 if self.display_value == "all" else 1000)


class ServiceNowConfig(SourceConfig):
    """A job that reads a ServiceNow by its Table API, through pysnow: Madrid and later.

    A dataset is a table, or the relations between CIs (`relations: true`). A record is the columns
    that the mapping reads, all of them texts; a dot-walked one (`location.name`) lies in an object.
    A reference is a sys_id, or `{value, display_value}` with `display_value: all`.

    Rows are read by sys_id, each page from the last row of the one before, until the instance
    counts no more: a short or empty page is no end, since access rules hide rows after they were
    counted. Rows that are hidden are told with their number; more than `max_hidden` of them, rows
    out of order (no right to `query_range`), or totals that contradict each other make the reading
    partial. Cancelled calls are asked again in smaller pages.

    A window is of `sys_updated_on`, half open, and ends `lag` seconds before the instance's now.
    """

    type: Literal["servicenow"] = "servicenow"
    datasets: dict[str, ServiceNowDataset] = Field(
        description="What is read, by name.", min_length=1
    )
