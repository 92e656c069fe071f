"""The tables of the simulated EasyVista: their columns, keys, links, and what lists show of them.

Names are the vendor's where the spec gives them (specs/easyvista.md §3); `CI_LINK`, `ASSET_LINK`,
`RELATION_TYPE`, `EMPLOYEE_GROUP` and `DOCUMENT` are ours. A column that a row has and that is not
declared here is a custom one, and text.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import Final

LANGUAGES: Final = ("EN", "FR", "SP", "GE", "IT", "PO", "L1", "L2", "L3", "L4", "L5", "L6")
ANY_LANGUAGE: Final = "_xx"


class Kind(Enum):
    """What a column holds, and so how it is compared and written."""

    INT = "number"
    TEXT = "text"
    DECIMAL = "amount"
    DATE = "date"
    STAMP = "date and time"
    MEMO = "memo"


@dataclass(frozen=True, slots=True)
class Link:
    """A nested object: the row of *table* whose key is in *column*."""

    column: str
    table: str


@dataclass(frozen=True, slots=True)
class Table:
    """One table. Names that end `_xx` are labels, a column for each language.

    `resource` and `path_key` make the HREF of a row; without a resource it has none. `excerpt` is
    what lists show, names of links among it; `nested` what is shown of it in other tables' rows.
    """

    name: str
    key: str
    columns: dict[str, Kind]
    excerpt: tuple[str, ...] = ()
    nested: tuple[str, ...] = ()
    links: dict[str, Link] = field(default_factory=dict)
    resource: str = ""
    path_key: str = ""
    denied: frozenset[str] = frozenset()

    @property
    def address(self) -> str:
        """The column whose value stands in the path of a row."""
        return self.path_key or self.key

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(
            name.removesuffix(ANY_LANGUAGE) for name in self.columns if name.endswith(ANY_LANGUAGE)
        )

    def kind(self, column: str) -> Kind | None:
        """None for a column that is not declared."""
        if column in self.columns:
            return self.columns[column]
        prefix, _, language = column.rpartition("_")
        declared = language in LANGUAGES and f"{prefix}{ANY_LANGUAGE}" in self.columns
        return Kind.TEXT if declared else None


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _columns(**names: str) -> dict[str, Kind]:
    """`INT="A B"` and so on, in the order given."""
    return {name: Kind[kind] for kind, some in names.items() for name in some.split()}


_ORGANISATION: Final = {
    "LOCATION": Link("LOCATION_ID", "AM_LOCATION"),
    "DEPARTMENT": Link("DEPARTMENT_ID", "AM_DEPARTMENT"),
}
_EMPLOYEE: Final = {"EMPLOYEE": Link("EMPLOYEE_ID", "AM_EMPLOYEE")}

_ASSET: Final = Table(
    "AM_ASSET",
    "ASSET_ID",
    _columns(
        INT="ASSET_ID CATALOG_ID LOCATION_ID DEPARTMENT_ID EMPLOYEE_ID SUPPLIER_ID STATUS_ID "
        "CI_STATUS_ID IS_CI WARANTY_TYPE_ID ACQUISITION_TYPE_ID DEPRECIATION_RULE_ID "
        "REMOVED_REASON_ID CONTRACT_ID",
        TEXT="ASSET_TAG ASSET_LABEL ASSET_GUID D_HARDWARE_GUID SERIAL_NUMBER NETWORK_IDENTIFIER "
        "CI_VERSION ORDER_NUMBER INVOICE_NUMBER BUDGET_CODE AVAILABLE_FIELD_1 AVAILABLE_FIELD_2 "
        "AVAILABLE_FIELD_3 AVAILABLE_FIELD_4 AVAILABLE_FIELD_5 AVAILABLE_FIELD_6 "
        "E_CRITICALITY E_SITE_CODE",
        DATE="ENTRY_DATE INSTALLATION_DATE PURCHASE_DATE END_OF_WARANTY REMOVED_DATE "
        "EXPECTED_RETURN_DATE EXPECTED_END_LEND_DATE",
        STAMP="LAST_UPDATE LAST_INTEGRATION LAST_AUTOMATIC_DISCOVERY LAST_PHYSICAL_INVENTORY",
        DECIMAL="PURCHASE_PRICE NET_PRICE RESIDUAL_VALUE MONTHLY_RENT",
        MEMO="COMMENT_ASSET",
    ),
    excerpt=_names(
        "ASSET_ID ASSET_TAG SERIAL_NUMBER ASSET_LABEL ENTRY_DATE END_OF_WARANTY INSTALLATION_DATE "
        "PURCHASE_DATE LOCATION DEPARTMENT EMPLOYEE CATALOG_ASSET"
    ),
    nested=("ASSET_ID", "ASSET_TAG", "SERIAL_NUMBER", "NETWORK_IDENTIFIER"),
    links=_ORGANISATION | _EMPLOYEE | {"CATALOG_ASSET": Link("CATALOG_ID", "AM_CATALOG")},
    resource="assets",
)
CI_EXCERPT: Final = ("ASSET_ID", "ASSET_TAG", "CI_STATUS_ID", "CI_VERSION", "NETWORK_IDENTIFIER")

_REQUESTS: Final = Table(
    "SD_REQUEST",
    "REQUEST_ID",
    _columns(
        TEXT="RFC_NUMBER TITLE EXTERNAL_REFERENCE",
        INT="REQUEST_ID STATUS_ID CATALOG_REQUEST_ID RECIPIENT_ID REQUESTOR_ID LOCATION_ID "
        "DEPARTMENT_ID ASSET_ID CI_ID URGENCY_ID",
        STAMP="SUBMIT_DATE_UT CREATION_DATE_UT MAX_RESOLUTION_DATE_UT END_DATE_UT LAST_UPDATE",
        MEMO="COMMENT DESCRIPTION",
    ),
    excerpt=_names(
        "REQUEST_ID RFC_NUMBER SUBMIT_DATE_UT MAX_RESOLUTION_DATE_UT LAST_UPDATE STATUS "
        "RECIPIENT LOCATION DEPARTMENT COMMENT"
    ),
    links=_ORGANISATION
    | {
        "STATUS": Link("STATUS_ID", "SD_STATUS"),
        "RECIPIENT": Link("RECIPIENT_ID", "AM_EMPLOYEE"),
        "REQUESTOR": Link("REQUESTOR_ID", "AM_EMPLOYEE"),
        "ASSET": Link("ASSET_ID", "AM_ASSET"),
    },
    resource="requests",
    path_key="RFC_NUMBER",
)

_LOCATION: Final = Table(
    "AM_LOCATION",
    "LOCATION_ID",
    _columns(
        INT="LOCATION_ID PARENT_LOCATION_ID LEVEL COUNTRY_ID",
        TEXT="LOCATION_CODE LOCATION_xx LOCATION_PATH CITY ADDRESS_1 ZIP_CODE",
        DATE="START_DATE END_DATE",
        STAMP="LAST_UPDATE LAST_INTEGRATION",
        MEMO="COMMENT_LOCATION",
    ),
    excerpt=("LOCATION_ID", "LOCATION_CODE", "LOCATION_xx", "LOCATION_PATH", "CITY"),
    nested=("LOCATION_ID", "LOCATION_CODE", "LOCATION_xx", "LOCATION_PATH", "CITY"),
    links={"PARENT_LOCATION": Link("PARENT_LOCATION_ID", "AM_LOCATION")},
    resource="locations",
)
_DEPARTMENT_SHOWN: Final = _names(
    "DEPARTMENT_ID DEPARTMENT_CODE DEPARTMENT_xx DEPARTMENT_LABEL DEPARTMENT_PATH"
)
_DEPARTMENT: Final = Table(
    "AM_DEPARTMENT",
    "DEPARTMENT_ID",
    _columns(
        INT="DEPARTMENT_ID PARENT_DEPARTMENT_ID MANAGER_ID LEVEL",
        TEXT="DEPARTMENT_CODE DEPARTMENT_xx DEPARTMENT_LABEL DEPARTMENT_PATH",
        DATE="START_DATE END_DATE",
        STAMP="LAST_UPDATE LAST_INTEGRATION",
    ),
    excerpt=_DEPARTMENT_SHOWN,
    nested=_DEPARTMENT_SHOWN,
    links={"MANAGER": Link("MANAGER_ID", "AM_EMPLOYEE")},
    resource="departments",
)
_EMPLOYEE_SHOWN: Final = ("EMPLOYEE_ID", "LAST_NAME", "E_MAIL", "PHONE_NUMBER", "CELLULAR_NUMBER")
_EMPLOYEES: Final = Table(
    "AM_EMPLOYEE",
    "EMPLOYEE_ID",
    _columns(
        INT="EMPLOYEE_ID LOCATION_ID DEPARTMENT_ID MANAGER_ID",
        TEXT="LAST_NAME E_MAIL PHONE_NUMBER CELLULAR_NUMBER IDENTIFICATION LOGIN PASSWD SALT",
        DATE="BEGIN_OF_CONTRACT END_OF_CONTRACT",
        STAMP="LAST_UPDATE LAST_INTEGRATION",
        MEMO="COMMENT_EMPLOYEE",
    ),
    excerpt=(*_EMPLOYEE_SHOWN, "LOCATION", "DEPARTMENT", "MANAGER"),
    nested=_EMPLOYEE_SHOWN,
    links=_ORGANISATION | {"MANAGER": Link("MANAGER_ID", "AM_EMPLOYEE")},
    resource="employees",
    denied=frozenset({"PASSWD", "SALT"}),
)
_CATALOG: Final = Table(
    "AM_CATALOG",
    "CATALOG_ID",
    _columns(
        INT="CATALOG_ID MANUFACTURER_ID",
        TEXT="ARTICLE_MODEL TITLE_xx SMBIOS_NAME",
        DECIMAL="NET_PRICE",
        STAMP="LAST_UPDATE",
    ),
    excerpt=("CATALOG_ID", "ARTICLE_MODEL", "TITLE_xx", "NET_PRICE", "SMBIOS_NAME", "MANUFACTURER"),
    nested=("CATALOG_ID", "ARTICLE_MODEL", "TITLE_xx"),
    links={"MANUFACTURER": Link("MANUFACTURER_ID", "AM_MANUFACTURER")},
    resource="catalog-assets",
)
_CI_LINK: Final = Table(
    "CI_LINK",
    "LINK_ID",
    _columns(INT="LINK_ID PARENT_CI_ID CHILD_CI_ID RELATION_TYPE_ID BLOCKING"),
    excerpt=("PARENT_CI_ID", "CHILD_CI_ID", "RELATION_TYPE_ID", "RELATION_TYPE", "BLOCKING"),
    links={
        "PARENT_CI": Link("PARENT_CI_ID", "AM_ASSET"),
        "CHILD_CI": Link("CHILD_CI_ID", "AM_ASSET"),
        "RELATION_TYPE": Link("RELATION_TYPE_ID", "RELATION_TYPE"),
    },
)
_ASSET_LINK: Final = Table(
    "ASSET_LINK",
    "LINK_ID",
    _columns(INT="LINK_ID ASSET_ID PARENT_ASSET_ID CONTRACT_ROW", DECIMAL="MONTHLY_PAYMENT"),
    excerpt=("ASSET_ID", "PARENT_ASSET_ID", "CONTRACT_ROW", "MONTHLY_PAYMENT"),
)
_CHARACTERISTICS: Final = Table(
    "AM_ASSET_CHARACTERISTICS",
    "ROW_ID",
    _columns(
        INT="ROW_ID ASSET_ID CHARACTERISTIC_ID",
        TEXT="DATA_1 DATA_2",
        STAMP="LAST_INVENTORY_DATE LAST_UPDATE",
    ),
    excerpt=_names("ASSET_ID CHARACTERISTIC_ID DATA_1 LAST_INVENTORY_DATE CHARACTERISTIC ASSET"),
    links={
        "CHARACTERISTIC": Link("CHARACTERISTIC_ID", "AM_CHARACTERISTIC"),
        "ASSET": Link("ASSET_ID", "AM_ASSET"),
    },
)


def _plain(name: str, resource: str, numbers: str, texts: str, *, path_key: str = "") -> Table:
    """A reference table, shown whole; the first of its numbers is the key."""
    columns = _columns(INT=numbers, TEXT=texts)
    shown = tuple(columns)
    return Table(
        name, shown[0], columns, shown, shown, resource=resource, path_key=path_key or shown[0]
    )


def external(name: str) -> Table:
    """An external table of the tenant (`E_…`); its key is `E_ROW_ID` unless its rows say else."""
    return Table(name, "E_ROW_ID", _columns(INT="E_ROW_ID"), resource=name)


TABLES: Final = {
    table.name: table
    for table in (
        _ASSET,
        _REQUESTS,
        _LOCATION,
        _DEPARTMENT,
        _EMPLOYEES,
        _CATALOG,
        _CI_LINK,
        _ASSET_LINK,
        _CHARACTERISTICS,
        _plain(
            "AM_MANUFACTURER", "manufacturers", "MANUFACTURER_ID", "MANUFACTURER DISCOVERY_NAME"
        ),
        _plain("AM_SUPPLIER", "suppliers", "SUPPLIER_ID", "SUPPLIER SUPPLIER_CODE"),
        _plain("AM_CHARACTERISTIC", "characteristics", "CHARACTERISTIC_ID", "CHARACTERISTIC_xx"),
        _plain("AM_GROUP", "groups", "GROUP_ID", "GROUP_xx"),
        _plain("AM_DOMAIN", "domains", "DOMAIN_ID", "NAME_xx"),
        _plain("RELATION_TYPE", "", "REFERENCE_ID", "REFERENCE_xx"),
        _plain("EMPLOYEE_GROUP", "", "ROW_ID EMPLOYEE_ID GROUP_ID", ""),
        _plain("DOCUMENT", "documents", "DOCUMENT_ID REQUEST_ID", "DOCUMENT_NAME"),
        _plain("SD_STATUS", "status", "STATUS_ID", "STATUS_GUID STATUS_xx"),
        _plain("SD_URGENCY", "urgency", "URGENCY_ID", "URGENCY_xx"),
        _plain("SD_SLA", "slas", "SLA_ID", "NAME_xx"),
        _plain("SD_CATALOG", "catalog-requests", "SD_CATALOG_ID", "CODE TITLE_xx"),
        _plain(
            "SD_PROBLEM", "problems", "PROBLEM_ID STATUS_ID", "RFC_NUMBER", path_key="RFC_NUMBER"
        ),
        _plain("SD_KNOWN_ERROR", "knownerrors", "KNOWN_ERROR_ID", "KNOWN_ERROR_xx"),
        _plain("AM_ACTION", "actions", "ACTION_ID REQUEST_ID STATUS_ID", "ACTION_LABEL_xx"),
    )
}
