"""A file of Canopsis' own API driver (`import-context-graph`), once it is read.

    api:      the one HTTP call that is made
    import:   the import source, what is done with what is found, and with what is missing
    mapping:  where the rows lie, and the entity that each becomes, by kind

Two dialects give the same model (`specs/driver-compat.md` §1): the current one, whose values are
`{type: …, value: …}`, and the legacy one (4.4 to 22.10), whose values are paths.
`mappings.driver_reading` makes it, `mappings.driver_rules` gives it its meaning.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from mappings.casts import article
from mappings.driver_sheet import Remark
from mappings.goregexp import Regexp
from mappings.gotemplate import Template
from mappings.pattern import ValueKind
from mappings.vocabulary import suggestion
from referential.entity import Kind

Action = Literal["set", "enable", "create", "update"]
MissingAction = Literal["delete", "disable", "keep"]
ValueType = Literal["set", "copy", "template"]
Path = tuple[str, ...]

KEY = "$key"  # in the rows of a map, the key that each has there (decision D20)


@dataclass(frozen=True, slots=True)
class Value:
    """Where a value comes from.

    `constant` is a set's: a text, or texts. `path` is what a copy takes, or what a template sees as
    `.Field` (None: null). `line` and `column` tell where it is written.
    """

    type: ValueType
    constant: str | tuple[str, ...] = ""
    path: Path | None = None
    template: Template | None = None
    regexp: Regexp | None = None
    line: int = field(default=1, compare=False)
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Info:
    """One key of `infos`; the description is literal."""

    key: str
    description: str
    value: Value


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of a service's pattern; `takes` is what its value must become."""

    field: str
    field_type: str
    cond: str
    takes: ValueKind
    value: Value


@dataclass(frozen=True, slots=True)
class EntityRule:
    """What one section (`component`, `resource`, `service`) makes of each row.

    `texts` holds the optional texts that are written: description, category, upstream,
    output_template. `pattern` is a list of groups of which one must hold.
    """

    kind: Kind
    name: Value
    component: Value | None = None
    texts: tuple[tuple[str, Value], ...] = ()
    impact_level: Value | None = None
    enabled: Value | None = None
    tags: tuple[tuple[str, Value], ...] = ()
    infos: tuple[Info, ...] = ()
    pattern: tuple[tuple[Condition, ...], ...] = ()

    def text(self, key: str) -> Value | None:
        return dict(self.texts).get(key)


@dataclass(frozen=True, slots=True)
class Api:
    """The call. A body is sent as JSON or as a form (decision D16); neither: no body."""

    url: str
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    json: Any = None
    form: tuple[tuple[str, str], ...] = ()
    insecure_skip_verify: bool = False


@dataclass(frozen=True, slots=True)
class DriverFile:
    """A whole file. `path` leads to the rows; `remarks` are what is odd in it, in file order.

    `plain_numbers` and `template_vars` are ours (decisions D9, D33): the driver ignores their keys.
    `places` are the lines and columns of keys, from 1, by what leads to them (`api.url`).
    """

    api: Api
    source: str
    action: Action
    missing: MissingAction
    path: Path
    is_map: bool
    rules: tuple[EntityRule, ...]
    legacy: bool = False
    plain_numbers: bool = False
    template_vars: tuple[tuple[str, str], ...] = ()
    remarks: tuple[Remark, ...] = ()
    places: Mapping[str, tuple[int, int]] = field(default_factory=dict)


class NoRows(Exception):
    """An answer without the rows that the file expects in it; `mend` is the way out."""

    def __init__(self, what: str, mend: str = "") -> None:
        super().__init__(what)
        self.mend = mend


def rows_of(file: DriverFile, answer: Any) -> list[Any]:
    """The rows of an answer in its order, each as it stands; raises NoRows (decisions D3, D20).

    The rows of a map receive their key under `KEY`.
    """
    found = answer
    for rank, step in enumerate(file.path):
        if not isinstance(found, dict):
            here = ".".join(file.path[:rank])
            raise NoRows(f"mapping.path goes through objects, and {_at(here)} is {article(found)}")
        if step not in found:
            at = ".".join(file.path[: rank + 1])
            raise NoRows(f"the answer has no {at!r}", suggestion(step, found, "the keys there"))
        found = found[step]
    where = _at(".".join(file.path))
    if not file.is_map:
        if isinstance(found, list):
            return found
        mend = "mend mapping.path"
        if isinstance(found, dict):
            arrays = [key for key, each in found.items() if isinstance(each, list)]
            mend = f"{mend}: {arrays[0]} holds an array" if arrays else "write is_map: true"
        raise NoRows(f"{where} is {article(found)}, not an array of rows", mend)
    if not isinstance(found, dict):
        mend = "write is_map: false" if isinstance(found, list) else "mend mapping.path"
        raise NoRows(f"{where} is {article(found)}, not an object of rows", mend)
    return [_keyed(key, row) for key, row in found.items()]


def _keyed(key: str, row: Any) -> Any:
    return {KEY: key, **row} if isinstance(row, dict) else row


def _at(path: str) -> str:
    return f"the answer's {path!r}" if path else "the answer"
