"""Any JSON API: a dataset is a path, where its records lie, and how it is cut into pages."""

from datetime import UTC, datetime
from typing import Any, Final

from sources.api_dataset import ApiConfig, ApiDataset
from sources.base import Complete, Extraction, Partial, Probe, Scope, Slice, Source
from sources.connection import ApiConnection
from sources.declared import declared
from sources.errors import Refused
from sources.evidence import Evidence
from sources.json_page import page_of, text_of
from sources.paginators import Next, Offset, Turn
from sources.picked import one_key, picking
from sources.ranks import Ranks, cut
from sources.selector import MISSING, as_count, find, select
from sources.session import Answer, Call, HttpSession
from sources.verdict import Denied, sample

_BEYOND: Final = frozenset({400, 404, 416})  # how APIs refuse a page after the last


def extract(config: ApiConfig, dataset: str, connection: ApiConnection, scope: Scope) -> Extraction:
    """The pages of *dataset*, in the order of the API.

    Raises Unreachable, Refused and Unreadable as `HttpSession.ask`, and Refused for a window that
    the dataset has no parameter for.
    """
    table = declared(config.datasets, dataset)
    call = _call(table, dataset, connection, scope)
    ranks = Ranks.of(scope.slice) if scope.slice else Ranks()
    key = None if scope.ids is None else one_key(dataset, table.primary_key, "primary_key")
    with HttpSession(connection) as session:
        pages = _walk(session, table, dataset, call, ranks)
        if scope.ids is not None and key is not None:
            pages = picking(pages, scope.ids, lambda record: find(record, key))
        return (yield from pages)


def refuse(config: ApiConfig, dataset: str, connection: ApiConnection, scope: Scope) -> None:
    """Raise Refused for a window without parameters, and for ids without a key."""
    table = declared(config.datasets, dataset)
    _call(table, dataset, connection, scope)
    if scope.ids is not None:
        one_key(dataset, table.primary_key, "primary_key")


def _walk(
    session: HttpSession, table: ApiDataset, dataset: str, call: Call, ranks: Ranks
) -> Extraction:
    evidence = Evidence(table.primary_key, table.total_name, ranks)
    step = table.paginator.first(call)
    if ranks.low and isinstance(table.paginator, Offset):
        step = table.paginator.before(step.call, ranks.low)
    asked = set()
    for number in range(1, table.max_pages + 1):
        asked.add(_identity(step.call))
        try:
            answer = session.ask(step.call)
        except Denied as denied:
            return evidence.outcome(_beyond(denied, table, evidence, number))
        rows = _rows(answer, table, session.secrets())
        evidence.note_total(_total(answer, table))
        seen = len(rows)
        if step.overlap and evidence.follows(rows, number):
            del rows[0]
        if evidence.room is not None:
            del rows[evidence.room :]
        first = evidence.received + 1
        if not evidence.add(rows):
            return Partial(f"page {number} brings again the records of an earlier page")
        turn = Turn(number, seen, len(rows), agreed=evidence.agreed, answer=answer)
        end = _end_of_slice(evidence) or table.paginator.next(step.call, turn)
        page = page_of(dataset, first, rows, session.secrets(), doubtful=answer.doubtful)
        # Nothing of this page may live on while the next one is decoded.
        del answer, rows, turn
        if page.records or page.rejects:
            yield page
        del page
        if not isinstance(end, Next):
            return evidence.outcome(end)
        if _identity(end.call) in asked:
            return Partial(f"page {number} asks for a page that was read already")
        step = end
    return Partial(f"the limit of {table.max_pages:,} pages (`max_pages`) is reached; more follow")


def _end_of_slice(evidence: Evidence) -> Complete | None:
    return Complete("the slice ends here") if evidence.room == 0 else None


def _beyond(
    denied: Denied, table: ApiDataset, evidence: Evidence, number: int
) -> Complete | Partial:
    """What the refusal of page *number* means: beyond the last one, APIs that count refuse."""
    if number == 1 or not table.paginator.may_be_refused or denied.status not in _BEYOND:
        raise denied
    if evidence.agreed:
        return Complete(f"page {number} is refused ({denied.status})")
    return Partial(
        f"page {number} is refused, no total proves that it is beyond the last: {denied}"
    )


def _identity(call: Call) -> tuple[str, str]:
    return call.url, repr((dict(call.params), call.json, call.form))


def _rows(answer: Answer, table: ApiDataset, secrets: tuple[str, ...]) -> list[Any]:
    if table.error_path is not None:
        _check_envelope(answer, table.error_path, table.error_message_path, secrets)
    return select(
        answer.document,
        table.data_selector,
        single=table.single,
        record_key_field=table.record_key_field,
        where=answer.where,
    )


