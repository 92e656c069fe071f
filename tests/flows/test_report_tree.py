"""The tree of a page: services, whom they name, whom those hold, never more than a page takes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flows import report_tree
from flows.report_tree import Node, Tree, tree_of
from flows.spool import Spool, SpoolWriter
from referential.entity import entity_id
from referential.feed import Feed
from referential.ledger import Ledger, utc_now
from tests.pages import page_of

TARGET = "canopsis"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}") as opened:
        yield opened


def body(kind: str, name: str, *, component: str = "", pattern: Any = None) -> dict[str, Any]:
    made = {"type": kind, "name": name, "category": f"a {kind}"}
    made |= {"component": component} if component else {}
    return made | ({"entity_pattern": pattern} if pattern else {})


def names(field: str, kind: str, value: Any) -> dict[str, Any]:
    return {"field": field, "cond": {"type": kind, "value": value}}


def service(name: str, *members: str) -> dict[str, Any]:
    return body("service", name, pattern=[[names("name", "is_one_of", list(members))]])


def spool_with(folder: Path, *bodies: dict[str, Any]) -> Spool:
    spool = Spool(folder / "spool")
    ids = [entity_id(each["type"], each["name"], each.get("component", "")) for each in bodies]
    groups = [
        "" if each["type"] == "service" else each.get("component") or each["name"]
        for each in bodies
    ]
    with SpoolWriter(spool) as writer:
        writer.write("all", page_of(ids, [each["type"] for each in bodies], groups, bodies))
    return spool


def shape(node: Node) -> Any:
    return (node.id, [shape(child) for child in node.children]) if node.children else node.id


def grown(folder: Path, ledger: Ledger, *bodies: dict[str, Any]) -> Tree:
    return tree_of(spool_with(folder, *bodies), ledger, TARGET)


def test_a_service_holds_its_components_and_they_their_resources(
    tmp_path: Path, ledger: Ledger
) -> None:
    tree = grown(
        tmp_path,
        ledger,
        body("component", "srv-1"),
        body("resource", "eth0", component="srv-1"),
        body("resource", "eth1", component="srv-1"),
        body("component", "srv-2"),
        service("APP", "srv-1"),
    )

    assert [shape(root) for root in tree.roots] == [
        ("APP", [("srv-1", ["eth0/srv-1", "eth1/srv-1"])]),
        "srv-2",  # which no service names
    ]
    assert tree.counts == {"component": 2, "resource": 2, "service": 1}
    assert tree.more == 0


def test_services_hold_services_and_one_that_holds_itself_ends_there(
    tmp_path: Path, ledger: Ledger
) -> None:
    tree = grown(
        tmp_path,
        ledger,
        service("TOP", "MIDDLE"),
        service("MIDDLE", "LOW"),
        service("LOW", "MIDDLE"),
    )

    assert [shape(root) for root in tree.roots] == [("TOP", [("MIDDLE", [("LOW", ["MIDDLE"])])])]
    low = tree.roots[0].children[0].children[0]
    assert low.children[0].note == "shown above"


def test_services_that_only_hold_one_another_are_shown_all_the_same(
    tmp_path: Path, ledger: Ledger
) -> None:
    tree = grown(tmp_path, ledger, service("A", "B"), service("B", "A"))

    assert [root.id for root in tree.roots] == ["A", "B"]


def test_a_member_of_another_job_is_told_by_the_ledger_and_a_stranger_as_one(
    tmp_path: Path, ledger: Ledger
) -> None:
    feed = Feed("acme/servers", TARGET)
    run = ledger.start_run(feed, "sync", utc_now())
    with ledger.lock(feed, run):
        ledger.record(
            feed, run, ids=["srv-9"], kinds=["component"], groups=["srv-9"], datasets=["servers"],
            categories=["Server"], infos=[""], fingerprints=[bytes(range(16))],
        )  # fmt: skip

    tree = grown(tmp_path, ledger, service("APP", "srv-9", "nobody"))

    ours, stranger = tree.roots[0].children
    assert (ours.kind, ours.category, ours.note) == ("component", "Server", "of acme/servers")
    assert (stranger.kind, stranger.note) == ("unknown", "no feed of this Canopsis owns it")


def test_a_pattern_that_describes_is_told_in_words(tmp_path: Path, ledger: Ledger) -> None:
    both = [names("infos.site", "eq", "Lyon"), names("category", "is_one_of", ["a", "b"])]
    tree = grown(
        tmp_path,
        ledger,
        body("component", "srv-1"),
        body("service", "SITE", pattern=[both, [names("_id", "eq", "srv-1")]]),
    )

    assert shape(tree.roots[0]) == ("SITE", ["srv-1"])
    assert tree.roots[0].note == "all whose infos.site is Lyon and category is one of a, b"


def test_what_does_not_fit_is_counted(tmp_path: Path, ledger: Ledger) -> None:
    members = [f"srv-{rank:03}" for rank in range(40)]
    ports = [body("resource", f"eth{rank:02}", component="srv-000") for rank in range(15)]

    tree = grown(
        tmp_path,
        ledger,
        *(body("component", name) for name in members),
        *ports,
        *(service(f"APP {rank:03}", *members) for rank in range(report_tree.SERVICES + 7)),
    )

    assert len(tree.roots) == report_tree.SERVICES
    assert tree.more == 7
    first = tree.roots[0]
    assert (len(first.children), first.more) == (report_tree.MEMBERS, 15)
    assert (len(first.children[0].children), first.children[0].more) == (report_tree.RESOURCES, 5)


def test_a_tree_of_everything_has_its_most_nodes(
    tmp_path: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report_tree, "NODES", 50)
    members = [f"srv-{rank:03}" for rank in range(20)]

    tree = grown(
        tmp_path,
        ledger,
        *(body("component", name) for name in members),
        *(service(f"APP {rank}", *members) for rank in range(9)),
    )

    def size(node: Node) -> int:
        return 1 + sum(map(size, node.children))

    assert sum(map(size, tree.roots)) < 50 + report_tree.MEMBERS
    assert tree.more > 0


def test_what_a_killed_run_left_is_shown_as_far_as_it_goes(tmp_path: Path, ledger: Ledger) -> None:
    spool = spool_with(tmp_path, body("component", "srv-1"), service("APP", "srv-1"))
    index = spool.index.read_bytes()
    with spool.index.open("ab") as half:
        half.write(index[: len(index) // 2])
    with spool.entities.open("r+b") as entities:
        entities.truncate(spool.entities.stat().st_size - 20)

    tree = tree_of(spool, ledger, TARGET)

    assert [root.id for root in tree.roots] == ["APP", "srv-1"]
    assert tree.roots[0].note == "all whose pattern was not written any more"


def test_without_a_spool_there_is_no_tree(tmp_path: Path, ledger: Ledger) -> None:
    assert tree_of(Spool(tmp_path / "gone"), ledger, TARGET) == Tree(there=False)
