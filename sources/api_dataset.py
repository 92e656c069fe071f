"""What a job says of a JSON API: a dataset is a path, where its records lie, how it is paged."""

from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, WithJsonSchema, field_validator, model_validator

from sources.base import SourceConfig, Strict
from sources.masking import is_secret_name
from sources.paginators import Paginator, SinglePage

_PATHS = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}

Params = dict[str, str | int | float | bool | list[str | int]]


class ApiDataset(Strict):
    """One dataset of an API."""

    path: str = Field(description="Path added to the connection's `base_url`.")
    method: Literal["GET", "POST"] = Field("GET", description="HTTP method.")
    params: Params = Field({}, description="Query parameters; a list repeats its parameter.")
    headers: dict[str, str] = Field({}, description="Headers of this dataset, none of them secret.")
    json_body: Any = Field(None, alias="json", description="Body sent as JSON.")
    form: dict[str, str] | None = Field(None, description="Body sent as a form.")
    safe_to_repeat: bool = Field(
        False, description="Whether a POST reads only, so that it may be repeated after an outage."
    )
    data_selector: str = Field(
        "", description="Dotted path of the list of records, or of the map of id → record."
    )
    single: bool = Field(False, description="The object at `data_selector` is one record.")
    record_key_field: str | None = Field(
        None, description="Field of each record that receives its key in a map answer."
    )
    primary_key: Annotated[tuple[str, ...], WithJsonSchema(_PATHS)] = Field(
        (), description="Path or paths that identify a record: duplicates across pages are noticed."
    )
    paginator: Paginator = Field(SinglePage(), description="How the dataset is cut into answers.")
    max_pages: int = Field(10_000, ge=1, description="Pages after which the reading stops.")
    total_path: str | None = Field(None, description="Path of the number of records there are.")
    total_header: str | None = Field(None, description="Header with the number of records.")
    error_path: str | None = Field(
        None,
        description="Path that holds something (but 0, false or nothing) when a 200 is an error.",
    )
    error_message_path: str | None = Field(None, description="Path of that error's text.")
    fields_param: str | None = Field(
        None, description="Query parameter that names the fields wanted (those the mapping uses)."
    )
    fields_separator: str = Field(",", description="What stands between two of those names.")
    fields_nested: bool = Field(
        True, description="Whether dotted names are understood; else their first part is sent."
    )
    since_param: str | None = Field(
        None, description="Query parameter of the oldest modification wanted, for a backfill."
    )
    until_param: str | None = Field(
        None, description="Query parameter of the first modification no longer wanted."
    )
    datetime_format: str = Field(
        "%Y-%m-%dT%H:%M:%SZ", description="How those moments are written, in UTC (strftime)."
    )

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    @field_validator("primary_key", mode="before")
    @classmethod
    def _one_or_many(cls, key: Any) -> Any:
        if isinstance(key, list):
            return tuple(key)
        return (key,) if isinstance(key, str) else key

    @field_validator("path")
    @classmethod
    def _relative(cls, path: str) -> str:
        if "://" in path or path.startswith("//"):
            raise ValueError("a path is added to `base_url` of the connection; mend: no host in it")
        return path

    @field_validator("headers")
    @classmethod
    def _no_secret(cls, headers: dict[str, str]) -> dict[str, str]:
        for name in headers:
            if is_secret_name(name):
                raise ValueError(f"a job holds no secret; mend: put {name} in the connection")
        return headers

    @model_validator(mode="after")
    def _one_body(self) -> Self:
        if self.json_body is not None and self.form is not None:
            raise ValueError("a call has one body; mend: keep `json` or `form`")
        return self

    @property
    def total_name(self) -> str:
        return self.total_path or self.total_header or ""


class ApiConfig(SourceConfig):
    """A job that reads a JSON API."""

    type: Literal["api"] = "api"
    datasets: dict[str, ApiDataset] = Field(description="What is read, by name.", min_length=1)
