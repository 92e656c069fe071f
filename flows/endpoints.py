"""The connections of jobs, asked once each: what answers there, who we are, what we may do."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from flows.job import Job
from flows.misdeclared import Misdeclared
from flows.outcome import told
from flows.settings import Settings
from flows.workplace import Workplace
from referential.errors import ReferentialError
from sources.base import Probe
from sources.errors import SourceError

# What an answer that never came is known by; anything else is a defect of ours.
_FAILURES = (Misdeclared, ReferentialError, SourceError)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One connection as `jobs` need it; `failure` is the message where it did not answer."""

    connection: str
    type: str
    jobs: tuple[str, ...]
    version: str = ""
    identity: str = ""
    rights: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()
    failure: str = ""
    undeclared: bool = False  # the fault lies in the settings: nothing was asked

    @property
    def sound(self) -> bool:
        return not (self.failure or self.lacking)

    def beside(self, other: "Endpoint") -> "Endpoint":
        """The same connection with what *other*, asked for another job, says of it."""
        return replace(
            self,
            jobs=_union(self.jobs, other.jobs),
            version=self.version or other.version,
            identity=self.identity or other.identity,
            rights=_union(self.rights, other.rights),
            lacking=_union(self.lacking, other.lacking),
            failure="\n".join(_union([self.failure], [other.failure])),
            undeclared=self.undeclared or other.undeclared,
        )


def endpoints(settings: Settings, jobs: Sequence[Job]) -> tuple[list[Endpoint], list[str]]:
    """Every connection of *jobs*, in the order of the jobs, and warnings on how they are written.

    A source is asked for each job, since rights are rights to datasets; a Canopsis once.
    """
    found: dict[tuple[str, str], Endpoint] = {}
    warnings: list[str] = []
    for job in jobs:
        for target in job.sync.loads:
            place = Workplace(settings, job.towards(target), run_id="")
            for endpoint in _of(place, found, source=target == job.sync.connection):
                name = (endpoint.connection, endpoint.type)
                found[name] = found[name].beside(endpoint) if name in found else endpoint
            warnings += place.warnings
    return list(found.values()), list(dict.fromkeys(warnings))


def _of(place: Workplace, known: Iterable[tuple[str, str]], *, source: bool) -> Iterator[Endpoint]:
    """The target of a job and, where it is wanted, its source before it."""
    job, settings = place.job, place.settings
    read = Endpoint(job.config.connection, job.kind, (job.name,))
    target = Endpoint(job.sync.connection, "canopsis", (job.name,))
    for endpoint, ask in ((read, source_probe), (target, canopsis_probe))[0 if source else 1 :]:
        if endpoint is target and (target.connection, target.type) in known:
            yield target
            continue
        try:
            probe = ask(place)
        except _FAILURES as error:
            words = settings.redact(told(error))
            yield replace(endpoint, failure=words, undeclared=isinstance(error, Misdeclared))
        else:
            shown = partial(map, settings.redact)
            yield replace(
                endpoint,
                version=settings.redact(probe.version),
                identity=settings.redact(probe.identity),
                rights=tuple(shown(probe.rights)),
                lacking=tuple(shown(probe.lacking)),
            )


def source_probe(place: Workplace) -> Probe:
    """What the source answers to this job; raises what the connection and the source raise."""
    return place.job.source.probe(place.job.config, place.source_connection())


def canopsis_probe(place: Workplace) -> Probe:
    """What Canopsis answers; raises what the connection and its client raise."""
    with place.canopsis() as canopsis:
        version, identity = canopsis.app_info().version, canopsis.identity()
        told = (f"Canopsis {version}: {limit}" for limit in canopsis.dialect.limits)
        place.warnings.extend([each for each in told if each not in place.warnings])
    return Probe(version, identity.name, identity.rights, identity.lacking)


def _union(*groups: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each for group in groups for each in group if each))
