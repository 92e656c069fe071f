"""What a simulator was asked: counters by path, and the last calls whole."""

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

_KEPT = 1000  # calls kept whole, the last ones
_BODY = 2000  # characters of a request's body that are kept


@dataclass(slots=True)
class Traffic:
    """Counters by path, and the last calls with their headers (names in lower case)."""

    requests: Counter[str] = field(default_factory=Counter)
    bytes_sent: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    calls: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=_KEPT))

    def record(self, request: Request, body: bytes, response: Response) -> None:
        path = request.url.path
        self.requests[path] += 1
        self.bytes_sent[path] += len(response.body)
        self.statuses[response.status_code] += 1
        self.calls.append(
            {
                "method": request.method,
                "path": path,
                "query": dict(request.query_params),
                "headers": dict(request.headers),
                "body": body.decode("utf-8", "replace")[:_BODY],
                "status": response.status_code,
            }
        )

    def clear(self) -> None:
        for counter in (self.requests, self.bytes_sent, self.statuses, self.calls):
            counter.clear()

    def told(self) -> dict[str, Any]:
        """As `GET /sandbox/traffic` gives it."""
        return {
            "requests": self.requests.total(),
            "bytes_sent": self.bytes_sent.total(),
            "statuses": {str(status): count for status, count in self.statuses.items()},
            "paths": {
                path: {"requests": count, "bytes_sent": self.bytes_sent[path]}
                for path, count in self.requests.items()
            },
            "calls": list(self.calls),
        }
