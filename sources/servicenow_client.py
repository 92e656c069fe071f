"""Calls of the Table and Aggregate APIs, each of them made by pysnow over our session.

One pysnow client, session and resource for each thread: a resource keeps the parameters of its last
call, and two threads would send each other's (specs/servicenow.md §12.2).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Self, TypeVar
from urllib.parse import quote_plus, urlsplit

from sources.errors import Unreadable
from sources.selector import as_count
from sources.servicenow_answer import Heavy, no_right
from sources.servicenow_connection import ServiceNowConnection
from sources.servicenow_dataset import ServiceNowDataset
from sources.servicenow_pysnow import pysnow
from sources.servicenow_query import Rows, too_long
from sources.servicenow_session import ServiceNowSession
from sources.verdict import Denied

T = TypeVar("T")

_LONGEST: Final = 7_000  # bytes of an address; front ends refuse 8 KB (specs/servicenow.md §3)


@dataclass(frozen=True, slots=True)
class View:
    """How the rows of a table are to be shown; as codes and ids unless said otherwise."""

    table: str
    display_value: str = "false"
    exclude_reference_link: bool = True
    query_category: str = ""
    no_domain: bool = False

    @classmethod
    def of(cls, dataset: ServiceNowDataset) -> "View":
        return cls(
            dataset.name,
            str(dataset.display_value).lower(),
            dataset.exclude_reference_link,
            dataset.query_category,
            dataset.no_domain,
        )

    @property
    def raw(self) -> "View":
        """The same rows as codes and ids."""
        return View(self.table, query_category=self.query_category, no_domain=self.no_domain)

    @property
    def parameters(self) -> dict[str, str]:
        """What pysnow has no words for, or would write `True` and `False`.

        The Link header is not wanted: it repeats the address four times, with the host that the
        instance takes itself for (§1.2).
        """
        parameters = {
            "sysparm_display_value": self.display_value,
            "sysparm_exclude_reference_link": str(self.exclude_reference_link).lower(),
            "sysparm_suppress_pagination_header": "true",
        }
        if self.query_category:
            parameters["sysparm_query_category"] = self.query_category
            parameters["sysparm_read_replica_category"] = self.query_category  # its name of old
        if self.no_domain:
            parameters["sysparm_query_no_domain"] = "true"
        return parameters


@dataclass(frozen=True, slots=True)
class Sheet:
    """The rows of one answer, as the instance gave them.

    `total`: rows of the query, hidden ones included (None: not asked for, or not told).
    `mended`: texts that were not sound. `date`: the instance's own time, as an HTTP date.
    """

    rows: list[Any]
    total: int | None
    mended: int
    date: str


class Instance:
    """What one thread asks of one instance; close it, or use it as a context manager."""

    def __init__(self, connection: ServiceNowConnection) -> None:
        self._connection = connection
        self._answered = False
        self._open()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()

    @property
    def identity(self) -> str:
        """Who asks, by the credentials of the connection."""
        return self.session.authenticator.identity

    def _open(self) -> None:
        self.session = ServiceNowSession(self._connection)
        self._resources: dict[View | str, Any] = {}
        mine = dict(self.session.headers)
        parts = urlsplit(self._connection.base_url)
        self._client = pysnow().Client(
            host=parts.netloc + parts.path, use_ssl=parts.scheme == "https", session=self.session
        )
        self.session.headers.update(mine)  # pysnow has written its own over them

    def sheet(
        self,
        view: View,
        rows: Rows,
        fields: tuple[str, ...] = (),
        *,
        limit: int,
        offset: int = 0,
        counted: bool = False,
        smaller: bool = False,
    ) -> Sheet:
        """At most *limit* of *rows*, in the order of their sys_ids; no *fields* are all of them.

        *counted*: with the total. *smaller*: whether the caller can ask for fewer. Raises Heavy
        where it can and should, and as `HttpSession.ask`.
        """
        query = rows.ordered
        size = len(self._connection.base_url) + 400
        size += len(quote_plus(query)) + len(quote_plus(",".join(fields)))
        if size > _LONGEST:
            raise too_long(size, f"table {view.table}")

        def once() -> Sheet:
            resource = self._resource(view)
            resource.parameters.add_custom({"sysparm_no_count": "false" if counted else "true"})
            got = resource.get(query=query, limit=limit, offset=offset, fields=list(fields))
            rows = got.all()
            total = as_count(got.headers.get("X-Total-Count")) if counted else None
            return Sheet(rows, total, self.session.last.mended, got.headers.get("Date", ""))

        return self._patiently(once, smaller=smaller)

    def total(self, view: View, rows: Rows) -> int | None:
        """How many *rows* there are, hidden ones included; by /stats where no header tells."""
        sheet = self.sheet(view.raw, rows, ("sys_id",), limit=1, counted=True)
        return self.statistic(view, rows) if sheet.total is None else sheet.total

    def statistic(self, view: View, rows: Rows) -> int | None:
        """The same number by the Aggregate API; None where rights or time do not suffice for it.

        It has a quota of its own, and counts whole tables (§6).
        """
        path = f"/stats/{view.table}"

        def once() -> int | None:
            resource = self._resource(view.raw, path)
            resource.parameters.add_custom({"sysparm_count": "true"})
            got = resource.get(query=rows.query, limit=1).one_or_none() or {}
            stats = got.get("stats")
            return as_count(stats.get("count")) if isinstance(stats, dict) else None

        try:
            return self._patiently(once, smaller=True)
        except Heavy:
            return None
        except Denied as denied:
            if denied.status == 401:
                raise
            return None

    def _resource(self, view: View, path: str = "") -> Any:
        key = path or view
        if key not in self._resources:
            resource = self._client.resource(
                api_path=path or f"/table/{view.table}", base_path=self._connection.api
            )
            resource.parameters.add_custom(view.parameters)
            self._resources[key] = resource
        return self._resources[key]

    def _patiently(self, once: Callable[[], T], *, smaller: bool) -> T:
        """What *once* gives, outages waited for; a refusal that comes late is asked again once.

        A session that a node restored without its roles is refused what it was given before: a new
        one is not (§8.3).
        """
        try:
            got = self.session.patiently(lambda: _asked(once, smaller=smaller))
        except Denied as denied:
            if not (no_right(denied) and self._answered):
                raise
        else:
            self._answered = True
            return got
        self.session.close()
        self._open()
        return self.session.patiently(lambda: _asked(once, smaller=smaller))


def _asked(once: Callable[[], T], *, smaller: bool) -> T:
    failure: Exception
    try:
        return once()
    except Heavy as heavy:
        if smaller:
            raise
        failure = heavy.outage()
    except pysnow().exceptions.PysnowException as error:
        failure = Unreadable(
            f"pysnow cannot read the answer: {type(error).__name__}",
            where="the instance",
            mend="look at what it answers; nothing was taken from it",
        )
    raise failure
