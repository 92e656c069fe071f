"""The classes of a stock iTop and what each states of itself (specs/itop.md §5.1).

    is_a("Server", "FunctionalCI"), root("Server"), family("VirtualHost")

An attribute of the table below is `name`, `name:kind` (`text` when nothing is said), `key=Class`,
`name=key.attribute` (read through that key) or `list[]Class.key` (the objects whose key points
here). `@2` is for 2.x alone, `@3` from 3.x, `@2.4` from 2.4.0.
"""

from functools import cache
from typing import Final

_TABLE: Final = {
    "Organization": """name code status:enum parent_id=Organization parent_name=parent_id.name
        overview@3 deliverymodel_id=DeliveryModel deliverymodel_name=deliverymodel_id.name""",
    "DeliveryModel": "name org_id=Organization organization_name=org_id.name description",
    "Location": """name status:enum org_id=Organization org_name=org_id.name address postal_code
        city country physicaldevice_list[]PhysicalDevice.location_id@2
        person_list[]Person.location_id physicaldevice_list[]PhysicalDevice.location_id@3""",
    "Typology": "name",
    "Brand(Typology)": "physicaldevices_list[]PhysicalDevice.brand_id",
    "Model(Typology)": "brand_id=Brand brand_name=brand_id.name type:enum",
    "OSFamily(Typology)": "",
    "OSVersion(Typology)": "osfamily_id=OSFamily osfamily_name=osfamily_id.name",
    "Software": "name vendor version type:enum",
    "Licence": "name org_id=Organization organization_name=org_id.name description",
    "OSLicence(Licence)": "",
    "SoftwareLicence(Licence)": "",
    "FunctionalCI": """name description org_id=Organization organization_name=org_id.name
        business_criticity:enum move2production:date
        contacts_list[]lnkContactToFunctionalCI.functionalci_id
        documents_list[]lnkDocumentToFunctionalCI.functionalci_id
        applicationsolution_list[]lnkApplicationSolutionToFunctionalCI.functionalci_id
        softwares_list[]SoftwareInstance.system_id@3
        providercontracts_list[]lnkFunctionalCIToProviderContract.functionalci_id
        services_list[]lnkFunctionalCIToService.functionalci_id
        softwares_list[]SoftwareInstance.system_id@2
        tickets_list[]lnkFunctionalCIToTicket.functionalci_id""",
    "PhysicalDevice(FunctionalCI)": """serialnumber location_id=Location
        location_name=location_id.name status:enum brand_id=Brand brand_name=brand_id.name
        model_id=Model model_name=model_id.name asset_number purchase_date:date
        end_of_warranty:date""",
    "ConnectableCI(PhysicalDevice)": """
        networkdevice_list[]lnkConnectableCIToNetworkDevice.connectableci_id
        physicalinterface_list[]PhysicalInterface.connectableci_id""",
    "DatacenterDevice(ConnectableCI)": """rack_id=Rack rack_name=rack_id.name enclosure_id=Enclosure
        enclosure_name=enclosure_id.name nb_u:int managementip powerA_id=PowerConnection
        powerA_name=powerA_id.name powerB_id=PowerConnection powerB_name=powerB_id.name
        fiberinterfacelist_list[]FiberChannelInterface.datacenterdevice_id
        san_list[]lnkSanToDatacenterDevice.datacenterdevice_id redundancy""",
    "Server(DatacenterDevice)": """osfamily_id=OSFamily osfamily_name=osfamily_id.name
        osversion_id=OSVersion osversion_name=osversion_id.name oslicence_id=OSLicence
        oslicence_name=oslicence_id.name cpu ram
        logicalvolumes_list[]lnkServerToVolume.server_id""",
    "NetworkDevice(DatacenterDevice)": """networkdevicetype_name iosversion_name ram
        connectablecis_list[]lnkConnectableCIToNetworkDevice.networkdevice_id""",
    "StorageSystem(DatacenterDevice)": "logicalvolume_list[]LogicalVolume.storagesystem_id",
    "PC(ConnectableCI)": """osfamily_id=OSFamily osfamily_name=osfamily_id.name
        osversion_id=OSVersion osversion_name=osversion_id.name cpu ram type:enum""",
    "Rack(PhysicalDevice)": """nb_u:int device_list[]DatacenterDevice.rack_id
        enclosure_list[]Enclosure.rack_id""",
    "Enclosure(PhysicalDevice)": """rack_id=Rack rack_name=rack_id.name nb_u:int
        device_list[]DatacenterDevice.enclosure_id""",
    "PowerConnection(PhysicalDevice)": "",
    "PowerSource(PowerConnection)": "",
    "PDU(PowerConnection)": "rack_id=Rack rack_name=rack_id.name",
    "VirtualDevice(FunctionalCI)": """status:enum
        logicalvolumes_list[]lnkVirtualDeviceToVolume.virtualdevice_id""",
    "VirtualHost(VirtualDevice)": "virtualmachine_list[]VirtualMachine.virtualhost_id",
    "Hypervisor(VirtualHost)": """farm_id=Farm farm_name=farm_id.name server_id=Server
        server_name=server_id.name""",
    "Farm(VirtualHost)": "hypervisor_list[]Hypervisor.farm_id redundancy",
    "VirtualMachine(VirtualDevice)": """virtualhost_id=VirtualHost
        virtualhost_name=virtualhost_id.name osfamily_id=OSFamily osfamily_name=osfamily_id.name
        osversion_id=OSVersion osversion_name=osversion_id.name oslicence_id=OSLicence
        oslicence_name=oslicence_id.name cpu ram
        logicalinterface_list[]LogicalInterface.virtualmachine_id managementip""",
    "SoftwareInstance(FunctionalCI)": """system_id=FunctionalCI system_name=system_id.name
        software_id=Software software_name=software_id.name softwarelicence_id=SoftwareLicence
        softwarelicence_name=softwarelicence_id.name path status:nullable""",
    "DBServer(SoftwareInstance)": "dbschema_list[]DatabaseSchema.dbserver_id",
    "WebServer(SoftwareInstance)": "webapp_list[]WebApplication.webserver_id",
    "Middleware(SoftwareInstance)": "",
    "DatabaseSchema(FunctionalCI)": "dbserver_id=DBServer dbserver_name=dbserver_id.name",
    "WebApplication(FunctionalCI)": "webserver_id=WebServer webserver_name=webserver_id.name url",
    "ApplicationSolution(FunctionalCI)": """
        functionalcis_list[]lnkApplicationSolutionToFunctionalCI.applicationsolution_id
        businessprocess_list[]lnkApplicationSolutionToBusinessProcess.applicationsolution_id
        status:enum redundancy""",
    "BusinessProcess(FunctionalCI)": """
        applicationsolutions_list[]lnkApplicationSolutionToBusinessProcess.businessprocess_id
        status:enum""",
    "Contact": """name status:enum org_id=Organization org_name=org_id.name email phone
        notify:enum function cis_list[]lnkContactToFunctionalCI.contact_id""",
    "Person(Contact)": """picture:blob first_name employee_number mobile_phone location_id=Location
        location_name=location_id.name manager_id=Person manager_name=manager_id.name
        team_list[]lnkPersonToTeam.person_id user_list[]User.contactid@3
        tickets_list[]Ticket.caller_id""",
    "Team(Contact)": """persons_list[]lnkPersonToTeam.team_id
        tickets_list[]Ticket.team_id""",
    "Document": """name org_id=Organization org_name=org_id.name
        documenttype_id=DocumentType documenttype_name=documenttype_id.name version description
        status:enum cis_list[]lnkDocumentToFunctionalCI.document_id
        contracts_list[]lnkContractToDocument.document_id
        services_list[]lnkDocumentToService.document_id""",
    "DocumentType(Typology)": "",
    "DocumentNote(Document)": "text:html",
    "DocumentFile(Document)": "file:blob",
    "Group": """name status:enum org_id=Organization owner_name=org_id.name description type
        parent_id=Group parent_name=parent_id.name ci_list[]lnkGroupToCI.group_id""",
    "Ticket": """operational_status:enum ref org_id=Organization org_name=org_id.name
        caller_id=Person caller_name=caller_id.name team_id=Team team_name=team_id.name
        team_email=team_id.email@3 agent_id=Person agent_name=agent_id.name title description:html
        start_date:datetime end_date:datetime last_update:datetime close_date:datetime
        private_log:log contacts_list[]lnkContactToTicket.ticket_id
        functionalcis_list[]lnkFunctionalCIToTicket.ticket_id
        workorders_list[]WorkOrder.ticket_id""",
    "UserRequest(Ticket)": """status:enum priority:enum urgency:enum public_log:log tto:stopwatch
        ttr:stopwatch""",
    "LogicalVolume": """name lun_id description raid_level size storagesystem_id=StorageSystem
        storagesystem_name=storagesystem_id.name servers_list[]lnkServerToVolume.volume_id
        virtualdevices_list[]lnkVirtualDeviceToVolume.volume_id""",
    "CMDBChange": "date:datetime userinfo",
    "CMDBChangeOp": """change=CMDBChange date=change.date userinfo=change.userinfo user_id=User
        objclass objkey:int""",
    "CMDBChangeOpCreate(CMDBChangeOp)": "",
    "CMDBChangeOpDelete(CMDBChangeOp)": "fclass fname",
    "CMDBChangeOpSetAttribute(CMDBChangeOp)": "attcode",
    "CMDBChangeOpSetAttributeScalar(CMDBChangeOpSetAttribute)": "oldvalue newvalue",
    "CMDBChangeOpSetAttributeLinks(CMDBChangeOpSetAttribute)": "item_class item_id",
    "CMDBChangeOpSetAttributeLinksAddRemove(CMDBChangeOpSetAttributeLinks)": "type",
    "User": "login contactid=Person",
    "URP_Profiles": "name description",
    "Event": "message date:datetime userinfo",
    "SynchroReplica": "dest_class dest_id:int status_last_seen:datetime status:enum",
    "lnkApplicationSolutionToFunctionalCI": """applicationsolution_id=ApplicationSolution
        applicationsolution_name=applicationsolution_id.name functionalci_id=FunctionalCI
        functionalci_name=functionalci_id.name""",
    "lnkApplicationSolutionToBusinessProcess": """businessprocess_id=BusinessProcess
        businessprocess_name=businessprocess_id.name applicationsolution_id=ApplicationSolution
        applicationsolution_name=applicationsolution_id.name""",
    "lnkContactToFunctionalCI": """functionalci_id=FunctionalCI
        functionalci_name=functionalci_id.name contact_id=Contact contact_name=contact_id.name""",
    "lnkPersonToTeam": """team_id=Team team_name=team_id.name person_id=Person
        person_name=person_id.name role_id role_name""",
    "lnkGroupToCI": """group_id=Group group_name=group_id.name ci_id=FunctionalCI
        ci_name=ci_id.name reason""",
    "lnkServerToVolume": """volume_id=LogicalVolume volume_name=volume_id.name server_id=Server
        server_name=server_id.name size_used""",
    "lnkVirtualDeviceToVolume": """volume_id=LogicalVolume volume_name=volume_id.name
        virtualdevice_id=VirtualDevice virtualdevice_name=virtualdevice_id.name size_used""",
    "lnkDocumentToFunctionalCI": """document_id=Document document_name=document_id.name
        functionalci_id=FunctionalCI functionalci_name=functionalci_id.name""",
    "lnkFunctionalCIToTicket": """ticket_id=Ticket ticket_ref=ticket_id.ref
        functionalci_id=FunctionalCI functionalci_name=functionalci_id.name impact""",
}

