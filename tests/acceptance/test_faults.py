"""Whatever Canopsis does in the middle of a load, nothing is lost and the run says what happened.

The whole table is printed by `make torture`; this checks each of its rows.
"""

from collections.abc import Iterator

import pytest

from tests.torture_faults import CASES, Case, Rig, jobs, rig

FAILS = {  # those that no patience of a run overcomes, and their first words
    "401 for good": "Canopsis does not know these credentials",
    "429 with Retry-After: 1, for good": "Canopsis answered 429",
    "500, for good": "Canopsis answered 500",
    "502 HTML, for good": "Canopsis answered 502: a web page «502 Bad Gateway»",
    "503, for good": "Canopsis answered 503",
    "connection reset, for good": "no whole answer from Canopsis",
    "hang, for good": "not a byte from Canopsis within 0.4 s",
    "hang of the status": "not a byte from Canopsis within 0.4 s",
    "slow drip of the status": "Canopsis took longer than 2 s to answer",
    "job never picked up": "is still pending after",
    "job stuck ongoing": "is still ongoing after",
    "replica without the file, for good": "no such file or directory",
    "maintenance": "canopsis is under maintenance",
    "HTML with 200": "a web page (200 «Canopsis») where Canopsis' API should have answered",
    "wrong JSON": "Canopsis' API does not document this answer",
    "wrong JSON of the status": "Canopsis' API does not document this answer",
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with rig(tmp_path_factory.mktemp("faults")) as ready:
        yield ready


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_nothing_is_lost_nothing_is_removed_and_the_run_says_what_happened(
    made: Rig, case: Case
) -> None:
    row = made.try_out(case)

    assert row.wrong == ""
    assert FAILS.get(case.name, "") in row.message
    assert (row.outcome == "failed") == (row.code == 1) == (case.name in FAILS)


def test_an_import_that_is_never_taken_up_does_not_stop_every_run_to_come(made: Rig) -> None:
    row = made.try_out(Case("job never picked up, for ever", jobs("never")))

    assert (row.outcome, row.again) == ("failed", "done")
    assert row.wrong == ""
