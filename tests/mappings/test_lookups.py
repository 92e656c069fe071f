"""Tables that translate values: what they know, what they do not, and rows no one asks for."""

from typing import Any

import orjson
import pytest

from mappings.errors import MappingErrors, Path, Problem
from mappings.loading import load_mapping
from mappings.mapper import Mapper

TABLE = {"production": "prod", "test": "qualif", 2: "two", True: "yes", "gone": None}


def mapper(value: dict[str, Any]) -> Mapper:
    component = {"name": "name", "infos": {"env": {"value": {"copy": "status", **value}}}}
    block: dict[str, Any] = {"entities": [{"dataset": "servers", "component": component}]}
    if value["lookup"] == "environments":
        block["lookups"] = {"environments": TABLE}
    return load_mapping(block)


def translated(made: Mapper, *statuses: object) -> list[Any]:
    """The info of each entity (None when it is left out), in order; rejects give nothing."""
    records = [{"name": f"n{rank}", "status": status} for rank, status in enumerate(statuses)]
    payloads = made.map_page("servers", records, 1).entities.payloads
    infos = [orjson.loads(payload)["infos"] for payload in payloads]
    return [each["env"]["value"] if "env" in each else None for each in infos]


@pytest.mark.parametrize("lookup", ["environments", TABLE], ids=["by name", "in place"])
def test_a_value_is_translated_by_the_text_of_its_key(lookup: object) -> None:
    made = mapper({"lookup": lookup})

    assert translated(made, "production", "test", 2, "2", True, 2.0) == [
        *("prod", "qualif", "two", "two", "yes", "two"),
    ]


def test_a_row_keeps_the_type_that_the_job_gives_it() -> None:
    made = mapper({"lookup": {"a": 1, "b": True, "c": ["x", "y"], "d": 1.5, "e": "1"}})

    assert translated(made, "a", "b", "c", "d", "e") == [1, True, ["x", "y"], 1.5, "1"]


def test_an_absent_value_is_not_looked_up() -> None:
    made = mapper({"lookup": "environments"})

    assert translated(made, None) == [None]
    assert made.report().datasets["servers"].unknown == ()


def test_a_null_row_leaves_the_value_out_on_purpose() -> None:
    assert translated(mapper({"lookup": "environments"}), "gone") == [None]
    assert translated(mapper({"lookup": "environments", "default": "x"}), "gone") == ["x"]


def test_an_unknown_value_rejects_the_record_unless_the_job_says_otherwise() -> None:
    made = mapper({"lookup": "environments"})

    mapped = made.map_page("servers", [{"name": "n", "status": "staging"}], 3)

    assert len(mapped.entities) == 0
    (reject,) = mapped.rejects
    assert (reject.number, reject.rule) == (3, "component.infos.env")
    what, mend = reject.reason.split(": ", 1)
    assert what == "'staging' is not in lookup 'environments'"
    assert mend == "add a row, or say unknown: warn, keep or default"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"unknown": "warn"}, ["prod", None, None]),
        ({"unknown": "keep"}, ["prod", "staging", 7]),
        ({"default": "other"}, ["prod", "other", "other"]),
        ({"unknown": "default", "default": "other"}, ["prod", "other", "other"]),
        ({"unknown": "warn", "default": "other"}, ["prod", "other", "other"]),
        ({"unknown": "keep", "default": "other"}, ["prod", "staging", 7]),
        ({"unknown": "reject", "default": "other"}, ["prod"]),
    ],
    ids=str,
)
def test_an_unknown_value_does_what_the_job_says(options: dict[str, Any], expected: object) -> None:
    made = mapper({"lookup": "environments", **options})

    assert translated(made, "production", "staging", 7) == expected


def test_unknown_values_are_counted_whatever_they_do() -> None:
    for policy in ("reject", "warn", "keep"):
        made = mapper({"lookup": "environments", "unknown": policy})
        translated(made, "x", "production", "y", "x", None)

        found = [
            (each.value, each.count, each.number)
            for each in made.report().datasets["servers"].unknown
        ]
        assert found == [("x", 2, 1), ("y", 1, 3)]


def test_a_flood_of_unknown_values_is_counted_in_bounded_memory() -> None:
    made = mapper({"lookup": "environments", "unknown": "warn"})

    translated(made, *(f"value {rank}" for rank in range(5_000)))

    unknown = made.report().datasets["servers"].unknown
    assert len(unknown) == 1_001
    assert (unknown[-1].value, unknown[-1].count) == ("…", 4_000)


