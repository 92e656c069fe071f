"""`refsync driver`: files of Canopsis' own driver, run against simulators."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from flows.cli import main
from flows.driver_log import go_duration
from sandbox.serve import serve
from tests.flows.command import Ended
from tests.flows.workshop import KEY, Workshop

FILES = Path(__file__).parent.parent / "mappings" / "driver"
FILE = """\
api: {{url: "{url}/rows"}}
import: {{source: cmdb, action: {action}, missing_action: {missing}}}
mapping:
  component:
    name: {{type: copy, value: name}}
    category: {{type: copy, value: kind}}
"""
LINE = r"\S+T\S+ INF \S+:\d+ > import finished deleted=0 exec_time=\S+ updated=(\d+)\n"

Refsync = Callable[..., Ended]


@dataclass
class Cmdb:
    """What an API answers by path, and the calls it got."""

    url: str = ""
    answers: dict[str, Any] = field(default_factory=dict)
    calls: list[tuple[Request, bytes]] = field(default_factory=list)

    async def answer(self, request: Request) -> Response:
        self.calls.append((request, await request.body()))
        found = self.answers.get(request.url.path, 404)
        if isinstance(found, int):
            return Response(status_code=found)
        if isinstance(found, str):
            return RedirectResponse(found, 302)
        return JSONResponse(found)


@pytest.fixture
def cmdb() -> Iterator[Cmdb]:
    made = Cmdb()
    methods = ["GET", "POST", "PUT"]
    with serve(Starlette(routes=[Route("/{path:path}", made.answer, methods=methods)])) as url:
        made.url = url
        yield made


@pytest.fixture
def refsync(workshop: Workshop, capfd: pytest.CaptureFixture[str]) -> Refsync:
    del workshop  # its settings are in the environment

    def give(*words: str) -> Ended:
        with pytest.raises(SystemExit) as left:
            main(words)
        return Ended(int(left.value.code or 0), *capfd.readouterr())

    return give


def write(cmdb: Cmdb, rows: Any, action: str = "set", missing: str = "disable") -> str:
    cmdb.answers["/rows"] = rows
    text = FILE.format(url=cmdb.url, action=action, missing=missing)
    Path("api.yml").write_text(text, encoding="utf-8")
    return "api.yml"


def named(*names: str) -> list[dict[str, str]]:
    return [{"name": name, "kind": "Server"} for name in names]


def enabled(workshop: Workshop) -> set[str]:
    return {name for name, entity in workshop.entities().items() if entity["enabled"]}


def test_the_three_levels_give_the_tree(workshop: Workshop, cmdb: Cmdb, refsync: Refsync) -> None:
    for name in ("servers", "composants", "applications"):
        cmdb.answers[f"/{name}/_search"] = json.loads((FILES / f"{name}.json").read_bytes())
        text = (FILES / f"{name}.yml").read_text(encoding="utf-8")
        Path(f"{name}.yml").write_text(text.replace("http://localhost:9200", cmdb.url))
        done = refsync("driver", f"{name}.yml")
        assert done.code == 0, done.err
        assert re.search(LINE, done.err), done.err

    wanted = json.loads((FILES / "entities.json").read_bytes())
    assert workshop.entities().keys() == {each["name"] for each in wanted}
    for name, depends in json.loads((FILES / "depends.json").read_bytes()).items():
        graph = requests.get(
            f"{workshop.canopsis_url}/api/v4/entities/context-graph",
            params={"_id": name},
            headers={"x-canopsis-authkey": KEY},
            timeout=10,
        ).json()
        assert sorted(graph["depends"]) == depends
    last = workshop.last_run()
    assert (last.feed.job, last.outcome) == ("driver/applications", "done")


def test_what_is_missing_goes_whoever_loaded_it(
    workshop: Workshop, cmdb: Cmdb, refsync: Refsync
) -> None:
    assert refsync("driver", write(cmdb, named("a", "b", "c"))).code == 0
    (workshop.folder / "state" / "ledger.db").unlink()  # as if the driver itself had loaded them

    done = refsync("driver", write(cmdb, named("a", "b")))

    assert done.code == 0
    assert enabled(workshop) == {"a", "b"}


def test_nothing_goes_without_a_missing_action(
    workshop: Workshop, cmdb: Cmdb, refsync: Refsync
) -> None:
    refsync("driver", write(cmdb, named("a", "b"), missing=""))
    refsync("driver", write(cmdb, named("a"), missing=""))

    assert enabled(workshop) == {"a", "b"}


def test_a_limit_on_the_missing_is_3_and_writes_nothing(
    workshop: Workshop, cmdb: Cmdb, refsync: Refsync
) -> None:
    refsync("driver", write(cmdb, named("a", "b")))

    done = refsync("driver", write(cmdb, named("a")), "--max-missing", "10%")

    assert done.code == 3
    assert "--max-missing" in done.err
    assert "--allow" not in done.err
    assert enabled(workshop) == {"a", "b"}


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        ([], "empty import"),
        ({}, "not an array of rows"),
        (["x"], "no row is an object"),
        (404, "404 Not Found"),
    ],
)
def test_an_answer_without_rows_is_1_and_touches_nothing(
    answer: Any, what: str, workshop: Workshop, cmdb: Cmdb, refsync: Refsync
) -> None:
    refsync("driver", write(cmdb, named("a")))

    done = refsync("driver", write(cmdb, answer))

    assert done.code == 1
    assert what in done.err
    assert "import finished" not in done.err
    assert enabled(workshop) == {"a"}


def test_a_fault_is_2_before_any_call(cmdb: Cmdb, refsync: Refsync) -> None:
    file = Path(write(cmdb, named("a")))
    file.write_text(file.read_text(encoding="utf-8").replace("copy", "cpoy", 1), encoding="utf-8")

    done = refsync("driver", "-c", "api.yml")

    assert done.code == 2
    assert "api.yml:5:18" in done.err
    assert "did you mean 'copy'?" in done.err
    assert cmdb.calls == []


def test_enable_and_update_keep_to_what_exists(
    workshop: Workshop, cmdb: Cmdb, refsync: Refsync
) -> None:
    refsync("driver", write(cmdb, named("a", "b")))
    refsync("driver", write(cmdb, named("a")))
    assert enabled(workshop) == {"a"}

    done = refsync("driver", write(cmdb, named("b", "new"), "enable", ""), "-d")
    assert done.code == 0, done.err
    assert "skipped=1" in done.err
    assert enabled(workshop) == {"a", "b"}

    done = refsync("driver", write(cmdb, named("a", "new"), "update", ""))
    assert done.code == 0, done.err
    assert enabled(workshop) == {"a", "b"}


def test_credentials_go_by_basic_and_stay_behind_on_another_host(
    cmdb: Cmdb, refsync: Refsync, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXTERNAL_API_USERNAME", "user")
    monkeypatch.setenv("EXTERNAL_API_PASSWORD", "pass:word")
    file = write(cmdb, cmdb.url.replace("127.0.0.1", "localhost") + "/there")
    cmdb.answers["/there"] = named("a")

    done = refsync("driver", file)

    assert done.code == 0, done.err
    assert [call.headers.get("authorization") for call, _ in cmdb.calls] == [
        "Basic dXNlcjpwYXNzOndvcmQ=",
        None,
    ]


@pytest.mark.parametrize(
    ("headers", "kind", "wanted"),
    [
        ("", "application/x-www-form-urlencoded", b"a=0123&b=x+y"),
        ("content-type: application/json", "application/json", b'{"a": 83, "b": "x y"}'),
    ],
)
def test_a_body_is_a_form_or_json(
    headers: str, kind: str, wanted: bytes, cmdb: Cmdb, refsync: Refsync
) -> None:
    file = Path(write(cmdb, named("a")))
    api = f'api: {{method: POST, headers: {{{headers}}}, body: {{a: 0123, b: x y}}, url: "'
    file.write_text(file.read_text(encoding="utf-8").replace('api: {url: "', api), encoding="utf-8")

    assert refsync("driver", str(file)).code == 0
    call, body = cmdb.calls[0]
    assert (call.method, call.headers["content-type"], body) == ("POST", kind, wanted)


def test_a_missing_field_may_fail_the_run(cmdb: Cmdb, refsync: Refsync) -> None:
    file = write(cmdb, [{"name": "a"}])

    strict, usual = refsync("driver", file, "--on-missing", "fail"), refsync("driver", file)

    assert (strict.code, usual.code) == (3, 0)
    assert "kind is missing or null" in usual.err


@pytest.mark.parametrize(
    ("seconds", "wanted"),
    [(0.003784369, "3.784369ms"), (1.5, "1.5s"), (62.3, "1m2.3s"), (3600, "1h0m0s"), (0, "0s")],
)
def test_a_duration_is_written_as_go_does(seconds: float, wanted: str) -> None:
    assert go_duration(seconds) == wanted


def test_a_converted_file_syncs_to_the_same_entities(
    workshop: Workshop, cmdb: Cmdb, refsync: Refsync, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(cmdb, named("a", "b"))
    monkeypatch.setenv("EXTERNAL_API_USERNAME", "user")
    monkeypatch.setenv("EXTERNAL_API_PASSWORD", "pass")

    made = refsync("init", "--from-driver", file, "--customer", "acme")
    assert made.code == 0, made.err
    settings = workshop.folder / "refsync.yaml"
    block = "".join(f"  {line}\n" for line in made.out.splitlines())
    settings.write_text(settings.read_text(encoding="utf-8") + block, encoding="utf-8")
    done = refsync("sync", "acme/api")

    assert done.code == 0, done.err
    assert enabled(workshop) == {"a", "b"}
    assert refsync("init", "--from-driver", file, "--customer", "acme").code == 2


def test_redirects_end(cmdb: Cmdb, refsync: Refsync) -> None:
    done = refsync("driver", write(cmdb, "/rows"))

    assert done.code == 1
    assert "stopped after 10 redirects" in done.err


@pytest.mark.parametrize(
    "words",
    [
        ("--max-missing", "many"),
        ("--timezone", "Mars"),
        ("--template-var", "x"),
        ("--timeout", "0"),
        ("--target", "nobody"),
    ],
)
def test_a_bad_option_is_2(words: tuple[str, str], cmdb: Cmdb, refsync: Refsync) -> None:
    done = refsync("driver", write(cmdb, named("a")), *words)

    assert done.code == 2
    assert words[0] in done.err
    assert cmdb.calls == []
