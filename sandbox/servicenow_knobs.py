"""What can be set on the simulated ServiceNow: release, accounts, access rules, limits, faults."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

FaultKind = Literal[
    "status",
    "rate_limit",
    "semaphore",
    "accepted",
    "node_switch",
    "hibernating",
    "maintenance",
    "login_page",
    "empty",
    "redirect",
    "slow",
    "reset",
    "cut",
    "drip",
    "huge",
    "cancelled",
    "result",
    "repeat",
    "short",
    "bad_record",
    "surrogate",
    "control",
    "bad_utf8",
    "bom",
    "content_type",
    "rows",
]
CancelledForm = Literal["partial", "error_first", "only_error", "spliced", "string"]


class Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class User(Strict):
    """An account; its row of `sys_user` has the name as `user_name`."""

    password: str = Field(default="secret", description="Of Basic and of the password grant.")
    zone: str = Field(default="UTC", description="Time zone of its display values.")
    date_format: str = Field(
        default="%Y-%m-%d %H:%M:%S", description="Of its date-time display values (strftime)."
    )
    roles: tuple[str, ...] = Field(
        default=("itil", "snc_read_only"), description="Its rows of `sys_user_has_role`."
    )
    locked: bool = Field(default=False, description="Always answered 401.")
    web_service_only: bool = Field(
        default=False, description="May use Basic even when `basic_auth` is off."
    )


class Client(Strict):
    """An OAuth client."""

    secret: str = Field(default="client-secret", description="Of the client.")
    user: str = Field(default="etl", description="OAuth application user of client_credentials.")


class Rule(Strict):
    """Whom an access rule strikes."""

    user: str = Field(default="", description="Account it strikes; empty: everyone.")
    table: str = Field(default="", description="Table asked for; empty: every one.")


class RowAcl(Rule):
    """Rows that are counted but not delivered: those that one of the criteria names."""

    every: int = Field(default=0, ge=0, description="Each n-th in the order of sys_id; 0: none.")
    low: str = Field(default="", description="sys_ids from this one on …")
    high: str = Field(default="", description="… to before this one; both empty: no block.")
    field: str = Field(default="name", description="Field of `starts`.")
    starts: str = Field(default="", description="Rows whose `field` begins so; empty: none.")
    everything: bool = Field(default=False, description="The whole table.")


class FieldAcl(Rule):
    """Fields the account may not read."""

    fields: tuple[str, ...] = Field(description="Names of the columns.")
    shape: Literal["missing", "empty"] = Field(
        default="missing", description="The key is not there, or its value is empty."
    )


class TableAcl(Rule):
    """Tables the account may not read: 403."""


class QueryAcl(Rule):
    """Columns the account may not compare by range; not on `madrid` (spec §4.5)."""

    fields: tuple[str, ...] = Field(default=("sys_id",), description="Names of the columns.")
    effect: Literal["ignored", "refused"] = Field(
        default="ignored", description="That part of the query is dropped, or the call is 403."
    )


class Fault(Strict):
    """One way to misbehave; `at` and `times` count the calls that the criteria let through."""

    kind: FaultKind = Field(description="What happens; the fields below say how.")
    on: str = Field(
        default="",
        description="Table, `stats/<table>`, `meta/<class>`, `instance/<class>` or `token`; "
        "empty: every call of the Table API.",
    )
    at: int = Field(default=1, ge=1, description="1-based rank of the first call it strikes.")
    times: int = Field(default=1, ge=0, description="How often before it is spent; 0: for ever.")
    every: int = Field(default=1, ge=1, description="Strikes each n-th call from `at` on.")
    over: int = Field(default=0, ge=0, description="Strikes calls whose limit is above this.")
    asked: str = Field(default="", description="Strikes calls whose decoded query has this text.")
    covers: str = Field(default="", description="Strikes pages whose window has this sys_id.")

    status: int = Field(default=500, description="`status`: the HTTP status answered.")
    body: Literal["json", "html", "empty"] = Field(
        default="json", description="`status`, `semaphore`: what the answer holds."
    )
    message: str = Field(
        default="java.lang.NullPointerException", description="`status`: the error's message."
    )
    detail: str | None = Field(default=None, description="`status`: the error's detail.")
    retry_after: str = Field(default="", description="`status`, `rate_limit`: Retry-After.")
    to: str = Field(default="", description="`redirect`: base URL of the sign-in page.")
    keep: float = Field(
        default=0.5, ge=0, le=1, description="`cut`, `short`, `cancelled`: share that is sent."
    )
    cut: Literal["length", "chunked", "gzip", "between_rows"] = Field(
        default="length",
        description="`cut`: less than Content-Length, no last chunk, a gzip stream that ends "
        "early, or a chunked body that ends after a whole row.",
    )
    form: CancelledForm = Field(
        default="partial", description="`cancelled`: form of the answer (spec §7)."
    )
    value: Any = Field(default="", description="`result`: what stands in place of the rows.")
    missing: bool = Field(default=False, description="`result`: the key is not there.")
    chunks: int = Field(default=4, ge=1, description="`drip`: how many pieces.")
    seconds: float = Field(
        default=0.1, ge=0, description="`drip`: wait before each piece; `slow`: before all."
    )
    megabytes: int = Field(default=300, ge=1, description="`huge`: size of the answer.")
    index: int = Field(
        default=0, ge=0, description="`bad_record`, texts: 0-based place in the page."
    )
    record: Any = Field(default="not an object", description="`bad_record`: what stands there.")
    media_type: str = Field(default="text/plain", description="`content_type`: what is said.")
    add: list[dict[str, Any]] = Field(
        default=[], description="`rows`: rows written once the page is served (by sys_id)."
    )
    remove: int = Field(
        default=0, ge=0, description="`rows`: rows deleted then, the first ones by sys_id."
    )
    remove_ids: list[str] = Field(default=[], description="`rows`: sys_ids deleted then.")


_ACL_USER = "etl_acl"
_USERS = {
    "etl": User(zone="Europe/Paris"),
    _ACL_USER: User(),
    "etl_range": User(),
    "locked": User(locked=True),
    "ro_none": User(),
}


class ServiceNowKnobs(Strict):
    """The settings of one simulated instance."""

    release: Literal["madrid", "today"] = Field(
        default="today",
        description="`madrid` has no query ACLs, client credentials, API keys or CSDM classes.",
    )
    host: str = Field(
        default="acme.service-now.com", description="The instance's own name, in its links."
    )
    state: Literal["up", "hibernating", "maintenance"] = Field(
        default="up", description="Of the whole instance: 200 HTML or 503 HTML to every call."
    )

    users: dict[str, User] = Field(default=_USERS, description="Accounts by name.")
    clients: dict[str, Client] = Field(
        default={"etl-client": Client()}, description="OAuth clients by id."
    )
    api_keys: dict[str, str] = Field(
        default={}, description="Header x-sn-apikey to account; not on `madrid`."
    )
    basic_auth: bool = Field(default=True, description="Whether Basic is accepted of everyone.")
    lockout: int = Field(
        default=5, ge=0, description="Wrong passwords before an account is locked; 0: never."
    )
    client_auth: Literal["any", "basic", "body"] = Field(
        default="any", description="Where the OAuth client's credentials must stand."
    )
    client_credentials: bool = Field(
        default=True, description="Whether the grant is switched on; never on `madrid`."
    )
    token_lifetime: int = Field(default=1799, ge=0, description="Seconds of an access token.")
    token_uses: int = Field(
        default=0, ge=0, description="Calls an access token is good for, then revoked; 0: any."
    )
    cookies: bool = Field(default=True, description="Whether a session is opened and told.")

    row_acls: list[RowAcl] = Field(
        default=[
            RowAcl(user=_ACL_USER, starts="hid-"),
            RowAcl(user=_ACL_USER, table="hidblock", low="4", high="5"),
        ],
        description="Rows that are not delivered.",
    )
    field_acls: list[FieldAcl] = Field(
        default=[FieldAcl(user=_ACL_USER, fields=("serial_number",))],
        description="Fields that are not delivered.",
    )
    table_acls: list[TableAcl] = Field(
        default=[TableAcl(user="ro_none", table="cmdb_rel_ci")],
        description="Tables that are refused.",
    )
    query_acls: list[QueryAcl] = Field(
        default=[QueryAcl(user="etl_range")],
        description="Columns that cannot be compared by range.",
    )

    total_error: int = Field(default=0, description="Added to X-Total-Count.")
    stats_error: int = Field(default=0, description="Added to the counts of the Aggregate API.")
    no_count_header: bool = Field(
        default=False, description="X-Total-Count stays there with sysparm_no_count=true."
    )
    shuffle: bool = Field(
        default=True,
        description="Rows that no ORDERBY tells apart come in another order each time.",
    )
    collation: Literal["insensitive", "binary"] = Field(
        default="insensitive", description="How the database sorts and ranges text."
    )
    strict_queries: bool = Field(
        default=False, description="An invalid part of a query gives zero rows; else it is dropped."
    )
    empty_dotwalk: Literal["empty", "missing"] = Field(
        default="empty", description="A dot-walk through an empty reference."
    )
    empty_reference_link: bool = Field(
        default=False, description="Empty references have an empty `link` with display value `all`."
    )
    negative_prev: bool = Field(
        default=False, description="The first page has a `prev` link of offset -1, as of old."
    )
    references: dict[str, str] = Field(
        default={}, description="Custom references: `u_table.u_column` to the table they lead to."
    )
    parents: dict[str, str] = Field(
        default={}, description="Custom classes: `u_class` to the class it extends."
    )

    latency: float = Field(default=0, ge=0, description="Seconds before each answer.")
    row_cost: float = Field(
        default=0, ge=0, description="Seconds a row takes of the quota (none really passes)."
    )
    quota: float = Field(default=60, gt=0, description="Seconds before a call is cancelled.")
    cancelled_form: CancelledForm = Field(
        default="partial", description="How a cancelled call is answered (spec §7)."
    )
    rate_limit: int = Field(default=0, ge=0, description="Calls an hour and account; 0: any.")
    session_queue: int = Field(
        default=10, ge=0, description="Calls that may wait for their session; 202 to the others."
    )
    max_in_flight: int = Field(
        default=0, ge=0, description="Calls at once; 429 without Retry-After above; 0: any."
    )
    max_url_bytes: int = Field(
        default=8192, ge=0, description="Longest path and query; above, Tomcat's 400 in HTML."
    )
    clock_skew: float = Field(default=0, description="Seconds added to the header Date.")
    gzip: bool = Field(default=False, description="Compress when the caller accepts it.")
    cache_mb: int = Field(
        default=128, ge=0, description="Encoded answers kept, from the second time they are asked."
    )
    faults: list[Fault] = Field(default=[], description="The first that strikes a call does.")

    def changed(self, settings: Mapping[str, Any]) -> "ServiceNowKnobs":
        """These knobs with some turned; raises pydantic.ValidationError on an unknown one."""
        return ServiceNowKnobs.model_validate(self.model_dump() | dict(settings))