def test_rows_that_no_record_asked_for_are_reported() -> None:
    made = mapper({"lookup": "environments"})

    assert made.report().dead == tuple(
        f"environments: {key}" for key in ("production", "test", "2", "true", "gone")
    )
    translated(made, "gone", "test", 2)
    assert made.report().dead == ("environments: production", "environments: true")


def test_a_row_is_alive_when_any_rule_asks_for_it() -> None:
    infos = {key: {"value": {"copy": key, "lookup": "t"}} for key in ("a", "b")}
    component = {"name": "name", "infos": infos}
    made = load_mapping(
        {
            "lookups": {"t": {"x": 1, "y": 2, "z": 3}},
            "entities": [{"dataset": "servers", "component": component}],
        }
    )

    made.map_page("servers", [{"name": "n", "a": "x", "b": "y"}], 1)

    assert made.report().dead == ("t: z",)


def test_a_table_written_in_place_is_named_after_its_rule() -> None:
    made = mapper({"lookup": {"a": 1}})

    assert made.report().dead == ("component.infos.env: a",)


def test_an_array_is_translated_item_by_item() -> None:
    made = mapper({"lookup": "environments", "unknown": "warn"})

    assert translated(made, ["production", "staging", None, 2], ["staging"]) == [
        *(["prod", "two"], None),
    ]
    unknown = made.report().datasets["servers"].unknown
    assert [(each.value, each.count) for each in unknown] == [("staging", 2)]


def test_a_kept_value_must_still_fit_its_place() -> None:
    level = {"copy": "level", "lookup": {"low": 1}, "unknown": "keep"}
    component = {"name": "name", "impact_level": level}
    made = load_mapping({"entities": [{"dataset": "servers", "component": component}]})

    mapped = made.map_page("servers", [{"name": "a", "level": 4}, {"name": "b", "level": "x"}], 1)

    assert [orjson.loads(payload)["impact_level"] for payload in mapped.entities.payloads] == [4]
    assert [reject.rule for reject in mapped.rejects] == ["component.impact_level"]


def test_what_a_template_or_an_expression_gives_can_be_translated() -> None:
    value = {"template": "{{ lowercase .Field }}", "field": "status", "lookup": {"prod": "P"}}
    component = {"name": "name", "infos": {"env": {"value": value}}}
    made = load_mapping({"entities": [{"dataset": "servers", "component": component}]})

    assert translated(made, "PROD") == ["P"]


SITES = {"csv": "sites.csv", "key": "code", "value": "label"}


def from_file(content: bytes, table: dict[str, Any], **options: Any) -> Mapper:
    """A mapper whose job has *content* in the file beside it."""

    def read_file(name: str, place: Path) -> bytes:
        assert (name, place[-1]) == ("sites.csv", "csv")
        return content

    component = {"name": "name", "infos": {"env": {"copy": "status", "lookup": table, **options}}}
    block = {"entities": [{"dataset": "servers", "component": component}]}
    return load_mapping(block, read_file=read_file)


def fault(content: bytes, **table: Any) -> Problem:
    with pytest.raises(MappingErrors) as caught:
        from_file(content, {**SITES, **table})
    (problem,) = caught.value.problems
    return problem


@pytest.mark.parametrize(
    ("content", "table"),
    [
        (b"code,label\nlyo,Lyon\nnim,N\xc3\xaemes\n", {}),
        (b"\xef\xbb\xbfcode;label\r\nlyo;Lyon\r\nnim;N\xc3\xaemes", {}),
        (b"label\tx\tcode\nLyon\t\tlyo\nN\xc3\xaemes\t\tnim\n", {}),
        (b"code;label\nlyo;Lyon\nnim;N\xeemes\n", {"encoding": "cp1252"}),
        (b'code:label\n"lyo":"Lyon"\nnim:N\xc3\xaemes\n', {"delimiter": ":"}),
        (b"code,label\n lyo , Lyon \n\n,\nnim,N\xc3\xaemes\nlyo,Lyon\n", {}),
    ],
    ids=range(6),
)
def test_rows_may_be_those_of_a_csv_file(content: bytes, table: dict[str, Any]) -> None:
    made = from_file(content, {**SITES, **table})

    assert translated(made, "lyo", "nim") == ["Lyon", "Nîmes"]


def test_a_blank_cell_is_no_value_on_purpose_and_values_are_texts() -> None:
    made = from_file(b"code,label\n1,01\n2,\n3\n", SITES)

    assert translated(made, 1, "2", 3) == ["01", None, None]
    assert made.report().dead == ()


