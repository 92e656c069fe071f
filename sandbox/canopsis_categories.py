"""Routes of entity categories (`specs/canopsis.md` §5.7)."""

from typing import Any

from starlette.responses import Response

from sandbox.canopsis_api import Call, Endpoint, Refusal, answer, invalid, not_found
from sandbox.canopsis_forms import Form
from sandbox.canopsis_listing import Paging, ordering, search_filter, sort_key
from sandbox.canopsis_platform import Canopsis
from sandbox.canopsis_store import Doc


def browse(canopsis: Canopsis, call: Call) -> Response:
    paging = Paging.of(call)
    descending, field = ordering(call, "name")
    if field not in ("name", "created"):
        raise invalid(sort_by="SortBy must be one of [name created] or empty.")
    found = list(canopsis.store.categories.values())
    if text := call.query.get("search"):
        matches = search_filter(text, ["name"])
        found = [category for category in found if matches(category)]
    found.sort(key=lambda category: sort_key(category, field), reverse=descending)
    return paging.answer(found, _view)


def create(canopsis: Canopsis, call: Call) -> Response:
    name = _read_name(canopsis, call, None)
    author = call.user.name if call.user else ""
    return answer(
        _view(canopsis.store.add_category(name, now=int(canopsis.now()), author=author)), 201
    )


def read(canopsis: Canopsis, call: Call) -> Response:
    return answer(_view(_known(canopsis, call)))


def edit(canopsis: Canopsis, call: Call) -> Response:
    category = _known(canopsis, call)
    category["name"] = _read_name(canopsis, call, category["_id"])
    category["updated"] = int(canopsis.now())
    canopsis.store.touch()
    return answer(_view(category))


def delete(canopsis: Canopsis, call: Call) -> Response:
    category = _known(canopsis, call)["_id"]
    if any(doc.get("category") == category for doc in canopsis.store.entities.values()):
        raise Refusal(400, {"error": "category is linked to entity"})
    del canopsis.store.categories[category]
    canopsis.store.touch()
    return Response(status_code=204)


def _known(canopsis: Canopsis, call: Call) -> Doc:
    category = canopsis.store.categories.get(call.params["id"])
    if category is None:
        raise not_found()
    return category


def _read_name(canopsis: Canopsis, call: Call, category: str | None) -> str:
    form = Form(call.json())
    name = form.text("name", required=True)
    if name and canopsis.store.category_named(name) not in (None, category):
        form.errors["name"] = "Name already exists."
    form.close()
    return name


def _view(category: Doc) -> dict[str, Any]:
    author = category.get("author")
    shown = {key: category[key] for key in ("_id", "name", "created", "updated")}
    return {**shown, "author": {"_id": author, "name": author} if author else None}


RIGHT = "api_entitycategory"
ALL, ONE = "/api/v4/entity-categories", "/api/v4/entity-categories/{id}"
ENDPOINTS = (
    Endpoint("GET", ALL, browse, (RIGHT, "read")),
    Endpoint("POST", ALL, create, (RIGHT, "create")),
    Endpoint("GET", ONE, read, (RIGHT, "read")),
    Endpoint("PUT", ONE, edit, (RIGHT, "update")),
    Endpoint("DELETE", ONE, delete, (RIGHT, "delete")),
)
