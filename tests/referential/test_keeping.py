"""In a window of dates nothing is taken away, and what is left behind stays known as ours."""

import pandas as pd

from referential.feed import Feed
from referential.keeping import with_all_ever_given
from referential.plan import Plan, make_plan
from tests.referential.frames import component, found_of, known_of

FEED = Feed("acme/servers", "prod")


def planned(found: pd.DataFrame, known: pd.DataFrame) -> Plan:
    options = {"feed": FEED, "mode": "backfill", "missing": "disable", "complete": True}
    return make_plan(with_all_ever_given(found, known), known, **options)  # type: ignore[arg-type] - words of the call


def test_an_entity_that_lost_infos_and_its_category_is_updated_and_both_stay_ours() -> None:
    found = found_of(component("a", "v2"), component("b", "v2"), component("new"))
    known = known_of(component("a"), component("b"), component("gone"))
    found["infos"] = ["env", "env\nsite", "env"]
    known["infos"] = ["env\nnote", "env\nsite", ""]
    known["category"] = ["Server", "", ""]

    plan = planned(found, known)

    assert plan.changes["action"].tolist() == ["create", "update", "update"]
    rows = plan.changes.set_index("id")
    assert set(rows.loc["a", "infos"].split("\n")) == {"env", "note"}
    assert rows.loc["a", "category"] == "Server"
    assert set(rows.loc["b", "infos"].split("\n")) == {"env", "site"}
    assert rows["stale"].tolist() == rows["cleared"].tolist() == [""] * 3
    assert found["infos"].tolist()[0] == "env"  # what was found is as it was


def test_the_next_run_that_prunes_takes_away_what_a_window_left() -> None:
    known = known_of(component("a", "v2"))
    known["infos"] = ["env\nnote"]
    found = found_of(component("a", "v3"))
    found["infos"] = ["env"]

    plan = make_plan(
        found, known, feed=FEED, mode="sync", missing="disable", complete=True, prune=True
    )

    assert plan.changes[["action", "stale"]].to_numpy().tolist() == [["prune", "note"]]


def test_nothing_found_or_nothing_known_is_as_it_is() -> None:
    assert len(with_all_ever_given(found_of(), known_of(component("a")))) == 0
    found = with_all_ever_given(found_of(component("a")), known_of())
    assert found["id"].tolist() == ["a"]
