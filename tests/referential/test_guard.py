from typing import Any

import pytest
from pydantic import ValidationError

from referential.errors import PlanRefused
from referential.feed import Feed
from referential.guard import Limits, judge
from referential.plan import Plan, make_plan
from tests.referential.frames import component, disabled, found_of, known_of

FEED = Feed("acme/servers", "prod")


def plan_of(*, kept: int, changed: int = 0, gone: int = 0, new: int = 0, **options: Any) -> Plan:
    """A plan over a feed of `kept` + `changed` + `gone` entities, `new` of which come to it."""
    rows = {
        "kept": [component(f"kept{n}") for n in range(kept)],
        "changed": [component(f"changed{n}") for n in range(changed)],
        "gone": [component(f"gone{n}") for n in range(gone)],
    }
    found = [
        *rows["kept"],
        *(component(f"changed{n}", "v2") for n in range(changed)),
        *(component(f"new{n}") for n in range(new)),
    ]
    known = known_of(*rows["kept"], *rows["changed"], *rows["gone"])
    defaults: dict[str, Any] = {"mode": "sync", "missing": "disable", "complete": True}
    return make_plan(found_of(*found), known, feed=FEED, **(defaults | options))


def judged(plan: Plan, limits: Limits | None = None, **options: bool) -> None:
    counts = plan.counts
    known = counts["unchanged"] + counts["update"] + counts["missing"]
    found = counts["unchanged"] + counts["update"] + counts["create"]
    judge(plan, found=found, known=known, limits=limits or Limits(), **options)


def test_a_refusal_lists_every_limit_with_its_numbers_and_the_command_that_accepts() -> None:
    plan = plan_of(kept=170, changed=700, gone=130)

    with pytest.raises(PlanRefused) as caught:
        judged(plan)

    assert str(caught.value) == (
        "130 of 1,000 entities are missing (13.0 %), limit 100 (10%); "
        "700 of 1,000 entities changed (70.0 %), limit 600 (60%)"
    )
    assert caught.value.__notes__ == [
        f"where: acme/servers -> prod, plan {plan.checksum}",
        (
            "mend: nothing was written; read the plan, and if it is right let it pass once:"
            " refsync sync acme/servers --allow-changed --allow-missing"
        ),
    ]


def test_a_limit_that_is_met_is_not_passed() -> None:
    judged(plan_of(kept=300, changed=600, gone=100))


def test_an_option_lifts_its_own_limit_and_stays_in_the_command() -> None:
    plan = plan_of(kept=170, changed=700, gone=130)

    judged(plan, allow_missing=True, allow_changed=True)
    with pytest.raises(PlanRefused, match=r"^700 of 1,000 entities changed") as caught:
        judged(plan, allow_missing=True)

    assert caught.value.__notes__[1].endswith(
        "refsync sync acme/servers --allow-changed --allow-missing"
    )


def test_the_command_of_a_full_run_stays_full() -> None:
    with pytest.raises(PlanRefused) as caught:
        judged(plan_of(kept=50, gone=50, mode="full"))

    assert caught.value.__notes__[1].endswith("refsync sync acme/servers --full --allow-missing")


def test_a_first_load_passes() -> None:
    judged(plan_of(kept=0, new=5_000))


@pytest.mark.parametrize("known", [0, 5])
@pytest.mark.parametrize("mode", ["sync", "full"])
def test_no_record_at_all_is_an_outage_whatever_the_options(known: int, mode: str) -> None:
    plan = plan_of(kept=0, gone=known, mode=mode)

    with pytest.raises(PlanRefused, match=f"gave no entity at all, where {known} are known"):
        judged(plan, Limits(missing="100%"), allow_missing=True, allow_changed=True)


def test_a_window_of_dates_may_be_empty() -> None:
    judged(plan_of(kept=0, gone=5, mode="backfill"))


@pytest.mark.parametrize(
    ("known", "gone", "passes"),
    [(1, 1, True), (5, 2, True), (5, 3, False), (19, 2, True), (19, 3, False), (30, 3, True)],
)
def test_a_small_feed_is_judged_as_if_it_owned_the_minimum_population(
    known: int, gone: int, *, passes: bool
) -> None:
    plan = plan_of(kept=known - gone, gone=gone, new=1)

    if passes:
        judged(plan)
    else:
        with pytest.raises(PlanRefused, match=r"limit 2 \(10% of the minimum population 20\)"):
            judged(plan)


