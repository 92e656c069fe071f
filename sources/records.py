"""Records made of rows of texts."""

from collections.abc import Callable

from sources.base import Record


def recorder(
    columns: tuple[str, ...], nulls: frozenset[str]
) -> Callable[[list[list[str]]], list[Record]]:
    """The function that makes records of rows: every value a text without outer blanks."""
    strip = str.strip

    def texts(rows: list[list[str]]) -> list[Record]:
        # the widths are known to be equal
        return [dict(zip(columns, map(strip, row))) for row in rows]  # noqa: B905

    def texts_or_nulls(rows: list[list[str]]) -> list[Record]:
        return [
            {
                column: None if value in nulls else value
                for column, value in zip(columns, map(strip, row), strict=True)
            }
            for row in rows
        ]

    return texts_or_nulls if nulls else texts
