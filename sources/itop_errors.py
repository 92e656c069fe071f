"""What iTop says no with, where its words tell us what to do next."""

from sources.errors import Refused, Unreachable, Unreadable
from sources.verdict import Later


class Unserved(Unreadable):
    """iTop could not build or write this answer: one with fewer objects may pass."""


class Broken(Later):
    """An HTTP 500: an outage, or an object that iTop breaks on."""


class Slow(Unreachable):
    """No answer in time: the same call is not repeated, one with fewer objects may pass."""


class NoRight(Refused):
    """The account may not do `what`: a profile or the reading of a class is lacking."""

    def __init__(self, what: str, *, lacking: str, where: str = "", mend: str = "") -> None:
        super().__init__(what, where=where, mend=mend)
        self.lacking = lacking


class UnknownAttribute(Refused):
    """The class has no `attribute`; `known` are those it has, where iTop tells them."""

    def __init__(
        self,
        what: str,
        *,
        attribute: str,
        known: tuple[str, ...] = (),
        where: str = "",
        mend: str = "",
    ) -> None:
        super().__init__(what, where=where, mend=mend)
        self.attribute = attribute
        self.known = known


class UnsupportedVersion(Refused):
    """iTop does not know the version of its services that was asked for."""