@pytest.mark.parametrize(("gone", "passes"), [(3, True), (4, False)])
def test_a_limit_may_be_a_number_of_entities(gone: int, *, passes: bool) -> None:
    plan = plan_of(kept=1_000, gone=gone)

    if passes:
        judged(plan, Limits(missing=3))
    else:
        with pytest.raises(
            PlanRefused, match=r"^4 of 1,004 entities are missing \(0.4 %\), limit 3"
        ):
            judged(plan, Limits(missing=3))


def test_a_limit_of_zero_lets_nothing_go() -> None:
    for zero in ("00%", "0%", 0):
        with pytest.raises(PlanRefused):
            judged(plan_of(kept=1_000, gone=1), Limits(missing=zero))
        judged(plan_of(kept=1_000), Limits(missing=zero))


def test_what_is_missing_and_kept_is_not_counted() -> None:
    judged(plan_of(kept=10, gone=90, missing="keep"))


def test_deletions_count_like_disables() -> None:
    with pytest.raises(PlanRefused):
        judged(plan_of(kept=10, gone=90, missing="delete"))


def test_sending_everything_again_is_no_change() -> None:
    judged(plan_of(kept=1_000, mode="full"))


def test_what_is_found_again_is_not_counted_as_changed() -> None:
    known = known_of(*(disabled(component(f"srv{n}")) for n in range(100)))
    found = found_of(*(component(f"srv{n}") for n in range(100)))
    plan = make_plan(found, known, feed=FEED, mode="sync", missing="disable", complete=True)

    judge(plan, found=100, known=0, limits=Limits())

    assert plan.counts["enable"] == 100


def test_a_removal_from_a_dataset_not_read_completely_is_refused_whatever_the_options() -> None:
    whole = plan_of(kept=100, gone=1)
    for complete in (False, frozenset({"disks"})):
        plan = Plan(
            feed=FEED,
            mode="sync",
            missing="disable",
            complete=complete,
            changes=whole.changes,
            duplicates=whole.duplicates,
            counts=whole.counts,
            checksum=whole.checksum,
        )
        with pytest.raises(PlanRefused, match="removes entities of servers, not read completely"):
            judged(plan, allow_missing=True, allow_changed=True)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("10%", "10%"),
        (" 10 % ", "10%"),
        ("00%", "0%"),
        ("0012%", "12%"),
        ("12.5%", "12.5%"),
        ("100%", "100%"),
        (50, 50),
        (0, 0),
    ],
)
def test_a_limit_is_a_percentage_or_a_whole_number(written: Any, read: str | int) -> None:
    limits = Limits(missing=written, changed=written)

    assert (limits.missing, limits.changed) == (read, read)


@pytest.mark.parametrize(
    "written",
    [
        "10",
        "00",
        "",
        "%",
        "-1%",
        "101%",
        "100.1%",
        "1e1%",
        "ten%",  # and digits of another script:
        "\uff11\uff10%",
        -1,
        0.1,
        True,
        None,
        [],
    ],
)
def test_what_is_no_limit_is_refused_when_the_job_is_read(written: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        Limits(missing=written)

    assert "write a percentage from 0% to 100%, with its sign, or a whole number" in str(
        caught.value
    )


def test_a_word_that_limits_do_not_know_is_refused() -> None:
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        Limits(deleted="10%")  # type: ignore[call-arg]


def test_the_schema_offers_both_forms_with_a_description() -> None:
    field = Limits.model_json_schema()["properties"]["missing"]

    assert [each["type"] for each in field["anyOf"]] == ["string", "integer"]
    assert field["default"] == "10%"
    assert field["description"].startswith("Most entities that one run may disable or delete")


def test_a_dataset_that_gives_nothing_though_it_owns_entities_is_an_outage() -> None:
    plan = plan_of(kept=500, gone=2)

    with pytest.raises(PlanRefused, match="no entity for links, which own some"):
        judge(plan, found=500, known=502, limits=Limits(), emptied=("links",), allow_missing=True)
