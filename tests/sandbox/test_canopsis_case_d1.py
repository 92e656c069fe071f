"""The cases of dialect D1 (`specs/canopsis.md` §10: 102 to 110), by version."""

import pytest

from tests.sandbox.canopsis_cases import Json, infos, values
from tests.sandbox.canopsis_linked import A, R, Start, ci, link, linked_of

__all__ = ["linked_of"]

SPEAKING = ("4.3.0", "4.6", "22.10", "23.04.5", "23.10")
TYPED = SPEAKING[1:]
DONE = ("done", "")


@pytest.mark.parametrize("version", TYPED)
def test_case_102_a_link_says_whose_resource_it_is(linked_of: Start, version: str) -> None:
    canopsis = linked_of(version)

    assert canopsis.run(A, R, links=(link("A", "R/A"),)) == DONE

    resource = canopsis.entity("R/A")
    assert resource["component"] == "A"
    assert values(resource, "component_infos") == {"k": "v"}


@pytest.mark.parametrize("version", SPEAKING[:3])
def test_case_102_up_to_22_10_a_link_is_in_the_arrays_of_both_ends(
    linked_of: Start, version: str
) -> None:
    canopsis = linked_of(version)

    canopsis.run(A, R, links=(link("A", "R/A"),))

    assert canopsis.entity("R/A")["impact"] == ["A"]
    assert canopsis.entity("A")["depends"] == ["R/A"]
    canopsis.run(R)
    assert canopsis.entity("R/A")["impact"] == []  # a create forgets the links


@pytest.mark.parametrize("version", SPEAKING)
def test_case_102_the_wrapper_may_be_absent(linked_of: Start, version: str) -> None:
    canopsis = linked_of(version)

    assert canopsis.ran({"cis": [A]}) == DONE
    assert canopsis.entity("A")["enabled"]


@pytest.mark.parametrize("version", SPEAKING)
def test_case_103_an_update_replaces_the_infos(linked_of: Start, version: str) -> None:
    canopsis = linked_of(version)

    assert canopsis.run(ci("A", "component", "update")) == (
        "failed",
        "failed to update an entity with _id = A",
    )
    canopsis.run(ci("A", "component", infos=infos(a=1), impact_level=3, name="other"))
    assert canopsis.run(ci("A", "component", "update", infos=infos(b=2))) == DONE

    component = canopsis.entity("A")
    assert values(component) == {"b": 2}
    assert (component["impact_level"], component["name"]) == (1, "A")


@pytest.mark.parametrize("version", SPEAKING)
def test_case_104_a_set_merges_the_infos(linked_of: Start, version: str) -> None:
    canopsis = linked_of(version)

    assert canopsis.run(ci("A", "component", "set", infos=infos(a=1))) == DONE
    assert canopsis.run(ci("A", "component", "set", infos=infos(b=2))) == DONE

    assert values(canopsis.entity("A")) == {"a": 1, "b": 2}


@pytest.mark.parametrize("version", TYPED)
def test_case_105_a_deleted_component_leaves_its_resources(linked_of: Start, version: str) -> None:
    canopsis = linked_of(version)
    canopsis.run(A, R, links=(link("A", "R/A"),))

    job = canopsis.send({"cis": [ci("A", "component", "delete")]})
    canopsis.settle()

    assert canopsis.status(job)["stats"]["deleted"] == 1
    assert canopsis.get("entitybasics", _id="A").status_code == 404
    resource = canopsis.entity("R/A")
    assert "component" not in resource
    assert "component_infos" not in resource
    state = canopsis._session.get(f"{canopsis.control_url}/sandbox/state", timeout=10).json()
    assert [entity["_id"] for entity in state["entities"]] == ["R/A"]


@pytest.mark.parametrize("version", SPEAKING)
@pytest.mark.parametrize("action", ["delete", "enable", "disable"])
def test_case_106_what_is_absent_cannot_be_changed(
    linked_of: Start, version: str, action: str
) -> None:
    told = linked_of(version).run(ci("A", "component", action))

    assert told == ("failed", f"failed to {action} an entity with _id = A")


@pytest.mark.parametrize("version", SPEAKING)
def test_case_107_an_item_needs_an_id_and_a_type(linked_of: Start, version: str) -> None:
    canopsis = linked_of(version)

    nameless = canopsis.run({"_id": "A", "type": "component", "action": "create"})
    untold = canopsis.run({"_id": "B", "action": "create"})
    blank = canopsis.run({"type": "component", "action": "create"})
    odd = canopsis.run(ci("B", "watcher"))

    assert (nameless, canopsis.entity("A")["name"]) == (DONE, "A")
    assert untold == ("failed", "ci = B, validation error: type is required")
    assert blank == ("failed", "ci = , validation error: _id is required")
    wrong = "" if version == "4.3.0" else ' "watcher"'
    assert odd == ("failed", f"ci = B, validation error: type is not valid{wrong}")


