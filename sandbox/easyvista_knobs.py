"""What can be set on the simulated EasyVista: build, users, shape of its answers, lies, faults."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Build = Literal["2018", "2021", "2025.3"]
Language = Literal["EN", "FR", "SP", "GE", "IT", "PO", "L1", "L2", "L3", "L4", "L5", "L6"]
FaultKind = Literal[
    "status",
    "rejected",
    "timeout",
    "html",
    "empty",
    "error",
    "no_records",
    "redirect",
    "reset",
    "cut",
    "gzip_cut",
    "drip",
    "slow",
    "huge",
    "bom",
    "latin1",
    "nan",
    "bad_utf8",
    "partial_content",
    "repeat",
    "short",
    "bad_record",
    "miscounted",
    "total",
    "rows",
]
RejectedForm = Literal["plain", "quotes", "broken", "error_code", "error_message", "code_message"]
FORBIDDEN = "Unauthorized Method for your profile"


class Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class User(Strict):
    """An account with the REST profile."""

    password: str = Field(default="api-password", description="Of Basic.")
    language: Language | None = Field(
        default=None, description="Of the one label that lists give; None: the tenant's."
    )
    perimeter: dict[str, str] = Field(
        default={},
        description="Rows that exist for this account, by table, in the grammar of `search`: "
        "{'AM_ASSET': 'LOCATION_ID:\"7\"'}.",
    )
    denied: tuple[str, ...] = Field(
        default=(),
        description="Routes its profile may not use, beginning with the resource, as in "
        "`employees`, `configuration-items/{id}/item-links` or `GET E_CONTRACT_TYPE`.",
    )


class Token(Strict):
    """An access token; the build `2025.3` alone knows them."""

    user: str = Field(default="api", description="The account it is bound to.")
    expires: str = Field(
        default="", description="Date (YYYY-MM-DD) at whose midnight it ends; empty: never."
    )
    uses: int = Field(
        default=0, ge=0, description="Calls it is good for, then revoked; 0: no limit."
    )


class View(Strict):
    """A saved list of the tenant, which `internalqueries` runs."""

    table: str = Field(description="Table whose rows it lists.")
    columns: dict[str, str] = Field(
        description="Name of each column to the (dotted) column it shows; `_xx` at the end is "
        "the language of the caller."
    )
    search: str = Field(default="", description="Rows it lists, in the grammar of `search`.")


class Fault(Strict):
    """One way to misbehave; `at` and `times` count the calls that the criteria let through."""

    kind: FaultKind = Field(description="What happens; the fields below say how.")
    on: str = Field(
        default="",
        description="Path below the account it strikes, as in `assets` or "
        "`configuration-items/1001/item-links`, where * is any text; empty: every path.",
    )
    at: int = Field(default=1, ge=1, description="1-based rank of the first call it strikes.")
    times: int = Field(default=1, ge=0, description="How often before it is spent; 0: for ever.")
    over: int = Field(
        default=0, ge=0, description="Counts the calls alone whose max_rows is above this."
    )
    asked: str = Field(
        default="", description="Counts the calls alone whose decoded query has this text."
    )

    status: int = Field(default=500, description="`status`, `timeout`: the HTTP status answered.")
    body: Literal["json", "html", "empty"] = Field(
        default="json", description="`status`: what the answer holds."
    )
    text: str = Field(
        default="Internal error", description="`status`, `rejected`, `error`: the message."
    )
    form: RejectedForm = Field(
        default="plain", description="`rejected`: which of the bodies of a 590 (spec §7)."
    )
    retry_after: str = Field(
        default="", description="`status`: the header Retry-After, seconds or HTTP date."
    )
    to: str = Field(default="", description="`redirect`: base URL that takes over; path is kept.")
    keep: float = Field(
        default=0.5, ge=0, le=1, description="`cut`, `gzip_cut`, `short`: share that is sent."
    )
    chunks: int = Field(default=4, ge=1, description="`drip`: how many pieces.")
    seconds: float = Field(
        default=0.1, ge=0, description="`drip`: wait before each piece; `slow`: before all."
    )
    megabytes: int = Field(default=300, ge=1, description="`huge`: size of the answer.")
    index: int = Field(default=0, ge=0, description="`bad_record`: 0-based place in the page.")
    record: Any = Field(default="not an object", description="`bad_record`: what stands there.")
    by: int = Field(
        default=1, description="`total`, `miscounted`: added to the total, to the page's count."
    )
    table: str = Field(
        default="AM_ASSET", description="`rows`: the table that changes once the page is served."
    )
    add: list[dict[str, Any]] = Field(default=[], description="`rows`: rows written.")
    remove: int = Field(
        default=0, ge=0, description="`rows`: rows deleted, the first ones in the order of the key."
    )
    remove_keys: tuple[str, ...] = Field(default=(), description="`rows`: keys of rows deleted.")
    update: dict[str, dict[str, Any]] = Field(
        default={}, description="`rows`: columns that change, by key of the row."
    )


LINKS_VIEW = "{7C0A51E4-93B2-4D5C-8E21-0B6F3A9D1C01}"
CIS_VIEW = "{7C0A51E4-93B2-4D5C-8E21-0B6F3A9D1C02}"
_VIEWS = {
    LINKS_VIEW: View(
        table="CI_LINK",
        columns={
            "PARENT_CI_ID": "PARENT_CI_ID",
            "PARENT_TAG": "PARENT_CI.ASSET_TAG",
            "PARENT_NAME": "PARENT_CI.NETWORK_IDENTIFIER",
            "CHILD_CI_ID": "CHILD_CI_ID",
            "CHILD_TAG": "CHILD_CI.ASSET_TAG",
            "CHILD_NAME": "CHILD_CI.NETWORK_IDENTIFIER",
            "RELATION_TYPE_ID": "RELATION_TYPE_ID",
            "RELATION": "RELATION_TYPE.REFERENCE_xx",
            "BLOCKING": "BLOCKING",
        },
    ),
    CIS_VIEW: View(
        table="AM_ASSET",
        columns={
            "ASSET_ID": "ASSET_ID",
            "ASSET_TAG": "ASSET_TAG",
            "NAME": "NETWORK_IDENTIFIER",
            "SERIAL_NUMBER": "SERIAL_NUMBER",
            "MODEL": "CATALOG_ASSET.ARTICLE_MODEL",
            "LOCATION": "LOCATION.LOCATION_xx",
            "DEPARTMENT": "DEPARTMENT.DEPARTMENT_xx",
            "USER_NAME": "EMPLOYEE.LAST_NAME",
            "LAST_UPDATE": "LAST_UPDATE",
        },
        search='IS_CI:"1"',
    ),
}


class EasyVistaKnobs(Strict):
    """The settings of one simulated tenant."""

    build: Build = Field(
        default="2025.3",
        description="`2018`: neither offset, @next, repeated fields nor is_null; `2021`: no access "
        "tokens, /license, /swagger, /groups, /suppliers nor /domains.",
    )
    account: str = Field(default="50004", description="Number of the tenant in every path.")
    users: dict[str, User] = Field(default={"api": User()}, description="Accounts by login.")
    tokens: dict[str, Token] = Field(
        default={"api-token": Token()}, description="Access tokens by value."
    )
    language: Language = Field(default="FR", description="Of the tenant.")
    zone: str = Field(default="Europe/Paris", description="Time zone of its stamps.")
    now: str = Field(
        default="2026-09-01T08:00:00.000+02:00",
        description="What the clock of the tenant says: last_week, expiry of tokens.",
    )

    inner_joins: bool = Field(
        default=False,
        description="Assets without location or department are neither in /assets nor counted.",
    )
    removed: Literal["listed", "hidden"] = Field(
        default="listed", description="Whether assets with a REMOVED_DATE are in the lists."
    )
    ci_links: bool = Field(
        default=True,
        description="Whether dotted fields, sorts and searches reach from /configuration-items.",
    )

    max_rows_cap: int = Field(
        default=0, ge=0, description="A larger max_rows is lowered to this, silently; 0: no limit."
    )
    offset_ignored: bool = Field(default=False, description="Every page is the first one.")
    view_offset: bool = Field(default=True, description="Whether internalqueries heeds offset.")
    next_link: Literal["present", "absent", "always", "foreign", "uppercase", "raw"] = Field(
        default="present",
        description="@next: where rows remain, never, on the last page too, on a host of another "
        "name, with the scheme in upper case, with its query not encoded.",
    )
    links_host: str = Field(
        default="erp-internal.example:8443", description="`foreign`: the host of @next."
    )
    counts: Literal["string", "int", "empty", "missing"] = Field(
        default="string", description="Form of record_count and total_record_count."
    )
    total_error: int = Field(default=0, description="Added to total_record_count.")
    order: Literal["scattered", "key"] = Field(
        default="scattered", description="Order of rows that no sort tells apart."
    )
    ties: Literal["stable", "shuffled"] = Field(
        default="stable", description="`shuffled`: that order is another one at each call."
    )
    sort_ignored: bool = Field(default=False, description="`sort` changes nothing.")

    dropped: tuple[str, ...] = Field(
        default=(), description="Columns whose condition is dropped: the whole table comes back."
    )
    numeric_intervals: Literal["honoured", "dropped", "rejected"] = Field(
        default="honoured", description="(a;b) on a column of numbers; never measured."
    )
    interval_end: Literal["included", "excluded"] = Field(
        default="included", description="The upper bound of (a;b); never measured."
    )
    like: Literal["pattern", "contains"] = Field(
        default="pattern", description="~ without wildcard: equality (measured), or contains."
    )
    collation: Literal["exact", "insensitive"] = Field(
        default="exact", description="Whether case and trailing spaces of texts tell them apart."
    )
    unknown_fields: Literal["excerpt", "rejected"] = Field(
        default="excerpt", description="`fields` without one known column."
    )
    max_url: int = Field(default=8190, ge=0, description="Longest path and query; 414 above.")

    decimal: Literal[",", "."] = Field(default=",", description="Separator of amounts.")
    grouping: bool = Field(default=False, description="Thousands of amounts are set apart.")
    numbers: Literal["string", "int", "mixed"] = Field(
        default="string", description="Form of ids and flags; `mixed`: every other row."
    )
    unset: Literal["empty", "null"] = Field(default="empty", description="A column without value.")
    untranslated: Literal["bracketed", "empty"] = Field(
        default="bracketed", description="A label without translation."
    )
    stamps: Literal["offset", "utc", "locale"] = Field(
        default="offset",
        description="2026-08-17T15:40:41.610+02:00, 2026-08-17T13:40:41.610Z, 17/08/2026 15:40:41.",
    )
    tied: int = Field(
        default=0, ge=0, description="LAST_UPDATE is the same for so many rows in turn; 0: as is."
    )
    random_keys: bool = Field(
        default=False, description="The keys of answers and records come in any order."
    )

    latency: float = Field(default=0, ge=0, description="Seconds before each answer.")
    max_in_flight: int = Field(
        default=0, ge=0, description="Calls at once; 429 without Retry-After above; 0: any."
    )
    timeout_rows: int = Field(
        default=0, ge=0, description="Pages of more rows end in the timeout of 60 s; 0: none do."
    )
    timeout_status: int = Field(default=500, description="Its HTTP status, which nobody has seen.")
    gzip: bool = Field(default=False, description="Compress when the caller accepts it.")
    cache_mb: int = Field(
        default=64, ge=0, description="Encoded answers kept, from the second time they are asked."
    )
    views: dict[str, View] = Field(default=_VIEWS, description="Saved lists by queryguid.")
    faults: list[Fault] = Field(default=[], description="The first that strikes a call does.")

    def changed(self, settings: Mapping[str, Any]) -> "EasyVistaKnobs":
        """These knobs with some turned; raises pydantic.ValidationError on an unknown one."""
        return EasyVistaKnobs.model_validate(self.model_dump() | dict(settings))
