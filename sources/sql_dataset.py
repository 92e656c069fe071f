"""What a job says of a database: a dataset is one SELECT."""

from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, WithJsonSchema, field_validator, model_validator

from sources.base import SourceConfig, Strict
from sources.sql_statement import Statement

_NAMES: Final = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}


class SqlDataset(Strict):
    """One dataset: the rows of one SELECT."""

    select: str = Field(
        description="One statement that begins with SELECT or WITH; it is run where nothing can be "
        "written. What orders the rows is its own ORDER BY."
    )
    key: Annotated[tuple[str, ...], WithJsonSchema(_NAMES)] = Field(
        (),
        description="Column or columns that identify a row: repeats are noticed, and slices are "
        "ranges of the first one.",
    )
    window: str | None = Field(
        None,
        description="Condition on columns of the SELECT, for a backfill alone: `modified >= :since "
        "AND modified < :until`. Both are moments in UTC: with their zone in PostgreSQL, texts "
        "(`2026-01-31T02:00:00Z`) in SQLite, without a zone elsewhere.",
    )
    count: bool = Field(
        True,
        description="Whether the rows are counted first, in the same snapshot: what is read must "
        "agree. It costs the SELECT once more.",
    )
    wrap: bool = Field(
        True,
        description="Whether the SELECT may stand as a subquery, so that only the columns in use "
        "are read, rows are counted, and slices and windows can be cut; SQL Server takes none that "
        "begins with WITH or ends with ORDER BY.",
    )
    page_rows: int = Field(1000, ge=1, le=50_000, description="Rows fetched and handed on at once.")

    @field_validator("key", mode="before")
    @classmethod
    def _one_or_many(cls, key: Any) -> Any:
        if isinstance(key, list):
            return tuple(key)
        return (key,) if isinstance(key, str) else key

    @field_validator("select")
    @classmethod
    def _reads(cls, select: str) -> str:
        Statement.select(select)
        return select

    @field_validator("window")
    @classmethod
    def _names_moments(cls, window: str | None) -> str | None:
        if window is not None:
            Statement.window(window)
        return window

    @model_validator(mode="after")
    def _window_wraps(self) -> Self:
        if self.window is not None and not self.wrap:
            raise ValueError(
                "a window is a condition around the SELECT; mend: leave out `wrap: false`"
            )
        return self


class SqlConfig(SourceConfig):
    """A job that reads a database: one SELECT a dataset, in a transaction that may not write.

    The rows of a dataset come from one cursor in one snapshot, where the database has them
    (PostgreSQL, SQLite, MySQL, Oracle). A database without read-only transactions (SQL Server) is
    told to undo whatever the SELECT does; give its account the right to read and no other.

    Values are given as JSON has them, and nothing is lost on the way: whole numbers, fractions and
    truth values as they are; decimals as texts (`"1.10"`, also the ids of Oracle that are no whole
    numbers); dates and times as ISO texts, in UTC with a `Z` where they have a zone; UUIDs as
    texts; bytes in hexadecimal; JSON and arrays nested. A row with a value that JSON cannot hold
    (a NUL character, half a character) is a reject.
    """

    type: Literal["sql"] = "sql"
    datasets: dict[str, SqlDataset] = Field(description="What is read, by name.", min_length=1)
