"""Odd records: what a decoder of JSON may give, where a mapping looks for it."""

import builtins
import copy
from collections.abc import Iterable, Sequence
from random import Random
from typing import Any

from mappings.paths import parse_path
from mappings.rejects import Reject
from mappings.tally import Tally
from tests.fuzz_watch import Poor

TEXTS = (
    *("", " ", "a", "srv-01", "n/a", "N/A", "[Texte]", "0", "-0", "007", "1e400", "nan", "true"),
    *("a/b", "che/x", "api", "\0", "a\nb", "\u00a0", "\ud800", "é\udfff", "İß\u0130", "{{ .x }}"),
    *("$parent", "x" * 256, "y" * 70_000, "CMDB:PAY,", "production", "prd", "low", "9" * 400),
    *("2021-09-29", "2021-09-29T10:00:00+25:00", "31/12/9999", "0001-01-01T00:00:00+14:00"),
    *("253402300800", "-62135596801", "٣", "²", "1_000", "1,5", "inf", "\u2028", "/", "a#b?c%d"),
)
NUMBERS = (
    *(0, 1, -1, 7, 10, 11, 2**31, 2**53, 2**53 + 1, 2**63, -(2**63) - 1, 2**64, 10**30, 10**400),
    *(0.0, -0.0, 0.1, 1.5, 3.0, 1e15, 1e16, 1e22, 1e300, -1e308, 5e-324),
    *(float("nan"), float("inf"), float("-inf")),
)
KEYS = ("", "name", "a.b", "$key", "$parent", "_key", "é", "\ud800", "set", "x" * 300)


def odd_value(random: Random, depth: int = 0) -> Any:
    chance = random.random()
    if chance < 0.03 and not depth:
        return _deep(random)
    if chance < 0.15 and depth < 4:
        return [odd_value(random, depth + 1) for _ in range(random.randrange(4))]
    if chance < 0.27 and depth < 4:
        count = random.randrange(4)
        return {random.choice(KEYS): odd_value(random, depth + 1) for _ in range(count)}
    if chance < 0.4:
        return random.choice((None, True, False))
    return random.choice(NUMBERS) if chance < 0.6 else random.choice(TEXTS)


def _deep(random: Random) -> Any:
    """As deep as decoders let through: orjson stops at 1,024 levels."""
    value: Any = random.choice((1, "a", None))
    word = random.choice(("a", "name", "x"))
    lists = random.random() < 0.5
    for _ in range(random.choice((20, 200, 900, 1000))):
        value = [value] if lists else {word: value}
    return value


def odd_records(random: Random, paths: Iterable[str], known: Sequence[Any]) -> list[Any]:
    """Records with odd values at some of the *paths* that a mapping reads, on those *known*."""
    texts = sorted(paths)
    records: list[Any] = []
    for _ in range(random.choice((1, 1, 2, 3))):
        record = copy.deepcopy(random.choice(known)) if known and random.random() < 0.6 else {}
        most = min(len(texts), random.choice((1, 1, 2, 4, 30)))
        for text in random.sample(texts, most):
            _put(record, parse_path(text, items=True), odd_value(random))
        if random.random() < 0.1:
            record[random.choice(KEYS)] = odd_value(random)
        records.append(record if random.random() < 0.97 else odd_value(random))
    return records


def _put(record: Any, path: Sequence[str], value: Any) -> None:
    for step in path[:-1]:
        if not isinstance(record.get(step), dict):
            record[step] = {}
        record = record[step]
    if path:
        record[path[-1]] = value


# errors of ours that a record may meet; any other is a defect, told as a reject though it may be
_OURS = ("TemplateExecError", "RegexpTimeout")


def check_rejects(tally: Tally, rejects: Iterable[Reject]) -> None:
    """Raises Poor for a reject, or a value left out, that is told in the words of Python."""
    whys = [why.rpartition(": ")[2] for each in tally.datasets.values() for why in each.reasons]
    whys += [refused.why for each in tally.datasets.values() for refused in each.refused]
    said = {
        refused.why: refused.reason for each in tally.datasets.values() for refused in each.refused
    }
    for why in whys:
        if why not in _OURS and (hasattr(builtins, why) or why.endswith("Error")):
            raise Poor(
                f"{why} is a defect: {said.get(why, '')} {[each.reason for each in rejects][:3]}"
            )
    for reject in rejects:
        if not reject.reason.strip():
            raise Poor(f"no reason: {reject.rule}")
