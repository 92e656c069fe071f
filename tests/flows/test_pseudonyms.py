"""Stand-ins: of the shape of what they stand for, one for one, and nobody's real value."""

import re
import unicodedata
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.pseudonyms import SHAPES, Pseudonyms, Shape

KEY = b"a key that nobody guesses"
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False)
)


def of(shape: Shape, *values: Any) -> list[Any]:
    made = Pseudonyms(KEY)
    for value in values:
        made.learn(value)
    return [made.of(shape, value) for value in values]


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=("Cs", "Mn"))))
def test_a_text_keeps_its_length_its_case_and_whatever_is_no_letter_and_no_digit(text: str) -> None:
    (made,) = of("text", text)

    assert len(made) == len(text)
    for old, new in zip(text, made, strict=True):
        if old.isalpha():
            assert new.isalpha()
            assert new.isascii() == old.isascii()
            assert new.isupper() == old.isupper()
        elif old.isnumeric():
            assert new in "0123456789"
        else:
            assert new == old


@settings(deadline=None)
@given(st.lists(st.text("abcdef0123", min_size=4), unique=True, max_size=30))
def test_others_have_others_and_nobody_has_what_somebody_is_called(words: list[str]) -> None:
    made = of("text", *words)

    assert len(set(made)) == len(words)
    assert not set(made) & set(words)


@settings(deadline=None)
@given(st.sampled_from(SHAPES), SCALARS)
def test_any_value_has_a_stand_in_of_its_type_always_the_same(shape: Shape, value: Any) -> None:
    (made,) = of(shape, value)

    assert of(shape, value) == [made]
    if value is None or isinstance(value, bool):
        assert made is value
    elif shape != "hash":
        assert type(made) is type(value)
        assert not isinstance(made, int) or -(2**63) <= made < 2**64


def test_case_and_blanks_around_a_text_name_the_same_thing() -> None:
    first, second, third = of("text", "Nîmes-Web", " nîmes-web ", "NÎMES-WEB")

    assert first.lower() == second.strip() == third.lower()
    assert second.startswith(" ")
    assert third.isupper()


def test_a_number_and_its_text_have_the_same_stand_in() -> None:
    number, text, whole = of("auto", 4711, "4711", 4711.0)

    assert str(number) == text == str(int(whole))
    assert not text.startswith("0")


def test_all_that_is_possible_is_used_before_two_share_one() -> None:
    words = [letter + digit for letter, digit in product("abcdefghijklm", "01234")]

    assert len(set(of("text", *words))) == len(words)
    assert len(set(of("text", *"0123456789"))) > 5  # there are no other digits


@pytest.mark.parametrize(
    ("value", "pattern"),
    [
        ("jeanne@corp.acme.com", r"[a-z]{6}@[a-z]{4}\.[a-z]{4}\.[a-z]{3}\.example"),
        ("10.20.30.40", r"198\.1[89](\.\d+){2}"),
        ("2024-02-29", r"2024-(0\d|1[0-2])-(0\d|1[0-2])"),
        ("31/12/2024 23:59", r"(0\d|1[0-2])/(0\d|1[0-2])/2024 [0-2]\d:[0-5]\d"),
        ("2024-02-29T10:00:00.000+01:00", r"2024-\d\d-\d\dT[0-2]\d:[0-5]\d:[0-5]\d\.000\+01:00"),
        ("10.20.30.40/24", r"\d\d\.\d\d\.\d\d\.\d\d/\d\d"),
        ("call jeanne@acme.com", r"[a-z]{4} [a-z]{6}@[a-z]{4}\.[a-z]{3}"),
    ],
)
def test_auto_goes_by_what_the_whole_text_is(value: str, pattern: str) -> None:
    (made,) = of("auto", value)

    assert re.fullmatch(pattern, made)
    assert made != value


@pytest.mark.parametrize(
    ("shape", "value", "pattern"),
    [
        ("email", "Jeanne <j@acme.com>", r"[A-Z][a-z]{5} <[a-z]@[a-z]{4}\.[a-z]{3}\.example>"),
        ("ipv4", "10.0.0.1:80, 10.0.0.2", r"198\.[\d.]+:\d\d, 198\.[\d.]+"),
        ("date", "since 2024-01-31", r"[a-z]{5} 2024-\d\d-\d\d"),
        ("digits", "SRV0042 (Lyon)", r"SRV\d{4} \(Lyon\)"),
        ("hash", "SRV0042", r"[0-9a-f]{16}"),
    ],
)
def test_a_shape_is_looked_for_all_over_the_text_and_the_rest_is_hidden(
    shape: Shape, value: str, pattern: str
) -> None:
    (made,) = of(shape, value)

    assert re.fullmatch(pattern, made)
    assert made != value


def test_by_name_every_word_is_one() -> None:
    full, short = of("name", "srv042.acme.local", "SRV042")

    assert full.split(".")[0] == short.lower()


def test_another_key_gives_other_stand_ins() -> None:
    for shape in SHAPES:
        made = [Pseudonyms(key).of(shape, "jeanne.2024@acme.com") for key in (KEY, KEY[::-1])]  # type: ignore[arg-type]
        assert made[0] != made[1]


def test_letters_with_signs_written_apart_keep_their_signs() -> None:
    (made,) = of("text", unicodedata.normalize("NFD", "Évry"))

    assert made[1] == "\u0301"
