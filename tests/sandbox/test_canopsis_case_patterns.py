"""What entity patterns find: `specs/canopsis.md` §4, which cases 76 to 79 and 91 stand on."""

import contextlib
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from sandbox.canopsis import Knobs, create_app
from sandbox.serve import serve
from tests.sandbox.canopsis_cases import Caller, c, condition, infos, names, r, svc

ALL = ["a", "b", "r/b"]


@pytest.fixture(scope="module")
def shelf() -> Iterator[Caller]:
    """One component with every kind of info, one without, and a resource of the latter."""
    app = create_app(Knobs(manual=True))
    with serve(app) as url, contextlib.closing(Caller(url)) as caller:
        caller.given(
            c("a", infos=infos(os="Linux", cores=8, dmz=True, tags=["x", "y"]), impact_level=5),
            c("b", infos=infos(os="BSD", none=None, blank="")),
            r("r", "b"),
        )
        yield caller


def found(caller: Caller, *groups: list[dict[str, Any]]) -> list[str]:
    return caller.ids(entity_pattern=orjson.dumps(groups).decode())


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("eq", "a", ["a"]),
        ("eq", "A", []),
        ("neq", "a", ["b", "r/b"]),
        ("is_one_of", ["a", "r"], ["a", "r/b"]),
        ("is_not_one_of", ["a", "r"], ["b"]),
        ("regexp", "^[ab]$", ["a", "b"]),
        ("regexp", "^(?!a)", ["b", "r/b"]),
        ("contain", ".", []),
        ("contain", "b", ["b"]),
        ("not_contain", "b", ["a", "r/b"]),
        ("begin_with", "r", ["r/b"]),
        ("not_begin_with", "r", ["a", "b"]),
        ("end_with", "a", ["a"]),
        ("not_end_with", "a", ["b", "r/b"]),
        ("exist", True, ALL),
        ("exist", False, []),
    ],
)
def test_case_091_conditions_on_text(
    shelf: Caller, kind: str, value: Any, expected: list[str]
) -> None:
    assert found(shelf, [condition("name", kind, value)]) == expected


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("eq", 5, ["a"]),
        ("eq", 5.0, ["a"]),
        ("neq", 5, ["b", "r/b"]),
        ("gt", 1, ["a"]),
        ("gt", 5, []),
        ("lt", 5, ["b", "r/b"]),
    ],
)
def test_case_091_conditions_on_a_number(
    shelf: Caller, kind: str, value: Any, expected: list[str]
) -> None:
    assert found(shelf, [condition("impact_level", kind, value)]) == expected


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (("os", "eq", "Linux", "string"), ["a"]),
        (("os", "neq", "Linux", "string"), ["b"]),
        (("os", "is_not_one_of", ["Linux"], "string"), ["b"]),
        (("os", "is_not_one_of", ["Linux", "BSD"], "string"), []),
        (("none", "neq", "x", "string"), []),
        (("none", "exist", True), []),
        (("blank", "exist", True), ["b"]),
        (("os", "exist", False), ["r/b"]),
        (("cores", "gt", 7, "int"), ["a"]),
        (("cores", "eq", "8", "string"), []),
        (("dmz", "eq", True, "bool"), ["a"]),
        (("dmz", "eq", False, "bool"), []),
        (("tags", "has_every", ["x", "y"], "string_array"), ["a"]),
        (("tags", "has_every", ["x", "z"], "string_array"), []),
        (("tags", "has_one_of", ["z", "y"], "string_array"), ["a"]),
        (("tags", "has_not", ["z"], "string_array"), ["a"]),
        (("tags", "has_not", ["x"], "string_array"), []),
        (("tags", "is_empty", False, "string_array"), ["a"]),
    ],
)
def test_case_091_conditions_on_an_info(
    shelf: Caller, asked: tuple[Any, ...], expected: list[str]
) -> None:
    assert found(shelf, [condition(f"infos.{asked[0]}", *asked[1:])]) == expected


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (("_id", "eq", "r/b"), ["r/b"]),
        (("type", "eq", "resource"), ["r/b"]),
        (("component", "eq", "b"), ["b", "r/b"]),
        (("component_infos.os", "eq", "BSD", "string"), ["r/b"]),
    ],
)
def test_case_091_every_field_may_be_asked_in_a_list(
    shelf: Caller, asked: tuple[Any, ...], expected: list[str]
) -> None:
    assert found(shelf, [condition(*asked)]) == expected


def test_case_091_conditions_of_a_group_all_hold_and_one_group_is_enough(shelf: Caller) -> None:
    is_b, of_b = condition("name", "eq", "b"), condition("component", "eq", "b")
    resource = condition("type", "eq", "resource")

    assert found(shelf, [of_b, is_b]) == ["b"]
    assert found(shelf, [of_b, resource]) == ["r/b"]
    assert found(shelf, [of_b, resource, is_b]) == []
    assert found(shelf, [is_b], [resource]) == ["b", "r/b"]


@pytest.mark.parametrize("kind", ["neq", "is_not_one_of"])
def test_case_086_a_negative_condition_needs_the_info_to_be_there(
    canopsis: Caller, kind: str
) -> None:
    value = "prod" if kind == "neq" else ["prod"]
    other = [[condition("infos.env", kind, value, "string")]]
    canopsis.given(
        svc("S", entity_pattern=other),
        *(svc(f"other{rank}", entity_pattern=names("eq", "other")) for rank in range(4)),
    )

    canopsis.given(
        c("test", infos=infos(env="test")),
        c("prod", infos=infos(env="prod")),
        c("none", infos=infos(env=None)),
        c("without"),
        partial=True,
    )

    assert canopsis.context("S")["depends"] == ["test"]
