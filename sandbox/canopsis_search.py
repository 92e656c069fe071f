"""The `search` of lists: an expression on stored fields, or a text (`specs/canopsis.md` §5.1).

    expression  = conjunction { "OR" conjunction }
    conjunction = condition { "AND" condition }
    condition   = [ "NOT" ] field test
    test        = op value | [ "NOT" ] "LIKE" value | [ "NOT" ] "CONTAINS" value { value }

A text is an expression when it holds a comparison and parses; anything else is searched, without
regard to case and as an unescaped regular expression, in a few fields.
"""

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Doc = dict[str, Any]
Predicate = Callable[[Doc], bool]
Getter = Callable[[Doc], Any]

# Keywords come before names and end at no word boundary: the lexer of Canopsis reads `order` as
# OR followed by `der`, so a field may not start with a keyword.
_TOKEN = re.compile(
    r"(?P<space>\s+)"
    r"|(?P<keyword>(?i:TRUE|FALSE|NULL|NOT|AND|OR|LIKE|CONTAINS))"
    r"|(?P<name>[a-zA-Z_][a-zA-Z0-9_.]*)"
    r"|(?P<float>[-+]?\d*\.\d+(?:[eE][-+]?\d+)?)"
    r"|(?P<int>[-+]?\d+)"
    r'|(?P<string>"[^"]*")'
    r"|(?P<op>!=|<=|>=|<|>|=)"
)
_CONSTANTS = {"TRUE": True, "FALSE": False, "NULL": None}
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class NotAnExpression(ValueError):
    """A text to be searched as such."""


class BadRegexp(ValueError):
    """Mongo refuses the regular expression: the call ends with 500."""


def compile_search(text: str, fields: Iterable[str], names: Mapping[str, str]) -> Predicate:
    """A predicate over documents; *names* maps the first step of a field to where it is stored.

    Raises BadRegexp.
    """
    try:
        return compile_expression(text, names)
    except NotAnExpression:
        return _text_search(text, [_getter(field, names) for field in fields])


def compile_expression(text: str, names: Mapping[str, str] | None = None) -> Predicate:
    """A predicate over documents; raises NotAnExpression and BadRegexp."""
    upper = text.upper()
    if not any(sign in upper for sign in ("=", "<", ">", "LIKE", "CONTAINS")):
        raise NotAnExpression("no comparison")
    return _Parser(_tokens(text), names or {}).parse()


def _text_search(text: str, getters: list[Getter]) -> Predicate:
    search = _regexp(text, re.IGNORECASE).search

    def predicate(doc: Doc) -> bool:
        for get in getters:
            value = get(doc)
            if isinstance(value, str) and search(value):
                return True
        return False

    return predicate


def _regexp(text: str, flags: int = 0) -> re.Pattern[str]:
    try:
        return re.compile(text, flags)
    except re.error as fault:
        raise BadRegexp(str(fault)) from fault


def _tokens(text: str) -> list[tuple[str, Any]]:
    tokens: list[tuple[str, Any]] = []
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            raise NotAnExpression(f"nothing starts with {text[at]!r}")
        at, kind, word = found.end(), found.lastgroup, found.group()
        if kind == "keyword":
            tokens.append((kind, word.upper()))
        elif kind in ("int", "float"):
            tokens.append((kind, int(word) if kind == "int" else float(word)))
        elif kind == "string":
            tokens.append((kind, _unquoted(word)))
        elif kind != "space":
            tokens.append((kind, word))
    return tokens


def _unquoted(word: str) -> str:
    """A Go string literal, of which the lexer leaves no room for an escaped quote."""
    text = word[1:-1]
    if "\\" not in text:
        return text
    if re.fullmatch(r"(?:[^\\]|\\[\\abfnrtv])*", text) is None:
        raise NotAnExpression("an escape that Go does not know")
    return text.encode("latin-1", "backslashreplace").decode("unicode_escape")


