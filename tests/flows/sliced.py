"""A feed that is read in slices: eight files of servers, which look into a table and are gathered.

Whatever can differ between slices is in it: names that come again, records without a name, values
that a lookup does not know, rows that are none, members of one service in several files.
"""

import random
from pathlib import Path
from typing import Final

NAME: Final = "acme/farm"
FILES: Final = 8
COLUMNS: Final = "id;name;site;app;owner;cores;room;serial"

JOB: Final = """\
source:
  type: csv
  connection: drop
  datasets:
    sites: {path: sites.csv}
    servers: {path: "servers-*.csv", file_selection: all, newest_by: name, page_rows: %(page)d}
mapping:
  lookups:
    sites: {dataset: sites, key: code, value: label}
    owners: {n0: Nora, n1: Nils, n2: Nina}
  entities:
    - dataset: servers
      component:
        name: name
        category: {set: Server}
        infos:
          site: {value: {copy: site, lookup: sites, unknown: warn}, description: Site}
          owner: {copy: owner, lookup: owners, unknown: keep}
          cores: {copy: cores, cast: int}
          serial: serial
          where: {template: "{{ .site }}-{{ .room }}"}
      ignore: [id]
    - dataset: servers
      service:
        name: "APP-{{ .app }}"
        pattern: {field: name, cond: is_one_of, value: name}
  expect:
    servers: {unique: [serial], filled: {owner: 0.5}}
sync:
  connection: acme-canopsis
  import_source: acme-farm
  limits: {minimum_population: 1000000}
"""
DROP: Final = "  drop: {type: csv, root: drop}\n"


def job(page: int = 50, **sync: object) -> str:
    """The job, its pages of so many rows, with more words in its `sync:` block."""
    return JOB % {"page": page} + "".join(f"  {word}: {value}\n" for word, value in sync.items())


def plain(text: str) -> str:
    """The job without what is gathered over all records, or compared among all of them."""
    service, expect = text.index("    - dataset: servers\n      service:"), text.index("  expect:")
    return text[:service] + text[text.index("sync:", expect) :]


def deliver(folder: Path, count: int) -> None:
    """Put *count* servers into *folder*, in files of about as many."""
    folder.mkdir(parents=True, exist_ok=True)
    choose = random.Random(7)
    folder.joinpath("sites.csv").write_text("code;label\nL;Lyon\nN;Nîmes\nP;Pau\n", "utf-8")
    for number in range(FILES):
        ranks = range(count * number // FILES, count * (number + 1) // FILES)
        rows = [_row(rank, choose) for rank in ranks]
        text = "\n".join([COLUMNS, *rows, ""])
        folder.joinpath(f"servers-{number}.csv").write_text(text, "utf-8")


def _row(rank: int, choose: random.Random) -> str:
    site = choose.choice("LLLNNPX")  # X is no site
    if rank % 97 == 13:
        return f"{rank};srv-{rank};{site};one field too many;;;;;;"
    name = "" if rank % 71 == 5 else f"srv-{rank - 200 if rank % 211 == 210 else rank:06}"
    cores = "many" if rank % 89 == 3 else str(rank % 32)
    app = choose.randrange(40)
    return f"{rank};{name};{site};{app};n{rank % 5};{cores};r{rank % 300};SN{rank:08}"
