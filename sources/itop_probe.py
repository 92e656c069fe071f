"""What an iTop answers before anything is read: its services, who asks, which classes it gives.

No call tells the release; what it knows and how it writes narrows it down (specs/itop.md §3).
"""

import logging
from typing import Any, Final

from sources.base import Probe
from sources.errors import Refused
from sources.itop_connection import ItopConnection
from sources.itop_dataset import ItopConfig, ItopDataset
from sources.itop_errors import NoRight, UnknownAttribute, UnsupportedVersion
from sources.itop_fields import Columns, Wanted, get
from sources.itop_session import VERSION, ItopSession, Operation
from sources.session import Answer

_PAGING: Final = "1.4"  # came with 2.5.2, 2.6.1 and 2.7.0
_LIST: Final = Operation("list_operations", {})

log = logging.getLogger(__name__)


def probe(config: ItopConfig, connection: ItopConnection) -> Probe:
    """One query for no object of each dataset; rights that lack are told, and not raised.

    Raises as `ItopSession.do`, and Refused for an attribute that a class lacks.
    """
    with ItopSession(connection) as session:
        identity = session.authenticator.identity
        try:
            version = _version(session)
        except NoRight as refusal:
            return Probe("iTop, REST services refused", identity, lacking=(refusal.lacking,))
        rights: dict[str, None] = {}
        lacking: dict[str, None] = {}
        for dataset, table in config.datasets.items():
            try:
                _ask(session, dataset, table)
            except NoRight as refusal:
                lacking[refusal.lacking] = None
            else:
                rights[f"read {table.class_name}"] = None
    return Probe(version, identity, tuple(rights), tuple(lacking))


def _ask(session: ItopSession, dataset: str, table: ItopDataset) -> None:
    cursor = {table.cursor_field} if table.cursor_field else set()
    names = frozenset({*table.fields, *cursor})
    Columns(session, table, names, f"source.datasets.{dataset}").judge()


def _version(session: ItopSession) -> str:
    """`REST API 1.4, iTop 3.0 or later`: no more than what is seen."""
    try:
        answer = session.do(_LIST, version=_PAGING)
    except UnsupportedVersion:
        session.do(_LIST)
        return f"REST API {VERSION}, iTop {_old(session)}"
    release = "3.0 or later" if _code_first(answer) else "2.5.2 to 2.7"
    return f"REST API {_PAGING}, iTop {release}"


def _code_first(answer: Answer) -> bool:
    """2.x writes what it found before the code, 3.x after it (specs/itop.md §1)."""
    document: dict[str, Any] = answer.document
    return next(iter(document)) == "code"


def _old(session: ItopSession) -> str:
    """Obsolescence came with 2.4, on every class of organizations."""
    organizations = ItopDataset(class_name="Organization")
    query = organizations.selection().none()
    try:
        session.do(get(organizations, query, Wanted(("obsolescence_flag",)).output))
    except UnknownAttribute:
        return "2.2 to 2.3"
    except Refused:
        log.debug("organizations are not readable: 2.3 and 2.4 look the same")
        return "2.2 to 2.6.0"
    return "2.4 to 2.6.0"
