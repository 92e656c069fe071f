"""Words of the language: which keys a place knows, and the known word nearest to an unknown one."""

import difflib
import types
from collections.abc import Collection, Iterator, Sequence
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, Tag

from mappings.errors import Path
from mappings.strict import Bare

_LISTS = (tuple, list, set, frozenset)


def nearest(word: object, words: Collection[str]) -> str | None:
    """The known word that *word* was probably meant to be."""
    folded = {known.casefold(): known for known in sorted(words, reverse=True)}
    written = str(word).casefold()
    swapped = (known for known in folded if _is_swapped(written, known))
    found = [*swapped, *difflib.get_close_matches(written, folded, n=1, cutoff=0.6)]
    return folded[found[0]] if found else None


def _is_swapped(one: str, other: str) -> bool:
    """Whether two neighbouring letters have changed places."""
    differ = [rank for rank, pair in enumerate(zip(one, other, strict=False)) if len({*pair}) > 1]
    return len(one) == len(other) and len(differ) == 2 and sorted(one) == sorted(other)


def suggestion(word: object, words: Collection[str], what: str = "known") -> str:
    """The mend for an unknown word: "did you mean 'name'?", or the whole list."""
    near = nearest(word, words)
    if near is not None:
        return f"did you mean {near!r}?"
    return f"{what}: {', '.join(sorted(words))}" if words else ""


def keys_at(model: type[BaseModel], loc: Sequence[str | int]) -> frozenset[str]:
    """The keys of the mapping at a place under a model, as pydantic tells it; named as in YAML."""
    keys: set[str] = set()
    for found in models_at(model, loc):
        keys.update(field.alias or name for name, field in found.model_fields.items())
        if issubclass(found, Bare):
            keys.update(found.flat_words)
    return frozenset(keys)


def models_at(model: type[BaseModel], loc: Sequence[str | int]) -> list[type[BaseModel]]:
    """The models that a place under a model may hold, several in a union."""
    found = [end for end, _ in _ends(model, tuple(loc))]
    return [end for end in found if isinstance(end, type) and issubclass(end, BaseModel)]


def settle(
    model: type[BaseModel], document: object, loc: Sequence[str | int], *, absent: bool = False
) -> Path:
    """The path in the document of a place under a model, as pydantic tells it.

    pydantic names the members of unions, and the keys that a short form does without: they are left
    out. `absent` keeps the last step, the name of a key that is missing.
    """
    written = next((steps for _, steps in _ends(model, tuple(loc))), tuple(loc))
    place: list[str | int] = []
    node: Any = document
    for rank, step in enumerate(written):
        if _stands(step, node):
            node = node[step]
        elif not (absent and rank == len(written) - 1):
            continue
        place.append(step)
    return tuple(place)


def _stands(step: str | int, node: object) -> bool:
    if isinstance(node, list):
        return isinstance(step, int) and step < len(node)
    return isinstance(node, dict) and step in node


def _ends(annotation: Any, loc: Path) -> Iterator[tuple[Any, Path]]:
    """What may stand at the end of *loc*, and its steps without the names of members of unions."""
    origin, members = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        yield from _ends(members[0], loc)
    elif origin in (Union, types.UnionType):
        several = [member for member in members if member is not type(None)]
        if len(several) == 1:
            yield from _ends(several[0], loc)
            return
        for member in several:
            if not loc or _is_called(member, loc[0]):
                yield from _ends(member, loc[1:])
    elif not loc:
        yield annotation, ()
    else:
        below = _below(annotation, loc[0])
        ends = ((None, loc[1:]),) if below is None else _ends(below, loc[1:])
        yield from ((end, (loc[0], *steps)) for end, steps in ends)


def _below(annotation: Any, step: str | int) -> Any:
    """What stands one step further; None when that is not known."""
    origin, members = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        fields = annotation.model_fields.items()
        return next(
            (each.annotation for name, each in fields if (each.alias or name) == step), None
        )
    if origin is dict:
        return members[1]
    return members[0] if origin in _LISTS and members else None


def _is_called(member: Any, name: str | int) -> bool:
    """Whether pydantic may call a member of a union so: by its tag, or by what kind it is."""
    tags = [each.tag for each in get_args(member)[1:] if isinstance(each, Tag)]
    kind = member.model_fields.get("type") if _is_model(member) else None
    if kind is not None and get_origin(kind.annotation) is Literal:
        tags += get_args(kind.annotation)
    if tags:
        return name in tags
    word = getattr(get_origin(member) or member, "__name__", "")
    return str(name).split("[", 1)[0] in (word, f"function-{word}") or not word


def _is_model(member: Any) -> bool:
    return isinstance(member, type) and issubclass(member, BaseModel)
