"""What a run reads of a dataset: all of it, or what a window of dates or a list of ids leaves."""

from flows.job import Maps
from flows.workplace import Workplace
from sources.base import Scope


def scope_of(place: Workplace, name: str, mapper: Maps) -> Scope:
    """The part of the dataset *name* that the run is to read.

    A window of dates and ids are of the records that entities are made of. Tables, and datasets
    that services are gathered from, are read whole: a service gathered from a part of its links
    would lose members.
    """
    fields, options = mapper.fields(name), place.options
    if mapper.gathers(name):
        return Scope(fields)
    return Scope(fields, options.since, options.until, ids=options.ids)
