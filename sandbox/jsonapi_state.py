"""What the simulated JSON API holds: collections, files, knobs, encoded pages, traffic."""

import gzip
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.jsonapi_auth import Tokens
from sandbox.jsonapi_knobs import ApiKnobs, Fault
from sandbox.jsonapi_pages import Record, Window, page_body
from sandbox.traffic import Traffic


@dataclass(frozen=True, slots=True)
class File:
    body: bytes
    content_type: str


@dataclass(slots=True)
class Api:
    """One simulated API. Collections are changed by `put_collection`, knobs by `turn`."""

    collections: dict[str, list[Record]]
    knobs: ApiKnobs
    files: dict[str, File] = field(default_factory=dict)
    traffic: Traffic = field(default_factory=Traffic)
    tokens: Tokens = field(default_factory=Tokens)
    _left: list[int | None] = field(default_factory=list)
    _pages: dict[Any, bytes] = field(default_factory=dict)
    _first: tuple[dict[str, list[Record]], ApiKnobs] = field(init=False)

    def __post_init__(self) -> None:
        self._first = (dict(self.collections), self.knobs)
        self._arm()

    def reset(self) -> None:
        collections, self.knobs = self._first
        self.collections = dict(collections)
        self.files = {}
        self.traffic = Traffic()
        self.tokens = Tokens()
        self._pages.clear()
        self._arm()

    def put_collection(self, name: str, collection: Sequence[Record]) -> None:
        self.collections[name] = list(collection)
        self._forget(name)

    def drop_collection(self, name: str) -> None:
        self.collections.pop(name, None)
        self._forget(name)

    def turn(self, settings: Mapping[str, Any]) -> None:
        """Turn some knobs; faults given anew are whole again. Raises pydantic.ValidationError."""
        self.knobs = self.knobs.changed(settings)
        self._pages.clear()
        if "faults" in settings:
            self._arm()

    def strike(self, name: str, rank: int) -> Fault | None:
        """The fault that strikes this page, once used up a little; None when all is well."""
        for place, fault in enumerate(self.knobs.faults):
            left = self._left[place]
            here = fault.on == name or (not fault.on and name != "token")
            if left == 0 or not here or fault.at not in (0, rank):
                continue
            if left is not None:
                self._left[place] = left - 1
            return fault
        return None

    def rows_moved(self, name: str, fault: Fault) -> None:
        """Rows come and go between two pages."""
        self.put_collection(name, [*fault.add, *self.collections[name][fault.remove :]])

    def page(self, name: str, asked: Window, token: str | None, *, squeeze: bool) -> bytes:
        """The bytes of a page, encoded once."""
        place = (name, asked, token, squeeze)
        body = self._pages.get(place)
        if body is None:
            rows = self.collections[name][asked.start : asked.stop]
            body = page_body(self.knobs, rows, asked, token=token)
            if squeeze:
                body = gzip.compress(body, 1, mtime=0)
            self._pages[place] = body
        return body

    def _arm(self) -> None:
        self._left = [fault.times or None for fault in self.knobs.faults]

    def _forget(self, name: str) -> None:
        for place in [place for place in self._pages if place[0] == name]:
            del self._pages[place]
