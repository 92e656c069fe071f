"""Slices read by workers in other processes: the same spool, plan, Canopsis and ledger.

A real scheduler and two real workers, which share a folder, or a bucket, with the run and nothing
else: their refsync.yaml is their own, and its ledger cannot be opened.
"""

import os
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import psycopg
import pytest
import s3fs
from moto.server import ThreadedMotoServer

from flows.misdeclared import Misdeclared
from flows.run import Report
from flows.workplace import open_ledger
from tests.acceptance.installation import SOON, Installation
from tests.acceptance.world import World
from tests.dask_cluster import Cluster, cluster
from tests.flows import sliced
from tests.postgres import database

NOWHERE = "sqlite:////nowhere/at/all.db"
COUNT = int(os.environ.get("DASK_RECORDS", "10000"))  # 200,000 hold as well, in a minute or two
SPOOLED = ("entities.jsonl", "index.jsonl", "rejects.jsonl", "plan.jsonl")


@dataclass(frozen=True)
class Site(Installation):
    """An installation that reads the farm; workers have another one, of the same jobs."""

    drop: Path = field(kw_only=True)

    def settle_for(self, world: World, **words: Any) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        canopsis = {
            "type": "canopsis",
            "url": world.canopsis_url,
            "auth": {"type": "api_key", "key": "sandbox-key"},
            "imports": {"pace": SOON},
        }
        api = {"type": "api", "base_url": world.api_url}
        settings = {
            "ledger": "sqlite:///ledger.db",
            "spool": "spool",
            "state": "state",
            "jobs": str(self.jobs),
            "events": False,
            "connections": {
                "acme-canopsis": canopsis,
                "drop": {"type": "csv", "root": str(self.drop)},
                "cmdb": api,
            },
        }
        self.settings_file.write_bytes(orjson.dumps(settings | words))

    def write_job(self, text: str, name: str = sliced.NAME) -> None:
        path = self.jobs / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")

    @property
    def environment(self) -> dict[str, str]:
        return {"REFSYNC_CONFIG": str(self.settings_file)}

    def fingerprints(self, name: str = sliced.NAME) -> list[tuple[Any, ...]]:
        """What the ledger knows of each entity of the feed, its last run aside."""
        with open_ledger(self.settings()) as ledger:
            known = ledger.known(self.job(name).feed)
        columns = ["id", "kind", "group", "dataset", "category", "infos", "fingerprint", "state"]
        return sorted(known[columns].itertuples(index=False, name=None))

    def spooled(self, report: Report) -> dict[str, bytes]:
        folder = self.settings().spool / report.job / report.run_id
        assert not list(folder.glob("*part*"))
        return {name: folder.joinpath(name).read_bytes() for name in SPOOLED}


@dataclass(frozen=True)
class Outcome:
    """All that a run leaves, to be compared."""

    spooled: dict[str, bytes]
    canopsis: bytes
    imports: list[Any]
    fingerprints: list[tuple[Any, ...]]


def outcome(site: Site, world: World, **options: Any) -> Outcome:
    """What one run does to an empty Canopsis, and to an empty ledger."""
    world.canopsis.reset()
    report = site.sync(sliced.NAME, **options)
    assert report.outcome == "done"
    with world.canopsis.lock:
        imports = [(each.partial, each.items) for each in world.canopsis.traffic.jobs]
    return Outcome(site.spooled(report), world.state(), imports, site.fingerprints())


@pytest.fixture(scope="module")
def drop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("farm") / "drop"
    sliced.deliver(folder, COUNT)
    return folder


@pytest.fixture
def site(tmp_path: Path, world: World, drop: Path) -> Site:
    made = Site(tmp_path / "site", tmp_path / "site" / "jobs", drop=drop)
    made.settle_for(world)
    return made


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory, drop: Path) -> Site:
    """The installation of the workers."""
    folder = tmp_path_factory.mktemp("workers")
    return Site(folder, folder / "jobs", drop=drop)


@pytest.fixture
def worker(elsewhere: Site, tmp_path: Path, world: World) -> Iterator[Site]:
    """It settles anew for each test; neither the ledger nor the jobs of the run are its own."""
    elsewhere.settle_for(world, ledger=NOWHERE, shared=str(tmp_path / "shared"))
    yield elsewhere
    shutil.rmtree(elsewhere.jobs, ignore_errors=True)


