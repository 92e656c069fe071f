"""Where everything is: the file `refsync.yaml`, with its secrets resolved at the edge.

    ledger: sqlite:///.refsync/ledger.db
    spool: .refsync/spool
    connections:
      acme-cmdb: {type: api, base_url: "https://cmdb.acme.example", auth: {type: bearer, token: "${ACME_TOKEN}"}}
      acme-canopsis: {type: canopsis, url: "https://canopsis.acme.example", auth: {type: api_key, key: "${file:/run/secrets/key}"}}

`${NAME}` is an environment variable, `${file:PATH}` the text of a file (a Docker or Kubernetes
secret), `${prefect:BLOCK}` the value of a Prefect Secret block.
"""  # noqa: E501 - an example of YAML is not folded

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from flows.misdeclared import Fault, Misdeclared
from flows.prefect_env import settle
from flows.problems import problems_of
from flows.yaml_file import YamlError, YamlFile
from mappings.errors import Path, Problem
from sources.masking import masked

REFERENCE = re.compile(r"\$\{([^{}]*)\}")


class Retention(BaseModel):
    """How long what runs leave is kept."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    runs: int = Field(
        default=1000, ge=10, description="Runs of each job that the ledger keeps, the last ones."
    )
    days: int = Field(default=400, ge=1, description="Age from which runs are forgotten, in days.")
    spools: int = Field(
        default=5, ge=1, description="Runs of each job whose files in the spool are kept."
    )


class Notify(BaseModel):
    """Whom Prefect tells of what goes wrong: names of blocks, which hold the addresses."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    webhook: str = Field(default="", description="Name of a Prefect Webhook block.")
    email: str = Field(default="", description="Name of a Prefect e-mail credentials block.")
    to: tuple[str, ...] = Field(default=(), description="Whom the e-mails go to.")


