"""What the tests of sources that read files share: a folder, and the reading of what lies in it."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from sources.base import Complete, Extraction, Outcome, Page, Partial, Record, Scope, Source
from sources.errors import SourceError


@dataclass(frozen=True)
class FilesRead:
    """One extraction of files that came to its end."""

    pages: list[Page]
    outcome: Outcome

    @property
    def records(self) -> list[Record]:
        return [record for page in self.pages for record in page.records]

    @property
    def rejects(self) -> list[tuple[int, str, str]]:
        return [
            (reject.number, reject.reason, reject.sample)
            for page in self.pages
            for reject in page.rejects
        ]

    @property
    def doubt(self) -> str:
        assert isinstance(self.outcome, Partial)
        return self.outcome.reason

    @property
    def evidence(self) -> str:
        assert isinstance(self.outcome, Complete)
        return self.outcome.evidence

    @property
    def taken(self) -> tuple[str, ...]:
        assert isinstance(self.outcome, Complete)
        return self.outcome.taken


@dataclass(frozen=True)
class DropFolder:
    """A folder that files are put into, and a source that reads it; the dataset is called `d`."""

    root: Path
    source: Source[Any, Any]
    settings: dict[str, Any] = field(default_factory=dict)

    def put(self, name: str, content: bytes | str, *, age: float = 0) -> Path:
        """Write a file that is *age* hours old."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        moment = time.time_ns() - round(age * 3.6e12)
        os.utime(path, ns=(moment, moment))
        return path

    @property
    def connection(self) -> Any:
        return self.source.connection.model_validate({"root": self.root} | self.settings)

    def config(self, **options: Any) -> Any:
        table = options if "paths" in options else {"path": "*"} | options
        return self.source.config.model_validate({"connection": "drop", "datasets": {"d": table}})

    def extraction(self, scope: Scope | None = None, **options: Any) -> Extraction:
        return self.source.extract(self.config(**options), "d", self.connection, scope or Scope())

    def read(self, scope: Scope | None = None, **options: Any) -> FilesRead:
        return to_its_end(self.extraction(scope, **options))

    def refusal(self, **options: Any) -> SourceError:
        with pytest.raises(SourceError) as caught:
            self.read(**options)
        return caught.value

    def names(self) -> list[str]:
        """Every file of the folder, sorted."""
        return sorted(_files(self.root))


def to_its_end(extraction: Extraction) -> FilesRead:
    pages: list[Page] = []
    while True:
        try:
            pages.append(next(extraction))
        except StopIteration as stop:
            return FilesRead(pages, stop.value)


def notes(error: SourceError) -> str:
    return "\n".join(error.__notes__)


def _files(root: Path) -> Iterator[str]:
    for path in root.rglob("*"):
        if path.is_file():
            yield path.relative_to(root).as_posix()
