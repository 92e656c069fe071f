"""A call to rest.php, read as PHP reads it: fields of the body, of the URL, cookies."""

import email
import json
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Any, Final
from urllib.parse import parse_qsl

from starlette.requests import Request

from sandbox.itop_login import Credentials

COOKIE: Final = "itop-360f1ddbbc26cab8c927e48098167e42"


@dataclass(frozen=True, slots=True)
class Asked:
    """One call: its fields, of which the body's win; what `json_data` holds; the caller."""

    fields: Mapping[str, str]
    decoded: Any  # None when `json_data` is no JSON
    credentials: Credentials
    secure: bool
    ajax: bool

    @property
    def params(self) -> Mapping[str, Any]:
        """The parameters of the operation."""
        return self.decoded if isinstance(self.decoded, dict) else {}

    def param(self, name: str, default: str = "") -> str:
        value = self.params.get(name)
        return default if value is None else str(value)


def asked(request: Request, sent: bytes, *, most: int, uploads: bool) -> Asked:
    """The call; a body larger than *most* bytes (0: no limit) loses every field.

    *uploads*: whether `json_data` may come as a file (from 3.0).
    """
    url = dict(request.query_params)
    body = {} if most and len(sent) > most else _fields(request, sent, uploads=uploads)
    fields = {**url, **body}
    return Asked(
        fields=fields,
        decoded=_decoded(fields.get("json_data", "")),
        credentials=Credentials(
            url=url,
            body=body,
            authorization=request.headers.get("authorization", ""),
            token=request.headers.get("auth-token", ""),
            session=session_of(request.headers.get("cookie", "")),
        ),
        secure=request.url.scheme == "https",
        ajax="x-combodo-ajax" in request.headers,
    )


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _fields(request: Request, sent: bytes, *, uploads: bool) -> dict[str, str]:
    """Fields of a form, urlencoded or multipart; of a body of another kind, none."""
    kind = request.headers.get("content-type", "")
    if kind.startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(sent.decode("utf-8", "replace"), keep_blank_values=True))
    if not kind.startswith("multipart/form-data"):
        return {}
    message = email.message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + sent)
    fields = {}
    for part in message.walk():
        name = part.get_param("name", header="content-disposition")
        if isinstance(name, str) and (uploads or part.get_filename() is None):
            content = part.get_payload(decode=True)
            fields[name] = content.decode("utf-8", "replace") if isinstance(content, bytes) else ""
    return fields


def session_of(header: str) -> str:
    """The session that a Cookie header names; empty when there is none."""
    try:
        morsel = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel else ""
