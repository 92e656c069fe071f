"""Where a path of the simulated EasyVista leads: a list, a row, a memo, or a body of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sandbox.easyvista_knobs import EasyVistaKnobs
from sandbox.easyvista_lists import Ask, Listing, Lists
from sandbox.easyvista_login import Caller
from sandbox.easyvista_rows import Viewpoint
from sandbox.easyvista_schema import CI_EXCERPT, TABLES, Kind, Table
from sandbox.easyvista_store import Record, Store
from sandbox.easyvista_views import filtered, saved

_BUILDS: Final = ("2018", "2021", "2025.3")


class Forbidden(Exception):
    """403: the profile may not, or there is no such path; the server does not tell which."""


class NotFound(Exception):
    """404: there is no such row."""


@dataclass(frozen=True, slots=True)
class Resource:
    """The first part of a path, and the build that brought it."""

    table: str
    since: str = "2018"


RESOURCES: Final[dict[str, Resource]] = {
    "assets": Resource("AM_ASSET"),
    "asset-characteristics": Resource("AM_ASSET_CHARACTERISTICS"),
    "configuration-items": Resource("AM_ASSET"),
    "catalog-assets": Resource("AM_CATALOG"),
    "manufacturers": Resource("AM_MANUFACTURER"),
    "locations": Resource("AM_LOCATION"),
    "departments": Resource("AM_DEPARTMENT"),
    "employees": Resource("AM_EMPLOYEE"),
    "requests": Resource("SD_REQUEST"),
    "problems": Resource("SD_PROBLEM"),
    "knownerrors": Resource("SD_KNOWN_ERROR"),
    "slas": Resource("SD_SLA"),
    "actions": Resource("AM_ACTION"),
    "catalog-requests": Resource("SD_CATALOG"),
    "characteristics": Resource("AM_CHARACTERISTIC", "2021"),
    "status": Resource("SD_STATUS", "2021"),
    "urgency": Resource("SD_URGENCY", "2021"),
    "urgencies": Resource("SD_URGENCY", "2021"),
    "suppliers": Resource("AM_SUPPLIER", "2025.3"),
    "groups": Resource("AM_GROUP", "2025.3"),
    "domains": Resource("AM_DOMAIN", "2025.3"),
}
_ALONE: Final = {"internalqueries": "2018", "license": "2025.3", "swagger": "2025.3"}


@dataclass(frozen=True, slots=True)
class Listed:
    """A list: its rows stand at *key*; *told*: the body says its own address."""

    listing: Listing
    ask: Ask
    key: str = "records"
    told: bool = True


@dataclass(frozen=True, slots=True)
class Body:
    """A body that is no list."""

    body: Any
    status: int = 200


Target = Listed | Body


@dataclass(frozen=True, slots=True)
class Router:
    """Paths below one tenant, as one caller sees them; `root` is `http://host/api/v1/50004`."""

    store: Store
    knobs: EasyVistaKnobs
    lists: Lists
    caller: Caller
    root: str

    def to(self, method: str, path: str, ask: Ask) -> Target:
        """Raises Forbidden, NotFound, Rejected."""
        name, *rest = path.strip("/").split("/")
        self._permit(method, name, rest)
        if name in _ALONE:
            return self._alone(name, ask)
        table = self.store.table(RESOURCES[name].table if name in RESOURCES else name)
        match rest:
            case []:
                return Listed(self._listing(name, table, ask), ask)
            case [key]:
                return self._single(name, table, key, ask)
            case [key, sub, *child]:
                return self._below(
                    name, table, self._position(name, table, key), [sub, *child], ask
                )
        raise Forbidden

    def _permit(self, method: str, name: str, rest: Sequence[str]) -> None:
        """Reading is all that the profiles of this tenant may do."""
        template = "/".join(
            [name, *("{id}" if rank % 2 == 0 else s for rank, s in enumerate(rest))]
        )
        external = name.startswith("E_") and name in self.store.names
        since = RESOURCES[name].since if name in RESOURCES else _ALONE.get(name)
        absent = since is not None and _BUILDS.index(since) > _BUILDS.index(self.knobs.build)
        known = external or since is not None
        if method != "GET" or not known or absent or not self.caller.may(method, template):
            raise Forbidden

    def _view(self, resource: str, ask: Ask) -> Viewpoint:
        return Viewpoint(self.root, self.caller.language, resource, ask.format_date)

    def _listing(self, name: str, table: Table, ask: Ask) -> Listing:
        where = [self.caller.user.perimeter.get(table.name, "")]
        excerpt = table.excerpt or self._columns(table)
        hidden = table.name == "AM_ASSET" and self.knobs.removed == "hidden"
        if name == "configuration-items":
            excerpt = CI_EXCERPT
            where.append("IS_CI:1")
        return Listing(
            table,
            excerpt,
            self._view(name, ask),
            place=name,
            where=tuple(filter(None, where)),
            unset=("REMOVED_DATE",) if hidden else (),
            joined=("LOCATION", "DEPARTMENT")
            if name == "assets" and self.knobs.inner_joins
            else (),
            links=name != "configuration-items" or self.knobs.ci_links,
        )

    def _columns(self, table: Table) -> tuple[str, ...]:
        return (*table.columns, *self.store.custom(table.name))

    def _position(self, name: str, table: Table, key: str) -> int:
        """Where the row of a path is; raises NotFound when the caller has no such row."""
        wanted: Any = key
        if table.kind(table.address) is Kind.INT:
            if not key.isdecimal():
                raise NotFound
            wanted = int(key)
        found = self.store.index(table.name, table.address).get(wanted, [])
        listing = replace(self._listing(name, table, Ask.of("")), joined=())
        if not found or not self.lists.found(listing, found[0]):
            raise NotFound
        return found[0]

    def _single(self, name: str, table: Table, key: str, ask: Ask) -> Target:
        if name == "asset-characteristics":
            return self._characteristics(table, key, ask)
        position = self._position(name, table, key)
        shape = self.lists.rows.everything(table)
        return Body(self.lists.rows.shown(table, [position], shape, self._view(name, ask))[0])

    def _characteristics(self, table: Table, asset: str, ask: Ask) -> Listed:
        self._position("assets", self.store.table("AM_ASSET"), asset)
        places = self.store.index(table.name, "ASSET_ID").get(int(asset), [])
        view = self._view("asset-characteristics", ask)
        return Listed(Listing(table, table.excerpt, view, positions=places), ask)

    def _below(
        self, name: str, table: Table, position: int, rest: Sequence[str], ask: Ask
    ) -> Target:
        """What stands below a row: its links, its groups, its documents, one of its memos."""
        key = self.store.values(table.name, table.key)[position]
        match name, *rest:
            case "configuration-items", "item-links", *ends:
                return self._ci_links(key, ends, ask)
            case "assets", "asset-links", *ends:
                return self._asset_links(key, ends, ask)
            case "employees", "groups":
                return self._groups(key)
            case "requests", "documents":
                places = self.store.index("DOCUMENT", "REQUEST_ID").get(key, [])
                held = TABLES["DOCUMENT"]
                view = self._view("documents", ask)
                return Listed(Listing(held, held.excerpt, view, positions=places), ask, "Documents")
            case _, memo if self.knobs.build != "2018" and _is_memo(table, memo):
                text = self.lists.rows.written(table, memo.upper())[position]
                address = self.store.values(table.name, table.address)[position]
                href = f"{self.root}/{name}/{address}/{memo}"
                return Body({memo.upper(): text, "HREF": href})
        raise Forbidden

    def _ci_links(self, key: int, ends: Sequence[str], ask: Ask) -> Target:
        """All links of a CI; `impacting` those whose child it is, `impacted` whose parent it is."""
        parents = self.store.index("CI_LINK", "CHILD_CI_ID").get(key, [])
        children = self.store.index("CI_LINK", "PARENT_CI_ID").get(key, [])
        table = TABLES["CI_LINK"]
        view = self._view("configuration-items", ask)
        match ends:
            case []:
                both = sorted({*parents, *children})
                return Listed(Listing(table, table.excerpt, view, positions=both), ask)
            case ["impacting" | "impacted" as side]:
                places = parents if side == "impacting" else children
                other = "PARENT_CI_ID" if side == "impacting" else "CHILD_CI_ID"
                linked = ask.params.get("linked_ci", "")
                where = (f'{other}:"{linked}"',) if linked else ()
                rich = ("PARENT_CI", "CHILD_CI") if self.knobs.build == "2025.3" else ()
                excerpt = (*table.excerpt, *rich)
                listing = Listing(table, excerpt, view, positions=places, where=where)
                return Listed(listing, ask, told=False)
            case [child]:
                return self._one(table, children, "CHILD_CI_ID", child, view)
        raise Forbidden

    def _asset_links(self, key: int, ends: Sequence[str], ask: Ask) -> Target:
        table = TABLES["ASSET_LINK"]
        view = self._view("assets", ask)
        children = self.store.index(table.name, "PARENT_ASSET_ID").get(key, [])
        match ends:
            case []:
                own = self.store.index(table.name, "ASSET_ID").get(key, [])
                both = sorted({*own, *children})
                return Listed(Listing(table, table.excerpt, view, positions=both), ask)
            case [child]:
                return self._one(table, children, "ASSET_ID", child, view)
        raise Forbidden

    def _one(
        self, table: Table, places: Sequence[int], column: str, key: str, view: Viewpoint
    ) -> Body:
        """The first of the rows at *places* whose *column* is *key*."""
        held = self.store.values(table.name, column)
        for place in places:
            if str(held[place]) == key:
                shape = self.lists.rows.excerpt(table, table.excerpt, view.language)
                return Body(self.lists.rows.shown(table, [place], shape, view)[0])
        raise NotFound

    def _groups(self, employee: int) -> Body:
        places = self.store.index("EMPLOYEE_GROUP", "EMPLOYEE_ID").get(employee, [])
        groups = self.store.values("EMPLOYEE_GROUP", "GROUP_ID")
        return Body({"groups": [f"{self.root}/groups/{groups[place]}" for place in places]})

    def _alone(self, name: str, ask: Ask) -> Target:
        if name == "internalqueries":
            return self._query(ask)
        if name == "license":
            return Body({"HREF": f"{self.root}/license", "PRODUCT_VERSION": self.knobs.build})
        return Body(self._described(), 201)

    def _query(self, ask: Ask) -> Listed:
        view = saved(self.knobs, ask.params.get("queryguid", ""))
        table = self.store.table(view.table)
        custom = ask.params.get("custom_filter", "")
        where = (view.search, self.caller.user.perimeter.get(table.name, ""))
        listing = Listing(
            table,
            (),
            self._view("", ask),
            place="" if custom else f"internalqueries {ask.params['queryguid']}",
            positions=filtered(self.store, self.knobs, table, custom) if custom else None,
            where=tuple(filter(None, where)),
            offset=self.knobs.view_offset,
            columns=view.columns,
        )
        return Listed(listing, replace(ask, search="", fields="", sort=()))

    def _described(self) -> Record:
        """The routes as OpenAPI; its text names the version."""
        names = [*RESOURCES, *_ALONE, *(name for name in self.store.names if name[:2] == "E_")]
        paths: dict[str, Any] = {}
        for name in names:
            paths[f"/{name}"] = _GET
            if name not in _ALONE:
                paths[f"/{name}/{{id}}"] = _GET
        for name in _BELOW:
            paths[f"/{name}"] = _GET
        info = {"title": "Service Manager REST API", "description": f"Version {self.knobs.build}"}
        return {"openapi": "3.1.0", "info": info | {"version": "v1"}, "paths": paths}


_GET: Final[Mapping[str, Any]] = {"get": {"responses": {"200": {"description": "OK"}}}}
_BELOW: Final = (
    "assets/{id}/comment_asset",
    "assets/{id}/asset-links",
    "assets/{parent}/asset-links/{child}",
    "configuration-items/{id}/item-links",
    "configuration-items/{id}/item-links/impacting",
    "configuration-items/{id}/item-links/impacted",
    "configuration-items/{parent}/item-links/{child}",
    "employees/{id}/groups",
    "requests/{id}/documents",
)


def _is_memo(table: Table, name: str) -> bool:
    return table.kind(name.upper()) is Kind.MEMO
