"""What a worker does with an errand, and how what it says travels back."""

import os
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import orjson
import pytest

from flows.errand import Brief, errand_of, run_errand
from flows.failure import Defect, packed, unpacked
from flows.files import Unwritable
from flows.job import load_job
from flows.misdeclared import Fault, Misdeclared
from flows.parts import SUMMARY, Part
from flows.settings import load_settings
from flows.shared import Place, shared_place
from sources.base import Complete, Partial, Scope, Slice
from sources.errors import Refused, SourceError, Unreachable, Unreadable
from sources.remote_folder import Interrupted
from tests.flows import sliced
from tests.flows.test_scaleout import settle
from tests.flows.workshop import Workshop

FOLDER = "acme/farm/run-1/1"


@pytest.fixture
def place(workshop: Workshop) -> Place:
    """Where a run has left what its workers need to know of the dataset `servers`."""
    sliced.deliver(workshop.folder / "drop", 400)
    settle(workshop)
    workshop.write_job(sliced.job(slices=2), sliced.NAME)
    job = workshop.job(sliced.NAME)
    mapper = job.mapper()
    mapper.finish("sites")
    made = shared_place(load_settings()).within(FOLDER)
    Brief.of(job, sliced.NAME, "servers", Scope()).leave(made, mapper.tables())  # type: ignore[attr-defined]
    return made


def whole() -> Slice:
    """The one slice of the dataset that is all of it."""
    settings = load_settings()
    job = load_job(sliced.NAME, settings.base / "jobs")
    connection = job.source_connection(settings)
    (only,) = job.source.slices(job.config, "servers", connection, Scope(), 1)
    return only


def errand(wanted: Slice, **words: Any) -> dict[str, Any]:
    return errand_of(FOLDER, "servers", wanted) | words


def failure(answer: dict[str, Any]) -> Exception:
    return unpacked(orjson.loads(orjson.dumps(answer["failure"])))


def test_an_errand_leaves_a_part_and_tells_its_name(place: Place) -> None:
    answer = run_errand(errand(whole()))

    with place.using(answer["part"]) as folder:
        part = Part.of(folder)
        assert answer["records"] == part.read.records
        assert part.read.records == len(part.spool.found()) + 10
        assert isinstance(part.read.outcome, Complete)
        assert sorted(path.name for path in folder.iterdir()) == [
            "entities.jsonl",
            "index.jsonl",
            "learned",
            "part.json",
            "rejects.jsonl",
        ]


def test_an_errand_that_is_run_twice_leaves_two_parts(place: Place) -> None:
    once, again = (run_errand(errand(whole()))["part"] for _ in range(2))

    assert once != again
    assert place.has(once)
    assert place.has(again)


def test_a_worker_of_another_version_refuses(place: Place) -> None:
    del place
    error = failure(run_errand(errand(whole(), version="9.9.9")))

    assert isinstance(error, Misdeclared)
    (fault,) = error.faults
    ours = version("refsync")
    assert fault.what == f"this worker has refsync {ours}, and the run is one of 9.9.9"
    assert fault.where.endswith(f"process {os.getpid()}")
    assert "install refsync 9.9.9" in fault.mend


def test_a_run_that_is_over_is_not_read_for(place: Place) -> None:
    place.clear()

    assert isinstance(failure(run_errand(errand(whole()))), Misdeclared)


