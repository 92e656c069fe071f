"""Go templates as Go and Canopsis evaluate them.

`vectors/gotemplate.jsonl` (Go 1.23.2) and `vectors/gotemplate_more.jsonl` were evaluated by Go's
`text/template` with Canopsis' functions; `specs/driver-compat.md` §3 is their language.
"""

import json
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from mappings.gotemplate import (
    StrList,
    StrMap,
    Template,
    TemplateExecError,
    TemplateSyntaxError,
    compile_template,
)

Vector = dict[str, Any]

VECTORS = Path(__file__).parent / "vectors"


def vectors(name: str) -> list[Vector]:
    lines = (VECTORS / name).read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines if line]


PUBLIC = vectors("gotemplate.jsonl")
MORE = vectors("gotemplate_more.jsonl")


TYPED: dict[str, Callable[[Any], Any]] = {
    "$int": int,
    "$strings": StrList,
    "$strmap": StrMap,
    "$time": datetime.fromisoformat,
}


def value(written: Any, *, record: bool = False) -> Any:
    """A vector's value in Python; whole numbers are integers if it is a `record` of orjson."""
    if isinstance(written, dict):
        kind = next(iter(written)) if len(written) == 1 else ""
        if kind in TYPED:
            return TYPED[kind](written[kind])
        return {key: value(item, record=record) for key, item in written.items()}
    if isinstance(written, list):
        return [value(item, record=record) for item in written]
    if isinstance(written, bool) or not isinstance(written, int | float):
        return written
    whole = float(written).is_integer() and abs(written) < 2**63 and str(float(written)) != "-0.0"
    return int(written) if record and whole else float(written)


def evaluate(vector: Vector, *, record: bool = False) -> Vector:
    """What a vector's line would be, by our engine: its outcome alone."""
    try:
        template = compile_template(vector["template"], vector.get("tz"), json_numbers=record)
        return {"want": template.render(value(vector["data"], record=record))}
    except TemplateSyntaxError:
        return {"error": "parse"}
    except TemplateExecError as error:
        return {"error": "internal" if "internal error" in str(error) else "exec"}


def outcome(vector: Vector) -> Vector:
    return {key: vector[key] for key in ("error", "want") if key in vector}


def ids(chosen: list[Vector]) -> list[str]:
    return [vector["id"] for vector in chosen]


@pytest.mark.parametrize("vector", PUBLIC, ids=ids(PUBLIC))
def test_a_template_renders_as_go_renders_it(vector: Vector) -> None:
    assert evaluate(vector) == outcome(vector)


@pytest.mark.parametrize("category", sorted({vector["category"] for vector in MORE}))
def test_further_templates_render_as_go_renders_them(category: str) -> None:
    chosen = [vector for vector in MORE if vector["category"] == category]

    wrong = [vector["id"] for vector in chosen if evaluate(vector) != outcome(vector)]

    assert chosen
    assert not wrong


def test_the_integers_of_a_record_are_float64_wherever_a_template_meets_them() -> None:
    chosen = [
        vector
        for vector in PUBLIC + MORE
        if "$int" not in json.dumps(vector["data"]) and vector.get("error") != "parse"
    ]

    wrong = [vector["id"] for vector in chosen if evaluate(vector, record=True) != outcome(vector)]

    assert len(chosen) > 900
    assert not wrong


def test_without_that_the_integers_of_the_data_are_int64() -> None:
    assert compile_template("{{.n}}").render({"n": 1234567}) == "1234567"
    assert compile_template("{{.n}}", json_numbers=True).render({"n": 1234567}) == "1.234567e+06"


def test_a_record_is_left_as_it_was() -> None:
    record = {"n": 1, "l": [1, {"k": 2}]}

    compile_template("{{.}} {{range .l}}{{.}}{{end}}", json_numbers=True).render(record)

    assert record == {"n": 1, "l": [1, {"k": 2}]}
    assert type(record["n"]) is int


DRIVER = [
    vector
    for vector in PUBLIC + MORE
    if isinstance(vector["data"], dict)
    and set(vector["data"]) <= {"Field", "RegexMatch"}
    and "Field" in vector["data"]
    and vector.get("error") != "parse"
]


def test_a_template_is_also_a_function_of_the_field_and_of_the_match() -> None:
    template = compile_template("{{ .RegexMatch.SI }}:{{ uppercase .Field }}:{{ .Field }}")

    assert template.field_function("srv", StrMap({"SI": "x"})) == "x:SRV:srv"
    with pytest.raises(TemplateExecError, match='map has no entry for key "SI"'):
        template.field_function("srv", StrMap(None))


