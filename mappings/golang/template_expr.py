"""A Python expression being written for a template, and the ways of writing one.

Two styles: *fast* reads fields with plain subscripts and inlines the common functions, and is right
whenever it does not raise; *careful* calls the full operation everywhere and marks each call with
its node, so that a failure finds its place. A template that raises in the first is run again in the
second: templates have no effects.

No text of a template enters the source but through `repr`; names come from a counter.
"""

from dataclasses import dataclass, replace
from typing import Any

from mappings.golang.template_values import Int


@dataclass(frozen=True, slots=True)
class Expr:
    """A Python expression and what is known of its value.

    `type` is `str bool int int64 float complex none`, `any`, or `data`: read from a record, whose
    integers may still be int64. `boxed` tells a nil held in an `any` from no value at all. `atom`
    expressions may be written twice. `constant` is the text of a string constant.
    """

    code: str
    type: str = "any"
    boxed: bool = False
    atom: bool = False
    constant: str | None = None


@dataclass(frozen=True, slots=True)
class Style:
    """`careful`: see the module. `numbers`: integers of the data are float64. `by_field`: the dot's
    `Field` and `RegexMatch` are the variables `field` and `match`; `dot` is made if need be.
    """

    careful: bool = False
    numbers: bool = False
    by_field: bool = False


class Writer:
    """Names, constants, marks; the `namespace` is the globals of what is written."""

    def __init__(self, style: Style, namespace: dict[str, Any]) -> None:
        self.style = style
        self.namespace = namespace
        self.marks: list[tuple[str, object]] = []  # template and node of each marked call
        self.template = ""  # the one being written
        self.raw_bytes = False  # a result may hold bytes that are no UTF-8
        self._serial = 0

    # -- writing

    def name(self, prefix: str) -> str:
        self._serial += 1
        return f"{prefix}{self._serial}"

    def marked(self, node: object, code: str) -> str:
        """A call that may fail, in parentheses; in careful style on a line of its own."""
        if not self.style.careful:
            return code
        self.marks.append((self.template, node))
        return f"(\x01{len(self.marks) - 1}\x02{code})"

    def failing(self, node: object, cause: str) -> Expr:
        return Expr(self.marked(node, f"fail({cause!r})"), "any")

    def constant(self, value: object) -> Expr:
        if isinstance(value, str):
            self.raw_bytes = self.raw_bytes or any("\ud800" <= char <= "\udfff" for char in value)
            return Expr(repr(value), "str", atom=True, constant=value)
        if isinstance(value, bool):
            return Expr(repr(value), "bool", atom=True)
        kind = "int" if isinstance(value, int) else type(value).__name__
        name = self.name("k")
        self.namespace[name] = Int(value) if isinstance(value, int) else value
        return Expr(name, kind, atom=True)

    def held(self, expr: Expr) -> tuple[str, str]:
        """The first writing of an expression and the next ones: a temporary, or itself."""
        if expr.atom:
            return expr.code, expr.code
        name = self.name("t")
        return f"({name} := {expr.code})", name

    def typed(self, expr: Expr) -> Expr:
        """The expression with a record's integer made float64."""
        if expr.type != "data":
            return expr
        if not self.style.numbers:
            return replace(expr, type="any")
        first, again = self.held(expr)
        code = f"(float({again}) if type({first}) is int else {again})"
        return Expr(code, "any", boxed=expr.boxed)

    def inside(self, expr: Expr) -> str:
        """The code of an argument that is looked into: so are its lists and maps."""
        typed = self.typed(expr)
        scalar = typed.type not in ("any", "data")
        return f"numbers({typed.code})" if self.style.numbers and not scalar else typed.code

    def printed(self, expr: Expr) -> str:
        """The code of the text a value prints as."""
        if expr.type == "str":
            return expr.code
        if expr.type == "bool":
            return f"('true' if {expr.code} else 'false')"
        show = "show"
        if self.style.numbers:
            show = "show_record" if expr.type == "data" else "show_inside"
        first, again = self.held(expr)
        return f"({again} if type({first}) is str else {show}({again}))"
