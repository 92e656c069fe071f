"""A simulated ServiceNow and a job that reads it, for the tests of the servicenow source."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.servicenow_instance import Instance
from sources.base import Complete, Outcome, Page, Partial, Probe, Record, Reject, Scope, Slice
from sources.errors import SourceError
from sources.servicenow import SOURCE

QUICK = {"attempts": 3, "initial": 0.01, "max_delay": 0.02, "jitter": 0}
TABLE_API = "/api/now/table/"


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
    def rejects(self) -> list[Reject]:
        return [reject for page in self.pages for reject in page.rejects]

    @property
    def ids(self) -> list[str]:
        return [record["sys_id"] for record in self.records]

    def values(self, name: str) -> list[Any]:
        return [record.get(name) for record in self.records]

    @property
    def evidence(self) -> str:
        assert self.error is None, self.told
        assert isinstance(self.outcome, Complete), self.outcome
        return self.outcome.evidence

    @property
    def reason(self) -> str:
        assert self.error is None, self.told
        assert isinstance(self.outcome, Partial), self.outcome
        return self.outcome.reason

    @property
    def told(self) -> str:
        """The error with its notes."""
        assert self.error is not None, self.outcome
        return "\n".join([str(self.error), *self.error.__notes__])


@dataclass(frozen=True)
class Rig:
    """A served instance with the tables of the spec's cases, as they were at the start."""

    url: str
    instance: Instance

    def turn(self, **knobs: Any) -> None:
        self.instance.turn(knobs)

    def fault(self, kind: str, on: str = "cmdb_ci_server", **more: Any) -> None:
        """One fault, once, at the first call, unless said otherwise."""
        self.turn(faults=[{"kind": kind, "on": on, **more}])

    def connection(self, user: str = "etl", **settings: Any) -> Any:
        auth = {"type": "basic", "username": user, "password": "secret"}
        words = {"base_url": self.url, "auth": auth, "retry": QUICK, **settings}
        return SOURCE.connection.model_validate(words)

    def config(self, *datasets: Mapping[str, Any]) -> Any:
        """Datasets `feed`, `feed2`, …; servers where no table is named."""
        names = ["feed", *(f"feed{rank}" for rank in range(2, len(datasets) + 1))]
        tables = dict(zip(names, map(_with_table, datasets), strict=True))
        return SOURCE.config.model_validate({"connection": "acme", "datasets": tables})

    def read(
        self,
        dataset: Mapping[str, Any] | None = None,
        fields: Iterable[str] | None = ("name",),
        *,
        user: str = "etl",
        settings: Mapping[str, Any] | None = None,
        **scope: Any,
    ) -> Read:
        """Read the dataset to its end, or to its error."""
        connection = self.connection(user, **(settings or {}))
        wanted = Scope(fields=None if fields is None else frozenset(fields), **scope)
        extraction = SOURCE.extract(self.config(dataset or {}), "feed", connection, wanted)
        pages: list[Page] = []
        try:
            while True:
                pages.append(next(extraction))
        except StopIteration as end:
            return Read(pages, outcome=end.value)
        except SourceError as error:
            return Read(pages, error=error)

    def count(self, dataset: Mapping[str, Any] | None = None, user: str = "etl") -> int | None:
        return SOURCE.count(self.config(dataset or {}), "feed", self.connection(user), Scope())

    def probe(self, *datasets: Mapping[str, Any], user: str = "etl", **settings: Any) -> Probe:
        return SOURCE.probe(self.config(*datasets or ({},)), self.connection(user, **settings))

    def slices(self, most: int, dataset: Mapping[str, Any] | None = None) -> tuple[Slice, ...]:
        config, connection = self.config(dataset or {}), self.connection()
        return SOURCE.slices(config, "feed", connection, Scope(), most)

    def calls(self, table: str = "") -> list[dict[str, Any]]:
        """What was asked of the Table API, or of one of its tables, in order."""
        calls = [dict(call) for call in self.instance.traffic.calls]
        return [
            call
            for call in calls
            if call["path"].startswith(TABLE_API)
            and call["path"].removeprefix(TABLE_API).startswith(table)
        ]

    def queries(self, table: str = "") -> list[str]:
        return [call["query"].get("sysparm_query", "") for call in self.calls(table)]

    def paths(self) -> set[str]:
        return {call["path"] for call in self.instance.traffic.calls}

    def ids(self, table: str) -> list[str]:
        """The sys_ids of all rows of a table, in the order of the database."""
        return [row["sys_id"] for row in self.instance.data.view(table).rows]


def _with_table(dataset: Mapping[str, Any]) -> dict[str, Any]:
    named = "table" in dataset or "relations" in dataset
    return dict(dataset) if named else {"table": "cmdb_ci_server", **dataset}
