"""From the text of a driver file to its model, in both dialects, with all faults at once.

Unknown keys are ignored, as the driver does, and remarked on; doubled keys refuse the file. The
driver ignores some words of ours: `template_vars`, `mapping.numbers: plain`, and in entities
`tags`, `upstream`, patterns of several conditions (`specs/driver-compat.md`, decisions D9, D30,
D33).
"""

import math
import re
from collections.abc import Collection
from datetime import datetime
from typing import Any, cast
from urllib.parse import urlsplit

from mappings.driver import Action, Api, DriverFile, MissingAction
from mappings.driver_entities import Entities
from mappings.driver_sheet import DriverErrors, Entry, Remark, Sheet
from mappings.golang import gotime
from mappings.goyaml import GoYamlError, Mapping, Node, Scalar, Sequence, plain, read_goyaml

ACTIONS = ("set", "enable", "create", "update")
MISSING_ACTIONS = ("delete", "disable")

_FILE = ("api", "import", "mapping", "template_vars")
_API = ("url", "method", "headers", "body", "insecure_skip_verify")
_IMPORT = ("source", "action", "missing_action")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # of RFC 9110, what a header's name is


def read_driver(
    text: str, *, zone: str | None = None, variables: Collection[str] = ()
) -> DriverFile:
    """The model of a driver file; raises DriverErrors with every fault.

    `zone` is the one that `localtime` shows times in, `variables` the names of the template
    variables that are given beside the file (decisions D34, D33).
    """
    sheet = Sheet(text)
    file: DriverFile | None = None
    try:
        node = read_goyaml(text)
    except GoYamlError as error:
        sheet.faults.append(_not_yaml(text, error))
    else:
        sheet.root = node
        file = _Reader(sheet, zone, variables).read(node)
    if file is None or sheet.faults:
        problems = sheet.faults + sheet.remarks
        raise DriverErrors(sorted(problems, key=lambda each: (each.line, each.column)))
    return file


def _not_yaml(text: str, error: GoYamlError) -> Remark:
    lines = text.splitlines()
    line = lines[error.line - 1] if error.line <= len(lines) else ""
    mend = "look at the brackets, quotes and indentation of this line and of the one before"
    if "already defined" in str(error):
        mend = "keep one of the two"
    elif "\\t" in str(error):
        mend = "indent with spaces"
    elif "{{" in line:
        mend = "put the template in quotes: '{{ … }}'"
    return Remark(error.line, error.column, str(error), mend)


