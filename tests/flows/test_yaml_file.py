"""A YAML file read into plain data, with the place of every node."""

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.yaml_file import MOST_LEVELS, Place, YamlError, YamlFile

JOB = """\
source:
  type: api
  datasets: {servers: {path: /servers}}
mapping:
  - name: "{{ .a }}"
    block: |
      first
        {{ .b }}
    folded: >-
      {{ .c }}
    plain: {{ .d
"""


def read(text: str) -> YamlFile:
    return YamlFile("job.yaml", text)


def at(place: Place) -> tuple[int, int]:
    return place.line, place.column


@pytest.mark.parametrize(
    ("path", "on_key", "expected"),
    [
        (("source",), True, (1, 1)),
        (("source",), False, (2, 3)),
        (("source", "type"), True, (2, 3)),
        (("source", "type"), False, (2, 9)),
        (("source", "datasets", "servers", "path"), True, (3, 24)),
        (("source", "datasets", "servers", "path"), False, (3, 30)),
        (("list", 1), False, (5, 5)),
        ((), False, (1, 1)),
    ],
)
def test_keys_and_values_have_their_place(
    path: tuple[str | int, ...], *, on_key: bool, expected: tuple[int, int]
) -> None:
    text = "source:\n  type: api\n  datasets: {servers: {path: /servers}}\nlist: [1,\n    2]\n"

    assert at(read(text).place(path, on_key=on_key)) == expected


def test_a_place_is_shown_as_an_editor_opens_it() -> None:
    assert str(read("a: 1\nb: 2\n").place(("b",))) == "job.yaml:2:4"


def test_what_is_not_in_the_file_stands_at_the_key_of_what_is_nearest_above() -> None:
    file = read("source:\n  type: api\n")

    assert at(file.place(("source", "connection", "name"))) == (1, 1)
    assert at(file.place(("source", "type", "deeper"))) == (2, 3)
    assert at(file.place(("sync",))) == (1, 1)


@pytest.mark.parametrize(
    ("text", "offset", "expected"),
    [
        ("a: {{ .x\n", (0, 3), (1, 7)),
        ("a: '{{ .x }}'\n", (0, 3), (1, 8)),
        ('a: "{{ .x }}"\n', (0, 3), (1, 8)),
        ("a: |\n  {{ .x }}\n", (0, 3), (2, 6)),
        ("a: |\n  one\n    {{ .x }}\n", (1, 2), (3, 5)),
        ("a: |-\n\n  {{ .x }}\n", (1, 3), (3, 6)),
        ("a:\n  - b: >\n        {{ .x }}\n", (0, 3), (3, 12)),
        ("a: |  # a comment\n      {{ .x }}\n", (0, 0), (2, 7)),
    ],
)
def test_an_offset_inside_a_text_leads_to_the_character_of_the_file(
    text: str, offset: tuple[int, int], expected: tuple[int, int]
) -> None:
    file = read(text.replace("a: {{", "a: x{"))  # a plain scalar cannot begin with a brace
    path = ("a", 0, "b") if "- b" in text else ("a",)

    assert at(file.place(path, offset=offset)) == expected


def test_a_doubled_key_is_a_problem_at_the_second_and_the_first_one_counts() -> None:
    file = read("a: 1\nb: {c: 1,\n    c: 2}\na: 3\n")

    assert file.data == {"a": 1, "b": {"c": 1}}
    assert [problem.what for problem in file.problems] == [
        "the key 'c' stands twice, first on line 2",
        "the key 'a' stands twice, first on line 1",
    ]
    places = [file.place(p.path, on_key=p.on_key) for p in file.problems]
    assert [at(place) for place in places] == [(3, 5), (4, 1)]
    assert all(problem.mend for problem in file.problems)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("0123", "0123"),
        ("-0123", "-0123"),
        ("00", "00"),
        ("007.5", "007.5"),
        ("0", 0),
        ("12", 12),
        ("-12", -12),
        ("0x1F", 31),
        ("0o17", 15),
        ("9" * 400, int("9" * 400)),
        ("9" * 401, "9" * 401),  # Python could not write it out again
        ('"\\ud83d\\ude00"', "\U0001f600"),  # as JSON escapes it, in two halves
        ("1.5", 1.5),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("2026-01-01", "2026-01-01"),
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("'12'", "12"),
        ('"true"', "true"),
        ('"é\\n"', "é\n"),
        ("!!str 12", "12"),
        (".inf", ".inf"),
        ("1.2.3", "1.2.3"),
        ("10%", "10%"),
    ],
)
def test_a_scalar_is_what_yaml_1_2_says_and_an_id_is_never_a_number(
    written: str, meant: object
) -> None:
    value = read(f"a: {written}\n").data["a"]

    assert value == meant
    assert type(value) is type(meant)


@given(st.from_regex(r"0[0-9]{1,20}", fullmatch=True))
def test_digits_behind_a_zero_stay_as_they_are_written(digits: str) -> None:
    assert read(f"a: {digits}\n").data == {"a": digits}


