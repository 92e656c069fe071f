"""Whatever the template and the data, one of our two errors or a text, soon.

`REFSYNC_FUZZ` sets how many templates are tried; the ordinary run tries a few thousand.
"""

import os
import sys
import time
from datetime import UTC, datetime
from typing import Any

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from mappings.gofunctions import FUNCTIONS
from mappings.gotemplate import (
    StrList,
    StrMap,
    TemplateExecError,
    TemplateSyntaxError,
    compile_template,
)

COUNT = int(os.environ.get("REFSYNC_FUZZ", "3000"))
NAMES = ("s", "n", "l", "m", "z", "Field", "RegexMatch", "q")
LITERALS = (
    *('"a"', '"é\\xff"', "`b`", "'c'", "0", "1", "-1", "2.5", "1e3", "0x1F", "1i", "1+2i", "017"),
    *("true", "false", "nil", "9223372036854775807", "9223372036854775808", '"%5.2[1]*d%v%x%q%"'),
    *('"2006-01-02 MST"', '"(a*)*$"', '"["', '"$1${x}"', '"Europe/Paris"', '"../etc/passwd"'),
)
OPERANDS = st.one_of(
    st.sampled_from(LITERALS),
    st.sampled_from([".", "$", "$x", "$y", "$x.a"]),
    st.lists(st.sampled_from(NAMES), min_size=1, max_size=3).map(lambda path: "." + ".".join(path)),
)


def commands(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    argument = st.one_of(OPERANDS, inner.map("({})".format))
    call = st.tuples(st.sampled_from(sorted(FUNCTIONS)), st.lists(argument, max_size=4))
    command = st.one_of(argument, call.map(lambda parts: " ".join([parts[0], *parts[1]])))
    return st.lists(command, min_size=1, max_size=4).map(" | ".join)


PIPES = st.recursive(OPERANDS, commands, max_leaves=8)
KEYWORDS = (
    *("if {}", "with {}", "range {}", "else if {}", "else with {}", "$x := {}", "$x = {}"),
    *("range $x, $y := {}", "range $y = {}", "with $x := {}", 'template "t" {}', 'block "b" {}'),
)
ACTIONS = st.one_of(
    PIPES,
    st.tuples(st.sampled_from(KEYWORDS), PIPES).map(lambda parts: parts[0].format(parts[1])),
    st.sampled_from(["end", "else", "break", "continue", 'define "t"', "/* c */", 'template "t"']),
    st.text(st.sampled_from("ab.$|()\"'`{}-+:=, 01é\n\\/*%"), max_size=8),
)
PIECES = st.one_of(
    st.tuples(st.sampled_from(["{{", "{{- "]), ACTIONS, st.sampled_from(["}}", " -}}"])).map(
        "".join
    ),
    st.text(st.sampled_from("a {}\n-é\0"), max_size=4),
)


def blocks(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Bodies closed as they must be, so that more than the parser is tried."""
    opened = st.tuples(st.sampled_from(KEYWORDS[:3] + KEYWORDS[7:10]), PIPES, inner, inner)
    return st.one_of(
        st.lists(inner, max_size=3).map("".join),
        opened.map(lambda b: f"{{{{{b[0].format(b[1])}}}}}{b[2]}{{{{else}}}}{b[3]}{{{{end}}}}"),
        st.tuples(inner, PIPES).map(
            lambda b: f'{{{{define "t"}}}}{b[0]}{{{{end}}}}{{{{template "t" {b[1]}}}}}'
        ),
    )


TEMPLATES = st.recursive(PIECES, blocks, max_leaves=8)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**64), 2**64),
    st.floats(),
    st.text(max_size=12),
    st.text(st.characters(codec=None), max_size=4),  # lone surrogates too
    st.just(datetime(2021, 10, 28, 7, 5, tzinfo=UTC)),
    st.builds(StrMap, st.dictionaries(st.sampled_from("ab"), st.text(max_size=3), max_size=2)),
    st.just(StrMap(None)),
    st.builds(StrList, st.lists(st.text(max_size=5), max_size=3)),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(NAMES), inner, max_size=4)
    ),
    max_leaves=12,
)
DOTS = st.one_of(VALUES, st.fixed_dictionaries(dict.fromkeys(NAMES[:5], VALUES)))
opened_files: list[str] = []
WATCHED = ("open", "os.", "socket.", "subprocess.", "urllib.", "shutil.")


def watch(event: str, arguments: tuple[Any, ...]) -> None:
    if watching and event.startswith(WATCHED):
        opened_files.append(f"{event} {arguments[:1]}")


watching: list[bool] = []
sys.addaudithook(watch)


def attempt(text: str, dot: Any, *, numbers: bool) -> str:
    try:
        template = compile_template(text, json_numbers=numbers)
        rendered = template.render(dot)
    except TemplateSyntaxError as error:
        placed = error.line >= 1 and error.column >= 1 and "to compile" not in str(error)
        return "refused" if placed else f"refused without a place: {error}"
    except TemplateExecError as error:
        placed = error.line >= 1 and error.column >= 1 and "internal error" not in str(error)
        return "failed" if placed else f"failed otherwise: {error}"
    return "text" if isinstance(rendered, str) else repr(rendered)


@seed(20260301)
@settings(
    max_examples=COUNT,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(text=TEMPLATES, dot=DOTS, numbers=st.booleans())
def test_any_template_on_any_data_ends_soon_with_our_errors_alone(
    text: str, dot: Any, *, numbers: bool
) -> None:
    opened_files.clear()
    watching.append(True)
    begin = time.thread_time()
    outcome = attempt(text, dot, numbers=numbers)
    spent = time.thread_time() - begin
    watching.clear()

    assert outcome in ("text", "refused", "failed")
    assert spent < 1
    # The names of time zones and the zones asked for, under the database's own directories.
    assert [one for one in opened_files if "zoneinfo" not in one and "tzdata" not in one] == []
