"""The feeds that `tests.bench_sources` reads: one of every system that is asked over HTTP."""

from typing import Final

from tests.bench_sources import Feed

_QUICK = {"retry": {"attempts": 2, "initial": 0.1}}

FEEDS: Final = (
    Feed(
        kind="api",
        simulator=("sandbox.jsonapi", "--knobs", '{"total": "header", "paging": "offset"}'),
        counted="--records",
        dataset={
            "path": "/api/servers",
            "data_selector": "data",
            "primary_key": "id",
            "total_header": "X-Total-Count",
            "paginator": {"type": "offset", "limit": 1000},
        },
        connection=_QUICK,
        fields=frozenset({"id", "name", "status", "location.site", "os.version"}),
    ),
    Feed(
        kind="servicenow",
        simulator=("sandbox.servicenow", "--clean"),
        counted="--servers",
        dataset={"table": "cmdb_ci_server", "page_size": 1000},
        connection={
            "auth": {"type": "basic", "username": "etl", "password": "secret"},
            **_QUICK,
        },
        fields=frozenset(
            {
                "name",
                "sys_class_name",
                "ip_address",
                "serial_number",
                "os",
                "os_version",
                "operational_status",
                "install_status",
                "location",
                "company",
                "assigned_to",
                "support_group",
                "short_description",
                "cpu_count",
                "ram",
            }
        ),
    ),
    Feed(
        kind="easyvista",
        simulator=("sandbox.easyvista",),
        counted="--assets",
        dataset={"resource": "assets", "page_size": 1000},
        connection={
            "account": "50004",
            "auth": {"type": "basic", "username": "api", "password": "api-password"},
            **_QUICK,
        },
        fields=frozenset(
            {
                "ASSET_ID",
                "ASSET_TAG",
                "SERIAL_NUMBER",
                "ASSET_LABEL",
                "NETWORK_IDENTIFIER",
                "INSTALLATION_DATE",
                "STATUS_ID",
                "LOCATION.LOCATION_PATH",
                "LOCATION.CITY",
                "EMPLOYEE.LAST_NAME",
                "DEPARTMENT.DEPARTMENT_CODE",
            }
        ),
    ),
    Feed(
        kind="itop",
        simulator=("sandbox.itop",),
        counted="--servers",
        dataset={"class": "Server", "page_size": 500},
        connection={
            "auth": {"type": "form", "username": "etl", "password": "etl-password"},
            **_QUICK,
        },
        fields=frozenset(
            {
                "name",
                "status",
                "business_criticity",
                "organization_name",
                "location_id",
                "location_name",
                "osfamily_name",
                "osversion_name",
                "brand_name",
                "model_name",
                "managementip",
                "asset_number",
                "move2production",
            }
        ),
    ),
)
