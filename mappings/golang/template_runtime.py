"""What the Python generated for a template calls beside the functions of the language."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from mappings.golang import gofmt, gotime, template_values
from mappings.golang.functions import FUNCTIONS
from mappings.golang.gotext import WHITE_SPACE, clean, lower, upper
from mappings.golang.template_errors import Fault
from mappings.golang.template_values import (
    StrMap,
    fail,
    number,
    numbers,
    want_int,
    want_int64,
    want_map,
    want_string,
    want_strings,
)

MAX_STEPS = 100_000  # iterations and template calls of one rendering
MAX_OUTPUT = 1 << 24  # characters of one rendering


class Budget:
    """What one rendering may still do: a template that recurses or nests ranges must end."""

    __slots__ = ("out", "room", "seen", "steps")

    def __init__(self, out: list[str]) -> None:
        self.out = out
        self.seen = 0  # pieces of `out` already counted
        self.room = MAX_OUTPUT
        self.steps = MAX_STEPS

    def step(self) -> None:
        """Called at each iteration and at each template call."""
        self.steps -= 1
        if self.steps < 0:
            fail(f"more than {MAX_STEPS} iterations and template calls")
        self._count()

    def _count(self) -> None:
        for piece in self.out[self.seen :]:
            self.room -= len(piece)
        self.seen = len(self.out)
        if self.room < 0:
            fail(f"output of more than {MAX_OUTPUT} characters")

    def text(self) -> str:
        self._count()
        return "".join(self.out)


def field_of(value: Any, name: str) -> Any:
    """`.name`, on a time too, where the name is a method's."""
    if isinstance(value, datetime):
        return gotime.method(value, name)
    return template_values.field(value, name)


def method_of(value: Any, name: str, *args: Any) -> Any:
    """`.name` with arguments: only a time has methods."""
    if isinstance(value, datetime):
        return gotime.method(value, name, *args)
    template_values.field(value, name)
    raise Fault(f"{name} is not a method but has arguments")


def values(value: Any) -> Any:
    """The elements of a `range` that needs no index."""
    if type(value) is list:
        return value
    return [element for _, element in template_values.elements(value)]


def values_as_numbers(value: Any) -> Any:
    return [number(element) for element in values(value)]


def pairs_as_numbers(value: Any) -> Any:
    return [(key, number(element)) for key, element in template_values.elements(value)]


def show_inside(value: Any) -> str:
    """`show` of a value whose lists and maps are a record's."""
    return gofmt.show(numbers(value))


def show_record(value: Any) -> str:
    """`show` of a value read from a record."""
    return gofmt.show(numbers(number(value)))


def namespace() -> dict[str, Any]:
    """The globals of a generated module, without its constants."""
    functions: dict[str, Callable[..., Any]] = {
        f"f_{name}": function.run for name, function in FUNCTIONS.items()
    }
    return {
        **functions,
        "Budget": Budget,
        "StrMap": StrMap,
        "WHITE_SPACE": WHITE_SPACE,
        "clean": clean,
        "fail": fail,
        "field_of": field_of,
        "lower": lower,
        "method_of": method_of,
        "number": number,
        "numbers": numbers,
        "pairs": template_values.elements,
        "pairs_as_numbers": pairs_as_numbers,
        "show": gofmt.show,
        "show_inside": show_inside,
        "show_record": show_record,
        "text": gofmt.text,
        "upper": upper,
        "values": values,
        "values_as_numbers": values_as_numbers,
        "want_int": want_int,
        "want_int64": want_int64,
        "want_map": want_map,
        "want_string": want_string,
        "want_strings": want_strings,
    }
