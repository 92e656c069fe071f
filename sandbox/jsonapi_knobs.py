"""What can be set on the simulated JSON API: shape of its answers, paging, credentials, faults."""

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Paging = Literal[
    "none", "page", "offset", "cursor", "cursor_header", "link", "next", "keyset", "range"
]
Shape = Literal["envelope", "list", "hits", "map"]
FaultKind = Literal[
    "status",
    "html",
    "empty",
    "redirect",
    "reset",
    "cut",
    "drip",
    "repeat",
    "short",
    "bad_record",
    "nan",
    "bad_utf8",
    "bom",
    "rows",
]


class Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Fault(Strict):
    """One way to misbehave, at a page or at each, a number of times."""

    kind: FaultKind = Field(description="What happens; the fields below say how.")
    on: str = Field(
        default="", description="Collection or file it strikes, or `token`; empty: any but `token`."
    )
    at: int = Field(default=0, ge=0, description="1-based rank of the page it strikes; 0: each.")
    times: int = Field(default=1, ge=0, description="How often before it is spent; 0: for ever.")
    status: int = Field(default=500, description="`status`: the HTTP status answered.")
    retry_after: str = Field(
        default="", description="`status`: the header Retry-After, seconds or HTTP date."
    )
    to: str = Field(default="", description="`redirect`: base URL that takes over; path is kept.")
    keep: float = Field(default=0.5, ge=0, le=1, description="`cut`, `short`: share that is sent.")
    chunks: int = Field(default=4, ge=1, description="`drip`: how many pieces.")
    seconds: float = Field(default=0.1, ge=0, description="`drip`: wait before each piece.")
    index: int = Field(default=0, ge=0, description="`bad_record`: 0-based place in the page.")
    record: Any = Field(default="not an object", description="`bad_record`: what stands there.")
    add: list[dict[str, Any]] = Field(
        default=[], description="`rows`: records put in front of the collection after the page."
    )
    remove: int = Field(
        default=0, ge=0, description="`rows`: records taken from its front after the page."
    )


class ApiKnobs(Strict):
    """The settings of one simulated API; every collection is served the same way."""

    paging: Paging = Field(default="page", description="How the next page is asked for.")
    page_size: int = Field(default=100, ge=1, description="Records a page when none is asked.")
    max_page_size: int = Field(
        default=0, ge=0, description="A larger size is lowered to this, silently; 0: no limit."
    )
    first_page: int = Field(default=1, ge=0, description="`page`: number of the first page.")
    beyond: Literal["empty", "404", "last"] = Field(
        default="empty", description="What is answered to a page after the last one."
    )
    page_param: str = Field(default="page", description="`page`: parameter of the page number.")
    size_param: str = Field(default="limit", description="Parameter of the page size.")
    offset_param: str = Field(default="offset", description="`offset`: parameter of the offset.")
    cursor_param: str = Field(default="cursor", description="Parameter of the cursor.")
    after_param: str = Field(default="after", description="`keyset`: parameter of the last id.")
    key_field: str = Field(default="id", description="Field that identifies a record.")

    shape: Shape = Field(default="envelope", description="How the records of a page are wrapped.")
    records_path: str = Field(
        default="data",
        description="`envelope`, `map`: dotted path of the records; empty: the root (`map` alone).",
    )
    map_drops_key: bool = Field(
        default=False, description="`map`: the key field is not repeated in the record."
    )
    next_path: str = Field(
        default="next",
        description="`cursor`, `next`: dotted path of the cursor or URL in the body.",
    )
    end: Literal["null", "absent", "empty"] = Field(
        default="null", description="What the last page has at `next_path`."
    )
    links: Literal["absolute", "relative"] = Field(
        default="absolute", description="`link`, `next`: form of the URL of the next page."
    )
    links_base: str = Field(
        default="", description="Scheme and host of absolute links, when not our own."
    )
    more_path: str = Field(
        default="", description="Dotted path of a boolean that says if a page follows; empty: none."
    )
    total: Literal["none", "number", "string", "header"] = Field(
        default="none", description="Where the count of records is told: body or X-Total-Count."
    )
    total_path: str = Field(default="total", description="Dotted path of the count in the body.")
    total_error: int = Field(default=0, description="Added to the count that is told.")
    extra: dict[str, Any] = Field(default={}, description="Further keys of the body's root.")

    auth: Literal["none", "basic", "bearer", "api_key", "oauth2"] = Field(
        default="none", description="Which credentials are asked for."
    )
    username: str = Field(default="api", description="`basic`.")
    password: str = Field(default="api-password", description="`basic`.")
    token: str = Field(default="api-token", description="`bearer`.")
    api_key: str = Field(default="api-key", description="`api_key`.")
    api_key_name: str = Field(default="X-Api-Key", description="`api_key`: header or parameter.")
    api_key_in: Literal["header", "query"] = Field(default="header", description="`api_key`.")
    client_id: str = Field(default="api-client", description="`oauth2`.")
    client_secret: str = Field(default="api-secret", description="`oauth2`.")
    client_auth: Literal["any", "basic", "body"] = Field(
        default="any", description="`oauth2`: where the client's credentials must stand."
    )
    token_lifetime: float = Field(default=3600, gt=0, description="`oauth2`: seconds.")
    token_uses: int = Field(
        default=0, ge=0, description="`oauth2`: calls a token is good for; 0: no limit."
    )

    latency: float = Field(default=0, ge=0, description="Seconds before each answer.")
    gzip: bool = Field(default=False, description="Compress when the caller accepts it.")
    content_type: str = Field(default="application/json", description="Of the pages.")
    faults: list[Fault] = Field(default=[], description="Struck in order, one a call.")

    @model_validator(mode="after")
    def _has_room_for_paging(self) -> Self:
        rootless = self.shape == "list" or (self.shape == "map" and not self.records_path)
        told = {
            "next page": self.paging in ("cursor", "next"),
            "total": self.total in ("number", "string"),
            "more_path": bool(self.more_path),
            "extra": bool(self.extra),
        }
        homeless = [name for name, is_told in told.items() if is_told]
        if rootless and homeless:
            raise ValueError(f"records at the root leave no room for: {', '.join(homeless)}")
        return self

    def changed(self, settings: Mapping[str, Any]) -> "ApiKnobs":
        """These knobs with some turned; raises pydantic.ValidationError on an unknown one."""
        return ApiKnobs.model_validate(self.model_dump() | dict(settings))
