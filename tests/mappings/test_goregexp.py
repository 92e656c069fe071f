"""Regular expressions as Go and Canopsis' fallback evaluate them.

`vectors/goregexp.jsonl` and `vectors/goregexp_more.jsonl` were evaluated by Go 1.23.2.
"""

import contextlib
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from mappings.golang.regexp_cost import LENGTHS, longest
from mappings.golang.regexp_machine import Machine
from mappings.golang.regexp_parser import parse
from mappings.golang.regexp_runes import SCRIPTS, contains, unicode_class
from mappings.goregexp import Regexp, RegexpSyntaxError, RegexpTimeout, compile_regexp

Vector = dict[str, Any]

VECTORS = Path(__file__).parent / "vectors"


def vectors(name: str) -> list[Vector]:
    lines = (VECTORS / name).read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines if line]


def evaluate(vector: Vector) -> Vector:
    """What a vector's line would be, by our engine: its outcome alone."""
    try:
        regexp = compile_regexp(vector["pattern"], fallback=False)
    except RegexpSyntaxError as error:
        return {"error": str(error)}
    if "repl" in vector:
        return {"want": regexp.replace(vector["text"], vector["repl"])}
    return {"groups": regexp.groups(vector["text"])}


def outcome(vector: Vector) -> Vector:
    return {key: vector[key] for key in ("error", "want", "groups") if key in vector}


@pytest.mark.parametrize("vector", vectors("goregexp.jsonl"), ids=lambda vector: vector["id"])
def test_a_public_vector_gives_what_go_gives(vector: Vector) -> None:
    assert evaluate(vector) == outcome(vector)


def test_the_further_vectors_give_what_go_gives() -> None:
    lines = vectors("goregexp_more.jsonl")

    wrong = [line for line in lines if evaluate(line) != outcome(line)]

    assert wrong == []
    assert len(lines) > 1300


def test_the_machine_alone_gives_what_go_gives_on_every_vector() -> None:
    wrong = []
    for line in vectors("goregexp.jsonl") + vectors("goregexp_more.jsonl"):
        if "groups" not in line:
            continue
        found = Machine(line["pattern"], parse(line["pattern"])).search(line["text"])
        match = None if found is None else line["text"][slice(*found.span(0))]
        if match != line.get("match"):
            wrong.append(line)
    assert wrong == []


# How the result is offered


def test_groups_are_keyed_by_name_or_by_rank_among_the_unnamed() -> None:
    regexp = compile_regexp(r"(\w+)-(?P<site>\w+)-(\w+)(?P<tail>!)?")

    assert regexp.names == (("1", 1), ("site", 2), ("2", 3), ("tail", 4))
    assert regexp.groups("srv-paris-01") == {"1": "srv", "site": "paris", "2": "01", "tail": ""}
    assert regexp.groups("none") is None


def test_the_pattern_offered_for_inlining_agrees_with_the_table_of_names() -> None:
    regexp = compile_regexp(r"(\w+)-(?P<site>\w+)")

    match = regexp.pattern.search("srv-paris")

    assert {key: match[number] for key, number in regexp.names} == regexp.groups("srv-paris")
    assert regexp.limit >= 1000


def test_a_pattern_that_python_cannot_be_trusted_with_is_not_offered_for_inlining() -> None:
    regexp = compile_regexp(r"(a+)+$")

    assert (regexp.pattern, regexp.limit) == (None, -1)
    assert regexp.groups("baaa") == {"1": "aaa"}


def test_a_text_longer_than_the_limit_gives_the_same_groups() -> None:
    regexp = compile_regexp(r"(?P<a>\w+),(?P<b>\w+)$")
    text = "x" * regexp.limit + ",yy"

    assert len(text) > regexp.limit
    assert regexp.groups(text) == {"a": "x" * regexp.limit, "b": "yy"}
    assert regexp.replace(text, "$b") == "yy"


def test_a_compiled_pattern_is_kept() -> None:
    assert compile_regexp("a(b)c") is compile_regexp("a(b)c")


# Refusals


def test_a_refusal_says_what_and_where_in_the_pattern() -> None:
    with pytest.raises(RegexpSyntaxError) as caught:
        compile_regexp("ab(?P<n")

    assert str(caught.value) == "error parsing regexp: invalid named capture: `(?P<n`"
    assert (caught.value.code, caught.value.expr, caught.value.offset) == (
        "invalid named capture",
        "(?P<n",
        2,
    )