def test_a_slice_is_given_up_when_its_run_ends(
    place: Place, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.errand._LOOK", 0)
    monkeypatch.setattr("flows.errand.make_part", cleared_before(place))

    answer = run_errand(errand(whole()))

    assert answer["failure"]["type"] == "GivenUp"
    assert not list(workshop.folder.glob("state/spool/**/.0-*"))


def cleared_before(place: Place) -> Callable[..., None]:
    """A reading whose run ends after its first page."""

    def make_part(_: Path, pages: Any, *__: object) -> None:
        next(pages)
        place.clear()
        next(pages)

    return make_part


def test_secrets_of_the_worker_stay_with_it(
    place: Place, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    del place
    wanted = whole()
    monkeypatch.setenv("DROP_ROOT", str(workshop.folder / "the-secret-folder"))
    path = workshop.folder / "refsync.yaml"
    path.write_text(path.read_text("utf-8").replace("root: drop", 'root: "${DROP_ROOT}"'), "utf-8")

    error = failure(run_errand(errand(wanted)))

    assert isinstance(error, Unreachable)
    assert "the-secret-folder" not in "\n".join([str(error), *error.__notes__])
    assert "where: ***" in "\n".join(error.__notes__)


@pytest.mark.parametrize(
    "error",
    [
        Unreachable("gone", where="http://cmdb", mend="wait"),
        Refused("no", where="http://cmdb", mend="ask"),
        Unreadable("HTML", where="http://cmdb", mend="look"),
        SourceError("odd"),
        Unwritable("full"),
        Misdeclared([Fault("a.yaml:1:2", "wrong", "mend it"), Fault("b.yaml:3:4", "too")]),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_travels_with_its_type_and_its_notes(error: Exception) -> None:
    arrived = unpacked(orjson.loads(orjson.dumps(packed(error, str))))

    assert type(arrived) is type(error)
    assert str(arrived) == str(error)
    assert getattr(arrived, "__notes__", []) == getattr(error, "__notes__", [])


def test_an_error_of_a_kind_of_its_own_travels_as_what_it_is_one_of() -> None:
    arrived = unpacked(packed(Interrupted("cut", where="sftp://drop"), str))

    assert type(arrived) is Unreachable
    assert arrived.__notes__ == ["where: sftp://drop"]


def test_a_defect_travels_with_its_traceback_and_without_secrets() -> None:
    def broken() -> None:
        raise ZeroDivisionError("hunter2 by nothing")

    with pytest.raises(ZeroDivisionError) as caught:
        broken()
    arrived = unpacked(packed(caught.value, lambda text: text.replace("hunter2", "***")))

    assert isinstance(arrived, Defect)
    assert str(arrived) == "ZeroDivisionError: *** by nothing"
    (told,) = arrived.__notes__
    assert "in broken" in told
    assert "hunter2 by" not in told


def test_a_part_that_is_not_all_there_is_not_taken(place: Place) -> None:
    answer = run_errand(errand(whole()))

    with place.using(answer["part"]) as folder:
        part = Part.of(folder)
        part.spool.entities.write_bytes(part.spool.entities.read_bytes()[:-1])
        with pytest.raises(Unwritable, match="bytes"):
            Part.of(folder)


@pytest.mark.parametrize(
    "outcome",
    [
        Complete("12 rows", seam=("a", "b"), taken=("x.csv",)),
        Complete("12 rows"),
        Partial("cut"),
    ],
    ids=str,
)
def test_the_outcome_of_a_slice_is_kept(place: Place, outcome: Complete | Partial) -> None:
    answer = run_errand(errand(whole()))

    with place.using(answer["part"]) as folder:
        summary = orjson.loads((folder / SUMMARY).read_bytes())
        summary["outcome"] = asdict(outcome)
        (folder / SUMMARY).write_bytes(orjson.dumps(summary))
        assert Part.of(folder).read.outcome == outcome


def test_a_window_reaches_the_worker_as_it_is(workshop: Workshop) -> None:
    job = workshop.job()
    scope = Scope(
        since=datetime(2026, 1, 1, tzinfo=UTC), until=datetime(2026, 2, 1, 12, tzinfo=UTC)
    )

    brief = Brief(
        **orjson.loads(orjson.dumps(asdict(Brief.of(job, "acme/servers", "servers", scope))))
    )

    fields, wanted = frozenset({"name"}), Slice(1, 2, "a", "b")
    assert brief.scope(fields, wanted) == Scope(fields, scope.since, scope.until, wanted)
