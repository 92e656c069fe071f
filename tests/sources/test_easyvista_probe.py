"""What the probe of an EasyVista tells, and what it costs."""

from collections.abc import Iterator

import pytest

from sources.errors import Refused, Unreachable
from tests.sources.easyvista_rig import ROOT, Rig, served

ASSETS = {"resource": "assets"}
VIEW = {"internal_query": {"queryguid": "{7C0A51E4-93B2-4D5C-8E21-0B6F3A9D1C01}"}}


@pytest.fixture(scope="module")
def one() -> Iterator[Rig]:
    with served() as rig:
        yield rig


@pytest.fixture
def rig(one: Rig) -> Rig:
    one.hold()
    return one


def test_it_tells_version_identity_account_and_rights(rig: Rig) -> None:
    probe = rig.probe({"assets": ASSETS, "links": {"links": {}}, "view": VIEW})

    assert probe.version == "Version 2025.3"
    assert probe.identity == "user api, account 50004"
    assert probe.rights == (
        "read assets",
        "read configuration-items",
        "read configuration-items/{id}/item-links",
        "read internalqueries",
    )
    assert probe.lacking == ()


def test_it_reads_one_row_of_each_list_at_most(rig: Rig) -> None:
    rig.probe({"assets": ASSETS, "links": {"links": {}}, "view": VIEW})

    lists = [call for call in rig.state.traffic.calls if not call["path"].endswith("/swagger")]
    assert {call["query"]["max_rows"] for call in lists} == {"1"}


@pytest.mark.parametrize("build", ["2018", "2021"])
def test_a_build_without_description_is_asked_all_the_same(rig: Rig, build: str) -> None:
    rig.state.turn({"build": build})

    probe = rig.probe({"assets": ASSETS})

    assert probe.version == "EasyVista REST API v1"
    assert probe.lacking == ()


def test_a_license_without_description_tells_the_age(rig: Rig) -> None:
    rig.state.turn({"users": {"api": {"denied": ["swagger"]}}})

    assert rig.probe({"assets": ASSETS}).version == "2022.1 or later"


def test_a_right_that_lacks_is_named_and_the_others_are_asked_for(rig: Rig) -> None:
    denied = ["employees", "configuration-items/{id}/item-links"]
    rig.state.turn({"users": {"api": {"denied": denied}}})
    tables = {
        "people": {"resource": "employees"},
        "nowhere": {"resource": "machines", "key": "ID"},
        "links": {"links": {}},
        "places": {"resource": "locations"},
    }

    probe = rig.probe(tables)

    assert probe.rights == ("read configuration-items", "read locations")
    assert probe.lacking == (
        "people: read employees (403: the profile has no right to it)",
        "nowhere: read machines (403: /swagger has no such route)",
        "links: read configuration-items/{id}/item-links (403: the profile has no right to it)",
    )


def test_cis_are_needed_to_look_for_what_assets_leaves_out(rig: Rig) -> None:
    rig.state.turn({"users": {"api": {"denied": ["configuration-items"]}}})

    assert len(rig.probe({"assets": ASSETS}).lacking) == 1
    assert rig.probe({"assets": ASSETS | {"crosscheck": "none"}}).lacking == ()


def test_a_view_that_does_not_exist_is_lacking(rig: Rig) -> None:
    probe = rig.probe({"view": {"internal_query": {"queryguid": "{0}"}}})

    assert len(probe.lacking) == 1
    assert "590" in probe.lacking[0]


def test_an_empty_list_has_no_links_to_ask_for(rig: Rig) -> None:
    rig.hold({"AM_ASSET": []})

    assert rig.probe({"links": {"links": {}}}).rights == ("read configuration-items",)


@pytest.mark.parametrize("wrong", [{"account": 99999}, {"auth": {"type": "bearer", "token": "x"}}])
def test_a_wrong_account_or_token_is_refused_at_the_first_call(
    rig: Rig, wrong: dict[str, object]
) -> None:
    with pytest.raises(Refused, match="Invalid Login") as caught:
        rig.probe({"assets": ASSETS}, **wrong)

    assert "`account`" in caught.value.__notes__[1]
    assert rig.calls() == 1


def test_an_access_token_is_sent_as_a_bearer(rig: Rig) -> None:
    probe = rig.probe({"assets": ASSETS}, auth={"type": "bearer", "token": "api-token"})

    assert probe.identity == "bearer token, account 50004"
    assert rig.state.traffic.calls[0]["path"] == ROOT + "swagger"


def test_an_outage_is_an_outage(rig: Rig) -> None:
    rig.state.turn({"faults": [{"kind": "status", "status": 503, "times": 0}]})

    with pytest.raises(Unreachable):
        rig.probe({"assets": ASSETS})
