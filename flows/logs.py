"""The log of a command: standard logging, on stderr, without secrets."""

import logging

from flows.console import Shown
from flows.prefect_env import LOGGERS
from flows.settings import Settings


class _OnConsole(logging.Handler):
    def __init__(self, shown: Shown, settings: Settings) -> None:
        super().__init__(logging.INFO)
        self._shown, self._settings = shown, settings

    def emit(self, record: logging.LogRecord) -> None:
        message = self._settings.redact(record.getMessage())
        if record.levelno >= logging.ERROR:
            self._shown.error(message)
        elif record.levelno >= logging.WARNING:
            self._shown.warning(message)
        else:
            self._shown.note(message)


def log_to(shown: Shown, settings: Settings) -> None:
    """Show what the layers log; called once per command."""
    for name in LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers = [_OnConsole(shown, settings)]
        logger.setLevel(logging.INFO)
        logger.propagate = False
