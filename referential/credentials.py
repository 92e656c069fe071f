"""Our credentials on a request, and out of the logs (`specs/canopsis.md` §1.1)."""

import base64
import logging
import re
from typing import Any

import requests
from requests.auth import AuthBase

from referential.connection import ApiKey, Basic, CanopsisConnection, Login

_IN_QUERY = re.compile(r"(?<=[?&]authkey=)[^&\s\"']*")


class Credentials(AuthBase):
    """Puts our credentials on a request; being there, it also keeps `.netrc` out.

    *anonymous*: puts none. *in_query*: an API key goes where 3.x looks for it.
    """

    def __init__(
        self, connection: CanopsisConnection, token: str, *, anonymous: bool, in_query: bool
    ) -> None:
        self._header: tuple[str, str] | None = None
        self._query: dict[str, str] = {}
        match connection.auth:
            case _ if anonymous:
                pass
            case ApiKey(key=key) if in_query:
                self._query = {"authkey": key.get_secret_value()}
            case ApiKey(key=key):
                self._header = ("x-canopsis-authkey", key.get_secret_value())
            case Basic(username=username, password=password):
                pair = f"{username}:{password.get_secret_value()}".encode()
                self._header = ("Authorization", f"Basic {base64.b64encode(pair).decode()}")
            case Login() if token:
                self._header = ("Authorization", f"Bearer {token}")

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._header is not None:
            name, value = self._header
            request.headers[name] = value
        if self._query:
            request.prepare_url(request.url, self._query)
        return request


class _Keyless(logging.Filter):
    """urllib3 logs the whole path of each request, and headers that it cannot read."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.exc_info = _without_key(record.msg), None
        if isinstance(record.args, tuple):
            record.args = tuple(map(_without_key, record.args))
        return True


_KEYLESS = _Keyless()


def keep_keys_out_of_logs() -> None:
    """No key in a query is ever logged by urllib3; asking twice changes nothing."""
    for name in ("urllib3.connection", "urllib3.connectionpool", "urllib3.util.retry"):
        logging.getLogger(name).addFilter(_KEYLESS)


def _without_key(part: Any) -> Any:
    if isinstance(part, str):
        return _IN_QUERY.sub("***", part)
    return type(part).__name__ if isinstance(part, Exception) else part
