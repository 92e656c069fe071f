"""Which attributes iTop is asked for: those the mapping uses, as far as the class has them."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from sources.errors import Refused
from sources.itop_answer import guess
from sources.itop_dataset import ItopDataset
from sources.itop_errors import UnknownAttribute
from sources.itop_session import ItopSession, Operation
from sources.session import Answer

log = logging.getLogger(__name__)

# Asked for or not, every object tells its id and its real class.
_TOLD: Final = frozenset({"id", "finalclass"})
_NOBODYS: Final = "refsync_nobodys"


@dataclass(frozen=True, slots=True)
class Wanted:
    """`names` are asked for beside the id; `final`: the real class goes into the record."""

    names: tuple[str, ...]
    final: bool = False
    star: str = ""

    @property
    def output(self) -> str:
        """The `output_fields` of iTop."""
        return self.star or ",".join(("id", *self.names))


def get(table: ItopDataset, query: str, output: str) -> Operation:
    """The operation that reads the objects of *query*, never by `limit` and `page`."""
    parameters = {"class": table.class_name, "key": query, "output_fields": output}
    return Operation("core/get", parameters, archived=table.archived)


class Columns:
    """The attributes of one dataset: asked for as they are, judged when iTop lacks one of them.

    *fields* are dotted paths, whose first step is the attribute (None: all there are); *where* is
    the dataset in its job.
    """

    def __init__(
        self,
        session: ItopSession,
        table: ItopDataset,
        fields: frozenset[str] | None,
        where: str,
    ) -> None:
        self._session = session
        self._table = table
        self._where = where
        paths = frozenset() if fields is None else fields
        self._any = fields is None and not table.fields
        final = fields is None or "finalclass" in paths or bool(table.star)
        names = () if table.star else _attributes([*table.fields, *paths])
        self.wanted = Wanted(names, final, table.star)
        self._judged = False

    def settle(self) -> None:
        """Names the attributes where nobody did; the others are judged when they are refused."""
        if self._any:
            self.judge()

    def judge(self) -> None:
        """Takes out what the class lacks, by queries that move no object.

        Raises Refused for an attribute that is not optional, with the nearest that there is.
        """
        if self._any:
            names = _scalars(self._session, self._table, self._where)
            self.wanted = replace(self.wanted, names=names)
        while (lacking := self._lacking()) is not None:
            names = self.wanted.names
            if lacking not in names or not (self._any or self._table.may_lack(lacking)):
                raise _no_such(self._session, self._table, lacking, self._where)
            if not self._any:
                told = (self._where, self._table.class_name, lacking)
                log.warning("%s: class %s has no attribute %r in this iTop: left out", *told)
            names = tuple(name for name in names if name != lacking)
            self.wanted = replace(self.wanted, names=names)
        self._judged = True

    def ask(self, query: str, *, once: bool) -> Answer:
        """The objects of *query*; the first refusal of an attribute has all of them judged."""
        try:
            return self._session.do(get(self._table, query, self.wanted.output), once=once)
        except UnknownAttribute:
            if self._judged:
                raise
        self.judge()
        return self._session.do(get(self._table, query, self.wanted.output), once=once)

    def _lacking(self) -> str | None:
        query = self._table.selection().none()
        try:
            self._session.do(get(self._table, query, self.wanted.output))
        except UnknownAttribute as unknown:
            return unknown.attribute
        return None


def _attributes(paths: Iterable[str]) -> tuple[str, ...]:
    steps = {path.partition(".")[0] for path in paths}
    return tuple(sorted(step for step in steps - _TOLD if step and not step.startswith("$")))


def _no_such(session: ItopSession, table: ItopDataset, name: str, where: str) -> Refused:
    return Refused(
        f"class {table.class_name} has no attribute {name!r}",
        where=where,
        mend=guess(name, _known(session, table)) or "look its name up in iTop's data model",
    )


def _known(session: ItopSession, table: ItopDataset) -> tuple[str, ...]:
    """The attributes of the class, which iTop lists when asked for one that nobody has."""
    query = f"SELECT {table.class_name} WHERE {_NOBODYS} = 1"
    try:
        session.do(get(table, query, "id"))
    except UnknownAttribute as unknown:
        return unknown.known
    return ()


def _scalars(session: ItopSession, table: ItopDataset, where: str) -> tuple[str, ...]:
    """Every attribute that can be filtered by, which lists and pictures cannot."""
    known = _attributes(_known(session, table))
    if not known:
        raise Refused(
            f"iTop does not say which attributes class {table.class_name} has",
            where=where,
            mend="name those that are wanted in `fields` of the dataset",
        )
    return known
