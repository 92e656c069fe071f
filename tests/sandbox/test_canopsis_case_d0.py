"""The cases of dialect D0 (`specs/canopsis.md` §10: 111 to 114), and its actions (§2.3)."""

import gzip
from datetime import UTC, datetime

import orjson
import pytest

from tests.sandbox.canopsis_cases import Item, infos, values, without
from tests.sandbox.canopsis_linked import ci, link
from tests.sandbox.canopsis_webcore import Begin, webcore_of

__all__ = ["webcore_of"]

A = ci("A", "component", infos=infos(k="v"))
R = ci("R/A", "resource", name="R", component="A")
BELOW = link("A", "R/A")
VERSIONS = ("3.25.0", "4.2.4")


def switch(entity: str, kind: str, action: str, moment: int | list[int] | None = None) -> Item:
    return without(ci(entity, kind, action, action_properties={action: moment}), "enabled")


@pytest.mark.parametrize("version", VERSIONS)
def test_case_111_an_import_on_one_line_gives_its_id(webcore_of: Begin, version: str) -> None:
    canopsis = webcore_of(version)

    answer = canopsis.put({"json": {"cis": [A], "links": []}}).json()

    job = answer["data"][0]["import_id"]
    assert answer == {"total": 1, "data": [{"import_id": job}], "success": True}
    pending = canopsis.status(job)
    assert set(pending) == {"_id", "creation", "status"}
    assert pending["status"] == "pending"
    made = datetime.strptime(pending["creation"], "%a %b %d %H:%M:%S %Y").replace(tzinfo=UTC)
    assert abs((datetime.now(UTC) - made).total_seconds()) < 60
    canopsis.control("tick")
    done = canopsis.status(job)
    assert set(done) == {"_id", "creation", "status", "exec_time", "stats"}
    assert (done["status"], done["stats"]) == ("done", {"deleted": 0, "updated": 1})


def test_case_112_an_unknown_import_is_told_with_200(webcore_of: Begin) -> None:
    assert webcore_of().status("nothing") == {"status": "not_found", "_id": "nothing"}


def test_case_113_an_update_of_nothing_fails_in_the_words_of_python(webcore_of: Begin) -> None:
    canopsis = webcore_of()

    info = canopsis.failed(A, ci("é", "component", "update"))

    words = r"The ci of id \xe9 does not match any existing entity."
    assert info == f"ValueError(u'{words}',)"
    assert canopsis.ids() == []


def test_case_114_the_schema_is_checked_first(webcore_of: Begin) -> None:
    canopsis = webcore_of()
    gone = ci("X", "component", "update")

    assert canopsis.failed(gone, without(A, "type")) == (
        """<ValidationError: "u'type' is a required property">"""
    )
    assert canopsis.failed(ci("S", "service")).startswith(
        """<ValidationError: "u'service' does not match u'^resource$|"""
    )
    assert canopsis.failed(A | {"action": "some"}).startswith("<ValidationError: ")
    assert canopsis.failed(A | {"infos": []}) == (
        """<ValidationError: "[] is not of type u'object'">"""
    )
    assert canopsis.failed(A, links=(without(BELOW, "to"),)) == (
        """<ValidationError: "u'to' is a required property">"""
    )
    assert canopsis.ids() == []


def test_a_part_that_is_no_array_is_refused(webcore_of: Begin) -> None:
    canopsis = webcore_of()

    job = canopsis.put({"json": {"cis": {}}}).json()["data"][0]["import_id"]
    canopsis.control("tick")

    assert canopsis.status(job)["info"] == "<ValidationError: u'CIS should be an array.'>"


def test_only_the_first_line_is_read(webcore_of: Begin) -> None:
    canopsis = webcore_of()
    body = orjson.dumps({"json": {"cis": [A]}}, option=orjson.OPT_INDENT_2)

    job = canopsis.put(body).json()["data"][0]["import_id"]
    canopsis.control("tick")

    assert canopsis.status(job)["stats"] == {"deleted": 0, "updated": 0}
    assert canopsis.ids() == []
    packed = canopsis.put(gzip.compress(body), headers={"content-encoding": "gzip"})
    canopsis.control("tick")
    assert canopsis.status(packed.json()["data"][0]["import_id"])["stats"]["updated"] == 1


def test_the_wrapper_is_mandatory(webcore_of: Begin) -> None:
    canopsis = webcore_of()

    response = canopsis.put({"cis": [A]})

    assert response.status_code == 500
    assert response.json()["success"] is False
    assert response.json()["data"]["msg"] == (
        "put_graph() got an unexpected keyword argument 'cis'"
    )
    assert set(response.json()["data"]) == {"traceback", "type", "msg"}
    sourced = canopsis.put({"json": {"cis": []}}, params={"authkey": "sandbox-key", "source": "s"})
    assert sourced.status_code == 500
    assert canopsis.put(b"[1]").status_code == 500


def test_what_cannot_be_stored_is_told_with_200(webcore_of: Begin) -> None:
    canopsis = webcore_of()
    canopsis.control("knobs", store_fault="[Errno 28] No space left on device")

    response = canopsis.put({"json": {"cis": [A]}})

    assert response.status_code == 200
    words = "Impossible to store the import: [Errno 28] No space left on device."
    assert response.json() == {"total": 1, "data": [{"error": words}], "success": True}


def test_the_defaults_of_a_new_entity(webcore_of: Begin) -> None:
    canopsis = webcore_of()

    canopsis.done(without(ci("A", "component", "set", foo=1), "enabled"))

    component = without(canopsis.entity("A"), "links")
    lists: Item = {"depends": [], "impact": [], "measurements": []}
    assert component == lists | {
        "_id": "A",
        "name": "A",
        "type": "component",
        "infos": {},
        "foo": 1,
    }