PARENTS: Final[dict[str, str]] = {}
STATED: Final[dict[str, str]] = {}
for _head, _words in _TABLE.items():
    _name, _, _parent = _head.rstrip(")").partition("(")
    PARENTS[_name] = _parent
    STATED[_name] = _words

# Classes without a parent whose objects may become obsolete, and their subclasses with them.
_AGEING: Final = frozenset(
    {"Organization", "Location", "FunctionalCI", "Contact", "Licence", "Document", "Ticket"}
)


@cache
def lineage(name: str) -> tuple[str, ...]:
    """The class and its parents, the root last."""
    parent = PARENTS[name]
    return (name, *(lineage(parent) if parent else ()))


@cache
def family(name: str) -> tuple[str, ...]:
    """The class and its subclasses, in the order of the table."""
    return tuple(each for each in PARENTS if name in lineage(each))


def root(name: str) -> str:
    return lineage(name)[-1]


def is_a(name: str, ancestor: str) -> bool:
    return ancestor in lineage(name)


def common(first: str, second: str) -> str:
    """The closest class that both are; empty when there is none."""
    return next((each for each in lineage(first) if is_a(second, each)), "")


def ages(name: str) -> bool:
    """Whether objects of the class have an obsolescence flag (from 2.4.0 on)."""
    return root(name) in _AGEING
