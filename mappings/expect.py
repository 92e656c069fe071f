"""Expectations of a job against what its data turned out to be."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from mappings.language import ExpectRule
from mappings.tally import DatasetTally, Failure
from mappings.watched import Watched


def judge(
    expect: Mapping[str, ExpectRule],
    datasets: Mapping[str, DatasetTally],
    watched: Sequence[Watched] = (),
) -> list[Failure]:
    """The expectations that failed, in the order of the job.

    They speak of a whole dataset: a window or a slice of it may fail them rightly.
    """
    return [
        Failure(dataset, what, f"mend the source, or change mapping.expect.{dataset}.{key}")
        for dataset, rule in expect.items()
        for key, what in (
            *_failed(rule, datasets[dataset]),
            *_odd(each for each in watched if each.dataset == dataset),
        )
    ]


def _odd(watched: Iterable[Watched]) -> Iterator[tuple[str, str]]:
    for each in watched:
        word = "unique" if each.unique else f"allowed.{each.key}"
        if each.failure:
            yield word, each.failure


def _failed(rule: ExpectRule, tally: DatasetTally) -> Iterator[tuple[str, str]]:
    """(key of the rule, what failed) with numbers and limits."""
    if rule.min is not None and tally.records < rule.min:
        yield "min", f"{tally.records} records, where at least {rule.min} were expected"
    if rule.max is not None and tally.records > rule.max:
        yield "max", f"{tally.records} records, where at most {rule.max} were expected"
    for info, least in rule.filled.items():
        share = tally.filled.get(info, 0.0)
        if share < least:
            what = f"info {info!r} is filled for {share:.1%} of the entities"
            yield f"filled.{info}", f"{what}, where at least {least:.1%} was expected"
    rejected = tally.rejects / tally.records if tally.records else 0.0
    if rule.rejects is not None and rejected > rule.rejects:
        what = f"{tally.rejects} of {tally.records} records are rejects ({rejected:.1%})"
        yield "rejects", f"{what}, where at most {rule.rejects:.1%} was expected"
