"""Where a run can die: every call that counts, counted, and a SIGKILL at one of them.

    before Ledger.record    after Ledger.record    before commit    after PUT /api/v4/…

A boundary is the edge of a stage, of a call of the ledger, of a commit of its database, of a call
of the client of Canopsis, of an HTTP request (before it leaves, after its answer has come). Nothing
in the product knows of it: names are wrapped here, in a process that is there to be killed.
"""

import functools
import os
import signal
import sys
import types
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests
import sqlalchemy as sa
from requests.adapters import HTTPAdapter

from flows import stages
from referential.client import Canopsis
from referential.ledger import Ledger

STAGES = ("check", "extract", "plan", "guard", "load", "verify", "record", "finish")


@dataclass(slots=True)
class Watch:
    """Counts the boundaries of a run, and kills it at the *rank*-th *boundary* or *calls*-th call.

    With `counting` the calls of Python functions are counted too, from the first boundary on: a
    measure of progress that is the same each time, however slow the machine is at the moment.
    `seen` are the boundaries passed, each with the calls before it.
    """

    boundary: str = ""
    rank: int = 0
    calls: int = 0
    counting: bool = False
    seen: list[tuple[str, int]] = field(default_factory=list)
    _met: Counter[str] = field(default_factory=Counter)
    _called: int = 0

    def set_up(self) -> None:
        """Wrap what is watched; for the rest of this process."""
        for name in STAGES:
            setattr(stages, name, self._watched(getattr(stages, name), name))
        for owner in (Ledger, Canopsis):
            for name, value in list(vars(owner).items()):
                if isinstance(value, types.FunctionType) and not name.startswith("_"):
                    setattr(owner, name, self._watched(value, f"{owner.__name__}.{name}"))
        HTTPAdapter.send = self._requested(HTTPAdapter.send)  # type: ignore[method-assign]
        sa.event.listen(sa.Engine, "commit", lambda _: self.passed("before commit"))
        if self.counting or self.calls:
            sys.setprofile(self._count)

    def passed(self, name: str) -> None:
        self.seen.append((name, self._called))
        self._met[name] += 1
        if name == self.boundary and self._met[name] == self.rank:
            die()

    def _count(self, _frame: types.FrameType, event: str, _argument: Any) -> None:
        if event == "call" and self.seen:
            self._called += 1
            if self._called == self.calls:
                die()

    def _watched(self, function: Callable[..., Any], name: str) -> Callable[..., Any]:
        @functools.wraps(function)
        def watched(*arguments: Any, **named: Any) -> Any:
            self.passed(f"before {name}")
            try:
                return function(*arguments, **named)
            finally:
                self.passed(f"after {name}")

        return watched

    def _requested(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def send(adapter: HTTPAdapter, request: requests.PreparedRequest, **named: Any) -> Any:
            name = f"{request.method} {route(str(request.url))}"
            self.passed(f"before {name}")
            try:
                return function(adapter, request, **named)
            finally:
                self.passed(f"after {name}")

        return send


def route(url: str) -> str:
    """The path of *url*, without the id of an import or an export."""
    parts = urlsplit(url).path.split("/")
    return "/".join("…" if len(part) == 36 and part.count("-") == 4 else part for part in parts)


def die() -> None:
    """As a power cut: no handler, no `finally`, nothing flushed."""
    os.kill(os.getpid(), signal.SIGKILL)
