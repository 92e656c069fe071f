"""Values and exceptions as Python 2 writes them: what `info` of a D0 import is made of.

`ValueError(u'The ci of id X does not match any existing entity.',)` (`specs/canopsis.md` §2.3).
"""

from typing import Any


def python_repr(value: Any) -> str:
    """`repr` of a decoded JSON value: texts are `u'…'`, in ASCII."""
    if isinstance(value, str):
        return f"u{value!a}"
    if isinstance(value, list):
        return f"[{', '.join(python_repr(each) for each in value)}]"
    if isinstance(value, dict):
        pairs = (f"{python_repr(key)}: {python_repr(each)}" for key, each in value.items())
        return f"{{{', '.join(pairs)}}}"
    return repr(value)


def raised(kind: str, words: str) -> str:
    """`repr` of an exception made with a text of a module that has unicode literals."""
    return f"{kind}({python_repr(words)},)"


def schema_fault(words: str, *, literal: bool = False) -> str:
    """`repr` of a ValidationError; its own words are plain unless *literal*."""
    return f"<ValidationError: {python_repr(words) if literal else ascii(words)}>"
