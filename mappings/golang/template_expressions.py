"""Pipelines of a template to Python expressions."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from mappings.golang import template_ast as ast
from mappings.golang.functions import FUNCTIONS, Function
from mappings.golang.template_expr import Expr, Style, Writer
from mappings.golang.template_inline import INLINE

ROOT = Expr("dot", atom=True)
_BY_FIELD = {"Field": "field", "RegexMatch": "match"}
_WANTS = {
    "string": "want_string",
    "int": "want_int",
    "int64": "want_int64",
    "map": "want_map",
    "strings": "want_strings",
}
_GO_TYPES = {"strings": "[]string", "map": "map[string]interface {}"}
_NOUNS = {"string": "string", "int": "integer", "int64": "integer"}
_FLAT = 3  # stages of a pipeline beyond which they are written one after the other


class ExpressionWriter(Writer):
    """Writes pipelines in the scope it holds."""

    def __init__(self, style: Style, namespace: dict[str, Any]) -> None:
        super().__init__(style, namespace)
        self.variables: list[tuple[str, Expr]] = []  # innermost last
        self.dot = ROOT
        self.assigned: frozenset[str] = frozenset()  # names some `=` gives another value
        self.needs_dot = False

    def pipeline(self, pipe: ast.Pipe) -> Expr:
        value = self._stages(pipe.commands)
        for variable in pipe.declared:
            value = self._set(variable, value, pipe) if pipe.assigns else self.bind(variable, value)
        return replace(value, boxed=False)

    def _stages(self, commands: Sequence[ast.Command]) -> Expr:
        value: Expr | None = None
        written: list[str] = []
        for command in commands:
            # Go evaluates the piped value first: it must precede what its taker declares or sets.
            sets = self._declares(command)
            if value is not None and (sets or (len(commands) > _FLAT and not value.atom)):
                name = self.name("t")
                written.append(f"{name} := {value.code}")
                value = Expr(name, value.type, atom=True)
            value = self.command(command, None if value is None else replace(value, boxed=False))
        assert value is not None  # noqa: S101 - the parser refuses a pipeline without a command
        if written:
            return Expr(f"({', '.join((*written, value.code))})[-1]", value.type, value.boxed)
        return value

    @staticmethod
    def _declares(command: ast.Command) -> bool:
        pipe = ast.Pipe(command.position, (command,))
        return any(isinstance(node, ast.Pipe) and node.declared for node in ast.operands(pipe))

    def bind(self, variable: ast.Variable, value: Expr) -> Expr:
        """Declare a variable: the expression that gives it its value and has that value."""
        value = self.typed(value)
        name = self.name("v")
        kind = "any" if variable.name in self.assigned else value.type
        self.variables.append((variable.name, Expr(name, kind, value.boxed, atom=True)))
        return Expr(f"({name} := {value.code})", value.type, value.boxed)

    def _set(self, variable: ast.Variable, value: Expr, pipe: ast.Pipe) -> Expr:
        value = self.typed(value)
        known = self.variable(variable.name)
        if known is None:
            return self.failing(pipe, f"undefined variable: {variable.name}")
        if known.code == "dot":
            self.needs_dot = True
        return Expr(f"({known.code} := {value.code})", value.type, value.boxed)

    def variable(self, name: str) -> Expr | None:
        return next((expr for known, expr in reversed(self.variables) if known == name), None)

    def command(self, command: ast.Command, final: Expr | None) -> Expr:
        first, arguments = command.args[0], command.args[1:]
        if isinstance(first, ast.Identifier):
            return self.call(first, arguments, final, command)
        if isinstance(first, ast.Field | ast.Chain) or (
            isinstance(first, ast.Variable) and first.names
        ):
            return self.chain(first, arguments, final)
        if arguments or final is not None:
            return self.failing(first, f"can't give argument to non-function {first}")
        is_nil = isinstance(first, ast.Nil)
        return self.failing(first, "nil is not a command") if is_nil else self.operand(first)

    # -- operands

    def operand(self, node: ast.Operand) -> Expr:  # noqa: PLR0911 - one a kind of operand
        match node:
            case ast.Dot():
                self.needs_dot = self.needs_dot or self.dot.code == "dot"
                return self.dot
            case ast.Field() | ast.Chain():
                return self.chain(node)
            case ast.Variable():
                return self.chain(node) if node.names else self._read(node)
            case ast.Pipe():
                return self.pipeline(node)
            case ast.Identifier():
                return self.call(node, (), None, node)
            case ast.Nil():
                return Expr("None", "none", atom=True)
        return self._literal(node)

    def _literal(self, node: ast.Bool | ast.Number | ast.String) -> Expr:
        if isinstance(node, ast.Bool):
            return self.constant(node.value)
        if isinstance(node, ast.String):
            return self.constant(node.text)
        if node.ideal is None:
            return self.failing(node, f"{node.text} overflows int")
        return self.constant(node.ideal)

    def _read(self, node: ast.Variable) -> Expr:
        expr = self.variable(node.name)
        if expr is None:
            return self.failing(node, f"undefined variable: {node.name}")
        self.needs_dot = self.needs_dot or expr.code == "dot"
        return expr

    def chain(
        self,
        node: ast.Field | ast.Chain | ast.Variable,
        arguments: Sequence[ast.Operand] = (),
        final: Expr | None = None,
    ) -> Expr:
        """`.A.B`, `$x.A.B` or `(…).A.B`, perhaps with arguments, which only methods take."""
        names = node.names
        if isinstance(node, ast.Field):
            receiver = self.dot
        elif isinstance(node, ast.Variable):
            receiver = self.variable(node.name) or self._read(node)
        else:
            receiver = self.operand(node.node)
        if receiver.code == "dot":
            if self.style.by_field and names[0] in _BY_FIELD:
                receiver, names = (
                    Expr(_BY_FIELD[names[0]], "data", boxed=True, atom=True),
                    names[1:],
                )
            else:
                self.needs_dot = True
        with_arguments = bool(arguments) or final is not None
        for name in names[:-1] if with_arguments else names:
            receiver = self._field(receiver, name, node)
        if not with_arguments:
            return receiver
        given = [self.typed(self.operand(argument)).code for argument in arguments]
        given += [final.code] if final is not None else []
        code = f"method_of({receiver.code}, {node.names[-1]!r}, {', '.join(given)})"
        return Expr(self.marked(node, code))

    def _field(self, receiver: Expr, name: str, node: object) -> Expr:
        # Python warns of subscripts of constants: the operation is called on those.
        if self.style.careful or receiver.type not in ("any", "data"):
            code = self.marked(node, f"field_of({receiver.code}, {name!r})")
            return Expr(code, "data", boxed=True)
        return Expr(f"{receiver.code}[{name!r}]", "data", boxed=True)

    # -- functions

    def call(
        self,
        name: ast.Identifier,
        arguments: Sequence[ast.Operand],
        final: Expr | None,
        node: object,
    ) -> Expr:
        function = FUNCTIONS[name.name]
        count = len(arguments) + (final is not None)
        fixed = len(function.takes)
        if count < fixed or (function.rest is None and count > fixed):
            least = "at least " if function.rest else ""
            cause = f"wrong number of args for {name}: want {least}{fixed} got {count}"
            return self.failing(name, cause)
        if name.name in ("and", "or"):
            return self._and_or(name.name, arguments, final)
        types = [*function.takes, *[function.rest or ""] * (count - fixed)]
        given = [
            self._argument(argument, kind) for argument, kind in zip(arguments, types, strict=False)
        ]
        if final is not None:
            given.append(self._converted(final, types[-1], name))
        return self._written(name.name, function, given, node)

    def _written(self, name: str, function: Function, given: list[Expr], node: object) -> Expr:
        if name == "slice":
            self.raw_bytes = True
            if any(expr.boxed for expr in given[1:]):  # Go's own oversight: `index` takes them
                return self.failing(node, "cannot index slice/array with type interface {}")
        if name == "not":
            return Expr(f"(not {given[0].code})", "bool")
        if not self.style.careful and (inline := INLINE.get(name)):
            expr = inline(self, given)
            if expr is not None:
                return expr
        looks_inside = function.rest == "any" or name in ("json", "json_unquote")
        codes = [self.inside(expr) if looks_inside else self.typed(expr).code for expr in given]
        code = f"f_{name}({', '.join(codes)})"
        kind = {"string": "str"}.get(function.gives, function.gives)
        return Expr(self.marked(node, code), kind, boxed=kind == "data")

    def _and_or(self, word: str, arguments: Sequence[ast.Operand], final: Expr | None) -> Expr:
        """Python's own operators: its truth is Go's, and both give an operand."""
        before: list[str] = []
        given: list[Expr] = []
        if final is not None:
            final = self.typed(final)
            if not final.atom:  # evaluated, whatever the other operands are
                evaluated = self.name("t")
                before.append(f"({evaluated} := {final.code})")
                final = replace(final, code=evaluated, atom=True)
        for rank, argument in enumerate(arguments):
            known = len(self.variables)
            given.append(self.typed(self.operand(argument)))
            for name, expr in self.variables[known:] if rank else ():
                # Declared or not, as it turns out: until then the name means what it meant.
                outer = next((e for n, e in reversed(self.variables[:known]) if n == name), None)
                before += [f"({expr.code} := {outer.code})"] if outer else []
        if final is not None:
            given.append(final)
        kinds = {expr.type for expr in given}
        code = f"({f' {word} '.join(expr.code for expr in given)})"
        if before:
            code = f"({', '.join(before)}, {code})[-1]"
        return Expr(code, kinds.pop() if len(kinds) == 1 else "any")

    def _argument(self, node: ast.Operand, kind: str) -> Expr:  # noqa: PLR0911 - one a type
        """An operand where a parameter's type is known: constants take it or fail."""
        if kind in ("any", "value"):
            return self.operand(node)
        if isinstance(node, ast.Nil):
            fits = kind in _GO_TYPES
            return (
                self.operand(node) if fits else self.failing(node, f"cannot assign nil to {kind}")
            )
        if not isinstance(node, ast.Bool | ast.Number | ast.String):
            return self._converted(self.operand(node), kind, node)
        if kind == "string" and isinstance(node, ast.String):
            return self.constant(node.text)
        if kind in ("int", "int64") and isinstance(node, ast.Number) and node.integer is not None:
            return Expr(f"({node.integer})", kind, atom=True)
        if kind in _GO_TYPES:
            return self.failing(node, f"can't handle {node} for arg of type {_GO_TYPES[kind]}")
        return self.failing(node, f"expected {_NOUNS[kind]}; found {node}")

    def _converted(self, expr: Expr, kind: str, node: object) -> Expr:
        """A value checked against a parameter's type."""
        if kind in ("any", "value"):
            return expr
        known = "str" if kind == "string" else kind
        if expr.type == known:
            return expr
        want = _WANTS[kind]
        if kind == "string" and not self.style.careful:
            first, again = self.held(expr)
            return Expr(f"({again} if type({first}) is str else {want}({again}))", "str")
        if kind in _GO_TYPES and not expr.boxed and expr.type in ("any", "data", "none"):
            # A nil that is no value at all is the nil map, or the nil slice.
            first, again = self.held(expr)
            return Expr(f"(None if {first} is None else {self.marked(node, f'{want}({again})')})")
        return Expr(self.marked(node, f"{want}({self.typed(expr).code})"), known)
