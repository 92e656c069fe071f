"""What a database says when it does not do as asked, turned into errors by recovery.

Sources of the codes: SQLSTATE of ISO 9075 and appendix A of PostgreSQL's manual, result codes of
SQLite, error numbers of MySQL and MariaDB, ORA and DPY codes of Oracle.
"""

import re
from typing import Any, Final

import sqlalchemy as sa

from sources.errors import Refused, SourceError, Unreachable, Unreadable
from sources.verdict import sample

_OUTAGES: Final = re.compile(
    r"(08|40|53|55|57|58)\w{3}|25P0[34]|HYT0[01]"
    r"|SQLITE_(BUSY|LOCKED|IOERR|INTERRUPT|CANTOPEN|PROTOCOL|FULL|NOMEM)\w*"
    r"|1040|1053|1203|1205|1213|1226|1317|1969|20(02|03|06|13|55)|3024"
    r"|ORA-(00018|00020|00028|01013|0103[345]|01089|0155[05]|0311[34]|03135|12(?!838|899)\d{3})"
    r"|DPY-(1001|40(11|24)|60\d\d)"
)
_REFUSALS: Final = re.compile(
    r"(0A|2[0-9A-Z]|3[A-Z0-9]|42|44|54|P0|S0)\w{3}|SQLITE_(ERROR|AUTH|PERM|READONLY|RANGE)\w*"
    r"|10(44|45|49|54|64)|114[236]|1370|1698|1792|ORA-\d{5}"
)
_DAMAGES: Final = re.compile(r"XX00[12]|SQLITE_(CORRUPT|NOTADB|FORMAT)\w*")

# A refused login has no code in libpq, whose text is in the language of the server.
_FATAL: Final = re.compile(r"FATAL:\s+(?P<words>.*)", re.DOTALL)
_BUSY: Final = re.compile(
    r"too many|remaining connection slots|starting up|shutting down|recovery|not (yet )?accepting"
    r"|crash|terminating|trop de|se lance|s'arrête|restauration|réservé"
)
# What PEP 249 calls errors that come again each time.
_FAULTS: Final = frozenset({"ProgrammingError", "DataError", "NotSupportedError", "IntegrityError"})
_LATER: Final = "run again once the database answers; `timeout` and `attempts` bound the wait"
_LOGIN: Final = "check the user, `password` and database of the connection"
_MENDS: Final = (
    (r"28\w{3}|1045|1698|ORA-01017|ORA-280\d\d", _LOGIN),
    (r"25006|1792|SQLITE_READONLY\w*|ORA-01456", "take a SELECT that does not write"),
    (r"42501|114[23]|1044|1370|ORA-01031|SQLITE_AUTH", "let the account read this: GRANT SELECT"),
    (r"57014|3024|1969|SQLITE_INTERRUPT|HYT0[01]|DPY-4024", "raise `timeout`, or ask for less"),
    (r"25P03", "set a smaller `page_rows`: the database heard nothing while a page was mapped"),
    (r"3D000|1049", "correct the name of the database in `url`"),
    (r"22\w{3}", "correct the SELECT: a value of some row cannot be computed"),
)


def judge(error: Exception, *, where: str, secrets: tuple[str, ...]) -> SourceError:
    """The error for what SQLAlchemy or a driver raised, with the database's own words."""
    cause = getattr(error, "orig", None) or error
    code = _code(cause)
    words = sample(_words(cause), secrets)
    kind = _kind(error, code, words)
    if kind is Unreachable:
        what = f"the database does not answer: {words}"
    elif kind is Refused:
        what = f"the database refuses: {words}"
    else:
        what = f"the database cannot be read: {words}"
    return kind(
        what, where=where, mend=_LOGIN if _is_login(kind, code, words) else _mend(code, kind)
    )


def _kind(error: Exception, code: str, words: str) -> type[SourceError]:
    for codes, kind in ((_OUTAGES, Unreachable), (_DAMAGES, Unreadable), (_REFUSALS, Refused)):
        if code and codes.fullmatch(code):
            return kind
    fatal = _FATAL.search(words)
    if fatal and not code:
        return Unreachable if _BUSY.search(fatal["words"]) else Refused
    names = {each.__name__ for each in type(getattr(error, "orig", None) or error).__mro__}
    if isinstance(error, ValueError | ArithmeticError) or "Could not decode" in words:
        return Unreadable  # the words are those of SQLite
    if isinstance(error, sa.exc.SQLAlchemyError) and not isinstance(error, sa.exc.DBAPIError):
        return Refused  # SQLAlchemy itself cannot say what is asked
    return Refused if names & _FAULTS else Unreachable


def _is_login(kind: type[SourceError], code: str, words: str) -> bool:
    return kind is Refused and not code and bool(_FATAL.search(words))


def _mend(code: str, kind: type[SourceError]) -> str:
    for codes, mend in _MENDS:
        if re.fullmatch(codes, code):
            return mend
    if kind is Unreachable:
        return _LATER
    if kind is Unreadable:
        return "check the database and its encoding, or cast the column to a text in the SELECT"
    return "correct `select` or `window` of the dataset, or `url` and the rights of the account"


def _code(cause: BaseException) -> str:
    """SQLSTATE, result code, or number; nothing where the driver tells none."""
    first: Any = cause.args[0] if cause.args else ""
    if isinstance(first, int):  # MySQL: its numbers say more than the SQLSTATE beside them
        return str(first)
    for name in ("sqlstate", "pgcode", "sqlite_errorname"):
        value = getattr(cause, name, None)
        if isinstance(value, str):
            return value
    code = str(getattr(first, "full_code", first))  # an object of python-oracledb
    return code if re.fullmatch(r"[0-9A-Z]{5}|[A-Z]{3}-\d{4,5}", code) else ""


def _words(cause: BaseException) -> str:
    """What the database says, without the statement that psycopg draws below."""
    primary = getattr(getattr(cause, "diag", None), "message_primary", None)
    if primary:
        return str(primary)
    if len(cause.args) == 2 and isinstance(cause.args[1], str):  # MySQL: number and words
        return cause.args[1]
    return str(cause) or type(cause).__name__
