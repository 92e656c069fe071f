"""What urllib3 logs, without the values in queries and the words of those who answered."""

import logging
import re
from typing import Any, Final

_VALUE: Final = re.compile(r"([?&][^=&\s\"']*=)[^&\s\"']*")
_LOGGERS: Final = ("urllib3.connection", "urllib3.connectionpool", "urllib3.util.retry")


class _Valueless(logging.Filter):
    """A key may travel in a query, and come back in headers that cannot be read."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.exc_info = _plain(record.msg), None
        if isinstance(record.args, tuple):
            record.args = tuple(map(_plain, record.args))
        return True


_VALUELESS: Final = _Valueless()


def keep_queries_out_of_logs() -> None:
    """No value of a query is ever logged by urllib3; asking twice changes nothing."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_VALUELESS)


def _plain(part: Any) -> Any:
    if isinstance(part, str):
        return _VALUE.sub(r"\1***", part)
    return type(part).__name__ if isinstance(part, Exception) else part
