"""What can be set on the simulated iTop: release, users, limits, language, faults."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from sandbox.itop_model import Release

FaultKind = Literal[
    "status",
    "html",
    "empty",
    "reset",
    "cut",
    "drip",
    "endless",
    "redirect",
    "code",
    "fatal",
    "repeat",
    "short",
    "bad_record",
    "rows",
]


class Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class User(Strict):
    """An account, and what it may see."""

    login: str = Field(description="Login name.")
    password: str = Field(description="Password; one with `:` cannot log in by Basic.")
    profiles: tuple[str, ...] = Field(
        default=("Configuration Manager", "REST Services User"),
        description="Names of profiles; 3.2 asks for `REST Services User` beside another one.",
    )
    organizations: tuple[int, ...] = Field(
        default=(), description="Ids of the allowed organizations; empty: all of them."
    )
    language: str = Field(default="EN US", description="Language, which decides on date formats.")
    enabled: bool = Field(default=True, description="Whether the account may log in at all.")
    unreadable: tuple[str, ...] = Field(
        default=(), description="Classes the user may not read, with their subclasses."
    )
    unexportable: tuple[str, ...] = Field(
        default=(), description="Classes the user may not read in bulk, with their subclasses."
    )


class Dates(Strict):
    """How dates are shown in one language (strftime)."""

    date: str = Field(default="%Y-%m-%d", description="A date.")
    datetime: str = Field(default="%Y-%m-%d %H:%M:%S", description="A date with its time.")


class Fault(Strict):
    """One way to misbehave, from the `at`-th call it matches on, `times` times."""

    kind: FaultKind = Field(description="What happens; the fields below say how.")
    on: str = Field(
        default="core/get", description="Operation or class it strikes; empty: every call."
    )
    fields: str = Field(
        default="", description="A name that `output_fields` must hold for the call to match."
    )
    at: int = Field(default=1, ge=1, description="1-based rank of the matching call struck first.")
    times: int = Field(default=1, ge=0, description="How many calls are struck; 0: for ever.")
    status: int = Field(default=500, description="`status`: the HTTP status answered.")
    retry_after: str = Field(
        default="", description="`status`: the header Retry-After, seconds or HTTP date."
    )
    body: str = Field(default="", description="`status`, `html`: the body, when not our own.")
    to: str = Field(default="", description="`redirect`: base URL that takes over; path is kept.")
    code: int = Field(default=100, description="`code`: the code of the answer, HTTP 200.")
    message: str = Field(
        default="Error: MySQL server has gone away", description="`code`: its message."
    )
    cause: Literal["memory", "time", "database"] = Field(
        default="memory", description="`fatal`: what PHP dies of."
    )
    keep: float = Field(default=0.5, ge=0, le=1, description="`cut`, `short`: share that is sent.")
    chunks: int = Field(default=4, ge=1, description="`drip`: how many pieces.")
    seconds: float = Field(default=0.1, ge=0, description="`drip`: wait before each piece.")
    megabytes: int = Field(default=300, ge=1, description="`endless`: size of the answer.")
    index: int = Field(default=0, ge=0, description="`bad_record`: 0-based place in the answer.")
    record: Any = Field(
        default="not an object", description="`bad_record`: what stands for the object."
    )
    add: list[dict[str, Any]] = Field(
        default=[], description="`rows`: objects added after the answer: `class` and values."
    )
    remove: list[str] = Field(
        default=[], description="`rows`: objects gone after the answer, such as `Server::12`."
    )
    change: dict[str, dict[str, Any]] = Field(
        default={}, description="`rows`: values changed after the answer, by `Server::12`."
    )


USERS = (
    User(login="etl", password="etl-password"),  # noqa: S106 - of a simulator
    User(
        login="admin",
        password="admin-password",  # noqa: S106 - of a simulator
        profiles=("Administrator", "REST Services User"),
    ),
    User(login="fr", password="fr-password", language="FR FR"),  # noqa: S106 - of a simulator
    User(login="colon", password="pass:word"),  # noqa: S106 - of a simulator
    User(
        login="norest",
        password="norest-password",  # noqa: S106 - of a simulator
        profiles=("Configuration Manager",),
    ),
    User(
        login="restonly",
        password="restonly-password",  # noqa: S106 - of a simulator
        profiles=("REST Services User",),
    ),
    User(
        login="portal",
        password="portal-password",  # noqa: S106 - of a simulator
        profiles=("Portal user", "REST Services User"),
    ),
    User(login="gone", password="gone-password", enabled=False),  # noqa: S106 - of a simulator
)


class ItopKnobs(Strict):
    """The settings of one simulated iTop."""

    release: Release = Field(default="3.2", description="Which iTop answers.")
    custom: dict[str, str] = Field(
        default={},
        description="Attributes added to classes, in the words of `itop_classes`: `x_env`.",
    )
    missing: frozenset[str] = Field(
        default=frozenset(), description="Attributes the installation lacks, such as `Server.cpu`."
    )
    users: tuple[User, ...] = Field(default=USERS, description="The accounts.")
    login_types: tuple[Literal["form", "basic", "url", "external", "token", "rest-token"], ...] = (
        Field(
            default=("form", "external", "basic"),
            description="Server setting `allowed_login_types`.",
        )
    )
    token: str = Field(
        default="itop-token", description="The one good token, on 3.2 with login type `token`."
    )
    token_login: str = Field(default="etl", description="Whose rights the token gives.")
    rest_profile: bool = Field(
        default=True, description="3.2: whether the REST profile is asked for."
    )
    trusting_sessions: bool = Field(
        default=True, description="2.x: whether a cookie of an earlier good call is enough."
    )
    secure: bool = Field(
        default=False, description="Server setting `secure_connection_required`: http is refused."
    )
    dates: dict[str, Dates] = Field(
        default={}, description="Date formats by language; the others have ISO's."
    )
    labels: dict[str, dict[str, str]] = Field(
        default={"FR FR": {"Server": "Serveur", "VirtualMachine": "Machine virtuelle"}},
        description="Labels of classes by language, which stand in wiki links of plain text.",
    )
    now: str = Field(
        default="", description="What NOW() gives, `YYYY-MM-DD HH:MM:SS`; empty: our clock."
    )
    latency: float = Field(default=0, ge=0, description="Seconds before each answer.")
    memory_objects: int = Field(
        default=0, ge=0, description="PHP dies of an answer with more objects; 0: no limit."
    )
    memory_bytes: int = Field(
        default=0, ge=0, description="PHP dies of an answer with more bytes; 0: no limit."
    )
    post_max_bytes: int = Field(
        default=8_388_608, ge=0, description="PHP loses every field of a larger body; 0: no limit."
    )
    display_errors: bool = Field(
        default=False, description="A fatal error is told in HTML with HTTP 200."
    )
    maintenance: bool = Field(default=False, description="503 to every call.")
    invalid_utf8: tuple[str, ...] = Field(
        default=(), description="Objects, such as `Server::12`, with a byte that is no UTF-8."
    )
    invalid_field: str = Field(default="description", description="Where they have that byte.")
    double_encoded_html: bool = Field(
        default=True, description="2.x: every `&` of HTML attributes is encoded once more."
    )
    found_error: int = Field(default=0, description="Added to the `Found: N` that is told.")
    shuffle: bool = Field(
        default=True, description="Objects of the same name come in another order at each call."
    )
    faults: list[Fault] = Field(default=[], description="Struck in order, one a call.")

    def changed(self, settings: Mapping[str, Any]) -> "ItopKnobs":
        """These knobs with some turned; raises pydantic.ValidationError on an unknown one."""
        return ItopKnobs.model_validate(self.model_dump() | dict(settings))