@pytest.mark.parametrize("text", ["a" + "(" * 300 + ")" * 300, "a*" + "(?i)*" * 300])
def test_a_pattern_too_deep_for_us_is_refused_not_a_crash(text: str) -> None:
    with pytest.raises(RegexpSyntaxError, match="nests too deeply"):
        compile_regexp(text)


def test_a_pattern_200_levels_deep_is_compiled() -> None:
    depth = 199

    regexp = compile_regexp("(" * depth + "a" + ")" * depth)

    assert regexp.groups("a") == {str(rank): "a" for rank in range(1, depth + 1)}


def test_a_lone_surrogate_in_a_pattern_is_refused() -> None:
    with pytest.raises(RegexpSyntaxError, match="invalid UTF-8"):
        compile_regexp("a\ud800")


# Classes of characters


@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_each_script_of_go_is_known(name: str) -> None:
    assert unicode_class(name)


def test_the_category_other_leaves_out_what_is_not_assigned() -> None:
    assert contains(unicode_class("C"), 0x00AD)
    assert not contains(unicode_class("C"), 0x0378)


# The fallback


@pytest.mark.parametrize(
    ("pattern", "text", "groups"),
    [
        (r"^(?!test)(?P<name>\w+)", "prod01", {"name": "prod01"}),
        (r"^(?!test)(?P<name>\w+)", "test01", None),
        (r"(?<=CMDB:)(?P<si>\w+)", "CMDB:PAY", {"si": "PAY"}),
        (r"(?<=x+)(a)", "xxa", {"1": "a"}),
        (r"(?<!x)(a)", "xa", None),
        (r"(?>a+)b", "aab", {}),
        (r"(\w)\1", "abb", {"1": "b"}),
        (r"(?P<n>\w)(?P=n)", "abb", {"n": "b"}),
        (r"(?<n>\w)\k<n>", "abb", {"n": "b"}),
        (r"(?'n'\w)\k'n'", "abb", {"n": "b"}),
        (r"(?P<n>a)(b)\1", "abb", {"n": "a", "1": "b"}),  # unnamed groups are counted first
        (r"(?P<n>a)(b)\2", "aba", {"n": "a", "1": "b"}),
        (r"(?#a comment)a(?=b)", "ab", {}),
        ("(?x) a  # a comment\n (b)", "ab", {"1": "b"}),
        (r"(?n)(a)(?<x>b)", "ab", {"x": "b"}),
        (r"a\Z", "a", {}),
        (r"a\Z", "a\n", None),
        (r"a$(?=)", "a\n", None),
        (r"(?=.)\w+", "é", None),
        (r"(?=.)\d", "٣", None),
        (r"\cA\e\u0041[\b]", "\x01\x1bA\x08", {}),
        (r"a{1001}", "a" * 1001, {}),
        (r"(?!(a))b", "b", {"1": ""}),
        (r"(?i)(?=k)(.)", "\u212a", {"1": "\u212a"}),
    ],
)
def test_what_go_refuses_works_as_in_the_fallback_of_canopsis(
    pattern: str, text: str, groups: dict[str, str] | None
) -> None:
    assert compile_regexp(pattern).groups(text) == groups
    with pytest.raises(RegexpSyntaxError):
        compile_regexp(pattern, fallback=False)


@pytest.mark.parametrize(
    "pattern",
    [r"\h", r"\R", r"\K", r"\N{DIGIT ONE}", "a++", "a**", "(?|a|b)", "(?R)", r"(a)\2", r"\1",
     r"\k<n>a", "(?=a", "[a", "(?<n-m>a)", r"(?=a)(?P<n>b)(?P<n>c)", r"(a\1)"],
)  # fmt: skip
def test_what_the_fallback_refuses_too_is_a_syntax_error(pattern: str) -> None:
    with pytest.raises(RegexpSyntaxError):
        compile_regexp(pattern)


def test_a_look_around_keeps_the_speed_of_python_where_it_is_certainly_quick() -> None:
    assert compile_regexp(r"^(?!test)\w+").pattern is not None
    assert compile_regexp(r"(\w+)\1$").pattern is None


def test_the_fallback_replaces_like_go() -> None:
    assert compile_regexp(r"(?<=a)(b)").replace("ab cb ab", "[$1]") == "a[b] cb a[b]"


# Work is bounded


