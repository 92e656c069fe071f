"""How the Python webcore lets entities be read; the specification says nothing of it.

Facts from capensis/canopsis, under `sources/canopsis/canopsis/`, commit in brackets. Which release
holds which commit could not be looked up, so each is to be verified on the target:

- `GET /api/v2/entities?query=&limit=&offset=` (`webcore/services/context_graph.py`, 2702575, and
  `context_graph/manager.py`, `get_entities_with_open_alarms`): `query` is a Mongo filter in JSON;
  `{"total_count", "count", "data"}`, each entity with its open `alarm` or null. There is no
  sort, a limit of 0 is none, and because the matches are counted by the first row of an
  aggregation, *nothing found is an error*: 400 `list index out of range`. The later copy under
  `community/sources/canopsis/` (31f4252) tells the `repr` of it, which is given here from 4.0 on.
- `POST /context` (`webcore/services/context.py`, 42a88c0): `_filter`, `limit`, `start`, `sort` on
  one line; `{"total": all matches, "data", "success"}`, each entity with `links`, none with its
  alarm. `sort` has to be a JSON *text*: of an array that is given as such, only the first
  element is read (`common/ws.py`). Its elements are assumed: a field, a pair of field and `ASC` or
  `DESC`, or `{"property", "direction"}`.

An entity is what is stored: `enabled` is absent unless something wrote it, fields of an imported
item that mean nothing to Canopsis stand at the root. Filters on `depends` and `impact` and on
operators that `sandbox.canopsis_old_pattern` lacks are refused.
"""

from collections.abc import Iterable
from typing import Any

import orjson
from starlette.responses import Response

from sandbox.canopsis_api import Call, Endpoint, answer
from sandbox.canopsis_listing import KEPT, sort_key
from sandbox.canopsis_old_pattern import compile_filter
from sandbox.canopsis_pattern import PatternFault
from sandbox.canopsis_platform import Canopsis
from sandbox.canopsis_store import Doc
from sandbox.canopsis_webcore_answers import arguments, crash, described, wrapped
from sandbox.canopsis_webcore_graph import document

_NOTHING = "list index out of range"
_ROUTE = ("query", "limit", "offset")
_CONTEXT = ("context", "_filter", "extended", "limit", "start", "sort")


def entities(canopsis: Canopsis, call: Call) -> Response:
    given = arguments(call, "get_entities_with_open_alarms", _ROUTE)
    try:
        found = _found(canopsis, given.get("query", {}), None)
        start, limit = _number(given, "offset"), _number(given, "limit")
    except PatternFault as fault:
        return described(str(fault))
    if not found:
        older = canopsis.knobs.numbers() < (4, 0)
        return described(_NOTHING if older else f"IndexError('{_NOTHING}',)")
    rows = [
        {**shown(canopsis, each), "alarm": canopsis.alarms.open.get(each)}
        for each in _slice(found, start, limit)
    ]
    return answer({"total_count": len(found), "count": len(rows), "data": rows})


def context(canopsis: Canopsis, call: Call) -> Response:
    given = arguments(call, "context", _CONTEXT)
    try:
        found = _found(canopsis, given.get("_filter", {}), given.get("sort"))
        start, limit = _number(given, "start"), _number(given, "limit")
    except PatternFault as fault:
        raise crash("OperationFailure", str(fault)) from fault
    rows = [{**shown(canopsis, each), "links": {}} for each in _slice(found, start, limit)]
    return wrapped(rows, len(found))


def shown(canopsis: Canopsis, entity: str) -> Doc:
    """An entity as it is stored, arrays in the order of their ids."""
    doc = document(canopsis.store, entity)
    return doc | {"depends": sorted(doc["depends"]), "impact": sorted(doc["impact"])}


def _found(canopsis: Canopsis, query: Any, sort: Any) -> list[str]:
    """Ids that a filter selects, sorted; remembered, lest each page search anew."""
    key = ("webcore", canopsis.store.version, orjson.dumps([query, sort]))
    known = canopsis.found.get(key)
    if known is None:
        known = _matching(canopsis, query)
        for field, descending in reversed(_sorting(sort)):
            known = _sorted(canopsis, known, field, descending=descending)
        canopsis.found[key] = known
        if len(canopsis.found) > KEPT:
            canopsis.found.popitem(last=False)
    return known


def _matching(canopsis: Canopsis, query: Any) -> list[str]:
    """Ids that a filter selects, in the order of insertion; raises PatternFault."""
    store = canopsis.store
    _readable(query)
    matches = compile_filter(query)
    ids: Iterable[str] = store.entities
    by_id = query.get("_id")
    if isinstance(by_id, str):
        ids = [by_id]
    elif isinstance(by_id, dict) and isinstance(by_id.get("$in"), list):
        ids = dict.fromkeys(each for each in by_id["$in"] if isinstance(each, str))
    found = (store.live(each) for each in ids)
    return [doc["_id"] for doc in found if doc is not None and matches(doc)]


def _readable(query: Any) -> None:
    if isinstance(query, dict):
        for name in query:
            if name in ("depends", "impact"):
                raise PatternFault(f"the simulator has no filter on {name}")
    parts = query.values() if isinstance(query, dict) else query if isinstance(query, list) else ()
    for each in parts:
        _readable(each)


def _sorted(canopsis: Canopsis, found: list[str], field: str, *, descending: bool) -> list[str]:
    docs = canopsis.store.entities
    return sorted(found, key=lambda each: sort_key(docs[each], field), reverse=descending)


def _slice(found: list[str], start: int, limit: int) -> list[str]:
    return found[start : start + limit if limit > 0 else None]


def _number(given: dict[str, Any], name: str) -> int:
    value = given.get(name, 0)
    if isinstance(value, bool) or not isinstance(value, int):
        raise PatternFault(f"the {name} must be represented as a 64-bit integral value")
    return max(value, 0)


def _sorting(sort: Any) -> list[tuple[str, bool]]:
    """(field, descending), the first counts most."""
    given = sort if isinstance(sort, list) else [sort] if sort else []
    fields: list[tuple[str, bool]] = []
    for each in given:
        match each:
            case str(field):
                fields.append((field, False))
            case {"property": str(field), **rest}:
                fields.append((field, str(rest.get("direction", "ASC")).upper() == "DESC"))
            case [str(field), direction]:
                fields.append((field, direction in (-1, "DESC")))
            case _:
                raise PatternFault(f"not a sort: {each!r}")
    return fields


READ = ("api_entity", "read")
UNTIL = (4, 3)
ENDPOINTS = (
    Endpoint("GET", "/api/v2/entities", entities, READ, until=UNTIL),
    Endpoint("POST", "/context", context, READ, until=UNTIL),
)
