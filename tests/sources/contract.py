"""What every source promises, whatever it reads: nothing is lost in silence.

A source's test file provides a `bench` fixture and subclasses the classes that fit it:

    class TestApi(HttpContract):
        @pytest.fixture
        def bench(self): return ApiBench()

`SourceContract` is for all of them, `PagedContract` for those that read pages, `HttpContract` for
those that read over HTTP, `AnchoredContract` beside it for those whose pages cannot slide,
`SlicedContract` beside it for those that can be read in slices, `WindowlessContract` for those that
cannot be read by modification date.
"""

import socket
import tracemalloc
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Protocol

import pytest

from sources.base import Complete, Outcome, Page, Partial, Record, Scope, Slice, Source
from sources.errors import Refused, SourceError, Unreachable, Unreadable
from sources.slices import joined


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong while a bench serves: a word of the tests below, and the page it strikes."""

    kind: str
    page: int = 2  # 1-based


@dataclass(frozen=True, slots=True)
class Served:
    """Records ready to be read, and the secrets that nothing may show."""

    config: Any
    connection: Any
    dataset: str
    secrets: tuple[str, ...] = ()


class Bench(Protocol):
    """Serves numbered records to a source; `key` gives back the number a record was served with.

    `identity` is the field by which the system itself knows a record.
    """

    source: Source[Any, Any]
    page_size: int
    identity: str

    def serve(
        self, count: int, fault: Fault | None = None, *, size: int = 0
    ) -> AbstractContextManager[Served]:
        """Serve records `key_of(1)` to `key_of(count)`, each padded with *size* characters.

        Pages have `page_size` records; a thousand when *count* is ten thousand or more.
        """

    def key(self, record: Record) -> str:
        """The number under which *record* was served, as `key_of` wrote it."""


def key_of(number: int) -> str:
    """The key of the *number*th record (1-based); its zeros must survive the journey."""
    return f"{number:06d}"


def keys_to(count: int) -> tuple[str, ...]:
    """The keys of *count* records, in the order they are served."""
    return tuple(key_of(number) for number in range(1, count + 1))


@dataclass(frozen=True, slots=True)
class Reading:
    """One extraction, to its end or its error."""

    pages: tuple[Page, ...]
    keys: tuple[str, ...]
    outcome: Outcome | None
    error: SourceError | None

    @property
    def records(self) -> tuple[Record, ...]:
        return tuple(record for page in self.pages for record in page.records)

    @property
    def rejects(self) -> tuple[Any, ...]:
        return tuple(reject for page in self.pages for reject in page.rejects)

    @property
    def words(self) -> str:
        """Everything that a person or a log may be shown."""
        error = self.error
        told = [] if error is None else [str(error), repr(error), *getattr(error, "__notes__", [])]
        told += [repr(error.__context__), repr(error.__cause__)] if error else []
        return "\n".join([*told, repr(self.outcome), repr(self.rejects)])


def read(bench: Bench, served: Served, scope: Scope | None = None) -> Reading:
    """Read everything; no secret may show, neither in messages nor in the configuration."""
    pages: list[Page] = []
    error = None
    outcome = None
    extraction = bench.source.extract(
        served.config, served.dataset, served.connection, scope or Scope()
    )
    try:
        while True:
            pages.append(next(extraction))
    except StopIteration as stop:
        outcome = stop.value
    except SourceError as caught:
        error = caught
    keys = tuple(bench.key(record) for page in pages for record in page.records)
    reading = Reading(tuple(pages), keys, outcome, error)
    for secret in served.secrets:
        assert secret not in reading.words
        assert secret not in repr(served.connection)
    return reading


def assert_nothing_is_lost_in_silence(reading: Reading, keys: tuple[str, ...]) -> None:
    """Complete means that *keys* were read, all of them; anything less must say so."""
    if reading.error is None and isinstance(reading.outcome, Complete):
        assert set(reading.keys) >= set(keys)
    else:
        assert reading.error is not None or isinstance(reading.outcome, Partial)


def assert_says_what_where_and_mend(error: SourceError) -> None:
    notes = getattr(error, "__notes__", [])
    assert str(error)
    assert [note for note in notes if note.startswith("where: ")]
    assert [note for note in notes if note.startswith("mend: ")]


def _identity(bench: Bench, record: Record) -> str:
    value = record[bench.identity]
    return str(value["value"] if isinstance(value, dict) else value)


class SourceContract:
    """For every source."""

    def test_every_record_comes_once_and_in_order(self, bench: Bench) -> None:
        count = 3 * bench.page_size + 1

        with bench.serve(count) as served:
            reading = read(bench, served)

        assert reading.error is None
        assert reading.keys == keys_to(count)
        assert isinstance(reading.outcome, Complete)
        assert reading.outcome.evidence

    def test_a_dataset_that_fills_its_pages_exactly_is_complete(self, bench: Bench) -> None:
        count = 2 * bench.page_size

        with bench.serve(count) as served:
            reading = read(bench, served)

        assert reading.keys == keys_to(count)
        assert isinstance(reading.outcome, Complete)

    def test_pages_say_the_rank_of_their_first_record(self, bench: Bench) -> None:
        with bench.serve(2 * bench.page_size + 1) as served:
            reading = read(bench, served)

        rank = 1
        for page in reading.pages:
            assert page.first == rank
            rank += len(page.records)

    def test_an_empty_dataset_is_complete_with_nothing(self, bench: Bench) -> None:
        with bench.serve(0) as served:
            reading = read(bench, served)

        assert reading.error is None
        assert reading.keys == ()
        assert isinstance(reading.outcome, Complete)

    def test_a_single_record_is_complete(self, bench: Bench) -> None:
        with bench.serve(1) as served:
            reading = read(bench, served)

        assert reading.keys == (key_of(1),)
        assert isinstance(reading.outcome, Complete)

    def test_reading_again_gives_the_same(self, bench: Bench) -> None:
        with bench.serve(2 * bench.page_size + 1) as served:
            once = read(bench, served)
            again = read(bench, served)

        assert once.keys == again.keys
        assert once.outcome == again.outcome

    def test_an_odd_row_is_a_reject_and_the_others_are_read(self, bench: Bench) -> None:
        count = 2 * bench.page_size
        odd = bench.page_size + 2

        with bench.serve(count, Fault("odd_row", page=2)) as served:
            reading = read(bench, served)

        assert reading.keys == tuple(key for key in keys_to(count) if key != key_of(odd))
        assert [reject.number for reject in reading.rejects] == [odd]
        assert [reject.dataset for reject in reading.rejects] == [served.dataset]
        assert len(reading.rejects[0].sample) <= 201

    @pytest.mark.parametrize("page", [1, 2, 3])
    def test_a_cut_in_the_middle_is_never_silent(self, bench: Bench, page: int) -> None:
        count = 3 * bench.page_size

        with bench.serve(count, Fault("cut", page)) as served:
            reading = read(bench, served)

        assert_nothing_is_lost_in_silence(reading, keys_to(count))
        assert not isinstance(reading.outcome, Complete)

    def test_the_probe_says_what_answers_and_who_asks(self, bench: Bench) -> None:
        with bench.serve(1) as served:
            probe = bench.source.probe(served.config, served.connection)

        assert probe.version
        assert probe.identity
        assert probe.lacking == ()
        assert not [secret for secret in served.secrets if secret in repr(probe)]

    def test_a_count_is_the_number_of_records_or_unknown(self, bench: Bench) -> None:
        with bench.serve(2 * bench.page_size + 1) as served:
            count = bench.source.count(served.config, served.dataset, served.connection, Scope())

        assert count in (None, 2 * bench.page_size + 1)

    def test_records_named_by_their_ids_are_read_alone_and_those_not_there_are_told(
        self, bench: Bench
    ) -> None:
        count = 3 * bench.page_size + 1
        wanted = (key_of(1), key_of(bench.page_size + 2), key_of(count))

        with bench.serve(count) as served:
            whole = read(bench, served)
            ids = {_identity(bench, row) for row in whole.records if bench.key(row) in wanted}
            named = read(bench, served, Scope(ids=frozenset({*ids, "987654321", "no one's"})))
            nobody = read(bench, served, Scope(ids=frozenset({"987654321"})))

        assert len(ids) == 3
        assert (named.error, tuple(sorted(named.keys))) == (None, wanted)
        assert isinstance(named.outcome, Complete)
        assert named.outcome.absent == ("987654321", "no one's")
        assert "3 of 5 ids found" in named.outcome.evidence
        assert nobody.keys == ()
        assert isinstance(nobody.outcome, Complete)
        assert nobody.outcome.absent == ("987654321",)

    def test_ten_thousand_rows_of_one_sort_key_are_all_read(self, bench: Bench) -> None:
        # Homonyms, rows stamped in the same second: nothing but the key tells them apart.
        with bench.serve(10_000, Fault("same_sort_key")) as served:
            reading = read(bench, served)

        assert reading.keys == keys_to(10_000)
        assert isinstance(reading.outcome, Complete)

    def test_memory_holds_a_page_not_the_dataset(self, bench: Bench) -> None:
        def peak(pages: int) -> int:
            with bench.serve(pages * bench.page_size, size=20_000) as served:
                tracemalloc.start()
                try:
                    for _ in bench.source.extract(
                        served.config, served.dataset, served.connection, Scope()
                    ):
                        pass
                    return tracemalloc.get_traced_memory()[1]
                finally:
                    tracemalloc.stop()

        peak(2)  # what is loaded once is loaded

        assert peak(40) < 2 * peak(4)


class WindowlessContract:
    """Beside it, for sources that hold no modification date."""

    def test_a_window_that_cannot_be_honoured_is_refused(self, bench: Bench) -> None:
        with bench.serve(1) as served:
            reading = read(bench, served, Scope(since=datetime(2026, 1, 1, tzinfo=UTC)))

        assert isinstance(reading.error, Refused)
        assert reading.pages == ()
        assert_says_what_where_and_mend(reading.error)
        assert not bench.source.windows


class PagedContract(SourceContract):
    """For sources that read page after page."""

    @pytest.mark.parametrize("page", [2, 3])
    def test_a_repeated_page_is_partial(self, bench: Bench, page: int) -> None:
        with bench.serve(3 * bench.page_size + 1, Fault("repeated_page", page)) as served:
            reading = read(bench, served)

        assert isinstance(reading.outcome, Partial) or reading.error is not None
        assert len(set(reading.keys)) == len(reading.keys)

    @pytest.mark.parametrize("page", [1, 2, 3])
    def test_a_short_page_is_no_end(self, bench: Bench, page: int) -> None:
        count = 3 * bench.page_size + 1

        with bench.serve(count, Fault("short_page", page)) as served:
            reading = read(bench, served)

        assert_nothing_is_lost_in_silence(reading, keys_to(count))

    @pytest.mark.parametrize("kind", ["total_too_low", "total_too_high"])
    def test_a_wrong_total_is_partial(self, bench: Bench, kind: str) -> None:
        with bench.serve(3 * bench.page_size + 1, Fault(kind)) as served:
            reading = read(bench, served)

        assert isinstance(reading.outcome, Partial)
        assert reading.outcome.reason

    @pytest.mark.parametrize("page", [1, 2, 3])
    @pytest.mark.parametrize("kind", ["row_added", "row_removed"])
    def test_rows_that_move_while_reading_are_not_lost_in_silence(
        self, bench: Bench, kind: str, page: int
    ) -> None:
        # Once `page` is served, a row comes before the first one, or the first one goes.
        count = 4 * bench.page_size

        with bench.serve(count, Fault(kind, page)) as served:
            reading = read(bench, served)

        assert_nothing_is_lost_in_silence(reading, keys_to(count)[1:])


class SlicedContract:
    """For sources whose datasets can be read in slices, side by side."""

    @pytest.mark.parametrize("count", [1, 2, 23])
    def test_slices_together_are_the_whole(self, bench: Bench, count: int) -> None:
        with bench.serve(count) as served:
            slices = _slices(bench, served, 4)
            readings = [read(bench, served, Scope(slice=each)) for each in slices]

        assert 1 <= len(slices) <= 4
        assert [(each.index, each.of) for each in slices] == [
            (rank, len(slices)) for rank in range(len(slices))
        ]
        assert sorted(key for reading in readings for key in reading.keys) == sorted(keys_to(count))
        assert isinstance(_joined(readings), Complete)

    def test_a_dataset_of_several_pages_is_really_cut(self, bench: Bench) -> None:
        with bench.serve(8 * bench.page_size) as served:
            slices = _slices(bench, served, 4)
            shares = [len(read(bench, served, Scope(slice=each)).keys) for each in slices]

        assert len(slices) > 1
        assert max(shares) < sum(shares)

    @pytest.mark.parametrize("kind", ["row_added", "row_removed", "row_replaced"])
    def test_rows_that_move_between_slices_are_not_lost_in_silence(
        self, bench: Bench, kind: str
    ) -> None:
        count = 8 * bench.page_size

        with bench.serve(count, Fault(kind, page=3)) as served:
            slices = _slices(bench, served, 4)
            readings = [read(bench, served, Scope(slice=each)) for each in slices]

        assert not [each.error for each in readings if each.error]
        if isinstance(_joined(readings), Complete):
            found = {key for reading in readings for key in reading.keys}
            assert found >= set(keys_to(count)[1:])


def _slices(bench: Bench, served: Served, most: int) -> tuple[Slice, ...]:
    return bench.source.slices(served.config, served.dataset, served.connection, Scope(), most)


def _joined(readings: list[Reading]) -> Outcome:
    return joined([reading.outcome for reading in readings if reading.outcome is not None])


class AnchoredContract:
    """For sources whose pages hang on a record (keyset, cursor, overlap), not on a rank alone."""

    @pytest.mark.parametrize("page", [1, 2, 3])
    def test_moves_that_leave_the_total_alone_are_not_lost_in_silence(
        self, bench: Bench, page: int
    ) -> None:
        # Once `page` is served, the first row goes and another one comes at the end.
        count = 4 * bench.page_size

        with bench.serve(count, Fault("row_replaced", page)) as served:
            reading = read(bench, served)

        assert_nothing_is_lost_in_silence(reading, keys_to(count)[1:])


class HttpContract(PagedContract):
    """For sources that read over HTTP."""

    def test_too_many_requests_are_waited_for(self, bench: Bench) -> None:
        count = 2 * bench.page_size + 1

        with bench.serve(count, Fault("too_many_requests")) as served:
            reading = read(bench, served)

        assert reading.keys == keys_to(count)
        assert isinstance(reading.outcome, Complete)

    def test_two_failures_then_a_success_are_a_success(self, bench: Bench) -> None:
        count = 2 * bench.page_size + 1

        with bench.serve(count, Fault("fails_twice")) as served:
            reading = read(bench, served)

        assert reading.keys == keys_to(count)
        assert isinstance(reading.outcome, Complete)

    def test_failures_without_end_are_an_outage(self, bench: Bench) -> None:
        with bench.serve(2 * bench.page_size, Fault("fails_always")) as served:
            reading = read(bench, served)

        assert isinstance(reading.error, Unreachable)
        assert_says_what_where_and_mend(reading.error)

    @pytest.mark.parametrize("kind", ["html", "empty_body"])
    def test_what_is_not_json_is_unreadable(self, bench: Bench, kind: str) -> None:
        with bench.serve(2 * bench.page_size, Fault(kind)) as served:
            reading = read(bench, served)

        assert isinstance(reading.error, Unreadable)
        assert_says_what_where_and_mend(reading.error)

    def test_refused_credentials_are_refused(self, bench: Bench) -> None:
        with bench.serve(2 * bench.page_size, Fault("credentials", page=1)) as served:
            reading = read(bench, served)

        assert isinstance(reading.error, Refused)
        assert reading.pages == ()
        assert_says_what_where_and_mend(reading.error)

    def test_an_answer_over_the_cap_is_not_swallowed(self, bench: Bench) -> None:
        with bench.serve(2 * bench.page_size, Fault("huge")) as served:
            reading = read(bench, served)

        assert isinstance(reading.error, Unreadable)
        assert_says_what_where_and_mend(reading.error)

    def test_an_answer_of_300_mb_is_left_at_the_cap(self, bench: Bench) -> None:
        with bench.serve(2 * bench.page_size, Fault("endless")) as served:
            tracemalloc.start()
            try:
                reading = read(bench, served)
                peak = tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()

        assert isinstance(reading.error, Unreadable)
        assert peak < 3 * int(served.connection.max_body) + 8 * 2**20

    def test_a_server_that_is_not_there_is_an_outage(self, bench: Bench) -> None:
        with bench.serve(1) as served, socket.socket() as deaf:
            deaf.bind(("127.0.0.1", 0))  # and never listens
            url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
            gone = served.connection.model_copy(update={"base_url": url})
            reading = read(bench, replace(served, connection=gone))

        assert isinstance(reading.error, Unreachable)
        assert_says_what_where_and_mend(reading.error)
