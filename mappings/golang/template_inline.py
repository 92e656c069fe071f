"""The functions that a fast template does not call but contains.

Each gives the expression of a call, or None where the call itself must be written.
"""

import re
from collections.abc import Callable, Sequence

from mappings.golang.template_expr import Expr, Writer

_DIRECTIVES = re.compile(r"(%(?:%|[svd]|\.\d[fe]))")


def _uppercase(writer: Writer, given: Sequence[Expr]) -> Expr | None:
    if writer.raw_bytes:
        return None
    first, again = writer.held(given[0])
    raised = writer.name("t")
    if given[0].type == "str":
        # Full mapping never shortens: equal lengths mean that no rune became several.
        test = f"len({raised} := {first}.upper()) == len({again})"
        return Expr(f"({raised} if {test} else upper({again}))", "str")
    test = f"len({raised} := {again}.upper()) == len({again})"
    code = f"({raised} if {test} else upper({again}))"
    return Expr(f"({code} if type({first}) is str else f_uppercase({again}))", "str")


def _lowercase(writer: Writer, given: Sequence[Expr]) -> Expr | None:
    first, again = writer.held(given[0])
    if given[0].type == "str":
        return Expr(f"({again}.lower() if {first}.isascii() else lower({again}))", "str")
    test = f"type({first}) is str and {again}.isascii()"
    return Expr(f"({again}.lower() if {test} else f_lowercase({again}))", "str")


def _trim(writer: Writer, given: Sequence[Expr]) -> Expr | None:
    if given[0].type == "str":
        return Expr(f"{given[0].code}.strip(WHITE_SPACE)", "str")
    first, again = writer.held(given[0])
    code = f"({again}.strip(WHITE_SPACE) if type({first}) is str else f_trim({again}))"
    return Expr(code, "str")


def _split(writer: Writer, given: Sequence[Expr]) -> Expr | None:
    separator, rank, value = given
    if not separator.constant or rank.code != "(0)":
        return None
    first, again = writer.held(value)
    cut = f".split({separator.code}, 1)[0]"
    if value.type == "str":
        return Expr(value.code + cut, "str")
    call = f"f_split({separator.code}, 0, {again})"
    return Expr(f"({again}{cut} if type({first}) is str else {call})", "str")


def _equal(writer: Writer, given: Sequence[Expr]) -> Expr | None:
    return _compared(writer, given, "eq")


def _not_equal(writer: Writer, given: Sequence[Expr]) -> Expr | None:
    return _compared(writer, given, "ne")


def _compared(writer: Writer, given: Sequence[Expr], name: str) -> Expr | None:
    """A value against string constants."""
    if len(given) == 2 and given[0].constant is not None:
        given = (given[1], given[0])
    value, constants = given[0], given[1:]
    if not constants or any(other.constant is None for other in constants):
        return None
    if len(constants) == 1:
        test = f"{'==' if name == 'eq' else '!='} {constants[0].code}"
    else:
        test = f"in ({', '.join(other.code for other in constants)})"
    if value.type == "str":
        return Expr(f"({value.code} {test})", "bool")
    first, again = writer.held(value)
    call = f"f_{name}({', '.join((again, *(other.code for other in constants)))})"
    return Expr(f"({again} {test} if type({first}) is str else {call})", "bool")


def _index(writer: Writer, given: Sequence[Expr]) -> Expr | None:
    """A named group of a match: `index .RegexMatch "name"`."""
    if len(given) != 2 or given[1].constant is None:
        return None
    first, again = writer.held(given[0])
    key = given[1].code
    code = f"({again}.get({key}, '') if type({first}) is StrMap else f_index({again}, {key}))"
    return Expr(code, "data", boxed=True)


def _printf(writer: Writer, given: Sequence[Expr]) -> Expr | None:
    """A constant format of plain verbs, as many as there are operands."""
    form, operands = given[0].constant, list(given[1:])
    if form is None:
        return None
    parts = _DIRECTIVES.split(form)
    verbs = [part for part in parts[1::2] if part != "%%"]
    if len(verbs) != len(operands) or any("%" in part for part in parts[::2]):
        return None
    written: list[str] = []
    for rank, part in enumerate(parts):
        if part and (rank % 2 == 0 or part == "%%"):
            written.append(repr(part.replace("%%", "%")))
        elif part:
            written.append(_directive(writer, part, writer.typed(operands.pop(0))))
    return Expr(f"({' + '.join(written)})", "str") if 0 < len(written) <= 20 else None


def _directive(writer: Writer, verb: str, value: Expr) -> str:
    if value.type == "str" and verb in ("%s", "%v"):
        return value.code
    if verb == "%d":  # an integer is rare: those of records are float64
        return f"f_printf({verb!r}, {writer.inside(value)})"
    first, again = writer.held(value)
    inside = f"numbers({again})" if writer.style.numbers else again
    call = f"f_printf({verb!r}, {inside})"
    if verb in ("%s", "%v"):
        return f"({again} if type({first}) is str else {call})"
    # Beyond, Go and Python name the infinities differently.
    test = f"type({first}) is float and -1e300 < {again} < 1e300"
    return f"({verb!r} % {again} if {test} else {call})"


INLINE: dict[str, Callable[[Writer, Sequence[Expr]], Expr | None]] = {
    "uppercase": _uppercase,
    "lowercase": _lowercase,
    "trim": _trim,
    "split": _split,
    "eq": _equal,
    "ne": _not_equal,
    "index": _index,
    "printf": _printf,
}
