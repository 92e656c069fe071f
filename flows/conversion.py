"""A driver file turned into a job that gives the same entities, as far as jobs can say it.

What a job cannot say refuses the conversion, each with its place in the file; nothing is lost
without a word.
"""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from flows.converted_job import connection_text, job_text, values_of
from flows.driver import DriverOptions, read_file
from flows.files import write_whole
from flows.job import load_job
from flows.misdeclared import Fault, Misdeclared
from flows.settings import Settings
from mappings.driver import Api, DriverFile, EntityRule, Value
from sources.masking import is_secret_name

_TARGET = "canopsis"
_NAME = re.compile(r"[^\W_][\w.-]*")  # of a folder or a file of jobs
_ELSEWHERE = "use refsync driver"


class Lack(NamedTuple):
    """Something of a file that jobs have no word for, and the place of it."""

    line: int
    column: int
    what: str
    mend: str


@dataclass(frozen=True, slots=True)
class Converted:
    """The job that was written, and the connection it needs, both as YAML."""

    path: Path
    job: str
    connection: str


def convert(settings: Settings, file: Path, folder: Path, customer: str) -> Converted:
    """Write `<folder>/<customer>/<stem>.yaml`; raises Misdeclared with all that has no place."""
    model = read_file(file, DriverOptions())
    path = folder / customer / f"{file.stem}.yaml"
    faults = [*_named(customer, file.stem), *_faults(model, file)]
    if path.exists():
        what = "the job is there already"
        faults.append(Fault(str(path), what, "remove it, or name another --customer"))
    if faults:
        raise Misdeclared(faults)
    name = f"{customer}-{file.stem}"
    declared = settings.words.connections
    targets = [key for key, words in declared.items() if words.get("type") == "canopsis"]
    target = targets[0] if len(targets) == 1 else _TARGET
    job = job_text(
        model, job=f"{customer}/{file.stem}", file=file.name, connection=name, target=target
    )
    _write(path, job, folder, file)
    credentials = _has_credentials(model.api)
    return Converted(path, job, connection_text(model.api, name, credentials=credentials))


def _write(path: Path, job: str, folder: Path, file: Path) -> None:
    """Leave the job at *path*, unless it does not compile."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, job.encode())
    try:
        load_job(str(path), folder)
    except Misdeclared as refused:
        path.unlink()
        faults = [Fault(str(file), f"as a job: {f.what}", f.mend) for f in refused.faults]
        raise Misdeclared(faults) from refused


def _named(customer: str, stem: str) -> Iterator[Fault]:
    for option, name in (("--customer", customer), ("--from-driver", stem)):
        if not _NAME.fullmatch(name):
            what = f"{name!r} is no name of a {'folder' if option == '--customer' else 'job'}"
            yield Fault(option, what, "begin with a letter or a digit; no slashes or blanks")


def _has_credentials(api: Api) -> bool:
    """Whether the driver would send some that are not in the headers."""
    own = "Authorization" in dict(api.headers)
    return not own and bool(os.environ.get("EXTERNAL_API_USERNAME") or urlsplit(api.url).username)


def _faults(model: DriverFile, file: Path) -> list[Fault]:
    """What the job language or its `api` source has no word for, in the order of the file."""
    lacks = {*_of_call(model), *(lack for rule in model.rules for lack in _of_entity(model, rule))}
    return [
        Fault(f"{file}:{lack.line}:{lack.column}", lack.what, lack.mend) for lack in sorted(lacks)
    ]


def _of_call(model: DriverFile) -> Iterator[Lack]:
    if model.action not in ("set", "create"):
        what = f"a job sets entities, and the action is {model.action}"
        yield Lack(*_place(model, "import.action"), what, _ELSEWHERE)
    if model.api.method not in ("GET", "POST"):
        what = f"a job does not ask by {model.api.method}"
        yield Lack(*_place(model, "api.method"), what, "ask by GET or POST")
    for at, text in (("api.url", urlsplit(model.api.url).netloc), *_shown_headers(model.api)):
        if "${" in text:
            what = "${ would be taken for a reference by refsync.yaml, which has no other word"
            yield Lack(*_place(model, at), what, _ELSEWHERE)
    query = urlsplit(model.api.url).query
    sent = [("api.url", key, value) for key, value in parse_qsl(query, keep_blank_values=True)]
    sent += [(f"api.body.{key}", key, value) for key, value in model.api.form]
    if isinstance(model.api.json, dict):
        sent += [(f"api.body.{key}", key, value) for key, value in model.api.json.items()]
    for at, key, value in sent:
        for name in _secret_names({key: value}):
            what = f"{name!r} looks like a secret, and a job holds none"
            yield Lack(*_place(model, at), what, "give it by `auth:` of a connection")


def _shown_headers(api: Api) -> Iterator[tuple[str, str]]:
    """Those that a connection shows, with their place."""
    yield from (
        (f"api.headers.{key}", value) for key, value in api.headers if not is_secret_name(key)
    )


def _secret_names(value: Any) -> Iterator[str]:
    """The keys of a body that are likely to hold secrets, at any depth, in JSON texts too."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            value = json.loads(value)
        except ValueError:
            return
    if isinstance(value, dict):
        yield from (key for key in value if is_secret_name(key))
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _secret_names(each)


def _of_entity(model: DriverFile, rule: EntityRule) -> Iterator[Lack]:
    given = {"enabled": rule.enabled, "tags": rule.tags, "upstream": rule.text("upstream")}
    for word, there in given.items():
        if there:
            place = _place(model, f"mapping.{rule.kind}.{word}")
            yield Lack(*place, f"{rule.kind}.{word} has no word in a job", _ELSEWHERE)
    if rule.kind == "service" and not rule.pattern:
        place = _place(model, "mapping.service")
        yield Lack(*place, "a service of a job needs a pattern", "add one")
    for value in values_of(rule):
        for what, mend in _of_value(value):
            yield Lack(value.line, value.column, what, mend)


def _of_value(value: Value) -> Iterator[tuple[str, str]]:
    fields = value.template.fields if value.template else frozenset()
    if any(path.split(".")[0] == "Env" for path in fields):
        yield "a template uses .Env, which jobs have not", "write its value"
    elif fields and value.path is None:
        yield "a template without field sees nothing", "add field:"
    elif "*" in fields:
        yield "in a job a template does not see the dot as a whole", "use .Field"
    elif deeper := sorted(path for path in fields if path.startswith("Field.")):
        path = ".".join([*(value.path or ()), *deeper[0].split(".")[1:]])
        yield f"in a job a template does not see .{deeper[0]}", f"write field: {path}, and .Field"


def _place(model: DriverFile, key: str) -> tuple[int, int]:
    """Where a key is written; the names of headers are not in the case of the file."""
    written = {each.lower(): place for each, place in model.places.items()}
    return model.places.get(key) or written.get(key.lower(), (1, 1))