@pytest.mark.parametrize("vector", DRIVER, ids=ids(DRIVER))
def test_that_function_gives_what_the_dot_gives(vector: Vector) -> None:
    data = value(vector["data"])
    template = compile_template(vector["template"], vector.get("tz"))
    match = data.get("RegexMatch")
    if match is None and "RegexMatch" not in data:
        expected = {"Field": data["Field"], "RegexMatch": None}
    else:
        expected = data

    def attempt(render: Callable[[], str]) -> str:
        try:
            return render()
        except TemplateExecError as error:
            return str(error)

    assert attempt(lambda: template.field_function(data["Field"], match)) == attempt(
        lambda: template.render(expected)
    )


def test_the_dot_is_made_where_a_template_wants_it_whole() -> None:
    template = compile_template("{{.}} {{range .Field}}{{$.RegexMatch.a}}{{.}}{{end}}")

    text = template.field_function(["x"], StrMap({"a": "1"}))

    assert text == "map[Field:[x] RegexMatch:map[a:1]] 1x"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", set()),
        ("{{ .a }}{{ .b.c | uppercase }}", {"a", "b.c"}),
        ("{{ .Field }}{{ .RegexMatch.SI }}", {"Field", "RegexMatch.SI"}),
        ('{{ index . "a" }}{{ index .m "k" }}', {"a", "m.k"}),
        ('{{ if map_has_key .m "k" }}{{ .m.k }}{{ end }}', {"m.k"}),
        ("{{ with .a }}{{ .b }}{{ $.c }}{{ end }}", {"a", "a.b", "c"}),
        ("{{ with .a }}x{{ else }}{{ .b }}{{ end }}", {"a", "b"}),
        ("{{ $x := . }}{{ $x.a }}", {"a"}),
        ("{{ $x := .a }}{{ range .l }}{{ .n }}{{ $x.b }}{{ end }}", {"l", "a", "a.b"}),
        ("{{ range $i, $e := .l }}{{ $e.n }}{{ else }}{{ .z }}{{ end }}", {"l", "z"}),
        ('{{ define "t" }}{{ .b }}{{ end }}{{ template "t" .a }}', {"a", "a.b"}),
        ('{{ define "t" }}{{ .b }}{{ template "t" .c }}{{ end }}{{ template "t" . }}', None),
        ("{{ . }}", {"*"}),
        ("{{ json . }}{{ .a }}", {"*", "a"}),
        ("{{ (.a).b }}{{ (print .c) }}", {"a.b", "c"}),
        ("{{ if eq .a .b }}{{ end }}{{ .c | printf .d }}", {"a", "b", "c", "d"}),
        ("{{ $x := .a }}{{ $x = .b }}{{ $x.c }}", {"a", "b"}),
    ],
)
def test_a_template_knows_the_fields_it_reads(text: str, expected: set[str] | None) -> None:
    found = compile_template(text).fields

    if expected is None:
        assert {"b", "c.b", "c.c.b"} <= found
    else:
        assert found == expected


def test_the_source_holds_no_text_of_the_template_but_as_constants() -> None:
    hostile = '{{ $x := "\'); import os #" }}{{ .a }}\n"""\\{{ index .m "]); exit(" }}{{ $x }}'

    template = compile_template(hostile)

    assert "import os" not in template.source.replace(repr("'); import os #"), "")
    assert template.render({"a": "1", "m": {}}) == '1\n"""\\<no value>\'); import os #'


def test_the_time_zone_is_a_name_or_a_zone() -> None:
    time = {"t": datetime.fromisoformat("2021-10-28T07:05:00Z")}
    text = '{{ .t | localtime "15:04 MST" }}'

    assert compile_template(text).render(time) == "07:05 UTC"
    assert compile_template(text, "Europe/Paris").render(time) == "09:05 CEST"
    with pytest.raises(ValueError, match="unknown time zone 'Mars/Olympus'"):
        compile_template(text, "Mars/Olympus")


def test_one_template_serves_several_threads() -> None:
    template = compile_template("{{ range .l }}{{ . }}{{ end }}{{ .missing }}")
    good = compile_template("{{ range .l }}{{ . }}{{ end }}")
    found: list[object] = []

    def work(mine: Template, other: Template, number: int) -> None:
        for _ in range(50):
            found.append(mine.render({"l": [str(number)] * 3}) == str(number) * 3)
            with pytest.raises(TemplateExecError):
                other.render({"l": [str(number)]})

    threads = [threading.Thread(target=work, args=(good, template, n)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [True] * 200
