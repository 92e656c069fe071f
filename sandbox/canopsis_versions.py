"""The versions of Canopsis that the simulator can be (`specs/canopsis.md` §9)."""

import re

VERSIONS = ("24.10", "3.25", "4.3.0", "4.6", "22.10", "23.04.5", "23.10", "24.04", "25.04")
"""The first one by default; the last digit of each is free."""

_LINES = (
    "3.25",
    "4.0",
    "4.1",
    "4.2",
    "4.3",
    "4.4",
    "4.5",
    "4.6",
    "22.10",
    "23.04",
    "23.10",
    "24.04",
    "24.10",
    "25.04",
)


def known(version: str) -> str:
    """The version, when it is one of a line that is simulated, or `development`.

    Raises ValueError with what it may be.
    """
    line = re.fullmatch(r"(\d+\.\d+)(?:\.\d+)?", version)
    if version != "development" and (line is None or line[1] not in _LINES):
        raise ValueError(f"no version {version!r}: write one of {', '.join(VERSIONS)}")
    return version
