"""The tables of the simulated instance, their columns, and the labels of choices.

A table is `name < parent: label`, its own columns below: `name[:type]`, a reference `name:>table`,
a list of references `name:glide_list:table`; `*` stands for sys_id and the stamps.
"""

from typing import Final

TABLES: Final = """
cmdb: Base Configuration Item
    * sys_class_name:sys_class_name
cmdb_ci < cmdb: Configuration Item
    name short_description asset_tag serial_number ip_address mac_address fqdn dns_domain category
    subcategory environment operational_status:integer install_status:integer discovery_source
    first_discovered:glide_date_time last_discovered:glide_date_time correlation_id
    company:>core_company location:>cmn_location manufacturer:>core_company vendor:>core_company
    model_number assigned_to:>sys_user owned_by:>sys_user managed_by:>sys_user
    supported_by:>sys_user support_group:>sys_user_group assignment_group:>sys_user_group
    department:>cmn_department cost:currency cost_cc monitor:boolean unverified:boolean
    duplicate_of:>cmdb_ci attributes comments work_notes:journal_input sys_domain:>sys_user_group
    sys_domain_path sys_tags
cmdb_ci_hardware < cmdb_ci: Hardware
    hardware_status
cmdb_ci_computer < cmdb_ci_hardware: Computer
    os os_version os_service_pack os_domain host_name cpu_count:integer cpu_core_count:integer
    cpu_speed cpu_type cpu_name ram:integer disk_space:decimal virtual:boolean default_gateway
    object_id chassis_type form_factor
cmdb_ci_server < cmdb_ci_computer: Server
    classification used_for dr_backup:>cmdb_ci_computer u_outage:glide_duration
    u_watchers:glide_list:sys_user
cmdb_ci_linux_server < cmdb_ci_server: Linux Server
    kernel_release
cmdb_ci_win_server < cmdb_ci_server: Windows Server
cmdb_ci_unix_server < cmdb_ci_server: UNIX Server
cmdb_ci_virtualization_server < cmdb_ci_server: Virtualization Server
cmdb_ci_esx_server < cmdb_ci_virtualization_server: ESX Server
cmdb_ci_netgear < cmdb_ci_hardware: Network Gear
    device_type ports:integer
cmdb_ci_appl < cmdb_ci: Application
    version running_process config_file install_directory tcp_port used_for is_clustered:boolean
cmdb_ci_app_server < cmdb_ci_appl: Application Server
cmdb_ci_db_instance < cmdb_ci_appl: Database Instance
cmdb_ci_web_server < cmdb_ci_appl: Web Server
cmdb_ci_service < cmdb_ci: Service
    busines_criticality service_classification used_for number version parent:>cmdb_ci
    portfolio_status sla:>cmdb_ci users_supported:>sys_user_group
cmdb_ci_service_auto < cmdb_ci_service: Application Service
cmdb_ci_service_discovered < cmdb_ci_service_auto: Discovered Service
cmdb_ci_business_app < cmdb_ci: Business Application
    business_criticality version
cmdb_ci_vm_instance < cmdb_ci: Virtual Machine Instance
    state memory:integer
cmdb_ci_database < cmdb_ci: Database
    version
cmdb_ci_cluster < cmdb_ci: Cluster
    cluster_type
cmdb_rel_ci: CI Relationship
    * parent:>cmdb_ci child:>cmdb_ci type:>cmdb_rel_type connection_strength
    percent_outage:integer port
cmdb_rel_type: CI Relation Type
    * name parent_descriptor child_descriptor
core_company: Company
    * name parent:>core_company customer:boolean vendor:boolean manufacturer:boolean
    publicly_traded:boolean street city state zip country phone website stock_symbol
cmn_location: Location
    * name full_name parent:>cmn_location street city state zip country latitude longitude
    company:>core_company contact:>sys_user phone time_zone
cmn_department: Department
    * name parent:>cmn_department
sys_user: User
    * user_name name first_name last_name email active:boolean department:>cmn_department
    manager:>sys_user company:>core_company location:>cmn_location time_zone
sys_user_group: Group
    * name description manager:>sys_user parent:>sys_user_group active:boolean email
sys_audit_delete: Deleted Record
    sys_id:GUID tablename documentkey display_value payload sys_created_on:glide_date_time
    sys_created_by
sys_db_object: Table
    * name label super_class:>sys_db_object
sys_dictionary: Dictionary Entry
    * name element column_label internal_type:>sys_glide_object reference:>sys_db_object
    max_length:integer choice:integer active:boolean mandatory:boolean display:boolean
sys_glide_object: Field class
    * name label
sys_choice: Choice
    * name element value label language inactive:boolean dependent_value sequence:integer
sys_properties: System Property
    * name value description
sys_user_role: Role
    * name
sys_user_has_role: User Role
    * user:>sys_user role:>sys_user_role state
"""

# What came after Madrid (spec §11.5); columns of a table that is there already are added to it.
TODAY: Final = """
cmdb_ci < cmdb: Configuration Item
    life_cycle_stage life_cycle_stage_status
cmdb_ci_service_business < cmdb_ci_service: Business Service
cmdb_ci_service_technical < cmdb_ci_service: Technology Management Service
service_offering < cmdb_ci_service: Offering
"""

STAMPS: Final = """
    sys_id:GUID sys_created_on:glide_date_time sys_created_by sys_updated_on:glide_date_time
    sys_updated_by sys_mod_count:integer
"""

# The column that stands for a row where it is not `name`.
DISPLAYS: Final = {"sys_db_object": "label", "sys_audit_delete": "display_value"}

_STATUSES: Final = {
    "1": "Operational",
    "2": "Non-Operational",
    "3": "Repair in Progress",
    "4": "DR Standby",
    "5": "Ready",
    "6": "Retired",
}
_INSTALLED: Final = {
    "1": "Installed",
    "2": "On Order",
    "3": "In Maintenance",
    "4": "Pending Install",
    "5": "Pending Repair",
    "6": "In Stock",
    "7": "Retired",
    "8": "Stolen",
    "100": "Absent",
}
_ENVIRONMENTS: Final = {"production": "Production", "test": "Test", "development": "Development"}
_CRITICALITIES: Final = (
    "1 - most critical",
    "2 - somewhat critical",
    "3 - less critical",
    "4 - not critical",
)
CHOICES: Final[dict[tuple[str, str], dict[str, str]]] = {
    ("cmdb_ci", "operational_status"): _STATUSES,
    ("cmdb_ci", "install_status"): _INSTALLED,
    ("cmdb_ci", "environment"): _ENVIRONMENTS,
    # A class may have its own words for the values of its parent.
    ("cmdb_ci_service", "operational_status"): {**_STATUSES, "2": "Unavailable"},
    ("cmdb_ci_service", "busines_criticality"): {each: each for each in _CRITICALITIES},
    ("cmdb_ci_server", "used_for"): {each: each for each in ("Production", "QA", "Test")},
}
