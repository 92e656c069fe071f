"""What putting the slices of a dataset together says of one of them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Absorbed:
    """What becomes of a slice that is put behind earlier ones.

    `dropped` are those of its rejects that are none, for an earlier slice had begun the service
    that they could not begin: their ranks, from 0, among all rejects that `Mapper.map_page` gave of
    the slice. `again`, when not empty, says why nothing was absorbed: what the slice became depends
    on an earlier one (an id that is taken), so that it must be mapped again, by a mapper that took
    the tables as they are now.
    """

    dropped: tuple[int, ...] = ()
    again: str = ""
