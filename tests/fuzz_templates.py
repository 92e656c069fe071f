"""Go templates to try: written by a grammar, or those of the vectors spoilt, on odd data."""

import json
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from mappings.golang.functions import FUNCTIONS
from mappings.gotemplate import (
    StrList,
    StrMap,
    TemplateExecError,
    TemplateSyntaxError,
    compile_template,
)
from tests.fuzz_text import spoilt
from tests.fuzz_watch import Case, Poor

VECTORS = Path(__file__).parent / "mappings" / "vectors"

NAMES = ("s", "n", "l", "m", "z", "Field", "RegexMatch", "q")
CALLABLE = sorted(FUNCTIONS)
LITERALS = (
    *('"a"', '"é\\xff"', "`b`", "'c'", "0", "1", "-1", "2.5", "1e3", "0x1F", "1i", "1+2i", "017"),
    *("true", "false", "nil", "9223372036854775807", "9223372036854775808", '"%5.2[1]*d%v%x%q%"'),
    *('"2006-01-02 MST"', '"(a*)*$"', '"["', '"$1${x}"', '"Europe/Paris"', '"../etc/passwd"'),
)
GARBAGE = "ab.$|()\"'`{}-+:=, 01é\n\\/*%"
TEXTS = ("", " ", "a", "\n", "{ ", "}}", "é-", "\0")
STRINGS = ("", "a", "srv-01", "été", "a/b", "%d", "<&>", "\ud800", "\udcff", "x" * 300, "İß")
NUMBERS = (0, 1, -1, 5, 2**31, -(2**63), 2**64, 0.5, -0.0, 1e300, float("nan"), float("inf"))
TIMES = (
    datetime(2021, 10, 28, 7, 5, tzinfo=UTC),
    datetime(1, 1, 1),  # noqa: DTZ001 - a naive time is allowed
    datetime.max.replace(tzinfo=UTC),
)


class Writer:
    """Writes random templates: well formed for the most part, so that they come to run."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.known = ["$"]  # variables in scope

    def operand(self, depth: int) -> str:
        draw = self.random.random()
        if draw < 0.4:
            path = [self.random.choice(NAMES) for _ in range(self.random.choice((1, 1, 1, 2, 3)))]
            return "." + ".".join(path)
        if draw < 0.6:
            return self.random.choice(LITERALS)
        if draw < 0.75:
            return self.random.choice([*self.known, "."]) + self.random.choice(("", "", ".s"))
        return f"({self.pipe(depth + 1)})" if depth < 4 else ".s"

    def command(self, depth: int) -> str:
        if self.random.random() < 0.4:
            return self.operand(depth)
        count = self.random.choice((0, 1, 1, 2, 2, 3, 4))
        given = [self.operand(depth) for _ in range(count)]
        return " ".join((self.random.choice(CALLABLE), *given))

    def pipe(self, depth: int = 0) -> str:
        stages = [self.command(depth)]
        while self.random.random() < 0.3:
            stages.append(self.random.choice(CALLABLE))
        return " | ".join(stages)

    def action(self, inner: str) -> str:
        left, right = self.random.choice(("{{", "{{- ")), self.random.choice(("}}", " -}}"))
        return left + inner + right

    def body(self, depth: int = 0, *, ranges: int = 0) -> str:
        mark = len(self.known)
        pieces = [self.piece(depth, ranges) for _ in range(self.random.choice((1, 1, 2, 3)))]
        del self.known[mark:]
        return "".join(pieces)

    def piece(self, depth: int, ranges: int) -> str:  # noqa: PLR0911 - one a kind of piece
        draw = self.random.random()
        if draw < 0.2:
            return self.random.choice(TEXTS)
        if draw < 0.5 or depth > 3:
            return self.action(self.pipe())
        if draw < 0.62:
            name, sign = self.random.choice(("$x", "$y")), self.random.choice((":=", ":=", "="))
            written = self.action(f"{name} {sign} {self.pipe()}")
            self.known.append(name)
            return written
        if draw < 0.9:
            return self.block(depth, ranges)
        if draw < 0.94 and ranges:
            return self.action(self.random.choice(("break", "continue")))
        if draw < 0.985:
            return self.action(f'template "t" {self.pipe()}')
        length = self.random.randrange(8)
        return self.action("".join(self.random.choice(GARBAGE) for _ in range(length)))

    def block(self, depth: int, ranges: int) -> str:
        word = self.random.choice(("if", "if", "with", "range", "range"))
        inside = ranges + (word == "range")
        declared = self.random.choice(("", "", "$x := ", "$x, $y := " if word == "range" else ""))
        written = self.action(f"{word} {declared}{self.pipe()}")
        mark = len(self.known)
        self.known += ["$x", "$y"][: declared.count("$")]
        written += self.body(depth + 1, ranges=inside)
        if word != "range" and self.random.random() < 0.3:
            written += self.action(f"else {word} {self.pipe()}") + self.body(
                depth + 1, ranges=ranges
            )
        if self.random.random() < 0.4:
            written += self.action("else") + self.body(depth + 1, ranges=ranges)
        del self.known[mark:]
        return written + self.action("end")

    def template(self) -> str:
        defined = self.random.random() < 0.5
        body = self.action('define "t"') + self.body(2) + self.action("end") if defined else ""
        return body + self.body()

    def value(self, depth: int = 0) -> Any:
        draw = self.random.random()
        size = self.random.randrange(4)
        if depth < 4 and draw < 0.15:
            return [self.value(depth + 1) for _ in range(size)]
        if depth < 4 and draw < 0.35:
            return {self.random.choice(NAMES): self.value(depth + 1) for _ in range(size)}
        some = [self.random.choice(STRINGS) for _ in range(size)]
        return self.random.choice(
            (
                *(None, True, False, StrMap(None), StrList(some), StrMap(dict.fromkeys(some, "v"))),
                *self.random.choices(NUMBERS, k=5),
                *self.random.choices(STRINGS, k=6),
                self.random.choice(TIMES),
            )
        )

    def dot(self) -> Any:
        if self.random.random() < 0.1:
            return self.value()
        return {name: self.value() for name in NAMES[:-1]}


def _value(written: Any) -> Any:
    """A vector's value in Python, its types as they are told there."""
    if isinstance(written, dict):
        kind = next(iter(written)) if len(written) == 1 else ""
        if kind in _TYPED:
            return _TYPED[kind](written[kind])
        return {key: _value(item) for key, item in written.items()}
    return [_value(item) for item in written] if isinstance(written, list) else written


