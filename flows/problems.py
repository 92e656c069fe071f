"""What pydantic found, in the words of the file: path, message, nearest valid word."""

from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from mappings.errors import Path, Problem
from mappings.reading import settle
from mappings.vocabulary import keys_at, suggestion

_GIVEN = {
    dict: "a mapping",
    list: "a list",
    str: "a text",
    bool: "a boolean",
    type(None): "nothing",
}
_EXPECTED = {
    "string_type": "a text",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "list_type": "a list",
    "tuple_type": "a list",
}


_WRITTEN = {
    "a text": "put it in quotes",
    "a mapping": "write `word: value`, a line each or between braces",
    "a list": "write `[a, b]`, or a line each behind a dash",
}


def problems_of(
    error: ValidationError, model: type[BaseModel], document: Any, root: Path
) -> list[Problem]:
    """The problems of *error*, raised by validating *document* (found at *root*) as *model*.

    A union repeats its complaint once per member: equal ones are said once.
    """
    problems = {_problem(d, model, document, root): None for d in error.errors(include_url=False)}
    return list(problems)


def _problem(detail: ErrorDetails, model: type[BaseModel], document: Any, root: Path) -> Problem:
    loc, kind, context = detail["loc"], detail["type"], detail.get("ctx", {})
    path = root + settle(document, loc)
    if kind == "extra_forbidden":
        mend = suggestion(loc[-1], keys_at(model, loc[:-1]), "known words")
        return Problem(path, f"unknown word {loc[-1]!r}", mend, on_key=True)
    if kind in ("missing", "union_tag_not_found"):
        key = str(context["discriminator"]).strip("'") if context else loc[-1]
        return Problem(path, f"{key!r} is missing", f"add `{key}:` here", on_key=True)
    if kind == "literal_error":
        words = str(context["expected"]).replace("'", "").replace(" or ", ", ").split(", ")
        mend = suggestion(detail["input"], words, "known words")
        return Problem(path, f"{detail['input']!r} is not allowed", mend)
    if kind == "union_tag_invalid":
        words = [word.strip("' ") for word in str(context["expected_tags"]).split(",")]
        key = str(context["discriminator"]).strip("'")
        what = f"unknown {key} {context['tag']!r}"
        return Problem((*path, key), what, suggestion(context["tag"], words, "known"))
    if kind in _EXPECTED:
        given = _GIVEN.get(type(detail["input"]), "a number")
        wanted = _EXPECTED[kind]
        return Problem(path, f"expected {wanted}, not {given}", _WRITTEN.get(wanted, ""))
    what, _, mend = detail["msg"].removeprefix("Value error, ").partition("; mend: ")
    return Problem(path, what[:1].lower() + what[1:], mend)
