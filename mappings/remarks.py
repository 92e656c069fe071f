"""What a tally has to say to those who keep the job, one line a matter, said once a run."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from mappings.casts import shown
from mappings.lookups import Unknown
from mappings.tally import DatasetTally, Tally

# unmapped: fields neither mapped nor ignored   silent: rules, or `each`, that never gave anything
# unknown: values that a lookup does not know   orphan: names that no entity of the run has
# refused: values that were left out            dead: rows of lookups that no record asked for
Kind = Literal["unmapped", "silent", "unknown", "orphan", "refused", "dead"]

OF_A_PART: tuple[Kind, ...] = ("unmapped", "unknown", "refused")  # which some records show as well

_MOST = 10  # fields or values named in one line; the rest is counted
_WIDEST = 200  # characters of one of them


@dataclass(frozen=True, slots=True)
class Remark:
    """One matter: how many fields, rules, rows, names or values it is about, the first of them.

    `dataset` is "" and `rule` too where it is about neither; `text` says it all in one line.
    """

    kind: Kind
    dataset: str
    rule: str
    count: int
    first: tuple[str, ...]
    text: str


def remarks(tally: Tally) -> list[str]:
    """The lines alone."""
    return [remark.text for remark in remarks_of(tally)]


def remarks_of(tally: Tally) -> list[Remark]:
    """What nobody asked about: unmapped fields, unknown and odd values, dead rows."""
    found = [remark for name, dataset in tally.datasets.items() for remark in _of(name, dataset)]
    if tally.dead:
        what = "rows of lookups that no record asked for"
        found.append(_named("dead", "", what, tally.dead))
    return found


def _of(name: str, tally: DatasetTally) -> Iterator[Remark]:
    if tally.unmapped:
        yield _named("unmapped", name, "fields neither mapped nor ignored", tally.unmapped)
    if tally.silent:
        yield _named("silent", name, "rules that never gave a value", tally.silent)
    by_rule: dict[tuple[str, str], list[Unknown]] = {}
    for unknown in tally.unknown:
        by_rule.setdefault((unknown.rule, unknown.lookup), []).append(unknown)
    for (rule, lookup), met in by_rule.items():
        met.sort(key=lambda each: -each.count)
        words = [f"{shown(each.value)} ({each.count} times)" for each in met]
        what = f"{name}: {rule} met values unknown to lookup {lookup!r}: {_some(words)}"
        yield Remark("unknown", name, rule, sum(each.count for each in met), _first(words), what)
    for orphan in tally.orphans:
        what = f"{name}: {orphan.rule} named {orphan.count} entities that no dataset gave"
        what = f"{what}: {_some(orphan.names, orphan.count)}"
        yield Remark("orphan", name, orphan.rule, orphan.count, _first(orphan.names), what)
    for refused in tally.refused:
        first = f"record {refused.number}, {refused.reason}"
        what = f"{name}: {refused.rule} left out {refused.count} values, the first of {first}"
        yield Remark("refused", name, refused.rule, refused.count, _first([first]), what)


def _named(kind: Kind, dataset: str, what: str, words: Sequence[str]) -> Remark:
    text = f"{dataset}: {what}: {_some(words)}".removeprefix(": ")
    return Remark(kind, dataset, "", len(words), _first(words), text)


def _some(words: Sequence[str], count: int = 0) -> str:
    """The first words, and how many more there are; `count` when these are not all of them."""
    first = _first(words)
    rest = max(count, len(words)) - len(first)
    return ", ".join(first) + (f" and {rest} more" if rest > 0 else "")


def _first(words: Sequence[str]) -> tuple[str, ...]:
    return tuple(
        word if len(word) <= _WIDEST else f"{word[: _WIDEST - 1]}…" for word in words[:_MOST]
    )
