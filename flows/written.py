"""Texts that a job itself writes: whoever reads the job has them, so they need not be hidden."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from mappings.options import without_accents

_LITERAL = re.compile(r'"([^"\\]*)"|`([^`]*)`')


def folded(text: str) -> str:
    """A text as it is compared with those of the job: options of a value may change the rest."""
    return without_accents(text.strip()).casefold()


def written(mapping: Any, tables: Iterable[Iterable[str]]) -> frozenset[str]:
    """The texts that a job writes in its mapping, and the keys of its *tables*, folded."""
    words = {word for text in _texts(mapping) for word in (text, *_literals(text))}
    return frozenset(folded(word) for word in words.union(*tables) if word.strip())


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, each in node.items():
            yield str(key)
            yield from _texts(each)
    elif isinstance(node, list):
        for each in node:
            yield from _texts(each)
    elif isinstance(node, (str, int, float)) and not isinstance(node, bool):
        yield str(node)


def _literals(text: str) -> Iterator[str]:
    """The constants of a template."""
    if "{{" in text:
        yield from (found[1] or found[2] or "" for found in _LITERAL.finditer(text))
