"""The rows of the system tables that tell the schema, its choices and the release."""

from itertools import chain
from typing import Final

from sandbox.servicenow_columns import CHOICES
from sandbox.servicenow_schema import Column, Record, Schema, Table, key

_STAMPS: Final = {
    "sys_created_on": "2019-01-15 08:00:00",
    "sys_created_by": "glide.maint",
    "sys_updated_on": "2019-01-15 08:00:00",
    "sys_updated_by": "glide.maint",
    "sys_mod_count": "0",
}


def catalogue(schema: Schema, table: str) -> list[Record]:
    """The rows of *table* that come from the schema itself; of most tables, none."""
    tables = schema.tables.values()
    match table:
        case "sys_db_object":
            return [_db_object(each) for each in tables]
        case "sys_dictionary":
            return [
                _dictionary(each, own)
                for each in tables
                for own in each.columns.values()
                if own.name not in schema.columns(each.parent)
            ]
        case "sys_glide_object":
            kinds = {own.kind for own in chain.from_iterable(t.columns.values() for t in tables)}
            return [
                {"sys_id": kind, "name": kind, "label": kind, **_STAMPS} for kind in sorted(kinds)
            ]
        case "sys_choice":
            return [
                _choice(name, element, rank, value, label)
                for (name, element), choices in CHOICES.items()
                for rank, (value, label) in enumerate(choices.items())
            ]
        case "sys_properties":
            return _properties(schema.release)
        case _:
            return []


def _db_object(table: Table) -> Record:
    return {
        "sys_id": key(f"sys_db_object:{table.name}"),
        "name": table.name,
        "label": table.label,
        "super_class": key(f"sys_db_object:{table.parent}") if table.parent else "",
        **_STAMPS,
    }


def _dictionary(table: Table, column: Column) -> Record:
    return {
        "sys_id": key(f"sys_dictionary:{table.name}.{column.name}"),
        "name": table.name,
        "element": column.name,
        "column_label": column.name.replace("_", " ").capitalize(),
        "internal_type": column.kind,
        "reference": column.reference,
        "max_length": "32" if column.kind in {"reference", "GUID"} else "255",
        "choice": "1" if column.choices else "0",
        "active": "true",
        "mandatory": "false",
        "display": str(column.name == table.display).lower(),
        **_STAMPS,
    }


def _choice(table: str, element: str, rank: int, value: str, label: str) -> Record:
    return {
        "sys_id": key(f"sys_choice:{table}.{element}.{value}"),
        "name": table,
        "element": element,
        "value": value,
        "label": label,
        "language": "en",
        "inactive": "false",
        "dependent_value": "",
        "sequence": str(rank),
        **_STAMPS,
    }


def _properties(release: str) -> list[Record]:
    build = "Madrid" if release == "madrid" else "Australia"
    values = {
        "glide.buildname": build,
        "glide.buildtag": f"glide-{build.lower()}__patch4",
        "instance_name": "acme",
    }
    return [
        {
            "sys_id": key(f"sys_properties:{name}"),
            "name": name,
            "value": value,
            "description": "",
            **_STAMPS,
        }
        for name, value in values.items()
    ]
