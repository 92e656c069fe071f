"""What the mapper of a slice knows beside what it counts: of which dataset, behind which claims."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from mappings.casts import shown
from mappings.rejects import Reject
from mappings.running import Running

Claims = dict[str, str]  # whose an id is, where it could be of two kinds


@dataclass(slots=True)
class SliceState:
    """The slice at work; `known` claims were there before it, `rejects` it gave so far."""

    known: int
    dataset: str = ""
    rejects: int = 0

    def enter(self, dataset: str) -> None:
        """A page of a dataset is to be mapped; raises ValueError when it is of a second one."""
        if self.dataset not in ("", dataset):
            what = f"the mapper of a slice of {self.dataset!r} is given records of {dataset!r}"
            raise ValueError(f"{what}: make one for each")
        self.dataset = dataset

    def certain(self, rejects: list[Reject], units: Iterable[Running]) -> list[Reject]:
        """Those rejects of a page that are some whatever came before; the others are noted."""
        failed = {
            reject: trial
            for unit in units
            if unit.trials is not None
            for reject, trial in unit.trials.failed().items()
        }
        certain = [reject for reject in rejects if id(reject) not in failed]
        numbers = {reject.number for reject in certain}
        for rank, reject in enumerate(rejects, self.rejects):
            trial = failed.get(id(reject))
            if trial is not None:
                trial.rank, trial.nameless = rank, not reject.id
                trial.alone = reject.number not in numbers
        self.rejects += len(rejects)
        return certain

    def claimed(self, claims: Claims) -> Claims:
        """The claims that it made itself."""
        return dict(islice(claims.items(), self.known, None))


def contested(claims: Claims, made: Claims) -> str:
    """An id that a slice claimed for another than it belongs to by now; "" if there is none."""
    return next((each for each in made.keys() & claims.keys() if made[each] != claims[each]), "")


def again(dataset: str, what: str) -> str:
    """Why a slice must be mapped again."""
    return f"{dataset}: an earlier slice decides otherwise about {shown(what)}"
