"""The files of one run: what is written page by page is read back entity by entity."""

import contextlib
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.files import Unwritable
from flows.outcome import told
from flows.spool import Payloads, Spool, SpoolWriter, refused
from mappings.rejects import Reject
from referential.entity import EntityPage, fingerprint
from tests.pages import page_of

REJECT = {"dataset": "servers", "number": 3, "rule": "read", "reason": "not an object", "record": 7}


def page(*names: str, of: str = "") -> EntityPage:
    """Components, or resources of one component."""
    kind = "resource" if of else "component"
    bodies = [
        {"type": kind, "name": name, "category": "Serveur", "infos": {"site": {"value": "Nîmes"}}}
        for name in names
    ]
    ids = [f"{name}/{of}" if of else name for name in names]
    groups = [of or name for name in names]
    return page_of(ids, [kind] * len(names), groups, bodies)


def test_what_was_found_comes_back_in_its_order_with_its_columns(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    first, second = page("sw1", "sw2"), page("eth0", of="sw1")
    with SpoolWriter(spool) as writer:
        writer.write("switches", first)
        writer.write("ports", second)

    found = spool.found()

    assert found["id"].tolist() == ["sw1", "sw2", "eth0/sw1"]
    assert found["kind"].tolist() == ["component", "component", "resource"]
    assert found["group"].tolist() == ["sw1", "sw2", "sw1"]
    assert found["dataset"].tolist() == ["switches", "switches", "ports"]
    assert found["category"].tolist() == ["Serveur"] * 3
    assert found["fingerprint"].tolist() == [*first.fingerprints, *second.fingerprints]


def test_payloads_are_the_very_bytes_and_each_stands_on_its_own_line(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    pages = page("sw1", "schön"), page("eth0", of="sw1")
    with SpoolWriter(spool) as writer:
        for each in pages:
            writer.write("all", each)

    found = spool.found()
    with Payloads(spool) as payloads:
        read = payloads.read(found["offset"], found["size"])

    assert read == [payload for each in pages for payload in each.payloads]
    assert spool.entities.read_bytes() == b"".join(payload + b"\n" for payload in read)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.text(min_size=1, max_size=8), min_size=0, max_size=4), max_size=5))
def test_any_pages_come_back_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, pages: list[list[str]]
) -> None:
    spool = Spool(tmp_path_factory.mktemp("spool"))
    with SpoolWriter(spool) as writer:
        for number, names in enumerate(pages):
            writer.write(f"d{number}", page(*names))

    found = spool.found()
    with Payloads(spool) as payloads:
        digests = list(map(fingerprint, payloads.read(found["offset"], found["size"])))

    assert found["id"].tolist() == [name for names in pages for name in names]
    assert digests == found["fingerprint"].tolist()


@settings(max_examples=30, deadline=None)
@given(st.permutations(range(6)), st.integers(0, 6))
def test_payloads_are_read_in_any_order(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], count: int
) -> None:
    spool = Spool(tmp_path_factory.mktemp("spool"))
    written = page(*(f"sw{rank}" for rank in range(6)))
    with SpoolWriter(spool) as writer:
        writer.write("all", written)

    wanted = order[:count]
    found = spool.found().iloc[wanted]
    with Payloads(spool) as payloads:
        read = payloads.read(found["offset"], found["size"])
        runs = payloads.runs(found["offset"], found["size"])

    assert read == [written.payloads[rank] for rank in wanted]
    assert b",".join(runs) == b",".join(read)


def test_payloads_that_lie_together_are_one_run(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    with SpoolWriter(spool) as writer:
        writer.write("all", page(*(f"sw{rank}" for rank in range(6))))

    found = spool.found().iloc[[3, 4, 5, 0, 1]]
    with Payloads(spool) as payloads:
        first, second = payloads.runs(found["offset"], found["size"])

    assert [each["name"] for each in orjson.loads(b"[" + first + b"]")] == ["sw3", "sw4", "sw5"]
    assert [each["name"] for each in orjson.loads(b"[" + second + b"]")] == ["sw0", "sw1"]


def test_a_run_without_entities_has_an_empty_frame(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    with SpoolWriter(spool) as writer:
        writer.write("servers", page())

    assert len(spool.found()) == 0
    assert "fingerprint" in spool.found()


def test_a_spool_that_exists_is_begun_again(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    for name in ("first", "second"):
        with SpoolWriter(spool) as writer:
            writer.write("servers", page(name))
            writer.reject([REJECT])

    assert spool.found()["id"].tolist() == ["second"]
    assert list(spool.iter_rejects()) == [REJECT]


def test_rejects_come_back_with_their_records(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    odd = {**REJECT, "record": {"name": None, "deep": [{"é": "line\nfeed"}]}}
    with SpoolWriter(spool) as writer:
        writer.reject([REJECT])
        writer.reject([odd])

    assert list(spool.iter_rejects()) == [REJECT, odd]
    assert len(spool.rejects.read_bytes().splitlines()) == 2


def test_a_spool_that_was_cut_says_so(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    with SpoolWriter(spool) as writer:
        writer.write("servers", page("sw1"))
    whole = spool.entities.read_bytes()
    spool.entities.write_bytes(whole[:-5])

    with Payloads(spool) as payloads, pytest.raises(EOFError, match=r"entities\.jsonl ends before"):
        payloads.read([0], [len(whole) - 1])


def test_a_full_disk_is_told_with_its_mend(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.entities.symlink_to("/dev/full")
    large = page(*(f"srv-{rank:05}" for rank in range(1_000)))

    with pytest.raises(Unwritable, match="No space left on device") as full:
        spool_all(spool, large)

    assert f"where: {tmp_path}" in told(full.value)
    assert "mend: see that the disk has room" in told(full.value)


def spool_all(spool: Spool, page: EntityPage) -> None:
    with SpoolWriter(spool) as writer:
        writer.write("servers", page)


def test_what_was_spooled_before_an_error_is_on_disk(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    with contextlib.suppress(ZeroDivisionError), SpoolWriter(spool) as writer:
        writer.write("servers", page("sw1"))
        raise ZeroDivisionError

    assert orjson.loads(spool.entities.read_bytes())["name"] == "sw1"
    assert spool.found()["id"].tolist() == ["sw1"]


def nested(levels: int) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (2**64 - 1, {"id": 2**64 - 1}),
        (2**64, "{'id': 18446744073709551616}"),
        (nested(1_000), "{'id': [[[...]]]}"),
        ("\ud800", r"{'id': '\ud800'}"),
    ],
    ids=("64 bits", "more than 64 bits", "many levels", "half of a character"),
)
def test_a_reject_whose_record_is_no_json_of_ours_is_kept_all_the_same(
    value: Any, kept: Any, tmp_path: Path
) -> None:
    spool = Spool(tmp_path)
    name = f"srv{value}" if isinstance(value, str) else "srv"
    reject = Reject("servers", 3, "component.name", "no name", {"id": value}, name)

    with SpoolWriter(spool) as writer:
        writer.reject([refused(reject)])

    (found,) = spool.iter_rejects()
    assert (found["number"], found["reason"]) == (3, "no name")
    assert found["id"] == ascii(name).strip("'")
    assert found["record"] == kept
