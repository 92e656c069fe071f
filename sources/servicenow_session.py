"""The session of a ServiceNow, made so that pysnow over it is strict and fast.

pysnow asks of a response two things, `raise_for_status` and `json`; here they judge the whole
answer. By itself it takes the rows of a cancelled call for all there are (specs/servicenow.md
§12.4, §13).
"""

import threading
import time
from typing import Any, Final, cast
from weakref import WeakValueDictionary

import requests

from sources.auth import Authenticator
from sources.errors import Unreachable
from sources.servicenow_answer import Heavy, ServiceNowJudge, finds_nothing
from sources.servicenow_connection import ServiceNowConnection
from sources.session import HttpSession
from sources.verdict import Judge

# By the identity of the connection, which lives as long as a session, hence as its authenticator.
_HELD: Final[WeakValueDictionary[int, Authenticator]] = WeakValueDictionary()
_HOLDING: Final = threading.Lock()


class StrictResponse(requests.Response):
    """A response whose rows are whole, or that raises; `mended` counts texts that were not sound.

    Its errors are those of `sources.errors`, in ServiceNow's words.
    """

    judge: ServiceNowJudge
    mended = 0

    def raise_for_status(self) -> None:
        if not finds_nothing(self.status_code, self.content):
            failure = self.judge.status(self.status_code, self.headers, self.content, time.time())
            if failure is not None:
                raise failure

    def json(self, **kwargs: Any) -> Any:
        del kwargs  # orjson has none of json's options
        if self.status_code == 404:
            return {"result": []}
        kind = dict if "/stats/" in str(self.request.path_url) else list
        document, self.mended = self.judge.document(self.content, self.headers, kind)
        return document


class ServiceNowSession(HttpSession):
    """The calls of one thread; `last` is the response to the last one."""

    last: StrictResponse

    def __init__(self, connection: ServiceNowConnection) -> None:
        super().__init__(connection)
        self.auth = self.authenticator = _held(connection, self.authenticator)
        self.hooks["response"] = [self._made_strict]

    def _made_strict(self, response: requests.Response, **_: Any) -> None:
        response.__class__ = StrictResponse
        self.last = cast("StrictResponse", response)
        self.last.judge = self._judge(response.request)

    def _judge(self, request: requests.PreparedRequest | requests.Request) -> ServiceNowJudge:
        outages = self.connection.retry.statuses
        return ServiceNowJudge(str(request.method), str(request.url), self.secrets(), outages)

    def _wait(self, error: Exception) -> bool | float:
        return False if isinstance(error, Heavy) else super()._wait(error)

    def _body(self, response: requests.Response, deadline: float, judge: Judge) -> bytes:
        late = None
        try:
            return super()._body(response, deadline, judge)
        except Unreachable as error:
            late = Heavy(str(error), where=judge.where, mend="ask for smaller pages (`page_size`)")
        raise late


def _held(connection: ServiceNowConnection, fresh: Authenticator) -> Authenticator:
    """The authenticator that all sessions over *connection* share: one token, renewed once."""
    with _HOLDING:
        return _HELD.setdefault(id(connection), fresh)
