"""ServiceNow: a dataset is a table, or the relations between CIs, read by pysnow over our session.

Rows are read by sys_id, each page from the last row of the one before, to an end that the instance
states. pysnow builds every query, address and parameter; by itself it takes the rows of a cancelled
call for all there are, so its responses are judged by ours (specs/servicenow.md §4, §12, §13).
"""

from typing import Final

from sources.base import Extraction, Scope, Slice, Source
from sources.declared import declared
from sources.servicenow_client import Instance, View
from sources.servicenow_connection import ServiceNowConnection
from sources.servicenow_dataset import ServiceNowConfig
from sources.servicenow_probe import probe
from sources.servicenow_query import filter_of, slices_of
from sources.servicenow_reading import Reading


def extract(
    config: ServiceNowConfig, dataset: str, connection: ServiceNowConnection, scope: Scope
) -> Extraction:
    """The pages of *dataset*, in the order of its sys_ids.

    Raises Unreachable, Refused and Unreadable as `HttpSession.ask`, and Refused for columns that
    exclude each other, for a filter that the instance would ignore, and for database views.
    """
    table = declared(config.datasets, dataset)
    with Instance(connection) as instance:
        reading = Reading(instance, dataset, table, scope, connection.pause)
        return (yield from reading.pages())


def count(
    config: ServiceNowConfig, dataset: str, connection: ServiceNowConnection, scope: Scope
) -> int | None:
    """Rows by the Aggregate API, those hidden from the account included; None where it says none.

    Of a window, which ends at the instance's own now, and of relations of some types nothing is
    known beforehand.
    """
    table = declared(config.datasets, dataset)
    if table.types or scope.since or scope.until:
        return None
    with Instance(connection) as instance:
        view = View.of(table)
        counts = [instance.statistic(view, rows) for rows in filter_of(table).rows(scope.slice)]
    known = [each for each in counts if each is not None]
    return sum(known) if len(known) == len(counts) else None


def slices(
    config: ServiceNowConfig,
    dataset: str,
    connection: ServiceNowConnection,
    scope: Scope,
    most: int,
) -> tuple[Slice, ...]:
    """Ranges of sys_ids; nothing is asked of the instance."""
    del connection, scope
    declared(config.datasets, dataset)
    return slices_of(most)


SOURCE: Final = Source(
    config=ServiceNowConfig,
    connection=ServiceNowConnection,
    extract=extract,
    probe=probe,
    count=count,
    slices=slices,
    windows=True,
)
