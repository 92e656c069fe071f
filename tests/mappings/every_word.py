"""A mapping that uses every word of the language, to be spoilt word by word."""

import re
from typing import Any

from mappings.errors import Path

CSV = b"code;label\nlyo;Lyon\n"

EVERY_WORD: dict[str, Any] = {
    "lookups": {
        "environments": {"production": "prod", 1: "one"},
        "levels": {"rows": {"low": 1}},
        "sites": {
            "csv": "sites.csv",
            "key": "code",
            "value": "label",
            "delimiter": ";",
            "encoding": "utf-8",
        },
        "apps": {"dataset": "links", "key": "server", "value": "app", "many": True},
    },
    "cleanup": {
        "servers": {
            "blank": True,
            "untranslated": ["label"],
            "zero": ["owner_id"],
            "null_values": {"serial": ["N/A", "-"]},
        },
    },
    "entities": [
        {
            "dataset": "servers",
            "when": {
                "all": [
                    {"field": "status", "cond": "neq", "value": "obsolete"},
                    {"any": [{"not": {"field": "kind", "cond": "exist", "value": False}}]},
                ]
            },
            "component": {
                "name": {"first_of": ["fqdn", "{{ .name }}"], "trim": True, "case": "lower"},
                "category": {"set": "Server"},
                "impact_level": {"copy": "level", "lookup": "levels", "default": 1},
                "infos": {
                    "env": {
                        "value": {"copy": "status", "lookup": "environments", "unknown": "warn"},
                        "description": "Environment",
                    },
                    "site": {"copy": "site", "lookup": "sites", "required": True},
                    "apps": {"copy": "id", "lookup": "apps", "unknown": "keep"},
                    "city": {"copy": "city", "strip_accents": True, "hash": "xxh3"},
                    "tags": {"copy": "tags", "split": ",", "join": ";"},
                    "cores": {"copy": "cores", "cast": "int"},
                    "bought": {
                        "copy": "bought",
                        "cast": {
                            "type": "date",
                            "format": "%d/%m/%Y",
                            "zone": "Europe/Paris",
                            "to": "day",
                        },
                    },
                    "si": {"value": {"regexp": "(?P<SI>.*)", "field": "asset"}},
                    "owner": {"copy": "owner_id"},
                    "label": {"copy": "label"},
                    "serial": {"copy": "serial"},
                },
            },
            "ignore": ["finalclass"],
        },
        {
            "dataset": "servers",
            "each": {"copy": "interfaces"},
            "resource": {"name": "name", "component": "$parent.name"},
        },
        {
            "dataset": "links",
            "service": {
                "name": {"type": "template", "value": "APP-{{ .Field }}", "field": "app"},
                "pattern": {"field": "name", "cond": "is_one_of", "value": "server"},
                "output_template": {"set": "{{ .State }}"},
            },
        },
        {
            "dataset": "domains",
            "service": {
                "name": {"template": "{{ uppercase .Field }}", "field": "code"},
                "pattern": [
                    [
                        {
                            "field": "infos.domain",
                            "cond": "eq",
                            "value": "code",
                            "field_type": "string",
                        }
                    ]
                ],
            },
        },
    ],
    "expect": {
        "servers": {
            "min": 1,
            "max": 9,
            "filled": {"env": "90%"},
            "rejects": 0.1,
            "unique": ["serial"],
            "allowed": {"env": ["prod", "one"]},
        }
    },
}
# Keys of these are names that the job gives, not words of the language.
FREE = ("lookups", "cleanup", "infos", "filled", "expect", "rows", "allowed", "null_values")
TABLES = (("lookups", "environments"),)

# How libraries speak of our models, which means nothing to those who write jobs.
PHRASES = (
    r"Input should|input should|valid (dictionary|string|integer|list|tuple|boolean|number)"
    r"|instance of|union|tagged|discriminator|pydantic|validat|Value error|Field required"
    r"|Extra inputs|NoneType|<class|Traceback"
)
JARGON = re.compile(rf"{PHRASES}|\bdict\b|\btuple\b|\bfunction-|\bfrozenset\b|\bstr\b|\bint_")

Key = tuple[Path, object]


def read_file(_: str, __: Path) -> bytes:
    return CSV


def words(node: object = EVERY_WORD, path: Path = ()) -> list[Key]:
    """Each word of the mapping: its path, and what stands under it."""
    found: list[Key] = []
    if isinstance(node, dict):
        for key, value in node.items():
            if path[-1:] not in [(name,) for name in FREE] and path not in TABLES:
                found.append(((*path, key), value))
            found += words(value, (*path, key))
    if isinstance(node, list):
        for rank, value in enumerate(node):
            found += words(value, (*path, rank))
    return found
