"""Routes of the export of entities to CSV (`specs/canopsis.md` §5.2)."""

import csv
import io
import uuid
from typing import Any

import orjson
from starlette.responses import Response

from sandbox.canopsis_api import Call, Endpoint, answer, invalid, invalid_structure, not_found
from sandbox.canopsis_forms import Form
from sandbox.canopsis_listing import selectors
from sandbox.canopsis_platform import Canopsis
from sandbox.canopsis_store import Doc

_SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "space": " "}
_DEFAULT = ("_id", "name", "type", "enabled", "connector", "component", "services")
RUNNING, SUCCEEDED = 0, 1


def start(canopsis: Canopsis, call: Call) -> Response:
    """The export of what is there now; it is told to be running once, then to have succeeded."""
    form = Form(call.json() if call.body else {})
    fields, separator = _fields(form), form.text("separator") or "comma"
    if separator not in _SEPARATORS:
        raise invalid(separator="Separator must be one of [comma semicolon tab space] or empty.")
    # entity_pattern has no effect on exports in 24.10.
    asked = {"search": form.text("search", most=10_000), "category": form.text("category")}
    tests = selectors(
        lambda key: _texts(form, key),
        asked.get,
        now=int(canopsis.now()),
        version=canopsis.knobs.numbers(),
    )
    entities = canopsis.store.entities
    found = [
        doc
        for doc in map(entities.__getitem__, canopsis.store.live_ids())
        if all(test(doc) for test in tests)
    ]
    export = {"status": RUNNING, "csv": _csv(canopsis, found, fields, _SEPARATORS[separator])}
    export_id = str(uuid.uuid4())
    canopsis.exports[export_id] = export
    return answer({"_id": export_id, "status": RUNNING})


def status(canopsis: Canopsis, call: Call) -> Response:
    export = _known(canopsis, call)
    export["status"] = SUCCEEDED
    return answer({"_id": call.params["id"], "status": SUCCEEDED})


def download(canopsis: Canopsis, call: Call) -> Response:
    export = _known(canopsis, call)
    if export["status"] != SUCCEEDED:
        raise not_found()
    return Response(export["csv"], media_type="text/csv; charset=utf-8")


def _known(canopsis: Canopsis, call: Call) -> dict[str, Any]:
    export = canopsis.exports.get(call.params["id"])
    if export is None:
        raise not_found()
    return export


def _texts(form: Form, key: str) -> list[str]:
    value = form.raw.get(key.removesuffix("[]")) or []
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise invalid_structure()
    return value


def _fields(form: Form) -> list[tuple[str, str]]:
    """(dotted name, label) of each column."""
    raw = form.raw.get("fields")
    if not raw:
        return [(name, name) for name in _DEFAULT]
    if not isinstance(raw, list) or not all(isinstance(each, dict) for each in raw):
        raise invalid_structure()
    return [(str(each.get("name", "")), str(each.get("label", ""))) for each in raw]


def _csv(
    canopsis: Canopsis, found: list[Doc], fields: list[tuple[str, str]], separator: str
) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, lineterminator="\n")
    writer.writerow([label for _, label in fields])
    names = {key: doc["name"] for key, doc in canopsis.store.categories.items()}
    paths = [name.split(".") for name, _ in fields]
    for doc in found:
        shown = {**doc, "enabled": bool(doc.get("enabled"))}
        if "category" in doc:
            shown["category"] = {"name": names.get(doc["category"]), "_id": doc["category"]}
        writer.writerow([_cell(shown, path) for path in paths])
    return text.getvalue().encode()


def _cell(doc: Doc, path: list[str]) -> str:
    value: Any = doc
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    if path == ["category"] and value:
        value = value["name"]
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ",".join(value)
    return orjson.dumps(value).decode()


READ = ("api_entity", "read")
ONE = "/api/v4/entity-export/{id}"
ENDPOINTS = (
    Endpoint("POST", "/api/v4/entity-export", start, READ),
    Endpoint("GET", ONE, status, READ),
    Endpoint("GET", f"{ONE}/download", download, READ),
)
