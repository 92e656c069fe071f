"""The open alarms of a Canopsis, page by page, each with its entity (`specs/canopsis.md` §8)."""

from collections.abc import Iterator
from typing import Any

from referential.client import Canopsis
from referential.errors import Unreadable
from referential.rights import ALARMS

_PATH = "/api/v4/alarms"
PAGE = 500  # an alarm holds its entity whole: about twice the room of an entity


def open_alarms(canopsis: Canopsis) -> Iterator[dict[str, Any]]:
    """Every open alarm once, in the order of their beginning.

    An alarm that ends while they are read moves the others forward by one place: what a page has
    already shown is passed over, and one alarm at the edge of a page may be missed.
    """
    canopsis.needs((4, 3, 0), "list alarms")
    seen: set[str] = set()
    page, pages = 1, 1
    while page <= pages:
        order = {"sort_by": "t", "sort": "asc"}
        params = {"opened": "true", "page": page, "limit": PAGE, **order}
        body = canopsis.wire.call("GET", _PATH, params=params, right=ALARMS).body
        match body:
            case {"data": list(alarms), "meta": {"page_count": int(pages)}}:
                page += 1
            case _:
                raise Unreadable(
                    "Canopsis' API does not document this answer to a list of alarms",
                    where=f"GET {canopsis.wire.url}{_PATH}",
                    mend="see `url` and `version` of the connection",
                )
        for alarm in alarms:
            if alarm.get("_id") not in seen:
                seen.add(alarm.get("_id"))
                yield alarm
