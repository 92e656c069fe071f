"""Texts without the secrets that they may hold, in whatever form they hold them."""

import base64
import functools
import html
import json
import re
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, quote, unquote, urlsplit, urlunsplit

_URL_SAFE: Final = str.maketrans("+/", "-_")
_ESCAPE: Final = re.compile(
    r"%[0-7][0-9a-fA-F]|%[c-dC-D][0-9a-fA-F]%[89abAB][0-9a-fA-F]"
    r"|%[eE][0-9a-fA-F](?:%[89abAB][0-9a-fA-F]){2}|%[fF][0-9a-fA-F](?:%[89abAB][0-9a-fA-F]){3}"
    r"|&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|amp|lt|gt|quot|apos);"
    r"|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}"
    r"|\\[\"\\/bfnrt']"
)
_DEPTH: Final = 4  # escapes inside of escapes that are undone
_SECRET_NAME: Final = re.compile(r"key|token|secret|passw|pwd|auth|signature|cookie", re.IGNORECASE)


def masked(text: str, secrets: Iterable[str]) -> str:
    """*text* with every secret, in any of the forms it travels in, replaced by `***`.

    As it is, in an address, in JSON, in HTML, in base64, and in one of these inside of another.
    """
    needles = {needle for secret in secrets if secret for needle in _needles(secret)}
    spans = [span for layer in _layers(text) for span in layer.spans(needles)] if needles else []
    shown, end = [], 0
    for start, stop in sorted(spans):
        if start >= end:
            shown += [text[end:start], "***"]
        end = max(end, stop)
    return "".join(shown) + text[end:]


@functools.lru_cache(maxsize=512)
def _needles(secret: str) -> frozenset[str]:
    """A secret, and what is sure of it inside of a longer base64, such as `user:password`."""
    octets, found = secret.encode("utf-8", "replace"), {secret, " ".join(secret.split()) or secret}
    for before in range(3):
        whole = base64.b64encode(bytes(before) + octets)
        sure = whole[(0, 2, 3)[before] : (before + len(octets)) * 8 // 6].decode()
        if len(sure) >= 8:  # shorter ones would blank out ordinary words
            found |= {sure, sure.translate(_URL_SAFE)}
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class _Layer:
    """A text once some of its escapes are undone; `places[i]` is where its i-th character began."""

    text: str
    places: Sequence[int]

    def spans(self, needles: Iterable[str]) -> Iterator[tuple[int, int]]:
        """Where the needles are in the first layer, from and to."""
        for needle in needles:
            at = self.text.find(needle)
            while at >= 0:
                yield self.places[at], self.places[at + len(needle)]
                at = self.text.find(needle, at + 1)

    def undone(self) -> "_Layer":
        """The next layer: every escape replaced by what it stands for."""
        pieces, places, end = [], array("l"), 0
        for found in _ESCAPE.finditer(self.text):
            meant = _meant(found)
            pieces += [self.text[end : found.start()], meant]
            places.extend(self.places[end : found.start()])
            places.extend([self.places[found.start()]] * len(meant))
            end = found.end()
        places.extend(self.places[end:])
        return _Layer("".join([*pieces, self.text[end:]]), places)


def _layers(text: str) -> Iterator[_Layer]:
    """The text, as forms write a space too, then without its escapes, as often as there are."""
    for written in {text, text.replace("+", " ")}:
        layer = _Layer(written, range(len(written) + 1))
        yield layer
        for _ in range(_DEPTH):
            if _ESCAPE.search(layer.text) is None:
                break
            layer = layer.undone()
            yield layer


def _meant(found: re.Match[str]) -> str:
    """What an escape of an address, of HTML or of JSON stands for."""
    escape = found[0]
    if escape[0] == "%":
        return unquote(escape)
    if escape[0] == "&":
        return html.unescape(escape)
    try:
        meant: str = json.loads(f'"{escape}"')
    except ValueError:  # an apostrophe, which Python escapes and JSON does not
        return escape[1:]
    return meant.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def is_secret_name(name: str) -> bool:
    """Whether a header or parameter of this name is likely to hold a secret."""
    return bool(_SECRET_NAME.search(name))


def shown_url(url: str, secrets: Iterable[str]) -> str:
    """*url* as messages show it: no userinfo, no value of a secret parameter, no secret at all."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "an address that cannot be read"
    host = parts.netloc.rpartition("@")[2]
    pairs = [
        f"{name}={'***' if is_secret_name(name) else quote(value, safe=' ,:/@')}"
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
    ]
    return masked(urlunsplit((parts.scheme, host, parts.path, "&".join(pairs), "")), tuple(secrets))
