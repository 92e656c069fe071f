"""Golden pairs: the records kept beside a job file, and the entities that they must become.

<job>.records.jsonl    one record a line; with several datasets {"dataset": …, "record": {…}}
<job>.entities.jsonl   one import item a line, as canonical bytes, in the order of the mapper
"""

from collections.abc import Iterable

import orjson

from mappings.mapper import Mapper
from mappings.rejects import Record, Reject


def golden_entities(mapper: Mapper, lines: Iterable[bytes]) -> tuple[list[str], list[Reject]]:
    """The lines of the entities file that the lines of a records file give, and the rejects.

    *mapper* must be new: services are gathered over all that it was given.
    """
    entities: list[str] = []
    rejects: list[Reject] = []
    for dataset, records in _by_dataset(mapper, lines).items():
        for mapped in (mapper.map_page(dataset, records, 1), mapper.finish(dataset)):
            entities += [payload.decode() for payload in mapped.entities.payloads]
            rejects += mapped.rejects
    return entities, rejects


def _by_dataset(mapper: Mapper, lines: Iterable[bytes]) -> dict[str, list[Record]]:
    records: dict[str, list[Record]] = {dataset: [] for dataset in mapper.datasets}
    for line in lines:
        record = orjson.loads(line)
        if len(records) == 1:
            records[mapper.datasets[0]].append(record)
        else:
            records[record["dataset"]].append(record["record"])
    return records
