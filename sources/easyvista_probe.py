"""What an EasyVista answers before anything is read: its version, its routes, what we may list.

`/license` is not there before 2022.1, `/swagger` answers 201 and lists the routes of late builds;
a refused list is a right that lacks or a route that does not exist, which only `/swagger` tells
apart (`specs/easyvista.md` §1, §7).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from sources.base import Probe, Scope
from sources.easyvista_answer import Query, ask, at
from sources.easyvista_connection import EasyVistaConnection
from sources.easyvista_crosscheck import ITEMS, is_due
from sources.easyvista_dataset import EasyVistaConfig, EasyVistaDataset
from sources.easyvista_links import links_query
from sources.easyvista_query import query_of
from sources.easyvista_session import EasyVistaSession
from sources.errors import SourceError, Unreadable
from sources.session import Call
from sources.verdict import Denied

_UNKNOWN: Final = "EasyVista REST API v1"
_NOTHING: Final = Scope(fields=frozenset())
_RIGHTS: Final = frozenset({403, 404, 590})
_NUMBER: Final = re.compile(r"/\d+/")
_LENGTH: Final = 80  # characters of the version that are shown


@dataclass(frozen=True, slots=True)
class Description:
    """What `/swagger` tells: the version, and the resources there are; empty where it is not."""

    version: str = ""
    resources: frozenset[str] = frozenset()

    @classmethod
    def of(cls, session: EasyVistaSession) -> "Description":
        """Raises what `ask` raises, but for a build that has no description or keeps it."""
        document = _told_at(session, "swagger")
        if document is not None:
            return cls(_version(document), frozenset(_resources(document)))
        return cls("2022.1 or later" if _told_at(session, "license") is not None else "")

    def why(self, resource: str) -> str:
        """What a refusal of *resource* means."""
        if resource.partition("/")[0] in self.resources:
            return "the profile has no right to it"
        if self.resources and not resource.startswith("E_"):
            return "/swagger has no such route"
        return "no right, or no such route"


def probe(config: EasyVistaConfig, connection: EasyVistaConnection) -> Probe:
    """Reads at most one row of each list; raises Refused for the credentials and the account."""
    with EasyVistaSession(connection) as session:
        description = Description.of(session)
        rights, lacking = [], []
        for name, table in config.datasets.items():
            for query in _queries(config, table, session):
                try:
                    ask(session, query.call(1, 0))
                except Denied as denied:
                    if denied.status not in _RIGHTS:
                        raise
                    lacking.append(f"{name}: {_told(denied, description, _route(query))}")
                else:
                    rights.append(f"read {_route(query)}")
        return Probe(
            version=description.version or _UNKNOWN,
            identity=f"{session.authenticator.identity}, account {connection.account}",
            rights=tuple(dict.fromkeys(rights)),
            lacking=tuple(dict.fromkeys(lacking)),
        )


def explain(session: EasyVistaSession, denied: Denied, route: str) -> None:
    """Adds to a 403 what `/swagger` tells of it."""
    try:
        why = Description.of(session).why(route)
    except SourceError as error:
        why = f"/swagger does not tell: {error}"
    denied.add_note(f"why: {why}")


def _told_at(session: EasyVistaSession, route: str) -> Any:
    """What a route answers that not every build has; None where it is refused or is no JSON."""
    try:
        return session.ask(Call(f"{session.connection.root}/{route}")).document
    except Denied as denied:
        if denied.status == 401:
            raise
    except Unreadable:
        pass
    return None


def _queries(
    config: EasyVistaConfig, table: EasyVistaDataset, session: EasyVistaSession
) -> Iterator[Query]:
    """The lists that *table* needs; the links of one CI, where there is one."""
    connection = session.connection
    if table.links is None:
        yield query_of(table, connection, _NOTHING)
        if is_due(table, _NOTHING):
            yield query_of(table.of_resource(ITEMS), connection, _NOTHING)
        return
    listed = config.listed(table.links)
    query = query_of(listed, connection, _NOTHING)
    yield query
    numbers = query.identities(ask(session, query.call(1, 0)).rows)
    for number in numbers[:1]:
        yield links_query(connection.root, table.links, number, table.keys)


def _route(query: Query) -> str:
    return _NUMBER.sub("/{id}/", query.resource)


def _told(denied: Denied, description: Description, resource: str) -> str:
    why = f": {description.why(resource)}" if denied.status == 403 else f": {denied}"
    return f"read {resource} ({denied.status}{why})"


def _version(document: Any) -> str:
    """`info.description` holds the version text; `info.version` is that of the API (2025.3)."""
    info = at(document, "info")
    told = at(info, "description") or at(info, "version") or ""
    return " ".join(str(told).split())[:_LENGTH]


def _resources(document: Any) -> Iterator[str]:
    paths = at(document, "paths")
    for path in paths if isinstance(paths, dict) else ():
        steps = [step for step in str(path).split("/") if step and step not in {"api", "v1"}]
        yield next((step for step in steps if not step.startswith("{")), "")
