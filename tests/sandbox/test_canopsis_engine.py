"""The engines of the Canopsis simulator (patterns, searches, Go's words, events) and its knobs."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from sandbox.canopsis import create_app
from sandbox.canopsis_events import Event
from sandbox.canopsis_gojson import syntax_fault
from sandbox.canopsis_graph import Graph
from sandbox.canopsis_jobs import partial_events
from sandbox.canopsis_knobs import Fault, JobFault, KnobError, Knobs, Poison, User
from sandbox.canopsis_operations import JobFailed
from sandbox.canopsis_parse import Parsed, parse
from sandbox.canopsis_pattern import (
    SERVICE_FORBIDDEN,
    PatternFault,
    compile_pattern,
    is_valid,
)
from sandbox.canopsis_platform import Canopsis
from sandbox.canopsis_search import NotAnExpression, compile_expression, compile_search
from sandbox.canopsis_store import Store
from sandbox.serve import serve

Doc = dict[str, Any]
NOW = 1_700_000_000

SERVER: Doc = {
    "_id": "disk/srv1",
    "name": "disk",
    "type": "resource",
    "component": "srv1",
    "impact_level": 3,
    "enabled": True,
    "import_source": "cmdb",
    "imported": NOW - 100,
    "last_event_date": NOW - 60,
    "services": ["S1", "S2"],
    "infos": {
        "os": {"name": "os", "value": "linux"},
        "cores": {"name": "cores", "value": 4},
        "ratio": {"name": "ratio", "value": 0.5},
        "virtual": {"name": "virtual", "value": True},
        "apps": {"name": "apps", "value": ["pay", "hr"]},
        "blank": {"name": "blank", "value": ""},
        "null": {"name": "null"},
    },
    "component_infos": {"site": {"name": "site", "value": "Paris"}},
}


def cond(field: str, kind: str, value: Any, field_type: str = "") -> Doc:
    typed = {"field_type": field_type} if field_type else {}
    return {"field": field, **typed, "cond": {"type": kind, "value": value}}


def matches(*conditions: Doc, in_memory: bool = False) -> bool:
    return compile_pattern([list(conditions)], now=NOW, in_memory=in_memory)(SERVER)


# -- patterns (specs/canopsis.md §4)


@pytest.mark.parametrize("in_memory", [False, True], ids=["by query", "in memory"])
@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (cond("name", "eq", "disk"), True),
        (cond("name", "eq", "DISK"), False),
        (cond("name", "neq", "cpu"), True),
        (cond("name", "is_one_of", ["cpu", "disk"]), True),
        (cond("name", "is_not_one_of", ["cpu"]), True),
        (cond("name", "regexp", "^d.s"), True),
        (cond("name", "regexp", "d(?=isk)"), True),
        (cond("name", "regexp", r"(?<first>d)isk\z"), True),
        (cond("name", "contain", "is"), True),
        (cond("name", "not_contain", "is"), False),
        (cond("_id", "begin_with", "disk/"), True),
        (cond("component", "end_with", "1"), True),
        (cond("category", "exist", False), True),
        (cond("category", "neq", "any"), True),
        (cond("impact_level", "gt", 2), True),
        (cond("impact_level", "lt", 3), False),
        (cond("impact_level", "eq", 3.0), True),
        (cond("infos.os", "eq", "linux", "string"), True),
        (cond("infos.os", "exist", True), True),
        (cond("infos.absent", "neq", "bsd", "string"), False),
        (cond("infos.absent", "is_not_one_of", ["bsd"], "string"), False),
        (cond("infos.absent", "has_not", ["pay"], "string_array"), False),
        (cond("infos.absent", "exist", False), True),
        (cond("infos.null", "exist", False), True),
        (cond("infos.blank", "exist", True), True),
        (cond("infos.blank", "exist", True, "string"), False),
        (cond("infos.cores", "gt", 3, "int"), True),
        (cond("infos.virtual", "eq", True, "bool"), True),
        (cond("infos.virtual", "eq", 1, "int"), False),
        (cond("infos.apps", "has_every", ["pay", "hr"], "string_array"), True),
        (cond("infos.apps", "has_one_of", ["crm", "hr"], "string_array"), True),
        (cond("infos.apps", "has_not", ["crm"], "string_array"), True),
        (cond("infos.apps", "is_empty", True, "string_array"), False),
        (cond("component_infos.site", "eq", "Paris", "string"), True),
        (cond("last_event_date", "relative_time", {"value": 2, "unit": "m"}), True),
        (cond("last_event_date", "relative_time", {"value": 30, "unit": "s"}), False),
        (cond("last_event_date", "absolute_time", {"from": NOW - 90, "to": NOW}), True),
    ],
)
def test_a_condition_matches_as_canopsis_does(
    condition: Doc, expected: Any, in_memory: Any
) -> None:
    assert matches(condition, in_memory=in_memory) is expected


def test_conditions_of_a_group_are_all_needed_and_one_group_is_enough() -> None:
    linux, bsd = (cond("infos.os", "eq", system, "string") for system in ("linux", "bsd"))
    disk, level = cond("name", "eq", "disk"), cond("impact_level", "eq", 3)

    assert matches(linux, disk)
    assert not matches(bsd, disk)
    assert matches(linux, disk, level)
    assert not matches(linux, level, bsd)
    assert compile_pattern([[bsd, disk], [linux]], now=NOW)(SERVER)
    assert not compile_pattern([[bsd], [bsd, disk]], now=NOW)(SERVER)


def test_a_value_of_another_type_spoils_the_pattern_in_memory_alone() -> None:
    pattern = [[cond("infos.cores", "eq", "4", "string")], [cond("name", "eq", "disk")]]

    assert compile_pattern(pattern, now=NOW)(SERVER)
    assert not compile_pattern(pattern, now=NOW, in_memory=True)(SERVER)


@pytest.mark.parametrize(
    "pattern",
    [
        [[]],
        [[cond("import_source", "eq", "cmdb")]],
        [[cond("infos.", "exist", True)]],
        [[cond("infos.k", "eq", "v")]],
        [[cond("infos.k", "eq", "v", "text")]],
        [[cond("infos.k", "exist", "true")]],
        [[cond("infos.k", "eq", 1, "string")]],
        [[cond("infos.k", "gt", 3.5, "int")]],
        [[cond("infos.k", "has_every", [], "string_array")]],
        [[cond("name", "is_one_of", [])]],
        [[cond("name", "is_one_of", ["a", 1])]],
        [[cond("name", "contain", "")]],
        [[cond("name", "regexp", "(")]],
        [[cond("name", "gt", "a")]],
        [[cond("impact_level", "eq", "3")]],
        [[cond("last_event_date", "relative_time", {"value": 1, "unit": "min"})]],
        [[{"field": "name"}]],
    ],
)
def test_a_pattern_without_sense_is_invalid(pattern: Any) -> None:
    assert not is_valid(pattern)


@pytest.mark.parametrize("field", ["connector", "last_event_date", "component_infos.site"])
def test_some_fields_are_for_filters_and_not_for_services(field: str) -> None:
    value = {"value": 1, "unit": "d"}
    tests = {
        "connector": cond(field, "eq", "a/b"),
        "last_event_date": cond(field, "relative_time", value),
        "component_infos.site": cond(field, "exist", True),
    }

    assert is_valid([[tests[field]]])
    assert not is_valid([[tests[field]]], forbidden=SERVICE_FORBIDDEN)


def test_a_pattern_that_is_no_array_is_refused() -> None:
    with pytest.raises(PatternFault):
        compile_pattern({"field": "name"}, now=NOW)


# -- searches (specs/canopsis.md §5.1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('name = "disk"', True),
        ("name = disk", True),
        ('absent != "disk"', True),
        ("absent = NULL", True),
        ("enabled = TRUE", True),
        ("impact_level = 3.0", True),
        ("impact_level >= 4", False),
        (f"imported < {NOW}", True),
        ('imported < "2"', False),
        ("enabled = 1", False),
        ('services = "S2"', True),
        ('infos.os.value = "linux"', True),
        ("infos.ratio.value > .4", True),
        ('name LIKE "^d"', True),
        ('name LIKE "^D"', False),
        ('name NOT LIKE "^D"', True),
        ('services LIKE "2$"', True),
        ('name CONTAINS "cpu" "disk"', True),
        ('name NOT CONTAINS "cpu" "disk"', False),
        ('name = "cpu" OR type = "resource"', True),
        ('name = "disk" OR name = "cpu" AND type = "service"', True),
        ('name = "cpu" AND name = "disk" OR type = "service"', False),
        ('NOT name = "cpu" AND type = "resource"', True),
        ('name = "disk" and not type = "service"', True),
    ],
)
def test_an_expression_is_evaluated_as_mongo_does(text: str, expected: Any) -> None:
    assert compile_expression(text)(SERVER) is expected


@pytest.mark.parametrize(
    "text",
    [
        "disk",
        'name = "disk',
        '(name = "disk")',
        'infos.a-b.value = "x"',
        'infos.élan.value = "x"',
        'order = "x"',
        'name = "disk" AND',
        'name = "a\\d"',
        "= 3",
    ],
)
def test_what_does_not_parse_is_no_expression(text: str) -> None:
    with pytest.raises(NotAnExpression):
        compile_expression(text)


def test_what_is_no_expression_is_searched_as_a_text() -> None:
    fields = ("_id", "name")

    assert compile_search("K/SRV.$", fields, {})(SERVER)
    assert not compile_search("linux", fields, {})(SERVER)
    assert compile_search('infos.a-b.value = "x"', fields, {})({"_id": 'infos.a-b.value = "x"'})


# -- the words of Go (specs/canopsis.md §2.7)

DECODE = "failed to decode cis item"
CANNOT = f"{DECODE}: json: cannot unmarshal"
FIELD = "Go struct field EntityConfiguration"
ITEM = b'{"type":"component","name":"A","action":"set","enabled":true}'


@pytest.mark.parametrize(
    ("body", "info"),
    [
        ("", None),
        ("[", None),
        ("[]trailing", None),
        ("not json", "invalid character 'o' in literal null (expecting 'u')"),
        ("hello", "invalid character 'h' looking for beginning of value"),
        ("\ufeff[]", "invalid character 'ï' looking for beginning of value"),
        ("]", "invalid character ']' looking for beginning of value"),
        ('"cis"', "cis should be an array"),
        ("null", "cis should be an array"),
        ('{"cis":[', "cis should be an array"),
        ("[{}", "ci = , validation error: type is not valid "),
        ("[null]", "ci = , validation error: type is not valid "),
        ("[ITEM,", f"{DECODE}: EOF"),
        ("[ITEM{}]", f"{DECODE}: expected comma after array element"),
        ("[ITEM,x]", f"{DECODE}: invalid character 'x' looking for beginning of value"),
        ('[{"name":"a', f"{DECODE}: unexpected EOF"),
        ('[{"name":1}]', f"{CANNOT} number into {FIELD}.name of type string"),
        ('[{"NAME":[]}]', f"{CANNOT} array into {FIELD}.name of type string"),
        ('[{"impact_level":"3"}]', f"{CANNOT} string into {FIELD}.impact_level of type int64"),
        ('[{"impact_level":3.5}]', f"{CANNOT} number 3.5 into {FIELD}.impact_level of type int64"),
        ('[{"enabled":1}]', f"{CANNOT} number into {FIELD}.enabled of type bool"),
        ('[{"infos":{"k":"v"}}]', f"{CANNOT} string into {FIELD}.infos of type types.Info"),
        (
            '[{"entity_pattern":{}}]',
            f"{CANNOT} object into {FIELD}.entity_pattern of type pattern.Entity",
        ),
        ("[7]", f"{CANNOT} number into Go value of type importcontextgraph.EntityConfiguration"),
    ],
)
def test_a_body_is_read_as_the_decoder_of_go_reads_it(body: str, info: str | None) -> None:
    raw = body.encode().replace(b"ITEM", ITEM)

    if info is None:
        assert parse(raw, Store(), source="s", now=NOW) == Parsed()
    else:
        with pytest.raises(JobFailed) as failure:
            parse(raw, Store(), source="s", now=NOW)
        assert str(failure.value) == info


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('{"a":1}', ""),
        ('{"a" 1}', "invalid character '1' after object key"),
        ('{"a":1 "b":2}', "invalid character '\"' after object key:value pair"),
        ('{"a":1,}', "invalid character '}' looking for beginning of object key string"),
        ("[1 2]", "invalid character '2' after array element"),
        ("[1,]", "invalid character ']' looking for beginning of value"),
        ('"a\nb"', r"invalid character '\n' in string literal"),
        (r'"\x"', "invalid character 'x' in string escape code"),
        (r'"\u00g0"', r"invalid character 'g' in \u hexadecimal character escape"),
        ("[01]", "invalid character '1' after array element"),
        ("-x", "invalid character 'x' in numeric literal"),
        ("1.x", "invalid character 'x' after decimal point in numeric literal"),
        ("1ex", "invalid character 'x' in exponent of numeric literal"),
        ("tru ", "invalid character ' ' in literal true (expecting 'e')"),
        ("NaN", "invalid character 'N' looking for beginning of value"),
    ],
)
def test_a_syntax_fault_is_told_in_the_words_of_go(text: str, fault: str) -> None:
    assert syntax_fault(text, 0) == fault


SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e9, 1e9) | st.text()
)


@given(st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_sound_json_has_no_syntax_fault(value: Any) -> None:
    assert syntax_fault(orjson.dumps(value).decode(), 0) == ""


# -- dependencies of services


@given(
    st.lists(
        st.tuples(st.sampled_from("ABCD"), st.sampled_from(["x", "y"]), st.booleans()), max_size=12
    )
)
def test_recomputing_what_changed_gives_what_recomputing_everything_gives(
    writes: list[tuple[str, str, bool]],
) -> None:
    store = Store()
    followed = Graph(store)
    for name, wanted in (("S1", "x"), ("S2", "y")):
        pattern = [[cond("infos.k", "eq", wanted, "string")]]
        service = {"name": name, "type": "service", "enabled": True, "entity_pattern": pattern}
        store.upsert(name, {**service, "infos": {}}, now=NOW)

    for name, value, recompute in writes:
        infos = {"k": {"value": value}}
        component = {"name": name, "type": "component", "component": name, "enabled": True}
        store.upsert(name, {**component, "infos": infos}, now=NOW)
        if recompute:
            followed.recompute(["S1", "S2"])
        else:
            followed.assign(name)
    followed.recompute(["S1", "S2"])

    afresh = Graph(store)
    afresh.recompute(["S1", "S2"])
    for service in ("S1", "S2"):
        assert followed.members(service) == afresh.members(service)


# -- events of a partial import (specs/canopsis.md §3.10)

SERVICE = Event("recomputeentityservice", "S")
RESOURCE = Event("entityupdated", "R/A")
COMPONENT = Event("entitytoggled", "A")
EXISTING = Event("entityupdated", "B")


@pytest.mark.parametrize(
    ("version", "services", "sent"),
    [
        ((24, 10, 0), 0, [COMPONENT, EXISTING]),
        ((24, 10, 0), 1, [None, COMPONENT, EXISTING]),
        ((24, 10, 0), 2, [SERVICE, RESOURCE, COMPONENT]),
        ((23, 10, 6), 0, [SERVICE]),
        ((23, 10, 6), 2, [None]),
        ((23, 10, 6), 3, [SERVICE, RESOURCE, COMPONENT]),
        ((23, 10, 5), 3, [SERVICE, COMPONENT]),
    ],
)
def test_a_partial_import_weighs_its_events_against_the_services(
    version: tuple[int, ...], services: int, sent: list[Event | None]
) -> None:
    parsed = Parsed(
        services=[SERVICE], resources=[RESOURCE], components=[COMPONENT], existing=[EXISTING]
    )

    assert partial_events(parsed, services, version) == sent


def test_the_event_of_a_new_service_counts_and_goes_nowhere() -> None:
    parsed = Parsed(services=[Event("recomputeentityservice", "")])

    assert partial_events(parsed, 1, (24, 10)) == []
    assert partial_events(parsed, 0, (24, 10)) == []


# -- knobs


def test_knobs_are_turned_by_name_and_users_are_added() -> None:
    knobs = Knobs()

    knobs.turn({"faults": [{"kind": 500, "times": None}], "users": [{"name": "new"}]})

    assert knobs.faults == [Fault(kind="500", times=None)]
    assert [user.name for user in knobs.users] == ["root", "loader", "reader", "new"]
    assert knobs.users[-1] == User("new")


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"pooison": []}, "did you mean 'poison'?"),
        ({"faults": [{"kind": "506"}]}, "did you mean '503'?"),
        ({"faults": [{"kind": "500", "route": "*", "tmes": 1}]}, "did you mean 'times'?"),
        ({"poison": [{"name": "x"}]}, "not a Poison"),
    ],
)
def test_an_unknown_knob_is_named_with_the_nearest_and_nothing_is_turned(
    wanted: Doc, words: str
) -> None:
    knobs = Knobs()

    with pytest.raises(KnobError, match=re.escape(words)):
        knobs.turn({"tick": 5.0} | wanted)

    assert knobs == Knobs()


# -- outages, over HTTP

KEY = {"x-canopsis-authkey": "sandbox-key"}
IMPORT = "/api/v4/contextgraph-import"
Call = Callable[..., requests.Response]


@pytest.fixture
def served() -> Iterator[tuple[Canopsis, Call]]:
    """A platform that moves on tick alone, and a way to call it."""
    app = create_app(Knobs(manual=True))
    with serve(app) as url, requests.Session() as session:

        def call(method: str, path: str, **options: Any) -> requests.Response:
            options = {"timeout": 10, "headers": KEY} | options
            return session.request(method, f"{url}{path}", **options)

        yield app.state.canopsis, call


def put(call: Call, *names: str, **options: Any) -> requests.Response:
    items = [{"type": "component", "name": n, "action": "set", "enabled": True} for n in names]
    return call("PUT", IMPORT, params={"source": "s"}, json=items, **options)


def report(call: Call, accepted: requests.Response) -> Doc:
    status: Doc = call("GET", f"{IMPORT}-status/{accepted.json()['_id']}").json()
    return status


@pytest.mark.parametrize(
    ("kind", "status", "is_json"),
    [("500", 500, True), ("401", 401, True), ("429", 429, True), ("502", 502, False),
     ("503", 503, False), ("html", 200, False)],
)  # fmt: skip
def test_some_calls_fail_after_some_and_then_no_more(
    served: tuple[Canopsis, Call], kind: Any, status: int, is_json: Any
) -> None:
    platform, call = served
    platform.knobs.faults = [Fault(kind, route=IMPORT, method="PUT", after=1, retry_after=3)]

    answers = [put(call, "A") for _ in range(3)]

    failed = answers[1]
    assert [answer.status_code for answer in answers] == [200, status, 200]
    assert failed.headers["retry-after"] == "3"
    assert failed.headers["content-type"].startswith("application/json") is is_json
    assert len(platform.traffic.jobs) == 2
    assert call("GET", "/sandbox/traffic").json()["requests"] == {f"PUT {IMPORT}": 3}


def test_a_reset_cuts_the_answer_of_a_call_that_was_carried_out(
    served: tuple[Canopsis, Call],
) -> None:
    platform, call = served
    platform.knobs.faults = [Fault("reset")]

    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        put(call, "A")

    assert len(platform.traffic.jobs) == 1


def test_a_call_that_hangs_is_not_answered(served: tuple[Canopsis, Call]) -> None:
    platform, call = served
    platform.knobs.faults = [Fault("hang")]

    with pytest.raises(requests.exceptions.ReadTimeout):
        put(call, "A", timeout=0.2)

    assert platform.traffic.jobs == []
    assert put(call, "A").status_code == 200


def test_a_body_too_large_is_received_and_refused_with_a_page(
    served: tuple[Canopsis, Call],
) -> None:
    platform, call = served
    platform.knobs.body_limit = 1_000_000

    answer = put(call, "A" * 1_000_001)

    assert answer.status_code == 413
    assert answer.text.startswith("<html>")
    assert platform.traffic.jobs == []
    assert platform.traffic.bytes[f"PUT {IMPORT}"] > 1_000_000


@pytest.mark.parametrize(("phase", "written"), [("parse", []), ("write", ["A"])])
def test_a_poisoned_name_fails_its_job(
    served: tuple[Canopsis, Call], phase: Any, written: list[str]
) -> None:
    platform, call = served
    platform.knobs.poison = [Poison("^bad", "words of Mongo", phase)]

    job = put(call, "A", "bad-1", "B")
    platform.tick()

    assert (report(call, job)["status"], report(call, job)["info"]) == ("failed", "words of Mongo")
    assert sorted(platform.store.entities) == written


def test_a_job_may_be_lost_forgotten_or_stuck(served: tuple[Canopsis, Call]) -> None:
    platform, call = served
    platform.knobs.job_faults = [JobFault(), JobFault("never"), JobFault("stuck")]
    jobs = [put(call, "A") for _ in range(4)]

    platform.tick()
    during = [report(call, job)["status"] for job in jobs]
    platform.advance(301)
    platform.tick()
    after = [report(call, job) for job in jobs]

    lost = [f"open /tmp/import_{job.json()['_id']}.json: no such file or directory" for job in jobs]
    assert during == ["failed", "pending", "ongoing", "pending"]
    assert [each["status"] for each in after] == ["failed", "pending", "failed", "done"]
    assert [each["info"] for each in after] == [lost[0], "", lost[2], ""]


def test_a_token_ends_after_so_many_calls(served: tuple[Canopsis, Call]) -> None:
    platform, call = served
    platform.knobs.token_calls = 2
    login = call("POST", "/api/v4/login", json={"username": "root", "password": "root"})
    bearer = {"Authorization": f"Bearer {login.json()['access_token']}"}

    calls = [call("GET", "/api/v4/account/me", headers=bearer) for _ in range(3)]

    assert [each.status_code for each in calls] == [200, 200, 401]


def test_maintenance_keeps_out_those_without_the_right(served: tuple[Canopsis, Call]) -> None:
    platform, call = served
    platform.knobs.maintenance = True

    kept_out = call("GET", "/api/v4/entities", headers={"x-canopsis-authkey": "loader-key"})

    assert kept_out.status_code == 503
    assert kept_out.json() == {"error": "canopsis is under maintenance"}
    assert call("GET", "/api/v4/entities").status_code == 200
    assert call("GET", "/api/v4/app-info", headers={}).json()["maintenance"] is True


def test_two_loads_of_the_same_thing_have_the_same_stable_state(
    served: tuple[Canopsis, Call],
) -> None:
    platform, call = served
    item = {"type": "component", "name": "A", "action": "set", "enabled": True, "category": "Cat"}
    states = []
    for _ in range(2):
        call("POST", "/sandbox/reset")
        platform.advance(len(states) * 100)
        call("PUT", IMPORT, params={"source": "s"}, json=[item])
        call("POST", "/sandbox/tick")
        states.append(
            [call("GET", "/sandbox/state", params={"stable": s}).json() for s in ("true", "")]
        )

    (stable, raw), (stable_again, raw_again) = states
    assert stable == stable_again
    assert raw != raw_again
    assert stable["entities"][0]["category"] == "Cat"


def test_another_process_serves_until_it_is_stopped() -> None:
    command = [sys.executable, "-m", "sandbox.canopsis", "--port", "0", "--tick", "0.01"]
    with subprocess.Popen([*command, "--version", "23.10.6"], stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        url = server.stdout.readline().decode().strip()
        try:
            about = requests.get(f"{url}/api/v4/app-info", timeout=10).json()
        finally:
            server.terminate()

    assert about["version"] == "23.10.6"
    assert server.returncode == 0
