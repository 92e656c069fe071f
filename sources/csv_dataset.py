"""What a job says of its CSV files, and the folder they are delivered to."""

import codecs
import re
import warnings
from pathlib import Path
from typing import Final, Literal, Self

from pydantic import ByteSize, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from sources.base import Connection, SourceConfig, Strict
from sources.dialect import Dialect
from sources.drop import Newest, Selection
from sources.rows import OnBadRows

AUTO: Final = "auto"


class CsvConnection(Connection):
    """A folder where CSV files are delivered."""

    type: Literal["csv"] = "csv"
    root: Path = Field(description="Folder that the paths of datasets start from.")
    max_size: ByteSize = Field(
        ByteSize(16 * 2**30), description="Largest file once decompressed (`16GiB`)."
    )

    @field_validator("root")
    @classmethod
    def _local(cls, root: Path) -> Path:
        if re.match(r"[a-z][a-z0-9+.-]+:/", str(root)):  # a Path keeps one slash of two
            raise ValueError(
                "a folder of this machine is wanted, not an address; mend: write its path"
            )
        return root


class CsvDataset(Strict):
    """One dataset: the newest file that matches `path`, or all of them."""

    path: str = Field(description="Name or glob (`exports/machines*.csv`) under the root.")
    file_selection: Selection = Field(
        "latest", description="`latest`: the newest file alone; `all`: every one, the newest last."
    )
    newest_by: Newest = Field(
        "mtime", description="What makes a file newer: when it was written, or its `name`."
    )
    max_age_hours: float | None = Field(
        None, gt=0, description="Age of the newest file beyond which its delivery has failed."
    )
    member: str | None = Field(
        None, description="Name or glob of the file to read in a zip archive of several."
    )
    encoding: str = Field(
        AUTO, description="Encoding; `auto`: byte order mark, else UTF-8 throughout, else cp1252."
    )
    delimiter: str = Field(
        AUTO, description="Character between fields, or `tab`; `auto`: `;`, `,`, tab or `|`."
    )
    quote_char: str | None = Field('"', description="Character around fields; null for none.")
    escape_char: str | None = Field(None, description="Character before one that is literal.")
    double_quote: bool = Field(True, description="Whether a quote inside quotes is doubled.")
    skip_rows_before_header: int = Field(0, ge=0, description="Lines above the header.")
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
    on_bad_rows: OnBadRows = Field(
        "reject",
        description="Rows of the wrong width: `reject` them, `pad` them when only empty fields are "
        "added or lost, or `fail`. Rows with quotes out of place are never padded.",
    )
    max_bad_rows: float = Field(
        0.1,
        ge=0,
        le=1,
        description="Share of rejects above which a file is not read; two of them never matter "
        "beside good rows, unless this is 0.",
    )
    min_rows: int = Field(1, ge=0, description="Rows that a file has at least on a bad day.")
    final_line_end: bool = Field(
        False, description="Whether the last row ends its line too: a file without it was cut."
    )
    trailer: str | None = Field(
        None,
        description="Regular expression of the last line, which is no record; its group `count` is "
        "the number of rows.",
    )
    page_rows: int = Field(1000, ge=1, le=50_000, description="Records handed on at once.")

    @field_validator("path")
    @classmethod
    def _inside(cls, path: str) -> str:
        if not path or Path(path).is_absolute() or ".." in Path(path).parts:
            what = "a path starts from the connection's root and stays under it"
            raise ValueError(f"{what}; mend: write `exports/*.csv`")
        return path

    @field_validator("encoding")
    @classmethod
    def _known(cls, encoding: str) -> str:
        if encoding != AUTO:
            try:
                "".encode(encoding)
            except LookupError:
                raise ValueError(
                    f"unknown encoding {encoding!r}; mend: write auto, utf-8, cp1252…"
                ) from None
            encoding = codecs.lookup(encoding).name
        return encoding

    @field_validator("delimiter")
    @classmethod
    def _tab(cls, delimiter: str) -> str:
        return "\t" if delimiter in ("tab", "\\t") else delimiter

    @field_validator("trailer")
    @classmethod
    def _expression(cls, trailer: str | None) -> str | None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # what will mean something else one day
                re.compile(trailer or "")
        except (re.error, FutureWarning, OverflowError, RecursionError) as error:
            raise ValueError(f"no regular expression: {error}; mend: correct it") from None
        return trailer

    @model_validator(mode="after")
    def _signs(self) -> Self:
        if not self.header and not self.column_names:
            raise ValueError("without a header the columns need names; mend: add `column_names`")
        words = {"quote_char": self.quote_char or "", "escape_char": self.escape_char or ""}
        signs = {word: sign for word, sign in words.items() if sign}
        if self.delimiter != AUTO:
            signs["delimiter"] = self.delimiter
        for word, sign in signs.items():
            if len(sign) != 1 or sign in "\r\n\0":
                what = f"{sign!r} is not one character that may stand between fields"
                context = {"what": what, "spot": (word,), "mend": "write one character"}
                raise PydanticCustomError("sign", "{what}", context)
        if len(set(signs.values())) < len(signs):
            what = "delimiter, quote and escape are three different characters"
            raise ValueError(f"{what}; mend: change one of them")
        return self

    @property
    def dialect(self) -> Dialect:
        """The signs stated; the delimiter is the first that is tried when none is."""
        delimiter = ";" if self.delimiter == AUTO else self.delimiter
        return Dialect(delimiter, self.quote_char or None, self.escape_char, self.double_quote)


class CsvConfig(SourceConfig):
    """A job that reads CSV files."""

    type: Literal["csv"] = "csv"
    datasets: dict[str, CsvDataset] = Field(description="What is read, by name.", min_length=1)
