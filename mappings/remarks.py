"""What a tally has to say to those who keep the job, one line a matter, said once a run."""

from collections.abc import Iterator

from mappings.casts import shown
from mappings.tally import DatasetTally, Tally

_MOST = 10  # fields or values named in one line; the rest is counted


def remarks(tally: Tally) -> list[str]:
    """Lines on what nobody asked about: unmapped fields, unknown and odd values, dead rows."""
    lines = [f"{name}: {line}" for name, dataset in tally.datasets.items() for line in _of(dataset)]
    if tally.dead:
        lines.append(f"rows of lookups that no record asked for: {_some(tally.dead)}")
    return lines


def _of(tally: DatasetTally) -> Iterator[str]:
    if tally.unmapped:
        yield f"fields neither mapped nor ignored: {_some(tally.unmapped)}"
    if tally.silent:
        yield f"rules that never gave a value: {_some(tally.silent)}"
    by_rule: dict[tuple[str, str], list[str]] = {}
    for unknown in tally.unknown:
        met = by_rule.setdefault((unknown.rule, unknown.lookup), [])
        met.append(f"{shown(unknown.value)} ({unknown.count} times)")
    for (rule, lookup), met in by_rule.items():
        yield f"{rule} met values unknown to lookup {lookup!r}: {_some(met)}"
    for orphan in tally.orphans:
        rest = f" and {orphan.count - len(orphan.names)} more" * (orphan.count > len(orphan.names))
        what = f"{orphan.rule} named {orphan.count} entities that no dataset gave"
        yield f"{what}: {', '.join(orphan.names)}{rest}"
    for refused in tally.refused:
        first = f"record {refused.number}, {refused.reason}"
        yield f"{refused.rule} left out {refused.count} values, the first of {first}"


def _some(words: tuple[str, ...] | list[str]) -> str:
    rest = len(words) - _MOST
    return ", ".join(words[:_MOST]) + (f" and {rest} more" if rest > 0 else "")
