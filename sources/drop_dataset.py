"""What a job says of files that are delivered to a folder, whatever is in them."""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from sources.base import SourceConfig, Strict
from sources.drop import Newest, Selection


def _under(path: str) -> str:
    if not path or Path(path).is_absolute() or ".." in Path(path).parts:
        what = "a path starts from the connection's root and stays under it"
        raise ValueError(f"{what}; mend: write `exports/*.csv`")
    return str(PurePosixPath(path)) if not path.endswith("/") else path


Under = Annotated[str, AfterValidator(_under)]


class Merge(Strict):
    """How the rows of the first of several `paths` are completed by those of the others."""

    key: str = Field(description="Column that tells which rows belong together.")
    key_of_others: str | None = Field(
        None, description="Its name in the files after the first, where it is another."
    )
    repeated: Literal["refuse", "last"] = Field(
        "refuse", description="A key that comes twice in a later file: an error, or the last holds."
    )
    unmatched: Literal["keep", "reject"] = Field(
        "keep",
        description="Rows of the first file that nothing completes: kept as they are, with "
        "empty values, or rejects.",
    )
    shared_columns: Literal["refuse", "first", "second"] = Field(
        "refuse",
        description="A column, other than the key, that both have: an error, or whose "
        "value is kept.",
    )
    max_rows: int = Field(
        500_000, ge=1, description="Rows of a later file at most: they are held in memory."
    )


class DropDataset(Strict):
    """One dataset: the newest file that matches a path, or all of them."""

    path: Under | None = Field(
        None, description="Name or glob (`exports/machines*.csv`) under the root."
    )
    paths: tuple[Under, ...] = Field(
        (),
        description="Several of them, in place of `path`: files of each must be there. Their "
        "rows follow one another, or are merged.",
    )
    merge: Merge | None = Field(
        None, description="How the rows of the first of `paths` are completed by the others'."
    )
    key: str | None = Field(
        None,
        description="Column that identifies a row, for `refsync backfill --record-ids`; of merged "
        "files it is that of `merge` unless stated.",
    )
    file_selection: Selection = Field(
        "latest", description="`latest`: the newest file alone; `all`: every one, the newest last."
    )
    newest_by: Newest = Field(
        "mtime", description="What makes a file newer: when it was written, or its `name`."
    )
    max_age_hours: float | None = Field(
        None, gt=0, description="Age of the newest file beyond which its delivery has failed."
    )
    settle_seconds: float = Field(
        0,
        ge=0,
        le=600,
        description="Seconds between two looks at a file that must agree on its "
        "size and date before it is read.",
    )
    marker: str | None = Field(
        None,
        description="Ending (`.done`) of the file that says that another is whole: beside "
        "`a.csv`, `a.csv.done` or `a.done`. A checksum in it (MD5, SHA-1, SHA-256) is verified.",
    )
    after_load: Literal["leave", "archive"] = Field(
        "leave",
        description="What becomes of files once their records are loaded; those that "
        "`latest` passed over are archived with them.",
    )
    archive_folder: Under = Field(
        "archive", description="Folder under the root where files are archived, by date."
    )
    header: bool = Field(True, description="Whether the first row names the columns.")
    column_names: tuple[str, ...] = Field(
        (), description="Names of the columns, in place of those of the header or for want of one."
    )
    odd_columns: Literal["error", "suffix"] = Field(
        "error",
        description="Columns without a name or with one in use: an error, or `column_3`, `name_2`.",
    )
    required_columns: tuple[str, ...] = Field(
        (), description="Columns without which the file is not read."
    )
    null_values: frozenset[str] = Field(
        frozenset(), description="Texts that stand for no value (`NULL`); an empty text is itself."
    )
    max_bad_rows: float = Field(
        0.1,
        ge=0,
        le=1,
        description="Share of rejects above which a file is not read; two of them never matter "
        "beside good rows, unless this is 0.",
    )
    min_rows: int = Field(1, ge=0, description="Rows that a file has at least on a bad day.")
    page_rows: int = Field(1000, ge=1, le=50_000, description="Records handed on at once.")

    @property
    def patterns(self) -> tuple[str, ...]:
        return self.paths if self.path is None else (self.path,)

    @property
    def keys(self) -> tuple[str, ...]:
        """The column that identifies a row, where one is declared."""
        key = self.key or (self.merge.key if self.merge else "")
        return (key,) if key else ()

    @property
    def archives(self) -> bool:
        return self.after_load == "archive"

    @field_validator("marker")
    @classmethod
    def _ending(cls, marker: str | None) -> str | None:
        if marker is not None and (not marker.startswith(".") or "/" in marker):
            raise ValueError("a marker is an ending; mend: write .done")
        return marker

    @model_validator(mode="after")
    def _together(self) -> Self:
        if (self.path is None) == (not self.paths):
            raise ValueError("a dataset has a `path`, or several `paths`; mend: state one of them")
        if self.merge is not None and len(self.paths) < 2:
            raise ValueError("one file has no other to be merged with; mend: state two `paths`")
        if self.merge is not None and self.file_selection == "all":
            raise ValueError("`merge` is of one file each; mend: leave `file_selection` out")
        if not self.header and not self.column_names:
            raise ValueError("without a header the columns need names; mend: add `column_names`")
        return self


class DropConfig(SourceConfig):
    """A job that reads files; each kind has datasets of its own."""

    datasets: Mapping[str, DropDataset] = Field(description="What is read, by name.", min_length=1)
