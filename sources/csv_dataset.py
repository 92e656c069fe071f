"""What a job says of its CSV files, and the folder they are delivered to."""

import codecs
import re
import warnings
from typing import Final, Literal, Self

from pydantic import Field, field_validator, model_validator

from sources.base import refusal
from sources.dialect import Dialect
from sources.drop_connection import DropConnection
from sources.drop_dataset import DropConfig, DropDataset
from sources.rows import OnBadRows

AUTO: Final = "auto"


class CsvConnection(DropConnection):
    """A folder where CSV files are delivered."""

    type: Literal["csv"] = "csv"


class CsvDataset(DropDataset):
    """One dataset: the newest file that matches a path, or all of them."""

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
    on_bad_rows: OnBadRows = Field(
        "reject",
        description="Rows of the wrong width: `reject` them, `pad` them when only empty fields are "
        "added or lost, or `fail`. Rows with quotes out of place are never padded.",
    )
    final_line_end: bool = Field(
        False, description="Whether the last row ends its line too: a file without it was cut."
    )
    trailer: str | None = Field(
        None,
        description="Regular expression of the last line, which is no record; its group `count` is "
        "the number of rows.",
    )

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
        words = {"quote_char": self.quote_char or "", "escape_char": self.escape_char or ""}
        signs = {word: sign for word, sign in words.items() if sign}
        if self.delimiter != AUTO:
            signs["delimiter"] = self.delimiter
        for word, sign in signs.items():
            if len(sign) != 1 or sign in "\r\n\0":
                what = f"{sign!r} is not one character that may stand between fields"
                raise refusal(what, "write one character", word)
        if len(set(signs.values())) < len(signs):
            what = "delimiter, quote and escape are three different characters"
            raise ValueError(f"{what}; mend: change one of them")
        return self

    @property
    def dialect(self) -> Dialect:
        """The signs stated; the delimiter is the first that is tried when none is."""
        delimiter = ";" if self.delimiter == AUTO else self.delimiter
        return Dialect(delimiter, self.quote_char or None, self.escape_char, self.double_quote)


class CsvConfig(DropConfig):
    """A job that reads CSV files."""

    type: Literal["csv"] = "csv"
    datasets: dict[str, CsvDataset] = Field(description="What is read, by name.", min_length=1)