class SettingsFile(BaseModel):
    """The words of `refsync.yaml`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ledger: str = Field(
        default="sqlite:///.refsync/ledger.db",
        repr=False,  # its password, if somebody wrote it here
        description="SQLAlchemy URL of the ledger: SQLite, or postgresql:// in production.",
    )
    spool: str = Field(
        default=".refsync/spool", description="Folder of the files that stages hand over."
    )
    state: str = Field(
        default=".refsync", description="Folder of Prefect's own files and of the reports."
    )
    jobs: str = Field(default="", description="Folder of the customers' job files.")
    events: bool = Field(
        default=True,
        description="Whether Canopsis gets a check event after each run, so that a feed that fails"
        " becomes an alarm.",
    )
    retention: Retention = Field(
        default=Retention(), description="How long what past runs left is kept."
    )
    prometheus: str = Field(
        default="",
        description="Text file with the figures of all feeds, written after each run for the"
        " textfile collector of Prometheus' node exporter.",
    )
    dask: str = Field(
        default="",
        description="Address of the scheduler of a Dask cluster, `tcp://HOST:PORT`; without it, one"
        " of this machine is made for each run that asks for `runner: dask`.",
    )
    shared: str = Field(
        default="",
        description="Folder, or fsspec URL, where the workers of a Dask cluster leave what they"
        " read; without it, in the spool, which they must share then.",
    )
    notify: Notify = Field(
        default=Notify(), description="Whom Prefect tells of runs that fail, and of stale feeds."
    )
    connections: dict[str, dict[str, Any]] = Field(
        default_factory=dict,
        repr=False,  # secrets, if somebody wrote them here
        description="Named endpoints with their credentials.",
    )


@dataclass(frozen=True)
class Settings:
    """`refsync.yaml` as read; connections are resolved one by one, when a job needs them."""

    file: YamlFile | None
    words: SettingsFile
    base: FilePath  # relative paths of the file start here
    secrets: set[str] = field(default_factory=set, repr=False)
    # what Prefect's blocks of connections hold, by name, as far as they were asked for
    blocks: dict[str, dict[str, Any] | None] = field(default_factory=dict, repr=False)

    @property
    def ledger_url(self) -> str:
        url = str(self.resolve(self.words.ledger, ("ledger",)))
        self.keep_secret(_password(url))
        return sqlite_from(self.base, url)

    @property
    def ledger_password(self) -> str:
        return _password(self.words.ledger)

    @property
    def jobs(self) -> str:
        """The folder of job files when the file names one, else nothing."""
        return str(self.base / self.words.jobs) if self.words.jobs else ""

    @property
    def spool(self) -> FilePath:
        return self.base / self.words.spool

    @property
    def state(self) -> FilePath:
        return self.base / self.words.state

    @property
    def reports(self) -> FilePath:
        return self.state / "reports"

    def resolve(self, value: Any, path: Path) -> Any:
        """*value*, found at *path*, with its `${…}` references replaced at any depth.

        Raises Misdeclared with every reference that leads nowhere, and what Prefect's server
        raises when it is asked.
        """
        problems: list[Problem] = []
        resolved = self.follow(value, path, problems)
        if problems:
            raise Misdeclared(self.faults(problems))
        return resolved

    def keep_secret(self, text: str) -> None:
        """From now on `redact` hides *text*, and its password when it is a URL."""
        for secret in (text, _password(text)):
            if len(secret) >= 4:  # shorter ones would blank out ordinary words
                self.secrets.add(secret)

    def redact(self, text: str) -> str:
        """*text* without any secret that was resolved so far, however it is written there."""
        return masked(text, tuple(self.secrets))  # another thread may find one meanwhile

    def hidden(self, data: Any) -> Any:
        """Foreign JSON that is shown to people, such as the record of a reject, without secrets."""
        if isinstance(data, dict):
            return {self.hidden(key): self.hidden(value) for key, value in data.items()}
        if isinstance(data, list):
            return [self.hidden(value) for value in data]
        known = isinstance(data, str) and any(each in data for each in tuple(self.secrets))
        return self.redact(data) if known else data

    def fault(self, problem: Problem) -> Fault:
        place = self.file.place(problem.path, on_key=problem.on_key) if self.file else None
        what, mend = self.redact(problem.what), self.redact(problem.mend)
        return Fault(str(place or "refsync.yaml"), what, mend)

    def faults(self, problems: Iterable[Problem]) -> list[Fault]:
        """The faults of the file, in its order."""
        file = self.file
        if file is not None:
            places = [(file.place(each.path, on_key=each.on_key), each) for each in problems]
            places.sort(key=lambda pair: (pair[0].line, pair[0].column))
            problems = [problem for _, problem in places]
        return [self.fault(problem) for problem in problems]

    def follow(self, value: Any, path: Path, problems: list[Problem]) -> Any:
        """*value* with what its references lead to; those that lead nowhere join *problems*."""
        if isinstance(value, dict):
            return {key: self.follow(part, (*path, key), problems) for key, part in value.items()}
        if isinstance(value, list):
            return [self.follow(part, (*path, i), problems) for i, part in enumerate(value)]
        if not isinstance(value, str) or "${" not in value:
            return value

        def found(match: re.Match[str]) -> str:
            try:
                secret = self._look_up(match[1])
            except (OSError, LookupError, ValueError) as error:
                problems.append(Problem(path, f"{match[0]}: {error}", _mend(match[1])))
                return ""
            self.keep_secret(secret)
            return secret

        return REFERENCE.sub(found, value)

    def _look_up(self, reference: str) -> str:
        """Raises OSError, LookupError or ValueError when it leads nowhere."""
        kind, colon, name = reference.partition(":")
        if not colon:
            if reference not in os.environ:
                raise LookupError("no such environment variable")
            return os.environ[reference]
        if kind == "file":
            return (self.base / name).read_text(encoding="utf-8").strip("\r\n")
        if kind == "prefect":
            settle(self.state)
            from flows import blocks  # noqa: PLC0415 - Prefect costs a second to import

            return blocks.secret(name)
        raise LookupError(f"unknown kind of reference {kind!r}")


def sqlite_from(base: FilePath, url: str) -> str:
    """*url* with the file of an SQLite database made to start from *base*; others as they are."""
    found = re.fullmatch(r"(sqlite(?:\+\w+)?:///)([^/:?][^?]*)(\?.*)?", url)
    return f"{found[1]}{base / found[2]}{found[3] or ''}" if found else url


def _mend(reference: str) -> str:
    kind, colon, name = reference.partition(":")
    if not colon:
        return f"set {reference}"
    if kind in ("file", "prefect"):
        return f"make {name} readable, or name another {'file' if kind == 'file' else 'block'}"
    return "write ${NAME}, ${file:PATH} or ${prefect:BLOCK}"


def _password(text: str) -> str:
    """The password inside a URL; empty when there is none."""
    try:
        return unquote(urlsplit(text).password or "")
    except ValueError:
        return ""


def load_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of `REFSYNC_CONFIG`, else of `./refsync.yaml`, else the defaults.

    Raises Misdeclared with every fault of the file.
    """
    stated = environment.get("REFSYNC_CONFIG", "")
    path = FilePath(stated or "refsync.yaml").absolute()
    if not path.exists():
        if stated:
            raise Misdeclared(
                [Fault(stated, "no such settings file", "mend REFSYNC_CONFIG or create the file")]
            )
        return Settings(None, SettingsFile(), path.parent)
    try:
        file = YamlFile.read(path, stated or "refsync.yaml")
    except YamlError as error:
        raise Misdeclared([Fault(str(error.place), error.what, error.mend)]) from error
    problems = list(file.problems)
    words = SettingsFile()
    try:
        words = SettingsFile.model_validate(file.data or {})
    except ValidationError as error:
        problems += problems_of(error, SettingsFile, file.data, ())
    settings = Settings(file, words, path.parent)
    if problems:
        raise Misdeclared(settings.faults(problems))
    return settings
