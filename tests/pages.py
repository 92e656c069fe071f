"""Pages of entities for tests, made of import items."""

from collections.abc import Sequence

from xxhash import xxh3_128_digest

from referential.entity import Body, EntityPage, Kind, encode, joined_keys


def page_of(
    ids: list[str], kinds: list[Kind], groups: list[str], bodies: Sequence[Body]
) -> EntityPage:
    """The import items *bodies*, of any kinds, as the mapping would give them."""
    payloads = list(map(encode, bodies))
    return EntityPage(
        ids=ids,
        kinds=kinds,
        groups=groups,
        categories=[body.get("category", "") for body in bodies],
        infos=[joined_keys(tuple(body.get("infos", ()))) for body in bodies],
        payloads=payloads,
        fingerprints=list(map(xxh3_128_digest, payloads)),
    )
