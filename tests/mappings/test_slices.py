"""A dataset cut into slices, each mapped by itself: together they give what one mapper gives."""

import math
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from mappings import distinct, strays
from mappings.distinct import Distinct
from mappings.golden import read_records
from mappings.loading import load_mapping
from mappings.mapper import Mapper
from mappings.packing import pack, unpack
from tests.mappings.slice_cases import Job, draw_job, draw_records
from tests.mappings.slicing import Outcome, Slices, cut, sliced, whole
from tests.mappings.test_customers import JOBS, beside, mapper_of, name_of, read

Record = dict[str, Any]
SURROGATES = st.characters()  # all of them, halves of pairs too


@pytest.fixture(autouse=True, scope="module")
def _small() -> Iterator[None]:
    """A flood is of five texts, and fields are looked for in six records, then in one of three."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(distinct, "MOST", 4)
        patch.setattr(strays, "_ALL", 6)
        patch.setattr(strays, "_ONE_IN", 3)
        yield


def agree(job: Job, datasets: dict[str, Slices], *, late: bool = True) -> Outcome:
    """What the slices give, once it is seen to be what the whole gives."""
    make = partial(load_mapping, job)
    found = sliced(make, datasets, late=late)
    assert found.shown() == whole(make, datasets).shown()
    return found


# --- the shipped customers

PLACES = st.lists(st.integers(0, 1_000), max_size=5)


@pytest.mark.parametrize("job", JOBS, ids=name_of)
@settings(max_examples=5, deadline=None)
@given(places=PLACES)
def test_the_golden_records_of_a_job_may_be_cut_anywhere(job: Path, places: list[int]) -> None:
    document = read(job)

    def make() -> Mapper:
        return load_mapping(
            document["mapping"],
            datasets=document["source"]["datasets"],
            read_file=lambda name, _: (job.parent / name).read_bytes(),
        )

    records = read_records(mapper_of(job).datasets, beside(job, "records"))
    datasets = {name: cut(rows, places) for name, rows in records.items()}

    assert sliced(make, datasets).shown() == whole(make, datasets).shown()


# --- generated jobs


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**64 - 1), late=st.booleans())
def test_any_job_may_be_cut_anywhere(seed: int, *, late: bool) -> None:
    random = Random(seed)
    job, records = draw_job(random), draw_records(random)
    places = [random.randrange(1_000) for _ in range(random.randint(0, 5))]
    datasets = {name: cut(rows, places) for name, rows in records.items()}

    found = agree(job, datasets, late=late)

    event(f"mapped again: {found.again > 0}")
    event(f"rejects dropped: {found.dropped > 0}")
    event(f"a flood of values: {'…'.encode() in found.report}")
    event(f"services gathered: {'service' in found.entities['kinds']}")


# --- what a slice may decide otherwise than the whole


def of_links(*more: Job, **rule: Any) -> Job:
    """Services gathered over the rows of `links`; `more` are other conditions of their pattern."""
    pattern = [{"field": "name", "cond": "is_one_of", "value": "host"}, *more]
    service = {"name": "app", "pattern": pattern, **rule}
    return {"entities": [{"dataset": "links", "service": service}]}


def link(app: str, host: str, **more: Any) -> Record:
    return {"app": app, "host": host, **more}


def test_what_is_gathered_in_slices_is_one_service_of_the_first_record() -> None:
    infos = {"owner": {"copy": "owner", "lookup": {"o": "O", "p": "P", "q": "Q"}}}
    rows = [[link("A", "h3", owner="o")], [link("A", "h1", owner="p"), link("B", "h2", owner="q")]]

    found = agree(of_links(infos=infos), {"links": [[page] for page in rows]})

    assert found.entities["ids"] == ["A", "B"]
    assert b'"value":["h1","h3"]' in found.entities["payloads"][0]
    assert b'"service.infos.owner: p"' in found.report  # nobody was asked for it


def test_a_record_that_cannot_begin_a_service_is_no_reject_where_an_earlier_slice_began_it() -> (
    None
):
    job = of_links(category={"copy": "category", "required": True})
    begun = [link("A", "h1", category="c"), link("B", "h1")]
    later = [link("A", "h2"), link("B", "h2"), link("A", "h3", category="d")]

    found = agree(job, {"links": [[begun], [later]]})

    assert (found.dropped, found.again) == (1, 0)
    assert [(each.number, each.id) for each in found.rejects] == [(2, "B"), (4, "B")]
    assert b'"value":["h1","h2","h3"]' in found.entities["payloads"][0]


def test_a_slice_that_begins_a_service_by_another_value_is_mapped_again() -> None:
    alike = {"field": "infos.env", "field_type": "string", "cond": "eq", "value": "env"}
    first = [link("A", "h1", env="prod")]
    later = [link("A", "h2", env="test"), link("A", "h3", env="prod")]

    found = agree(of_links(alike), {"links": [[first], [later], [later]]})

    assert found.again == 2
    assert [each.number for each in found.rejects] == [2, 4]
    assert b'"value":["h1","h3"]' in found.entities["payloads"][0]


def test_a_slice_that_takes_an_id_from_an_earlier_one_is_mapped_again() -> None:
    block = {
        "dataset": "servers",
        "component": {"name": "name"},
        "service": {
            "name": "app",
            "pattern": {"field": "name", "cond": "eq", "value": "name"},
        },
    }
    first, later = [{"name": "x", "app": "y"}], [{"name": "y", "app": "z"}]

    found = agree({"entities": [block]}, {"servers": [[first], [later]]})

    assert found.again == 1
    assert [(each.number, each.id) for each in found.rejects] == [(2, "y")]
    assert found.rejects[0].record == later[0]


def test_a_slice_knows_the_ids_of_datasets_that_were_read_before() -> None:
    job = of_links()
    job["entities"].insert(0, {"dataset": "servers", "component": {"name": "name"}})
    datasets = {"servers": [[[{"name": "A"}]]], "links": [[[link("A", "h")]], [[link("A", "i")]]]}

    assert agree(job, datasets).again == 0
    assert agree(job, datasets, late=False).again == 2


def test_a_field_is_unmapped_where_the_whole_would_have_looked_at_it() -> None:
    plain: Record = {"name": "a"}
    pages = [[dict(plain) for _ in range(6)]]
    longer, hidden = [plain, {**plain, "x": 1}, plain], [plain, {**plain, "y": 1}, plain]
    job = {"entities": [{"dataset": "servers", "component": {"name": "name"}}]}

    found = agree(job, {"servers": [pages, [longer], [hidden]]})
    assert b'"x"' in found.report  # a record longer than all before it
    assert b'"y"' not in found.report  # no longer so, and not the one in three
    assert b'"y"' in agree(job, {"servers": [[longer], [hidden]]}).report  # among the first six


def test_values_that_must_be_unique_are_so_over_all_slices() -> None:
    component = {"name": "name", "infos": {"ip": "ip"}}
    job: Job = {
        "entities": [{"dataset": "servers", "component": component}],
        "expect": {"servers": {"unique": ["ip"]}},
    }
    rows = [[{"name": f"n{ip}", "ip": ip}] for ip in ("1", "2", "1", "3", "1")]

    found = agree(job, {"servers": [[page] for page in rows]})

    assert "info 'ip' is not unique: '1' (3 times)" in found.report.decode()


# --- what a mapper of slices is asked for


def test_a_table_alone_must_be_read_whole() -> None:
    copied = {"copy": "site", "lookup": {"dataset": "sites", "key": "id", "value": "name"}}
    job = of_links(infos={"site": copied})
    mapper = load_mapping(job)

    assert (mapper.whole("sites"), mapper.whole("links")) == (True, False)


def test_the_mapper_of_a_slice_is_one_of_one_dataset_and_gathers_nothing_by_itself() -> None:
    job = of_links()
    job["entities"].append({"dataset": "servers", "component": {"name": "name"}})
    mapper = load_mapping(job)
    with pytest.raises(ValueError, match="no mapper of a slice"):
        mapper.learned()

    mapper.take_tables(load_mapping(job).tables())
    mapper.map_page("links", [link("A", "h")], 1)

    with pytest.raises(ValueError, match="'links' is given records of 'servers'"):
        mapper.map_page("servers", [{"name": "a"}], 1)
    with pytest.raises(ValueError, match="ask the mapper of the whole"):
        mapper.finish("links")


def test_tables_that_were_not_read_to_their_end_are_still_asked_for() -> None:
    copied = {"copy": "site", "lookup": {"dataset": "sites", "key": "id", "value": "name"}}
    job = of_links(infos={"site": copied})
    mapper = load_mapping(job)
    mapper.take_tables(load_mapping(job).tables())

    with pytest.raises(ValueError, match="'sites' must be read to its end before 'links'"):
        mapper.map_page("links", [link("A", "h")], 1)


# --- how it travels

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(SURROGATES),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(SURROGATES), inner),
)


@given(value=JSON)
def test_what_is_packed_is_the_same_unpacked(value: Any) -> None:
    unpacked = unpack(pack(value))

    assert repr(unpacked) == repr(value)


def test_any_depth_and_numbers_that_are_none_are_packed_too() -> None:
    deep: Any = math.nan
    for _ in range(1_020):
        deep = [deep]

    for _ in range(1_020):
        (deep,) = unpack(pack(deep))
    assert math.isnan(deep)


@given(words=st.lists(st.sampled_from("abcdefghij"), max_size=40), places=PLACES)
def test_of_a_flood_the_same_texts_are_kept_however_it_is_cut(
    words: list[str], places: list[int]
) -> None:
    numbered = list(enumerate(words, 1))
    one, joined = Distinct(), Distinct()
    for number, word in numbered:
        one.add(word, number)
    for ((pages,),) in [[part] for part in cut(numbered, places)]:
        part, before = Distinct(), (pages[0][0] - 1 if pages else 0)
        for number, word in pages:
            part.add(word, number - before)
        joined.absorb(part.learned(), before)

    assert (joined.kept, joined.others) == (one.kept, one.others)
    counts = Counter(words)
    assert {text: count for text, count, _ in one.kept} == {
        text: counts[text] for text in sorted(counts)[:4]
    }
