"""Lists: the entities a call asks for, their order, the page of them (`specs/canopsis.md` §5.1)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import orjson
from starlette.responses import Response

from sandbox.canopsis_api import Call, Refusal, answer, invalid, invalid_structure
from sandbox.canopsis_old_pattern import compile_filter
from sandbox.canopsis_pattern import PatternFault, Predicate, compile_pattern
from sandbox.canopsis_platform import Canopsis
from sandbox.canopsis_search import BadRegexp, compile_search
from sandbox.canopsis_store import Doc

T = TypeVar("T")

PAGING = ("page", "limit", "paginate", "with_flags", "authkey")
"""Parameters that do not change which entities are found, nor their order."""

KEPT = 4
"""How many lists are remembered, so that the pages of one are not each found anew."""


@dataclass(frozen=True, slots=True)
class Paging:
    page: int
    limit: int
    paginate: bool

    @classmethod
    def of(cls, call: Call) -> "Paging":
        """Raises Refusal for a page or a limit of nothing."""
        page, limit = _positive(call, "page", 1), _positive(call, "limit", 10)
        return cls(page, limit, call.query.get("paginate", "true") not in ("false", "0"))

    def answer(self, found: Sequence[T], view: Callable[[T], Any]) -> Response:
        """`{"data": […], "meta": {…}}` of the page asked for."""
        total = len(found)
        limit = self.limit if self.paginate else max(total, 1)
        page = self.page if self.paginate else 1
        shown = found[(page - 1) * limit : page * limit]
        meta = {
            "page": page,
            "per_page": limit if self.paginate else total,
            "page_count": max(1, -(-total // limit)),
            "total_count": total,
        }
        return answer({"data": [view(each) for each in shown], "meta": meta})


def found_entities(canopsis: Canopsis, call: Call) -> list[str]:
    """Ids of the entities that the parameters of a call select, in the order asked for.

    Raises Refusal.
    """
    asked = sorted((k, v) for k, v in call.query.multi_items() if k not in PAGING)
    moment = int(canopsis.now()) if "entity_pattern" in call.query else 0
    key = (canopsis.store.version, moment, tuple(asked))
    known = canopsis.found.get(key)
    if known is None:
        known = _find(canopsis, call)
        canopsis.found[key] = known
        if len(canopsis.found) > KEPT:
            canopsis.found.popitem(last=False)
    return known


def _find(canopsis: Canopsis, call: Call) -> list[str]:
    version = canopsis.knobs.numbers()
    now = int(canopsis.now())
    tests = selectors(call.query.getlist, call.query.get, now=now, version=version)
    descending, field = ordering(call)
    entities = canopsis.store.entities
    if not tests:
        ids = list(canopsis.store.live_ids())
    elif len(tests) == 1:
        ids = [i for i in canopsis.store.live_ids() if tests[0](entities[i])]
    else:
        ids = [i for i in canopsis.store.live_ids() if all(test(entities[i]) for test in tests)]
    if field != "_id":
        ids.sort(key=lambda i: sort_key(entities[i], field), reverse=descending)
    elif descending:
        ids.reverse()
    return ids


def selectors(
    many: Callable[[str], list[str]],
    one: Callable[[str], Any],
    *,
    now: int,
    version: tuple[int, ...],
) -> list[Predicate]:
    """Predicates of `search`, `type[]`, `category`, `filters[]`, `no_events`, `entity_pattern`.

    Up to 4.6 `filter` stands for `type[]`, and `entity_pattern` came with 23.10.
    """
    for rank, _ in enumerate(many("filters[]")):
        raise Refusal(400, {"errors": {f"filters.{rank}": "Filter doesn't exist."}})
    tests: list[Predicate] = []
    if category := one("category"):
        tests.append(lambda doc: doc.get("category") == category)
    if version < (22, 10):
        if wanted := one("filter"):
            tests.append(mongo_filter(wanted))
    elif kinds := frozenset(many("type[]")):
        tests.append(lambda doc: doc["type"] in kinds)
    if one("no_events") == "true":
        tests.append(lambda doc: "last_event_date" not in doc)
    if version >= (23, 10) and (pattern := one("entity_pattern")):
        tests.append(pattern_filter(pattern, now=now))
    if text := one("search"):
        columns = many("active_columns[]") or ["_id", "name", "type"]
        tests.append(search_filter(text, columns))
    return tests


def pattern_filter(pattern: str, *, now: int) -> Predicate:
    """Raises Refusal when the parameter is not the JSON of a valid pattern."""
    try:
        return compile_pattern(orjson.loads(pattern), now=now)
    except (orjson.JSONDecodeError, PatternFault) as fault:
        raise invalid(entity_pattern="EntityPattern is invalid.") from fault


def mongo_filter(wanted: str) -> Predicate:
    """Raises Refusal when the parameter is not the JSON of a filter."""
    try:
        return compile_filter(orjson.loads(wanted))
    except (orjson.JSONDecodeError, PatternFault) as fault:
        raise invalid(filter="Filter is invalid.") from fault


def search_filter(
    text: str, columns: Sequence[str], names: dict[str, str] | None = None
) -> Callable[[Doc], bool]:
    """Raises Refusal 500 for a regular expression that Mongo would not take."""
    try:
        return compile_search(text, columns, names or {})
    except BadRegexp as fault:
        raise Refusal(500, {"error": "Internal server error"}) from fault


def ordering(call: Call, default: str = "_id") -> tuple[bool, str]:
    """(descending, field); raises Refusal for an unknown direction."""
    direction = call.query.get("sort", "")
    if direction not in ("", "asc", "desc"):
        raise invalid(sort="Sort must be one of [asc desc] or empty.")
    return direction == "desc", call.query.get("sort_by") or default


def sort_key(doc: Doc, field: str) -> tuple[int, Any]:
    """As Mongo sorts: absent, then numbers, then texts, then booleans; the rest together."""
    value: Any = doc
    for step in field.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    if value is None:
        return (0, 0)
    if isinstance(value, bool):
        return (3, value)
    if isinstance(value, int | float):
        return (1, value)
    return (2, value) if isinstance(value, str) else (4, 0)


def _positive(call: Call, name: str, default: int) -> int:
    given = call.query.get(name)
    if not given:
        return default
    try:
        number = int(given)
    except ValueError as fault:
        raise invalid_structure() from fault
    if number <= 0:
        raise Refusal(400, {"errors": {name: f"{name.title()} should be greater than 0."}})
    return number