def test_a_number_is_had_by_a_cast_after_the_lookup() -> None:
    assert translated(from_file(b"code,label\na,3\n", SITES, cast="int"), "a") == [3]


def test_a_file_may_have_several_values_a_key() -> None:
    content = b"code,label\na,x\na,y\na,x\nb,\n"

    assert translated(from_file(content, {**SITES, "many": True}), "a", "b") == [["x", "y"], []]


def test_rows_of_a_file_that_no_record_asked_for_are_dead_too() -> None:
    made = from_file(b"code,label\na,x\nb,y\n", SITES)

    translated(made, "b")

    assert made.report().dead == ("component.infos.env: a",)


@pytest.mark.parametrize(
    ("content", "table", "key", "what", "mend"),
    [
        (b"cod,label\na,b\n", {}, "key", "sites.csv has no column 'code'", "did you mean 'cod'?"),
        (b"code,lab\na,b\n", {}, "value", "sites.csv has no column 'label'", "did you mean 'lab'"),
        (b"", {}, "key", "sites.csv has no column 'code'", ""),
        (b"code,label\n", {}, "csv", "sites.csv has no rows", ""),
        (b"code,label\na,x\na,y\n", {}, "csv", "sites.csv:3: the key 'a' stands twice", "keep one"),
        (b"code,label\na,\xee\n", {}, "csv", "sites.csv is not in utf-8-sig", "say its encoding:"),
        (b"code", {"encoding": "latin-99"}, "encoding", "unknown encoding 'latin-99'", ""),
        (b"code", {"encoding": "undefined"}, "csv", "sites.csv is not in undefined", ""),
        (b"code", {"encoding": "hex"}, "encoding", "unknown encoding 'hex'", ""),
        (b'code,label\na,"' + b"x" * 200_000, {}, "csv", "sites.csv is no CSV file", ""),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_file_that_is_no_such_table_is_told_of(
    content: bytes, table: dict[str, Any], key: str, what: str, mend: str
) -> None:
    problem = fault(content, **table)

    assert problem.path[-2:] == ("lookup", key)
    assert problem.what.startswith(what)
    assert problem.mend.startswith(mend)


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../sites.csv", "a/../../b.csv", "c:\\sites.csv", "..\\x", "", " "]
)
def test_a_path_out_of_the_folder_of_the_job_is_refused(path: str) -> None:
    assert fault(b"code,label\na,b\n", csv=path).what == "a path stays in the job's folder"


def test_a_file_that_cannot_be_read_is_told_with_the_reason() -> None:
    def read_file(_: str, __: Path) -> bytes:
        raise FileNotFoundError(2, "No such file or directory")

    component = {"name": {"copy": "a", "lookup": SITES}}
    block = {"entities": [{"dataset": "servers", "component": component}]}

    with pytest.raises(MappingErrors) as caught:
        load_mapping(block, read_file=read_file)
    (problem,) = caught.value.problems
    assert problem.what == "cannot read sites.csv: No such file or directory"
    with pytest.raises(MappingErrors) as caught:
        load_mapping(block)
    assert caught.value.problems[0].what == "no file can be read here"


def test_a_file_is_read_once_and_only_when_a_rule_uses_it() -> None:
    asked = []

    def read_file(name: str, _: Path) -> bytes:
        asked.append(name)
        return b"code,label\na,b\n"

    infos = {key: {"copy": key, "lookup": "sites"} for key in "xy"}
    block = {
        "lookups": {"sites": SITES, "unused": {**SITES, "csv": "unused.csv"}},
        "entities": [{"dataset": "servers", "component": {"name": "name", "infos": infos}}],
    }

    assert load_mapping(block, read_file=read_file).report().dead == ("sites: a",)
    assert asked == ["sites.csv"]


def test_rows_called_like_the_words_of_a_table_stand_under_rows() -> None:
    table = {"rows": {"csv": "Comma-separated", "key": "Key", "value": "Value", "rows": 1}}

    assert translated(mapper({"lookup": table}), "csv", "rows") == ["Comma-separated", 1]
    assert translated(mapper({"lookup": {"rows": "Rows"}}), "rows") == ["Rows"]


def test_an_array_of_a_table_is_one_value_to_an_info_alone() -> None:
    component = {"name": "name", "category": {"copy": "a", "lookup": {"x": ["a"]}}}

    with pytest.raises(MappingErrors) as caught:
        load_mapping({"entities": [{"dataset": "servers", "component": component}]})

    assert caught.value.problems[0].what == "row 'x': an array cannot be a text: ['a']"
