"""The `sync:` block of a job: where entities go, within which limits, when and how."""

from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError
from pydantic import BaseModel, ConfigDict, Field, model_validator

from flows.durations import Seconds
from referential.limits import Limits
from referential.missing import Runs


class Schedule(BaseModel):
    """When the job runs: a cron line or an interval."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cron: str = Field(default="", description="Cron line, for instance `0 2 * * *`.")
    interval: int | None = Field(default=None, gt=0, description="Seconds between two runs.")
    timezone: str = Field(default="UTC", description="IANA time zone of the cron line.")
    collision: Literal["cancel_new", "enqueue"] = Field(
        default="cancel_new",
        description="What becomes of a run that is due while one of the same job is still at work:"
        " it is cancelled, or it waits for its end.",
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> "Schedule":
        if bool(self.cron) == bool(self.interval):
            raise ValueError("a schedule has either `cron` or `interval`; mend: keep one of them")
        try:
            zone = ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            what = f"unknown time zone {self.timezone!r}; mend: such as Europe/Paris"
            raise ValueError(what) from error
        try:
            if self.cron:
                CronSim(self.cron, datetime.now(zone))
        except CronSimError as error:
            what = (
                f"{self.cron!r} is no cron line ({error}); mend: five fields, such as `0 2 * * *`"
            )
            raise ValueError(what) from error
        return self


class Timeouts(BaseModel):
    """How long the stages of a run may take under Prefect; without a word, as long as they do."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    check: Seconds | None = Field(default=None, description="The check: seconds, or `5m`.")
    extract: Seconds | None = Field(default=None, description="The extraction: seconds, or `2h`.")
    load: Seconds | None = Field(default=None, description="The load: seconds, or `1h`.")


class SyncConfig(BaseModel):
    """The `sync:` block: where entities go, and within which limits."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    connection: str = Field(description="Name of the Canopsis connection, in refsync.yaml.")
    import_source: str = Field(
        min_length=1, description="Stored by Canopsis on each entity as `import_source`."
    )
    missing: Literal["disable", "delete", "keep"] = Field(
        default="disable",
        description="What becomes of an entity whose record left a complete extraction.",
    )
    missing_after: Runs = Field(
        default=1,
        description="Finished runs in a row, this one included, that an entity must be missing in"
        " before it is disabled or deleted: `3 runs`, or `3`.",
    )
    prune: bool = Field(
        default=True,
        description="Whether infos and categories that we gave and that left the source are taken"
        " away from the entities in Canopsis.",
    )
    respect_manual: bool = Field(
        default=True,
        description="Whether an entity that somebody disabled in Canopsis by hand stays disabled"
        " when it is updated.",
    )
    limits: Limits = Field(default_factory=Limits, description="What a plan must respect.")
    on_refusal: Literal["stop", "hold_removals"] = Field(
        default="stop",
        description="What becomes of a plan that would take away too much, and nothing worse:"
        " nothing of it is done, or all of it but the removals, which wait to be accepted.",
    )
    slices: int = Field(
        default=1,
        ge=1,
        le=64,
        description="Parts of each dataset that are read side by side, where the source can cut it;"
        " the connection bounds how many at once (`max_concurrency`).",
    )
    targets: tuple[str, ...] = Field(
        default=(),
        description="Names of further Canopsis connections that this job may load (`--to NAME`),"
        " such as a pre-production; each is a feed of its own, with what it owns and its runs.",
    )
    schedule: Schedule | None = Field(default=None, description="When the job runs.")
    runner: Literal["threads", "dask"] = Field(
        default="threads",
        description="Who reads and maps the slices: threads of this process, or a Dask cluster.",
    )
    retries: int = Field(
        default=3,
        ge=0,
        le=10,
        description="How often Prefect tries a stage again after an outage; a refusal never is.",
    )
    timeouts: Timeouts = Field(
        default_factory=Timeouts, description="How long the stages may take under Prefect."
    )
    documentation: str = Field(
        default="",
        pattern=r"^(https?://\S+)?$",
        description="Address of the page about this feed, for those who see its runs.",
    )

    @property
    def loads(self) -> tuple[str, ...]:
        """Every Canopsis that the job may load, the one it is about to load first."""
        return (self.connection, *self.targets)

    @model_validator(mode="after")
    def _told_apart(self) -> "SyncConfig":
        twice = next((name for name in self.loads if self.loads.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"{twice!r} is named twice as a target; mend: name each once")
        return self
