"""Servers as a real iTop answers them: a map of objects, with nested lists, nulls and empty texts.

The answer lies in a file that a plain web server of files serves.
"""

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import orjson
import pytest

from flows.run import Report
from tests.acceptance.installation import Installation
from tests.acceptance.world import World

DATA = Path(__file__).parent / "data"
ANSWER = DATA / "32_get_server_star.json"
JOB = DATA / "itop-servers.yaml"
# iTop leaves no field out: what is not known is an empty text, and stays one
BARE = {"client": "Demo", "site": "", "materiel": "Acer DL380", "serie": "", "adresse": ""}


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing on standard error."""


@pytest.fixture(scope="module")
def files() -> Iterator[str]:
    """The URL of a web server of the files beside this test."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=DATA)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def report(world: World, installation: Installation, files: str) -> Report:
    """What the first run of the job tells."""
    installation.settle("itop", canopsis=world.canopsis_url, api=files)
    return installation.sync(str(JOB))


def test_the_four_servers_are_held_by_canopsis_and_nothing_else(
    report: Report, world: World
) -> None:
    assert (report.outcome, report.rejects) == ("done", 0)
    assert {name: _infos(entity) for name, entity in world.entities().items()} == {
        "Server1": BARE | {"id": "Server::1", "site": "BORDEAUX"},
        "Server2": BARE | {"id": "Server::2", "site": "GRENOBLE", "materiel": " "},
        "Server3": BARE | {"id": "Server::3"},
        "Server4": BARE
        | {
            "id": "Server::4",
            "serie": "US3215687014",
            "adresse": "10.10.24.2",
            "annee": "2025",
        },
    }


def test_one_of_them_as_canopsis_shows_it(report: Report, world: World) -> None:
    assert report.outcome == "done"
    shown = world.entities()["Server1"]

    assert {name: shown[name] for name in ("type", "enabled", "impact_level", "import_source")} == {
        "type": "component",
        "enabled": True,
        "impact_level": 1,
        "import_source": "itop-servers",
    }
    assert shown["category"]["name"] == "Serveur"
    assert shown["infos"]["site"] == {"name": "site", "description": "Site", "value": "BORDEAUX"}


def test_what_the_answer_holds_is_what_is_counted(report: Report) -> None:
    told: dict[str, Any] = orjson.loads(ANSWER.read_bytes())

    assert report.counts()["records"] == len(told["objects"]) == 4
    assert report.counts()["verified"] == {"expected": 4, "found": 4}


def test_the_same_answer_again_leaves_nothing_to_do(
    report: Report, installation: Installation
) -> None:
    assert report.outcome == "done"
    assert installation.sync(str(JOB)).outcome == "nothing-to-do"


def _infos(entity: dict[str, Any]) -> dict[str, Any]:
    return {name: info["value"] for name, info in entity["infos"].items()}
