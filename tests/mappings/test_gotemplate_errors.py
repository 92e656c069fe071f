"""What a faulty template says: the line, the column, and Go's sentence."""

from datetime import UTC, datetime
from typing import Any

import pytest

from mappings.gotemplate import StrMap, TemplateExecError, TemplateSyntaxError, compile_template


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("{{ upercase .a }}", 1, 4, 'template: tpl:1: function "upercase" not defined'),
        ("é\né {{ $x }}", 2, 6, 'template: tpl:2: undefined variable "$x"'),
        ("a\n{{ .a..b }}", 2, 6, "template: tpl:2: unexpected <.> in operand"),
        ("a\n{{ if .a }}\nb", 3, 2, "template: tpl:3: unexpected EOF"),
        ("{{ .a}", 1, 6, "template: tpl:1: bad character U+007D '}'"),
        ("{{ .a }", 1, 7, 'template: tpl:1: unexpected "}" in operand'),
        ("a {{ .a", 1, 3, "template: tpl:1: unclosed action"),
        ("a {{ (.a }}", 1, 3, "template: tpl:1: unclosed left paren"),
        ("{{ }}", 1, 4, "template: tpl:1: missing value for command"),
        ('{{ "a }}', 1, 4, "template: tpl:1: unterminated quoted string"),
        ("{{ 'ab' }}", 1, 4, "template: tpl:1: malformed character constant: 'ab'"),
        ("{{ .a }}{{ end }}", 1, 12, "template: tpl:1: unexpected {{end}}"),
        ("{{ break }}", 1, 4, "template: tpl:1: {{break}} outside {{range}}"),
        ("{{ .a | 5 }}", 1, 11, "template: tpl:1: non executable command in pipeline stage 2"),
        ("{{ /* a */ }}", 1, 4, 'template: tpl:1: unexpected "/" in command'),
        ("x {{/* a", 1, 3, "template: tpl:1: unclosed comment"),
        ("{{ 08 }}", 1, 4, 'template: tpl:1: integer overflow: "08"'),
        ("{{ é@ }}", 1, 5, "template: tpl:1: bad character U+0040 '@'"),
        ("{{ nosuch 1 }} {{", 1, 4, 'template: tpl:1: function "nosuch" not defined'),
    ],
)
def test_a_text_that_is_no_template_says_where(
    text: str, line: int, column: int, message: str
) -> None:
    with pytest.raises(TemplateSyntaxError) as raised:
        compile_template(text)

    assert str(raised.value) == message
    assert (raised.value.line, raised.value.column) == (line, column)


RECORD = {"s": "srv", "n": 5.0, "l": ["a"], "m": {"k": None}, "z": None}


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("é {{ .q }}", 1, 6, '1:6: executing "tpl" at <.q>: map has no entry for key "q"'),
        (
            "\n{{ .m.k.x }}",
            2,
            6,
            '2:5: executing "tpl" at <.m.k.x>: nil pointer evaluating interface {}.x',
        ),
        (
            "{{ lt .z 5 }}",
            1,
            4,
            '1:3: executing "tpl" at <lt .z 5>: error calling lt: invalid type for comparison',
        ),
        (
            '{{ define "t" }}{{ len .n }}{{ end }}{{ template "t" . }}',
            1,
            20,
            '1:19: executing "t" at <len .n>: error calling len: len of type float64',
        ),
        (
            "{{ range .s }}{{ end }}",
            1,
            10,
            '1:9: executing "tpl" at <.s>: range can\'t iterate over srv',
        ),
        (
            "{{ substr .s 0 }}",
            1,
            4,
            '1:3: executing "tpl" at <substr>: wrong number of args for substr: want 3 got 2',
        ),
        (
            "{{ if .s }}{{ .s | printf 5 }}{{ end }}",
            1,
            27,
            '1:26: executing "tpl" at <5>: expected string; found 5',
        ),
        (
            '{{ template "none" }}',
            1,
            13,
            '1:12: executing "tpl" at <{{template "none"}}>: template "none" not defined',
        ),
        (
            "{{ add .n 1 }}",
            1,
            4,
            '1:3: executing "tpl" at <add .n 1>: error calling add: failed convert to int64',
        ),
    ],
)
def test_a_template_that_fails_on_its_data_says_where(
    text: str, line: int, column: int, message: str
) -> None:
    template = compile_template(text)

    with pytest.raises(TemplateExecError) as raised:
        template.render(RECORD)

    assert str(raised.value) == f"template: tpl:{message}"
    assert (raised.value.line, raised.value.column) == (line, column)
    assert str(raised.value).endswith(raised.value.cause)


@pytest.mark.parametrize(
    "dot", [None, 5, 5.0, "text", [], True, 1j, datetime(2021, 1, 1, tzinfo=UTC)]
)
def test_a_dot_that_is_no_map_has_no_fields(dot: Any) -> None:
    with pytest.raises(TemplateExecError, match="Field"):
        compile_template("{{ .Field }}").render(dot)


def test_a_failure_in_a_branch_that_is_not_taken_is_none() -> None:
    template = compile_template("{{ if .a }}{{ .b.c }}{{ substr 1 }}{{ else }}ok{{ end }}")

    assert template.render({"a": ""}) == "ok"


def test_a_map_of_strings_fails_on_a_missing_key_and_gives_an_empty_text_by_index() -> None:
    match = StrMap({"SI": "x"})

    with pytest.raises(TemplateExecError, match='map has no entry for key "OTHER"'):
        compile_template("{{ .OTHER }}").render(match)
    assert compile_template('[{{ index . "OTHER" }}]').render(match) == "[]"


def test_a_variable_declared_in_passing_may_be_undefined() -> None:
    template = compile_template("{{ or .s ($x := .n) }} {{ $x }}")

    assert template.render({"s": "", "n": "a"}) == "a a"
    with pytest.raises(TemplateExecError, match="undefined variable"):
        template.render({"s": "b", "n": "a"})


def test_a_piped_value_is_taken_before_an_argument_changes_its_variable() -> None:
    template = compile_template("{{ $x := 1 }}{{ $x | print ($x = 2) }} {{ $x }}")

    assert template.render({}) == "2 1 2"
