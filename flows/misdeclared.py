"""Mis-declared files: every fault at once, each with its place. Never retried, exit code 2."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: where (`file:line:column`), what, how to mend it."""

    where: str
    what: str
    mend: str = ""

    def __str__(self) -> str:
        text = f"{self.what}\n  where: {self.where}"
        return f"{text}\n  mend: {self.mend}" if self.mend else text


class Misdeclared(Exception):
    """Files that do not say something refsync can do; `faults` in file order."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = tuple(faults)

    @classmethod
    def of(cls, refusal: Exception, where: str) -> Self:
        """What a lower layer refuses because of something that stands at *where*."""
        notes: Sequence[str] = getattr(refusal, "__notes__", ())
        mend = "; ".join(note.removeprefix("mend: ") for note in notes if note.startswith("mend: "))
        return cls([Fault(where, str(refusal), mend)])
