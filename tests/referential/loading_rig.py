"""A feed that is synchronized into a simulated Canopsis: real ledger, real plan, real loader."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path
from typing import Any

import orjson
import pandas as pd

from referential.client import Canopsis
from referential.columns import to_frame
from referential.entity import entity_id, fingerprint, joined_keys
from referential.feed import Feed
from referential.ledger import Ledger
from referential.loaded import Loaded
from referential.loader import Progress, load
from referential.plan import Plan, make_plan
from referential.rows import Places
from referential.verify import Verified, verify
from tests.referential.canopsis_rig import Simulated, connection, simulated

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


class Memory:
    """A spool's entities file that is not one."""

    def __init__(self, items: Sequence[bytes]) -> None:
        self._bytes = b"".join(items)

    def read(self, offsets: Places, sizes: Places) -> list[bytes]:
        spans = zip(offsets, sizes, strict=True)
        return [self._bytes[offset : offset + size] for offset, size in spans]

    def runs(self, offsets: Places, sizes: Places) -> list[bytes]:
        return [b",".join(self.read(offsets, sizes))]


def found(items: Sequence[bytes], dataset: str = "servers") -> pd.DataFrame:
    """What an extraction of *items* gives the plan."""
    bodies = list(map(orjson.loads, items))
    sizes = list(map(len, items))
    ids = [entity_id(each["type"], each["name"], each.get("component", "")) for each in bodies]
    return to_frame(
        {
            "id": ids,
            "kind": [each["type"] for each in bodies],
            "group": [
                "" if each["type"] == "service" else each.get("component", each["name"])
                for each in bodies
            ],
            "dataset": [dataset] * len(bodies),
            "category": [each.get("category", "") for each in bodies],
            "infos": [joined_keys(tuple(each.get("infos", ()))) for each in bodies],
            "fingerprint": list(map(fingerprint, items)),
            "offset": list(accumulate(sizes, initial=0))[:-1],
            "size": sizes,
        }
    )


@dataclass
class Run:
    """One synchronization: what was planned and done."""

    id: str
    plan: Plan
    loaded: Loaded


@dataclass
class Rig:
    """A feed, its ledger and its Canopsis."""

    there: Simulated
    ledger: Ledger
    feed: Feed = field(default_factory=lambda: Feed("acme/servers", "acme-canopsis"))
    source: str = "acme"

    def sync(
        self,
        *items: bytes,
        missing: str = "disable",
        progress: Progress = lambda _settled, _total: None,
        loaded: Loaded | None = None,
        respect_manual: bool = True,
        **settings: Any,
    ) -> Run:
        """Synchronize *items* as the whole feed; *settings* are those of the connection."""
        run = self.ledger.start_run(self.feed, "sync", NOW)
        with (
            self.ledger.lock(self.feed, run),
            Canopsis(connection(self.there.url, **settings)) as canopsis,
        ):
            plan = make_plan(
                found(items),
                self.ledger.known(self.feed),
                feed=self.feed,
                mode="sync",
                missing=missing,
                complete=True,
            )
            loaded = load(
                plan,
                Memory(items),
                canopsis,
                self.ledger,
                run=run,
                source=self.source,
                progress=progress,
                loaded=loaded,
                respect_manual=respect_manual,
            )
        return Run(run, plan, loaded)

    def verify(self, run: Run) -> Verified:
        with Canopsis(connection(self.there.url)) as canopsis:
            return verify(run.plan, run.loaded, canopsis, source=self.source)

    def known(self) -> dict[str, str]:
        """What the ledger owns, with its state."""
        known = self.ledger.known(self.feed)
        return dict(zip(known["id"], known["state"], strict=True))


@contextlib.contextmanager
def rigged(folder: Path, **knobs: Any) -> Iterator[Rig]:
    with (
        simulated(**knobs) as there,
        Ledger.open(f"sqlite:///{folder / 'ledger.db'}") as ledger,
    ):
        yield Rig(there, ledger)
