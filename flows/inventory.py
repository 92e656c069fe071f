"""Every connection there is: declared in refsync.yaml or in Prefect, or named by a job and lacking.

What is told of one never holds a secret: where each value comes from, and whether it is there.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from pydantic import BaseModel

from flows.connections import in_clear, secret_paths, shadowed, validated
from flows.declared import Declared, declared, leaves, prefect_is_named, unknown
from flows.job import Job, job_names, jobs_folder, load_job
from flows.misdeclared import Fault, Misdeclared
from flows.outcome import DONE, MISDECLARED
from flows.prefect_env import CONNECTION_BLOCK, settle
from flows.settings import REFERENCE, Settings
from mappings.errors import Problem
from referential.connection import CanopsisConnection
from sources.connection import HttpConnection
from sources.drop_connection import DropConnection
from sources.masking import shown_url
from sources.registry import SOURCES
from sources.sql_connection import SqlConnection
from sources.sql_engine import address, shown

MODELS: Final[dict[str, type[BaseModel]]] = {
    **{kind: source.connection for kind, source in SOURCES.items()},
    "canopsis": CanopsisConnection,
}


@dataclass(frozen=True, slots=True)
class Held:
    """A word whose value is secret or comes from elsewhere: `auth.token`, from where, there or not.

    `there`: whether there is a value.
    """

    word: str
    origin: str
    there: bool = True


@dataclass(frozen=True, slots=True)
class Listed:
    """One connection. `declared` is its place, "" for one that lacks; `url` has no credentials."""

    name: str
    type: str = ""
    declared: str = ""
    url: str = ""
    sources_of: tuple[str, ...] = ()  # the jobs that read it
    targets_of: tuple[str, ...] = ()  # the jobs that load it
    secrets: tuple[Held, ...] = ()
    faults: tuple[Fault, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def lacking(self) -> bool:
        return not self.declared

    @property
    def unused(self) -> bool:
        return not (self.sources_of or self.targets_of)


@dataclass(slots=True)
class Inventory:
    """What was found, by name; `broken` are jobs that do not compile, whose use is not known."""

    connections: list[Listed] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        return MISDECLARED if any(each.faults for each in self.connections) else DONE


@dataclass(slots=True)
class _Use:
    """How jobs use one connection; `at` is where the first of them names it."""

    kinds: dict[str, None] = field(default_factory=dict)
    sources_of: list[str] = field(default_factory=list)
    targets_of: list[str] = field(default_factory=list)
    at: str = ""


def inventory(settings: Settings, names: Sequence[str] = ()) -> Inventory:
    """All connections, or those of *names*; raises Misdeclared when one of these is nowhere.

    Raises Unreachable when PREFECT_API_URL is set and nothing answers there.
    """
    seen = Inventory()
    uses = _uses(settings, seen.broken)
    known = dict.fromkeys([*settings.words.connections, *_blocks(settings), *uses])
    for name in names:
        if name not in known:
            raise unknown(settings, name, f"refsync connections {name}")
    for name in names or known:
        seen.connections.append(_listed(settings, name, uses.get(name, _Use())))
    return seen


def _uses(settings: Settings, broken: list[str]) -> dict[str, _Use]:
    folder = jobs_folder(settings.jobs)
    uses: dict[str, _Use] = {}
    for name in job_names(folder):
        try:
            job = load_job(name, folder)
        except Misdeclared:
            broken.append(name)
        else:
            _note(job, uses)
    return uses


def _note(job: Job, uses: dict[str, _Use]) -> None:
    read = uses.setdefault(job.config.connection, _Use())
    read.kinds[job.kind] = None
    read.sources_of.append(job.name)
    read.at = read.at or job.place("source", "connection")
    for target in job.sync.loads:
        loaded = uses.setdefault(target, _Use())
        loaded.kinds["canopsis"] = None
        loaded.targets_of.append(job.name)
        usual = target == job.sync.connection
        loaded.at = loaded.at or job.place("sync", "connection" if usual else "targets")


def _blocks(settings: Settings) -> Iterable[str]:
    if not prefect_is_named():
        return ()
    settle(settings.state)
    from flows import blocks  # noqa: PLC0415 - Prefect costs a second to import

    return blocks.connections()


def _listed(settings: Settings, name: str, use: _Use) -> Listed:
    used = Listed(
        name,
        "/".join(use.kinds),
        sources_of=tuple(use.sources_of),
        targets_of=tuple(use.targets_of),
    )
    try:
        found = declared(settings, name)
    except Misdeclared as error:  # a block that is none of ours
        return replace(used, declared=f"block {CONNECTION_BLOCK}/{name}", faults=error.faults)
    if found is None:
        return replace(used, faults=unknown(settings, name, use.at).faults)
    stated = found.words.get("type")
    listed = replace(
        used,
        type=used.type if stated is None else str(stated),
        declared=found.where(settings),
        secrets=tuple(_held(settings, found, ())),
        warnings=tuple(shadowed(settings, found)),
    )
    for kind in dict.fromkeys([*([] if stated is None else [str(stated)]), *use.kinds]):
        listed = _judged(settings, found, kind, listed, use)
    return listed


def _judged(settings: Settings, found: Declared, kind: str, listed: Listed, use: _Use) -> Listed:
    """*listed* with what is known once its words are read as those of a *kind*."""
    stated = found.words.get("type", kind)
    if stated != kind or kind not in MODELS:
        what = f"connection {found.name!r} is of type {stated!r}"
        asked = f", and a {kind!r} one is asked for" if stated in MODELS else ", which there is not"
        mend = f"asked for at {use.at}" if stated in MODELS else f"one of {', '.join(MODELS)}"
        faults = found.faults(settings, [Problem(("type",), what + asked, mend)])
        return replace(listed, faults=(*listed.faults, *faults))
    try:
        model = validated(settings, found, MODELS[kind])
    except Misdeclared as error:
        return replace(listed, faults=(*listed.faults, *error.faults))
    return replace(
        listed,
        url=settings.redact(_url(model)),
        secrets=tuple(_held(settings, found, secret_paths(model))),
        warnings=(*listed.warnings, *in_clear(settings, found, model)),
    )


def _held(settings: Settings, found: Declared, secret: Iterable[tuple[str, ...]]) -> Iterator[Held]:
    """The words of a connection that refer elsewhere, those of *secret*, and the masked ones."""
    known = set(secret)
    for path, text in leaves(found.words):
        word = ".".join(map(str, path))
        references = REFERENCE.findall(text) if isinstance(text, str) else []
        for reference in references:
            yield _referred(settings, word, reference)
        if not references and path in known:
            yield Held(word, "written in clear")
    for path, _ in leaves(found.masked):
        yield Held(".".join(map(str, path)), f"block {CONNECTION_BLOCK}/{found.name}")


def _referred(settings: Settings, word: str, reference: str) -> Held:
    """Where the value of `${reference}` comes from, and whether it is there."""
    kind, colon, name = reference.partition(":")
    origin = {"file": f"file {name}", "prefect": f"block secret/{name}"}.get(kind, reference)
    problems: list[Problem] = []
    settings.follow(f"${{{reference}}}", (), problems)
    return Held(word, origin if colon else f"environment {reference}", not problems)


def _url(model: BaseModel) -> str:
    """Where a connection leads, without credentials."""
    match model:
        case SqlConnection():
            return shown(address(model))
        case CanopsisConnection(url=url) | HttpConnection(base_url=url):
            return shown_url(url, ())
        case DropConnection(root=root):
            return str(root)
    return ""
