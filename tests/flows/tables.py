"""A job of several files and datasets, and a CMDB for it: what `test_stages_tables` runs.

people (a table)      <- servers -> components and their interfaces
servers (a table too) <- links   -> applications, each with its servers
                         domains -> services of applications
"""

from typing import Any

from tests.flows.workshop import Workshop

NAME = "acme/estate"

SHARED = """\
source: {type: api, connection: acme-cmdb}
variables: {customer: acme, gone: [retired, stolen]}
sync:
  connection: acme-canopsis
  import_source: "${customer}-estate"
  limits: {missing: 40%, minimum_population: 1}
mapping:
  lookups:
    sites: {csv: sites.csv, key: code, value: label}
"""
IN_USE = "when: {field: status, cond: is_not_one_of, value: '${gone}'}\n"
JOB = """\
include: [../_shared/acme.yaml]
source:
  datasets:
    servers: {path: /api/servers, ROWS}
    people: {path: /api/people, ROWS}
    links: {path: /api/links, ROWS}
    domains: {path: /api/domains, ROWS}
mapping:
  lookups:
    owners: {dataset: people, key: id, value: name}
    names: {dataset: servers, key: id, value: name}
  entities:
    - dataset: servers
      include: _in_use.yaml
      component:
        name: name
        infos:
          site: {copy: site, lookup: sites, unknown: keep}
          owner: {copy: owner, lookup: owners, unknown: warn}
          rack: {copy: rack}
      ignore: [id]
    - dataset: servers
      when: {field: $parent.status, cond: is_not_one_of, value: "${gone}"}
      each: interfaces
      resource:
        name: "{{ .name }}-{{ $key }}"
        component: $parent.name
        infos: {speed: speed}
    - dataset: servers
      each: disks
      resource: {name: name, component: $parent.name}
    - dataset: links
      service:
        name: "APP-{{ .application }}"
        pattern: {field: name, cond: is_one_of, value: {copy: server, lookup: names}}
      ignore: [id]
    - dataset: domains
      service:
        name: name
        pattern:
          - {field: type, cond: eq, value: {set: service}}
          - {field: name, cond: is_one_of, value: {copy: applications, split: ","}}
      ignore: [id]
"""
ROWS = """\
data_selector: data, total_header: X-Total-Count,
      paginator: {type: page_number, base_page: 1, page_size: 10, page_size_param: limit}"""
SITES = "code;label\nL;Lyon\nN;Nîmes\nX;Nowhere\n"


def estate(workshop: Workshop, count: int = 12) -> None:
    """The job, and a CMDB of so many servers and two more that are retired.

    Three records name what is not there: a site, an owner, an application.
    """
    jobs = workshop.folder / "jobs"
    for name, text in (
        ("acme/estate.yaml", JOB.replace("ROWS", ROWS)),
        ("acme/_in_use.yaml", IN_USE),
        ("_shared/acme.yaml", SHARED),
        ("_shared/sites.csv", SITES),
    ):
        path = jobs / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (jobs / "acme" / "servers.yaml").unlink(missing_ok=True)
    workshop.serve([server(rank, count) for rank in range(1, count + 3)])
    workshop.serve(people(count), "people")
    workshop.serve(
        [
            {"id": f"l{rank}", "server": f"{rank:03}", "application": "pay" if rank % 2 else "web"}
            for rank in range(1, count + 1)
        ],
        "links",
    )
    workshop.serve(
        [
            {"id": "d1", "name": "Sales", "applications": "APP-pay,APP-web"},
            {"id": "d2", "name": "Research", "applications": "APP-pay,APP-lab"},
        ],
        "domains",
    )


def server(rank: int, count: int) -> dict[str, Any]:
    return {
        "id": f"{rank:03}",
        "name": f"srv-{rank:03}",
        "status": "in use" if rank <= count else "retired",
        "site": "Z" if rank == 2 else "LN"[rank % 2],
        "owner": "p999" if rank == 3 else f"p{rank}",
        "interfaces": [{"name": "eth", "speed": 10}, {"name": "eth", "mac": "0a"}],
    }


def people(count: int) -> list[dict[str, Any]]:
    return [{"id": f"p{rank}", "name": f"Person {rank}"} for rank in range(1, count + 3)]
