"""A feed: what one job keeps in one Canopsis. Ownership of entities is counted per feed."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Feed:
    """`job` is `<customer>/<job>`; `target` is the name of the Canopsis connection."""

    job: str
    target: str

    def __str__(self) -> str:
        return f"{self.job} -> {self.target}"
