"""The `record:` block of a job: what `refsync record` makes of real values before it keeps them.

    record:
      default: auto
      anonymize:
        servers: {hostname: name, ip: ipv4, owner.email: email, owner.phone: digits, status: keep}
        "*": {comment: drop}

A rule for a field is one for all that is below it, in objects and in lists; the longest path holds,
and a dataset's own rules go before those of `*`. What no rule names is treated by `default`, but
for texts that the job itself writes (rows of its tables, words of its conditions, …), which are no
secret and without which the mapping would know nothing: those stay.
"""

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from flows.pseudonyms import SHAPES, Shape
from mappings.errors import Place
from mappings.footprint import ITEM, Footprint, footprint_of
from mappings.mapper import Mapper
from mappings.paths import KEY, Path, path_of, path_text
from mappings.vocabulary import suggestion

Treatment = Literal[Shape, "keep", "drop"]
EVERY = "*"


class RecordBlock(BaseModel):
    """The `record:` block: how real records become records that may be kept beside the job."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    default: Treatment = Field(
        default="auto",
        description="What becomes of a field that no rule names; texts that the job itself writes "
        "stay.",
    )
    anonymize: dict[str, dict[str, Treatment]] = Field(
        default_factory=dict,
        description="By dataset (`*`: all of them) and field: `keep` leaves it, `drop` takes it "
        "away; the others put a stand-in in its place, the same one for the same value. `text`: "
        "letters for letters, digits for digits; `name`: the same word by word, so that parts that "
        "names share stay shared; `digits`: only the digits; `hash`: a token; `email`, `ipv4`, "
        "`date`: another one for each in the text; `auto`: by what the text is.",
    )


@dataclass(frozen=True, slots=True)
class Rule:
    """What becomes of one field; not `declared`: for no rule names it."""

    treatment: Treatment
    declared: bool


class Rules:
    """The rules of a block, as far as they can be read."""

    def __init__(self, block: RecordBlock) -> None:
        self._default = Rule(block.default, declared=False)
        self._named: dict[str, dict[Path, Rule]] = {}
        for dataset, fields in block.anonymize.items():
            for text, treatment in fields.items():
                path = path_of(text, Place(()))
                if path is not None:
                    named = self._named.setdefault(dataset, {})
                    named[path] = Rule(treatment, declared=True)

    def rule(self, dataset: str, path: Path) -> Rule:
        """The rule for the field at *path*, in which lists are no step."""
        for named in (self._named.get(dataset, {}), self._named.get(EVERY, {})):
            for length in range(len(path), 0, -1):
                if path[:length] in named:
                    return named[path[:length]]
        return self._default


def is_shape(treatment: Treatment) -> bool:
    """Whether a stand-in takes the place of the value."""
    return treatment in SHAPES


def check_rules(block: Any, mapper: Mapper, place: Place) -> None:
    """Tells *place*, that of the *block* as it is written, of rules for what no one reads.

    A rule that is spelt badly would leave its field to the default. Under `*` fields need not be in
    every job: a customer's fragment may have them for all.
    """
    rules = block.get("anonymize") if isinstance(block, dict) else None
    for dataset, fields in rules.items() if isinstance(rules, dict) else ():
        at = place / "anonymize" / dataset
        if dataset not in (*mapper.datasets, EVERY):
            mend = suggestion(dataset, mapper.datasets, "datasets of the mapping")
            at.tell(f"unknown dataset {dataset!r}", mend, on_key=True)
            continue
        footprint = None if dataset == EVERY else footprint_of(mapper, dataset)
        for text in fields if isinstance(fields, dict) else ():
            path = path_of(text, at / text)
            if path is not None and footprint is not None:
                _check_read(path, footprint, at / text)


def _check_read(path: Path, footprint: Footprint, place: Place) -> None:
    known = {plain(each) for each in footprint.paths}
    known |= {(*each, KEY) for each in maps_of(footprint)}
    if not any(each[: len(path)] == path or path[: len(each)] == each for each in known):
        mend = suggestion(path_text(path), [path_text(each) for each in known], "fields it reads")
        place.tell(f"no rule of the mapping reads {path_text(path)!r}", mend, on_key=True)


def plain(path: Path) -> Path:
    """A path of a footprint as rules have it, without the steps of items."""
    return tuple(step for step in path if step != ITEM)


def maps_of(footprint: Footprint) -> set[Path]:
    """Where there may be a map of which `each` takes the items: its keys are data."""
    return {
        plain(path[:rank])
        for path in footprint.paths
        for rank, step in enumerate(path)
        if step == ITEM
    }