CATASTROPHES = [
    (r"(a+)+$", "a" * 5000 + "b"),
    (r"(.*)*x", "a" * 5000),
    (r"(a|aa)+$", "a" * 5000 + "b"),
    (r"(\w+\s?)*$", "word " * 1000 + "!"),
    (r"^(\w+\s?)*$", "word " * 1000 + "!"),
    (r"(x+x+)+y", "x" * 1_000_000),
    (r"(a*){1000}\b", "ab" * 500),
    ("a?" * 30 + "a" * 30, "a" * 30),
    (r"(.*)(.*)(.*)(.*)(.*)x", "a" * 5000),
    (r".*x", "a" * 100_000),
    (r"(?=a)(a+)+$", "a" * 5000 + "b"),
    (r"(?!x)(a|aa)+$", "a" * 5000 + "b"),
    (r"(\w+)\1*(\w+)*!", "a" * 5000),
]


@pytest.mark.parametrize(("pattern", "text"), CATASTROPHES)
def test_a_catastrophe_for_backtracking_ends_within_a_second(pattern: str, text: str) -> None:
    regexp = compile_regexp(pattern)
    begin = time.thread_time()

    with contextlib.suppress(RegexpTimeout):
        regexp.groups(text)

    assert time.thread_time() - begin < 1


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"(a+)+b|a", "a" * 10_000),
        (r"(?=a)(a+)+b|a", "a" * 3000),
        (r"(?=.)a[^x]*x|a", "a" * 100_000),
    ],
)
def test_replacing_many_matches_is_bounded_as_a_whole(pattern: str, text: str) -> None:
    begin = time.thread_time()

    with pytest.raises(RegexpTimeout):
        compile_regexp(pattern).replace(text, "-")

    assert time.thread_time() - begin < 1


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"\pL" * 900, "é" * 3000),
        ("(?i)" + r"\pL" * 300, "é" * 3000),
        ("(?i)[" + r"\pL" * 900 + "]", "é" * 3000),
        ("|" * 2000, "x." * 10_000),
        (".*" * 900, "a"),
        ("(a*)" * 250, "a" * 3000),  # more ways than a float can count
    ],
    ids=lambda value: value[:8],
)
def test_a_pattern_that_is_long_is_made_and_used_within_a_second(pattern: str, text: str) -> None:
    begin = time.thread_time()

    regexp = compile_regexp(pattern)
    with contextlib.suppress(RegexpTimeout):
        regexp.groups(text)
        regexp.replace(text, "-")

    assert time.thread_time() - begin < 1


def test_a_pattern_too_large_for_any_value_costs_its_time_once() -> None:
    regexp = compile_regexp("(" + "a" * 100 + "*){1000}")
    with pytest.raises(RegexpTimeout, match="is too large"):
        regexp.groups("a")
    begin = time.thread_time()

    for _ in range(1_000):
        with pytest.raises(RegexpTimeout, match="is too large"):
            regexp.groups("a")

    assert time.thread_time() - begin < 1


@pytest.mark.parametrize(
    "pattern", [r"(?=(())\pL+){1000}", "(?=a)" + r"\pL" * 300, "ab" * 400 + "(?=c)"]
)
def test_what_the_fallback_would_need_gigabytes_for_is_refused(pattern: str) -> None:
    with pytest.raises(RegexpSyntaxError, match="expression too large"):
        compile_regexp(pattern)


def test_what_go_can_tell_of_a_catastrophe_is_told() -> None:
    assert compile_regexp(r"(a+)+$").groups("a" * 5000 + "b") is None
    assert compile_regexp(r"(a+)+b").groups("a" * 5000 + "b") == {"1": "a" * 5000}


@pytest.mark.parametrize("pattern", [r"(?=a)(a+)+$", r"(x+x+)+y"])
def test_a_value_that_takes_too_long_is_an_error_that_says_how_to_mend(pattern: str) -> None:
    with pytest.raises(RegexpTimeout) as caught:
        compile_regexp(pattern).groups("ax" * 500 + "a" * 5000 + "x" * 1_000_000)

    assert str(caught.value).endswith("on a value of 1006000 characters")
    assert caught.value.__notes__[0].startswith("mend: ")


@pytest.mark.parametrize(
    "pattern",
    [
        r"CMDB:(?P<SI_CMDB>.*?)($|,)",
        r"^(?P<host>[^.]+)(?:\.(?P<domain>.+))?$",
        r"(\w+)\s(?P<x>\w+)\s(\w+)",
        r"^([^-]+)-([^-]+)-(\d{3})$",
        r"\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}",
        r"(?:[^,]*,)*x",
        r"(?i)prod|preprod|qualif",
        r".*(foo|bar).*",
        r"[a-z]+(?:\.[a-z]+)*@[a-z]+(?:\.[a-z]+)+",
        r"(?:\d+\s*,\s*)*$",
    ],
)
def test_an_ordinary_pattern_is_left_to_python(pattern: str) -> None:
    assert compile_regexp(pattern).limit > 900


