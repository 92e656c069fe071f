"""`source:` blocks that use every word of each source; for `tests.flows.every_job`.

Words that exclude one another stand in datasets of their own.
"""

from typing import Any

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
# What the kinds of files that are delivered have in common: one file, then several.
ONE_FILE: dict[str, Any] = {
    "file_selection": "latest",
    "newest_by": "mtime",
    "max_age_hours": 26.5,
    "settle_seconds": 2.5,
    "marker": ".done",
    "after_load": "archive",
    "archive_folder": "done",
    "header": True,
    "column_names": ["name", "site"],
    "odd_columns": "suffix",
    "required_columns": ["name"],
    "null_values": ["NULL", "-"],
    "max_bad_rows": 0.2,
    "min_rows": 1,
    "page_rows": 500,
}
MERGE: dict[str, Any] = {
    "key": "id",
    "key_of_others": "server_id",
    "repeated": "last",
    "unmatched": "reject",
    "shared_columns": "first",
    "max_rows": 1000,
}
DATASETS: dict[str, list[dict[str, Any]]] = {
    "api": [
        {**API_DATASET, "json": {"query": {"match": "all"}}},
        {"path": "/servers", "form": {"query": "all"}},
        *({"path": "/servers", "paginator": paginator} for paginator in PAGINATORS),
    ],
    "csv": [
        {
            "path": "servers*.csv",
            **ONE_FILE,
            "member": "servers.csv",
            "encoding": "cp1252",
            "delimiter": ";",
            "quote_char": '"',
            "escape_char": "\\",
            "double_quote": True,
            "skip_rows_before_header": 1,
            "on_bad_rows": "pad",
            "final_line_end": True,
            "trailer": "^(?P<count>[0-9]+) rows$",
        },
        {"paths": ["servers.csv", "owners.csv"], "merge": MERGE},
    ],
    "easyvista": [
        {
            "resource": "assets",
            "key": ["ASSET_ID"],
            "fields": ["NETWORK_IDENTIFIER", "DEPARTMENT.DEPARTMENT_FR"],
            "search": [
                {"field": "STATUS_ID", "cond": "is_one_of", "value": [1, "2"]},
                {"field": "ASSET_TAG", "cond": "begin_with", "value": "SRV-"},
                {
                    "field": "CREATED",
                    "cond": "between",
                    "since": "2026-01-01",
                    "until": "2026-02-01",
                },
            ],
            "modified": "LAST_INTEGRATION",
            "page_size": 200,
            "crosscheck": "fetch",
            "labels": ["DEPARTMENT.DEPARTMENT"],
            "decimals": ["PRICE"],
            "dates": ["LAST_UPDATE"],
        },
        {
            "internal_query": {
                "queryguid": "{AC3B}",
                "filterguid": "{D2A1}",
                "viewguid": "{77F0}",
                "custom_filter": "AM_ASSET.STATUS_ID = 1",
            }
        },
        {"links": {"of": "configuration-items", "kind": "item-links", "direction": "impacting"}},
    ],
    "excel": [
        {
            "path": "servers*.xlsx",
            **ONE_FILE,
            "sheet": "Servers",
            "skip_rows_before_header": 2,
            "merged_cells": "first",
            "error_cells": "null",
            "on_bad_rows": "fail",
        },
        {"path": "servers.xlsx", "skip_rows_before_header": "auto"},
        {"paths": ["servers.xlsx", "owners.xlsx"], "merge": MERGE},
    ],
    "itop": [
        {
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
        },
        {
            "class": "Server",
            "oql": "SELECT Server AS s WHERE s.status = 'production'",
            "related": {"direction": "up", "depth": 3, "redundancy": True},
        },
    ],
    "servicenow": [
        {
            "table": "cmdb_ci_server",
            "query": [
                {"field": "operational_status", "cond": "is_one_of", "value": ["1", 6]},
                {
                    "any": [
                        {"field": "name", "cond": "begin_with", "value": "srv"},
                        {"field": "cpu_count", "cond": "gt", "value": 4},
                        {"field": "owned_by", "cond": "exist", "value": False},
                    ]
                },
            ],
            "classes": ["cmdb_ci_linux_server"],
            "fields": ["asset_tag", "location.city"],
            "display_value": "all",
            "exclude_reference_link": False,
            "page_size": 200,
            "query_category": "reporting",
            "no_domain": True,
            "lag": 2.5,
            "overlap": 600.5,
            "max_hidden": 0.2,
        },
        {"table": "cmdb_ci_server", "query": "operational_status=1^nameSTARTSWITHsrv"},
        {"relations": True, "types": ["Depends on::Used by"]},
    ],
    "sql": [
        {
            "select": "SELECT id, site, name, modified FROM servers",
            "key": ["id", "site"],
            "window": "modified >= :since AND modified < :until",
            "count": False,
            "wrap": True,
            "page_rows": 500,
        }
    ],
}
SOURCE_BLOCKS: dict[str, list[dict[str, Any]]] = {
    kind: [
        {"type": kind, "connection": f"acme-{kind}", "datasets": {"servers": each}}
        for each in datasets
    ]
    for kind, datasets in DATASETS.items()
}
