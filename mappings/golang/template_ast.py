"""The parsed form of a Go template; `str(node)` is the text Go's messages show."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Text:
    position: int
    text: str


@dataclass(frozen=True, slots=True)
class Dot:
    position: int

    def __str__(self) -> str:
        return "."


@dataclass(frozen=True, slots=True)
class Nil:
    position: int

    def __str__(self) -> str:
        return "nil"


@dataclass(frozen=True, slots=True)
class Bool:
    position: int
    value: bool

    def __str__(self) -> str:
        return "true" if self.value else "false"


@dataclass(frozen=True, slots=True)
class Number:
    """A numeric constant: `ideal` is what it is without a type (None: it overflows an int).

    `integer` is what it is where a function wants an integer (None: it cannot be one).
    """

    position: int
    text: str
    ideal: int | float | complex | None
    integer: int | None

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class String:
    position: int
    quoted: str
    text: str

    def __str__(self) -> str:
        return self.quoted


@dataclass(frozen=True, slots=True)
class Identifier:
    """A function's name."""

    position: int
    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Field:
    """`.A.B`: names under the dot."""

    position: int
    names: tuple[str, ...]

    def __str__(self) -> str:
        return "." + ".".join(self.names)


@dataclass(frozen=True, slots=True)
class Variable:
    """`$x` or `$x.A.B`."""

    position: int
    name: str
    names: tuple[str, ...] = ()

    def __str__(self) -> str:
        return ".".join((self.name, *self.names))


@dataclass(frozen=True, slots=True)
class Chain:
    """`(pipeline).A` or `function.A`."""

    position: int
    node: "Operand"
    names: tuple[str, ...]

    def __str__(self) -> str:
        inner = f"({self.node})" if isinstance(self.node, Pipe) else str(self.node)
        return ".".join((inner, *self.names))


@dataclass(frozen=True, slots=True)
class Command:
    position: int
    args: tuple["Operand", ...]

    def __str__(self) -> str:
        return " ".join(f"({arg})" if isinstance(arg, Pipe) else str(arg) for arg in self.args)


@dataclass(frozen=True, slots=True)
class Pipe:
    """`$x, $y := command | command`; `assigns` tells `=` from `:=`."""

    position: int
    commands: tuple[Command, ...]
    declared: tuple[Variable, ...] = ()
    assigns: bool = False

    def __str__(self) -> str:
        names = ", ".join(map(str, self.declared))
        sign = ("" if not names else " = " if self.assigns else " := ") if self.declared else ""
        return names + sign + " | ".join(map(str, self.commands))


Operand: TypeAlias = (
    Dot | Nil | Bool | Number | String | Identifier | Field | Variable | Chain | Pipe
)


@dataclass(frozen=True, slots=True)
class Action:
    position: int
    pipe: Pipe

    def __str__(self) -> str:
        return f"{{{{{self.pipe}}}}}"


@dataclass(frozen=True, slots=True)
class Branch:
    """One condition of an `if` or a `with`, and what it guards."""

    position: int
    pipe: Pipe
    body: "Body"


@dataclass(frozen=True, slots=True)
class If:
    """An `if` with its `else if`s in order, or a `with` with its `else with`s (`binds`)."""

    position: int
    binds: bool
    branches: tuple[Branch, ...]
    otherwise: "Body" = ()


@dataclass(frozen=True, slots=True)
class Range:
    position: int
    pipe: Pipe
    body: "Body"
    otherwise: "Body" = ()


@dataclass(frozen=True, slots=True)
class Jump:
    """`break` (`leaves`) or `continue`."""

    position: int
    leaves: bool


@dataclass(frozen=True, slots=True)
class Call:
    """`{{template "name" pipe}}`, and what remains of a `{{block}}` where it stands."""

    position: int
    name: str
    quoted: str
    pipe: Pipe | None

    def __str__(self) -> str:
        pipe = f" {self.pipe}" if self.pipe else ""
        return f"{{{{template {self.quoted}{pipe}}}}}"


Node: TypeAlias = Text | Action | If | Range | Jump | Call
Body: TypeAlias = tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Program:
    """A parsed template: `bodies` holds the main one under its name, and every defined one."""

    text: str
    bodies: dict[str, Body] = field(default_factory=dict)


def pipes(body: Body) -> Iterator[Pipe]:
    """Every pipeline of a body, those in parentheses included."""
    for node in body:
        if isinstance(node, Action | Call) and node.pipe:
            yield from _pipes_of(node.pipe)
        elif isinstance(node, Range):
            yield from _pipes_of(node.pipe)
            yield from pipes(node.body)
            yield from pipes(node.otherwise)
        elif isinstance(node, If):
            for branch in node.branches:
                yield from _pipes_of(branch.pipe)
                yield from pipes(branch.body)
            yield from pipes(node.otherwise)


def operands(pipe: Pipe) -> Iterator[Operand]:
    """Every operand of one pipeline, those in parentheses included."""
    for command in pipe.commands:
        for arg in command.args:
            inner = arg.node if isinstance(arg, Chain) else arg
            yield arg
            if inner is not arg:
                yield inner
            if isinstance(inner, Pipe):
                yield from operands(inner)


def _pipes_of(pipe: Pipe) -> Iterator[Pipe]:
    yield pipe
    yield from (operand for operand in operands(pipe) if isinstance(operand, Pipe))


def calls(body: Body) -> bool:
    """Whether a body has a `template` or a `block`."""
    return any(
        isinstance(node, Call)
        or (isinstance(node, Range) and (calls(node.body) or calls(node.otherwise)))
        or (
            isinstance(node, If)
            and (calls(node.otherwise) or any(calls(branch.body) for branch in node.branches))
        )
        for node in body
    )


def jumps(body: Body) -> bool:
    """Whether a `break` or `continue` of a body leaves it."""
    return any(
        isinstance(node, Jump)
        or (isinstance(node, Range) and jumps(node.otherwise))
        or (
            isinstance(node, If)
            and (jumps(node.otherwise) or any(jumps(branch.body) for branch in node.branches))
        )
        for node in body
    )


def ordered(body: Body) -> bool:
    """Whether declarations may all come first: nothing is assigned, nor declared in passing."""
    return not any(
        pipe.assigns or any(isinstance(arg, Pipe) and arg.declared for arg in operands(pipe))
        for pipe in pipes(body)
    )


def size(body: Body) -> int:
    """How many nodes, negative where one of them is no expression."""
    total = 0
    for node in body:
        if isinstance(node, If):
            inside = [size(branch.body) for branch in node.branches] + [size(node.otherwise)]
            if min(inside) < 0:
                return -1
            total += sum(inside) + len(inside)
        elif not isinstance(node, Text | Action):
            return -1
        total += 1
    return total
