"""The objects of an answer, by their ids.

    "objects": {"Server::105": {"code": 0, "message": "", "class": "Server", "key": "105",
                                "fields": {"id": "105", "name": "srv-00074"}}}

Empty is null on every release seen; `{}` and `[]` mean the same (specs/itop.md §4).
"""

from dataclasses import dataclass
from typing import Any, Final

from sources.errors import Unreadable
from sources.selector import as_count, is_writable
from sources.session import Answer

_CLEAN: Final = frozenset({0})


@dataclass(frozen=True, slots=True)
class Objects:
    """`rows` are the `fields` by id, `classes` those of the objects, `odd` why one is no record.

    `found`: how many the server says there are.
    """

    rows: dict[int, Any]
    classes: frozenset[str]
    found: int | None
    odd: dict[int, str]


def objects_of(answer: Answer, *, with_class: bool = False, with_id: bool = False) -> Objects:
    """The objects of *answer*, which is a success.

    *with_class*: each record gets its real class as `finalclass`; *with_id*: its id, where the
    attributes asked for do not hold it. Raises Unreadable for what is no map of objects.
    """
    held = _held(answer)
    try:
        read = _all(held)
    except (KeyError, TypeError, ValueError):
        read = _each(held, answer.where)
    rows, classes, odd = read
    if answer.doubtful:
        doubtful = (id for id, row in rows.items() if not is_writable(row))  # noqa: A001 - iTop's own word
        odd |= dict.fromkeys(doubtful, "half a character in a text")
    _complete(held, rows, odd, with_class=with_class, with_id=with_id)
    return Objects(rows, classes, found_in(answer), odd)


def names_of(answer: Answer) -> tuple[list[int], frozenset[str]]:
    """The ids of the objects, as they come, and their classes; only their names are looked at.

    Raises Unreadable for what is no map of objects.
    """
    parts = [name.rpartition("::") for name in _held(answer)]
    try:
        ids = [int(number) for _, _, number in parts]
    except ValueError:
        raise _strange("a name without a number", answer.where) from None
    return ids, frozenset({class_name for class_name, _, _ in parts})


def found_in(answer: Answer) -> int | None:
    """N of `Found: N`, which is the number of objects."""
    return as_count(answer.document.get("message"))


def _held(answer: Answer) -> dict[str, Any]:
    held = answer.document.get("objects") or {}
    if not isinstance(held, dict):
        raise _strange("no map", answer.where)
    return held


def _strange(what: str, where: str) -> Unreadable:
    return Unreadable(
        f"`objects` holds {what} where iTop has a map of `Class::id`",
        where=where,
        mend="check `base_url`: the REST services of iTop do not answer like this",
    )


_Read = tuple[dict[int, Any], frozenset[str], dict[int, str]]


def _all(held: dict[str, Any]) -> _Read:
    """As nearly every answer is; raises KeyError, TypeError or ValueError for any other."""
    rows: dict[int, Any] = {}
    classes, codes = set(), set()
    # Once over the objects: they lie all over the memory, and each look at one is a miss.
    for each in held.values():
        codes.add(each["code"])
        classes.add(each["class"])
        rows[int(each["key"])] = each["fields"]
    if {*map(type, rows.values())} - {dict} or codes - _CLEAN:
        raise ValueError
    return rows, frozenset(classes), {}


def _each(held: dict[str, Any], where: str) -> _Read:
    """One by one: what is no record keeps its place, and says why."""
    rows: dict[int, Any] = {}
    classes, odd = set(), {}
    for name, each in held.items():
        class_name, _, number = name.rpartition("::")
        if not number.isdecimal():
            raise _strange("a name without a number", where)
        fields = each.get("fields") if isinstance(each, dict) else None
        rows[int(number)] = each if fields is None else fields
        classes.add(class_name)
        if not isinstance(each, dict) or not isinstance(fields, dict):
            odd[int(number)] = "not an object"
        elif each.get("code"):
            odd[int(number)] = f"iTop answers for it (code {each['code']}): {each.get('message')}"
    return rows, frozenset(classes), odd


def _complete(
    held: dict[str, Any],
    rows: dict[int, Any],
    odd: dict[int, str],
    *,
    with_class: bool,
    with_id: bool,
) -> None:
    if with_class:
        for name, row in zip(held, rows.values(), strict=False):
            if isinstance(row, dict):
                row["finalclass"] = name.rpartition("::")[0]
    if with_id:
        for number, row in rows.items():
            if number not in odd:
                row["id"] = str(number)
