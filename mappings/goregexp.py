"""Regular expressions as Canopsis reads them: Go's, then those that only its fallback knows.

    compile_regexp(r"CMDB:(?P<SI>.*?)($|,)").groups("x CMDB:PAY,")  ->  {"SI": "PAY", "1": ","}

`re` does the work, on a source translated with Go's meaning, wherever it is proven to be quick
(`mappings.golang.regexp_cost`); elsewhere a machine that is linear in the text, or for the fallback
the `regex` package with a time limit. Nothing hangs: `RegexpTimeout` is raised for the value.
Sources: `specs/driver-compat.md` §2.1 and §4; Go 1.23 `regexp`, regexp2 1.11.
"""

import re
import time
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Protocol

import regex  # type: ignore[import-untyped] # it can be interrupted and looks behind at any width

from mappings.golang.regexp_cost import longest
from mappings.golang.regexp_errors import RegexpSyntaxError, RegexpTimeout
from mappings.golang.regexp_expand import parse_template
from mappings.golang.regexp_fallback import parse_extended
from mappings.golang.regexp_machine import Machine, Work
from mappings.golang.regexp_parser import parse
from mappings.golang.regexp_translate import longest_literal, spelled_out, translate
from mappings.golang.regexp_tree import Node, Parsed, Repeat, children, nullable

__all__ = ["Regexp", "RegexpSyntaxError", "RegexpTimeout", "compile_regexp"]

MOST_SECONDS = 0.3  # of the fallback on one value; Canopsis allows 1
# Characters of a translated pattern: a class of letters has a thousand, and takes milliseconds.
MOST_SOURCE = 60_000
MOST_LITERAL = 500  # in a row, for which `regex` makes a table, in the cube of their number
MOST_SPELLED = 300_000  # the same with counted repetitions written out, as `regex` does


class _Match(Protocol):
    def span(self, number: int, /) -> tuple[int, int]: ...


# From a text to the search in it from a place on; all searches of one text share a limit of work.
_Searcher = Callable[[str], Callable[[int], _Match | None]]


class Regexp:
    """A compiled regular expression; made by `compile_regexp`.

    `text` is the pattern as written. `names` is the table of its groups in order: the key of
    `groups` and the number of the group in `pattern`. `pattern` may be inlined by callers, for
    texts of at most `limit` characters; it is None, and `limit` -1, where `re` cannot be trusted
    (such a pattern is slower: some 100 microseconds a value rather than two).
    """

    __slots__ = (
        "_named",
        "_raw_names",
        "_re_search",
        "_searcher",
        "limit",
        "names",
        "pattern",
        "text",
    )

    def __init__(self, text: str, parsed: Parsed) -> None:
        self.text = text
        self._raw_names = parsed.names
        self._named = parsed.named
        self.names = tuple((key, number) for number, key in enumerate(_keys(parsed.names), start=1))
        source = translate(parsed)
        self.pattern = _trusted(source, parsed)
        self.limit = -1 if self.pattern is None else longest(parsed.tree)
        if self.limit < 0:
            self.pattern = None
        self._re_search = None if self.pattern is None else self.pattern.search
        self._searcher: _Searcher = (
            _interruptible(text, parsed, source) if parsed.extended else _linear(text, parsed)
        )

    def groups(self, text: str) -> dict[str, str] | None:
        """The groups of the first match by name, `""` for one that took no part; None: no match.

        Unnamed groups are keyed "1", "2"... counted among themselves. Where a name is used
        twice the last group of that name counts. Raises RegexpTimeout.
        """
        if self._re_search is not None and len(text) <= self.limit:
            match = self._re_search(text)
            if match is None:
                return None
            if self._named:  # twice as fast
                return match.groupdict("")
            return {key: match[number] or "" for key, number in self.names}
        found = self._searcher(text)(0)
        if found is None:
            return None
        return {key: _part(text, found, number) for key, number in self.names}

    def replace(self, text: str, repl: str) -> str:
        """*text* with each match replaced by *repl*, as Go's `ReplaceAllString` does.

        In *repl*, `$1`, `${1}`, `$name`, `${name}` stand for groups and `$$` for a dollar; a
        group that does not exist is empty. An empty match that touches the match before it is
        not replaced. Raises RegexpTimeout.
        """
        if self._re_search is not None and len(text) <= self.limit:
            search: Callable[[int], _Match | None] = partial(self._re_search, text)
        else:
            search = self._searcher(text)
        template = parse_template(repl, self._raw_names)
        parts: list[str] = []
        last = pos = 0
        while pos <= len(text) and (found := search(pos)) is not None:
            start, end = found.span(0)
            parts.append(text[last:start])
            if end > last or start == 0:
                parts += [
                    piece if isinstance(piece, str) else _first_part(text, found, piece)
                    for piece in template
                ]
            last = end
            pos = max(end, pos + 1)
        parts.append(text[last:])
        return "".join(parts)


