"""What was seen while objects were read by their ids, and whether it proves that all came."""

from dataclasses import dataclass, field

from sources.base import Complete, Outcome, Partial
from sources.itop_ids import Bounds, Listing


@dataclass(slots=True)
class ItopEvidence:
    """Objects counted against the list of ids; `doubts` are why some may be lacking."""

    class_name: str
    bounds: Bounds
    listed: int = 0
    read: int = 0  # objects handed on, odd ones included
    late: int = 0  # came only when asked for again
    gone: int = 0  # no longer there, or no longer meeting the condition
    appeared: int = 0  # not listed, and met between those that were
    newer: int = 0  # made after the list: the next run reads them
    lost: int = 0  # iTop cannot serve them
    broken: bool = False  # iTop answers something else than was asked
    doubts: list[str] = field(default_factory=list)

    def note_list(self, listing: Listing) -> None:
        self.listed = len(listing.ids)
        self.doubts += listing.doubts

    def outcome(self, identity: str) -> Outcome:
        """*identity* is who asks: iTop hides what an account may not see, and says nothing."""
        if self.doubts:
            return Partial("; ".join(dict.fromkeys(self.doubts)))
        of = f"{self.class_name}{self.bounds}"
        facts = [
            f"{self.listed:,} ids of {of} listed, each read once by its id",
            *(f"{number:,} {words}" for number, words in self._exceptions() if number),
            f"this is all that {identity} may see: iTop leaves out other organizations silently",
        ]
        return Complete(", ".join(facts))

    def _exceptions(self) -> tuple[tuple[int, str], ...]:
        return (
            (self.late, "came only when asked for again"),
            (self.gone, "were gone when asked for again"),
            (self.appeared, "more appeared between them"),
            (self.lost, "cannot be served by iTop and are rejects"),
            (self.newer, "were made meanwhile and are left to the next run"),
        )
