"""Recordings: real records read, made anonymous, and still good for the mapping they are for."""

import re
from pathlib import Path
from typing import Any

import orjson
import pytest

from flows.anonymize import RecordBlock, check_rules
from flows.job import SHIPPED
from flows.misdeclared import Misdeclared
from flows.pseudonyms import SHAPES
from flows.recording import KEY_VARIABLE
from flows.yaml_file import YamlFile
from mappings.errors import Place
from mappings.loading import load_mapping
from sandbox.cmdb import records as cmdb_records
from tests.flows.command import Ended, Refsync
from tests.flows.workshop import JOB, NAME, Workshop

SECRET = "a key that nobody guesses"
PEOPLE = [
    {
        "id": f"{rank:03}",
        "name": f"SRV-Lyon-{rank:03}",
        "site": "Villeurbanne",
        "owner": {
            "email": f"jeanne.{rank % 3}@corp.acme.com",
            "phone": f"+33 4 72 10 20 {rank:02}",
        },
        "ip": f"192.168.4.{rank}",
        "since": f"2024-03-{rank:02}T08:00:00Z",
        "comment": "to be replaced",
        "unread": "nobody reads this",
    }
    for rank in range(1, 21)
]
INFOS = """\
          site: {value: site, description: Site}
          email: owner.email
          phone: owner.phone
          ip: ip
          since: {copy: since, cast: {type: date, to: day}}
          comment: comment
"""
PERSONAL = JOB.replace("          site: {value: site, description: Site}\n", INFOS)
TABLES = """\
source:
  type: api
  connection: acme-cmdb
  datasets:
    servers:
      path: /api/servers
      data_selector: data
      primary_key: id
      total_header: X-Total-Count
      paginator: {type: page_number, base_page: 1, page_size: 10, page_size_param: limit}
    links:
      path: /api/links
      data_selector: data
      total_header: X-Total-Count
      paginator: {type: page_number, base_page: 1, page_size: 10, page_size_param: limit}
mapping:
  lookups:
    applications: {dataset: links, key: server, value: application, many: true}
  entities:
    - dataset: servers
      component:
        name: name
        infos: {applications: {copy: id, lookup: applications}}
sync: {connection: acme-canopsis, import_source: acme-cmdb}
"""


def with_rules(job: str, *lines: str) -> str:
    return "\n".join([job.rstrip(), "record:", *(f"  {line}" for line in lines), ""])


def path_of(workshop: Workshop, name: str = NAME) -> Path:
    return workshop.folder / "jobs" / f"{name}.records.jsonl"


def recorded(workshop: Workshop, name: str = NAME) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in path_of(workshop, name).read_bytes().splitlines()]


def values(found: Any) -> list[str]:
    """Every text and number of some records."""
    if isinstance(found, dict):
        return [word for each in found.values() for word in values(each)]
    if isinstance(found, list):
        return [word for each in found for word in values(each)]
    return [] if found is None or isinstance(found, bool) else [str(found)]


