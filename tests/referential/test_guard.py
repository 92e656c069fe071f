from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from referential.errors import PlanRefused
from referential.feed import Feed
from referential.guard import LimitsPassed, Usual, judge, parts_of, usual_of
from referential.history import Run
from referential.limits import Limits
from referential.plan import Plan, make_plan
from tests.referential.frames import component, disabled, found_of, known_of

FEED = Feed("acme/servers", "prod")
MOMENT = datetime(2026, 11, 24, 2, tzinfo=UTC)


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
            "mend: nothing was written; read the plan, and if it is right accept this very one:"
            f" refsync sync acme/servers --accept {plan.checksum}; or whatever the plan is by"
            " then: --allow-changed --allow-missing in place of --accept"
        ),
    ]


def test_a_limit_that_is_met_is_not_passed() -> None:
    judged(plan_of(kept=300, changed=600, gone=100))


def test_an_option_lifts_its_own_limit_and_stays_in_the_command() -> None:
    plan = plan_of(kept=170, changed=700, gone=130)

    judged(plan, allow_missing=True, allow_changed=True)
    with pytest.raises(PlanRefused, match=r"^700 of 1,000 entities changed") as caught:
        judged(plan, allow_missing=True)

    assert "then: --allow-changed --allow-missing in place of" in caught.value.__notes__[1]


def test_the_command_of_a_full_run_stays_full() -> None:
    plan = plan_of(kept=50, gone=50, mode="full")

    with pytest.raises(PlanRefused) as caught:
        judged(plan)

    assert (
        f"refsync sync acme/servers --full --accept {plan.checksum};" in caught.value.__notes__[1]
    )


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


# --- limits of parts


def parted(limits: Limits, *, gone: int = 0, changed: int = 0, mode: str = "sync") -> None:
    """Judge a feed of 1,000 servers and 100 links (category `App`), of which links go or change."""
    servers = [component(f"srv{n}") for n in range(1_000)]
    links = [component(f"link{n}", dataset="links") for n in range(100)]
    after = [
        component(f"link{n}", "v2" if n < changed else "v1", dataset="links")
        for n in range(100 - gone)
    ]
    known = known_of(*servers, *links)
    known["category"] = known["dataset"].map({"servers": "Server", "links": "App"})
    plan = make_plan(
        found_of(*servers, *after),
        known,
        feed=FEED,
        mode=mode,  # type: ignore[arg-type]
        missing="disable",
        complete=True,
    )
    judge(plan, found=1_100, known=1_100, limits=limits, parts=parts_of(plan, known, limits))


def test_a_dataset_is_judged_by_its_own_limit_beside_the_whole() -> None:
    own = Limits(datasets={"links": {"missing": "5%"}})

    parted(Limits(), gone=30)
    parted(own, gone=5)
    with pytest.raises(PlanRefused) as caught:
        parted(own, gone=30)

    assert str(caught.value) == (
        "dataset links: 30 of 100 entities are missing (30.0 %), limit 5 (5%)"
    )


def test_a_category_is_judged_by_its_own_limit() -> None:
    own = Limits(categories={"App": {"changed": 10}})

    parted(own, changed=10, mode="full")
    with pytest.raises(PlanRefused, match=r"^category App: 11 of 100 entities changed"):
        parted(own, changed=11, mode="full")


def test_every_limit_that_is_passed_is_told_at_once() -> None:
    own = Limits(
        missing=2, datasets={"links": {"missing": 0}}, categories={"App": {"missing": "1%"}}
    )

    with pytest.raises(LimitsPassed) as caught:
        parted(own, gone=30)

    assert [each.part for each in caught.value.breaches] == ["", "dataset links", "category App"]
    assert caught.value.of_removals_alone


def test_a_part_that_limits_nothing_is_refused() -> None:
    with pytest.raises(ValidationError, match="limit nothing"):
        Limits(datasets={"links": {}})


# --- what is usual


def usual(*removed: int, changed: int = 0) -> Usual | None:
    return usual_of([run_that(each, changed) for each in removed])


def run_that(removed: int, changed: int) -> Run:
    counts = {"plan": {"disable": removed, "changed": changed}}
    return Run("r", FEED, "sync", MOMENT, MOMENT, "done", counts)


def judged_beside(before: Usual | None, gone: int, limits: Limits | None = None) -> None:
    plan = plan_of(kept=10_000 - gone, gone=gone)
    judge(plan, found=10_000, known=10_000, limits=limits or Limits(), usual=before)


