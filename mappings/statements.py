"""Statements of a generated function: look-ups in the record, and values made of them.

Look-ups are shared: `_source` is fetched once for all rules that go through it. An absent value is
None throughout. Nothing a user wrote enters the source but through `repr` or as a named constant,
and names come from a counter.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from mappings.cast_rule import Step
from mappings.cleaner import Cleaner, Wash
from mappings.filters import Filter
from mappings.lookups import Translation
from mappings.paths import KEY, PARENT, Path
from mappings.rules import Cast, Computed, Copy, FirstOf, Origin, Rule

# A variable that holds the raw value stands for {0}; most values are texts, and the rest is slow.
_CASTS: Mapping[Cast, str] = {
    "name": "{0} if {0}.__class__ is str else text({0})",
    "resource_name": "{0} if {0}.__class__ is str else text({0})",
    "service_name": "{0} if {0}.__class__ is str else text({0})",
    "text": "{0} if {0}.__class__ is str else text({0})",
    "info": "{0} if {0}.__class__ is str else info({0})",
    "filled_text": "filled_text({0})",
    "regexp": "regexp_text({0})",
    "level": "{0} if {0}.__class__ is int and 0 < {0} < 11 else impact_level({0})",
    "words": "({0},) if {0}.__class__ is str else None if {0} is None else words({0})",
    "whole": "None if {0} is None else whole({0})",
    "truth": "None if {0} is None else truth({0})",
    "items": "{0}",
}
_TEXTS: frozenset[Cast] = frozenset(  # a text will do
    ("name", "resource_name", "service_name", "text", "info")
)
_OURS = {PARENT: "_parent", KEY: "_key"}  # as templates know them (`mappings.origins`)


class Statements:
    """Lines of Python with their indentation, and the constants that they name.

    With `each`, paths start at the variable `item`, of which `fields` is the object; it leads to
    the list in the record, for what is cleaned there.
    """

    def __init__(
        self, namespace: dict[str, Any], cleaner: Cleaner | None = None, each: Path | None = None
    ) -> None:
        self.lines: list[str] = []
        self.depth = 0
        self.each = each
        self._cleaner = cleaner or Cleaner()
        self._namespace = namespace
        self._count = 0
        self._raws: dict[Path, str] = {}
        self._values: dict[Path, str] = {}
        self._objects: dict[Path, str] = {}

    def beside(self, each: Path | None = None) -> "Statements":
        """Statements of their own, with the same cleaner and the same store of constants."""
        return Statements(self._namespace, self._cleaner, each)

    def add(self, *lines: str) -> None:
        self.lines.extend(f"{'    ' * self.depth}{line}" for line in lines)

    def add_all(self, other: "Statements") -> None:
        """Adds lines that have their indentation."""
        self.lines += other.lines

    def open(self, line: str) -> None:
        """A line that opens a block; what follows is inside, until `close`."""
        self.add(line)
        self.depth += 1

    def close(self) -> None:
        self.depth -= 1

    def name(self, letter: str) -> str:
        self._count += 1
        return f"{letter}{self._count}"

    def literal(self, value: Any) -> str:
        """An expression for a constant: scalars in place, lists by name."""
        if value is None or isinstance(value, str | bool | int | float):
            return repr(value)
        return self.constant("const", value)

    def constant(self, word: str, value: Any) -> str:
        """A name by which the source speaks of *value*."""
        name = f"{word}_{len(self._namespace)}"
        self._namespace[name] = value
        return name

    def look_up(self, path: Path) -> str:
        """A variable with the value at *path*, None when there is none."""
        if path not in self._values:
            value, full = self._raw(path), self._in_record(path)
            if path != (KEY,) and self._cleaner.touches(full):
                value = self._cleaned(value, full)
            self._values[path] = value
        return self._values[path]

    def _raw(self, path: Path) -> str:
        """A variable with the value at *path* as it stands in the record."""
        if self.each is not None and path in ((), (KEY,)):
            return "key" if path else "item"
        if path not in self._raws:
            parent = self._object(path[:-1])
            self._raws[path] = variable = self.name("a")
            self.add(f"{variable} = {parent}.get({path[-1]!r})")
        return self._raws[path]

    def _object(self, path: Path) -> str:
        """A variable with the object at *path*, an empty one when it is anything else."""
        if path in ((), (PARENT,)):
            return "record" if path or self.each is None else "fields"
        if path not in self._objects:
            value = self._raw(path)
            self._objects[path] = variable = self.name("p")
            self.add(f"{variable} = {value} if {value}.__class__ is dict else NOTHING")
        return self._objects[path]

    def _in_record(self, path: Path) -> Path:
        """The path as it leads through the record, the list of `each` included."""
        if self.each is None:
            return path
        return path[1:] if path[:1] == (PARENT,) else (*self.each, *path)

    def _cleaned(self, raw: str, path: Path) -> str:
        """A variable with the value, None when it stands for no value (`mappings.cleaner`)."""
        value, wash = self.name("a"), self._cleaner.wash(path)
        clean = self.constant("clean", partial(self._cleaner.clean, path=path))
        self.add(f"{value} = {raw}", f"if {value}.__class__ is str:")
        if wash != Wash():
            tests = [f"{value} in {self.constant('nulls', wash.nulls)}"] if wash.nulls else []
            tests += [f"{value}.isspace()"] if wash.blank else []
            tests += [f"({value}[:1] == '[' and bracketed({value}))"] if wash.bracketed else []
            self.add(f"    if {' or '.join(tests)}: {value} = None")
        else:
            self.add("    pass")
        self.add(f"elif {value} is not None: {value} = {clean}({value})")
        return value

    def condition(self, found: Filter) -> str:
        """The expression of a filter; the look-ups that it needs come first."""
        if found.op == "test":
            return f"{self.constant('test', found.test)}({self.look_up(found.path)})"
        parts = [self.condition(part) for part in found.parts]
        if found.op == "not":
            return f"not {parts[0]}"
        return f"({(' and ' if found.op == 'all' else ' or ').join(parts)})"

    def look_ups(self, rule: Rule) -> None:
        """The look-ups that a rule needs, which cannot fail on an object."""
        for path in rule.origin.paths:
            self.look_up(path)

    def value(self, rule: Rule) -> str:
        """A variable with the rule's value, None when absent; these statements may raise."""
        raw = origin = self._origin(rule.origin)
        if rule.before is not None:
            raw = self._stepped(rule.before, raw)
        if rule.translation is not None:
            raw = self._translated(rule.translation, raw)
        if rule.after is not None:
            raw = self._stepped(rule.after, raw)
        if raw is origin and isinstance(rule.origin, Computed) and rule.cast in _TEXTS:
            return raw
        value = self.name("v")
        self.add(f"{value} = {_CASTS[rule.cast].format(raw)}")
        return value

    def _origin(self, origin: Origin) -> str:
        if isinstance(origin, Copy):
            return self.look_up(origin.path)
        if isinstance(origin, Computed):
            return self._computed(origin)
        if isinstance(origin, FirstOf):
            return self._first(origin)
        return self.literal(origin.value)

    def _first(self, origin: FirstOf) -> str:
        """What comes first; the others are not computed."""
        for path in origin.paths:  # before the blocks, for all that follows may share them
            self.look_up(path)
        value, depth = self.name("v"), self.depth
        self.add(f"{value} = None")
        for each in origin.origins:
            found = self._origin(each)
            self.add(f"if {found}.__class__ is not str or {found}.strip(): {value} = {found}")
            self.open(f"if {value} is None:")
        self.add("pass")
        self.depth = depth
        return value

    def _stepped(self, step: Step, raw: str) -> str:
        value = self.name("v")
        self.add(f"{value} = None if {raw} is None else {self.constant('step', step)}({raw})")
        return value

    def _computed(self, origin: Computed) -> str:
        raws = {path: self.look_up(path) for path in origin.paths}
        raw = raws[origin.paths[0]]
        argument = {
            "record": self._dot(raws),
            "value": raw,
            "text": f"{raw} if {raw}.__class__ is str else text({raw})",
            "fields": _object(raws, ()),
        }[origin.of]
        call = f"{self.constant('make', origin.function)}({argument})"
        value = self.name("v")
        absent = "" if origin.tolerant else " or ".join(f"{raw} is None" for raw in raws.values())
        self.add(f"{value} = None if {absent} else {call}" if absent else f"{value} = {call}")
        return value

    def _translated(self, translation: Translation, raw: str) -> str:
        """The lookup's row; its slow half meets what is not a row met before."""
        key, value = self.name("k"), self.name("v")
        hot = self.constant("rows", translation.hot)
        meet = self.constant("meet", translation.meet)
        self.add(
            f"{key} = {raw} if {raw}.__class__ is str else key_of({raw})",
            f"{value} = {hot}.get({key}, MISS)",
            f"if {value} is MISS:",
            f"    {value} = None if {key} is None else {meet}({key}, {raw}, number)",
        )
        return value

    def _dot(self, raws: Mapping[Path, str]) -> str:
        """What a template over the record is given: the record, unless it is cleaned."""
        if any(self._cleaner.touches(self._in_record(path)) for path in raws):
            return _object(raws, ())
        return "record" if self.each is None else "item"


def _object(raws: Mapping[Path, str], path: Path) -> str:
    """The source of an object that has, at the paths below *path*, the variables given for them."""
    depth = len(path)
    below = (other for other in raws if len(other) > depth and other[:depth] == path)
    keys = dict.fromkeys(other[depth] for other in below)
    named = {key: key if path else _OURS.get(key, key) for key in keys}
    items = ", ".join(f"{name!r}: {_object(raws, (*path, key))}" for key, name in named.items())
    raw = raws.get(path)
    if raw is None:
        return f"{{{items}}}"
    # an object that is also looked into keeps its other keys; an empty one stays false
    merged = f"({{**{raw}, {items}}} if {raw}.__class__ is dict and {raw} else {raw})"
    return merged if items else raw
