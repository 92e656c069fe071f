"""What Canopsis must hold beside the items of a translated body: categories, components.

D1 names categories by id and makes neither categories nor components by itself
(`specs/canopsis.md` §2.2, §9).
"""

from collections.abc import Iterable, Sequence

import orjson

from referential.dialect import Surroundings
from referential.dialect_items import components_needed
from referential.reading import Reader

CATEGORY = "api_entitycategory: create"

_PATH = "/api/v4/entity-categories"
_FEW = 20
_PAGE = 1_000


class Around:
    """Looked up once a client, and again where an import may have changed it."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._categories: dict[str, str] | None = None
        self._components: set[str] = set()
        self._tried: set[str] = set()  # sent by us: perhaps there since we looked
        self._listed = False

    def of(self, items: Sequence[bytes]) -> Surroundings:
        """The surroundings of *items*; categories that lack are created."""
        given, needed, categories = components_needed(items)
        absent = self._absent(needed)
        self._tried |= given | set(absent)
        if self._reader.dialect.webcore:  # entities have no category
            return Surroundings(absent=absent)
        return Surroundings({name: self._category(name) for name in categories}, absent)

    def _absent(self, needed: set[str]) -> list[str]:
        unknown = needed - self._components
        if len(unknown) > _FEW and not self._listed:
            rows = self._reader.entities(kinds=("component",))
            self._components |= {entity["_id"] for entity in rows}
            self._listed = True
            unknown -= self._components
        self._look_up(unknown & self._tried if self._listed else unknown)
        return sorted(needed - self._components)

    def _look_up(self, components: Iterable[str]) -> None:
        holds = self._reader.holds
        self._components |= {each for each in components if holds(each)}

    def _category(self, name: str) -> str:
        if self._categories is None:
            self._categories = self._listed_categories()
        if name not in self._categories:
            # Repeating it makes no second one: names are unique here (§5.7).
            body = orjson.dumps({"name": name})
            made = self._reader.record("POST", _PATH, body=body, right=CATEGORY)
            self._categories[name] = made["_id"]
        return self._categories[name]

    def _listed_categories(self) -> dict[str, str]:
        """Ids by name; of two of one name the first counts, as in D2 (§3.8)."""
        found: dict[str, str] = {}
        page, pages = 1, 1
        while page <= pages:
            asked = {"page": page, "limit": _PAGE, "sort_by": "name", "sort": "asc"}
            body = self._reader.record("GET", _PATH, params=asked)
            for category in body["data"]:
                found.setdefault(category["name"], category["_id"])
            pages, page = body["meta"]["page_count"], page + 1
        return found
