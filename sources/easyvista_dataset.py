"""What a job says of its EasyVista datasets: a resource, a saved view, or the links of its CIs."""

import re
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, Field, WithJsonSchema, field_validator, model_validator

from sources.base import SourceConfig, Strict, refusal
from sources.easyvista_search import LONGEST, EasyVistaCondition

ASSETS: Final = ("configuration-items", "assets")  # lists whose records have links
SMALLEST: Final = 50  # rows: pages that take the server too long are not cut further

# The keys that are known (specs/easyvista.md §3); others are declared.
KEYS: Final[dict[str, tuple[str, ...]]] = {
    "assets": ("ASSET_ID",),
    "configuration-items": ("ASSET_ID",),
    "asset-characteristics": ("ASSET_ID", "CHARACTERISTIC_ID"),
    "characteristics": ("CHARACTERISTIC_ID",),
    "catalog-assets": ("CATALOG_ID",),
    "manufacturers": ("MANUFACTURER_ID",),
    "locations": ("LOCATION_ID",),
    "departments": ("DEPARTMENT_ID",),
    "employees": ("EMPLOYEE_ID",),
    "groups": ("GROUP_ID",),
}
_LINK_KEYS: Final[dict[str, tuple[str, ...]]] = {
    "item-links": ("PARENT_CI_ID", "CHILD_CI_ID", "RELATION_TYPE_ID"),
    "asset-links": ("PARENT_ASSET_ID", "ASSET_ID"),
}
_ONE_OR_MANY: Final = {
    "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]
}

_PATH: Final = r"^[A-Z]\w*(\.[A-Z]\w*)*$"


def _path(path: str) -> str:
    if not re.fullmatch(_PATH, path):
        raise ValueError(f"{path!r} is no field; mend: write capitals, such as LOCATION.CITY")
    return path


Path = Annotated[str, AfterValidator(_path), WithJsonSchema({"type": "string", "pattern": _PATH})]
Resource = Annotated[str, Field(pattern=r"^[A-Za-z][\w-]*(/[\w-]+/[\w-]+)?$")]


class InternalQuery(Strict):
    """A saved view: what `Rest API Url` in its menu `…` shows."""

    queryguid: str = Field(description="The query, `{AC3B…}` as it is shown.", min_length=1)
    filterguid: str | None = Field(None, description="The filter, where there is one.")
    viewguid: str | None = Field(None, description="The view that gives the columns.")
    custom_filter: str | None = Field(
        None, description="Condition added to it, a piece of SQL over `table.column`."
    )

    @property
    def params(self) -> dict[str, str]:
        return {name: str(value) for name, value in self.model_dump().items() if value is not None}


class Links(Strict):
    """The links of every CI or asset of a dataset, asked for one after the other."""

    of: str = Field(
        "configuration-items",
        description="Dataset of the job, or resource, whose records are asked for their links.",
    )
    kind: Literal["item-links", "asset-links"] = Field(
        "item-links", description="Links of configuration items, or of assets."
    )
    direction: Literal["both", "impacting", "impacted"] = Field(
        "both", description="`item-links`: all links of a CI, or those of one direction."
    )

    @model_validator(mode="after")
    def _directed(self) -> Self:
        if self.kind == "asset-links" and self.direction != "both":
            raise ValueError("asset-links have no direction; mend: leave `direction` out")
        return self


