"""How a run ended: its outcome in the ledger, its exit code, its message.

0 done, also when there was nothing to do    2 mis-declared
1 an outage or a failed import               3 refused by the guard or by an expectation
130 interrupted                              143 interrupted by SIGTERM
"""

from collections.abc import Sequence

from flows.files import Unwritable
from flows.misdeclared import Misdeclared
from flows.stopping import Terminated
from referential.errors import PlanRefused, ReferentialError
from referential.history import Outcome
from sources.errors import SourceError

DONE, OUTAGE, MISDECLARED, REFUSED, INTERRUPTED, TERMINATED = 0, 1, 2, 3, 130, 143


class ExpectationUnmet(Exception):
    """The data are not what the job expects of a good day: nothing was written."""

    def __init__(self, unmet: Sequence[tuple[str, str]], *, where: str) -> None:
        super().__init__("\n".join(what for what, _ in unmet))
        self.add_note(f"where: {where}")
        for mend in dict.fromkeys(mend for _, mend in unmet):
            self.add_note(f"mend: {mend}")


# What a message is written for; anything else is a defect of ours and keeps its traceback.
EXPECTED = (
    Misdeclared,
    ExpectationUnmet,
    ReferentialError,
    SourceError,
    Unwritable,
    KeyboardInterrupt,
)


def outcome_of(error: BaseException) -> Outcome:
    if not isinstance(error, Exception):  # SIGINT, SIGTERM, and SIGTERM as Prefect raises it
        return "interrupted"
    return "refused" if exit_code(error) == REFUSED else "failed"


def exit_code(error: BaseException) -> int:
    if isinstance(error, Terminated):
        return TERMINATED
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    if isinstance(error, Misdeclared):
        return MISDECLARED
    if isinstance(error, (PlanRefused, ExpectationUnmet)):
        return REFUSED
    return OUTAGE


def told(error: BaseException) -> str:
    """What, then its notes (`where:`, `mend:`), one a line.

    Of an error that went through a run, what the run kept of it: secrets are hidden there.
    """
    report = getattr(error, "report", None)
    if report is not None:
        return str(report.message)
    if not isinstance(error, Exception):
        return "interrupted; what was confirmed is in the ledger, start again to go on"
    what = str(error) or type(error).__name__
    return "\n".join([what, *(f"  {note}" for note in getattr(error, "__notes__", ()))])
