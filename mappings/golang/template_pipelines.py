"""Pipelines of a Go template: tokens to operands, commands and pipelines."""

from collections.abc import Collection

from mappings.golang import goliteral
from mappings.golang import template_ast as ast
from mappings.golang.template_errors import TemplateSyntaxError
from mappings.golang.template_lexer import Token, place, tokenize

# Go recurses as deep as its stack goes; Python's compiler does not, and no template comes near.
MAX_NESTING = 50
_LITERALS = frozenset(
    (".", "bool", "character", "complex", "nil", "number", "raw", "string"),
)
_OPERANDS = _LITERALS | {"field", "identifier", "variable", "("}
_CONSTANTS = (ast.Bool, ast.Dot, ast.Nil, ast.Number, ast.String)


class PipelineParser:
    """Reads pipelines at the current token, raising TemplateSyntaxError at the first fault.

    `variables` are the names a pipeline may read, in order of declaration; reading one that
    declares appends to them, and who opened the scope removes them.
    """

    def __init__(self, text: str, functions: Collection[str]) -> None:
        self.text = text
        self.functions = functions
        self.tokens = tokenize(text)
        self.at = 0
        self.variables = ["$"]
        self.nesting = 0

    def peek(self) -> Token:
        token = self.tokens[self.at]
        if token.kind == "error":
            raise self.fault(token.text, token)
        return token

    def next(self) -> Token:
        token = self.peek()
        self.at = min(self.at + 1, len(self.tokens) - 1)
        return token

    def peek_word(self) -> Token:
        while (token := self.peek()).kind == "space":
            self.at += 1
        return token

    def next_word(self) -> Token:
        self.peek_word()
        return self.next()

    def fault(self, cause: str, token: Token) -> TemplateSyntaxError:
        line, column = place(self.text, token.position)
        return TemplateSyntaxError(cause, line, column)

    def unexpected(self, token: Token, context: str) -> TemplateSyntaxError:
        return self.fault(f"unexpected {token} in {context}", token)

    def expect_right(self, context: str) -> Token:
        token = self.next_word()
        if token.kind != "right":
            raise self.unexpected(token, context)
        return token

    def unquote(self, token: Token) -> str:
        try:
            return goliteral.unquote(token.text)
        except goliteral.BadLiteral as error:
            raise self.fault(str(error), token) from None

    def pipeline(self, context: str, end: str) -> ast.Pipe:
        begun = self.peek_word()
        declared, assigns = self._declared(context)
        commands: list[ast.Command] = []
        while (token := self.peek_word()).kind != end:
            if token.kind not in _OPERANDS:
                raise self.unexpected(token, context)
            commands.append(self._command())
        closing = self.next()
        if not commands:
            raise self.fault(f"missing value for {context}", closing)
        for rank, command in enumerate(commands[1:], 2):
            if isinstance(command.args[0], _CONSTANTS):
                raise self.fault(f"non executable command in pipeline stage {rank}", closing)
        return ast.Pipe(begun.position, tuple(commands), declared, assigns)

    def _declared(self, context: str) -> tuple[tuple[ast.Variable, ...], bool]:
        """The variables before `:=` or `=`, and whether it is `=`."""
        declared: list[ast.Variable] = []
        while self.peek_word().kind == "variable":
            begun = self.at
            token = self.next()
            sign = self.peek_word()
            comma = sign.kind == "char" and sign.text == ","
            if sign.kind not in ("assign", "declare") and not comma:
                self.at = begun
                break
            self.next()
            declared.append(ast.Variable(token.position, token.text))
            self.variables.append(token.text)
            if not comma:
                return tuple(declared), sign.kind == "assign"
            if context != "range" or len(declared) > 1:
                raise self.fault(f"too many declarations in {context}", sign)
            following = self.peek_word()
            if following.kind not in ("variable", "right", ")"):
                raise self.fault("range can only initialize variables", following)
        return tuple(declared), False

    def _command(self) -> ast.Command:
        begun = self.peek_word()
        args: list[ast.Operand] = []
        while True:
            self.peek_word()
            operand = self._operand()
            if operand is not None:
                args.append(operand)
            token = self.peek()
            if token.kind in ("right", ")"):
                break
            self.next()
            if token.kind == "pipe":
                break
            if token.kind != "space":
                raise self.unexpected(token, "operand")
        if not args:
            raise self.fault("empty command", token)
        return ast.Command(begun.position, tuple(args))

    def _operand(self) -> ast.Operand | None:
        node = self._term()
        if node is None or self.peek().kind != "field":
            return node
        position = self.peek().position
        names: list[str] = []
        while self.peek().kind == "field":
            names.append(self.next().text[1:])
        if isinstance(node, ast.Field):
            return ast.Field(position, (*node.names, *names))
        if isinstance(node, ast.Variable):
            return ast.Variable(position, node.name, (*node.names, *names))
        if isinstance(node, _CONSTANTS):
            raise self.fault(f'unexpected . after term "{node}"', self.tokens[self.at - len(names)])
        return ast.Chain(position, node, tuple(names))

    def _term(self) -> ast.Operand | None:
        token = self.peek_word()
        if token.kind not in _OPERANDS:
            return None
        self.next()
        if token.kind == "(":
            return self._parenthesized(token)
        return self._literal(token) if token.kind in _LITERALS else self._named(token)

    def _named(self, token: Token) -> ast.Operand:
        if token.kind == "field":
            return ast.Field(token.position, (token.text[1:],))
        if token.kind == "variable":
            if token.text not in self.variables:
                raise self.fault(f'undefined variable "{token.text}"', token)
            return ast.Variable(token.position, token.text)
        if token.text not in self.functions:
            raise self.fault(f'function "{token.text}" not defined', token)
        return ast.Identifier(token.position, token.text)

    def _literal(self, token: Token) -> ast.Operand:
        match token.kind:
            case ".":
                return ast.Dot(token.position)
            case "nil":
                return ast.Nil(token.position)
            case "bool":
                return ast.Bool(token.position, token.text == "true")
            case "string" | "raw":
                return ast.String(token.position, token.text, self.unquote(token))
        return self._number(token)

    def _parenthesized(self, token: Token) -> ast.Pipe:
        self.nesting += 1
        if self.nesting > MAX_NESTING:
            raise self.fault(f"nested more than {MAX_NESTING} deep", token)
        pipe = self.pipeline("parenthesized pipeline", ")")
        self.nesting -= 1
        return pipe

    def _number(self, token: Token) -> ast.Number:
        text = token.text
        try:
            if token.kind == "character":
                code = goliteral.character(text)
                return ast.Number(token.position, text, code, code)
            ideal, integer = (
                goliteral.pair(text) if token.kind == "complex" else goliteral.number(text)
            )
        except goliteral.BadLiteral as error:
            raise self.fault(str(error), token) from None
        return ast.Number(token.position, text, ideal, integer)
