"""What the guard is asked, and what becomes of a plan that it does not let through as it is."""

from dataclasses import replace

from flows.counts import Extracted, Guarded, Planned
from flows.files import writing
from flows.workplace import Workplace
from referential.change import ACTIONS, REMOVED
from referential.cost import cost_of
from referential.errors import PlanRefused, ReferentialError
from referential.guard import USUAL_OF, LimitsPassed, Usual, accepting, judge, usual_of
from referential.history import SOUND
from referential.plan import Plan


def keep(place: Workplace, made: Plan) -> None:
    with writing(place.spool.plan):
        made.save(place.spool.plan)
    place.hold(made)


def usual(place: Workplace) -> Usual | None:
    with place.ledger() as ledger:
        done = ledger.recent_runs(place.job.feed, USUAL_OF, *SOUND)
    return usual_of(done)


def judge_plan(place: Workplace, planned: Planned) -> None:
    judge(
        place.the_plan(),
        found=planned.found,
        known=planned.known,
        limits=place.job.sync.limits,
        emptied=planned.emptied,
        parts=planned.parts,
        usual=usual(place),
        allow_missing=place.options.allow_missing,
        allow_changed=place.options.allow_changed,
        accept=place.options.accept,
        to=place.to,
    )


def may_wait(place: Workplace, refusal: LimitsPassed) -> bool:
    """A mere plan loads nothing: it is refused as a whole."""
    holds = place.job.sync.on_refusal == "hold_removals" and not place.options.only_plan
    return holds and refusal.of_removals_alone


def add_cost(place: Workplace, refusal: LimitsPassed) -> None:
    """Say who would notice the removals; that it cannot be asked is said too."""
    made = place.the_plan()
    if not any(made.counts[action] for action in REMOVED):
        return
    try:
        with place.canopsis() as canopsis:
            cost = str(cost_of(made, canopsis, source=place.job.sync.import_source))
    except ReferentialError as error:
        cost = f"not known: {error}"
    refusal.add_note(f"cost: {cost}")


def without_removals(place: Workplace, planned: Planned, refusal: LimitsPassed) -> Guarded:
    """The plan less its removals, which are kept to be read and can be accepted as they are."""
    made = place.the_plan()
    held = made.removals()
    with writing(place.spool.held):
        held.save(place.spool.held)
    narrowed = made.without_removals()
    keep(place, narrowed)
    notes = [note for note in refusal.__notes__ if not note.startswith("mend: ")]
    command = accepting(held, place.to)
    mend = f"everything else is loaded; read them, and if they are right: {command}"
    lines = [f"{len(held):,} removals wait: {refusal}", f"mend: {mend}", *notes]
    return Guarded(
        replace(
            planned,
            counts={action: narrowed.counts.get(action, 0) for action in ACTIONS},
            tally=narrowed.counts,
            checksum=narrowed.checksum,
        ),
        held=len(held),
        message="\n  ".join(lines),
    )


def rowless_refusal(place: Workplace, extracted: Extracted) -> PlanRefused | None:
    """The refusal of a plan whose entities lost the values of whole tables."""
    if not extracted.rowless:
        return None
    full = " --full" if place.options.mode == "full" else ""
    to = f" --to {place.to}" if place.to else ""
    command = f"refsync sync {place.job.name}{full}{to} --allow-missing"
    users = dict.fromkeys(name for names in extracted.rowless.values() for name in names)
    return PlanRefused(
        f"no row in lookup {', '.join(extracted.rowless)}, where {', '.join(users)} look values up:"
        " this is an outage",
        where=place.job.place("mapping", "lookups", next(iter(extracted.rowless))),
        mend="nothing was written; look at what the source answers for the dataset of that lookup,"
        f" and if it is right let it pass once: {command}",
    )
