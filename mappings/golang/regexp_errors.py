"""What goes wrong with a regular expression: it does not compile, or it works too long."""


class RegexpSyntaxError(ValueError):
    """A pattern that is refused, in Go's words (`error parsing regexp: missing closing ]: ...`).

    `code` is Go's reason (or ours, for what only the fallback knows), `expr` the offending part
    and `offset` its 0-based place in `pattern`, in characters.
    """

    def __init__(self, code: str, expr: str, *, pattern: str, offset: int = 0) -> None:
        super().__init__(f"error parsing regexp: {code}: `{expr}`")
        self.code = code
        self.expr = expr
        self.pattern = pattern
        self.offset = offset


class RegexpTimeout(Exception):
    """A value on which a pattern would work too long: that value is a reject, not the run.

    `length` is that of the value in characters, 0 when the pattern is too large for any.
    """

    def __init__(self, pattern: str, length: int) -> None:
        fault = f"works too long on a value of {length} characters" if length else "is too large"
        super().__init__(f"the regular expression `{pattern}` {fault}")
        self.add_note("mend: avoid repetitions inside repetitions, or bound them ({1,50})")
        self.pattern = pattern
        self.length = length
