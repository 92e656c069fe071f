"""What pydantic finds, in plain words; every word of every job is spoilt in tests/flows."""

from typing import Any

import pytest
from pydantic import BaseModel, Field, ValidationError

from mappings.complaints import misfit, told
from mappings.vocabulary import keys_at, nearest, settle
from sources.api import ApiConfig


class Block(BaseModel):
    whole: int = Field(default=1, ge=1, le=1_000_000, strict=True)
    share: float = Field(default=0, gt=0, lt=0.5)
    name: str = Field(default="a", min_length=2, max_length=3, pattern="^[a-z]+$")
    items: tuple[str, ...] = Field(default=("a",), min_length=1)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"whole": 0}, ("expected at least 1, not 0", "correct the number")),
        ({"whole": 2_000_000}, ("expected at most 1000000, not 2000000", "correct the number")),
        ({"whole": 1.5}, ("expected a whole number, not a number", "write digits alone")),
        ({"share": 0}, ("expected more than 0, not 0", "correct the number")),
        ({"share": 0.5}, ("expected less than 0.5, not 0.5", "correct the number")),
        ({"share": "many"}, ("expected a number, not a text", "write a number, such as 0.5")),
        ({"name": "a"}, ("expected at least 2 characters", "correct it, or remove the key")),
        ({"name": "abcd"}, ("expected at most 3 characters", "correct it, or remove the key")),
        ({"name": "A1"}, ("expected a text of the form ^[a-z]+$", "correct the text")),
        ({"name": ["a"]}, ("expected a text, not a list", "write one value")),
        ({"name": None}, ("expected a text, not nothing", "write it, or remove the key")),
        ({"items": []}, ("expected at least 1 entry", "correct it, or remove the key")),
        ({"items": "a"}, ("expected a list, not a text", "write `[a, b]`")),
    ],
    ids=str,
)
def test_a_fault_says_what_was_expected_and_how_to_mend(
    written: dict[str, Any], said: tuple[str, str]
) -> None:
    with pytest.raises(ValidationError) as caught:
        Block.model_validate(written)

    (fault,) = caught.value.errors()
    what, mend = told(fault, Block)
    assert what == said[0]
    assert mend.startswith(said[1])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (0.5, "not a number; write digits alone, such as 10"),
        ("zz", "not a text; write digits alone, such as 10"),
        ("atuo", "not a text; did you mean 'auto'?"),
        (None, "not nothing; write it, or remove the key"),
    ],
)
def test_words_that_would_do_beside_a_kind_of_value_are_told_with_it(
    given: object, said: str
) -> None:
    what, mend = misfit({"a whole number"}, given, None, ["auto"])

    assert f"{what}; {mend}" == f"expected a whole number or the word auto, {said}"


PAGINATOR = ("datasets", "servers", "paginator")


def test_a_place_leaves_out_the_names_of_members_of_unions() -> None:
    document = {
        "datasets": {"servers": {"paginator": {"type": "offset", "offset": 1, "limit": "x"}}}
    }

    # the tag `offset` is also the name of a key
    assert settle(ApiConfig, document, (*PAGINATOR, "offset", "limit")) == (*PAGINATOR, "limit")
    assert settle(ApiConfig, document, (*PAGINATOR, "offset", "offset")) == (*PAGINATOR, "offset")


def test_the_words_of_a_place_are_those_of_the_member_that_was_chosen() -> None:
    assert keys_at(ApiConfig, (*PAGINATOR, "json_link")) == {"type", "next_url_path"}
    assert keys_at(ApiConfig, PAGINATOR) > {"type", "next_url_path", "cursor_path"}


@pytest.mark.parametrize(
    ("word", "words", "near"),
    [
        ("ot", ("to", "format", "type"), "to"),
        ("tset", ("set", "test"), "test"),
        ("Name", ("name", "names"), "name"),
        ("zz", ("name",), None),
        (3, ("name",), None),
    ],
)
def test_the_nearest_word_is_the_one_that_was_probably_meant(
    word: object, words: tuple[str, ...], near: str | None
) -> None:
    assert nearest(word, words) == near