@pytest.fixture(scope="module")
def store() -> Iterator[dict[str, str]]:
    """The environment of those who may use the bucket `parts`."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "ours",
        "AWS_SECRET_ACCESS_KEY": "the-secret-of-the-bucket",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    server.stop()


@pytest.fixture(scope="module")
def _cluster(
    tmp_path_factory: pytest.TempPathFactory, elsewhere: Site, store: dict[str, str]
) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("dask") / "cluster"
    with cluster(folder, elsewhere.environment | store) as made:
        yield made


@pytest.fixture
def running(_cluster: Cluster) -> Cluster:
    """Two workers, whatever became of those of the test before."""
    while sum(_cluster.alive()) < 2:
        _cluster.start()
    return _cluster


def hand_over(site: Site, worker: Site, text: str, name: str = sliced.NAME) -> None:
    """The same job for both."""
    for each in (site, worker):
        each.write_job(text, name)


@pytest.fixture
def ledger(postgres: str) -> str:
    """The URL of a new database for the ledger."""
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("CREATE DATABASE scale")
    return database(postgres, "scale")


def test_workers_in_other_processes_give_what_one_process_gives(
    site: Site, worker: Site, running: Cluster, world: World, ledger: str
) -> None:
    site.write_job(sliced.job(page=500))
    alone = outcome(site, world)
    shared = worker.settings().words.shared
    site.settle_for(world, ledger=ledger, dask=running.address, shared=shared)
    hand_over(site, worker, sliced.job(page=500, slices=8, runner="dask"))

    together = outcome(site, world)

    assert together == alone
    assert len(alone.fingerprints) > COUNT * 0.9
    assert not list(Path(shared).rglob("*.*"))  # nothing is left there


def test_parts_travel_through_a_bucket(
    site: Site, worker: Site, running: Cluster, world: World, store: dict[str, str]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in store.items():
            patch.setenv(name, value)
        bucket = s3fs.S3FileSystem(use_listings_cache=False, skip_instance_cache=True)
        bucket.mkdir("farm")  # of its own: the store is that of all tests of this process
        site.write_job(sliced.job(page=500))
        alone = site.sync(sliced.NAME, only_plan=True)
        worker.settle_for(world, ledger=NOWHERE, shared="s3://farm/parts")
        site.settle_for(world, dask=running.address, shared="s3://farm/parts")
        hand_over(site, worker, sliced.job(page=500, slices=8, runner="dask"))

        together = site.sync(sliced.NAME, only_plan=True)

        assert site.spooled(together) == site.spooled(alone)
        assert bucket.find("farm") == []


OVER_HTTP = """\
source:
  type: api
  connection: cmdb
  datasets:
    servers:
      path: /api/servers
      data_selector: data
      primary_key: id
      total_header: X-Total-Count
      paginator: {type: offset, limit: 100}
mapping:
  entities:
    - dataset: servers
      component: {name: name, infos: {site: site}}
      ignore: [id]
sync:
  connection: acme-canopsis
  import_source: acme-farm
"""
LOST = "acme/lost"


def test_a_worker_that_dies_in_the_middle_has_its_slice_read_again(
    site: Site, worker: Site, running: Cluster, world: World, tmp_path: Path
) -> None:
    records = [{"id": f"{n:06}", "name": f"srv-{n:06}", "site": "Lyon"} for n in range(8_000)]
    world.api.put_collection("servers", records)
    world.api.turn({"total": "header", "paging": "offset"})
    site.write_job(OVER_HTTP, LOST)
    alone = site.sync(LOST, only_plan=True)
    world.api.turn({"total": "header", "paging": "offset", "latency": 0.1})
    site.settle_for(world, dask=running.address, shared=str(tmp_path / "shared"))
    hand_over(site, worker, OVER_HTTP + "  slices: 4\n  runner: dask\n", LOST)

    def kill() -> None:
        # a part that is being made: both workers are at it, for ten pages' time at least
        deadline = time.monotonic() + 60
        while len(list(tmp_path.joinpath("shared").rglob(".*.*/entities.jsonl"))) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        victims.append(running.kill())

    victims: list[int] = []
    killer = threading.Thread(target=kill)
    killer.start()
    together = site.sync(LOST, only_plan=True)
    killer.join()

    assert victims
    assert site.spooled(together) == site.spooled(alone)


def test_a_worker_with_other_job_files_is_refused(
    site: Site, worker: Site, running: Cluster, world: World, tmp_path: Path
) -> None:
    site.settle_for(world, dask=running.address, shared=str(tmp_path / "shared"))
    site.write_job(sliced.job(slices=4, runner="dask"))
    worker.write_job(sliced.job(slices=4, runner="dask").replace("n0: Nora", "n0: Nova"))

    with pytest.raises(Misdeclared, match=r"this worker's acme/farm is not the one of the run"):
        site.sync(sliced.NAME, only_plan=True)

    shutil.rmtree(worker.jobs)
    with pytest.raises(Misdeclared, match=r"unknown job 'acme/farm'"):
        site.sync(sliced.NAME, only_plan=True)


def test_a_worker_that_sees_another_place_is_refused(
    site: Site, worker: Site, running: Cluster, world: World, tmp_path: Path
) -> None:
    site.settle_for(world, dask=running.address, shared=str(tmp_path / "another"))
    hand_over(site, worker, sliced.job(slices=4, runner="dask"))

    with pytest.raises(Misdeclared, match="does not see what the run left for it"):
        site.sync(sliced.NAME, only_plan=True)
