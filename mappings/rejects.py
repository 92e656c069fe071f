"""Records that cannot become entities, and why."""

from dataclasses import dataclass
from typing import Any

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reject:
    """One record refused by the mapping: counted, sampled, kept, never fatal by itself.

    `number` is the record's 1-based rank in its dataset; `rule` names the rule that refused it
    (`component.name`); `reason` says what and how to mend in one sentence. `id` is the identity
    that the entity would have had, "" when not even that could be made: an entity that the mapping
    refuses is not one that left the source.
    """

    dataset: str
    number: int
    rule: str
    reason: str
    record: Record
    id: str = ""


class Refusal(Exception):
    """A value that a rule cannot take; raised while a record is mapped, never let out of `Mapper`.

    `why` is a short label without data, by which refusals are counted (`missing`, `blank name`);
    `reason` says it of this very value, with the mend, in one sentence.
    """

    def __init__(self, why: str, reason: str) -> None:
        super().__init__(reason)
        self.why = why
        self.reason = reason


def unwritable(error: Exception) -> tuple[str, str]:
    """The why and reason of an entity with half a character or a number past 64 bits."""
    return "not JSON", f"the entity cannot be written as JSON: {error}"
