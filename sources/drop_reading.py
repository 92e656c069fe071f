"""The files of one dataset read one after another, or merged, and the proof that they all were."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from sources.base import Complete, Outcome, Page, Partial, Record, Reject
from sources.checksum import verify
from sources.delivery import Delivery
from sources.drop import DropFile
from sources.drop_dataset import DropDataset, Merge
from sources.errors import Unreadable
from sources.file_reading import FileReading, counted
from sources.folder import Folder
from sources.merge import Complement

_SHOWN = 20  # files


@dataclass(slots=True)
class DropReading:
    """What is read of *folder* for one dataset; `kind` reads a file."""

    folder: Folder
    table: DropDataset
    dataset: str
    most: int  # bytes of a file once decompressed
    kind: type[FileReading[Any]]
    readings: list[FileReading[Any]] = field(default_factory=list)
    complements: list[Complement] = field(default_factory=list)

    def pages(self, delivery: Delivery) -> Iterator[Page]:
        """The pages of all files of *delivery*; each file is seen to rest until its end."""
        if self.table.merge is not None and delivery.files:
            first, *others = delivery.files
            yield from self._merged(first, others, self.table.merge)
            return
        number = 0
        for file in delivery.files:
            yield from self._read(file, number)
            number = self.readings[-1].number

    def outcome(self, delivery: Delivery) -> Outcome:
        """Complete when no file is in doubt."""
        doubts = [f"{each.where}: {doubt}" for each in self.readings for doubt in each.doubts]
        doubts += [each.doubt for each in self.complements if each.doubt]
        if doubts:
            return Partial("; ".join(doubts))
        told = [] if self.readings else ["no file falls to this slice"]
        for reading in self.readings:
            rejects = f", {reading.rejects:,} of them rejects" if reading.rejects else ""
            facts = "".join(f", {fact}" for fact in reading.facts)
            told.append(f"{reading.where}: {counted(reading.rows, 'row')}{rejects}{facts}")
        more = len(told) - _SHOWN
        told = told[:_SHOWN] + [f"and {more} more files"] * (more > 0)
        told += [each.fact for each in self.complements]
        return Complete("; ".join(told), taken=delivery.taken() if self.table.archives else ())

    def _read(self, file: DropFile, number: int) -> Iterator[Page]:
        where = self.folder.place(file.name)
        with self.folder.fetch(file) as path:
            reading = self.kind(path, where, self.table, self.dataset, self.most, number)
            if file.marker:
                verified = verify(path, self.folder.read(file.marker), where)
                reading.facts += [verified] if verified else []
            self.readings.append(reading)
            alike = False
            for page in reading.pages():
                alike = alike or self._check_alike(reading)
                yield page
        if change := file.changed(self.folder.look(file.name)):
            reading.doubts.append(f"it changed while it was read: {change}")

    def _check_alike(self, reading: FileReading[Any]) -> bool:
        """Raise Unreadable when the file has other columns than the first of the `paths`."""
        first = self.readings[0]
        if self.table.merge is None and len(self.table.paths) > 1:
            lacking = set(first.columns) - set(reading.columns)
            new = set(reading.columns) - set(first.columns)
            if lacking or new:
                told = [f"{', '.join(map(repr, sorted(lacking)))} lacks"] if lacking else []
                told += [f"{', '.join(map(repr, sorted(new)))} is new"] if new else []
                raise Unreadable(
                    f"the columns are not those of {first.where}: {', '.join(told)}",
                    where=reading.where,
                    mend="correct the export, merge the files by `merge`, or read them as two "
                    "datasets",
                )
        return True

    def _merged(self, first: DropFile, others: Sequence[DropFile], rule: Merge) -> Iterator[Page]:
        absent = None if "" in self.table.null_values else ""
        left: list[Reject] = []
        for other in others:
            complement = Complement(rule, self.folder.place(other.name), absent)
            for rank, page in enumerate(self._read(other, 0)):
                if not rank:
                    complement.learn(self.readings[-1].columns)
                complement.gather(page.records)
                left += page.rejects
            self.complements.append(complement)
        number = 0
        for rank, page in enumerate(self._read(first, 0)):
            reading = self.readings[-1]
            if not rank:
                for complement in self.complements:
                    complement.meet(reading.columns, reading.where)
            number = reading.number
            yield self._completed(page, rule)
        if left:  # ranks of their own, after those of the rows they would have completed
            yield Page(number + 1, [], tuple(_renumbered(left, number)))

    def _completed(self, page: Page, rule: Merge) -> Page:
        alone = {place for each in self.complements for place in each.complete(page.records)}
        if not alone or rule.unmatched == "keep":
            return page
        taken = {reject.number for reject in page.rejects}
        numbers = (number for number in count(page.first) if number not in taken)
        records: list[Record] = []
        rejects = list(page.rejects)
        for place, (number, record) in enumerate(zip(numbers, page.records, strict=False)):
            if place not in alone:
                records.append(record)
                continue
            what = f"nothing completes {rule.key} {record[rule.key]!r}"
            rejects.append(Reject(self.dataset, number, what, str(record)[:200]))
        return Page(page.first, records, tuple(rejects))


def _renumbered(rejects: Sequence[Reject], number: int) -> Iterator[Reject]:
    for rank, reject in enumerate(rejects, number + 1):
        yield Reject(reject.dataset, rank, reject.reason, reject.sample)
