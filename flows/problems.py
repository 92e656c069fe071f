"""A block of a file read by its model, and what pydantic found at fault in it, in plain words."""

import json
from collections.abc import Collection
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from mappings.complaints import expected, kind_of, misfit, spot, told, words_of
from mappings.errors import Path, Problem
from mappings.vocabulary import keys_at, models_at, nearest, settle, suggestion

M = TypeVar("M", bound=BaseModel)


def read_block(model: type[M], block: object, root: Path) -> tuple[M | None, list[Problem]]:
    """The block found at *root*, plain data of a job file; None beside its problems.

    It is read strictly, as JSON is: `"5"` is no number there, and neither is `true`.
    """
    try:
        return model.model_validate_json(json.dumps(block), strict=True), []
    except ValidationError as error:
        return None, problems_of(error, model, block, root)


def problems_of(
    error: ValidationError, model: type[BaseModel], document: object, root: Path
) -> list[Problem]:
    """The problems of *error*, raised by validating *document* (found at *root*) as *model*.

    A union complains once for each of its members: they are told as one, and only those that went
    furthest into the value. What a misspelt key was meant to be is not missing.
    """
    faults = [
        _Fault(detail, model, settle(model, document, detail["loc"]))
        for detail in error.errors(include_url=False)
    ]
    meant = {each.meant for each in faults}
    above = {fault.place[:length] for fault in faults for length in range(len(fault.place))}
    kinds: dict[Path, set[str]] = {}
    words: dict[Path, set[str]] = {}
    for fault in faults:
        kinds.setdefault(fault.place, set()).update(fault.expected)
        words.setdefault(fault.place, set()).update(fault.words)
    problems: dict[Problem, None] = {}
    for fault in faults:
        of_kind = fault.expected or fault.words
        if fault.absent not in meant and not (of_kind and fault.place in above):
            problems[fault.problem(root, kinds[fault.place], words[fault.place])] = None
    return list(problems)


class _Fault:
    """One complaint of pydantic, about the value at *place* of the document."""

    def __init__(self, detail: ErrorDetails, model: type[BaseModel], place: Path) -> None:
        self.detail, self.model, self.place = detail, model, place
        self.kind, self.loc, self.given = detail["type"], detail["loc"], detail["input"]
        self.expected = expected(detail, model)
        self.words = words_of(detail["ctx"]["expected"]) if self.kind == "literal_error" else []
        self.absent: Path | None = (*place, self.loc[-1]) if self.kind == "missing" else None
        self.meant = self._meant()

    def _meant(self) -> Path:
        """The place of the key that an unknown one was meant to be."""
        if self.kind != "extra_forbidden":
            return ()
        near = nearest(self.loc[-1], keys_at(self.model, self.loc[:-1]))
        return (*self.place[:-1], near or "")

    def problem(self, root: Path, kinds: Collection[str], words: Collection[str]) -> Problem:
        """The problem of a document found at *root*.

        *kinds* are those expected at its place, *words* those that would do there too.
        """
        path = root + self.place
        match self.kind:
            case "extra_forbidden":
                return self._unknown(path)
            case "missing":
                return _missing(path, str(self.loc[-1]))
            case "union_tag_not_found" | "union_tag_invalid":
                return self._untagged(path, str(self.detail["ctx"]["discriminator"]).strip("'"))
            case "literal_error" if isinstance(self.given, str) and not kinds:
                mend = suggestion(self.given, self.words, "known words")
                return Problem(path, f"{self.given!r} is not allowed", mend)
        if self.expected or (self.words and kinds):
            short = None if words else next(iter(models_at(self.model, self.loc)), None)
            return Problem(path, *misfit(kinds, self.given, short, words))
        return Problem(path + spot(self.detail), *told(self.detail, self.model))

    def _unknown(self, path: Path) -> Problem:
        mend = suggestion(path[-1], keys_at(self.model, self.loc[:-1]), "known words")
        return Problem(path, f"unknown word {path[-1]!r}", mend, on_key=True)

    def _untagged(self, path: Path, key: str) -> Problem:
        words = keys_at(self.model, self.loc)
        told_of = self.detail["ctx"].get("expected_tags")
        tags = words_of(told_of) if told_of else ()
        block = self.given if isinstance(self.given, dict) else {}
        return untagged(block, path, words, tags, key=key)


def untagged(
    block: dict[str, Any],
    path: Path,
    words: Collection[str],
    kinds: Collection[str],
    *,
    key: str = "type",
    called: str = "type",
) -> Problem:
    """The problem of a block that does not say by its *key*, or not well, which of *kinds* it is.

    *words* are the keys that it may have, as one kind or another.
    """
    if key in block:
        kind, mend = block[key], suggestion(block[key], kinds)
        what = f"unknown {called} {kind!r}"
        if not isinstance(kind, str):
            what, mend = (
                f"expected the name of a {called}, not {kind_of(kind)}",
                suggestion("", kinds),
            )
        return Problem((*path, key), what, mend)
    for written in block:
        if written not in words and nearest(written, words) == key:
            what = f"unknown word {written!r}"
            return Problem((*path, written), what, f"did you mean {key!r}?", on_key=True)
    return _missing(path, key, kinds)


def _missing(path: Path, key: str, kinds: Collection[str] = ()) -> Problem:
    mend = f"add `{key}:` here" + (f", one of {', '.join(sorted(kinds))}" if kinds else "")
    return Problem(path, f"{key!r} is missing", mend, on_key=True)