@lru_cache(maxsize=1024)
def compile_regexp(text: str, *, fallback: bool = True) -> Regexp:
    """*text* compiled; RegexpSyntaxError when it is refused.

    With *fallback*, what Go refuses is read as Canopsis' second engine does: look-around,
    back-references, atomic groups.
    """
    try:
        return Regexp(text, parse(text))
    except RegexpSyntaxError:
        if not fallback:
            raise
    return Regexp(text, parse_extended(text))


def _keys(names: tuple[str, ...]) -> tuple[str, ...]:
    keys: list[str] = []
    unnamed = 0
    for name in names:
        unnamed += not name
        keys.append(name or str(unnamed))
    return tuple(keys)


def _part(text: str, found: _Match, number: int) -> str:
    start, end = found.span(number)
    return text[start:end] if start >= 0 else ""


def _first_part(text: str, found: _Match, numbers: tuple[int, ...]) -> str:
    """The text of the first of the groups that took part."""
    for number in numbers:
        start, end = found.span(number)
        if start >= 0:
            return text[start:end]
    return ""


def _trusted(source: str, parsed: Parsed) -> "re.Pattern[str] | None":
    """The pattern for `re`; None where `re` refuses it or does not mean the same."""
    if len(source) > MOST_SOURCE or not _faithful(parsed.tree):
        return None
    try:
        return re.compile(source)
    except (re.error, RecursionError, OverflowError):
        return None


def _faithful(node: Node) -> bool:
    """Whether `re` fills groups as Go does: not when what may be empty is repeated."""
    if isinstance(node, Repeat) and node.high != 1 and nullable(node.item):
        return False
    return all(map(_faithful, children(node)))


def _linear(text: str, parsed: Parsed) -> _Searcher:
    """Searches by the machine, built when first needed; one that is too large is tried once."""
    built: list[Machine | None] = []

    def searcher(value: str) -> Callable[[int], _Match | None]:
        if not built:  # in two threads at once it is built twice, and either will do
            built.append(_machine(text, parsed))
        machine, work = built[0], Work()
        if machine is None:
            raise RegexpTimeout(text, 0)
        return lambda pos: machine.search(value, pos, work)

    return searcher


def _machine(text: str, parsed: Parsed) -> Machine | None:
    try:
        return Machine(text, parsed)
    except RegexpTimeout:
        return None


def _interruptible(text: str, parsed: Parsed, source: str) -> _Searcher:
    """Searches for the fallback, stopped after `MOST_SECONDS`."""
    large = len(source) > MOST_SOURCE or spelled_out(parsed.tree) > MOST_SPELLED
    if large or longest_literal(parsed.tree) > MOST_LITERAL:
        raise RegexpSyntaxError("expression too large", text, pattern=text)
    try:
        pattern = regex.compile(source)
    except (regex.error, RecursionError, OverflowError) as error:
        raise RegexpSyntaxError(str(error), text, pattern=text) from None

    def searcher(value: str) -> Callable[[int], _Match | None]:
        end = time.monotonic() + MOST_SECONDS

        def search(pos: int) -> _Match | None:
            left = end - time.monotonic()
            if left <= 0:
                raise RegexpTimeout(text, len(value))
            try:
                found: _Match | None = pattern.search(value, pos, timeout=left)
            except (TimeoutError, MemoryError):
                raise RegexpTimeout(text, len(value)) from None
            return found

        return search

    return searcher
