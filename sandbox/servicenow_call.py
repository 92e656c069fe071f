"""One call of the API, and the plain answers to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import orjson
from starlette.requests import Request
from starlette.responses import Response

from sandbox.servicenow_faults import Target
from sandbox.servicenow_instance import Instance, strikes
from sandbox.servicenow_knobs import Fault, User
from sandbox.servicenow_login import Session
from sandbox.servicenow_pages import JSON, error_body
from sandbox.servicenow_schema import Record
from sandbox.servicenow_values import Shape

_VERSIONS: Final = ("v1", "v2")
_DISPLAYS: Final[dict[str, Literal["false", "true", "all"]]] = {"true": "true", "all": "all"}


class ApiError(Exception):
    """An answer in ServiceNow's form of an error (spec §9)."""

    def __init__(self, status: int, message: str, detail: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.detail = detail

    def response(self) -> Response:
        return json_bytes(error_body(self.message, self.detail), self.status)


@dataclass(frozen=True, slots=True)
class Call:
    """A call that is let in."""

    instance: Instance
    request: Request
    name: str  # of the account
    session: Session
    params: Mapping[str, str]

    @property
    def user(self) -> User:
        return self.instance.knobs.users[self.name]

    @property
    def table(self) -> str:
        return str(self.request.path_params["table"])

    @property
    def sys_id(self) -> str:
        return str(self.request.path_params.get("sys_id", ""))

    @property
    def version(self) -> str:
        """`v1`, `v2`, or nothing: the newest."""
        return str(self.request.path_params.get("version", ""))

    def is_on(self, param: str) -> bool:
        """Whether a boolean parameter is true, in any case of letters."""
        return self.params.get(param, "").lower() == "true"

    def number(self, param: str, default: int) -> int:
        """A parameter as a number; one that is none counts as not given."""
        text = self.params.get(param, "")
        number = int(text) if text.lstrip("-").isdecimal() else default
        if number < 0:
            raise ApiError(400, f"Invalid {param}", "negative values are not allowed")
        return number

    def shape(self) -> Shape:
        """How the caller wants the values."""
        knobs, user = self.instance.knobs, self.user
        told = self.params.get("sysparm_display_value", "").lower()
        version = f"/{self.version}" if self.version else ""
        return Shape(
            display=_DISPLAYS.get(told, "false"),
            links=not self.is_on("sysparm_exclude_reference_link"),
            base=f"https://{knobs.host}/api/now{version}",
            zone=user.zone,
            date_format=user.date_format,
            empty_dotwalk=knobs.empty_dotwalk,
            empty_reference_link=knobs.empty_reference_link,
        )

    def check_version(self) -> None:
        if self.version and self.version not in _VERSIONS:
            raise no_resource(self.request.url.path)

    def check_table(self, table: str) -> None:
        """Raises ApiError when the table is not there, or not for this account."""
        self.check_version()
        if not self.instance.data.exists(table):
            raise ApiError(400, f"Invalid table {table}")
        if any(strikes(acl, self.name, table) for acl in self.instance.knobs.table_acls):
            detail = "ACL Exception Query Failed due to security constraints"
            raise ApiError(403, "Operation Failed", detail)

    def strike(self, on: str, limit: int = 0, window: Sequence[Record] = ()) -> Fault | None:
        """The fault that strikes this call."""
        asked = "&".join(f"{name}={value}" for name, value in self.params.items())
        return self.instance.faults.strike(Target(on, limit, asked, window))


def no_resource(path: str) -> ApiError:
    shown = path.removeprefix("/api")
    return ApiError(400, f"Requested URI does not represent any resource: {shown}")


def not_found() -> ApiError:
    detail = "Record doesn't exist or ACL restricts the record retrieval"
    return ApiError(404, "No Record found", detail)


def json_bytes(
    body: bytes, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    return Response(body, status, {**(headers or {}), "Content-Type": JSON})


def json_response(body: Any, status: int = 200) -> Response:
    return json_bytes(orjson.dumps(body), status)
