"""How a dataset is cut into answers: each paginator decides the next request from the last one.

Pure: a paginator is given what was asked and what came, and gives the next request or the end it
met. Words are dlt's. A short page is never an end: servers lower the limit they are asked for
(`specs/csv-and-api.md` §2.2), so walks advance by the rows received and stop at an empty page, or
where the server says that nothing follows.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, Literal, Self
from urllib.parse import urljoin, urlsplit, urlunsplit

import requests.utils
from pydantic import Field, model_validator

from sources.base import Complete, Partial, Strict
from sources.selector import MISSING, find
from sources.session import Answer, Call, Origin


@dataclass(frozen=True, slots=True)
class Next:
    """The next request; `overlap`: it asks again for the last row read, which must come first."""

    call: Call
    overlap: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """What came: the `number`th answer (1-based), its `rows`, of which `fresh` were not asked for
    before, and the `total` that the source announces, when it agrees with what was received.
    """

    number: int
    rows: int
    fresh: int
    agreed: bool
    answer: Answer


Step = Next | Complete | Partial


class _Paginator(Strict):
    # Whether asking beyond the last page may be refused (400, 404, 416) instead of answered empty.
    may_be_refused: ClassVar[bool] = False

    def first(self, call: Call, limit: int | None = None) -> Next:
        """The first request; *limit* asks for fewer rows than configured, where one can."""
        del limit
        return Next(call)


class SinglePage(_Paginator):
    """One answer holds everything."""

    type: Literal["single_page"] = "single_page"

    def next(self, _call: Call, turn: Turn) -> Step:
        if _link(turn.answer.headers, "next"):
            return Partial("the answer announces a next page: declare the paginator `header_link`")
        return Complete("single answer")


class _Counted(_Paginator):
    """What paginators that count have in common."""

    may_be_refused: ClassVar[bool] = True

    has_more_path: str | None = Field(
        None, description="Path of a truth value that tells whether more follows."
    )

    def _end(self, turn: Turn) -> Complete | Partial | None:
        more = _has_more(turn.answer, self.has_more_path)
        if more is False:
            return Complete(f"{self.has_more_path} is false on page {turn.number}")
        if turn.rows == 0:
            if more:
                return Partial(
                    f"{self.has_more_path} is true on page {turn.number}, and the page is empty"
                )
            return Complete(f"page {turn.number} is empty")
        return None


class PageNumber(_Counted):
    """Pages are numbered.

    Rows that move from page to page are noticed by the total alone: prefer `offset` or `cursor`
    where the API has them.
    """

    type: Literal["page_number"] = "page_number"
    # 0 as dlt has it: on an API that counts from 1, page 0 is refused or comes twice, which is
    # noticed, whereas 1 on an API that counts from 0 would lose the first page in silence.
    base_page: int = Field(0, ge=0, description="Number of the first page.")
    page_param: str = Field("page", description="Query parameter of the page number.")
    page_body_path: str | None = Field(
        None, description="Path of the page number in the body, instead of the query."
    )
    page_size: int | None = Field(None, ge=1, description="Records asked for per page.")
    page_size_param: str | None = Field(None, description="Query parameter of the page size.")

    @model_validator(mode="after")
    def _size_has_a_name(self) -> Self:
        if (self.page_size is None) != (self.page_size_param is None):
            raise ValueError("`page_size` and `page_size_param` go together; mend: add the other")
        return self

    def first(self, call: Call, limit: int | None = None) -> Next:
        if self.page_size_param and self.page_size:
            call = _put(call, self.page_size_param, None, limit or self.page_size)
        return Next(_put(call, self.page_param, self.page_body_path, self.base_page))

    def next(self, call: Call, turn: Turn) -> Step:
        page = self.base_page + turn.number
        return self._end(turn) or Next(_put(call, self.page_param, self.page_body_path, page))


class Offset(_Counted):
    """Pages begin at the rank of their first record."""

    type: Literal["offset"] = "offset"
    limit: int = Field(100, ge=1, description="Records asked for per page.")
    offset: int = Field(0, ge=0, description="Rank of the first record.")
    limit_param: str = Field("limit", description="Query parameter of the limit.")
    offset_param: str = Field("offset", description="Query parameter of the offset.")
    limit_body_path: str | None = Field(
        None, description="Path of the limit in the body, instead of the query."
    )
    offset_body_path: str | None = Field(
        None, description="Path of the offset in the body, instead of the query."
    )
    overlap: bool = Field(
        True,
        description="Ask each time again for the last record read: when it is not there, rows "
        "moved meanwhile, and the extraction is partial.",
    )

    def first(self, call: Call, limit: int | None = None) -> Next:
        call = _put(call, self.limit_param, self.limit_body_path, limit or self.limit)
        return Next(self._at(call, self.offset))

    def before(self, call: Call, rank: int) -> Next:
        """The request of a slice: it begins with the record before that of 0-based *rank*."""
        return Next(self._at(call, self.offset + rank - 1), overlap=True)

    def next(self, call: Call, turn: Turn) -> Step:
        if end := self._end(turn):
            return end
        asked = _get(call, self.offset_param, self.offset_body_path)
        after = int(asked) + turn.rows
        if turn.fresh == 0:
            # The last record came back alone. It may be a page cut short: unless the total
            # agrees, only an empty page after it is an end.
            if turn.agreed:
                return Complete(f"nothing follows the last record on page {turn.number}")
            return Next(self._at(call, after))
        # After a page of one record, the same call would be made again.
        overlap = self.overlap and turn.rows > 1
        return Next(self._at(call, after - overlap), overlap=overlap)

    def _at(self, call: Call, offset: int) -> Call:
        return _put(call, self.offset_param, self.offset_body_path, offset)


class Cursor(_Paginator):
    """Each answer gives the token of the next one."""

    type: Literal["cursor"] = "cursor"
    cursor_path: str = Field(description="Path of the token in the answer.")
    cursor_param: str = Field("cursor", description="Query parameter that carries the token.")
    cursor_body_path: str | None = Field(
        None, description="Path of the token in the body, instead of the query."
    )
    has_more_path: str | None = Field(
        None, description="Path of a truth value that tells whether more follows."
    )

    def next(self, call: Call, turn: Turn) -> Step:
        token = find(turn.answer.document, self.cursor_path)
        more = _has_more(turn.answer, self.has_more_path)
        if more is False:
            return Complete(f"{self.has_more_path} is false on page {turn.number}")
        if _is_none(token):
            return _no_more(self.cursor_path, token, turn, more=more)
        return Next(_put(call, self.cursor_param, self.cursor_body_path, token))


class JsonLink(_Paginator):
    """Each answer gives the URL of the next one in its body."""

    type: Literal["json_link"] = "json_link"
    next_url_path: str = Field(description="Path of the next URL, absolute or relative.")

    def next(self, call: Call, turn: Turn) -> Step:
        url = find(turn.answer.document, self.next_url_path)
        if _is_none(url):
            return _no_more(self.next_url_path, url, turn, more=None)
        return _follow(call, url)


class HeaderLink(_Paginator):
    """Each answer gives the URL of the next one in its Link header (RFC 8288)."""

    type: Literal["header_link"] = "header_link"
    links_next_key: str = Field("next", description="Relation of the next page in the header.")

    def next(self, call: Call, turn: Turn) -> Step:
        url = _link(turn.answer.headers, self.links_next_key)
        return _follow(call, url) if url else Complete(f"no next link on page {turn.number}")


Paginator = Annotated[
    SinglePage | PageNumber | Offset | Cursor | JsonLink | HeaderLink,
    Field(discriminator="type"),
]


def _is_none(token: Any) -> bool:
    return token is MISSING or token in (None, "", False)


def _no_more(path: str, token: Any, turn: Turn, *, more: bool | None) -> Complete | Partial:
    """The end met where *path* gives no token.

    A key that was never there proves nothing: its path may be wrong, and one page of many would
    pass for the whole. From page 2 on it has been seen.
    """
    if more:
        return Partial(f"more records are announced on page {turn.number}, without {path}")
    if token is MISSING and turn.number == 1 and turn.rows:
        return Partial(
            f"{path} is nowhere in the only answer: declare a total or `has_more_path` "
            "to prove that nothing follows, or the paginator `single_page`"
        )
    return Complete(f"no {path} on page {turn.number}")


def _has_more(answer: Answer, path: str | None) -> bool | None:
    if path is None:
        return None
    value = find(answer.document, path)
    if value is None or value is MISSING:
        return None
    return str(value).strip().lower() not in {"false", "0", "no", "n", ""}


def _link(headers: Mapping[str, str], relation: str) -> str | None:
    for link in requests.utils.parse_header_links(headers.get("Link", "")):
        if relation in link.get("rel", "").split():
            return str(link["url"])
    return None


def _follow(call: Call, url: Any) -> Step:
    """The call to *url* on the origin of *call*; another origin would be given our credentials."""
    try:
        target = urljoin(call.url, str(url))
        here, there = Origin.of(call.url), Origin.of(target)
    except ValueError:
        return Partial("the URL of the next page cannot be read: not followed")
    if (here.scheme, there.scheme, there.host) == ("https", "http", here.host):
        # Behind a TLS proxy, servers announce themselves as they are reached by the proxy.
        base = urlsplit(call.url)
        target = urlunsplit(urlsplit(target)._replace(scheme=base.scheme, netloc=base.netloc))
    elif there != here:
        shown = f"{there.scheme}://{there.host}:{there.port}"
        return Partial(f"the next page is announced on another origin, {shown}: not followed")
    return Next(replace(call, url=target, params={}))


def _put(call: Call, param: str, body_path: str | None, value: Any) -> Call:
    if body_path is None:
        return replace(call, params={**call.params, param: value})
    if call.form is not None:
        return replace(call, form={**call.form, body_path: value})
    return replace(call, json=_set(call.json or {}, body_path.split("."), value))


def _set(document: Any, path: list[str], value: Any) -> dict[str, Any]:
    inner = document if isinstance(document, dict) else {}
    head, *rest = path
    return {**inner, head: _set(inner.get(head), rest, value) if rest else value}


def _get(call: Call, param: str, body_path: str | None) -> Any:
    if body_path is None:
        return call.params[param]
    return call.form[body_path] if call.form is not None else find(call.json, body_path)