@pytest.fixture(autouse=True)
def _one_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short words could otherwise come up by chance."""
    monkeypatch.setenv(KEY_VARIABLE, SECRET)


@pytest.fixture
def personal(workshop: Workshop) -> Workshop:
    """A CMDB that has people in it."""
    workshop.write_job(PERSONAL)
    workshop.serve(PEOPLE)
    return workshop


# --- what is recorded


@pytest.mark.parametrize("name", ["acme/servers", "acme/oncall"])
def test_the_recording_of_a_shipped_job_gives_as_many_entities_as_the_real_records(
    name: str, workshop: Workshop, refsync: Refsync
) -> None:
    text = (SHIPPED / f"{name}.yaml").read_text(encoding="utf-8")
    workshop.write_job(text.replace("path: /servers", "path: /api/servers"), name)
    workshop.serve(cmdb_records(400))

    done = refsync("record", name, "--json")

    assert done.code == 0
    assert done.document["records"] == {"servers": 50}
    assert done.document["warnings"] == []
    assert done.document["kept"] == done.document["real"]
    assert done.document["kept"]["entities"] > 30
    assert refsync("test", name, "--update").code == 0
    assert refsync("test", name).code == 0


def test_only_fields_that_the_mapping_reads_are_kept(personal: Workshop, refsync: Refsync) -> None:
    refsync("record", NAME)

    assert {key for record in recorded(personal) for key in record} == {
        *("name", "site", "owner", "ip", "since", "comment")
    }


def test_only_the_first_pages_are_asked_for(workshop: Workshop, refsync: Refsync) -> None:
    workshop.api.traffic.clear()

    done = refsync("record", NAME, "--limit", "15")

    assert done.code == 0
    assert len(recorded(workshop)) == 15
    assert workshop.api.traffic.requests["/api/servers"] == 2
    assert workshop.canopsis.traffic.requests.total() == 0
    assert not (workshop.folder / "state").exists()


def test_the_next_step_is_told_and_what_became_of_each_field(
    personal: Workshop, refsync: Refsync
) -> None:
    personal.write_job(with_rules(PERSONAL, "anonymize: {servers: {owner.email: email}}"))

    done = refsync("record", NAME)

    assert "jobs/acme/servers.records.jsonl: 20 records of servers" in done.out
    assert "refsync test acme/servers --update" in done.out
    assert re.search(r"servers +owner\.email +email +20 +0", done.out)
    assert re.search(r"servers +owner\.phone +auto \(default\) +20 +0", done.out)
    assert "servers: 20" in done.err


# --- what is not in it


def test_the_real_values_stand_nowhere_in_the_file(personal: Workshop, refsync: Refsync) -> None:
    done = refsync("record", NAME)

    text = path_of(personal).read_text(encoding="utf-8").casefold()
    assert done.code == 0
    assert [word for word in values(PEOPLE) if len(word) > 3 and word.casefold() in text] == []
    assert not re.search("jeanne|acme|lyon|villeurbanne|192", text)


def test_what_takes_their_place_has_their_shape(personal: Workshop, refsync: Refsync) -> None:
    refsync("record", NAME)

    for record in recorded(personal):
        assert re.fullmatch(r"[A-Z]{3}-[A-Z][a-z]{3}-\d{3}", record["name"])
        assert re.fullmatch(r"\S+@\S+\.example", record["owner"]["email"])
        assert re.fullmatch(r"\+[1-9]\d \d \d\d \d\d \d\d \d\d", record["owner"]["phone"])
        assert re.fullmatch(r"198\.1[89](\.\d{1,3}){2}", record["ip"])
        assert re.fullmatch(r"2024-\d\d-\d\dT\d\d:\d\d:\d\dZ", record["since"])


def test_equal_values_stay_equal_and_others_stay_others(
    personal: Workshop, refsync: Refsync
) -> None:
    refsync("record", NAME)

    pairs = list(zip(PEOPLE, recorded(personal), strict=True))
    for field in ("name", "site", "ip", "since", "comment"):
        both = {(real[field], kept[field]) for real, kept in pairs}
        assert len(both) == len({real for real, _ in both}) == len({kept for _, kept in both})
    emails = {(real["owner"]["email"], kept["owner"]["email"]) for real, kept in pairs}  # type: ignore[index]
    assert len(emails) == len({kept for _, kept in emails}) == 3


def test_two_recordings_have_nothing_in_common_unless_a_key_is_given(
    personal: Workshop, refsync: Refsync, monkeypatch: pytest.MonkeyPatch
) -> None:
    def again() -> list[dict[str, Any]]:
        assert refsync("record", NAME, "--force").code == 0
        return recorded(personal)

    third, fourth = again(), again()
    monkeypatch.delenv(KEY_VARIABLE)
    first, second = again(), again()

    assert third == fourth
    emails = [{each["owner"]["email"] for each in made} for made in (first, second, third)]
    assert len(set.union(*emails)) == 9


def test_a_key_that_can_be_guessed_is_refused(
    personal: Workshop, refsync: Refsync, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "secret")

    done = refsync("record", NAME)

    assert done.code == 2
    assert "can be guessed" in done.err
    assert not path_of(personal).exists()


# --- the rules of the job


def test_each_field_is_treated_by_its_rule(personal: Workshop, refsync: Refsync) -> None:
    personal.write_job(
        with_rules(
            PERSONAL,
            "anonymize:",
            "  servers: {name: digits, ip: hash, owner: drop, owner.email: keep, site: keep}",
            '  "*": {comment: drop, site: drop}',
        )
    )

    assert refsync("record", NAME).code == 0
    for real, kept in zip(PEOPLE, recorded(personal), strict=True):
        assert re.fullmatch(r"SRV-Lyon-\d{3}", kept["name"])
        assert kept["name"] != real["name"]
        assert re.fullmatch(r"[0-9a-f]{16}", kept["ip"])
        assert kept["owner"] == {"email": real["owner"]["email"]}  # type: ignore[index]
        assert kept["site"] == "Villeurbanne"  # a dataset's own rule goes first
        assert "comment" not in kept


def test_by_name_parts_that_names_share_stay_shared(workshop: Workshop, refsync: Refsync) -> None:
    workshop.write_job(with_rules(JOB, "anonymize: {servers: {name: name, site: name}}"))
    workshop.serve([{"id": "1", "name": "web01.acme.local", "site": "WEB01 of acme"}])

    refsync("record", NAME)

    (record,) = recorded(workshop)
    host, domain, _ = record["name"].split(".")
    assert record["site"].split() == [host.upper(), record["site"].split()[1], domain]
    assert "acme" not in str(record)


def test_without_a_rule_texts_that_the_job_itself_writes_stay_and_no_others(
    workshop: Workshop, refsync: Refsync
) -> None:
    mapping = JOB.replace(
        "infos:\n",
        "infos:\n"
        "          env: {copy: status, lookup: {production: prod, test: qualif}, unknown: warn}\n"
        "          kind: '{{ if eq .kind \"rack\" }}R{{ else }}S{{ end }}'\n",
    ).replace("      ignore:", "      when: {field: state, cond: eq, value: Active}\n      ignore:")
    workshop.write_job(mapping)
    told = {"status": "production", "kind": "rack", "state": "Active"}
    secret = {"status": "confidential", "kind": "vault", "state": "Withdrawn"}
    workshop.serve([{"id": "1", "name": "srv-001"} | told, {"id": "2", "name": "srv-002"} | secret])

    refsync("record", NAME)

    first, second = recorded(workshop)
    assert first.items() >= told.items()
    assert not set(secret.values()) & set(values(second))


def test_with_default_keep_only_what_has_a_rule_is_treated(
    personal: Workshop, refsync: Refsync
) -> None:
    personal.write_job(
        with_rules(PERSONAL, "default: keep", "anonymize: {servers: {owner: auto, name: hash}}")
    )

    assert refsync("record", NAME).code == 0
    for real, kept in zip(PEOPLE, recorded(personal), strict=True):
        assert kept["comment"] == real["comment"]
        assert "acme" not in kept["owner"]["email"]
        assert kept["name"] != real["name"]


def test_a_field_that_is_kept_must_not_tell_what_another_one_hides(
    personal: Workshop, refsync: Refsync
) -> None:
    people = [each | {"comment": f"ask {each['owner']['email']}"} for each in PEOPLE]  # type: ignore[index]
    personal.serve(people)
    personal.write_job(with_rules(PERSONAL, "anonymize: {servers: {comment: keep}}"))

    done = refsync("record", NAME)

    assert done.code == 2
    assert "servers.comment is kept, and tells what servers.owner.email is not to" in done.err
    assert "jeanne" not in done.err
    assert not path_of(personal).exists()


def test_numbers_stay_numbers_and_what_is_no_text_says_nothing(
    workshop: Workshop, refsync: Refsync
) -> None:
    workshop.write_job(JOB.replace("value: site", "value: size"))
    sizes: list[Any] = [4096, 2**64 - 1, -512, 3.25, 1e300, True, None, "00420"]
    workshop.serve(
        [{"id": f"{n}", "name": f"srv-{n}", "size": size} for n, size in enumerate(sizes)]
    )

    refsync("record", NAME)

    kept = [record["size"] for record in recorded(workshop)]
    assert [type(each) for each in kept] == [type(each) for each in sizes]
    assert len(str(kept[0])) == 4
    assert kept[2] < 0
    assert kept[5:7] == [True, None]
    assert not set(map(str, kept[:5])) & set(map(str, sizes))


def test_keys_of_a_map_are_data_and_those_of_its_items_are_not(
    workshop: Workshop, refsync: Refsync
) -> None:
    workshop.write_job(
        JOB.replace(
            "mapping:\n  entities:\n",
            "mapping:\n  entities:\n"
            "    - dataset: servers\n"
            "      each: interfaces\n"
            "      resource: {name: $key, component: $parent.name, infos: {speed: speed}}\n",
        )
    )
    interfaces = {"lan-paris": {"speed": "fast", "mac": "00:1A"}, "lan-lyon": {"speed": "slow"}}
    workshop.serve([{"id": "1", "name": "srv-001", "interfaces": interfaces}])

    refsync("record", NAME)

    (record,) = recorded(workshop)
    assert [list(each) for each in record["interfaces"].values()] == [["speed"], ["speed"]]
    assert not set(record["interfaces"]) & set(interfaces)


# --- datasets that look into one another


def test_records_of_a_table_are_those_that_others_ask_for_and_still_join(
    workshop: Workshop, refsync: Refsync
) -> None:
    workshop.write_job(TABLES)
    workshop.serve([{"id": f"id-{rank:03}", "name": f"srv-{rank:03}"} for rank in range(1, 31)])
    links = [{"server": f"id-{rank % 90:03}", "application": f"app {rank}"} for rank in range(180)]
    workshop.serve(links[::-1], "links")

    done = refsync("record", NAME, "--limit", "5", "--json")

    assert done.document["records"] == {"links": 5, "servers": 5}
    assert done.document["kept"] == done.document["real"]
    lines = recorded(workshop)
    ids = {each["record"]["id"] for each in lines if each["dataset"] == "servers"}
    keys = {each["record"]["server"] for each in lines if each["dataset"] == "links"}
    assert keys <= ids
    assert not re.search(r"id-0|srv-|app ", path_of(workshop).read_text())


def test_one_dataset_may_be_recorded_alone(workshop: Workshop, refsync: Refsync) -> None:
    workshop.write_job(TABLES)
    workshop.serve([{"server": "id-001", "application": "app"}], "links")

    done = refsync("record", NAME, "--dataset", "links", "--json")

    assert done.document["records"] == {"links": 1}
    assert {each["dataset"] for each in recorded(workshop)} == {"links"}


# --- what the mapping makes of it


def test_a_rule_of_the_mapping_that_fails_on_stand_ins_is_named_with_its_fields(
    workshop: Workshop, refsync: Refsync
) -> None:
    workshop.write_job(JOB.replace("name: name", 'name: {regexp: "^srv-(?P<n>.*)", field: name}'))

    done = refsync("record", NAME)
    assert done.code == 0
    assert "they give 0 entities and 30 rejects; the real ones 30 and 0" in done.out
    assert "servers: component.name does otherwise with 30 values" in done.err
    assert "say keep under record.anonymize for name" in done.err

    workshop.write_job(with_rules(workshop_text(workshop), "anonymize: {servers: {name: digits}}"))
    mended = refsync("record", NAME, "--force")
    assert "they give 30 entities and 0 rejects" in mended.out
    assert "warning" not in mended.err


def workshop_text(workshop: Workshop) -> str:
    return (workshop.folder / "jobs" / f"{NAME}.yaml").read_text(encoding="utf-8")


# --- what is refused


def test_records_that_are_there_are_not_overwritten_unless_forced(
    workshop: Workshop, refsync: Refsync
) -> None:
    path_of(workshop).write_bytes(b"{}\n")
    workshop.api.traffic.clear()

    refused = refsync("record", NAME)

    assert refused.code == 2
    assert "mend: say --force" in refused.err
    assert path_of(workshop).read_bytes() == b"{}\n"
    assert workshop.api.traffic.requests.total() == 0
    assert refsync("record", NAME, "--force").code == 0
    assert len(recorded(workshop)) == 30


def test_a_source_without_records_leaves_the_file_as_it_was(
    workshop: Workshop, refsync: Refsync
) -> None:
    path_of(workshop).write_bytes(b"{}\n")
    workshop.serve([])

    done = refsync("record", NAME, "--force")

    assert done.code == 1
    assert "no record came" in done.err
    assert path_of(workshop).read_bytes() == b"{}\n"


def test_an_unknown_dataset_is_2_with_the_nearest_one(workshop: Workshop, refsync: Refsync) -> None:
    assert workshop.job()

    done: Ended = refsync("record", NAME, "--dataset", "server")

    assert done.code == 2
    assert "did you mean 'servers'?" in done.err


def test_faults_of_the_rules_are_told_with_those_of_the_job_each_at_its_place(
    workshop: Workshop,
) -> None:
    rules = (
        "default: kep",
        "anonymise: {}",
        "anonymize:",
        "  server: {name: text}",
        "  servers: {nmae: text, owner.email: mail, owner.: keep, owner: text, ip.v4: text}",
        '  "*": {serial: keep, "a..b": keep}',
    )
    workshop.write_job(with_rules(PERSONAL.replace("name: name", "nam: name"), *rules))
    both = [fault.what for fault in refused(workshop).faults]
    assert both == ["unknown key 'nam'", "'kep' is not allowed", both[2], "'mail' is not allowed"]

    workshop.write_job(with_rules(PERSONAL, *rules) + "extra: 1\n")
    first = len(PERSONAL.splitlines()) + 1
    found = [
        (fault.where.removeprefix("jobs/acme/servers.yaml:"), fault.what, fault.mend)
        for fault in refused(workshop).faults
    ]
    *ours, (where, what, _) = found
    assert ours == [
        (f"{first + 1}:12", "'kep' is not allowed", "did you mean 'keep'?"),
        (f"{first + 2}:3", "unknown word 'anonymise'", "did you mean 'anonymize'?"),
        (f"{first + 4}:5", "unknown dataset 'server'", "did you mean 'servers'?"),
        (f"{first + 5}:15", "no rule of the mapping reads 'nmae'", "did you mean 'name'?"),
        (f"{first + 5}:40", "'mail' is not allowed", "did you mean 'email'?"),
        (f"{first + 5}:54", "path 'owner.' has an empty step", ours[5][2]),
        (f"{first + 6}:33", "path 'a..b' has an empty step", ours[5][2]),
    ]
    assert (where, what) == (f"{first + 7}:1", "unknown word 'extra'")


def refused(workshop: Workshop) -> Misdeclared:
    with pytest.raises(Misdeclared) as found:
        workshop.job()
    return found.value


def test_a_customers_fragment_holds_rules_for_all_its_jobs(
    personal: Workshop, refsync: Refsync
) -> None:
    fragment = personal.folder / "jobs" / "acme" / "_people.yaml"
    fragment.write_text(
        'record: {anonymize: {"*": {owner.email: hash, name: keep}, servers: {ip: drop}}}\n'
    )
    personal.write_job(
        "include: _people.yaml\n" + with_rules(PERSONAL, "anonymize: {servers: {site: keep}}")
    )

    assert refsync("record", NAME).code == 0
    for real, kept in zip(PEOPLE, recorded(personal), strict=True):
        assert kept["name"] == real["name"]
        assert kept["site"] == "Villeurbanne"
        assert "ip" not in kept
        assert re.fullmatch(r"[0-9a-f]{16}", kept["owner"]["email"])


def test_a_fault_of_a_fragment_is_told_in_the_fragment(workshop: Workshop) -> None:
    fragment = workshop.folder / "jobs" / "acme" / "_people.yaml"
    fragment.write_text("record:\n  anonymize: {servers: {nmae: hash}}\n")
    workshop.write_job("include: _people.yaml\n" + JOB)

    assert [fault.where for fault in refused(workshop).faults] == ["jobs/acme/_people.yaml:2:25"]


def test_the_examples_of_the_page_are_blocks_of_their_jobs() -> None:
    page = (Path(__file__).parents[2] / "docs" / "parts" / "mapping.md").read_text("utf-8")
    blocks = re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    examples = [YamlFile("page", block).data for block in blocks if "\nrecord:" in block]

    assert examples
    for example in examples:
        place = Place(("record",))
        check_rules(example["record"], load_mapping(example["mapping"]), place)
        assert place.problems == []
        assert RecordBlock.model_validate(example["record"]).anonymize


def test_the_page_tells_of_every_rule() -> None:
    page = (Path(__file__).parents[2] / "docs" / "parts" / "mapping.md").read_text("utf-8")

    assert [
        word
        for word in (*SHAPES, "keep", "drop")
        if not re.search(rf"^\|.*`{word}`", page, re.MULTILINE)
    ] == []