_TYPED: dict[str, Any] = {
    "$int": int,
    "$strings": StrList,
    "$strmap": StrMap,
    "$time": datetime.fromisoformat,
}


def vectors(name: str) -> list[dict[str, Any]]:
    """The lines of `<name>.jsonl` and of `<name>_more.jsonl`."""
    files = (VECTORS / f"{name}.jsonl", VECTORS / f"{name}_more.jsonl")
    texts = [file.read_text(encoding="utf-8") for file in files if file.exists()]
    return [json.loads(line) for text in texts for line in text.split("\n") if line]


KNOWN = [(line["template"], _value(line["data"])) for line in vectors("gotemplate")]
PIECES = (
    *("{{", "}}", "{{-", " -}}", "{{end}}", "{{else}}", "{{if .s}}", "{{range .l}}", "{{with .m}}"),
    *("{{break}}", '{{define "t"}}', '{{template "t" .}}', "{{block `t` .}}", "{{/* */}}", " | "),
    *(".s", ".Field", ".RegexMatch.x", "$x", "$x := ", "$", "(", ")", ",", *LITERALS, *CALLABLE),
)


def draw(random: Random) -> Case:
    writer = Writer(random)
    if random.random() < 0.6:
        text, dot = writer.template(), writer.dot()
    else:
        text, dot = random.choice(KNOWN)
        text = spoilt(random, text, PIECES)
        if random.random() < 0.3:
            dot = writer.dot()
    return {"text": text, "dot": dot, "numbers": random.random() < 0.5}


def run(case: Case) -> str:
    try:
        template = compile_template(case["text"], json_numbers=case["numbers"])
        rendered = template.render(case["dot"])
    except (TemplateSyntaxError, TemplateExecError) as error:
        if "internal error" in str(error) or error.line < 1 or error.column < 1:
            raise Poor(f"an error without cause or place: {error}") from error
        return "refused" if isinstance(error, TemplateSyntaxError) else "failed"
    if not isinstance(rendered, str):
        raise Poor(f"no text was rendered: {rendered!r:.100}")
    return "rendered"
