"""The checksum that a marker file may hold of the file beside it."""

import hashlib
import re
from pathlib import Path
from typing import Final

from sources.errors import Unreadable

_KINDS: Final = {32: "md5", 40: "sha1", 64: "sha256"}  # by the number of their digits
_DIGITS: Final = re.compile(rb"\b(?:[0-9a-fA-F]{64}|[0-9a-fA-F]{40}|[0-9a-fA-F]{32})\b")


def verify(path: Path, marker: bytes, where: str) -> str:
    """Compare *path*, shown as *where*, with the checksum in *marker*, if there is one.

    Returns what was verified, in words. Raises Unreadable when the two differ.
    """
    found = _DIGITS.search(marker)
    if found is None:
        return ""
    digits = found[0].decode().lower()
    kind = _KINDS[len(digits)]
    with path.open("rb") as file:
        actual = hashlib.file_digest(file, lambda: hashlib.new(kind, usedforsecurity=False))
    if actual.hexdigest() != digits:
        raise Unreadable(
            f"the file is not the one its marker speaks of: its {kind.upper()} is "
            f"{actual.hexdigest()}, and {digits} is stated",
            where=where,
            mend="have it delivered again",
        )
    return f"{kind.upper()} as its marker states"
