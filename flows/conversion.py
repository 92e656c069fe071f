"""A driver file turned into a job that gives the same entities, as far as jobs can say it.

What a job cannot say refuses the conversion, each with its place in the file; nothing is lost
without a word.
"""

import os
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from ruamel.yaml import YAML

from flows.driver import DriverOptions, read_file
from flows.files import write_whole
from flows.job import load_job
from flows.misdeclared import Fault, Misdeclared
from flows.settings import Settings
from mappings.driver import KEY, Api, Condition, DriverFile, EntityRule, Value
from mappings.driver_rules import ROWS
from mappings.paths import path_text
from sources.auth import is_secret_name

_TARGET = "canopsis"


@dataclass(frozen=True, slots=True)
class Converted:
    """The job that was written, and the connection it needs, both as YAML."""

    path: Path
    job: str
    connection: str


def convert(settings: Settings, file: Path, folder: Path, customer: str) -> Converted:
    """Write `<folder>/<customer>/<stem>.yaml`; raises Misdeclared with all that has no place."""
    model = read_file(file, DriverOptions())
    lacking = _lacking(model)
    path = folder / customer / f"{file.stem}.yaml"
    if path.exists():
        lacking.append(("the job is there already", "remove it, or name another --customer"))
    if lacking:
        raise Misdeclared([Fault(str(file), what, mend) for what, mend in lacking])
    name = f"{customer}-{file.stem}"
    declared = settings.words.connections
    targets = [key for key, words in declared.items() if words.get("type") == "canopsis"]
    job = _yaml(_job(model, name, targets[0] if len(targets) == 1 else _TARGET))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, job.encode())
    try:
        load_job(str(path), folder)
    except Misdeclared:
        path.unlink()
        raise
    return Converted(path, job, _yaml({name: _connection(model.api)}))


def _lacking(model: DriverFile) -> list[tuple[str, str]]:
    """What the job language or its `api` source has no word for."""
    found = []
    if model.action not in ("set", "create"):
        found.append(
            (f"a job sets entities, and the action is {model.action}", "use refsync driver")
        )
    if model.api.method not in ("GET", "POST") or (model.api.form and model.api.method == "GET"):
        found.append(
            (f"a job does not ask by {model.api.method} with this body", "use GET or POST")
        )
    sent = parse_qsl(urlsplit(model.api.url).query, keep_blank_values=True) + list(model.api.form)
    sent += list(model.api.json.items()) if isinstance(model.api.json, dict) else []
    found += [
        (f"{key!r} looks like a secret, and a job holds none", "give it by `auth:` of a connection")
        for key, _ in sent
        if is_secret_name(key)
    ]
    for rule in model.rules:
        found += _lacking_entity(rule)
        found += [each for value in _values(rule) for each in _lacking_value(value)]
    return list(dict.fromkeys(found))


def _lacking_entity(rule: EntityRule) -> list[tuple[str, str]]:
    given = {"enabled": rule.enabled, "tags": rule.tags, "upstream": rule.text("upstream")}
    found = [
        (f"{rule.kind}.{word} has no word in a job", "use refsync driver")
        for word, there in given.items()
        if there
    ]
    if rule.kind == "service" and not rule.pattern:
        found.append(("a service of a job needs a pattern", "add one"))
    return found


def _lacking_value(value: Value) -> list[tuple[str, str]]:
    fields = value.template.fields if value.template else frozenset()
    if any(path.startswith("Env") for path in fields):
        return [("a template uses .Env, which jobs have not", "write its value")]
    if fields and value.path is None:
        return [("a template without field sees nothing", "add field:")]
    return []


def _values(rule: EntityRule) -> list[Value]:
    """All values of an entity."""
    found = [rule.name, rule.component, rule.impact_level, rule.enabled]
    found += [value for _, value in (*rule.texts, *rule.tags)]
    found += [info.value for info in rule.infos]
    found += [condition.value for group in rule.pattern for condition in group]
    return [value for value in found if value is not None]


def _job(model: DriverFile, name: str, target: str) -> dict[str, Any]:
    entity: dict[str, Any] = {"dataset": ROWS}
    for rule in model.rules:
        entity[rule.kind] = _entity(rule)
    return {
        "source": {"type": "api", "connection": name, "datasets": {ROWS: _dataset(model)}},
        "mapping": {"entities": [entity]},
        "sync": {"connection": target, "import_source": model.source, "missing": model.missing},
    }


def _dataset(model: DriverFile) -> dict[str, Any]:
    parts, api = urlsplit(model.api.url), model.api
    dataset: dict[str, Any] = {"path": parts.path or "/"}
    if parts.query:
        dataset["params"] = dict(parse_qsl(parts.query, keep_blank_values=True))
    if api.method != "GET":
        dataset["method"] = api.method
    if api.json is not None:
        dataset["json"] = api.json
    if api.form:
        dataset["form"] = dict(api.form)
    keyed = any(value.path and value.path[0] == KEY for r in model.rules for value in _values(r))
    if model.is_map and keyed:
        dataset["record_key_field"] = KEY
    dataset["data_selector"] = ".".join(model.path) or "$"
    dataset["paginator"] = {"type": "single_page"}
    return dataset


def _connection(api: Api) -> dict[str, Any]:
    parts = urlsplit(api.url)
    host = parts.netloc.rpartition("@")[2]
    base = urlunsplit((parts.scheme, host, "", "", ""))
    made: dict[str, Any] = {"type": "api", "base_url": base}
    own = "Authorization" in dict(api.headers)
    if not own and (os.environ.get("EXTERNAL_API_USERNAME") or parts.username):
        made["auth"] = {
            "type": "basic",
            "username": "${EXTERNAL_API_USERNAME}",
            "password": "${EXTERNAL_API_PASSWORD}",
        }
    if api.headers:
        made["headers"] = {
            key: "${" + key.upper().replace("-", "_") + "}" if is_secret_name(key) else value
            for key, value in api.headers
        }
    if api.insecure_skip_verify:
        made["tls"] = {"verify": False}
    return made


def _entity(rule: EntityRule) -> dict[str, Any]:
    made: dict[str, Any] = {"name": _value(rule.name)}
    if rule.component is not None:
        made["component"] = _value(rule.component)
    for word in ("category", "output_template"):
        if (value := rule.text(word)) is not None:
            made[word] = _value(value)
    if rule.impact_level is not None:
        made["impact_level"] = _value(rule.impact_level)
    if rule.pattern:
        made["pattern"] = [[_condition(each) for each in group] for group in rule.pattern]
    infos = {
        info.key: {"value": _value(info.value)}
        | ({"description": info.description} if info.description else {})
        for info in rule.infos
    }
    return made | ({"infos": infos} if infos else {})


def _condition(condition: Condition) -> dict[str, Any]:
    made = {"field": condition.field, "cond": condition.cond, "value": _value(condition.value)}
    return made | ({"field_type": condition.field_type} if condition.field_type else {})


def _value(value: Value) -> dict[str, Any]:
    """The long form, which is the driver's."""
    if value.type == "set":
        constant = value.constant
        return {"type": "set", "value": constant if isinstance(constant, str) else list(constant)}
    path = path_text(value.path or ())
    if value.template is None:
        return {"type": "copy", "value": path}
    made = {"type": "template", "value": value.template.text}
    made |= {"field": path} if value.path else {}
    return made | ({"regexp": value.regexp.text} if value.regexp else {})


def _yaml(document: dict[str, Any]) -> str:
    yaml, stream = YAML(), StringIO()
    yaml.width = 100
    yaml.dump(document, stream)
    return stream.getvalue()
