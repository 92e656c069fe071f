"""Records that cannot become entities, and why."""

from dataclasses import dataclass
from typing import Any

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reject:
    """One record refused by the mapping: counted, sampled, kept, never fatal by itself.

    `number` is the record's 1-based rank in its dataset; `rule` names the rule that refused it
    (`component.name`); `reason` says what and how to mend in one sentence.
    """

    dataset: str
    number: int
    rule: str
    reason: str
    record: Record


class Refusal(Exception):
    """A value that a rule cannot take; raised while a record is mapped, never let out of `Mapper`.

    `why` is a short label without data, by which refusals are counted (`missing`, `blank name`);
    `reason` says it of this very value, with the mend, in one sentence.
    """

    def __init__(self, why: str, reason: str) -> None:
        super().__init__(reason)
        self.why = why
        self.reason = reason
