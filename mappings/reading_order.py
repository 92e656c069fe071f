"""The order in which the datasets of a job are read: tables before what looks into them."""

from collections.abc import Sequence

from mappings.errors import Place

# Which dataset looks into which one, and where that is written.
Use = tuple[str, str, Place]


def reading_order(datasets: Sequence[str], uses: Sequence[Use]) -> list[str]:
    """The datasets and their tables, in the order in which each must be read to its end.

    A table that would have to be read before itself is told of.
    """
    done: list[str] = []

    def visit(name: str, users: tuple[str, ...]) -> None:
        if name in users:
            _tell_circle((*users[users.index(name) :], name), uses)
        elif name not in done:
            for user, table, _ in uses:
                if user == name:
                    visit(table, (*users, name))
            if name not in done:
                done.append(name)

    for dataset in datasets:
        visit(dataset, ())
    return done


def _tell_circle(circle: tuple[str, ...], uses: Sequence[Use]) -> None:
    at = next(place for user, table, place in uses if (user, table) == circle[-2:])
    if not any(problem.path == at.path for problem in at.problems):
        needs = " needs ".join(map(repr, circle))
        at.tell(
            f"dataset {circle[0]!r} would have to be read before itself: {needs}",
            "declare its table as a second dataset of the source",
        )
