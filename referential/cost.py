"""What a refused plan would cost: which of the entities to be taken away matter to somebody.

Asked of Canopsis only when a plan is refused, in a bounded number of calls; what it cannot tell is
said. An alarm names its entity, and an entity has at most one open alarm (`specs/canopsis.md` §8);
the services that an entity feeds are stored on it (§4), and a search may ask for any stored field
(§5.1).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from referential.alarms import PAGE, open_alarms
from referential.change import REMOVED
from referential.client import Canopsis
from referential.errors import ReferentialError
from referential.plan import Plan
from referential.reading import source_search

_CALLS = 40  # most calls that one question may take
_URL = 5_000  # bytes of ids in one address; stock nginx takes 8,192 of the whole line


class _Untold(Exception):
    """This version of Canopsis cannot be asked."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of `removals` entities, what is known; `untold` says what is not, and why."""

    action: str
    removals: int
    told: tuple[str, ...]
    untold: tuple[str, ...]

    def __str__(self) -> str:
        told = f"of the {self.removals:,} entities to {self.action}, {' and '.join(self.told)}"
        return "; ".join([told] * bool(self.told) + list(self.untold))


def cost_of(plan: Plan, canopsis: Canopsis, *, source: str) -> Cost:
    """What it costs to take away what *plan* does; an outage leaves it untold, and raises nothing.

    `source` is the import source of the feed.
    """
    ids: list[str] = plan.changes["id"][plan.changes["action"].isin(REMOVED)].to_list()
    told, untold = [], []
    for what, ask in (("carry an open alarm", _alarmed), ("feed a service", _feeding)):
        try:
            told.append(f"{ask(ids, canopsis, source)} {what}")
        except (ReferentialError, _Untold) as error:
            untold.append(f"how many {what} is not known: {error}")
    return Cost(plan.missing, len(ids), tuple(told), tuple(untold))


def _alarmed(ids: Sequence[str], canopsis: Canopsis, _source: str) -> str:
    """By a list of all open alarms or by questions on the ids, whichever takes fewer calls."""
    pages = -(-canopsis.open_alarms() // PAGE)
    chunks = list(_chunks(ids))
    by_pattern = canopsis.dialect.version >= (22, 10, 7)  # alarms by `entity_pattern` (§8)
    if pages <= min(len(chunks), _CALLS) or (not by_pattern and pages <= _CALLS):
        alarmed = {alarm["entity"]["_id"] for alarm in open_alarms(canopsis) if alarm.get("entity")}
        return f"{len(alarmed.intersection(ids)):,}"
    if not by_pattern:
        raise _Untold(f"this version can only list all its alarms, {pages:,} pages")
    looked = chunks[:_CALLS]
    found = sum(canopsis.open_alarms(_among(chunk)) for chunk in looked)
    if len(looked) == len(chunks):
        return f"{found:,}"
    return f"at least {found:,} ({sum(map(len, looked)):,} were looked at)"


def _feeding(ids: Sequence[str], canopsis: Canopsis, source: str) -> str:
    if canopsis.dialect.version < (23, 4, 0):
        raise _Untold("this version does not store it")
    feeding = canopsis.ids_where(f'{source_search(source)} AND services LIKE "."')
    return f"{len(set(ids).intersection(feeding)):,}"


def _among(ids: list[str]) -> list[list[dict[str, object]]]:
    return [[{"field": "_id", "cond": {"type": "is_one_of", "value": ids}}]]


def _chunks(ids: Sequence[str]) -> Iterator[list[str]]:
    """The ids in pieces that fit an address."""
    chunk: list[str] = []
    size = 0
    for identity in ids:
        length = len(quote(identity)) + len(quote('"",'))
        if chunk and size + length > _URL:
            yield chunk
            chunk, size = [], 0
        chunk.append(identity)
        size += length
    if chunk:
        yield chunk
