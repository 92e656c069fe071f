"""pysnow, loaded when a ServiceNow is first read: it takes a quarter of a second."""

import threading
import warnings
from functools import cache
from typing import Any, Final

from sources.errors import Refused

# What its dependencies say while they load, to those who maintain them: python-magic where libmagic
# is not installed (attachments are not read), the others of what Python is to drop.
_SAID: Final = (
    ("Missing the python-magic library", UserWarning, r"pysnow(\.|$)"),
    ("", DeprecationWarning, r"(pysnow|ijson|magic|oauthlib|pytz|requests_oauthlib|six)(\.|$)"),
)
_LOADING: Final = threading.Lock()


def pysnow() -> Any:
    """The module; raises Refused when it is not installed."""
    with _LOADING:
        return _loaded()


@cache
def _loaded() -> Any:
    try:
        with warnings.catch_warnings():
            for message, category, module in _SAID:
                warnings.filterwarnings("ignore", message, category, module)
            import pysnow as loaded  # noqa: PLC0415 - see the top
    except ImportError as error:
        missing = str(error)
    else:
        return loaded
    raise Refused(
        f"pysnow cannot be loaded: {missing}",
        where="the installation",
        mend="install refsync with the extra `servicenow`",
    )
