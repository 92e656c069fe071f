"""What a run was asked for, kept beside what it reads, so that another run can go on with it.

asked.json   the options of the run, when its extraction began, a digest of what reads and maps
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import orjson

from flows.files import write_whole
from flows.spool import Spool
from flows.workplace import Options, Workplace

FILE: Final = "asked.json"
_WORDS: Final = ("mode", "allow_missing", "allow_changed", "accept", "to")


@dataclass(frozen=True, slots=True)
class Asked:
    """The options of a run; `read`: the moment since which its data are the source's.

    `reads` is the digest of the job's source and mapping: other ones would read and map otherwise.
    """

    options: Options
    read: datetime
    reads: str


def keep_asked(place: Workplace, now: datetime) -> None:
    """Write down what the run was asked for, as its extraction begins; raises Unwritable."""
    options = {word: getattr(place.options, word) for word in _WORDS}
    content = {"options": options, "read": now.isoformat(), "reads": place.job.digest()}
    write_whole(place.spool.folder / FILE, orjson.dumps(content))


def asked_of(spool: Spool) -> Asked | None:
    """What the run of *spool* was asked for; None when its extraction never began."""
    try:
        content = orjson.loads((spool.folder / FILE).read_bytes())
    except FileNotFoundError:
        return None
    words = {word: content["options"][word] for word in _WORDS}
    return Asked(Options(**words), datetime.fromisoformat(content["read"]), content["reads"])
