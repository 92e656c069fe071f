"""A secret is hidden in every form that it travels in, and nothing else is."""

import base64
import html
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from referential import masking as of_canopsis
from sources import masking as of_sources

Mask = Callable[[str, list[str]], str]
MASKS = pytest.mark.parametrize("mask", [of_sources.masked, of_canopsis.masked])
WAYS: tuple[Callable[[str], str], ...] = (
    str,
    quote,
    quote_plus,
    lambda text: quote(text, safe=""),
    lambda text: quote(quote(text, safe=""), safe=""),
    lambda text: "".join(f"%{octet:02x}" for octet in text.encode()),
    html.escape,
    lambda text: html.escape(html.escape(text)),
    lambda text: "".join(f"&#{ord(each)};" for each in text),
    lambda text: "".join(f"&#x{ord(each):X};" for each in text),
    lambda text: json.dumps(text)[1:-1],
    lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    lambda text: json.dumps(json.dumps(text))[3:-3],
    lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    lambda text: html.escape(json.dumps(text)[1:-1]),
    lambda text: json.dumps(html.escape(text))[1:-1],
    lambda text: quote(json.dumps(text)[1:-1]),
)
# what could join the character before or after it into another form is left out
secrets = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp", "Zs")), min_size=4)


@MASKS
@pytest.mark.parametrize("way", WAYS)
@settings(max_examples=40, deadline=None)
@given(secret=secrets)
def test_a_secret_is_hidden_however_it_is_written(
    way: Callable[[str], str], mask: Mask, secret: str
) -> None:
    assert mask(f"[ {way(secret)} ]", [secret]) == "[ *** ]"


@MASKS
@pytest.mark.parametrize("before", ["", "a", "ab", "abc"])
def test_a_secret_is_hidden_inside_of_base64_wherever_it_begins(before: str, mask: Mask) -> None:
    secret = "s3sâme-ouvre-toi"
    whole = base64.b64encode(f"{before}{secret}:tail".encode()).decode()

    hidden = mask(f"Basic {whole}", [secret])

    assert "***" in hidden
    left = hidden.removeprefix("Basic ").split("***")
    assert all(len(part) < 12 for part in left)
    assert secret[1:4].encode() not in b"".join(
        base64.b64decode(part + "=" * (-len(part) % 4)) for part in left if len(part) % 4 != 1
    )


@MASKS
def test_a_space_may_have_become_a_plus_and_several_one(mask: Mask) -> None:
    assert mask("open+sesame, open sesame", ["open sesame"]) == "***, ***"
    assert mask("open sesame", ["open  sesame"]) == "***"
    assert mask("open%2B+sesame", ["open+ sesame"]) == "***"


@MASKS
def test_the_longest_secret_is_hidden_first_and_no_empty_one(mask: Mask) -> None:
    assert mask("hunter2-and-more", ["hunter2", "", "hunter2-and-more"]) == "***"


@MASKS
@settings(max_examples=40, deadline=None)
@given(text=st.text(), secret=st.text(min_size=1))
def test_what_holds_no_secret_stays_as_it_is(mask: Mask, text: str, secret: str) -> None:
    hidden = mask(text, [f"never-in-there-{secret}"])

    assert hidden == text


@MASKS
def test_a_token_of_two_thousand_characters_is_hidden_too(mask: Mask) -> None:
    token = "".join(f"{rank:x}" for rank in range(700))

    assert mask(f"Bearer {token}.", [token]) == "Bearer ***."
