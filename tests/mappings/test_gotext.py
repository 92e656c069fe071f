"""Go's strings: case by rune, white space, bytes that are no UTF-8."""

from mappings.golang.gotext import clean, from_bytes, is_print, lower, quote, runes, to_bytes, upper

EVERY = [chr(code) for code in range(0x110000) if not 0xD800 <= code <= 0xDFFF]


def test_every_rune_has_one_upper_and_one_lower_rune() -> None:
    raised = [upper(char) for char in EVERY]
    lowered = [lower(char) for char in EVERY]

    assert {len(char) for char in raised + lowered} == {1}
    # Of 102 letters whose full mapping is longer, 75 stay and 27 take their title case.
    longer = [char for char in EVERY if len(char.upper()) > 1]
    assert len(longer) == 102
    assert sum(upper(char) == char for char in longer) == 75
    assert [char for char in EVERY if len(char.lower()) > 1] == ["\u0130"]


def test_a_text_is_mapped_rune_by_rune() -> None:
    text = "".join(EVERY[:0x3000])

    assert upper(text) == "".join(map(upper, EVERY[:0x3000]))
    assert lower(text) == "".join(map(lower, EVERY[:0x3000]))
    assert lower("\u039f\u0394\u039f\u03a3") == "\u03bf\u03b4\u03bf\u03c3"


def test_bytes_that_are_no_text_become_one_replacement_each_when_read() -> None:
    broken = from_bytes(b"a\xe2\x82b\xff")

    assert to_bytes(broken) == b"a\xe2\x82b\xff"
    assert runes(broken) == clean(broken) == "a\ufffd\ufffdb\ufffd"
    assert clean(from_bytes(b"\xc3") + from_bytes(b"\xa9")) == "é"
    assert to_bytes("\ud800\udfff") == "\ufffd\ufffd".encode()


def test_what_cannot_be_seen_is_quoted() -> None:
    assert quote('é"\\\n\x7f\xad\u2028\U0001f44d') == '"é\\"\\\\\\n\\x7f\\u00ad\\u2028\U0001f44d"'
    assert quote("é\U0001f44d", ascii_only=True) == '"\\u00e9\\U0001f44d"'
    assert quote(from_bytes(b"\xff")) == '"\\xff"'
    assert [is_print(char) for char in (" ", "\xa0", "é", "\u0378", "\U0001fae8")] == [
        True,
        False,
        True,
        False,
        True,
    ]
