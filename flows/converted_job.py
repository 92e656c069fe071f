"""What a driver file becomes: a job and its connection, as YAML with what is left to fill in."""

import re
from collections.abc import Iterator
from io import StringIO
from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from mappings.driver import KEY, Api, Condition, DriverFile, EntityRule, Value
from mappings.driver_rules import ROWS
from mappings.paths import path_text
from sources.masking import is_secret_name

_VARIABLE = re.compile(r"\$\{(?=[A-Za-z_]\w*\})")  # as `mappings.variables` reads it
_LISTS = ("is_one_of", "is_not_one_of", "has_one_of", "has_not", "has_every")
_EXPECT = f"expect: {{{ROWS}: {{min: 100}}}}  # fill in: the fewest rows of a good day"
# What a driver file has not: as it stands when nothing is written, and every night.
_TAIL = (
    "  # limits: {missing: 10%, changed: 60%, minimum_population: 20}  # fill in if others are due",
    '  # schedule: {cron: "0 2 * * *", timezone: Europe/Paris}  # fill in to run it every night',
)
_BASIC = {"username": "${EXTERNAL_API_USERNAME}", "password": "${EXTERNAL_API_PASSWORD}"}


def job_text(model: DriverFile, *, job: str, file: str, connection: str, target: str) -> str:
    """The job file *job* that gives the entities of the driver file *file*."""
    entity: dict[str, Any] = {"dataset": ROWS}
    for rule in model.rules:
        entity[rule.kind] = _entity(rule)
    source = CommentedMap(type="api", connection=connection, datasets={ROWS: _dataset(model)})
    sync = CommentedMap(connection=target, import_source=model.source, missing=model.missing)
    for block, name in ((source, connection), (sync, target)):
        what = f"fill in: {name}, under `connections:` of refsync.yaml"
        block.yaml_add_eol_comment(what, "connection")
    document = CommentedMap(source=source, mapping={"entities": [entity]}, sync=sync)
    document.yaml_set_comment_before_after_key("sync", before=_EXPECT, indent=2)
    written = _yaml(_unread(document))
    return "\n".join([*_head(model, job, file), written.rstrip(), *_TAIL, ""])


def connection_text(api: Api, name: str, *, credentials: bool) -> str:
    """The connection *name* of refsync.yaml; with *credentials*, calls carry some."""
    parts = urlsplit(api.url)
    base = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], "", "", ""))
    made = CommentedMap(type="api", base_url=base)
    if credentials:
        made["auth"] = {"type": "basic", **_BASIC}
    if api.headers:
        made["headers"] = {key: _header(key, value) for key, value in api.headers}
    if api.insecure_skip_verify:
        made["tls"] = {"verify": False}
    made["redirects"] = "same_origin"
    made["max_body"] = "1GiB"
    made.yaml_add_eol_comment("the whole feed comes in one answer", "max_body")
    asked = sorted(set(re.findall(r"\$\{(\w+)\}", _yaml(made))))
    written = _yaml({name: made})
    if asked:
        written = f"# fill in, in the environment: {', '.join(asked)}\n{written}"
    elif not credentials:
        basic = ", ".join(f"{key}: {value}" for key, value in _BASIC.items())
        written += f"  # if the API asks who we are, fill in: auth: {{type: basic, {basic}}}\n"
    return written


def differences(model: DriverFile) -> Iterator[str]:
    """On which odd rows the job does otherwise than the driver."""
    values = [value for rule in model.rules for value in values_of(rule)]
    templates = [value for value in values if value.template is not None and value.path]
    if any(value.regexp is None for value in templates):
        if not model.plain_numbers:
            yield "a template prints 1234567 as it is, where the driver prints 1.234567e+06"
        yield "a template whose field is null gives no value, where the driver prints one"
    if any(value.template and "RegexMatch" in value.template.fields for value in templates):
        yield "a template of a regexp that does not match gives no value, whatever it asks"
    infos = [info.value for rule in model.rules for info in rule.infos]
    if any(value.type == "copy" for value in infos):
        yield "an info that is an object, or an array of anything but texts, is left out"
    if any(rule.impact_level for rule in model.rules):
        yield "an impact_level that is not from 1 to 10 makes the row a reject"
    services = [rule for rule in model.rules if rule.kind == "service"]
    if any(each.cond in _LISTS for rule in services for group in rule.pattern for each in group):
        yield "rows that name the same service have the lists of their patterns gathered"
    yield "a name that no event can carry (blank, too long) makes the row a reject"
    if model.missing != "keep":
        yield "the guard stops a run in which much is missing or changed: see limits"


def values_of(rule: EntityRule) -> list[Value]:
    """All values of an entity that are imported: descriptions are not."""
    found = [rule.name, rule.component, rule.impact_level, rule.enabled]
    found += [value for key, value in (*rule.texts, *rule.tags) if key != "description"]
    found += [info.value for info in rule.infos]
    found += [condition.value for group in rule.pattern for condition in group]
    return [value for value in found if value is not None]


def _head(model: DriverFile, job: str, file: str) -> Iterator[str]:
    yield f"# From the driver file {file}. Fill in both connections, then try it:"
    yield f"#   refsync check {job}; refsync preview {job}; refsync plan {job}"
    yield "# The entities are those of the driver, save where rows are odd:"
    yield from (f"# - {each}" for each in differences(model))


def _dataset(model: DriverFile) -> dict[str, Any]:
    parts, api = urlsplit(model.api.url), model.api
    dataset: dict[str, Any] = {"path": parts.path or "/"}
    if parts.query:
        dataset["params"] = _params(parts.query)
    if api.method != "GET":
        dataset["method"] = api.method
    if api.json is not None:
        dataset["json"] = api.json
    if api.form:
        dataset["form"] = dict(api.form)
    keyed = any(value.path and value.path[0] == KEY for r in model.rules for value in values_of(r))
    if model.is_map and keyed:
        dataset["record_key_field"] = KEY
    dataset["data_selector"] = ".".join(model.path) or "$"
    dataset["paginator"] = {"type": "single_page"}
    return dataset


def _params(query: str) -> dict[str, Any]:
    """What a query asks for by name; a name that is repeated has a list."""
    found: dict[str, list[str]] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        found.setdefault(name, []).append(value)
    return {name: values if len(values) > 1 else values[0] for name, values in found.items()}


def _header(name: str, value: str) -> str:
    return "${" + name.upper().replace("-", "_") + "}" if is_secret_name(name) else value


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


def _unread(node: Any) -> Any:
    """The texts of a job so written that none holds a variable: the driver knows no variables."""
    if isinstance(node, dict):
        for key, each in node.items():  # in place: comments belong to the mapping
            node[key] = _unread(each)
    elif isinstance(node, list):
        return [_unread(each) for each in node]
    elif isinstance(node, str):
        return _VARIABLE.sub("$${", node)
    return node


def _yaml(document: Any) -> str:
    yaml, stream = YAML(), StringIO()
    yaml.width = 100
    yaml.dump(document, stream)
    return stream.getvalue()
