"""JSON that loses nothing: what mappers hand to each other, in other processes, on other machines.

Records hold what JSON writers forbid and some readers let through: numbers past 64 bits, texts with
half a surrogate pair, a thousand levels. Where one of these occurs, the whole is written as a flat
list of nodes, each after those that it is made of:

    {"flat": ["a", 1, "b", {"int": "0x20000000000000000"}, {"object": 2}]}
"""

import math
from typing import Any

import orjson

_PLAIN = {"plain"}


def pack(value: Any) -> bytes:
    """The bytes of lists, of dicts with texts for keys, and of scalars."""
    try:
        packed = orjson.dumps({"plain": value})
        if orjson.loads(packed)["plain"] == value:  # a number that is none is written as null
            return packed
    except TypeError:  # something that orjson does not write
        pass
    return orjson.dumps({"flat": _flattened(value)})


def unpack(packed: bytes) -> Any:
    """What was packed."""
    read = orjson.loads(packed)
    return read["plain"] if read.keys() == _PLAIN else _grown(read["flat"])


def _flattened(value: Any) -> list[Any]:
    """The nodes, found from the last to the first; without recursion, for they lie at any depth."""
    nodes: list[Any] = []
    waiting = [value]
    while waiting:
        here = waiting.pop()
        if isinstance(here, dict):
            nodes.append({"object": len(here)})
            for pair in here.items():
                waiting += pair
        elif isinstance(here, list):
            nodes.append({"array": len(here)})
            waiting += here
        else:
            nodes.append(_scalar(here))
    nodes.reverse()
    return nodes


def _scalar(value: Any) -> Any:
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return {"text": list(map(ord, value))}
    elif isinstance(value, float) and not math.isfinite(value):
        return {"float": str(value)}
    elif isinstance(value, int) and not -(1 << 63) <= value < 1 << 64:
        return {"int": hex(value)}
    return value


def _grown(nodes: list[Any]) -> Any:
    made: list[Any] = []
    for node in nodes:
        if node.__class__ is not dict:
            made.append(node)
            continue
        ((kind, held),) = node.items()
        if kind == "array":
            parts = made[len(made) - held :]
            del made[len(made) - held :]
            made.append(parts)
        elif kind == "object":
            parts = made[len(made) - 2 * held :]
            del made[len(made) - 2 * held :]
            made.append(dict(zip(parts[::2], parts[1::2], strict=True)))
        else:
            made.append(_ODD[kind](held))
    return made[0]


_ODD: dict[str, Any] = {
    "text": lambda codes: "".join(map(chr, codes)),
    "float": float,
    "int": lambda digits: int(digits, 16),
}
