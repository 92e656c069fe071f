"""The calls of iTop's REST services: POSTed forms with a JSON text in them, and no cookies."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
import requests

from sources.itop_answer import ItopJudge, failure
from sources.itop_connection import ItopConnection
from sources.itop_errors import Slow
from sources.session import Answer, Call, HttpSession

VERSION: Final = "1.3"  # accepted by 2.2 and later, and only a gate: specs/itop.md §1.1


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: its verb, its parameters, and whether archived objects count."""

    verb: str
    parameters: Mapping[str, Any]
    archived: bool = False


class ItopSession(HttpSession):
    """The calls of one extraction; close it, or use it as a context manager.

    Raises as `HttpSession.ask`, and `sources.itop_errors` for what iTop refuses with HTTP 200.
    """

    numbers_are_texts = True  # but for stop watches: specs/itop.md §4.2

    def __init__(self, connection: ItopConnection) -> None:
        super().__init__(connection)
        self._script = connection.script

    def do(self, operation: Operation, *, version: str = VERSION, once: bool = False) -> Answer:
        """The answer to *operation*, which only reads; *once*: outages are not waited for."""
        text = orjson.dumps({"operation": operation.verb, **operation.parameters}).decode()
        params = {"version": version} | ({"with_archive": "1"} if operation.archived else {})
        call = Call(self._script, "POST", params=params, form={"json_data": text}, safe=not once)
        return self.ask(call)

    def _ask_once(self, call: Call) -> Answer:
        answer = super()._ask_once(call)
        failed = failure(answer.document, answer.where, self.secrets())
        if failed is not None:
            raise failed
        return answer

    def _wait(self, error: Exception) -> bool | float:
        return False if isinstance(error, Slow) else super()._wait(error)

    def _judge(self, request: requests.PreparedRequest | requests.Request) -> ItopJudge:
        judge = super()._judge(request)
        return ItopJudge(judge.method, judge.url, judge.secrets, judge.outages)