class _Reader:
    def __init__(self, sheet: Sheet, zone: str | None, variables: Collection[str]) -> None:
        self.sheet = sheet
        self.zone, self.variables = zone, variables

    def read(self, node: Node | None) -> DriverFile | None:
        root = Entry(Scalar("file", "str", "file", 1, 1), node or Mapping((), 1, 1))
        blocks = self.sheet.entries(root, _FILE)
        for word in _FILE[:3]:
            if word not in blocks:
                self.sheet.missing(root, word)
        api = self._api(blocks.get("api"))
        source, action, missing = self._import(blocks.get("import"))
        given = tuple(
            (key, self.sheet.text_at(entry) or "")
            for key, entry in self.sheet.under(blocks.get("template_vars")).items()
        )
        mapping = blocks.get("mapping")
        if mapping is None:
            return None
        reader = Entities(
            self.sheet, self.zone, (*self.variables, *dict(given)), needs_pattern=action != "enable"
        )
        place, rules = reader.read(mapping)
        path = self.sheet.text_at(place.get("path")) or ""
        is_map = self.sheet.flag_at(place.get("is_map"))
        if api is None or not rules:
            return None
        return DriverFile(
            api=api,
            source=source,
            action=cast("Action", action),
            missing=cast("MissingAction", missing),
            path=tuple(path.split(".") if path else ()),
            is_map=is_map,
            rules=tuple(rules),
            legacy=reader.values.legacy,
            plain_numbers=reader.values.plain_numbers,
            template_vars=given,
            remarks=tuple(sorted(self.sheet.remarks, key=lambda each: (each.line, each.column))),
            places=self.sheet.places(),
        )

    def _api(self, at: Entry | None) -> Api | None:
        if at is None:
            return None
        given = self.sheet.entries(at, _API)
        url = self.sheet.text_at(given.get("url")) or ""
        if not url:
            self.sheet.missing(at, "url")
        elif not is_address(url):
            what = f"{_bare(url)!r} is no address"
            mend = "begin with http:// or https:// and name a host"
            self.sheet.fault(given["url"].node, what, mend)
        method = self.sheet.text_at(given.get("method")) or "GET"
        if not _TOKEN.fullmatch(method):
            what = f"{method!r} is no HTTP method"
            self.sheet.fault(given["method"].node, what, "write GET, POST or PUT")
        headers = dict(
            self._header(entry) for entry in self.sheet.under(given.get("headers")).values()
        )
        body = given.get("body")
        json: Any = None
        form: tuple[tuple[str, str], ...] = ()
        if body is not None and self.sheet.entries(body):
            if "application/json" in headers.get("Content-Type", "").lower():
                json = self._json(body)
            else:
                form = tuple(self._form(body))
        insecure = self.sheet.flag_at(given.get("insecure_skip_verify"))
        return Api(url, method, tuple(headers.items()), json, form, insecure)

    def _header(self, entry: Entry) -> tuple[str, str]:
        name, value = entry.key.text, (self.sheet.text_at(entry) or "").strip(" \t")
        if not _TOKEN.fullmatch(name):
            what = f"{name!r} cannot be the name of a header"
            self.sheet.fault(entry.key, what, "write letters, digits and hyphens")
        if _CONTROL.search(value):
            what = f"the header {name} holds a line break or another control character"
            self.sheet.fault(entry.node, what, "write it on one line")
        return canonical_header(name), value

    def _form(self, body: Entry) -> list[tuple[str, str]]:
        """The pairs of a form, whose values are texts as written (decision D16)."""
        pairs = []
        for key, entry in self.sheet.entries(body).items():
            if isinstance(entry.node, Scalar):
                pairs.append((key, entry.node.string()))
            else:
                what = f"the value of {key} is nested, and a form holds texts alone"
                mend = "to send JSON, add the header Content-Type: application/json"
                self.sheet.fault(entry.node, what, mend)
        return pairs

    def _json(self, body: Entry) -> Any:
        """What a JSON body holds (decision D16): a moment is a text, as Go writes it."""
        try:
            plain(body.node)  # refuses what a few aliases blow up
        except GoYamlError as error:
            self.sheet.fault(body.node, str(error), "spell it out")
            return None
        return self._sendable(body.node)

    def _sendable(self, node: Node) -> Any:
        if isinstance(node, Mapping):
            return {key.text: self._sendable(each) for key, each in node.entries}
        if isinstance(node, Sequence):
            return [self._sendable(item) for item in node.items]
        value = node.value
        if isinstance(value, datetime):
            return gotime.formatted(value, gotime.JSON_LAYOUT)
        if isinstance(value, float) and not math.isfinite(value):
            what = f"the body cannot be JSON: {node.text} is no number there"
            self.sheet.fault(node, what, "put it in quotes")
        return value

    def _import(self, at: Entry | None) -> tuple[str, str, str]:
        if at is None:
            return "", "set", "keep"
        given = self.sheet.entries(at, _IMPORT)
        source = self.sheet.text_at(given.get("source"))
        if not source:
            self.sheet.missing(at, "source")
        elif '"' in source:
            what = "the source holds a quote, by which Canopsis cannot search"
            self.sheet.fault(given["source"].node, what, "choose another name")
        action = self.sheet.word_at(given.get("action"), ACTIONS)
        if "action" not in given or given["action"].empty:
            self.sheet.missing(at, "action", "add `action: set`")
        elif action in ("create", "update"):
            now = "set" if action == "create" else "set, of entities that exist"
            what = f"the action {action} is unknown to Canopsis since 23.04: it is taken for {now}"
            self.sheet.remark(given["action"].node, what, "write `action: set`")
        missing = self.sheet.word_at(given.get("missing_action"), MISSING_ACTIONS)
        return source or "", action or "set", missing or "keep"


def canonical_header(name: str) -> str:
    """The name as Go writes it: `x-api-key` becomes `X-Api-Key` (decision D17)."""
    return "-".join(part[:1].upper() + part[1:].lower() for part in name.split("-"))


def is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _bare(url: str) -> str:
    """An address for a message: what may be a password, or a token, is not in it."""
    return re.sub(r"[^/\s]*@", "***@", url.partition("?")[0])