def test_create_replaces_set_merges_update_copies(webcore_of: Begin) -> None:
    canopsis = webcore_of()
    canopsis.done(ci("A", "component", infos=infos(a=1), foo=1, name="first"))

    canopsis.done(ci("A", "component", "set", infos={"a": {"unit": "m"}, **infos(b=2)}))
    merged = canopsis.entity("A")
    assert merged["infos"] == {"a": {"value": 1, "unit": "m"}, "b": {"value": 2}}
    assert (merged["foo"], merged["name"]) == (1, "first")

    canopsis.done(ci("A", "component", "update", infos=infos(c=3)))
    updated = canopsis.entity("A")
    assert values(updated) == {"c": 3}
    assert (updated["foo"], updated["name"]) == (1, "first")

    canopsis.done(ci("A", "component", "create"))
    created = canopsis.entity("A")
    assert created["infos"] == {}
    assert created["name"] == "A"
    assert "foo" not in created


def test_links_are_made_and_unmade(webcore_of: Begin) -> None:
    canopsis = webcore_of()

    assert canopsis.done(A, R, links=(BELOW,)) == {"deleted": 0, "updated": 2}
    assert canopsis.entity("R/A")["impact"] == ["A"]
    assert canopsis.entity("A")["depends"] == ["R/A"]
    canopsis.done(ci("A", "component", "set"))
    assert canopsis.entity("A")["depends"] == ["R/A"]
    canopsis.done(links=(BELOW | {"action": "delete"},))
    assert canopsis.entity("A")["depends"] == canopsis.entity("R/A")["impact"] == []
    canopsis.done(links=(BELOW,))
    canopsis.done(ci("A", "component", "create"))
    assert canopsis.entity("A")["depends"] == []


def test_what_links_may_not_do(webcore_of: Begin) -> None:
    canopsis = webcore_of()

    assert canopsis.failed(A, links=(BELOW,)) == "KeyError(u'R/A',)"
    assert canopsis.failed(R, links=(BELOW,)) == "KeyError(u'A',)"
    for action in ("update", "enable", "disable"):
        switched = BELOW | {"action": action, "action_properties": {action: None}}
        assert canopsis.failed(A, R, links=(switched,)) == "NotImplementedError()"
    assert "not recognized" in canopsis.failed(A, R, links=(BELOW | {"action": "set"},))
    assert canopsis.ids() == []


def test_a_deletion_is_for_good_and_takes_the_references_along(webcore_of: Begin) -> None:
    canopsis = webcore_of()
    canopsis.done(A, R, links=(BELOW,))

    assert canopsis.done(ci("A", "component", "delete")) == {"deleted": 1, "updated": 1}

    assert canopsis.ids() == ["R/A"]
    assert canopsis.entity("R/A")["impact"] == []
    info = canopsis.failed(ci("A", "component", "delete"), ci("B", "component"))
    assert info == "IndexError('list index out of range',)"


def test_a_component_and_its_resources_go_together(webcore_of: Begin) -> None:
    canopsis = webcore_of()
    canopsis.done(A, R, links=(BELOW,))

    gone = [ci("A", "component", "delete"), ci("R/A", "resource", "delete")]
    assert canopsis.done(*gone) == {"deleted": 2, "updated": 0}
    assert canopsis.ids() == []


def test_an_entity_that_is_updated_after_its_deletion_cancels_all(webcore_of: Begin) -> None:
    canopsis = webcore_of()
    canopsis.done(A)

    info = canopsis.failed(
        ci("B", "component"), ci("A", "component", "delete"), ci("A", "component", "set")
    )

    assert info == (
        "ValueError(u'The entity A to be deleted is updated in the same import. Update aborted.',)"
    )
    assert canopsis.ids() == ["A"]
    assert canopsis.done(ci("A", "component", "set"), ci("A", "component", "delete")) == {
        "deleted": 1,
        "updated": 0,
    }


def test_switching_needs_its_properties_and_touches_nothing_else(webcore_of: Begin) -> None:
    canopsis = webcore_of()
    canopsis.done(A, R, links=(BELOW,))
    bare = ci("A", "component", "disable")

    assert canopsis.failed(bare) == "KeyError(u'action_properties',)"
    assert canopsis.failed(bare | {"action_properties": {"enable": 1}}) == "KeyError(u'disable',)"
    assert "does not match any" in canopsis.failed(switch("X", "component", "enable"))
    canopsis.done(switch("A", "component", "disable", 5))
    disabled = canopsis.entity("A")
    assert (disabled["enabled"], disabled["disable_history"]) == (False, [5])
    assert canopsis.entity("R/A")["enabled"] is True
    canopsis.done(switch("A", "component", "enable"), switch("R/A", "resource", "disable", [1, 2]))
    assert canopsis.entity("A")["enabled"] is True
    assert values(canopsis.entity("A")) == {"k": "v"}
    assert canopsis.entity("R/A")["disable_history"] == [1, 2]


def test_a_watcher_depends_on_what_its_filter_matches(webcore_of: Begin) -> None:
    canopsis = webcore_of()
    watcher = ci("W", "watcher", mfilter='{"name": {"$regex": "^x"}}')

    canopsis.done(watcher, ci("x1", "component"), ci("y1", "component"))

    assert canopsis.entity("W")["depends"] == ["x1"]
    assert canopsis.entity("x1")["impact"] == ["W"]
    canopsis.done(ci("x2", "component"))
    assert canopsis.entity("W")["depends"] == ["x1", "x2"]
