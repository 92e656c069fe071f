"""No template hangs, fills the memory, or fails with anything but its two errors."""

import sys
from typing import Any

import pytest

from mappings.gotemplate import TemplateExecError, TemplateSyntaxError, compile_template

LONG = "x" * 1_000_000
CYCLE: list[Any] = []
CYCLE.append(CYCLE)
DEEP: list[Any] = []
for _ in range(5_000):
    DEEP = [DEEP]
RANGES = "{{ range .l }}{{ range $.l }}{{ range $.l }}x{{ end }}{{ end }}{{ end }}"
TWICE = '{{ template "t" (sub . 1) }}' * 2
BRANCHES = (
    f'{{{{ define "t" }}}}{{{{ if gt . 0 }}}}{TWICE}{{{{ end }}}}{{{{ end }}}}'
    '{{ template "t" (add 40 0) }}'
)
LOOPS = '{{ define "t" }}{{ range .l }}{{ template "t" $ }}{{ end }}{{ end }}{{ template "t" . }}'
DATA = {
    "a": "x",
    "one": ["p"],
    "l": list(range(300)),
    "long": LONG,
    "cycle": CYCLE,
    "deep": DEEP,
}


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (RANGES, "iterations"),
        ('{{ define "t" }}{{ template "t" }}{{ end }}{{ template "t" }}', "template depth"),
        (BRANCHES, "iterations"),
        (LOOPS, "iterations|template depth"),
        ("{{ range .l }}{{ $.long }}{{ end }}", "output of more than"),
        ('{{ "x" | ' + " | ".join(['replace "x" "xx"'] * 40) + " }}", "too large"),
        ('{{ "\\\\" | ' + " | ".join(["js"] * 40) + " }}", "output of more than"),
        ('{{ "&" | ' + " | ".join(["html"] * 40) + "}}", None),
        ('{{ printf "%1000000d" .l }}', "output of more than"),
        ("{{ strjoin .many .long }}", "output of more than"),
        ("{{ .cycle }}", "template depth"),
        ("{{ json .cycle }}", "template depth"),
        ("{{ .deep }}", "template depth"),
        ("{{ len .deep }}", None),
    ],
)
def test_an_endless_template_ends_with_an_error(text: str, cause: str | None) -> None:
    template = compile_template(text)

    if cause is None:
        assert template.render(DATA)
        return
    with pytest.raises(TemplateExecError, match=cause):
        template.render({**DATA, "many": ["a"] * 1000})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{" + "(" * 29 + ".a" + ")" * 29 + "}}", "x"),
        ("{{" + "uppercase (" * 28 + ".a" + ")" * 28 + "}}", "X"),
        ("{{ .a" + " | uppercase" * 500 + "}}", "X"),
        ("{{ .a" + " | and .a" * 500 + "}}", "x"),
        ("{{ and" + " .a" * 1_000 + "}}", "x"),
        ("{{ if .a }}" * 40 + "y" + "{{ end }}" * 40, "y"),
        ("{{ range .one }}" * 1 + "{{ range $.one }}" * 14 + "y" + "{{ end }}" * 15, "y"),
        ("".join(f"{{{{ $v{n} := .a }}}}" for n in range(300)) + "{{ $v7 }}", "x"),
        ("{{/* c */}}" * 3_000 + "y", "y"),
        ("{{ .a }}" * 1_000, "x" * 1_000),
    ],
    ids=range(10),
)
def test_a_large_template_compiles(text: str, expected: str) -> None:
    assert compile_template(text).render(DATA) == expected


def test_a_chain_of_hundreds_of_branches_is_a_table() -> None:
    branches = "".join(f'{{{{ else if eq .a "{n}" }}}}v{n}' for n in range(1, 400))
    template = compile_template('{{ if eq .a "0" }}v0' + branches + "{{ else }}none{{ end }}")

    found = [template.render({"a": str(n)}) for n in (0, 1, 39, 40, 41, 80, 399, 400)]

    assert found == ["v0", "v1", "v39", "v40", "v41", "v80", "v399", "none"]


@pytest.mark.parametrize(
    "text",
    [
        "{{" + "(" * 60 + ".a" + ")" * 60 + "}}",
        "{{ if .a }}" * 60 + "{{ end }}" * 60,
        "{{ range .l }}" * 30 + "{{ end }}" * 30,
        "{{ .a" + ".a" * 5_000 + "}}",
        "{{" * 1_000,
        "{{/*" * 1_000,
        "{{" + "9" * 10_000 + "}}",
        "{{ 1e" + "9" * 10_000 + "}}",
    ],
    ids=range(8),
)
def test_a_template_nested_too_deep_or_broken_at_length_is_refused(text: str) -> None:
    with pytest.raises(TemplateSyntaxError):
        compile_template(text)


def test_a_recursion_of_hundreds_of_levels_is_allowed() -> None:
    text = '{{ define "t" }}{{ if gt . 0 }}{{ . }},{{ template "t" (sub . 1) }}{{ end }}{{ end }}'
    template = compile_template(text + '{{ template "t" (add 300 0) }}')

    assert template.render({}).startswith("300,299,298,")


def test_a_recursion_limit_is_met_wherever_the_caller_stands() -> None:
    template = compile_template('{{ define "t" }}{{ template "t" }}{{ end }}{{ template "t" }}')

    def nested(depth: int) -> None:
        if depth:
            nested(depth - 1)
        else:
            with pytest.raises(TemplateExecError, match="template depth"):
                template.render({})

    before = sys.getrecursionlimit()
    nested(300)
    assert sys.getrecursionlimit() == before


def test_a_printed_number_is_bounded_as_in_go() -> None:
    assert len(compile_template('{{ printf "%1000000d" 1 }}').render({})) == 1_000_000
    assert compile_template('{{ printf "%*d" 1000001 1 }}').render({}) == "%!(BADWIDTH)1"
