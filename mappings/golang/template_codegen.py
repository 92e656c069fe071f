"""A parsed template to the source of Python functions, compiled once.

A template of text, pipelines and conditions becomes one expression; with a `range`, or too long for
that, it appends to a list; with `template` calls, each body is a function of its own.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mappings.golang import template_ast as ast
from mappings.golang.template_errors import NAME
from mappings.golang.template_expr import Expr, Style
from mappings.golang.template_expressions import ROOT, ExpressionWriter
from mappings.golang.template_runtime import namespace

FILENAME = "<template>"
_LONGEST = 60  # nodes of a body that is still one expression
_CHAIN = 40  # branches of an `if` that Python takes as one `elif` chain
_INDENT = "    "


@dataclass(frozen=True, slots=True)
class Generated:
    """`source` as compiled, its functions in `globals`; `places` gives the template and the node of
    a line that may fail (careful style).
    """

    source: str
    globals: dict[str, Any]
    places: dict[int, tuple[str, object]] = field(default_factory=dict)

    def function(self) -> Callable[..., str]:
        """The compiled main function; raises what Python's compiler raises when nested too deep."""
        exec(compile(self.source, FILENAME, "exec"), self.globals)  # noqa: S102 - our own source
        function: Callable[..., str] = self.globals["render"]
        return function


def generate(
    program: ast.Program, style: Style, given: dict[str, Any], again: Callable[..., str]
) -> Generated:
    """The source of a program in a style.

    `given` replaces functions of the language; `again` is called with the arguments of a fast
    function that raised.
    """
    scope = {**namespace(), **given, "again": again}
    return _Bodies(program, style, scope).generate()


