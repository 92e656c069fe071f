"""The kinds of inputs that `python -m tests.fuzz` tries, and what is done once before them."""

import codecs
import contextlib
import encodings
import pkgutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo, available_timezones

from tests import fuzz_jobs, fuzz_regexps, fuzz_templates, fuzz_yaml
from tests.fuzz_watch import Case, Kind, Watch

WARMING = 40  # inputs of each kind that are run first, whatever they do
_ZONES: list[ZoneInfo] = []  # kept, for otherwise they would be read again


def kinds(folder: Path) -> Sequence[Kind]:
    """Every kind; *folder* is empty, and for the files that inputs need."""
    path = fuzz_jobs.lay(folder)

    def write(case: Case) -> None:
        path.write_bytes(case["text"].encode("utf-8", "surrogatepass"))

    return (
        Kind("templates", 35, fuzz_templates.draw, fuzz_templates.run),
        Kind("regexps", 25, fuzz_regexps.draw, fuzz_regexps.run),
        Kind("yaml", 10, fuzz_yaml.draw_yaml, fuzz_yaml.run_yaml),
        Kind("driver files", 8, fuzz_yaml.draw_driver, fuzz_yaml.run_driver),
        Kind("mappings", 12, fuzz_jobs.draw_mapping, fuzz_jobs.run_mapping),
        Kind(
            "job files",
            10,
            fuzz_jobs.draw_text,
            partial(fuzz_jobs.run_text, path=path),
            before=write,
            folder=folder / "jobs",
        ),
    )


def warm(every: Sequence[Kind], watch: Watch) -> None:
    """Has Python read what it reads once: modules, codecs, and the time zones that may be named."""
    for module in pkgutil.iter_modules(encodings.__path__):
        with contextlib.suppress(LookupError, ImportError):
            codecs.lookup(module.name)
    _ZONES.extend(map(ZoneInfo, sorted(available_timezones())))
    for kind in every:
        for number in range(WARMING):
            watch.see(kind, kind.draw(Random(f"warm/{number}")))
