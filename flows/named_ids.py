"""The ids of records that somebody names, one a line of a file or of standard input."""

import sys
from collections.abc import Iterable
from pathlib import Path

from flows.misdeclared import Fault, Misdeclared

MOST = 100_000
STDIN = "-"


def read_ids(file: str) -> frozenset[str]:
    """The ids in *file*, `-` being standard input; raises Misdeclared.

    Blank lines and those that begin with `#` are no ids, and each counts once.
    """
    where = f"--record-ids {file}"
    try:
        whole = sys.stdin.buffer.read() if file == STDIN else Path(file).read_bytes()
        text = whole.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        what, mend = f"the ids cannot be read: {why}", "name a text file of one id a line"
        raise Misdeclared([Fault(where, what, mend)]) from error
    return checked(text.splitlines(), where)


def checked(lines: Iterable[str], where: str) -> frozenset[str]:
    """The ids of *lines*; raises Misdeclared when there is none, or more than may be."""
    words = (line.strip() for line in lines)
    ids = frozenset(word for word in words if word and not word.startswith("#"))
    if not ids:
        raise Misdeclared([Fault(where, "no id is named", "write one a line")])
    if len(ids) > MOST:
        what = f"{len(ids):,} ids are named, {MOST:,} may be"
        raise Misdeclared([Fault(where, what, "backfill by dates, or run a sync")])
    return ids
