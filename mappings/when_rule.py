"""`when:` the records that a block is for, by conditions in the words of patterns.

    when: {field: status, cond: neq, value: obsolete}
    when: [{field: status, cond: eq, value: production}, {field: cpu, cond: gt, value: 2}]   # all
    when: {any: [{field: owner.team, cond: exist, value: true}, {not: {field: …}}]}

Texts are compared, so that 1 and "1" are one; `gt` and `lt` compare numbers. A value that is
missing, null or of another kind meets no condition but the negative ones (`neq`, `is_not_one_of`,
`not_contain`, `has_not`, …), which are the exact opposites of the others: what is not known to be
obsolete is not left out.
"""

from typing import Self

from pydantic import Field, model_validator

from mappings.constants import ConstantField
from mappings.strict import Bare, refusal


class WhenRule(Bare):
    """One condition on a record, or several: a list holds when all of them do."""

    written = "{field: …, cond: …, value: …}, or a list of such conditions"
    scalars = ("array",)

    field: str | None = Field(default=None, description="Path of the field that is compared.")
    cond: str | None = Field(
        default=None,
        description="How: eq, neq, is_one_of, contain, begin_with, regexp, exist, gt, has_one_of…",
    )
    value: ConstantField | None = Field(default=None, description="With what: a constant.")
    all: tuple["WhenRule", ...] | None = Field(
        default=None, description="Conditions that must all hold."
    )
    any: tuple["WhenRule", ...] | None = Field(
        default=None, description="Conditions of which one must hold."
    )
    not_: "WhenRule | None" = Field(
        default=None, alias="not", description="Condition that must not hold."
    )

    @classmethod
    def dressed(cls, data: object) -> object:
        return {"all": data} if isinstance(data, list) else data

    @model_validator(mode="after")
    def _is_one_of_four(self) -> Self:
        single = any(each is not None for each in (self.field, self.cond, self.value))
        whole = None not in (self.field, self.cond, self.value)
        ways = [self.all is not None, self.any is not None, self.not_ is not None, single]
        form, keep = "write {field: …, cond: …, value: …}", "keep one of them"
        for wrong, what, mend in (
            (sum(ways) > 1, "a condition, all, any and not exclude each other", keep),
            (() in (self.all, self.any), "an empty list holds no condition", form),
            (not any(ways), "no condition: write field, cond and value, or all, any, not", form),
            (single and not whole, "a condition has field, cond and value", form),
        ):
            if wrong:
                raise refusal(what, mend)
        return self