class _Bodies(ExpressionWriter):
    def __init__(self, program: ast.Program, style: Style, scope: dict[str, Any]) -> None:
        super().__init__(style, scope)
        self.program = program
        self.lines: list[str] = []
        self.depth = 0
        # The flag that asks for the next turn of the outer range, inside the `else` of another.
        self.continued: str | None = None
        self.calls = any(ast.calls(body) for body in program.bodies.values())
        self.ids = {name: f"f{rank}" for rank, name in enumerate(program.bodies)}

    def generate(self) -> Generated:
        if self.calls:
            style, self.style = self.style, replace(self.style, by_field=False)
            for name, body in self.program.bodies.items():
                self._function(name, body)
            self.style = style
            self._entry([f"{self.ids[NAME]}(dot, out.append, budget)"], "out", needs_dot=True)
        else:
            self._main(self.program.bodies[NAME])
        source, places = _numbered("\n".join(self.lines) + "\n", self.marks)
        return Generated(source, self.namespace, places)

    # -- functions

    def _scope(self, name: str, body: ast.Body) -> list[str]:
        """Enter a body; the statements it begins with."""
        self.template, self.dot = name, ROOT
        self.assigned = frozenset(
            variable.name for pipe in ast.pipes(body) if pipe.assigns for variable in pipe.declared
        )
        self.variables = [("$", ROOT)]
        if "$" not in self.assigned:
            return []
        root = self.name("v")
        self.variables = [("$", Expr(root, atom=True))]
        self.needs_dot = True
        return [f"{root} = dot"]

    def _function(self, name: str, body: ast.Body) -> None:
        """A body that other bodies call, with a dot of its own; they share the output."""
        self.line(f"def {self.ids[name]}(dot, w, budget):")
        self.depth += 1
        self.line("budget.step()")
        for statement in self._scope(name, body):
            self.line(statement)
        self._statements(body)
        self.depth -= 1

    def _main(self, body: ast.Body) -> None:
        first = self._scope(NAME, body)
        if 0 <= ast.size(body) <= _LONGEST:
            statements = list(first)
            code = _concatenated(self._parts(body, statements if ast.ordered(body) else None))
            self._entry(statements, code, needs_dot=self.needs_dot)
            return
        lines, self.lines, self.depth = self.lines, [], 1 if self.style.careful else 2
        self._statements(body)
        lines, self.lines, self.depth = self.lines, lines, 0
        self._entry(["w = out.append", *first, *lines], "out", needs_dot=self.needs_dot)

    def _entry(self, statements: Sequence[str], result: str, *, needs_dot: bool) -> None:
        """The function that is called: `statements`, then a text or the pieces in `out`."""
        style = self.style
        self.line("def render(field, match):" if style.by_field else "def render(dot):")
        arguments = "field, match" if style.by_field else "dot"
        self.depth = 1
        if not style.careful:
            self.line("try:")
            self.depth = 2
        if style.by_field and needs_dot:
            self.line("dot = {'Field': field, 'RegexMatch': match}")
        if result == "out":
            self.line("out = []")
            self.line("budget = Budget(out)")
            result = "budget.text()"
        for statement in statements:
            already = statement.startswith(_INDENT)
            self.lines.append(statement) if already else self.line(statement)
        self.line(f"return {f'clean({result})' if self.raw_bytes else result}")
        if not style.careful:
            self.depth = 1
            self.line("except Exception:")
            self.line(f"{_INDENT}return again({arguments})")
        self.depth = 0

    def line(self, code: str) -> None:
        self.lines.append(_INDENT * self.depth + code)

    # -- one expression

    def _parts(self, body: ast.Body, hoisted: list[str] | None = None) -> list[str]:
        """The texts a body prints; declarations go to `hoisted`, or are parts that print `''`."""
        parts: list[str] = []
        for node in body:
            if isinstance(node, ast.Text):
                parts.append(repr(node.text))
            elif isinstance(node, ast.If):
                parts.append(self._conditional(node))
            elif isinstance(node, ast.Action) and not node.pipe.declared:
                parts.append(self.printed(self.pipeline(node.pipe)))
            elif isinstance(node, ast.Action):
                code = self.pipeline(node.pipe).code
                if hoisted is None:
                    parts.append(f"('' if ({code},) else '')")
                else:
                    hoisted.append(code)
        return parts

    def _conditional(self, node: ast.If) -> str:
        mark, outer = len(self.variables), self.dot
        pieces: list[str] = []
        for branch in node.branches:
            condition = self._condition(node, branch.pipe)
            pieces.append(f"{self._branch(branch.body)} if {condition} else ")
            self.dot = outer
        pieces.append(self._branch(node.otherwise))
        del self.variables[mark:]
        return f"({''.join(pieces)})"

    def _branch(self, body: ast.Body) -> str:
        mark = len(self.variables)
        code = _concatenated(self._parts(body))
        del self.variables[mark:]
        return code

    def _condition(self, node: ast.If, pipe: ast.Pipe) -> str:
        """The test of a branch; a `with` takes its value as the dot."""
        value = self.pipeline(pipe)
        if not node.binds:
            return value.code
        if value.atom and value.code not in {expr.code for _, expr in self.variables}:
            self.dot = value
            return value.code
        name = self.name("d")
        self.dot = Expr(name, value.type, atom=True)
        return f"({name} := {value.code})"

    # -- statements

    def _statements(self, body: ast.Body) -> None:
        begun = len(self.lines)
        mark = len(self.variables)
        for node in body:
            match node:
                case ast.Text():
                    self.line(f"w({node.text!r})")
                case ast.Action():
                    code = self.pipeline(node.pipe)
                    self.line(code.code if node.pipe.declared else f"w({self.printed(code)})")
                case ast.If():
                    self._if(node)
                case ast.Range():
                    self._range(node)
                case ast.Jump():
                    self._jump(leaves=node.leaves)
                case ast.Call():
                    self._call(node)
        if len(self.lines) == begun:
            self.line("pass")
        del self.variables[mark:]

    def _if(self, node: ast.If) -> None:
        mark, outer = len(self.variables), self.dot
        chunked = len(node.branches) > _CHAIN
        none = self.name("n")
        if chunked:
            self.line(f"{none} = True")
        for rank, branch in enumerate(node.branches):
            word = "elif" if rank % _CHAIN else "if"
            before = f"{none} and " if word == "if" and rank else ""
            self.line(f"{word} {before}{self._condition(node, branch.pipe)}:")
            self.depth += 1
            if chunked:
                self.line(f"{none} = False")
            self._statements(branch.body)
            self.depth -= 1
            self.dot = outer
        if node.otherwise:
            self.line(f"if {none}:" if chunked else "else:")
            self.depth += 1
            self._statements(node.otherwise)
            self.depth -= 1
        del self.variables[mark:]

    def _range(self, node: ast.Range) -> None:
        mark, outer = len(self.variables), self.dot
        items, element = self.name("r"), self.name("d")
        declared = node.pipe.declared
        value = self.typed(self._stages(node.pipe.commands))
        self.line(f"{items} = {value.code}")
        whole = Expr(items, value.type, atom=True)
        for variable in declared:
            bind = (
                self._set(variable, whole, node.pipe)
                if node.pipe.assigns
                else (self.bind(variable, whole))
            )
            self.line(bind.code)
        reader = ("pairs" if len(declared) == 2 else "values") + (
            "_as_numbers" if self.style.numbers else ""
        )
        self.line(f"{items} = {self.marked(node.pipe, f'{reader}({items})')}")
        if node.otherwise:
            self._empty_range(items, node.otherwise)
        outside, self.continued = self.continued, None
        index = self.name("i")
        self.line(f"for {f'{index}, ' if len(declared) == 2 else ''}{element} in {items}:")
        self.depth += 1
        self.line(self.marked(node.pipe, "budget.step()"))
        self.dot = Expr(element, "any", boxed=True, atom=True)
        if declared:
            self._rebind(declared[-1], self.dot, node.pipe)
        if len(declared) == 2:
            self._rebind(declared[0], Expr(index), node.pipe)
        self._statements(node.body)
        self.depth -= 1
        self.dot, self.continued = outer, outside
        del self.variables[mark:]

    def _empty_range(self, items: str, body: ast.Body) -> None:
        """The `else` of a range. Go's `break` in there ends it alone, `continue` the outer turn."""
        self.line(f"if not {items}:")
        self.depth += 1
        if ast.jumps(body):
            outside, self.continued = self.continued, self.name("c")
            flag = self.continued
            self.line(f"{flag} = False")
            self.line("for _ in (None,):")
            self.depth += 1
            self._statements(body)
            self.depth -= 1
            self.continued = outside
            self.line(f"if {flag}:")
            self.depth += 1
            self._jump(leaves=False)
            self.depth -= 1
        else:
            self._statements(body)
        self.depth -= 1

    def _jump(self, *, leaves: bool) -> None:
        if not leaves and self.continued:
            self.line(f"{self.continued} = True")
        self.line("break" if leaves or self.continued else "continue")

    def _rebind(self, variable: ast.Variable, value: Expr, pipe: ast.Pipe) -> None:
        """Give a range's variable its value; what was known of its first one is forgotten."""
        known = self.variable(variable.name)
        if known is None:
            return
        self.line(f"{known.code} = {value.code}")
        if not pipe.assigns:
            rank = max(at for at, (name, _) in enumerate(self.variables) if name == variable.name)
            forgotten = replace(known, type="any", boxed=value.boxed)
            self.variables[rank] = (variable.name, forgotten)

    def _call(self, node: ast.Call) -> None:
        if node.name not in self.ids:
            self.line(self.failing(node, f'template "{node.name}" not defined').code)
            return
        code = "None" if node.pipe is None else self.typed(self.pipeline(node.pipe)).code
        self.line(self.marked(node, f"{self.ids[node.name]}({code}, w, budget)"))


def _concatenated(parts: list[str]) -> str:
    if len(parts) > 4:
        return f"''.join(({', '.join(parts)}))"
    return f"({' + '.join(parts)})" if len(parts) > 1 else (*parts, "''")[0]


def _numbered(
    source: str, marks: list[tuple[str, object]]
) -> tuple[str, dict[int, tuple[str, object]]]:
    """The source with each mark a line end, and what stands on the lines that marks begin."""
    places: dict[int, tuple[str, object]] = {}
    pieces: list[str] = []
    line = 1
    for rank, piece in enumerate(re.split("\x01(\\d+)\x02", source)):
        if rank % 2:
            line += 1
            places[line] = marks[int(piece)]
            pieces.append("\n")
        else:
            line += piece.count("\n")
            pieces.append(piece)
    return "".join(pieces), places
