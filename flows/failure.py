"""What went wrong in another process, as it travels to the run that waits for it.

Exceptions themselves do not travel: some cannot be built anew from their text, and what they were
caused by may quote a secret.
"""

import traceback
from collections.abc import Callable
from typing import Any, Final

from flows.files import Unwritable
from flows.misdeclared import Fault, Misdeclared
from sources.errors import Refused, SourceError, Unreachable, Unreadable

_TYPES: Final[dict[str, type[Exception]]] = {
    each.__name__: each for each in (Unreachable, Refused, Unreadable, SourceError, Unwritable)
}


class Defect(Exception):
    """An error that nobody expects, in another process: a defect of ours, with its traceback."""


def packed(error: Exception, redact: Callable[[str], str]) -> dict[str, Any]:
    """*error* as JSON, its secrets hidden by *redact*."""
    if isinstance(error, Misdeclared):
        faults = [
            [redact(each.where), redact(each.what), redact(each.mend)] for each in error.faults
        ]
        return {"type": "Misdeclared", "faults": faults}
    for kind in type(error).__mro__:
        if _TYPES.get(kind.__name__) is kind:
            notes = [redact(note) for note in getattr(error, "__notes__", ())]
            return {"type": kind.__name__, "what": redact(str(error)), "notes": notes}
    told = redact("".join(traceback.format_exception(error)))
    return {"type": "Defect", "what": redact(f"{type(error).__name__}: {error}"), "notes": [told]}


def unpacked(words: dict[str, Any]) -> Exception:
    """The error that `packed` made *words* of, to be raised."""
    if words["type"] == "Misdeclared":
        return Misdeclared([Fault(*each) for each in words["faults"]])
    error = _TYPES.get(words["type"], Defect)(words["what"])
    for note in words["notes"]:
        error.add_note(note)
    return error
