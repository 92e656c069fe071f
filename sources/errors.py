"""What goes wrong with a source, typed by how one recovers.

    SourceError
    ├── Unreachable   an outage: the same call may succeed later, so it is retried
    ├── Refused       the system said no (credentials, rights, unknown table)
    └── Unreadable    not what it claims to be (HTML with 200, broken JSON, empty file)

Odd data inside a good answer is not an error but a reject (`sources.base.Reject`).
"""


class SourceError(Exception):
    """A failed extraction: *what*, then notes `where:` (URL without secrets, file) and `mend:`."""

    def __init__(self, what: str, *, where: str = "", mend: str = "") -> None:
        super().__init__(what)
        if where:
            self.add_note(f"where: {where}")
        if mend:
            self.add_note(f"mend: {mend}")


class Unreachable(SourceError):
    """The system does not answer, or says to come back later."""


class Refused(SourceError):
    """The system answers and refuses."""


class Unreadable(SourceError):
    """The answer cannot be what the system meant to send."""
