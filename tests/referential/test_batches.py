import pytest
from hypothesis import given
from hypothesis import strategies as st

from referential.batches import Ceiling, Layout


def cut(
    sizes: list[int], groups: list[str], *, most_bytes: int = 10_000, most_items: int = 1_000
) -> list[tuple[int, int]]:
    layout, ceiling, batches, start = Layout(sizes, groups), Ceiling(most_bytes, most_items), [], 0
    while start < len(layout):
        stop = layout.next(start, ceiling)
        batches.append((start, stop))
        start = stop
    return batches


def test_a_body_is_its_items_their_commas_and_two_brackets() -> None:
    assert Layout([10, 20, 30], ["a", "b", "c"]).body_size(0, 3) == len(b"[" + b"x" * 62 + b"]")


def test_a_batch_is_full_to_the_byte() -> None:
    assert cut([10, 10, 10], ["a", "b", "c"], most_bytes=34) == [(0, 3)]
    assert cut([10, 10, 10], ["a", "b", "c"], most_bytes=33) == [(0, 2), (2, 3)]


def test_a_batch_holds_no_more_items_than_allowed() -> None:
    assert cut([1] * 5, list("abcde"), most_items=2) == [(0, 2), (2, 4), (4, 5)]


def test_a_component_and_its_resources_travel_in_one_batch_when_they_fit() -> None:
    assert cut([1] * 6, ["a", "b", "b", "b", "c", "c"], most_items=3) == [(0, 1), (1, 4), (4, 6)]


def test_a_component_with_more_resources_than_a_batch_holds_is_cut_and_comes_first() -> None:
    assert cut([1] * 6, ["a", "b", "b", "b", "b", "c"], most_items=3) == [(0, 1), (1, 4), (4, 6)]


def test_services_need_no_company() -> None:
    assert cut([1] * 4, ["", "", "", ""], most_items=3) == [(0, 3), (3, 4)]


def test_an_entity_larger_than_a_batch_travels_alone() -> None:
    assert cut([5, 500, 5], ["a", "b", "c"], most_bytes=100) == [(0, 1), (1, 2), (2, 3)]


def test_nothing_to_load_is_no_batch() -> None:
    assert cut([], []) == []


def test_a_refused_body_halves_the_ceiling_and_a_told_limit_sets_it() -> None:
    ceiling = Ceiling(5_000_000, 10)

    ceiling.learn(4_000_000)
    assert ceiling.bytes == 2_000_000
    ceiling.learn(1_900_000, told=1_500_000)
    assert ceiling.bytes == 1_500_000
    ceiling.learn(1_400_000, told=9_000_000)  # nonsense: it was refused
    assert ceiling.bytes == 700_000


def test_a_ceiling_never_goes_up() -> None:
    ceiling = Ceiling(1_000, 10)

    ceiling.learn(900_000)

    assert ceiling.bytes == 1_000


@given(
    rows=st.lists(st.tuples(st.integers(1, 50), st.sampled_from(["", "a", "b", "c"])), max_size=80),
    most_bytes=st.integers(1, 300),
    most_items=st.integers(1, 20),
)
def test_batches_cover_every_row_once_in_order_and_stay_under_the_ceiling(
    rows: list[tuple[int, str]], most_bytes: int, most_items: int
) -> None:
    rows.sort(key=lambda row: row[1])
    sizes, groups = [size for size, _ in rows], [group for _, group in rows]

    batches = cut(sizes, groups, most_bytes=most_bytes, most_items=most_items)

    assert [row for start, stop in batches for row in range(start, stop)] == list(range(len(rows)))
    for start, stop in batches:
        body = sum(sizes[start:stop]) + (stop - start) + 1
        assert stop - start == 1 or (body <= most_bytes and stop - start <= most_items)


@given(groups=st.lists(st.sampled_from(["", "a", "b"]), min_size=1, max_size=20))
def test_a_batch_ends_before_a_group_that_does_not_fit_in_it(groups: list[str]) -> None:
    begins = [
        row
        for row, group in enumerate(groups)
        if row == 0 or group == "" or group != groups[row - 1]
    ]
    layout = Layout([1] * len(groups), groups)

    for most in range(1, len(groups)):
        whole = max(row for row in begins if row <= most)
        assert layout.next(0, Ceiling(10_000, most)) == (whole or most)


@pytest.mark.parametrize("count", [1, 100_000])
def test_columns_of_any_length_are_cut(count: int) -> None:
    batches = cut([700] * count, [f"s{row}" for row in range(count)], most_bytes=5_000_000)

    assert batches[-1][1] == count