class EasyVistaDataset(Strict):
    """One dataset of an EasyVista: one of `resource`, `internal_query` and `links`."""

    resource: Resource | None = Field(
        None,
        description="Route of a list: assets, configuration-items, locations, E_CONTRACT, "
        "employees/5/groups…",
    )
    internal_query: InternalQuery | None = Field(
        None, description="A saved view, also for what has no list of its own, such as all links."
    )
    links: Links | None = Field(None, description="The links of the records of another list.")
    key: Annotated[tuple[Path, ...], WithJsonSchema(_ONE_OR_MANY)] = Field(
        (),
        description="Field or fields that identify a record; known of assets, configuration-items, "
        "locations, departments, employees, groups, catalog-assets, manufacturers, "
        "characteristics, asset-characteristics and links.",
    )
    fields: tuple[Path, ...] = Field(
        (), description="Fields asked for beside those that the mapping uses."
    )
    search: tuple[EasyVistaCondition, ...] = Field(
        (),
        description="Conditions that the server is asked to keep; every record is compared again, "
        "since it drops those it does not understand, and returns everything.",
    )
    modified: Path = Field(
        "LAST_UPDATE", description="Field with the moment of the last change, for a backfill."
    )
    page_size: int = Field(500, ge=2, le=10_000, description="Records asked for per page.")
    crosscheck: Literal["partial", "fetch", "none"] = Field(
        "partial",
        description="`assets`: the list leaves out assets whose location or department is lacking. "
        "CIs that it leaves out make the reading `partial`, or are asked for one by one (`fetch`); "
        "`none` does not look.",
    )
    labels: tuple[Path, ...] = Field(
        (),
        description="Labels in any language, without its suffix: `DEPARTMENT.DEPARTMENT` is the "
        "first translated one of DEPARTMENT_FR, DEPARTMENT_EN…, by `languages` of the connection.",
    )
    decimals: tuple[Path, ...] = Field(
        (), description="Fields whose numbers get a decimal point: `1234,56` becomes `1234.56`."
    )
    dates: tuple[Path, ...] = Field(
        (), description="Fields whose moments become UTC, `2026-08-17T13:40:41.610Z`; days stay."
    )

    @field_validator("key", mode="before")
    @classmethod
    def _one_or_many(cls, key: Any) -> Any:
        if isinstance(key, list):
            return tuple(key)
        return (key,) if isinstance(key, str) else key

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        kinds = {"resource": self.resource, "internal_query": self.internal_query}
        given = [name for name, value in {**kinds, "links": self.links}.items() if value]
        if len(given) != 1:
            told = " and ".join(given) or "nothing"
            raise ValueError(
                f"a dataset is one of `resource`, `internal_query`, `links`, and this one has "
                f"{told}; mend: {'keep' if given else 'write'} one"
            )
        if self.resource and not self.keys:
            raise ValueError(
                f"what identifies a record of {self.resource!r} is not known; mend: name its "
                "field, `key: …_ID`"
            )
        if self.search and not self.resource:
            raise ValueError(f"{given[0]} cannot be searched; mend: leave `search` out")
        length = len(self.search_text)
        if length > LONGEST:
            raise ValueError(
                f"conditions of {length:,} characters are longer than the {LONGEST:,} that servers "
                "take; mend: let `when` of the mapping compare some"
            )
        return self

    @property
    def keys(self) -> tuple[str, ...]:
        """The fields that identify a record, none where a record is known by its content alone."""
        if self.key:
            return self.key
        if self.links:
            return _LINK_KEYS[self.links.kind]
        return KEYS.get(self.resource or "", ())

    def of_resource(self, resource: str) -> "EasyVistaDataset":
        """The same rows of another list of assets."""
        return self.model_copy(update={"resource": resource, "key": ("ASSET_ID",)})

    @property
    def search_text(self) -> str:
        return ",".join(each.search for each in self.search)


class EasyVistaConfig(SourceConfig):
    """A job that reads an EasyVista Service Manager by its REST API.

    A dataset is a list (`resource`), a saved view (`internal_query`), or the links of the items of
    another list, asked for one item after the other (`links`). A record is the fields that the
    mapping reads, in capitals; those of linked objects lie in an object (`LOCATION.CITY`). Unset
    values, which EasyVista writes as empty texts, are null.

    Pages follow one another by the rows received, each beginning with the last row of the one
    before; keys are compared with the first and the last total. Every condition of `search` is
    compared again, since the server drops those it does not understand and returns everything.
    Assets that `/assets` leaves out for want of a location or department are found by `crosscheck`.

    A window is of `modified`, `LAST_UPDATE` unless said otherwise, paged by the stamp.
    """

    type: Literal["easyvista"] = "easyvista"
    datasets: dict[str, EasyVistaDataset] = Field(
        description="What is read, by name.", min_length=1
    )

    @model_validator(mode="after")
    def _listed(self) -> Self:
        for name, table in self.datasets.items():
            if table.links is None:
                continue
            of = table.links.of
            resource = self.datasets[of].resource if of in self.datasets else of
            if resource not in ASSETS:
                raise refusal(
                    f"the links of {name!r} are those of {of!r}, which is no list of assets",
                    f"name a dataset with a `resource` among {', '.join(ASSETS)}, or one of these",
                    *("datasets", name, "links", "of"),
                )
        return self

    def listed(self, links: Links) -> EasyVistaDataset:
        """The list of the records whose links are read."""
        table = self.datasets.get(links.of) or EasyVistaDataset(resource=links.of)
        return table.of_resource(table.resource or "")
