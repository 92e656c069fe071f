"""Go's printing, where the vectors do not reach: times, bytes, the ways in."""

from datetime import UTC, datetime
from typing import Any

import pytest

from mappings.golang import gofloat, gofmt
from mappings.golang.template_values import Byte, Int, StrList, StrMap

TIME = datetime(2021, 10, 28, 7, 5, 9, 120000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "<no value>"),
        (True, "true"),
        (1234567.0, "1.234567e+06"),
        (1234567, "1234567"),
        (Int(5), "5"),
        (Byte(255), "255"),
        (-0.0, "-0"),
        (float("inf"), "+Inf"),
        (float("nan"), "NaN"),
        (1 - 2j, "(1-2i)"),
        ("é", "é"),
        ([None, 1.0, "a", [True]], "[<nil> 1 a [true]]"),
        ({"b": None, "a": {}}, "map[a:map[] b:<nil>]"),
        (StrMap({"k": "v"}), "map[k:v]"),
        (StrMap(None), "map[]"),
        (StrList(["a b", "c"]), "[a b c]"),
        (TIME, "2021-10-28 07:05:09.12 +0000 UTC"),
        ([TIME], "[2021-10-28 07:05:09.12 +0000 UTC]"),
    ],
)
def test_a_value_is_printed_as_go_prints_it(value: Any, shown: str) -> None:
    assert gofmt.show(value) == shown


@pytest.mark.parametrize(
    ("form", "arguments", "text"),
    [
        ("%#v", [[None, 1.5, "x"]], '[]interface {}{interface {}(nil), 1.5, "x"}'),
        ("%#v", [{"a": True}], 'map[string]interface {}{"a":true}'),
        ("%#v", [StrMap(None)], "map[string]string(nil)"),
        ("%#v %#v", [Byte(7), StrList(["a"])], '0x7 []string{"a"}'),
        ("%s|%10.4s|", [TIME, TIME], "2021-10-28 07:05:09.12 +0000 UTC|      2021|"),
        ("%x", ["é"], "c3a9"),
        ("%b", [1.5], "6755399441055744p-52"),
        ("%x", [1.5], "0x1.8p+00"),
        ("%.2x|%X", [1.999, 0.1], "0x1.00p+01|0X1.999999999999AP-04"),
        ("%T %T %T %T", [1, Int(1), 1.0, None], "int64 int float64 <nil>"),
        ("%[5]d", [1], "%!d(BADINDEX)"),
        ("%d %d", [1], "1 %!d(MISSING)"),
        ("%d", [1, "a"], "1%!(EXTRA string=a)"),
    ],
)  # fmt: skip
def test_a_format_is_filled_as_go_fills_it(form: str, arguments: list[Any], text: str) -> None:
    assert gofmt.sprintf(form, *arguments) == text


def test_a_float_reads_back_from_its_fewest_digits() -> None:
    numbers = [0.1 * 3, 1e22, 123456.789, 5e-324, 1.7976931348623157e308, 2.0**-1074 * 3]

    assert [float(gofloat.general(number)) for number in numbers] == numbers
    assert [float(gofloat.json(number)) for number in numbers] == numbers
