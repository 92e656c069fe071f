"""The automations of `flows.alerts`, put into Prefect. Import it after `flows.prefect_env.settle`.

They are known by their names: what is there and says already what it should is left alone, with
what it has seen so far.
"""

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Literal

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import BlockDocumentUpdate
from prefect.events.schemas.automations import Automation, AutomationCore
from prefect.exceptions import ObjectNotFound

from flows.alerts import PREFIX, SILENCE, Alert, Notice, alerts
from flows.job import Job
from flows.misdeclared import Fault, Misdeclared
from flows.prefect_client import prefect_client
from flows.settings import Settings
from mappings.errors import Problem

Action = Literal["created", "updated", "unchanged", "removed"]

_PAGE: Final = 200  # automations that Prefect gives at once
_SENDGRID: Final = "sendgrid-email"  # the type whose addresses refsync.yaml may give
_NOTIFY: Final = "notify"  # what a block that sends messages is able to


@dataclass(frozen=True, slots=True)
class Step:
    """What was done with one automation, or would be; `paused`: somebody switched it off."""

    name: str
    action: Action
    description: str = ""
    paused: bool = False


def install(
    settings: Settings,
    jobs: Iterable[Job],
    *,
    dry_run: bool = False,
    silence: timedelta = SILENCE,
) -> tuple[Step, ...]:
    """Put the automations for *jobs*, all those of the folder, into Prefect; remove ours of others.

    *silence* is the time without a heartbeat after which a run is dead. Raises Misdeclared for a
    block that is not there or cannot send messages, Refused and Unreachable.
    """
    with prefect_client() as client:
        notice = _notice(client, settings, dry_run=dry_run)
        wanted = {each.name: each for each in alerts(jobs, notice, silence)}
        there = {each.name: each for each in _ours(client)}
        steps = [
            _put(client, alert, there.get(name), dry_run=dry_run) for name, alert in wanted.items()
        ]
        for name in sorted(there.keys() - wanted.keys()):
            if not dry_run:
                client.delete_automation(there[name].id)
            steps.append(Step(name, "removed", there[name].description, _paused(there[name])))
    return tuple(steps)


def _put(
    client: SyncPrefectClient, alert: Alert, there: Automation | None, *, dry_run: bool
) -> Step:
    paused = there is not None and _paused(there)
    made = AutomationCore.model_validate(
        {
            "name": alert.name,
            "description": alert.description,
            "enabled": not paused,  # who switched it off will switch it on
            "trigger": alert.trigger,
            "actions": list(alert.actions),
        }
    )
    if there is None:
        if not dry_run:
            client.create_automation(made)
        return Step(alert.name, "created", alert.description)
    if _told(made) == _told(there):
        return Step(alert.name, "unchanged", alert.description, paused)
    if not dry_run:
        client.update_automation(there.id, made)
    return Step(alert.name, "updated", alert.description, paused)


def _told(automation: AutomationCore) -> dict[str, Any]:
    """What an automation says, comparable; sets of words come in any order."""
    told = automation.model_dump(mode="json", include={"name", "description", "trigger", "actions"})
    trigger: dict[str, Any] = told["trigger"]
    trigger.pop("id", None)
    for words in ("after", "expect", "for_each"):
        trigger[words] = sorted(trigger[words])
    return told


def _ours(client: SyncPrefectClient) -> Iterator[Automation]:
    offset = 0
    while page := client.read_automations(limit=_PAGE, offset=offset):
        yield from (each for each in page if each.name.startswith(PREFIX))
        offset += len(page)


def _notice(client: SyncPrefectClient, settings: Settings, *, dry_run: bool) -> Notice:
    words = settings.words.notify
    faults: list[Fault] = []
    webhook = email = ""
    if words.webhook:
        try:
            webhook = str(client.read_block_document_by_name(words.webhook, "webhook").id)
        except ObjectNotFound:
            what = f"Prefect has no Webhook block {words.webhook!r}"
            mend = "make one under Blocks in Prefect's pages, or name another"
            faults.append(settings.fault(Problem(("notify", "webhook"), what, mend)))
    if words.email:
        try:
            email = _mailer(client, words.email, words.to, dry_run=dry_run)
        except LookupError as error:
            mend = "name a notification block, such as one of type Sendgrid Email"
            faults.append(settings.fault(Problem(("notify", "email"), str(error.args[0]), mend)))
    if faults:
        raise Misdeclared(faults)
    return Notice(webhook, email)


def _mailer(client: SyncPrefectClient, name: str, to: tuple[str, ...], *, dry_run: bool) -> str:
    """The id of the block that sends e-mails; it has the addresses *to* afterwards.

    Raises LookupError saying what is wrong with it.
    """
    found = []
    for kind in client.read_block_types():
        with contextlib.suppress(ObjectNotFound):
            found.append((kind.slug, client.read_block_document_by_name(name, kind.slug)))
    able = [
        (kind, block)
        for kind, block in found
        if block.block_schema and _NOTIFY in block.block_schema.capabilities
    ]
    if not able:
        kinds = ", ".join(kind for kind, _ in found)
        other = f", only one of type {kinds}, which sends no messages" if found else ""
        raise LookupError(f"Prefect has no notification block {name!r}{other}")
    if len(able) > 1:
        raise LookupError(f"{name!r} is the name of several notification blocks")
    slug, block = able[0]
    if to and slug != _SENDGRID:
        raise LookupError(f"{name!r} is of type {slug}, which has its addresses itself")
    if to and tuple(block.data["to_emails"]) != to and not dry_run:
        data = block.data | {"to_emails": list(to)}
        client.update_block_document(block.id, BlockDocumentUpdate(data=data))
    return str(block.id)


def _paused(automation: AutomationCore) -> bool:
    return not automation.enabled
