"""What the items and links of a D0 import do to the entities they name.

All of it happens in memory, on copies: an exception anywhere cancels the import
(`specs/canopsis.md` §2.3). The finer points are those of capensis/canopsis,
`sources/canopsis/canopsis/context_graph/import_ctx.py`, commit a4a1333:

- only entities that stood in the database before are known to `update`, `enable`, `disable` and
  `delete`; a link also finds those that the import has made before it;
- `create` and `set` have the default fields, `create` without those of the entity it replaces: its
  links too are gone, unless given as `depends` and `impact`;
- to delete an absent entity fails with the IndexError of an empty list;
- to delete an entity takes it out of its neighbours, and fails where a neighbour no longer holds
  it; the neighbours are *updated*, and count as such.
"""

from collections.abc import Iterable
from typing import Any

from sandbox.canopsis_operations import JobFailed
from sandbox.canopsis_store import Doc, Store
from sandbox.canopsis_webcore_python import raised

_OWN = ("created", "services", "soft_deleted", "component_infos")
"""What later versions keep in a document, and this one does not know."""
_ARRAYS = ("depends", "impact")


class Drafts:
    """The entities that an import will write (`updated`, by id) and remove (`deleted`)."""

    def __init__(self, store: Store, ids: Iterable[str]) -> None:
        self.updated: dict[str, Doc] = {}
        self.deleted: dict[str, None] = {}
        self._store = store
        self._known = {each: document(store, each) for each in ids if each in store.entities}

    def take(self, ci: dict[str, Any]) -> None:
        """One item; raises JobFailed."""
        fields = {k: v for k, v in ci.items() if k not in ("action", "action_properties")}
        match ci["action"]:
            case "delete":
                self._delete(ci["_id"])
            case "create":
                self.updated[ci["_id"]] = _completed(fields)
            case "set":
                known = self._known.get(ci["_id"], {})
                self.updated[ci["_id"]] = _completed(_merged(known, fields))
            case "update":
                draft = self._existing(ci["_id"])
                draft.update(_with_sets(fields))
                self.updated[ci["_id"]] = draft
            case action:
                self._switch(ci, action)

    def link(self, link: dict[str, Any]) -> None:
        """One link; raises JobFailed."""
        action = link["action"]
        if action not in ("create", "delete"):
            known = action in ("update", "enable", "disable")
            words = "" if known else f"The action {action} is not recognized"
            raise JobFailed("NotImplementedError()" if known else raised("ValueError", words))
        upper = self._linked(link["to"])
        for source in link["from"]:
            lower = self._linked(source)
            if action == "create":
                lower["impact"].add(link["to"])
                upper["depends"].add(source)
            elif link["to"] not in lower["impact"]:
                raise JobFailed(raised("KeyError", link["to"]))
            else:
                lower["impact"].remove(link["to"])
                if source not in upper["depends"]:
                    raise JobFailed(raised("KeyError", source))
                upper["depends"].remove(source)

    def close(self) -> None:
        """The last check; raises JobFailed."""
        for entity in self.updated:
            if entity in self.deleted:
                raise JobFailed(
                    raised(
                        "ValueError",
                        f"The entity {entity} to be deleted is updated in the same import."
                        " Update aborted.",
                    )
                )

    def _delete(self, entity: str) -> None:
        if entity not in self._known:
            raise JobFailed("IndexError('list index out of range',)")
        known = self._known[entity]
        for mine, theirs in (("depends", "impact"), ("impact", "depends")):
            for neighbour in sorted(known[mine]):
                if neighbour in self.deleted:
                    continue
                held = self._neighbour(neighbour)[theirs]
                if entity not in held:
                    words = f"Try to remove {entity} from impacts field ofentity {neighbour}."
                    raise JobFailed(raised("ValueError", words))
                held.remove(entity)
        self.updated.pop(entity, None)
        self.deleted[entity] = None

    def _neighbour(self, entity: str) -> Doc:
        if entity not in self.updated:
            if entity not in self._known and entity in self._store.entities:
                self._known[entity] = document(self._store, entity)
            if entity not in self._known:
                raise JobFailed(raised("KeyError", entity))
            self.updated[entity] = dict(self._known[entity])
        return self.updated[entity]

    def _switch(self, ci: dict[str, Any], action: str) -> None:
        """`enable` and `disable`, which add their moments to a history."""
        draft = self.updated.setdefault(ci["_id"], dict(self._existing(ci["_id"])))
        moments = ci["action_properties"][action]
        if not isinstance(moments, list):
            moments = [] if moments is None else [moments]
        draft["enabled"] = action == "enable"
        history = f"{action}_history"
        draft[history] = [*(draft.get(history) or []), *moments]

    def _existing(self, entity: str) -> Doc:
        if entity not in self._known:
            words = f"The ci of id {entity} does not match any existing entity."
            raise JobFailed(raised("ValueError", words))
        return self._known[entity]

    def _linked(self, entity: str) -> Doc:
        if entity not in self.updated:
            if entity not in self._known:
                raise JobFailed(raised("KeyError", entity))
            self.updated[entity] = self._known[entity]
        return self.updated[entity]


def document(store: Store, entity: str) -> Doc:
    """An entity as this version stores it, its arrays as sets; the copy is the caller's."""
    doc = {key: value for key, value in store.entities[entity].items() if key not in _OWN}
    doc["depends"] = set(store.arrays.depends.of(entity))
    doc["impact"] = set(store.arrays.impact.of(entity))
    return doc


def write(store: Store, doc: Doc, *, now: int) -> None:
    """Put a document in the place of the one of its id."""
    entity = doc["_id"]
    values = {key: value for key, value in doc.items() if key not in ("_id", *_ARRAYS)}
    known = store.entities.get(entity, {})
    gone = [key for key in known if key not in values and key not in ("_id", *_OWN)]
    store.upsert(entity, values, now=now)
    store.update(entity, {}, unset=gone)
    for name, array in (("depends", store.arrays.depends), ("impact", store.arrays.impact)):
        held = array.of(entity)
        array.pull(entity, [each for each in held if each not in doc[name]])
        array.add(entity, sorted(doc[name]))


def _completed(fields: Doc) -> Doc:
    """The fields with the defaults of `create` and `set`."""
    defaults = {"name": fields["_id"], "depends": [], "impact": [], "measurements": [], "infos": {}}
    return _with_sets(defaults | fields)


def _with_sets(fields: Doc) -> Doc:
    return {key: set(value) if key in _ARRAYS else value for key, value in fields.items()}


def _merged(known: Doc, given: Doc) -> Doc:
    """Objects are merged at all depths, anything else of *given* takes the place of what was."""
    merged = dict(known)
    for key, value in given.items():
        under = merged.get(key)
        both = isinstance(under, dict) and isinstance(value, dict)
        merged[key] = _merged(under or {}, value) if both else value
    return merged
