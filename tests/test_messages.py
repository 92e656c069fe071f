"""Every error says what, where and how to mend it: a census of the classes and of their uses."""

import ast
import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flows.files import Unwritable
from flows.misdeclared import Fault, Misdeclared
from flows.outcome import EXPECTED, exit_code, told
from referential.errors import PlanRefused, ReferentialError
from sources.errors import SourceError

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("flows", "mappings", "referential", "sources")
TREES = (ReferentialError, SourceError)
# who catches these knows the place, and makes a fault of them (`flows.misdeclared.Misdeclared.of`)
PLACED_ABOVE = {"referential.history._unknown", "referential.schema.migrate"}


def modules() -> Iterator[tuple[str, ast.Module]]:
    """Dotted name and tree of every module of the four packages."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            dotted = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            yield dotted, ast.parse(path.read_text(encoding="utf-8"))


def resolved(dotted: str, name: str) -> object:
    return getattr(importlib.import_module(dotted), name, None)


def layer_errors() -> dict[str, type[Exception]]:
    """Every class of the two trees, by `module.Class`; a module is imported when it holds one."""
    classes = [
        (dotted, node.name, {ast.unparse(base).rpartition(".")[2] for base in node.bases})
        for dotted, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    ]
    names, before = {tree.__name__ for tree in TREES}, 0
    while len(names) > before:  # a class may stand in the text before its base
        before = len(names)
        names |= {name for _, name, bases in classes if bases & names}
    return {
        f"{dotted}.{name}": kind
        for dotted, name, _ in classes
        if name in names
        and isinstance(kind := resolved(dotted, name), type)
        and issubclass(kind, TREES)
    }


ERRORS = layer_errors()
BARE = {each.__name__ for each in ERRORS.values()}


def made(kind: type[Exception]) -> Exception:
    """One of *kind*, with what its signature asks for besides."""
    extra: dict[str, Any] = {}
    for name, parameter in inspect.signature(kind).parameters.items():
        asked = parameter.kind is parameter.KEYWORD_ONLY and parameter.default is parameter.empty
        if asked and name not in ("where", "mend"):
            extra[name] = None
    return kind("what happened", where="here", mend="do this", **extra)


def uses() -> Iterator[tuple[str, str, ast.Call]]:
    """Every call that makes an error of the two trees: `module.function`, class, call."""
    for dotted, tree in modules():
        local = {name: name for name in BARE}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                local |= {a.asname: a.name for a in node.names if a.asname and a.name in BARE}
        for function in ast.walk(tree):
            if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
                continue
            for node in ast.walk(function):
                if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                    continue
                if node.func.id in local and _is_ours(dotted, node.func.id):
                    yield f"{dotted}.{function.name}", local[node.func.id], node


def _is_ours(dotted: str, name: str) -> bool:
    kind = resolved(dotted, name)
    return isinstance(kind, type) and issubclass(kind, TREES)


def test_the_census_finds_the_classes_of_both_trees() -> None:
    assert {
        "sources.errors.Unreachable",
        "sources.errors.Refused",
        "sources.errors.Unreadable",
        "sources.verdict.Denied",
        "referential.errors.PlanRefused",
        "referential.errors.Locked",
        "referential.answers.TooLarge",
    } <= ERRORS.keys()


@pytest.mark.parametrize("name", sorted(ERRORS))
def test_an_error_tells_what_where_and_how_to_mend(name: str) -> None:
    what, *notes = told(made(ERRORS[name])).splitlines()

    assert "what happened" in what
    assert notes == ["  where: here", "  mend: do this"]


@pytest.mark.parametrize("name", sorted(ERRORS))
def test_an_error_is_shown_without_a_traceback_and_has_an_exit_code(name: str) -> None:
    error = made(ERRORS[name])

    assert isinstance(error, EXPECTED)
    assert exit_code(error) == (3 if isinstance(error, PlanRefused) else 1)


@pytest.mark.parametrize("name", sorted(ERRORS))
def test_an_error_says_in_its_docstring_when_it_is_raised(name: str) -> None:
    assert ERRORS[name].__doc__


def test_every_error_is_made_with_its_place_and_its_mend() -> None:
    silent = []
    calls = list(uses())
    for place, kind, call in calls:
        stated = {keyword.arg for keyword in call.keywords}
        wanted = {"mend"} if place in PLACED_ABOVE else {"where", "mend"}
        # `**` hands over what a caller stated
        if None not in stated and not wanted <= stated:
            silent.append(f"{place}, line {call.lineno}: {kind} lacks {wanted - stated}")

    assert len(calls) > 50  # the census does see them
    assert silent == []


def test_no_mend_is_empty() -> None:
    empty = [
        f"{place} {keyword.arg}"
        for place, _, call in uses()
        for keyword in call.keywords
        if isinstance(keyword.value, ast.Constant) and keyword.value.value == ""
    ]

    assert empty == []


def test_a_misdeclared_file_tells_every_fault_with_its_mend() -> None:
    error = Misdeclared([Fault("a.yaml:1:2", "one", "do this"), Fault("b.yaml:3:4", "two", "that")])

    assert told(error).splitlines() == [
        "one",
        "  where: a.yaml:1:2",
        "  mend: do this",
        "two",
        "  where: b.yaml:3:4",
        "  mend: that",
    ]
    assert exit_code(error) == 2


def test_every_fault_and_problem_of_ours_is_written_with_a_mend() -> None:
    """`Fault(where, what, mend)`: what pydantic says in its own words may have none."""
    silent = [
        f"{dotted}:{node.lineno}"
        for dotted, tree in modules()
        if dotted.startswith("flows.")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "Fault"
        and len(node.args) < 3
        and not any(isinstance(each, ast.Starred) for each in node.args)
        and not {keyword.arg for keyword in node.keywords} & {"mend", None}
    ]

    assert silent == []


def test_what_cannot_be_written_is_an_outage_with_its_message() -> None:
    assert exit_code(Unwritable("cannot write")) == 1
    assert issubclass(Unwritable, EXPECTED)


def test_an_interruption_says_how_to_go_on() -> None:
    assert exit_code(KeyboardInterrupt()) == 130
    assert "start again" in told(KeyboardInterrupt())


def test_a_defect_is_no_expected_error_and_is_still_told() -> None:
    assert not isinstance(ZeroDivisionError(), EXPECTED)
    assert told(ZeroDivisionError()) == "ZeroDivisionError"