@pytest.mark.parametrize("version", SPEAKING)
def test_case_108_a_link_is_created_or_deleted(linked_of: Start, version: str) -> None:
    canopsis = linked_of(version)

    told = [
        canopsis.run(links=(link("A", "R/A", action=action),))
        for action in ("update", "enable", "disable", "some")
    ]

    unknown = ("failed", "the action some is not recognized")
    assert told == [*[("failed", "import action not implemented")] * 3, unknown]


@pytest.mark.parametrize("version", SPEAKING)
@pytest.mark.parametrize(
    ("body", "info"),
    [
        ({"json": {"cis": "test"}}, "cis should be an array"),
        ({"json": {"links": "test"}}, "links should be an array"),
        ({"json": {}}, "empty import"),
        ({"a": "cis"}, "cis should be an array"),
        (b"", "empty import"),
        (b"{}", "empty import"),
        (b'{"cis": [{"_id": 3}]}', None),
        (b'{"cis": [{"_id": "A"', "failed to decode cis item: unexpected EOF"),
        (b'{"cis": ["', "failed to decode cis item: unexpected EOF"),
        (b'{"cis":', "failed to parse cis: EOF"),
        (b"not json", "invalid character 'o' in literal null (expecting 'u')"),
    ],
)
def test_case_109_a_body_without_arrays_fails(
    linked_of: Start, version: str, body: Json, info: str | None
) -> None:
    mistyped = (
        "failed to decode cis item: json: cannot unmarshal number into Go struct field "
        "ConfigurationItem._id of type string"
    )

    assert linked_of(version).ran(body) == ("failed", info or mistyped)


def test_case_110_the_status_of_4_3_is_capitalised(linked_of: Start) -> None:
    canopsis = linked_of("4.3.0")
    job = canopsis.send({"cis": [A]})

    pending = canopsis.status(job)
    canopsis.settle()

    assert list(pending) == ["ID", "Creation", "Status", "Info", "ExecTime", "Stats"]
    assert (pending["ID"], pending["Status"]) == (job, "pending")
    assert canopsis.status(job)["Stats"] == {"deleted": 0, "updated": 1}


@pytest.mark.parametrize("version", TYPED)
def test_a_link_created_and_deleted_in_one_payload_is_gone(linked_of: Start, version: str) -> None:
    canopsis = linked_of(version)

    canopsis.run(A, R, links=(link("A", "R/A"), link("A", "R/A", action="delete")))

    assert "component" not in canopsis.entity("R/A")


@pytest.mark.parametrize("version", TYPED)
def test_a_connector_is_linked_to_what_it_tells_of(linked_of: Start, version: str) -> None:
    canopsis = linked_of(version)
    connector = ci("c/n", "connector", name="n")

    canopsis.run(A, R, connector, links=(link("c/n", "A"), link("A", "R/A"), link("R/A", "c/n")))

    assert [canopsis.entity(each)["connector"] for each in ("A", "R/A")] == ["c/n", "c/n"]


@pytest.mark.parametrize("version", SPEAKING)
def test_a_switch_does_not_reach_the_resources(linked_of: Start, version: str) -> None:
    canopsis = linked_of(version)
    canopsis.run(A, R, links=(link("A", "R/A"),))

    assert canopsis.run(ci("A", "component", "disable")) == DONE

    assert [canopsis.entity(each)["enabled"] for each in ("A", "R/A")] == [False, True]


@pytest.mark.parametrize("version", TYPED)
def test_a_changed_component_tells_its_resources(linked_of: Start, version: str) -> None:
    canopsis = linked_of(version)
    canopsis.run(A, R, links=(link("A", "R/A"),))

    canopsis.run(ci("A", "component", "set", infos=infos(more=1)))

    assert values(canopsis.entity("R/A"), "component_infos") == {"k": "v", "more": 1}


@pytest.mark.parametrize("version", ["4.6", "22.10"])
def test_a_missing_enabled_leaves_the_job_ongoing_for_ever(linked_of: Start, version: str) -> None:
    canopsis = linked_of(version)
    canopsis.run(A)
    trap = {key: value for key, value in A.items() if key != "enabled"} | {"action": "set"}

    assert canopsis.run(trap) == ("ongoing", "")
    canopsis.advance(3600)

    assert canopsis.run(A) == DONE  # the next job is taken all the same


def test_a_missing_enabled_brings_the_api_of_23_down(linked_of: Start) -> None:
    canopsis = linked_of("23.10")
    canopsis.run(A)
    job = canopsis.send({"cis": [{"_id": "A", "type": "component", "action": "update"}]})
    canopsis.control("tick")

    with pytest.raises(OSError, match=r"."):
        canopsis.status(job)

    assert canopsis.status(job)["status"] == "ongoing"
    canopsis.advance(301)
    assert canopsis.status(job)["status"] == "failed"
    assert canopsis.status(job)["info"].endswith("no such file or directory")


@pytest.mark.parametrize("version", ["4.3.0", "4.5.8"])
def test_before_4_5_9_enabled_may_be_missing(linked_of: Start, version: str) -> None:
    canopsis = linked_of(version)
    canopsis.run(A)

    assert canopsis.run({"_id": "A", "type": "component", "action": "set"}) == DONE
    assert canopsis.entity("A")["enabled"]
