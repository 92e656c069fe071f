"""What templates cost: renderings per second of one core, the best of several rounds.

Through `Template.render`, the public way, on a dot `{"Field": …}`; `field` figures go through
`Template.field_function`, as generated mappings do.
"""

import time
from collections.abc import Callable

from mappings.gotemplate import compile_template

ROUNDS = 9
RENDERINGS = 100_000
UPPERCASE = "{{uppercase .Field}}"
CHOICE = '{{if eq .Field "PROD"}}production{{else}}{{lowercase .Field}}{{end}}'
FIELD = "Doc-ServeurAPP1"


def figures() -> dict[str, float]:
    """Renderings per second, by name."""
    dot = {"Field": FIELD}
    uppercase, choice = compile_template(UPPERCASE), compile_template(CHOICE)
    return {
        "uppercase template, renders/s": _rate(uppercase.render, dot),
        "if-else template, renders/s": _rate(choice.render, dot),
        "uppercase template as a function of the field, renders/s": _rate(
            uppercase.field_function, FIELD, None
        ),
        "if-else template as a function of the field, renders/s": _rate(
            choice.field_function, FIELD, None
        ),
    }


def _rate(render: Callable[..., str], *arguments: object) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        for _ in range(RENDERINGS):
            render(*arguments)
        best = min(best, time.perf_counter() - begin)
    return RENDERINGS / best


if __name__ == "__main__":
    for name, figure in figures().items():
        print(f"{name:60}{figure / 1e6:8.2f} M")  # noqa: T201 - the bench prints
