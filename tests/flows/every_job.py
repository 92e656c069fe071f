"""Job files that use every word there is, written as YAML with the place of each of their words.

Several short ones rather than a long one: a job is read again for each way of spoiling it.
"""

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from mappings.errors import Path
from tests.mappings.every_word import EVERY_WORD

NAME = "acme/every"
FILE = f"jobs/{NAME}.yaml"

MAPPING: dict[str, Any] = {
    "entities": [{"dataset": "servers", "component": {"name": "name"}}],
}
SYNC: dict[str, Any] = {"connection": "acme-canopsis", "import_source": "acme"}
API_DATASET: dict[str, Any] = {
    "path": "/servers",
    "method": "POST",
    "params": {"sort": "name", "expand": [1, "b"]},
    "headers": {"Accept": "application/json"},
    "safe_to_repeat": True,
    "data_selector": "data",
    "single": False,
    "record_key_field": "id",
    "primary_key": ["id", "site"],
    "max_pages": 10,
    "total_path": "total",
    "total_header": "X-Total-Count",
    "error_path": "error",
    "error_message_path": "error.message",
    "fields_param": "fields",
    "fields_separator": ",",
    "fields_nested": True,
    "since_param": "since",
    "until_param": "until",
    "datetime_format": "%Y-%m-%d",
}
PAGINATORS: tuple[dict[str, Any], ...] = (
    {"type": "single_page"},
    {
        "type": "page_number",
        "base_page": 1,
        "page_param": "page",
        "page_body_path": "page.number",
        "page_size": 100,
        "page_size_param": "size",
        "has_more_path": "more",
    },
    {
        "type": "offset",
        "limit": 10,
        "offset": 0,
        "limit_param": "limit",
        "offset_param": "offset",
        "limit_body_path": "page.limit",
        "offset_body_path": "page.offset",
        "overlap": False,
        "has_more_path": "more",
    },
    {
        "type": "cursor",
        "cursor_path": "next",
        "cursor_param": "after",
        "cursor_body_path": "page.after",
        "has_more_path": "more",
    },
    {"type": "json_link", "next_url_path": "next"},
    {"type": "header_link", "links_next_key": "next"},
)
SOURCE_BLOCKS: dict[str, list[dict[str, Any]]] = {
    "api": [
        {
            "type": "api",
            "connection": "acme-cmdb",
            "datasets": {"servers": {**API_DATASET, "json": {"query": {"match": "all"}}}},
        },
        {
            "type": "api",
            "connection": "acme-cmdb",
            "datasets": {"servers": {"path": "/servers", "form": {"query": "all"}}},
        },
        *(
            {
                "type": "api",
                "connection": "acme-cmdb",
                "datasets": {"servers": {"path": "/servers", "paginator": paginator}},
            }
            for paginator in PAGINATORS
        ),
    ],
    "csv": [
        {
            "type": "csv",
            "connection": "acme-drop",
            "datasets": {
                "servers": {
                    "path": "servers*.csv",
                    "file_selection": "latest",
                    "newest_by": "mtime",
                    "max_age_hours": 26.5,
                    "member": "servers.csv",
                    "encoding": "cp1252",
                    "delimiter": ";",
                    "quote_char": '"',
                    "escape_char": "\\",
                    "double_quote": True,
                    "skip_rows_before_header": 1,
                    "header": True,
                    "column_names": ["name", "site"],
                    "odd_columns": "suffix",
                    "required_columns": ["name"],
                    "null_values": ["NULL", "-"],
                    "on_bad_rows": "pad",
                    "max_bad_rows": 0.2,
                    "min_rows": 1,
                    "final_line_end": True,
                    "trailer": "^(?P<count>[0-9]+) rows$",
                    "page_rows": 500,
                }
            },
        }
    ],
    "itop": [
        {
            "type": "itop",
            "connection": "acme-itop",
            "datasets": {
                "servers": {
                    "class": "Server",
                    "where": "status != 'obsolete'",
                    "fields": ["name", "status"],
                    "optional": ["asset_number"],
                    "page_size": 200,
                    "cursor_field": "last_update",
                    "archived": True,
                    "dates": ["move2production"],
                    "datetimes": ["last_update"],
                    "encoded_html": ["description"],
                    "unset_keys": ["location_id"],
                }
            },
        },
        {
            "type": "itop",
            "connection": "acme-itop",
            "datasets": {
                "servers": {
                    "class": "Server",
                    "oql": "SELECT Server AS s WHERE s.status = 'production'",
                    "related": {"direction": "up", "depth": 3, "redundancy": True},
                }
            },
        },
    ],
    "sql": [
        {
            "type": "sql",
            "connection": "acme-sql",
            "datasets": {
                "servers": {
                    "select": "SELECT id, site, name, modified FROM servers",
                    "key": ["id", "site"],
                    "window": "modified >= :since AND modified < :until",
                    "count": False,
                    "wrap": True,
                    "page_rows": 500,
                }
            },
        }
    ],
}
SYNC_BLOCKS: tuple[dict[str, Any], ...] = (
    {
        **SYNC,
        "missing": "disable",
        "limits": {"missing": "10%", "changed": 500, "minimum_population": 20},
        "slices": 4,
        "schedule": {"cron": "0 2 * * *", "timezone": "Europe/Paris"},
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
