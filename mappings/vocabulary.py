"""Words of the language: which keys a place knows, and the known word nearest to an unknown one."""

import difflib
import types
from collections.abc import Collection, Iterator, Sequence
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from mappings.strict import Bare


def nearest(word: object, words: Collection[str]) -> str | None:
    """The known word that *word* was probably meant to be."""
    folded = {known.casefold(): known for known in sorted(words, reverse=True)}
    found = difflib.get_close_matches(str(word).casefold(), folded, n=1, cutoff=0.6)
    return folded[found[0]] if found else None


def suggestion(word: object, words: Collection[str], what: str = "known") -> str:
    """The mend for an unknown word: "did you mean 'name'?", or the whole list."""
    near = nearest(word, words)
    if near is not None:
        return f"did you mean {near!r}?"
    return f"{what}: {', '.join(sorted(words))}" if words else ""


def keys_at(model: type[BaseModel], place: Sequence[str | int]) -> frozenset[str]:
    """The keys of the mapping that stands at *place* under a model, by their name in YAML."""
    keys: set[str] = set()
    for found in _models(model, tuple(place)):
        keys.update(field.alias or name for name, field in found.model_fields.items())
        if issubclass(found, Bare):
            keys.update(found.flat_words)
    return frozenset(keys)


def _models(annotation: Any, place: tuple[str | int, ...]) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if not place:
            yield annotation
            return
        for name, field in annotation.model_fields.items():
            if (field.alias or name) == place[0]:
                yield from _models(field.annotation, place[1:])
        return
    origin, members = get_origin(annotation), get_args(annotation)
    if origin in (dict, tuple, list):
        if place:
            yield from _models(members[1 if origin is dict else 0], place[1:])
    elif origin is Annotated:
        yield from _models(members[0], place)
    elif origin in (Union, types.UnionType):
        for member in members:
            yield from _models(member, place)
            # a discriminated union puts its tag in the place
            yield from _models(member, place[1:]) if place else ()
