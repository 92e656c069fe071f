"""What a server breaks on, asked for again in halves, down to the object that it breaks on."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from sources.base import Page
from sources.errors import SourceError, Unreachable, Unreadable
from sources.itop_errors import Broken, Slow, Unserved

# An object may be the reason of these; a lost connection or a page that is no answer is none's.
_OBJECTS: Final = (Unserved, Broken, Slow)
_IN_A_ROW: Final = 10  # objects that cannot be served before it is the server that cannot serve


class Halving:
    """Asks for objects by their ids, fewer at once where more fail; `size` follows.

    `ask(ids, once)` gives their page; `is_well` tells whether the server answers anything at all,
    without which halves would fail as well; `reject` makes the page of an object that has failed.
    """

    def __init__(
        self,
        size: int,
        ask: Callable[[Sequence[int], bool], Page],
        is_well: Callable[[], bool],
        reject: Callable[[int, SourceError], Page],
    ) -> None:
        self.size = size
        self._ask = ask
        self._is_well = is_well
        self._reject = reject
        self._lost = 0
        self._lost_in_a_row = 0

    def over(self, ids: Sequence[int]) -> Iterator[Page]:
        """The pages of all *ids*, in their order; raises as `pages`."""
        at = 0
        while at < len(ids):
            window = ids[at : at + self.size]
            at += len(window)
            yield from self.pages(window)

    def pages(self, ids: Sequence[int], *, once: bool = False) -> Iterator[Page]:
        """The pages of *ids*, one if all goes well; *once*: outages are not waited for.

        Raises what *ask* raises when the server answers nothing else either, when the failure is
        not due to objects, and when ten objects in a row have failed.
        """
        failure: SourceError
        try:
            page = self._ask(ids, once and len(ids) > 1)
        except (Unreachable, Unreadable) as failed:
            failure = failed
        else:
            self._lost_in_a_row = 0
            yield page
            return
        if not self._is_well():
            raise failure
        if len(ids) > 1:
            yield from self._halves(ids, failure)
            return
        self._lost += 1
        self._lost_in_a_row += 1
        if not isinstance(failure, _OBJECTS) or self._lost_in_a_row > _IN_A_ROW:
            raise failure
        yield self._reject(ids[0], failure)

    def _halves(self, ids: Sequence[int], failure: SourceError) -> Iterator[Page]:
        half, lost = len(ids) // 2, self._lost
        yield from self.pages(ids[:half], once=True)
        yield from self.pages(ids[half:], once=True)
        if lost == self._lost and isinstance(failure, _OBJECTS):
            # It was too much at once, and would be again.
            self.size = min(self.size, len(ids) - half)
