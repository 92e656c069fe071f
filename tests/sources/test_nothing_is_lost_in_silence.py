"""A sample of `python -m tests.fuzz_sources`, and that it finds a source which loses a row."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from sources.base import Complete, Extraction, Page, Partial, Source
from sources.errors import Refused, Unreachable
from tests.fuzz_reading import Kind, Stage, run
from tests.fuzz_shrink import shrunk
from tests.fuzz_sources import KINDS, case_of, seen
from tests.fuzz_watch import Case

INPUTS = 40  # of each kind
SEED = 3


@pytest.fixture(scope="module")
def kinds() -> Iterator[dict[str, Kind]]:
    with ExitStack() as stack:
        yield {name: stack.enter_context(served()) for name, served in KINDS.items()}


@pytest.mark.parametrize("name", KINDS)
def test_whatever_goes_wrong_every_row_comes_once_or_it_is_said(
    kinds: dict[str, Kind], name: str
) -> None:
    kind = kinds[name]

    told = [seen(kind, case_of(kind, SEED, number)) for number in range(INPUTS)]

    assert [each for each in enumerate(told) if each[1][1]] == []
    assert len({outcome for outcome, _, _ in told}) > 3  # not always the same thing happens


@pytest.mark.parametrize("name", KINDS)
def test_an_input_is_the_same_at_every_draw(kinds: dict[str, Kind], name: str) -> None:
    kind = kinds[name]

    assert repr(case_of(kind, SEED, 7)) == repr(case_of(kind, SEED, 7))
    assert repr(case_of(kind, SEED, 7)) != repr(case_of(kind, SEED, 8))


# -- what the fuzzer must find


class Spoilt:
    """The api kind, its source spoilt by *spoil*, and one input in which nothing else is wrong."""

    name = "api"

    def __init__(self, kind: Kind, spoil: Any) -> None:
        self._kind = kind
        self._spoil = spoil
        self.gate = kind.gate

    def draw(self, random: Random) -> Case:
        return self._kind.draw(random)

    def stage(self, case: Case) -> Stage:
        stage = self._kind.stage(case)

        def extract(*given: Any) -> Extraction:
            return (yield from self._spoil(stage, stage.source.extract(*given)))

        spoilt: Source[Any, Any] = replace(stage.source, extract=extract)
        return replace(stage, source=spoilt)


CASE: Case = {
    "kind": "api",
    "rows": [{"id": f"{number:03}", "name": "srv"} for number in range(10)],
    "dataset": {
        "path": "/api/servers",
        "data_selector": "data",
        "primary_key": "id",
        "total_path": "total",
        "paginator": {"type": "offset", "limit": 4},
    },
    "fields": None,
    "slices": 0,
    "knobs": {"paging": "offset", "page_size": 4, "shape": "envelope", "total": "number"},
    "faults": [],
    "honest": True,
}


def losing(_: Stage, pages: Extraction) -> Extraction:
    first = next(pages)
    yield Page(first.first, first.records[1:], first.rejects)
    return Complete("all of them, on my honour")


def doubling(_: Stage, pages: Extraction) -> Extraction:
    first = next(pages)
    yield first
    yield replace(first, first=first.first + len(first.records))
    return Complete("all of them")


def inventing(_: Stage, pages: Extraction) -> Extraction:
    rows = [record for page in pages for record in page.records]
    yield Page(1, [*rows, {"id": "stranger", "name": "srv"}])
    return Complete("all of them")


def changing(_: Stage, pages: Extraction) -> Extraction:
    rows = [record for page in pages for record in page.records]
    yield Page(1, [{**row, "name": "other"} for row in rows])
    return Complete("all of them")


def doubting(_: Stage, pages: Extraction) -> Extraction:
    yield from pages
    return Partial("one never knows")


def crashing(_: Stage, pages: Extraction) -> Extraction:
    yield next(pages)
    raise KeyError("no source may raise this")


def mute(_: Stage, pages: Extraction) -> Extraction:
    yield next(pages)
    raise Unreachable("it does not answer")


def chatty(stage: Stage, pages: Extraction) -> Extraction:
    yield next(pages)
    raise Refused(f"no, {stage.secrets[0]}", where="there", mend="this")


def misnumbered(_: Stage, pages: Extraction) -> Extraction:
    for page in pages:
        yield replace(page, first=page.first + 1)
    return Complete("all of them")


_CALLS: list[int] = []


def moody(_: Stage, pages: Extraction) -> Extraction:
    yield from pages
    _CALLS.append(1)
    return Complete(f"all of them, at the {len(_CALLS)}th reading")


@pytest.mark.parametrize(
    ("spoil", "sign"),
    [
        (losing, "lost"),
        (doubling, "doubled"),
        (inventing, "unwanted"),
        (changing, "value"),
        (doubting, "doubtful"),
        (crashing, "KeyError"),
        (mute, "poor"),
        (chatty, "secret"),
        (misnumbered, "rank"),
        (moody, "unsteady"),
    ],
)
def test_a_source_that_does_wrong_is_found(kinds: dict[str, Kind], spoil: Any, sign: str) -> None:
    spoilt = Spoilt(kinds["api"], spoil)

    assert run(kinds["api"], CASE) == "complete"
    assert seen(spoilt, CASE)[1].startswith(sign)


def test_a_finding_is_made_small(kinds: dict[str, Kind]) -> None:
    spoilt = Spoilt(kinds["api"], losing)

    def fails(part: Case) -> bool:
        return seen(spoilt, {**CASE, **part})[1] == "lost"

    assert len(shrunk({"rows": CASE["rows"]}, fails, 5.0)["rows"]) <= 2
