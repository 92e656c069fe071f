"""Faults of driver files: all of a file at once, each with its place, its key and the mend."""

import pytest

from mappings.driver_reading import read_driver
from mappings.driver_sheet import DriverErrors, Remark
from tests.mappings.driver_rows import FILE, FILES

NAME = "{type: copy, value: name}"
SERVICE = "  service:\n    name: {type: copy, value: a}\n"
DEEP = "[" * 101 + "]" * 101


def problems(text: str) -> tuple[Remark, ...]:
    with pytest.raises(DriverErrors) as refused:
        read_driver(text)
    return refused.value.problems


def test_a_file_with_each_fault_is_told_them_all_in_its_order() -> None:
    text = (FILES / "every_fault.yml").read_text(encoding="utf-8")

    told = [f"{p.line}:{p.column} {p.key}: {p.what} ({p.mend})" for p in problems(text)]

    assert told == (FILES / "every_fault.txt").read_text(encoding="utf-8").splitlines()
    assert "s3cret" not in "".join(told)


@pytest.mark.parametrize(
    ("old", "new", "place", "key", "what", "mend"),
    [
        ("api:\n  url: http://cmdb.example/cis\n", "", (1, 1), "", "api is missing", "add `api:`"),
        ("import:\n  source: cmdb\n  action: set\n", "", (1, 1), "", "import is missing", "add"),
        (FILE[FILE.index("mapping:") :], "", (1, 1), "", "mapping is missing", "add `mapping:`"),
        ("api:\n  url: http://cmdb.example/cis", "api: x", (1, 6), "api", "not a text", "write"),
        ("url: http", "urll: http", (2, 3), "api.urll", "unknown key 'urll'", "'url'"),
        ("url: http://cmdb.example/cis", "url:", (1, 1), "api", "url is missing", "add `url:`"),
        ("http://cmdb.example", "http://u:pw@:80", (2, 8), "api.url", "'http://***@:80/cis'", ""),
        ("/cis", "/cis\n  headers: {X: 'a\n\n    b'}", (3, 16), "api.headers.X", "line break", ""),
        (
            "/cis",
            "/cis\n  headers: {Content-Type: application/json}\n  body: {a: [1, .nan]}",
            (4, 17),
            "api.body.a[1]",
            "the body cannot be JSON: .nan is no number there",
            "put it in quotes",
        ),
        ("/cis", "/cis\n  body: a", (3, 9), "api.body", "body must be a mapping", "write"),
        ("source: cmdb", "sorce: cmdb", (4, 3), "import.sorce", "unknown key", "'source'"),
        ("  source: cmdb\n", "", (3, 1), "import", "source is missing", "add `source:`"),
        ("  action: set\n", "", (3, 1), "import", "action is missing", "add `action: set`"),
        ("action: set", "action: sett", (5, 11), "import.action", "unknown action", "'set'"),
        ("  component:", "  compnent:", (8, 3), "mapping.compnent", "unknown key", "'component'"),
        ("  component:", "  compnent:", (6, 1), "mapping", "nothing to map to", "add one"),
        (
            "  path: rows",
            "  _id: a",
            (6, 1),
            "mapping",
            "_id is of the legacy dialect, component of the current one",
            "in one of them",
        ),
        (NAME, "{}", (9, 5), "mapping.component.name", "type is missing", "one of set, copy"),
        (NAME, "", (8, 3), "mapping.component", "name is missing", "add `name:`"),
        (NAME, "name", (9, 11), "mapping.component.name", "a mapping", "{type: copy, value: name}"),
        (
            "type: copy",
            "type: cpoy",
            (9, 18),
            "mapping.component.name.type",
            "unknown type 'cpoy'",
            "'copy'",
        ),
        (
            NAME,
            "{type: template, field: name, value: '{{ upercase .Field }}'}",
            (9, 52),
            "mapping.component.name.value",
            'template: function "upercase" not defined',
            "'uppercase'",
        ),
        (
            NAME,
            "{type: template, field: name, value: 'x {{ .Field'}",
            (9, 51),
            "mapping.component.name.value",
            "template: unclosed action",
            "text/template",
        ),
        (
            NAME,
            "{type: regexp, field: name, regexp: 'a(b'}",
            (9, 48),
            "mapping.component.name.regexp",
            "missing closing )",
            "Go's regexp",
        ),
        (SERVICE, SERVICE, (10, 3), "mapping.service", "pattern is missing", "add `pattern:`"),
        (
            SERVICE,
            f"{SERVICE}    pattern: [[]]\n",
            (12, 14),
            "mapping.service.pattern",
            "a group without conditions",
            "write a condition",
        ),
    ],
)
def test_a_fault_has_its_place_its_key_and_the_mend(
    *, old: str, new: str, place: tuple[int, int], key: str, what: str, mend: str
) -> None:
    text = FILE + SERVICE if old == SERVICE else FILE
    assert old in text

    found = [p for p in problems(text.replace(old, new, 1)) if what in p.what]

    assert [(p.line, p.column) for p in found] == [place]
    assert found[0].key == key
    assert mend in found[0].mend


@pytest.mark.parametrize(
    ("old", "new", "place", "what", "mend"),
    [
        ("  path: rows", "\tpath: rows", (7, 1), "'\\t'", "indent with spaces"),
        (
            "  path: rows",
            "  path: a\n  path: b",
            (8, 3),
            "defined at line 7",
            "keep one of the two",
        ),
        (NAME, "{{ .x }}", (9, 12), "invalid map key", "put the template in quotes"),
        (NAME, "*other", (9, 11), "unknown anchor 'other'", "look at"),
        (NAME, "&a {type: *a}", (9, 21), "anchor 'a' value contains itself", "look at"),
        (NAME, "{type: copy", (10, 1), "expected ',' or '}'", "look at the brackets"),
        (NAME, DEEP, (9, 111), "more than 100 levels", "look at"),
        (NAME, "!!int x", (9, 11), "cannot decode `x` as a !!int", "look at"),
    ],
)
def test_what_go_does_not_read_as_yaml_is_refused_with_its_place(
    old: str, new: str, place: tuple[int, int], what: str, mend: str
) -> None:
    (fault,) = problems(FILE.replace(old, new, 1))

    assert (fault.line, fault.column) == place
    assert what in fault.what
    assert mend in fault.mend


def test_a_body_that_aliases_blow_up_is_refused() -> None:
    lines = ["  x0: &x0 [a, a, a, a, a, a, a, a, a, a]"]
    lines += [f"  x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 10)}]" for n in range(1, 9)]
    body = "\n".join(["  headers: {Content-Type: application/json}", "  body:", *lines])
    text = FILE.replace("/cis\n", f"/cis\n{body}\n".replace("\n  x", "\n    x"))

    (fault,) = problems(text)

    assert "excessive aliasing" in fault.what
    assert (fault.line, fault.key) == (5, "api.body")


def test_a_key_that_is_left_empty_is_no_fault() -> None:
    """As Go reads null: nothing was written."""
    empty = "    description:\n    category:\n    infos:\n"

    assert read_driver(FILE + empty).rules == read_driver(FILE).rules
