import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referential.bisect import Patience, Refusal, isolate, named, split_rows


class Canopsis:
    """Refuses every import that holds a bad row, for the first of them; counts what it is sent."""

    def __init__(self, bad: dict[int, str], patience: Patience) -> None:
        self.bad = bad
        self.patience = patience
        self.loaded: list[int] = []
        self.imports = 0

    def send(self, rows: list[int]) -> str | None:
        self.imports += 1
        for row in rows:
            if row in self.bad:
                self.patience.spend()
                return self.bad[row]
        self.loaded += rows
        return None


def never(_rows: list[int], _words: str) -> bool:
    return False


def run(
    count: int, bad: dict[int, str], *, patience: int = 10_000, group: int = 1
) -> tuple[Canopsis, list[Refusal]]:
    ids = [f"e{row}" for row in range(count)]
    groups = [f"g{row // group}" for row in range(count)]
    canopsis = Canopsis(bad, Patience(patience))
    words = canopsis.send(list(range(count)))
    if words is None:
        return canopsis, []
    refusals = isolate(
        list(range(count)),
        words,
        send=canopsis.send,
        split=lambda rows, words: split_rows(rows, words, ids=ids, groups=groups),
        hopeless=never,
        patience=canopsis.patience,
    )
    return canopsis, list(refusals)


@pytest.mark.parametrize("poison", [0, 1, 1234, 2500, 4999])
def test_one_bad_entity_among_5000_is_found_with_a_logarithmic_number_of_imports(
    poison: int,
) -> None:
    canopsis, refusals = run(5000, {poison: "odd"})

    assert refusals == [Refusal(poison, "odd")]
    assert sorted(canopsis.loaded) == [row for row in range(5000) if row != poison]
    assert canopsis.imports <= 1 + 2 * math.ceil(math.log2(5000))


def test_two_bad_entities_are_told_with_the_words_about_each() -> None:
    canopsis, refusals = run(1000, {10: "ten", 990: "late"})

    assert refusals == [Refusal(10, "ten"), Refusal(990, "late")]
    assert len(canopsis.loaded) == 998


@given(
    count=st.integers(1, 300),
    group=st.integers(1, 400),
    seed=st.integers(0, 1000),
    wanted=st.integers(0, 6),
)
def test_every_good_entity_is_loaded_once_and_every_bad_one_told_once(
    count: int, group: int, seed: int, wanted: int
) -> None:
    rows = random.Random(seed).sample(range(count), min(wanted, count))
    bad = {row: f"bad {row}" for row in rows}

    canopsis, refusals = run(count, bad, group=group)

    assert sorted(canopsis.loaded) == [row for row in range(count) if row not in bad]
    assert {refusal.row: refusal.words for refusal in refusals} == bad
    assert len(refusals) == len(bad)


def test_a_text_that_names_the_entity_needs_no_halving() -> None:
    words = "failed to delete an entity with _id = e777"
    canopsis, refusals = run(5000, {777: words})

    assert refusals == [Refusal(777, words)]
    assert canopsis.imports == 3  # all of them, the named one, the others


def test_a_text_that_names_nothing_we_sent_is_halved_like_any_other() -> None:
    words = "failed to delete an entity with _id = somebody-else"
    _, refusals = run(100, {50: words})

    assert refusals == [Refusal(50, words)]


def test_a_refusal_of_two_halves_together_that_are_good_apart_loses_nothing() -> None:
    loaded: list[int] = []

    def send(rows: list[int]) -> str | None:
        loaded.extend(rows)
        return None

    refusals = isolate(
        list(range(8)),
        "only together",
        send=send,
        split=lambda rows, _: (rows[: len(rows) // 2], rows[len(rows) // 2 :]),
        hopeless=never,
        patience=Patience(10),
    )

    assert list(refusals) == []
    assert sorted(loaded) == list(range(8))


def test_rows_that_are_all_bad_are_not_tried_one_by_one() -> None:
    sent: list[list[int]] = []

    refusals = isolate(
        [3, 4, 5],
        "empty import",
        send=sent.append,
        split=lambda rows, _: (rows[:1], rows[1:]),
        hopeless=lambda _, words: words == "empty import",
        patience=Patience(10),
    )

    assert list(refusals) == [Refusal(row, "empty import") for row in (3, 4, 5)]
    assert sent == []


def test_without_patience_the_rest_is_set_aside_and_not_tried_alone() -> None:
    canopsis, refusals = run(64, dict.fromkeys(range(64), "all bad"), patience=5)

    assert canopsis.patience.left <= 0
    assert sorted(refusal.row for refusal in refusals) == list(range(64))
    assert [refusal.alone for refusal in refusals].count(False) > 0
    assert canopsis.imports < 12


def test_a_component_is_cut_from_its_resources_only_when_it_must() -> None:
    groups = ["a"] * 4 + ["b"] * 6

    assert split_rows(list(range(10)), "x", ids=groups, groups=groups) == (
        [0, 1, 2, 3],
        [4, 5, 6, 7, 8, 9],
    )


def test_one_large_group_is_halved_all_the_same() -> None:
    groups = ["a", *["b"] * 9]

    assert split_rows(list(range(10)), "x", ids=groups, groups=groups) == (
        [0, 1, 2, 3, 4],
        [5, 6, 7, 8, 9],
    )


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("failed to delete an entity with _id = eth0/sw1", "eth0/sw1"),
        ("failed to disable an entity service with name = APP-crm", "APP-crm"),
        ("ci = , validation error: service APP-crm contains empty pattern", "APP-crm"),
        ("ci = sw1, validation error: type is required", "sw1"),
        ("ci = , validation error: empty name is not allowed", None),
        ("ci = , validation error: type is not valid connector", None),
        ("can't create resource for disabled component", None),
        ("empty import", None),
    ],
)
def test_the_texts_that_name_an_entity_are_known(words: str, name: str | None) -> None:
    assert named(words) == name
