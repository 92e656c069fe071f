"""What people read: progress for a terminal and for a log, signs, words from outside."""

import io
import re

import pytest
from rich.console import Console

from flows.console import Shown, plan_words


def shown(*, terminal: bool) -> tuple[Shown, io.StringIO]:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=terminal, width=80)
    return Shown(err=console), stream


def test_a_terminal_has_bars_that_leave_when_they_are_done() -> None:
    seen, stream = shown(terminal=True)

    with seen.progress() as tell:
        tell("extract", 500, 1000)
        tell("load", 10, None)

    assert re.search(r"extract .*500/1000", stream.getvalue())
    assert "\x1b[" in stream.getvalue()


def test_a_log_has_a_line_now_and_then_and_the_last_figure() -> None:
    seen, stream = shown(terminal=False)

    with seen.progress() as tell:
        for done in range(100, 1100, 100):
            tell("extract", done, 1000)
        for done in range(100, 1100, 100):
            tell("load", done, None)

    assert stream.getvalue().splitlines() == [
        "extract: 100 of 1000",
        "extract: 1000 of 1000",
        "load: 100",
    ]


@pytest.mark.parametrize(
    ("tally", "words"),
    [
        ({}, ""),
        ({"create": 0, "update": 0}, "none"),
        ({"create": 3, "update": 1, "disable": 2, "delete": 4}, "+3 ~1 -2 x4"),
        ({"unchanged": 30, "enable": 1}, "^1"),
    ],
)
def test_a_plan_in_short(tally: dict[str, int], words: str) -> None:
    assert plan_words(tally) == words


def test_a_message_from_outside_neither_colours_nor_moves_anything() -> None:
    seen, stream = shown(terminal=False)

    seen.error("refused: \x1b[2J\x9b5A\r\n  where: [red]there[/]")
    seen.warning("a\tb\x00")
    seen.note("\x7f")

    assert stream.getvalue().splitlines() == [
        r"error: refused: \x1b[2J\x9b5A\x0d",
        "  where: [red]there[/]",
        r"warning: a\x09b\x00",
        r"\x7f",
    ]
