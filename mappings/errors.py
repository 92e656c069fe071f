"""What a mis-declared job says: every problem at once, each with its path in the file."""

from collections.abc import Sequence
from dataclasses import dataclass, field

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault of a job file.

    `path` leads to the faulty node (`("mapping", "entities", 0, "component", "name")`); the job
    reader turns it into `file:line:column`. `offset` is the (line, column), both 0-based, of the
    fault inside a multi-character scalar such as a template. `on_key` points at the key of the
    node rather than at its value.
    """

    path: Path
    what: str
    mend: str = ""
    offset: tuple[int, int] | None = None
    on_key: bool = False


class MappingErrors(Exception):
    """A mapping that does not compile; `problems` holds them all, in file order."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        count = len(problems)
        super().__init__(f"{count} problem{'s' if count > 1 else ''} in the mapping")
        self.problems = tuple(problems)
        for problem in problems:
            where = ".".join(map(str, problem.path))
            self.add_note(f"{where}: {problem.what}{problem.mend and f' ({problem.mend})'}")


@dataclass(frozen=True, slots=True)
class Place:
    """A node of the job file while it is compiled; what is told of it and below joins one list."""

    path: Path
    problems: list[Problem] = field(default_factory=list)

    def __truediv__(self, step: str | int | Path) -> "Place":
        steps = step if isinstance(step, tuple) else (step,)
        return Place((*self.path, *steps), self.problems)

    def tell(
        self,
        what: str,
        mend: str = "",
        *,
        offset: tuple[int, int] | None = None,
        on_key: bool = False,
    ) -> None:
        self.problems.append(Problem(self.path, what, mend, offset, on_key))