def _check_envelope(
    answer: Answer, path: str, message_path: str | None, secrets: tuple[str, ...]
) -> None:
    """Raise the error that hides in a success (iTop's `code`, GraphQL's `errors`)."""
    error = find(answer.document, path)
    if error is MISSING or error in (None, "", 0, False, [], {}):
        return
    message = find(answer.document, message_path) if message_path else error
    if isinstance(message, dict):
        message = message.get("message", message)
    words = sample(message if isinstance(message, str) else text_of(message), secrets)
    raise Refused(
        f"the API refuses inside a success, {path}: {words}",
        where=answer.where,
        mend="check the dataset's parameters and the rights of the account",
    )


def _total(answer: Answer, table: ApiDataset) -> int | None:
    if table.total_path is not None:
        return as_count(find(answer.document, table.total_path))
    return as_count(answer.headers.get(table.total_header)) if table.total_header else None


def _call(table: ApiDataset, dataset: str, connection: ApiConnection, scope: Scope) -> Call:
    params = {name: _plain(value) for name, value in table.params.items()}
    if table.fields_param and scope.fields is not None:
        params[table.fields_param] = table.fields_separator.join(_fields(table, scope.fields))
    for name, param, moment in (
        ("since", table.since_param, scope.since),
        ("until", table.until_param, scope.until),
    ):
        if moment is not None:
            params[_window_param(dataset, name, param)] = _moment(table, moment)
    return Call(
        url=f"{connection.base_url}/{table.path.lstrip('/')}",
        method=table.method,
        params=params,
        json=table.json_body,
        form=table.form,
        headers=table.headers,
        safe=table.method == "GET" or table.safe_to_repeat,
    )


def _plain(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def _fields(table: ApiDataset, fields: frozenset[str]) -> list[str]:
    wanted = {*fields, *table.primary_key} - {table.record_key_field}
    names = wanted if table.fields_nested else {name.partition(".")[0] for name in wanted if name}
    return sorted(name for name in names if name)


def _window_param(dataset: str, name: str, param: str | None) -> str:
    if param is None:
        raise Refused(
            f"dataset {dataset!r} cannot be read by modification date: it has no `{name}_param`",
            where=f"source.datasets.{dataset}",
            mend=f"declare `{name}_param` if the API filters by date, or read everything",
        )
    return param


def _moment(table: ApiDataset, moment: datetime) -> str:
    return moment.astimezone(UTC).strftime(table.datetime_format)


def _first_answer(
    config: ApiConfig, dataset: str, connection: ApiConnection, scope: Scope
) -> tuple[Answer, HttpSession]:
    table = declared(config.datasets, dataset)
    call = table.paginator.first(_call(table, dataset, connection, scope), limit=1).call
    with HttpSession(connection) as session:
        return session.ask(call), session


def count(config: ApiConfig, dataset: str, connection: ApiConnection, scope: Scope) -> int | None:
    """The total the API announces on a first page of one record; None when it announces none."""
    table = declared(config.datasets, dataset)
    if not table.total_name:
        return None
    answer, _ = _first_answer(config, dataset, connection, scope)
    return _total(answer, table)


def probe(config: ApiConfig, connection: ApiConnection) -> Probe:
    """One call for the first page of the first dataset, of one record where a limit can be set."""
    dataset = next(iter(config.datasets))
    answer, session = _first_answer(config, dataset, connection, Scope())
    _rows(answer, config.datasets[dataset], session.secrets())
    server = answer.headers.get("Server", "")
    return Probe(
        version=f"HTTP {answer.status}" + (f", {server}" if server else ""),
        identity=session.authenticator.identity,
        rights=(f"read {dataset}",),
    )


def slices(
    config: ApiConfig, dataset: str, connection: ApiConnection, scope: Scope, most: int
) -> tuple[Slice, ...]:
    """Ranges of ranks, where pages begin at a rank, overlap, and a total says how many there are.

    Of other datasets there is one slice: pages by number cannot show that rows moved between two
    slices, and where the next page is known from the last one alone, nothing can be cut.
    """
    table = declared(config.datasets, dataset)
    paginator = table.paginator
    if most < 2 or not (isinstance(paginator, Offset) and paginator.overlap):
        return cut(0, 1, 1)
    total = count(config, dataset, connection, scope)
    return cut(total or 0, most, paginator.limit)


SOURCE: Final = Source(
    config=ApiConfig,
    connection=ApiConnection,
    extract=extract,
    probe=probe,
    count=count,
    slices=slices,
    windows=True,
    refuse=refuse,
)
