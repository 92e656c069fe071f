"""What people read of explain, drift, coverage and adopt."""

from collections.abc import Iterable
from typing import Any

import orjson

from flows.adopt import Adoption
from flows.console import Shown, many
from flows.coverage import Coverage
from flows.drift import Drift
from flows.explain import Explanation
from flows.live import Difference

_SHOWN = 20  # rows of a service, entities of a service
_WHOSE = {"ours": "", "theirs": "theirs: left alone", "stale": "ours once: given no more"}


def show_explanation(shown: Shown, seen: Explanation) -> None:
    shown.line(f"{seen.id}  of {seen.job}: {seen.state}", "bold")
    for row in seen.rows[:_SHOWN]:
        shown.line(f"record    {seen.dataset} {row.number}  {_json(row.record)}")
    hidden = len(seen.rows) + seen.more_rows - _SHOWN
    if hidden > 0:
        shown.line(f"          … and {hidden} more records")
    if seen.reject:
        shown.line(
            f"record    {seen.dataset} {seen.reject['number']}  {_json(seen.reject['record'])}"
        )
        shown.line(f"reject    {seen.reject['rule']}: {seen.reject['reason']}", "yellow")
    if seen.rules:
        rows = ((r.rule, _given(r.given), _json(r.value), r.where) for r in seen.rules)
        shown.table(("rule", "reads", "value", "where"), rows)
    _show_known(shown, seen)
    _show_live(shown, seen)
    for note in seen.notes:
        shown.note(note)
    shown.note(f"{many(seen.records, 'record')} read")


def _show_known(shown: Shown, seen: Explanation) -> None:
    known = seen.known
    if known is None:
        shown.line(f"ledger    not owned in {seen.target}")
        return
    same = {True: "as the source says now", False: "other than the source says now", None: ""}
    words = [known.state, f"dataset {known.dataset}", same[known.same]]
    if not known.confirmed:
        words.append("unconfirmed: the next sync sends it again")
    if known.missed:
        words.append(f"missing in {many(known.missed, 'run')}")
    shown.line(f"ledger    {', '.join(filter(None, words))}  ({known.fingerprint})")
    shown.line(f"last run  {known.run}  {known.mode}  {known.outcome}  {known.started}")


def _show_live(shown: Shown, seen: Explanation) -> None:
    if seen.live is None:
        shown.line(f"canopsis  {seen.target} does not hold it")
        return
    state = "enabled" if seen.live.get("enabled") else "disabled"
    source = seen.live.get("import_source") or "no import source"
    shown.line(f"canopsis  {seen.live.get('type')}, {state}, import source: {source}")
    if seen.depends is not None:
        some = ", ".join(seen.depends[:_SHOWN])
        shown.line(f"depends   {len(seen.depends)} entities: {some}")
    if seen.differences:
        shown.table(("field", "ours", "there", ""), map(_difference, seen.differences))
    elif seen.entity is not None:
        shown.line("          no difference", "green")


def _difference(each: Difference) -> tuple[str, str, str, str]:
    ours = "" if each.whose != "ours" else _json(each.wanted)
    return each.field, ours, _json(each.there), _WHOSE[each.whose]


def show_drift(shown: Shown, seen: Drift, limit: int) -> None:
    rows = [
        (entity.id, each.field, _json(each.wanted), _json(each.there))
        for entity in seen.drifted[:limit]
        for each in entity.differences
    ]
    if rows:
        shown.table(("entity", "field", "ours", "there"), rows)
    if len(seen.drifted) > limit:
        shown.line(f"… and {len(seen.drifted) - limit} more entities")
    shown.line(f"compared with {seen.basis}")
    doubt = f", {seen.uncompared} not compared by value" if seen.uncompared else ""
    theirs = f", {many(seen.extra, 'info')} of others left alone" if seen.extra else ""
    shown.line(f"{seen.owned} owned, {len(seen.drifted)} drifted{doubt}{theirs}")
    if seen.repaired is not None:
        done = seen.repaired
        shown.line(
            f"repaired  {done.sent} sent again, {done.found} of {done.expected} read back,"
            f" {done.manual} left disabled   run {done.run}"
        )


def show_coverage(shown: Shown, seen: Coverage, limit: int) -> None:
    shown.line(f"{seen.connection}: {many(seen.alarms, 'open alarm')} read", "bold")
    share = _share(seen.enriched, seen.alarms)
    shown.line(f"{seen.enriched} carry infos of ours ({share})")
    shown.table(("import source", "alarms", "share"), _counts(seen.sources, seen.alarms))
    shown.table(("info", "alarms", "share"), _counts(seen.infos, seen.alarms))
    rows = [
        (each.component, str(each.alarms), str(each.worst), each.since, ", ".join(each.entities))
        for each in seen.unknown[:limit]
    ]
    if rows:
        shown.line("no feed knows:")
        shown.table(("component", "alarms", "worst", "since", "entities"), rows)
    if len(seen.unknown) > limit:
        shown.line(f"… and {len(seen.unknown) - limit} more components")
    for warning in seen.warnings:
        shown.warning(warning)


def show_adoption(shown: Shown, seen: Adoption, limit: int) -> None:
    order = sorted(seen.candidates, key=lambda each: (each.found, each.id))
    rows = (
        (each.id, each.kind, each.dataset, _state(each.enabled), _fate(seen, found=each.found))
        for each in order[:limit]
    )
    if order:
        shown.table(("entity", "kind", "dataset", "state", ""), rows)
    if len(order) > limit:
        shown.line(f"… and {len(order) - limit} more")
    shown.line(
        f"{seen.held} entities of {seen.import_source} in {seen.target}:"
        f" {seen.owned} owned already,"
        f" {len(seen.found)} found by {seen.job}, {len(seen.missing)} not"
    )
    if seen.partial:
        shown.warning(f"not read completely, so that more may be found: {seen.partial}")
    if seen.run:
        shown.line(f"owned from now on   run {seen.run}; next: refsync plan {seen.job}")
    elif order:
        shown.line("nothing was written; add --yes to do it")


def _state(enabled: bool) -> str:  # noqa: FBT001 - a word for a truth value
    return "enabled" if enabled else "disabled"


def _fate(seen: Adoption, *, found: bool) -> str:
    if found:
        return "adopt"
    return "adopt, then missing" if seen.with_missing else "not found: left alone"


def _counts(counts: dict[str, int], total: int) -> Iterable[tuple[str, str, str]]:
    ordered = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    return ((name or "(none)", str(count), _share(count, total)) for name, count in ordered)


def _share(count: int, total: int) -> str:
    return f"{100 * count / total:.0f} %" if total else "-"


def _given(given: dict[str, Any]) -> str:
    return ", ".join(f"{name}={_json(value)}" for name, value in given.items())


def _json(value: Any) -> str:
    text = orjson.dumps(value, default=str).decode()
    return text if len(text) <= 200 else f"{text[:199]}…"
