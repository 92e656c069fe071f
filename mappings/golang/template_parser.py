"""Tokens to AST, as Go's `text/template/parse` reads them (`specs/driver-compat.md` §3.1)."""

from collections.abc import Collection

from mappings.golang import template_ast as ast
from mappings.golang.gotext import WHITE_SPACE
from mappings.golang.template_errors import NAME
from mappings.golang.template_lexer import Token
from mappings.golang.template_pipelines import MAX_NESTING, PipelineParser


def parse(text: str, functions: Collection[str]) -> ast.Program:
    """The program of a template; raises TemplateSyntaxError at the first fault."""
    parser = _Parser(text, functions)
    parser.parse()
    return ast.Program(text, parser.bodies)


class _Parser(PipelineParser):
    def __init__(self, text: str, functions: Collection[str]) -> None:
        super().__init__(text, functions)
        self.bodies: dict[str, ast.Body] = {}
        self.ranges = 0  # ranges around the current action

    def parse(self) -> None:
        nodes: list[ast.Node] = []
        while self.peek().kind != "eof":
            if self._defines():
                self._definition()
                continue
            node = self._text_or_action()
            if isinstance(node, Token):
                raise self.fault(f"unexpected {{{{{node.text}}}}}", node)
            nodes.append(node)
        self._add(NAME, tuple(nodes), self.peek())

    # -- templates

    def _defines(self) -> bool:
        begun = self.at
        if self.next().kind == "left":
            token = self.next_word()
            if token.kind == "keyword" and token.text == "define":
                return True
        self.at = begun
        return False

    def _definition(self) -> None:
        context = "define clause"
        token = self.next_word()
        name = self._name(token, context)
        self.expect_right(context)
        self._template_body(name, token, context)

    def _template_body(self, name: str, token: Token, context: str) -> None:
        """Read the body of a `define` or a `block`: it sees no variable from outside."""
        outer = self.variables, self.ranges
        self.variables, self.ranges = ["$"], 0
        body, end = self._list(token)
        self.variables, self.ranges = outer
        if end.text != "end":
            raise self.fault(f"unexpected {{{{{end.text}}}}} in {context}", end)
        self._add(name, body, token)

    def _add(self, name: str, body: ast.Body, token: Token) -> None:
        if _empty(self.bodies.get(name, ())):
            self.bodies[name] = body
        elif not _empty(body):
            raise self.fault(f'template: multiple definition of template "{name}"', token)

    def _name(self, token: Token, context: str) -> str:
        if token.kind not in ("string", "raw"):
            raise self.unexpected(token, context)
        return self.unquote(token)

    # -- actions

    def _list(self, opening: Token) -> tuple[ast.Body, Token]:
        """The nodes up to an `end` or an `else`, and that one's token."""
        self.nesting += 1
        if self.nesting > MAX_NESTING:
            raise self.fault(f"nested more than {MAX_NESTING} deep", opening)
        nodes: list[ast.Node] = []
        while self.peek_word().kind != "eof":
            node = self._text_or_action()
            if isinstance(node, Token):
                self.nesting -= 1
                return tuple(nodes), node
            nodes.append(node)
        raise self.fault("unexpected EOF", self.peek())

    def _text_or_action(self) -> ast.Node | Token:
        """A node, or the keyword's token of an `end` or `else`."""
        token = self.next_word()
        if token.kind == "text":
            return ast.Text(token.position, token.text)
        if token.kind != "left":
            raise self.unexpected(token, "input")
        word = self.peek_word()
        if word.kind == "keyword":
            return self._keyword(self.next())
        return ast.Action(word.position, self.pipeline("command", "right"))

    def _keyword(self, token: Token) -> ast.Node | Token:
        if token.text == "end":
            self.expect_right("end")
            return token
        if token.text == "else":
            following = self.peek_word()
            if following.kind != "keyword" or following.text not in ("if", "with"):
                self.expect_right("else")
            return token
        readers = {
            "block": self._block,
            "break": self._jump,
            "continue": self._jump,
            "if": self._if,
            "range": self._range,
            "template": self._template,
            "with": self._if,
        }
        if token.text not in readers:
            raise self.unexpected(token, "command")
        return readers[token.text](token)

    def _if(self, token: Token) -> ast.Node:
        kind, mark = token.text, len(self.variables)
        branches: list[ast.Branch] = []
        otherwise: ast.Body = ()
        while True:
            pipe = self.pipeline(kind, "right")
            body, end = self._list(token)
            branches.append(ast.Branch(pipe.position, pipe, body))
            if end.text == "end":
                break
            following = self.peek()
            if following.kind == "keyword" and following.text == kind:
                self.next()
                continue
            otherwise = self._otherwise(token)
            break
        del self.variables[mark:]
        return ast.If(branches[0].position, kind == "with", tuple(branches), otherwise)

    def _otherwise(self, token: Token) -> ast.Body:
        body, end = self._list(token)
        if end.text != "end":
            raise self.fault(f"expected end; found {{{{{end.text}}}}}", end)
        return body

    def _range(self, token: Token) -> ast.Node:
        mark = len(self.variables)
        pipe = self.pipeline("range", "right")
        self.ranges += 1
        body, end = self._list(token)
        self.ranges -= 1
        otherwise = self._otherwise(token) if end.text == "else" else ()
        del self.variables[mark:]
        return ast.Range(pipe.position, pipe, body, otherwise)

    def _jump(self, token: Token) -> ast.Node:
        self.expect_right(f"{{{{{token.text}}}}}")
        if not self.ranges:
            raise self.fault(f"{{{{{token.text}}}}} outside {{{{range}}}}", token)
        return ast.Jump(token.position, token.text == "break")

    def _template(self, _: Token) -> ast.Node:
        context = "template clause"
        token = self.next_word()
        name = self._name(token, context)
        if self.peek_word().kind == "right":
            self.next()
            return ast.Call(token.position, name, token.text, None)
        return ast.Call(token.position, name, token.text, self.pipeline(context, "right"))

    def _block(self, _: Token) -> ast.Node:
        context = "block clause"
        token = self.next_word()
        name = self._name(token, context)
        pipe = self.pipeline(context, "right")
        self._template_body(name, token, context)
        return ast.Call(token.position, name, token.text, pipe)


def _empty(body: ast.Body) -> bool:
    """Whether Go lets another definition replace this one: nothing but white space."""
    return all(isinstance(node, ast.Text) and not node.text.strip(WHITE_SPACE) for node in body)
