"""What cannot be served at once is asked for in halves, and one object never costs the others."""

from collections.abc import Sequence

import pytest

from sources.base import Page, Reject
from sources.errors import Refused, SourceError, Unreachable, Unreadable
from sources.itop_errors import Broken, Slow, Unserved
from sources.itop_halving import Halving

TOO_MUCH = Unserved("Allowed memory size exhausted")


class Server:
    """Serves its ids but for the `bad` ones, at most `most` at once; counts what it was asked."""

    def __init__(
        self, *, bad: Sequence[int] = (), most: int = 1_000, failure: SourceError = TOO_MUCH
    ) -> None:
        self.bad = {*bad}
        self.most = most
        self.failure = failure
        self.well = True
        self.asked: list[tuple[list[int], bool]] = []

    def ask(self, ids: Sequence[int], once: bool) -> Page:  # noqa: FBT001 - what `Halving` calls
        self.asked.append(([*ids], once))
        if self.bad & {*ids} or len(ids) > self.most:
            raise self.failure
        return Page(ids[0], [{"id": each} for each in ids])

    def is_well(self) -> bool:
        return self.well

    def reject(self, number: int, failure: SourceError) -> Page:
        return Page(number, [], (Reject("servers", number, str(failure), ""),))

    def read(self, count: int, size: int) -> tuple[list[int], list[int]]:
        """The ids that came, and the rejects."""
        pages = list(Halving(size, self.ask, self.is_well, self.reject).over(range(1, count + 1)))
        came = [record["id"] for page in pages for record in page.records]
        return came, [each.number for page in pages for each in page.rejects]

    @property
    def sizes(self) -> list[int]:
        return [len(ids) for ids, _ in self.asked]


def test_all_goes_well_in_windows_of_the_size() -> None:
    server = Server()

    assert server.read(10, 4) == ([*range(1, 11)], [])
    assert server.asked == [
        ([1, 2, 3, 4], False),
        ([5, 6, 7, 8], False),
        ([9, 10], False),
    ]


@pytest.mark.parametrize("failure", [TOO_MUCH, Slow("silent"), Broken("500", retry_after=None)])
def test_one_bad_object_is_a_reject_and_all_others_come(failure: SourceError) -> None:
    server = Server(bad=[6], failure=failure)

    came, rejects = server.read(20, 20)

    assert came == [each for each in range(1, 21) if each != 6]
    assert rejects == [6]


def test_the_object_that_fails_alone_is_waited_for_before_it_is_given_up() -> None:
    server = Server(bad=[2])

    server.read(4, 4)

    assert [once for ids, once in server.asked if ids == [2]] == [False]
    assert [once for ids, once in server.asked if ids == [3, 4]] == [True]


def test_windows_that_are_too_large_become_smaller_for_good() -> None:
    server = Server(most=3)

    assert server.read(40, 10) == ([*range(1, 41)], [])
    assert max(server.sizes[server.sizes.index(3) :][6:]) <= 3


def test_a_bad_object_does_not_make_the_windows_after_it_smaller() -> None:
    server = Server(bad=[1])

    server.read(40, 10)

    assert server.sizes[-3:] == [10, 10, 10]


def test_a_server_that_answers_nothing_at_all_is_not_asked_in_halves() -> None:
    server = Server(bad=[1])
    server.well = False

    with pytest.raises(Unserved):
        server.read(8, 8)

    assert server.sizes == [8]


def test_a_server_that_can_serve_no_object_is_given_up() -> None:
    server = Server(bad=range(1, 1_000))

    with pytest.raises(Unserved):
        server.read(500, 500)

    assert server.sizes.count(1) == 11


def test_bad_objects_here_and_there_are_rejects_however_many() -> None:
    server = Server(bad=range(1, 100, 3))

    came, rejects = server.read(99, 9)

    assert rejects == [*range(1, 100, 3)]
    assert len(came) == 66


@pytest.mark.parametrize("failure", [Unreachable("the answer stops"), Unreadable("a page")])
def test_what_is_no_objects_fault_is_never_a_reject(failure: SourceError) -> None:
    server = Server(bad=[3], failure=failure)

    with pytest.raises(type(failure)):
        server.read(8, 8)


def test_a_refusal_is_raised_at_once() -> None:
    server = Server(bad=[3], failure=Refused("no"))

    with pytest.raises(Refused):
        server.read(8, 8)

    assert server.sizes == [8]
