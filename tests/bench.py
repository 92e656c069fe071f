"""Every figure in one table: `make bench`, or `python -m tests.bench --quick` for a tenth of it.

CPU seconds (user + sys) and ratios to what was measured in the same process: seconds of a clock
say more of the other tenants of a machine than of refsync. The days are medians of the rounds,
each beside its lowest and highest ratio; sources, mapping and templates are the best of theirs.
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import Any

from tests import bench_gotemplate, bench_ledger, bench_mapping, bench_sources
from tests.bench_days import days, systems
from tests.bench_feeds import FEEDS

RECORDS, ROUNDS = 100_000, 3
QUICK_RECORDS, QUICK_ROUNDS = 10_000, 1
TARGETS = {"first": 4.0, "idle": 3.0}  # times the floor
PEAK = 250  # MiB, at RECORDS
STAGES = ("check", "extract", "plan", "guard", "load", "verify", "record")
MIB = 1 << 20

Run = Mapping[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="10,000 records, one round")
    quick = parser.parse_args().quick
    count, rounds = (QUICK_RECORDS, QUICK_ROUNDS) if quick else (RECORDS, ROUNDS)
    with systems(count) as there:
        measured = [days(there, count) for _ in range(rounds)]
    _tell(f"{count:,} records, median of {rounds}", ("first", "idle", "changed"))
    for name, cells in table(measured):
        _tell(name, cells)
    _tell("")
    for name, figure in sources(quick=quick):
        _tell(f"sources: {name}", (_number(figure),))
    _tell("")
    million = bench_ledger.QUICK if quick else bench_ledger.ENTITIES
    for name, figure in bench_ledger.figures(million).items():
        _tell(f"ledger, {name}", (_number(figure),))
    _tell("")
    modules = {"mapping": bench_mapping.figures(), "templates": bench_gotemplate.figures()}
    for module, figures in modules.items():
        for name, figure in figures.items():
            _tell(f"{module}: {name}", (_number(figure),))


def table(rounds: Sequence[Mapping[str, Run]]) -> list[tuple[str, list[str]]]:
    """The rows on the three days, a cell for each day."""
    runs = {day: [each[day] for each in rounds] for day in rounds[0]}

    def row(name: str, figure: Any, form: str = ".2f") -> tuple[str, list[str]]:
        return name, [format(median(map(figure, runs[day])), form) for day in runs]

    return [
        row("floor: loads + dumps, CPU s", floor),
        row("check to record, CPU s", lambda run: run["cpu"]),
        row("ratio to the floor", ratio),
        ("  lowest to highest", [_spread(list(map(ratio, runs[day]))) for day in runs]),
        ("  target", [_target(day) for day in runs]),
        row("bare script, CPU s", lambda run: run["bare"]["cpu"]),
        row("  ratio to its own floor", lambda run: ratio(run["bare"])),
        row("refsync / bare script", lambda run: run["cpu"] / run["bare"]["cpu"]),
        *(row(f"  {name}, CPU s", lambda run, n=name: run["stages"].get(n, 0)) for name in STAGES),
        row("  lock, reports, rest of run_job, CPU s", lambda run: run["whole"] - run["cpu"]),
        row("start and imports, CPU s (apart)", lambda run: run["start"]),
        row("clock from check to record, s", lambda run: run["wall"]),
        row(f"peak memory, MiB (target {PEAK})", lambda run: run["peak"], ".0f"),
        row("imports received", lambda run: run["received"]["imports"], ",.0f"),
        row("entities received", lambda run: run["received"]["items"], ",.0f"),
        row("MiB received", lambda run: run["received"]["bytes"] / MIB),
    ]


def floor(run: Run) -> float:
    return float(run["loads"] + run["dumps"])


def ratio(run: Run) -> float:
    """What a run costs, as a multiple of the floor of its own process."""
    return float(run["cpu"]) / floor(run)


def sources(*, quick: bool) -> Iterator[tuple[str, float]]:
    """What every source over HTTP costs, and what slices hide of latency."""
    for feed in FEEDS:
        yield from bench_sources.cost(feed).items()
        if not quick:
            yield from bench_sources.latency(feed).items()


def _target(day: str) -> str:
    return f"<= {TARGETS[day]:.1f}" if day in TARGETS else "-"


def _spread(values: Sequence[float]) -> str:
    return f"{min(values):.2f}-{max(values):.2f}"


def _number(figure: float) -> str:
    return f"{figure:,.2f}" if figure < 1_000 else f"{figure:,.0f}"


def _tell(name: str, cells: Sequence[str] = ()) -> None:
    print(f"{name:<68}", *(f"{cell:>12}" for cell in cells), flush=True)  # noqa: T201 - a bench


if __name__ == "__main__":
    main()
