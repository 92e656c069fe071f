"""The filter of a block: its `when` compiled to a tree of tests (`mappings.when_rule`)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from mappings.casts import shown
from mappings.conditions import OPPOSITES, TESTS, Test
from mappings.errors import Place
from mappings.paths import Path, path_of
from mappings.rejects import Refusal
from mappings.vocabulary import suggestion
from mappings.when_rule import WhenRule


@dataclass(frozen=True, slots=True)
class Filter:
    """A condition compiled: a test of the value at `path`, or of several `parts`."""

    op: Literal["test", "all", "any", "not"]
    path: Path = ()
    test: Test | None = None
    parts: tuple["Filter", ...] = ()

    @property
    def paths(self) -> Iterator[Path]:
        if self.op == "test":
            yield self.path
        for part in self.parts:
            yield from part.paths


def filter_of(rule: WhenRule, place: Place, *, items: bool = False) -> Filter | None:
    """The filter of a rule, which stands at *place*; None when it is at fault and told of.

    `items`: paths start at the items of an `each`.
    """
    if rule.not_ is not None:
        part = filter_of(rule.not_, place / "not", items=items)
        return None if part is None else Filter("not", parts=(part,))
    op: Literal["all", "any"] = "any" if rule.any is not None else "all"
    several = rule.all if rule.any is None else rule.any
    if several is not None:
        at = place if rule.bare else place / op
        parts = [filter_of(each, at / rank, items=items) for rank, each in enumerate(several)]
        good = tuple(part for part in parts if part is not None)
        return Filter(op, parts=good) if len(good) == len(parts) else None
    return _condition(rule, place, items=items)


def _condition(rule: WhenRule, place: Place, *, items: bool) -> Filter | None:
    path = path_of(rule.field or "", place / "field", items=items)
    cond = rule.cond or ""
    word = OPPOSITES.get(cond, cond)
    if word not in TESTS:
        mend = suggestion(cond, (*TESTS, *OPPOSITES), "conditions")
        (place / "cond").tell(f"unknown condition {cond!r}", mend)
        return None
    try:
        test = TESTS[word](rule.value)
    except Refusal as refusal:
        what = f"{cond} cannot take {shown(rule.value)}: {refusal}"
        (place / "value").tell(what, "write a value that it takes")
        return None
    if path is None:
        return None
    found = Filter("test", path, test)
    return found if word == cond else Filter("not", parts=(found,))
