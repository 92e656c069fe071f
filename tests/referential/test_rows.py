"""The changes of a plan in the order in which they are sent."""

from typing import Any

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from referential.columns import to_frame
from referential.plan import CHANGES
from referential.rows import Changes

SENT_ACTIONS = ("create", "update", "prune", "enable")
CHANGE = st.tuples(
    st.sampled_from([*SENT_ACTIONS, "disable", "delete"]),
    st.sampled_from(["component", "resource", "service"]),
    st.sampled_from(["a", "b", "c"]),
    st.booleans(),
)
PLANS = st.lists(CHANGE, max_size=12).flatmap(
    lambda rows: st.tuples(st.just(rows), st.permutations(range(len(rows))))
)


def frame(rows: list[tuple[str, str, str, bool]], places: list[int]) -> pd.DataFrame:
    """Changes of which only some have a payload, which lies anywhere in the spool."""
    text = {name: [f"{name} {rank}" for rank in range(len(rows))] for name in CHANGES}
    lies = [loaded and action in SENT_ACTIONS for action, *_, loaded in rows]
    columns: dict[str, list[Any]] = text | {
        "action": [action for action, *_ in rows],
        "kind": [kind for _, kind, *_ in rows],
        "group": ["" if kind == "service" else group for _, kind, group, _ in rows],
        "fingerprint": [bytes([rank]) * 16 for rank in range(len(rows))],
        "offset": [place * 100 if there else -1 for place, there in zip(places, lies, strict=True)],
        "size": [99 * there for there in lies],
    }
    return to_frame(columns)


def plainly(changes: pd.DataFrame) -> list[str]:
    """The ids in their order, by hand."""
    rows = changes.to_dict("records")
    sent = sorted((row for row in rows if row["size"]), key=lambda row: int(row["offset"]))
    groups = list(dict.fromkeys(row["group"] for row in sent))
    sent.sort(
        key=lambda row: (
            row["group"] == "",
            groups.index(row["group"]),
            row["kind"] != "component",
        )
    )
    return [str(row["id"]) for row in [*sent, *(row for row in rows if not row["size"])]]


@given(PLANS)
def test_payloads_come_first_as_they_lie_and_the_rest_as_it_was_planned(
    plan: tuple[list[tuple[str, str, str, bool]], list[int]],
) -> None:
    planned = frame(*plan)
    changes = Changes(planned)

    assert changes.column("id") == plainly(planned)
    assert len(changes) == len(planned)
    assert changes.payloads == (planned["size"] > 0).sum()
    by_id = planned.set_index("id")
    for name in ("action", "infos", "fingerprint", "stale"):
        assert changes.column(name) == by_id.loc[changes.column("id"), name].tolist()


@given(PLANS, st.integers(0, 12), st.integers(0, 12))
def test_a_range_of_rows_has_the_values_of_its_rows_one_by_one(
    plan: tuple[list[tuple[str, str, str, bool]], list[int]], one: int, other: int
) -> None:
    changes = Changes(frame(*plan))
    batch = range(len(changes))[min(one, other) : max(one, other)]

    assert changes.identity(batch) == changes.identity(list(batch))
    for cut, listed in zip(changes.places(batch), changes.places(list(batch)), strict=True):
        assert cut.tolist() == listed.tolist()


def test_what_the_loader_notes_in_a_column_leaves_the_plan_as_it_was() -> None:
    planned = frame([("update", "component", "a", True)], [0])
    changes = Changes(planned)

    changes.column("infos")[0] = "more"

    assert planned["infos"].tolist() == ["infos 0"]
