"""What goes wrong with the referential, typed by how one recovers.

ReferentialError
├── Unreachable    an outage: the same call may succeed later, so it is retried
├── Refused        Canopsis said no (credentials, rights, body too large)
├── Unreadable     an answer that is not JSON, or not of the documented shape
├── ImportFailed   an import ended `failed`; carries Canopsis' own words
├── PlanRefused    the guard refuses a plan; carries every limit that it passes
└── Locked         another run of the same job holds the ledger
"""


class ReferentialError(Exception):
    """A failed step: *what*, then notes `where:` (URL without secrets, job) and `mend:`."""

    def __init__(self, what: str, *, where: str = "", mend: str = "") -> None:
        super().__init__(what)
        if where:
            self.add_note(f"where: {where}")
        if mend:
            self.add_note(f"mend: {mend}")


class Unreachable(ReferentialError):
    """Canopsis does not answer, or says to come back later."""


class Refused(ReferentialError):
    """Canopsis answers and refuses."""


class Unreadable(ReferentialError):
    """The answer cannot be what Canopsis meant to send."""


class ImportFailed(ReferentialError):
    """An import ended `failed`; `info` is Canopsis' own text (`specs/canopsis.md` §2.7)."""

    def __init__(self, info: str, *, where: str = "", mend: str = "") -> None:
        super().__init__(f"Canopsis refused the import: {info}", where=where, mend=mend)
        self.info = info


class PlanRefused(ReferentialError):
    """The plan passes a limit: nothing was written."""


class Locked(ReferentialError):
    """Another run of the same job is under way."""
