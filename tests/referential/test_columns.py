import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from referential.columns import (
    FOUND,
    ROWS,
    decode_block,
    encode_block,
    read_columns,
    read_header,
    to_frame,
    write_columns,
)
from referential.errors import Unreadable

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
Row = tuple[object, ...]
rows = st.lists(
    st.tuples(
        texts,
        st.sampled_from(["component", "resource", "service"]),
        texts,
        texts,
        texts,
        st.sampled_from(["", "env", "env\nsite"]),
        st.binary(min_size=16, max_size=16),
        st.integers(-1, 2**62),
        st.integers(0, 2**40),
    ),
    max_size=12,
)


def block_of(content: list[Row]) -> dict[str, list[object]]:
    columns = zip(*content, strict=True) if content else ([] for _ in FOUND)
    return {name: list(values) for name, values in zip(FOUND, columns, strict=True)}


@given(st.lists(rows, max_size=4))
@settings(max_examples=60, deadline=None, database=None, derandomize=True)
def test_what_is_written_is_what_is_read(
    tmp_path_factory: pytest.TempPathFactory, contents: list[list[Row]]
) -> None:
    path = tmp_path_factory.mktemp("columns") / "index.jsonl"

    write_columns(path, [block_of(content) for content in contents])
    frame = read_columns(path)

    read = list(zip(*(frame[name].tolist() for name in FOUND), strict=True))
    assert read == [row for content in contents for row in content]


def test_a_frame_makes_the_round_trip_with_its_types(tmp_path: Path) -> None:
    count = 2 * ROWS + 1
    ids = [f"srv{number}" for number in range(count)]
    frame = to_frame(
        {
            "id": ids,
            "kind": ["component"] * count,
            "group": ids,
            "dataset": ["servers"] * count,
            "category": ["é", ""] * ROWS + [""],
            "infos": ["env\nsite", ""] * ROWS + ids[:1],
            "fingerprint": [number.to_bytes(16, "little") for number in range(count)],
            "offset": list(range(count)),
            "size": [650] * count,
        }
    )

    write_columns(tmp_path / "plan.jsonl", frame, {"checksum": "0f"})

    read = read_columns(tmp_path / "plan.jsonl")
    assert read.equals(frame)
    assert read.dtypes.to_dict() == frame.dtypes.to_dict()
    assert read_header(tmp_path / "plan.jsonl") == {"checksum": "0f"}
    assert len((tmp_path / "plan.jsonl").read_bytes().splitlines()) == 4


def test_an_empty_file_has_all_columns_and_no_row(tmp_path: Path) -> None:
    (tmp_path / "index.jsonl").touch()

    frame = read_columns(tmp_path / "index.jsonl")

    assert list(frame.columns) == list(FOUND)
    assert len(frame) == 0
    assert frame["offset"].dtype == np.int64


def test_only_the_wanted_columns_are_read(tmp_path: Path) -> None:
    path = tmp_path / "index.jsonl"
    path.write_bytes(encode_block({"id": ["a"], "group": ["a"], "note": ["n"]}))

    assert list(read_columns(path, ("note", "id")).columns) == ["note", "id"]


def test_a_column_of_one_value_is_written_once_and_a_group_like_its_id_not_at_all() -> None:
    line = encode_block(
        {
            "id": ["a", "b/a"],
            "group": ["a", "a"],
            "kind": ["component", "resource"],
            "dataset": ["s", "s"],
        }
    )

    assert line == (
        b'{"rows":2,"id":["a","b/a"],"group":[null,"a"],'
        b'"kind":["component","resource"],"dataset":["s"]}\n'
    )


def test_a_text_column_of_few_values_is_written_as_the_values_and_their_places() -> None:
    columns = {"id": list("abcdefgh"), "infos": ["env", "env\nsite", *["env"] * 6]}

    line = encode_block(columns)

    assert b'"infos":{"of":["env","env\\nsite"],"at":[0,1,0,0,0,0,0,0]}' in line
    assert decode_block(line, ("infos",)) == {"infos": columns["infos"]}


@given(
    st.lists(
        st.sampled_from(["", "env", "env\nsite", *string.ascii_letters]), min_size=1, max_size=60
    )
)
@settings(max_examples=200, deadline=None, database=None, derandomize=True)
def test_values_are_coded_in_the_order_of_their_first_row_where_they_are_few(
    values: list[str],
) -> None:
    of = [value for row, value in enumerate(values) if value not in values[:row]]
    written = orjson.loads(encode_block({"id": [""] * len(values), "infos": values}))["infos"]

    if len(values) > 1 and len(of) == 1:
        assert written == of
    elif len(values) > 1 and len(of) * 4 <= len(values):
        assert written == {"of": of, "at": [of.index(value) for value in values]}
    else:
        assert written == values


def test_a_frame_is_written_as_its_columns_are(tmp_path: Path) -> None:
    columns: dict[str, list[Any]] = {
        "id": ["a", "b"],
        "kind": ["k", "l"],
        "offset": [-1, 258],
        "missed": [0, 3],
    }

    write_columns(tmp_path / "plan.jsonl", to_frame(columns))

    assert (tmp_path / "plan.jsonl").read_bytes() == encode_block(columns)


def test_places_are_written_as_digits_of_their_bytes_and_read_as_numbers_too(
    tmp_path: Path,
) -> None:
    path = tmp_path / "index.jsonl"
    written = encode_block({"id": ["a", "b"], "offset": [-1, 258], "missed": [0, 3]})
    path.write_bytes(written + b'{"rows":1,"id":["c"],"offset":[700],"missed":[1]}\n')

    read = read_columns(path, ("offset", "missed"))

    assert b'"offset":"ffffffffffffffff0201000000000000","missed":[0,3]' in written
    assert read["offset"].tolist() == [-1, 258, 700]
    assert read["missed"].tolist() == [0, 3, 1]


def test_equal_labels_are_one_object_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "index.jsonl"
    block = {"id": ["a", "b"], "kind": ["resource", "component"]}
    path.write_bytes(encode_block(block) * 2)

    kinds = read_columns(path, ("kind",))["kind"]

    assert kinds[0] is kinds[2]
    assert kinds[0] == "resource"


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda whole: whole[:-10], id="cut short"),
        pytest.param(lambda whole: whole.replace(b'"rows":2', b'"rows":3'), id="a row lost"),
        pytest.param(lambda whole: whole.replace(b'"size"', b'"sise"'), id="a column lost"),
    ],
)
def test_a_damaged_file_says_which_one_and_where(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "index.jsonl"
    rows = [
        (c, "component", c, "d", "", "", c.encode() * 16, 0, 1) for c in string.ascii_lowercase[:2]
    ]
    whole = encode_block(block_of(rows))
    path.write_bytes(whole + damage(whole))

    with pytest.raises(Unreadable) as caught:
        read_columns(path)

    assert caught.value.__notes__ == [
        f"where: {path}, block 2",
        "mend: start the run again: it writes its files anew",
    ]


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "plan.jsonl"
    write_columns(path, [{"id": ["a"]}])

    with pytest.raises(KeyError):
        write_columns(path, [{"id": ["b"]}, {"no id": ["c"]}])

    assert read_columns(path, ("id",))["id"].tolist() == ["a"]