@pytest.mark.parametrize(
    ("pattern", "unit"),
    [
        (r"^(.*?),(.*?),(.*?)$", ","),
        (r"(.*)(.*)(.*)x", "a"),
        (r"(?:(a)|(b)|(c))*d", "abc"),
        (r"(?:a{1,3}){5}(?:a{1,3}){5}x", "a"),
        (r"(?:[^,]*,)*x", "a,"),
        (r"(?:ab|ac|ad)*x", "ab"),
        (r"(a)+?x", "a"),
    ],
)
def test_python_is_quick_up_to_the_limit_that_was_proven(pattern: str, unit: str) -> None:
    regexp = compile_regexp(pattern)
    text = (unit * regexp.limit)[: regexp.limit - 1] + "\n"
    begin = time.thread_time()

    regexp.pattern.search(text)

    assert time.thread_time() - begin < 1


@pytest.mark.parametrize(
    "pattern",
    [r"(a|aa)+$", r"(?:a?a)*$", r"(?:a{1,3})*$", r"(?:x*y*)*$", r"((a)|a)*b", r"(?:[ab]{0,30}b)*$"],
)
def test_a_loop_whose_turns_can_be_counted_in_two_ways_is_not_left_to_python(pattern: str) -> None:
    assert longest(parse(pattern).tree) < LENGTHS[0]


def test_an_ordinary_pattern_keeps_half_the_speed_of_python() -> None:
    text = "srv01.example.com"
    source = r"^(?P<host>[^.]+)(?:\.(?P<domain>.+))?$"
    ours, theirs = compile_regexp(source).groups, re.compile(source)

    def lap(call: Callable[[], object]) -> float:
        begin = time.thread_time()
        for _ in range(20_000):
            call()
        return time.thread_time() - begin

    rounds = [(lap(lambda: ours(text)), lap(lambda: theirs.search(text).groupdict("")))
              for _ in range(5)]  # fmt: skip

    assert min(ours for ours, _ in rounds) < 2 * min(theirs for _, theirs in rounds)


# Whatever is written in a job file

PIECES = st.sampled_from(
    ["a", "b", "ab", ".", "é", "k", "\n", "(", ")", "|", "*", "+", "?", "*?", "+?", "{2}", "{0,3}",
     "{2,}", "^", "$", r"\b", r"\B", r"\A", r"\z", r"\d", r"\W", "[ab]", "[^a]", "[[:alpha:]]", "[",
     "]", "-", "(?:", "(?i)", "(?U)", "(?m)", "(?s:", "(?P<n>", "(?=", "(?!", "(?<=", "(?>", r"\1",
     r"\k<n>", "(?x)", "#", r"\Q", r"\E", r"\pL", r"\p{Greek}", "\\", "(a*)", "(|a)", "(a+)+", "{"]
)  # fmt: skip
PATTERNS = st.lists(PIECES, max_size=12).map("".join)
TEXTS = st.text(st.sampled_from("aab k\u212aéX,\n"), max_size=60)


@seed(20260101)
@settings(max_examples=600, deadline=None, database=None)
@given(PATTERNS, TEXTS)
def test_any_pattern_on_any_text_ends_soon_with_our_errors_alone(pattern: str, text: str) -> None:
    begin = time.thread_time()
    try:
        regexp = compile_regexp(pattern)
        groups = regexp.groups(text)
        replaced = regexp.replace(text, "<$0>")
    except (RegexpSyntaxError, RegexpTimeout):
        pass
    else:
        assert (groups is None) == (replaced == text)
    assert time.thread_time() - begin < 2


@seed(20260102)
@settings(max_examples=600, deadline=None, database=None)
@given(PATTERNS, TEXTS)
def test_python_and_the_machine_agree_wherever_python_is_trusted(pattern: str, text: str) -> None:
    try:
        regexp = compile_regexp(pattern, fallback=False)
    except RegexpSyntaxError:
        return
    if regexp.pattern is None:
        return

    found = Machine(pattern, parse(pattern)).search(text)

    match = regexp.pattern.search(text)
    spans = range(len(regexp.names) + 1)
    assert (match is None) == (found is None)
    assert match is None or [match.span(n) for n in spans] == [found.span(n) for n in spans]


def test_a_regexp_says_what_it_was_made_from() -> None:
    regexp = compile_regexp("a|b")

    assert isinstance(regexp, Regexp)
    assert regexp.text == "a|b"
