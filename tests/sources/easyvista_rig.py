"""A simulated EasyVista and jobs that read it, for the tests of the easyvista source.

The rig is served once for a whole module; `hold` gives it other rows and knobs, as each test wants.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from sandbox.easyvista import create_app
from sandbox.easyvista_knobs import EasyVistaKnobs
from sandbox.easyvista_state import EasyVista
from sandbox.easyvista_tables import tenant
from sandbox.serve import serve
from sources.base import Complete, Outcome, Page, Probe, Record, Reject, Scope, Slice
from sources.easyvista import SOURCE
from sources.easyvista_connection import EasyVistaConnection
from sources.easyvista_dataset import EasyVistaConfig
from sources.errors import SourceError

BASIC = {"type": "basic", "username": "api", "password": "api-password"}
QUICK = {"attempts": 3, "initial": 0.01, "max_delay": 0.02, "jitter": 0}
ROOT = "/api/v1/50004/"


@dataclass(frozen=True)
class Read:
    """Everything that an extraction gave."""

    pages: list[Page] = field(default_factory=list)
    outcome: Outcome | None = None
    error: SourceError | None = None

    @property
    def records(self) -> list[Record]:
        return [record for page in self.pages for record in page.records]

    @property
    def rejects(self) -> list[Reject]:
        return [reject for page in self.pages for reject in page.rejects]

    def values(self, path: str) -> list[Any]:
        """What the records have at a dotted path."""
        found: list[Any] = self.records
        for step in path.split("."):
            found = [each[step] for each in found]
        return found

    @property
    def complete(self) -> bool:
        return isinstance(self.outcome, Complete)

    @property
    def told(self) -> str:
        """The words of the outcome, or of the error with its notes."""
        if self.error is not None:
            return "\n".join([str(self.error), *getattr(self.error, "__notes__", [])])
        return getattr(self.outcome, "evidence", "") or getattr(self.outcome, "reason", "")


@cache
def rows() -> Mapping[str, Sequence[Record]]:
    """The 250 assets of specs/easyvista-cases.md and what is linked to them."""
    return tenant()


@dataclass(frozen=True)
class Rig:
    """A served EasyVista."""

    url: str
    state: EasyVista

    def hold(self, tables: Mapping[str, Sequence[Record]] | None = None, **knobs: Any) -> None:
        """Other rows, other knobs, no traffic yet."""
        held = rows() if tables is None else tables
        self.state.store.restore({name: list(table) for name, table in held.items()})
        self.state.turn(EasyVistaKnobs().model_dump() | {"faults": []} | knobs)
        self.state.clear_traffic()

    def connection(self, **settings: Any) -> EasyVistaConnection:
        block = {"base_url": self.url, "account": 50004, "auth": BASIC, "retry": QUICK} | settings
        return EasyVistaConnection.model_validate(block)

    def read(self, table: Mapping[str, Any], scope: Scope | None = None, **settings: Any) -> Read:
        """One dataset, read to its end or its error; pages are emptied as a run does."""
        pages: list[Page] = []
        extraction = SOURCE.extract(
            config(it=table), "it", self.connection(**settings), scope or Scope()
        )
        try:
            while True:
                page = next(extraction)
                pages.append(replace(page, records=page.records.copy()))
                page.records.clear()
        except StopIteration as end:
            return Read(pages, end.value)
        except SourceError as error:
            return Read(pages, None, error)

    def slices(self, table: Mapping[str, Any], most: int) -> tuple[Slice, ...]:
        return SOURCE.slices(config(it=table), "it", self.connection(), Scope(), most)

    def count(self, table: Mapping[str, Any], scope: Scope | None = None) -> int | None:
        return SOURCE.count(config(it=table), "it", self.connection(), scope or Scope())

    def probe(self, tables: Mapping[str, Mapping[str, Any]], **settings: Any) -> Probe:
        return SOURCE.probe(config(**tables), self.connection(**settings))

    def queries(self, path: str) -> list[dict[str, str]]:
        """The parameters of the calls to a path below the account, in their order."""
        return [call["query"] for call in self.state.traffic.calls if call["path"] == ROOT + path]

    def calls(self, path: str = "") -> int:
        """How many calls there were, to one path or to all."""
        counted = self.state.traffic.requests
        return counted[ROOT + path] if path else counted.total()


def config(**tables: Any) -> EasyVistaConfig:
    return EasyVistaConfig.model_validate({"connection": "tenant", "datasets": tables})


def fields(*names: str) -> Scope:
    return Scope(fields=frozenset(names))


@contextmanager
def served() -> Iterator[Rig]:
    app = create_app({})
    with serve(app) as url:
        yield Rig(url, app.state.easyvista)