def test_keys_are_always_text() -> None:
    assert read("1: a\n007: b\ntrue: c\nnull: d\n1.50: e\n").data == {
        "1": "a",
        "007": "b",
        "true": "c",
        "null": "d",
        "1.50": "e",
    }


def test_an_alias_repeats_its_anchor_and_its_place_is_that_of_the_anchor() -> None:
    file = read("a: &it {b: 1}\nc: *it\n")

    assert file.data == {"a": {"b": 1}, "c": {"b": 1}}
    assert at(file.place(("c", "b"))) == (1, 12)


def test_aliases_that_unfold_without_end_are_refused() -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
    )

    with pytest.raises(YamlError, match="more than 200000 nodes") as refused:
        read(bomb)
    assert refused.value.mend


def test_an_anchor_that_holds_itself_is_refused() -> None:
    with pytest.raises(YamlError, match=f"{MOST_LEVELS} levels"):
        read("a: &a [1, *a]\n")


def test_half_of_a_character_is_told_where_it_stands() -> None:
    file = read('a:\n  - "x\\ud83d"\n"\\ude00": 1\n')

    places = [at(file.place(problem.path)) for problem in file.problems]
    assert places == [(2, 5), (1, 1)]
    assert [problem.what for problem in file.problems] == [
        r"'x\ud83d' holds half of a character",
        r"'\ude00' holds half of a character",
    ]
    assert file.data == {"a": ["x\ufffd"], "\ufffd": 1}


def test_brackets_beyond_any_meaning_are_refused_at_the_first_of_them_and_soon() -> None:
    begin = time.thread_time()

    with pytest.raises(YamlError, match="more than 100 levels") as refused:
        read("a:\n  " + "{" * 50_000)

    assert time.thread_time() - begin < 0.5
    assert at(refused.value.place) == (2, 103)


def test_the_places_in_many_block_texts_are_found_soon() -> None:
    begin = time.thread_time()

    file = read("".join(f"k{rank}: |\n  x\n" for rank in range(8_000)))

    assert time.thread_time() - begin < 2
    assert at(file.place(("k7999",), offset=(0, 0))) == (16_000, 3)


@pytest.mark.parametrize("deep", ["[" * 5_000, "{a: " * 5_000, "- " * 5_000 + "x"])
def test_brackets_without_end_are_refused_and_not_a_traceback(deep: str) -> None:
    with pytest.raises(YamlError) as refused:
        read(deep)
    assert refused.value.mend


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("a: [1,\nb: 2\n", 3, 1, "not valid YAML"),
        ("a: 1\n\tb: 2\n", 2, 1, "not valid YAML"),
        ("a: 'open\n", 2, 1, "not valid YAML"),
        ("a: *nobody\n", 1, 4, "undefined alias"),
        ("a: 1\nb: x\x07y\n", 2, 5, r"'\x07' cannot stand in YAML"),
        ("a: 1\n---\nb: 2\n", 3, 1, "several YAML documents"),
    ],
)
def test_what_is_not_yaml_has_its_place_and_its_mend(
    text: str, line: int, column: int, words: str
) -> None:
    with pytest.raises(YamlError) as refused:
        read(text)

    assert at(refused.value.place) == (line, column)
    assert words in refused.value.what
    assert refused.value.mend
    assert "\n" not in refused.value.what


def test_a_tag_is_a_problem_and_not_an_instruction() -> None:
    file = read("a: !!python/object/apply:os.system [ls]\nb: !vault x\n")

    assert [problem.path for problem in file.problems] == [("a",), ("b",)]
    assert all("tag" in problem.what and problem.mend for problem in file.problems)


def test_a_key_that_is_no_word_is_a_problem() -> None:
    file = read("? [a, b]\n: 1\nc: 2\n")

    assert file.data == {"c": 2}
    assert "a key must be a plain word" in file.problems[0].what


@pytest.mark.parametrize("text", ["", "# nothing but a comment\n", "---\n"])
def test_an_empty_file_is_nothing(text: str) -> None:
    assert read(text).data is None


def test_a_file_is_utf_8_with_or_without_its_mark(tmp_path: Path) -> None:
    path = tmp_path / "job.yaml"
    path.write_bytes("\ufeffsite: Nîmes\n".encode())

    assert YamlFile.read(path).data == {"site": "Nîmes"}


def test_a_file_in_another_encoding_says_on_which_line(tmp_path: Path) -> None:
    path = tmp_path / "job.yaml"
    path.write_bytes(b"a: 1\nb: 2\nsite: " + "Nîmes".encode("cp1252"))

    with pytest.raises(YamlError, match="not UTF-8") as refused:
        YamlFile.read(path, "job.yaml")

    assert str(refused.value.place) == "job.yaml:3:1"
    assert refused.value.mend == "save it as UTF-8"


def test_windows_line_ends_change_no_place() -> None:
    file = read("a: 1\r\nb:\r\n  c: 'x'\r\n")

    assert file.data == {"a": 1, "b": {"c": "x"}}
    assert at(file.place(("b", "c"))) == (3, 6)
