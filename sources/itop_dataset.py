"""What a job reads from iTop: classes, link classes as datasets of their own, impact graphs."""

import re
from typing import Annotated, Final, Literal, Self

from pydantic import ConfigDict, Field, WithJsonSchema, field_validator, model_validator

from sources.base import SourceConfig, Strict
from sources.itop_oql import Selection, is_closed, selected_class

# Attributes that came with 2.4.0, of which 2.3 knows nothing: specs/itop.md §1.2.
_YOUNG: Final = re.compile(r"(.*_)?obsolescence_(flag|date)|archive_(flag|date)")
_STARS: Final = frozenset({"*", "*+"})
_NAME: Final = r"^[A-Za-z_]\w*$"
_KEYS: Final = {"anyOf": [{"type": "boolean"}, {"type": "array", "items": {"type": "string"}}]}


class ItopRelated(Strict):
    """The impact graph around the objects of a dataset, in place of the objects themselves."""

    direction: Literal["down", "up"] = Field(
        "down", description="`down`: what the objects impact; `up`: what impacts them."
    )
    depth: int = Field(20, ge=1, le=1000, description="Edges that are followed, one after another.")
    redundancy: bool = Field(
        False, description="Whether redundancy rules of iTop hold impacts back (from 3.0.3)."
    )


class ItopDataset(Strict):
    """The objects of one class."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    class_name: str = Field(
        alias="class", pattern=_NAME, description="Class, also a parent such as FunctionalCI."
    )
    where: str = Field("", description="OQL condition on the objects: `status != 'obsolete'`.")
    oql: str = Field("", description="A whole OQL query that gives objects of the class instead.")
    fields: tuple[str, ...] = Field(
        (),
        description="Attributes asked for besides those that the mapping uses; `*` for all of the "
        "class, lists included, `*+` for all of each object's own class: both very slow.",
    )
    optional: tuple[str, ...] = Field(
        (),
        description="Attributes that this iTop may lack, left out with a warning then; those of "
        "obsolescence and archiving are optional anyway.",
    )
    page_size: int | None = Field(
        None,
        ge=1,
        le=10_000,
        description="Objects asked for in one call: 500, for an impact graph 50.",
    )
    cursor_field: str | None = Field(
        None, description="Attribute with the time of the last change, such as `last_update`."
    )
    archived: bool = Field(False, description="Whether archived objects are read too.")
    dates: tuple[str, ...] = Field(
        (), description="Attributes that are dates, made `2026-01-31` of `date_format`."
    )
    datetimes: tuple[str, ...] = Field(
        (), description="Attributes that are times, made ISO 8601 of `datetime_format`."
    )
    encoded_html: tuple[str, ...] = Field(
        (), description="HTML attributes whose `&` come encoded twice: those of iTop before 3.2."
    )
    unset_keys: Annotated[bool | tuple[str, ...], WithJsonSchema(_KEYS)] = Field(
        False,
        description="External keys whose `0` means none and becomes null: true for all that end "
        "in `_id`, or their names.",
    )
    related: ItopRelated | None = Field(
        None,
        description="Read the impact graph around the objects: a record an edge, with `source` "
        "and `target` (`Server::105`), and `_class`, `_id`, `_name` of each.",
    )

    @field_validator("where")
    @classmethod
    def _whole(cls, where: str) -> str:
        if not is_closed(where):
            raise ValueError("its brackets or quotes do not close; mend: an OQL condition")
        return where.strip()

    @field_validator("oql")
    @classmethod
    def _query(cls, oql: str) -> str:
        if oql and not oql.lstrip().upper().startswith("SELECT"):
            raise ValueError("an OQL query begins with SELECT; mend: a condition goes in `where`")
        return oql.strip()

    @field_validator("fields")
    @classmethod
    def _star(cls, fields: tuple[str, ...]) -> tuple[str, ...]:
        if _STARS & {*fields} and len(fields) > 1:
            raise ValueError("a star asks for all attributes; mend: the star alone, or names")
        return fields

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.where and self.oql:
            raise ValueError("`oql` is a whole query; mend: write the condition in it")
        if self.oql and self.cursor_field:
            raise ValueError("`oql` takes no window; mend: `where` in its place")
        selected = selected_class(self.oql) if self.oql else None
        if selected not in (None, self.class_name):
            raise ValueError(
                f"`oql` selects {selected}, `class` is {self.class_name}; mend: one of them"
            )
        return self

    @property
    def star(self) -> str:
        """`*` or `*+` where all attributes are asked for, else nothing."""
        return self.fields[0] if _STARS & {*self.fields} else ""

    @property
    def size(self) -> int:
        return self.page_size or (50 if self.related else 500)

    def may_lack(self, attribute: str) -> bool:
        return attribute in self.optional or bool(_YOUNG.fullmatch(attribute))

    def selection(self, *conditions: str) -> Selection:
        """The objects of the dataset that meet *conditions* too."""
        where = (f"({self.where})",) if self.where else ()
        return Selection(self.class_name, (*where, *conditions), self.oql)


class ItopConfig(SourceConfig):
    """A job that reads iTop by its REST services: Professional 1.3.4, Community 2.4, 3.x.

    A dataset is a class, link classes (`lnk…`) among them, a query in OQL, or an impact graph
    (`related`). A record is the attributes that the mapping reads, with `id` and, where asked for,
    `finalclass`; attributes are named one by one, since `*` costs a query an object.

    The ids of all objects are listed first, then the objects are read by windows of ids: the paging
    of iTop itself repeats some objects and drops others where names are the same. The reading is
    complete when every id was read once, or is confirmed to be gone. What other organizations own
    is left out by iTop without a word: the evidence says whose rights it was read with.

    CIs have no date of modification: a window needs a `cursor_field`, such as `last_update` of
    tickets. An unset external key is `"0"` (`unset_keys`), dates are as the user's language has
    them (`date_format` of the connection, `dates`).
    """

    type: Literal["itop"] = "itop"
    datasets: dict[str, ItopDataset] = Field(description="What is read, by name.", min_length=1)
