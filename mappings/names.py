"""Names that Canopsis can hold, and that the events of alarms can carry.

Source: `specs/canopsis.md` §6.
"""

import re
import unicodedata

from mappings.casts import shown
from mappings.rejects import Refusal

NAME_LENGTH = 255  # characters; what the editing API accepts (specs/canopsis.md §5.5, §6)
# Connectors of Canopsis itself: their ids are `che/<anything>`, where those of resources are too.
INTERNAL = frozenset(("api", "axe", "che", "taskhandler"))
_UNREACHABLE = re.compile("[/?#%]")  # hidden from path endpoints (specs/canopsis.md §5.5)


def check_name(name: str) -> None:
    """Refuses a name that is blank, too long, or holds a control character."""
    if not name.strip():
        raise Refusal("blank name", "the name is blank: mend it in the source or map another field")
    if len(name) > NAME_LENGTH:
        raise Refusal(
            "name too long",
            f"the name has {len(name)} characters and Canopsis takes {NAME_LENGTH}: {shown(name)}",
        )
    if name.isprintable():
        return
    odd = next((char for char in name if unicodedata.category(char) in ("Cc", "Cs")), None)
    if odd is not None:
        raise Refusal(
            "control character in name",
            f"the name holds the character U+{ord(odd):04X}, which no event can carry: {name!r}",
        )


def check_component(name: str) -> None:
    """Refuses what `check_name` refuses, and the id of a connector of Canopsis itself."""
    check_name(name)
    first, slash, _ = name.partition("/")
    if slash and first in INTERNAL:
        raise _reserved(f"{first}/", name)


def check_resource(name: str) -> None:
    """Refuses what `check_name` refuses, and what makes a connector's id of any resource."""
    check_name(name)
    first = name.partition("/")[0]
    if first in INTERNAL:
        raise _reserved(first, name)


def check_room(name: str, component: str) -> None:
    """Refuses a resource whose id no event could carry (`specs/canopsis.md` §6)."""
    length = len(name) + len(component) + 1
    if length > NAME_LENGTH:
        raise Refusal(
            "names too long together",
            f"the resource and its component have {length} characters with the slash, and an event "
            f"carries {NAME_LENGTH}: shorten {shown(name)}, for instance with hash: xxh3",
        )


def check_service_name(name: str) -> None:
    """Refuses what `check_name` refuses, and a name that the API could not be asked about."""
    check_name(name)
    odd = _UNREACHABLE.search(name)
    if odd is not None:
        raise Refusal(
            "unreachable service name",
            f"a service's name is part of URLs and cannot hold {odd[0]!r}: {shown(name)}",
        )


def taken(name: str, owner: str) -> Refusal:
    """The refusal of an id that another entity of this run has: *owner* is its kind."""
    whose = f"a {owner[1:]}" if owner[:1] == "\0" else f"a resource of the component {owner!r}"
    return Refusal(
        "id taken",
        f"the id {name!r} is already that of {whose}, and Canopsis would make one of both: "
        "give one of them a prefix",
    )


def _reserved(what: str, name: str) -> Refusal:
    return Refusal(
        "reserved id",
        f"{shown(name)} gives the id of a connector of Canopsis itself, {what!r}: give it a prefix",
    )