def test_ten_times_the_usual_is_too_much_though_the_limits_let_it_pass() -> None:
    before = usual(20, 0, 40, 20, 30)

    judged_beside(before, 200)
    with pytest.raises(PlanRefused) as caught:
        judged_beside(before, 201)

    assert str(caught.value) == (
        "201 entities are missing where 20 is usual (median of 5 runs), limit 200 (10 times, or"
        " what is never too much)"
    )


def test_where_nothing_ever_goes_a_hundredth_may() -> None:
    before = usual(*[0] * 10)

    judged_beside(before, 100)
    with pytest.raises(PlanRefused, match=r"^101 entities are missing where 0 is usual"):
        judged_beside(before, 101)


def test_of_fewer_than_five_runs_nothing_is_usual() -> None:
    assert usual(0, 0, 0, 0) is None
    judged_beside(None, 900)


def test_only_the_last_ten_runs_count() -> None:
    assert usual(*[0] * 10, *[500] * 30) == Usual(removed=0, changed=0, runs=10)


def test_the_rule_of_the_median_can_be_turned_off_or_changed() -> None:
    before = usual(*[20] * 10)

    judged_beside(before, 900, Limits(median="off"))
    judged_beside(before, 300, Limits(median=15))
    with pytest.raises(PlanRefused):
        judged_beside(before, 301, Limits(median=15))


@pytest.mark.parametrize("option", ["allow_missing", "accept"])
def test_an_option_lifts_the_rule_of_the_median_too(option: str) -> None:
    plan = plan_of(kept=9_500, gone=500)
    value = True if option == "allow_missing" else plan.checksum

    judge(
        plan,
        found=9_500,
        known=10_000,
        limits=Limits(),
        usual=usual(*[0] * 10),
        **{option: value},  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    "written", ["10", "0", "00", "on", "", 0, 0.5, -1, True, None, float("nan"), float("inf"), []]
)
def test_what_is_no_multiple_is_refused_when_the_job_is_read(written: Any) -> None:
    with pytest.raises(ValidationError, match="write a number, 1 or more, or `off`"):
        Limits(median=written)


@pytest.mark.parametrize("written", ["00", "0", "10", 10.5, True, None, "-1%", "ten%", []])
@pytest.mark.parametrize("word", ["missing", "changed"])
def test_what_is_no_limit_is_refused_for_a_part_too(word: str, written: Any) -> None:
    with pytest.raises(ValidationError, match="is no limit"):
        Limits(datasets={"links": {word: written}})


@pytest.mark.parametrize("written", ["20", "00", 0, True, None, 10.5])
def test_what_is_no_population_is_refused(written: Any) -> None:
    with pytest.raises(ValidationError):
        Limits(minimum_population=written)


# --- accepting one plan


def test_the_plan_of_an_accepted_checksum_passes_all_limits() -> None:
    plan = plan_of(kept=170, changed=700, gone=130)

    judge(plan, found=870, known=1_000, limits=Limits(missing=0), accept=plan.checksum)


def test_another_plan_than_the_accepted_one_is_refused_though_no_limit_is_passed() -> None:
    accepted, plan = plan_of(kept=170, gone=130), plan_of(kept=1_000, gone=1)

    with pytest.raises(PlanRefused) as caught:
        judge(plan, found=1_000, known=1_001, limits=Limits(), accept=accepted.checksum)

    assert f"{accepted.checksum} was, and by now it is {plan.checksum}" in str(caught.value)
    assert f"refsync sync acme/servers --accept {plan.checksum}" in caught.value.__notes__[1]


def test_an_accepted_plan_that_was_carried_out_leaves_nothing_to_refuse() -> None:
    plan = plan_of(kept=10)

    judge(plan, found=10, known=10, limits=Limits(), accept="0" * 32)


def test_an_accepted_checksum_lets_no_outage_pass() -> None:
    plan = plan_of(kept=0, gone=5)

    with pytest.raises(PlanRefused, match="gave no entity at all"):
        judge(plan, found=0, known=5, limits=Limits(), accept=plan.checksum)


# --- a plan in two


def test_a_plan_without_its_removals_and_these_are_the_whole() -> None:
    plan = plan_of(kept=10, changed=3, gone=2, new=1)

    rest, removals = plan.without_removals(), plan.removals()

    assert len(rest) + len(removals) == len(plan)
    assert (rest.counts["disable"], rest.counts["update"], rest.counts["create"]) == (0, 3, 1)
    assert [change.id for change in removals.iter_changes()] == ["gone0", "gone1"]
    assert len({plan.checksum, rest.checksum, removals.checksum}) == 3


def test_the_removals_of_a_plan_are_the_plan_to_come() -> None:
    plan = plan_of(kept=10, changed=3, gone=2, new=1, mode="full")

    assert plan.removals().checksum == plan_of(kept=10, gone=2).checksum
