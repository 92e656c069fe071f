"""Job files that use every word there is, written as YAML with the place of each of their words.

Several short ones rather than a long one: a job is read again for each way of spoiling it.
"""

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from mappings.errors import Path
from tests.flows.every_source import SOURCE_BLOCKS
from tests.mappings.every_word import EVERY_WORD

NAME = "acme/every"
FILE = f"jobs/{NAME}.yaml"

MAPPING: dict[str, Any] = {
    "entities": [{"dataset": "servers", "component": {"name": "name"}}],
}
SYNC: dict[str, Any] = {"connection": "acme-canopsis", "import_source": "acme"}
SYNC_BLOCKS: tuple[dict[str, Any], ...] = (
    {
        **SYNC,
        "missing": "disable",
        "missing_after": "3 runs",
        "respect_manual": True,
        "prune": True,
        "on_refusal": "hold_removals",
        "targets": ["acme-preproduction"],
        "limits": {
            "missing": "10%",
            "changed": 500,
            "minimum_population": 20,
            "median": 10,
            "datasets": {"servers": {"missing": "5%", "changed": "50%"}},
            "categories": {"Server": {"missing": 3}},
        },
        "slices": 4,
        "runner": "dask",
        "retries": 5,
        "timeouts": {"check": "5m", "extract": "2h", "load": 3600},
        "documentation": "https://wiki.acme.example/feeds/servers",
        "schedule": {
            "cron": "0 2 * * *",
            "timezone": "Europe/Paris",
            "collision": "enqueue",
        },
    },
    {**SYNC, "schedule": {"interval": 3600}},
)


@dataclass(slots=True)
class Written:
    """A document as YAML; `keys` and `values` have the 1-based line and column of each node."""

    text: str = ""
    keys: dict[Path, tuple[int, int]] = field(default_factory=dict)
    values: dict[Path, tuple[int, int]] = field(default_factory=dict)

    def put(self, node: object, path: Path = (), indent: int = 0) -> None:
        """Blocks, a key a line; what is empty, and what is no collection, stands in its line."""
        if isinstance(node, dict) and node:
            for rank, (key, each) in enumerate(node.items()):
                self._margin(indent, inline=rank == 0 and self._in_line())
                self.keys[*path, key] = self._here()
                self.text += f"{_word(key)}:"
                self._under(each, (*path, key), indent)
        elif isinstance(node, list) and node:
            for rank, each in enumerate(node):
                self._margin(indent, inline=rank == 0 and self._in_line())
                self.text += "-"
                self._under(each, (*path, rank), indent, in_list=True)
        else:
            self.values[path] = self._here()
            self.text += f"{json.dumps(node)}\n"

    def _under(self, node: object, path: Path, indent: int, *, in_list: bool = False) -> None:
        if in_list or not (isinstance(node, dict | list) and node):
            self.text += " "
        else:
            self.text += "\n"
        self.values[path] = self._here()
        if self.text.endswith("\n"):
            line, _ = self._here()
            self.values[path] = (line, indent + 3)
        self.put(node, path, indent + 2)

    def _margin(self, indent: int, *, inline: bool) -> None:
        if not inline:
            self.text += " " * indent

    def _in_line(self) -> bool:
        return self.text.endswith(" ")

    def _here(self) -> tuple[int, int]:
        return self.text.count("\n") + 1, len(self.text) - self.text.rfind("\n")


def _word(key: object) -> str:
    text = str(key)
    return text if text.isidentifier() else json.dumps(text)


def written(document: object) -> Written:
    made = Written()
    made.put(document)
    return made


RECORD: dict[str, Any] = {
    "default": "keep",
    "anonymize": {"servers": {"name": "name"}, "*": {"site": "drop"}},
}


def jobs() -> list[tuple[str, Path, dict[str, Any]]]:
    """Every job: what it is there to show, where that stands, and the job.

    Together they have every word; one word stands in several of them.
    """
    plain = {"source": plain_source(MAPPING), "mapping": MAPPING, "sync": SYNC}
    made: list[tuple[str, Path, dict[str, Any]]] = [("job", (), plain)]
    for kind, blocks in SOURCE_BLOCKS.items():
        made += [
            (f"{kind} {rank}", ("source",), {**plain, "source": block})
            for rank, block in enumerate(blocks, 1)
        ]
    for name, mapping in mappings():
        job = {**plain, "source": plain_source(mapping), "mapping": mapping}
        made.append((f"mapping {name}", ("mapping",), job))
    made += [
        (f"sync {rank}", ("sync",), {**plain, "sync": block})
        for rank, block in enumerate(SYNC_BLOCKS, 1)
    ]
    made.append(("record", ("record",), {**plain, "record": RECORD}))
    return copy.deepcopy(made)


def mappings() -> list[tuple[str, dict[str, Any]]]:
    """The mapping with every word in parts that compile alone: an info or an entity in each."""
    lookups, (block, *others) = EVERY_WORD["lookups"], EVERY_WORD["entities"]
    component, expect = block["component"], EVERY_WORD["expect"]["servers"]
    named = set(expect["filled"]) | set(expect["unique"])
    parts: list[tuple[str, dict[str, Any]]] = [("lookups", {"lookups": lookups, **MAPPING})]
    for key, info in component["infos"].items():
        entity = {"dataset": "servers", "component": {"name": "name", "infos": {key: info}}}
        tables = {name: lookups[name] for name in _lookups_of(info)}
        parts.append((f"info {key}", {"lookups": tables, "entities": [entity]}))
    infos = {key: key for key in named}
    bare = {"dataset": "servers", "component": {"name": "name", "infos": infos}}
    parts.append(("expect", {"entities": [bare], "expect": EVERY_WORD["expect"]}))
    parts.append(("cleanup", {"cleanup": EVERY_WORD["cleanup"], **MAPPING}))
    without = {key: each for key, each in component.items() if key != "infos"}
    entity = {**block, "component": without}
    parts.append(("component", {"lookups": {"levels": lookups["levels"]}, "entities": [entity]}))
    parts += [(f"entity {rank}", {"entities": [each]}) for rank, each in enumerate(others, 1)]
    return [(name, {key: each for key, each in mapping.items() if each}) for name, mapping in parts]


def _lookups_of(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("lookup"), str):
            yield node["lookup"]
        for each in node.values():
            yield from _lookups_of(each)
    elif isinstance(node, list):
        for each in node:
            yield from _lookups_of(each)


def plain_source(mapping: dict[str, Any]) -> dict[str, Any]:
    """A source with the datasets that a mapping reads."""
    read = [each["dataset"] for each in mapping["entities"]]
    read += [each["dataset"] for each in mapping.get("lookups", {}).values() if "dataset" in each]
    return {
        "type": "api",
        "connection": "acme-cmdb",
        "datasets": {name: {"path": f"/{name}"} for name in dict.fromkeys(read)},
    }
