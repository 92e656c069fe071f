"""An entity of the referential, its identity and its canonical bytes.

The canonical bytes are the very item of the import API (`specs/canopsis.md` §2.1), keys sorted:

    {"action":"set","category":"Server","component":"sw1","enabled":true,"impact_level":1,
     "infos":{"env":{"description":"Environment","name":"env","value":"prod"}},
     "name":"eth0","type":"resource"}

They are made once, fingerprinted, spooled, and sent as they are.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, Self

import orjson
from xxhash import xxh3_128_digest

Kind = Literal["component", "resource", "service"]
Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Entity:
    """One component, resource or service.

    `infos` maps a key to `{"name", "description"?, "value"}`; `component` is the resource's
    component; `entity_pattern` is a service's list of groups of conditions.
    """

    kind: Kind
    name: str
    component: str = ""
    category: str = ""
    impact_level: int = 1
    infos: dict[str, dict[str, Any]] = field(default_factory=dict)
    entity_pattern: list[list[dict[str, Any]]] | None = None
    output_template: str = ""

    @property
    def id(self) -> str:
        return entity_id(self.kind, self.name, self.component)

    @classmethod
    def from_payload(cls, payload: bytes) -> "Entity":
        body = orjson.loads(payload)
        return cls(
            kind=body["type"],
            name=body["name"],
            component=body.get("component", ""),
            category=body.get("category", ""),
            impact_level=body["impact_level"],
            infos=body["infos"],
            entity_pattern=body.get("entity_pattern"),
            output_template=body.get("output_template", ""),
        )


@dataclass(frozen=True, slots=True)
class EntityPage:
    """Encoded entities, column by column; all columns have the same length.

    `groups` holds the component an entity belongs to (its own id for a component, "" for a
    service): what must travel in one batch. `infos` are the entity's info keys (`joined_keys`).
    `fingerprints` are 16 bytes each.
    """

    ids: list[str]
    kinds: list[Kind]
    groups: list[str]
    categories: list[str]
    infos: list[str]
    payloads: list[bytes]
    fingerprints: list[bytes]

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def of(
        cls,
        kind: Kind,
        *,
        ids: list[str],
        categories: list[str],
        infos: list[str],
        payloads: list[bytes],
        groups: Sequence[str] = (),
    ) -> Self:
        """Entities of one kind; *groups* are the components of resources."""
        kinds: list[Kind] = [kind]
        homes = {"component": ids, "resource": list(groups), "service": [""] * len(ids)}
        return cls(
            ids=ids,
            kinds=kinds * len(ids),
            groups=homes[kind],
            categories=categories,
            infos=infos,
            payloads=payloads,
            fingerprints=list(map(xxh3_128_digest, payloads)),
        )


def entity_id(kind: Kind, name: str, component: str = "") -> str:
    """The `_id` Canopsis gives (`specs/canopsis.md` §3.1)."""
    return f"{name}/{component}" if kind == "resource" else name


@lru_cache(maxsize=4096)
def joined_keys(keys: tuple[str, ...]) -> str:
    """Info keys as the text that travels through plan and ledger: sorted, one a line.

    A key that is empty or holds a line break cannot be told apart in it: it is left out, and never
    pruned. Only a driver file may name such a key. Remembered: a feed has few sets of keys, and
    equal ones should be one text in memory.
    """
    return "\n".join(sorted(key for key in keys if key and "\n" not in key))


def split_keys(infos: str) -> list[str]:
    """The info keys of a text of `joined_keys`."""
    return infos.split("\n") if infos else []


def encode(body: Body) -> bytes:
    """The canonical bytes of an import item."""
    return orjson.dumps(body, option=orjson.OPT_SORT_KEYS)


def fingerprint(payload: bytes) -> bytes:
    """128-bit digest (xxh3) of canonical bytes."""
    return xxh3_128_digest(payload)
