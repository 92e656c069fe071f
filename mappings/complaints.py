"""What pydantic finds at fault, in plain words: what was expected, what stands there, the mend."""

from collections.abc import Callable, Collection, Iterable, Sequence

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from mappings.errors import Path
from mappings.strict import Bare
from mappings.vocabulary import models_at, nearest, suggestion

_TEXT, _WHOLE, _NUMBER, _TRUTH = "a text", "a whole number", "a number", "true or false"
_LIST, _MAPPING = "a list", "a mapping"
_ORDER = (_TEXT, _WHOLE, _NUMBER, _TRUTH, _LIST, _MAPPING)
_EXPECTED = {
    **dict.fromkeys(("string_type", "string_sub_type", "string_unicode", "path_type"), _TEXT),
    **dict.fromkeys(("int_type", "int_parsing", "int_parsing_size", "int_from_float"), _WHOLE),
    **dict.fromkeys(("float_type", "float_parsing", "finite_number"), _NUMBER),
    **dict.fromkeys(("bool_type", "bool_parsing"), _TRUTH),
    **dict.fromkeys(("list_type", "tuple_type", "set_type", "frozen_set_type"), _LIST),
    **dict.fromkeys(("dict_type", "mapping_type"), _MAPPING),
    **dict.fromkeys(("model_type", "model_attributes_type"), _MAPPING),
}
_SCALARS = {"string": _TEXT, "number": _NUMBER, "boolean": _TRUTH, "array": _LIST}
_WRITTEN = {
    _TEXT: "put it in quotes",
    _WHOLE: "write digits alone, such as 10",
    _NUMBER: "write a number, such as 0.5",
    _TRUTH: "write true or false, without quotes",
    _LIST: "write `[a, b]`, or a line each behind a dash",
    _MAPPING: "write `word: value`, a line each or between braces",
}
_GIVEN = (
    (dict, _MAPPING),
    (list, _LIST),
    (str, _TEXT),
    (bool, "a boolean"),
    (int | float, _NUMBER),
)
_LIMITS = {
    "greater_than": ("more than {}", "gt"),
    "greater_than_equal": ("at least {}", "ge"),
    "less_than": ("less than {}", "lt"),
    "less_than_equal": ("at most {}", "le"),
}
_SIZES = {
    "string_too_short": ("at least", "character", "characters", "min_length"),
    "string_too_long": ("at most", "character", "characters", "max_length"),
    "too_short": ("at least", "entry", "entries", "min_length"),
    "too_long": ("at most", "entry", "entries", "max_length"),
}


def expected(fault: ErrorDetails, model: type[BaseModel]) -> tuple[str, ...]:
    """The kinds of value that would do, when it is by its kind that a value is at fault."""
    if fault["type"] not in _EXPECTED:
        return ()
    kinds = {_EXPECTED[fault["type"]]}
    for found in models_at(model, fault["loc"]) if kinds == {_MAPPING} else ():
        kinds.update(_SCALARS[each] for each in _scalars(found))
    return tuple(kind for kind in _ORDER if kind in kinds)


def misfit(
    kinds: Iterable[str],
    given: object,
    model: type[BaseModel] | None,
    words: Collection[str] = (),
) -> tuple[str, str]:
    """What is said of a value of another kind than those expected, and the mend.

    *model*: the one that may be written short, which knows best how. *words* would do too.
    """
    wanted = [kind for kind in _ORDER if kind in kinds]
    if _NUMBER in wanted and _WHOLE in wanted:
        wanted.remove(_WHOLE)
    named = sorted(f"the word {word}" for word in words)
    what = f"expected {either([*wanted, *named])}, not {kind_of(given)}"
    if words and nearest(given, words) is not None:
        return what, suggestion(given, words)
    if model is not None and issubclass(model, Bare) and model.written:
        return what, f"write {model.written}"
    if given is None:
        return what, "write it, or remove the key"
    if wanted[0] == _TEXT and isinstance(given, dict | list):
        return what, "write one value"
    return what, _WRITTEN[wanted[0]]


def told(fault: ErrorDetails, model: type[BaseModel]) -> tuple[str, str]:
    """What is said of a fault, and the mend; not of keys that are unknown or missing."""
    kinds = expected(fault, model)
    if kinds:
        return misfit(kinds, fault["input"], next(iter(models_at(model, fault["loc"])), None))
    return _TELLERS.get(fault["type"], _as_it_says)(fault)


def _not_a_word(fault: ErrorDetails) -> tuple[str, str]:
    given, words = fault["input"], words_of(fault["ctx"]["expected"])
    if isinstance(given, str):
        return f"unknown word {given!r}", suggestion(given, words, "known words")
    return f"expected a word, not {kind_of(given)}", f"known words: {', '.join(words)}"


def _out_of_limits(fault: ErrorDetails) -> tuple[str, str]:
    form, key = _LIMITS[fault["type"]]
    limit = fault["ctx"][key]
    limit = int(limit) if limit == int(limit) else limit
    return f"expected {form.format(limit)}, not {fault['input']}", "correct the number"


def _of_wrong_size(fault: ErrorDetails) -> tuple[str, str]:
    form, one, many, key = _SIZES[fault["type"]]
    size = fault["ctx"][key]
    return f"expected {form} {size} {one if size == 1 else many}", "correct it, or remove the key"


def _of_wrong_form(fault: ErrorDetails) -> tuple[str, str]:
    return f"expected a text of the form {fault['ctx']['pattern']}", "correct the text"


def _as_it_says(fault: ErrorDetails) -> tuple[str, str]:
    """A fault found by a rule of ours, which brings its own words."""
    what, _, mend = fault["msg"].removeprefix("Value error, ").partition("; mend: ")
    return what[:1].lower() + what[1:], mend or str(fault.get("ctx", {}).get("mend", ""))


_TELLERS: dict[str, Callable[[ErrorDetails], tuple[str, str]]] = {
    "literal_error": _not_a_word,
    **dict.fromkeys(_LIMITS, _out_of_limits),
    **dict.fromkeys(_SIZES, _of_wrong_size),
    "string_pattern_mismatch": _of_wrong_form,
}


def spot(fault: ErrorDetails) -> Path:
    """Where in the value at fault it is at fault, as far as its rule knows."""
    steps: Sequence[str | int] = fault.get("ctx", {}).get("spot", ())
    return tuple(steps)


def words_of(expected: object) -> list[str]:
    """The words of pydantic's "'a', 'b' or 'c'"."""
    return sorted(str(expected).replace("'", "").replace(" or ", ", ").split(", "))


def kind_of(given: object) -> str:
    if given is None:
        return "nothing"
    return next((words for kind, words in _GIVEN if isinstance(given, kind)), "such a value")


def either(kinds: Sequence[str]) -> str:
    *first, last = kinds
    return f"{', '.join(first)} or {last}" if first else last


def _scalars(model: type[BaseModel]) -> tuple[str, ...]:
    return model.scalars if issubclass(model, Bare) else ()
