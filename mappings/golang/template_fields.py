"""Which fields of the dot a template reads, so that a source is asked for those alone."""

from mappings.golang import template_ast as ast
from mappings.golang.template_errors import NAME

EVERYTHING = "*"
_Path = tuple[str, ...] | None  # under the dot; None: not the dot's
_BY_KEY = ("index", "map_has_key")


def fields(program: ast.Program) -> frozenset[str]:
    """Dotted paths read from the dot; `*` among them when the dot itself is looked into."""
    reader = _Reader(program)
    reader.template(NAME, ())
    return frozenset(".".join(path) if path else EVERYTHING for path in reader.found)


class _Reader:
    def __init__(self, program: ast.Program) -> None:
        self.program = program
        self.found: set[tuple[str, ...]] = set()
        self.visited: set[tuple[str, _Path]] = set()
        self.variables: list[tuple[str, _Path]] = []
        self.dot: _Path = ()

    def template(self, name: str, dot: _Path) -> None:
        if (name, dot) in self.visited:
            return
        self.visited.add((name, dot))
        outer = self.variables, self.dot
        self.variables, self.dot = [("$", dot)], dot
        self._body(self.program.bodies.get(name, ()))
        self.variables, self.dot = outer

    def _body(self, body: ast.Body) -> None:
        mark = len(self.variables)
        for node in body:
            if isinstance(node, ast.Action):
                path = self._pipe(node.pipe)
                if not node.pipe.declared:
                    self._read(path)
            elif isinstance(node, ast.If):
                self._if(node)
            elif isinstance(node, ast.Range):
                self._range(node)
            elif isinstance(node, ast.Call):
                self._call(node)
        del self.variables[mark:]

    def _call(self, node: ast.Call) -> None:
        path = self._pipe(node.pipe) if node.pipe else None
        if path:
            self._read(path)
            if len(path) > 50:  # a template that calls itself ever deeper
                return
        self.template(node.name, path)

    def _if(self, node: ast.If) -> None:
        mark, outer = len(self.variables), self.dot
        for branch in node.branches:
            path = self._pipe(branch.pipe)
            if path:
                self._read(path)
            if node.binds:
                self.dot = path
            self._body(branch.body)
            self.dot = outer
        self._body(node.otherwise)
        del self.variables[mark:]

    def _range(self, node: ast.Range) -> None:
        mark, outer = len(self.variables), self.dot
        self._read(self._pipe(node.pipe))
        for variable in node.pipe.declared:
            self.variables.append((variable.name, None))
        self.dot = None
        self._body(node.body)
        self.dot = outer
        self._body(node.otherwise)
        del self.variables[mark:]

    def _read(self, path: _Path) -> None:
        if path is not None:
            self.found.add(path)

    def _pipe(self, pipe: ast.Pipe) -> _Path:
        """The path a pipeline gives where it only follows fields; the rest is read on the way."""
        path: _Path = None
        for rank, command in enumerate(pipe.commands):
            if rank:
                self._read(path)
            path = self._command(command)
        for variable in pipe.declared:
            if path:
                self._read(path)
            if pipe.assigns:
                self._forget(variable.name)
            else:
                self.variables.append((variable.name, path))
        return path

    def _forget(self, name: str) -> None:
        """From here on the name may mean its old value or the new one: both are read as a whole."""
        for rank in reversed(range(len(self.variables))):
            known, path = self.variables[rank]
            if known == name:
                self._read(path)
                self.variables[rank] = (name, None)
                return

    def _command(self, command: ast.Command) -> _Path:
        first = command.args[0]
        if not isinstance(first, ast.Identifier):
            for argument in command.args[1:]:
                self._read(self._operand(argument))
            return self._operand(first)
        paths = [self._operand(argument) for argument in command.args[1:]]
        keys = [arg.text for arg in command.args[2:] if isinstance(arg, ast.String)]
        if first.name in _BY_KEY and keys and paths and paths[0] is not None:
            paths[0] = (*paths[0], keys[0])
            if first.name == "index" and len(paths) == 2:
                return paths[0]
        for path in paths:
            self._read(path)
        return None

    def _operand(self, node: ast.Operand) -> _Path:
        if isinstance(node, ast.Dot):
            return self.dot
        if isinstance(node, ast.Pipe):
            return self._pipe(node)
        if isinstance(node, ast.Variable):
            known = next(
                (path for name, path in reversed(self.variables) if name == node.name), None
            )
            return None if known is None else (*known, *node.names)
        if isinstance(node, ast.Field):
            return None if self.dot is None else (*self.dot, *node.names)
        if isinstance(node, ast.Chain):
            inner = self._operand(node.node)
            return None if inner is None else (*inner, *node.names)
        return None
