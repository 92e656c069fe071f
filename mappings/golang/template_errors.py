"""What goes wrong in a template: at compile, at execution, in a function of its language."""

NAME = "tpl"  # the name Canopsis gives every template, shown in Go's messages


class TemplateSyntaxError(Exception):
    """A text Go refuses to parse.

    `line` and `column` are 1-based and count characters; `cause` is Go's sentence without place.
    """

    def __init__(self, cause: str, line: int, column: int) -> None:
        super().__init__(f"template: {NAME}:{line}: {cause}")
        self.cause = cause
        self.line = line
        self.column = column


class TemplateExecError(Exception):
    """A template that fails on the value it was given.

    `line` and `column` are 1-based and count characters; `cause` is Go's sentence without place.
    The text is Go's, whose columns are 0-based and count UTF-8 bytes.
    """

    def __init__(self, text: str, cause: str, line: int, column: int) -> None:
        super().__init__(text)
        self.cause = cause
        self.line = line
        self.column = column


class Fault(Exception):
    """An operation of the language that fails: Go's sentence, the place still unknown."""
