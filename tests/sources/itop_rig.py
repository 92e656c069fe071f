"""A simulated iTop and a job that reads it, for the tests of the itop source."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

import orjson
from starlette.applications import Starlette

from sandbox.itop_knobs import ItopKnobs
from sandbox.itop_state import Itop
from sandbox.itop_store import Objects
from sources.base import Extraction, Outcome, Page, Probe, Record, Scope, Slice
from sources.errors import SourceError
from sources.itop import SOURCE, count, extract, slices

FORM = {"type": "form", "username": "etl", "password": "etl-password"}
QUICK = {"attempts": 2, "initial": 0.01, "max_delay": 0.02, "jitter": 0}


@dataclass(frozen=True)
class Read:
    """Everything that an extraction gave."""

    pages: list[Page]
    outcome: Outcome | None = None
    error: SourceError | None = None

    @property
    def records(self) -> list[Record]:
        return [record for page in self.pages for record in page.records]

    @property
    def rejects(self) -> dict[str, str]:
        """The reason of each, by the name its sample begins with."""
        rejects = [each for page in self.pages for each in page.rejects]
        return {each.sample.partition(" ")[0]: each.reason for each in rejects}

    def values(self, name: str) -> list[Any]:
        return [record.get(name) for record in self.records]

    @property
    def told(self) -> str:
        """The words of the outcome, or of the error with its notes."""
        if self.error is not None:
            return "\n".join([str(self.error), *self.error.__notes__])
        return getattr(self.outcome, "evidence", "") or getattr(self.outcome, "reason", "")


@dataclass(frozen=True)
class Rig:
    """A served iTop; `hold` gives it other objects and knobs."""

    url: str
    app: Starlette

    def hold(self, objects: Objects, **knobs: Any) -> Itop:
        self.app.state.itop = Itop(objects, ItopKnobs.model_validate(knobs))
        return self.itop

    @property
    def itop(self) -> Itop:
        itop: Itop = self.app.state.itop
        return itop

    def connection(self, **settings: Any) -> Any:
        words = {"base_url": self.url, "auth": FORM, "retry": QUICK, **settings}
        return SOURCE.connection.model_validate(words)

    def config(self, words: Mapping[str, Any]) -> Any:
        datasets = {"feed": {"class": "Server", **words}}
        return SOURCE.config.model_validate({"connection": "itop", "datasets": datasets})

    def read(
        self,
        words: Mapping[str, Any] | None = None,
        fields: set[str] | None = frozenset({"name"}),  # type: ignore[assignment]
        *,
        settings: Mapping[str, Any] | None = None,
        **scope: Any,
    ) -> Read:
        """Read the dataset of *words*; *fields*: those of the mapping, *scope*: the rest."""
        wanted = Scope(fields=None if fields is None else frozenset(fields), **scope)
        connection = self.connection(**(settings or {}))
        return drained(extract(self.config(words or {}), "feed", connection, wanted))

    def slices(self, words: Mapping[str, Any], most: int) -> tuple[Slice, ...]:
        return slices(self.config(words), "feed", self.connection(), Scope(), most)

    def count(self, words: Mapping[str, Any]) -> int | None:
        return count(self.config(words), "feed", self.connection(), Scope())

    def probe(self, *words: Mapping[str, Any], **settings: Any) -> Probe:
        """The probe of a job with a dataset for each of *words*."""
        datasets = {f"feed{rank}": each for rank, each in enumerate(words)}
        config = SOURCE.config.model_validate({"connection": "itop", "datasets": datasets})
        return SOURCE.probe(config, self.connection(**settings))

    def asked(self) -> list[dict[str, Any]]:
        """The operations that were asked for, as far as their texts were kept."""
        bodies = (parse_qs(call["body"]) for call in self.itop.traffic.calls)
        return [orjson.loads(body["json_data"][0]) for body in bodies]


def drained(extraction: Extraction) -> Read:
    pages: list[Page] = []
    try:
        while True:
            pages.append(next(extraction))
    except StopIteration as end:
        return Read(pages, end.value)
    except SourceError as error:
        return Read(pages, None, error)
