"""The command `refsync report`: the pages of runs and customers, written again."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from flows.arguments import AsJson
from flows.console import Shown
from flows.misdeclared import Fault, Misdeclared
from flows.report import write_all, write_customer, write_index, write_run
from flows.report_changes import first_rows
from flows.report_customer import customer_of
from flows.report_facts import Facts, facts_of, spool_of
from flows.settings import Settings, load_settings
from flows.workplace import open_ledger
from referential.errors import Refused
from referential.ledger import Ledger

_HERE = "refsync report"


def report(
    run: Annotated[str | None, Parameter(help="Id of a run, as `refsync runs` shows it.")] = None,
    *,
    customer: Annotated[str | None, Parameter(help="The page of this customer.")] = None,
    all: Annotated[  # noqa: A002 - its word
        bool, Parameter(negative="", help="The pages of all runs, all customers, and the index.")
    ] = False,
    out: Annotated[Path | None, Parameter(help="Write the page to this file instead.")] = None,
    json: AsJson = False,
) -> int:
    """Write the page of a run or of a customer again, from the ledger and what the spool still has.

    Without a word, those of all customers and the index. What is no longer there the page says. A
    run's --json has all its changes, one by one.

    For example

        refsync report 20261124T031500Z-3f9a --out run.html
        refsync report --customer acme
        refsync report 20261124T031500Z-3f9a --json | jq .changes
    """
    shown, settings = Shown(json), load_settings()
    _one_of(run, customer, all=all, out=out)
    with open_ledger(settings) as ledger:
        if run is not None:
            document = _run(settings, ledger, run, out, whole=json)
        elif customer is not None:
            document = {"pages": [_customer(settings, ledger, customer, out)]}
        else:
            pages = write_all(settings, ledger, runs=all)
            document = {"pages": [str(page) for page in pages]}
    if json:
        shown.json(document)
        return 0
    for page in document["pages"]:
        shown.line(page)
    for lost in document.get("gone", ()):
        shown.note(f"no longer there: {lost}")
    return 0


def _one_of(run: str | None, customer: str | None, *, all: bool, out: Path | None) -> None:  # noqa: A002 - see above
    asked = [run is not None, customer is not None, all]
    if sum(asked) > 1:
        what = "a run, --customer and --all exclude one another"
        raise Misdeclared([Fault(_HERE, what, "ask for one of them")])
    if out is not None and (all or not any(asked)):
        what = "--out is the file of one page"
        raise Misdeclared([Fault(_HERE, what, "name a run or a --customer")])


def _run(
    settings: Settings, ledger: Ledger, run: str, out: Path | None, *, whole: bool
) -> dict[str, Any]:
    try:
        facts = facts_of(settings, ledger, run)
    except Refused as refusal:  # no such run
        raise Misdeclared.of(refusal, f"{_HERE} {run}") from refusal
    page = write_run(settings, facts, out)
    if out is None:
        write_customer(settings, ledger, customer_of(facts.run.feed.job))
        write_index(settings, ledger)
    document = {"pages": [str(page)], "gone": list(facts.gone)}
    return document | _whole(settings, ledger, facts) if whole else document


def _whole(settings: Settings, ledger: Ledger, facts: Facts) -> dict[str, Any]:
    """The run as a document: its row of the ledger, and its changes one by one."""
    spool = spool_of(settings, facts.run.feed.job, facts.run.id)
    files = ((spool.held, True), (spool.plan, False))
    rows = [row for path, waits in files for row in first_rows(path, None, waits=waits)]
    return {
        "run": asdict(facts.run),
        "kept": facts.kept,
        "coverage": facts.coverage,
        "changes": [asdict(row) for row in rows],
        "rejects": [asdict(each) for each in ledger.rejects(facts.run.id)],
    }


def _customer(settings: Settings, ledger: Ledger, customer: str, out: Path | None) -> str:
    known = sorted({customer_of(feed.job) for feed in ledger.feeds()})
    if customer not in known:
        what, mend = f"no feed of customer {customer!r} has run", f"known are {', '.join(known)}"
        raise Misdeclared([Fault(f"{_HERE} --customer", what, mend if known else "run one")])
    page = write_customer(settings, ledger, customer, out)
    if out is None:
        write_index(settings, ledger)
    return str(page)
