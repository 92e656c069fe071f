"""What a run was asked for, kept beside what it reads, so that another run can go on with it.

asked.json   the options of the run, when its extraction began, a digest of what reads and maps
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
import xxhash

from flows.files import write_whole
from flows.job import Job
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
    content = {"options": options, "read": now.isoformat(), "reads": digest(place.job)}
    write_whole(place.spool.folder / FILE, orjson.dumps(content))


def asked_of(spool: Spool) -> Asked | None:
    """What the run of *spool* was asked for; None when its extraction never began."""
    try:
        content = orjson.loads((spool.folder / FILE).read_bytes())
    except FileNotFoundError:
        return None
    words = {word: content["options"][word] for word in _WORDS}
    return Asked(Options(**words), datetime.fromisoformat(content["read"]), content["reads"])


def digest(job: Job) -> str:
    """Of the blocks `source` and `mapping`, and of the tables beside the job."""
    seen = xxhash.xxh3_128(orjson.dumps(job.config.model_dump(mode="json")))
    seen.update(orjson.dumps(job.mapping, default=_text, option=orjson.OPT_NON_STR_KEYS))
    for table in job.tables:
        seen.update(table)
    return seen.hexdigest()


def _text(value: Any) -> str:
    """What YAML has and JSON has not, such as dates."""
    return repr(value)