class _Parser:
    """Tokens to predicate, by recursive descent."""

    def __init__(self, tokens: list[tuple[str, Any]], names: Mapping[str, str]) -> None:
        self._tokens, self._names, self._at = tokens, names, 0

    def parse(self) -> Predicate:
        predicate = self._any()
        if self._at < len(self._tokens):
            raise NotAnExpression("something follows")
        return predicate

    def _took(self, kind: str, *words: str) -> Any:
        """The next token's value when it is one of those, else None."""
        if self._at < len(self._tokens):
            found, word = self._tokens[self._at]
            if found == kind and (not words or word in words):
                self._at += 1
                return word
        return None

    def _any(self) -> Predicate:
        parts = [self._all()]
        while self._took("keyword", "OR"):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else lambda doc: any(part(doc) for part in parts)

    def _all(self) -> Predicate:
        parts = [self._condition()]
        while self._took("keyword", "AND"):
            parts.append(self._condition())
        if len(parts) == 1:
            return parts[0]
        if len(parts) == 2:
            first, second = parts
            return lambda doc: first(doc) and second(doc)
        return lambda doc: all(part(doc) for part in parts)

    def _condition(self) -> Predicate:
        if self._took("keyword", "NOT"):
            inner = self._condition()
            return lambda doc: not inner(doc)
        left = self._values()
        if len(left) != 1 or not isinstance(left[0], str):
            raise NotAnExpression("no field")
        get = _getter(left[0], self._names)
        if op := self._took("op"):
            values = self._values()
            return _compare(get, op, values[0] if len(values) == 1 else values)
        negated = bool(self._took("keyword", "NOT"))
        if self._took("keyword", "LIKE"):
            test = _like(get, self._values()[0])
        elif self._took("keyword", "CONTAINS"):
            test = _contains(get, self._values())
        else:
            raise NotAnExpression("no comparison")
        return (lambda doc: not test(doc)) if negated else test

    def _values(self) -> list[Any]:
        values: list[Any] = []
        while self._at < len(self._tokens):
            kind, word = self._tokens[self._at]
            if kind == "keyword":
                if word not in _CONSTANTS:
                    break
                word = _CONSTANTS[word]
            elif kind == "op":
                break
            values.append(word)
            self._at += 1
        if not values:
            raise NotAnExpression("no value")
        return values


def _getter(field: str, names: Mapping[str, str]) -> Getter:
    steps = field.split(".")
    steps[:1] = names.get(steps[0], steps[0]).split(".")
    if len(steps) == 1:
        return lambda doc: doc.get(field if field == steps[0] else steps[0])

    def get(doc: Doc) -> Any:
        value: Any = doc
        for step in steps:
            if not isinstance(value, dict):
                return None
            value = value.get(step)
        return value

    return get


def _compare(get: Getter, op: str, value: Any) -> Predicate:
    """As Mongo compares: within one type; an array by any of its values; absent is null."""
    if op in ("=", "!="):
        equal = _equal(get, value)
        return equal if op == "=" else lambda doc: not equal(doc)
    order = _ORDER[op]
    kinds: tuple[type, ...] = (str,) if isinstance(value, str) else (int, float)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return lambda _: False

    def ordered(doc: Doc) -> bool:
        found = get(doc)
        return isinstance(found, kinds) and not isinstance(found, bool) and order(found, value)

    return ordered


def _equal(get: Getter, value: Any) -> Predicate:
    if isinstance(value, str):

        def equal(doc: Doc) -> bool:
            found = get(doc)
            return found == value or (type(found) is list and value in found)

        return equal
    if value is None or isinstance(value, bool):
        return lambda doc: get(doc) is value
    return lambda doc: type(found := get(doc)) is not bool and found == value


def _like(get: Getter, value: Any) -> Predicate:
    search = _regexp(value if isinstance(value, str) else str(value)).search

    def like(doc: Doc) -> bool:
        found = get(doc)
        if isinstance(found, list):
            return any(isinstance(each, str) and search(each) for each in found)
        return isinstance(found, str) and search(found) is not None

    return like


def _contains(get: Getter, values: list[Any]) -> Predicate:
    tests = [_equal(get, value) for value in values]
    return lambda doc: any(test(doc) for test in tests)
