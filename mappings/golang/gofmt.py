"""Go's `fmt`: `%v` of every value of a template, `print`, `println` and `printf`.

Widths and precisions are bounded as Go bounds them (1e6), and so is what one call may give.
"""

from typing import Any

from mappings.golang import gofloat
from mappings.golang.gofmt_verbs import Flags, Printer
from mappings.golang.template_values import Byte, Int, type_name

MAX_NUMBER = 1_000_000  # Go: a width, a precision or an argument's rank beyond it is bad


def show(value: Any) -> str:
    """What `{{value}}` prints."""
    return "<no value>" if value is None else text(value)


def text(value: Any) -> str:
    """`%v` of a value: what `print` makes of it alone."""
    kind = type(value)
    if kind is str:
        return str(value)
    if kind is float:
        return gofloat.general(value)
    if kind is bool:
        return "true" if value else "false"
    if kind is int or kind is Int or kind is Byte:
        return int.__repr__(value)
    return Printer(Flags()).print(value, "v")


def sprint(*args: Any) -> str:
    """`print`: a space between two operands of which neither is a string."""
    pieces: list[str] = []
    after_string = True
    for arg in args:
        is_string = isinstance(arg, str)
        if not is_string and not after_string:
            pieces.append(" ")
        pieces.append(text(arg))
        after_string = is_string
    return "".join(pieces)


def sprintln(*args: Any) -> str:
    return " ".join(map(text, args)) + "\n"


def sprintf(form: str, *args: Any) -> str:
    """`printf`."""
    return _Format(form, args).run()


class _Format:
    """One `printf`: the place in the format, the rank of the next operand."""

    def __init__(self, form: str, args: tuple[Any, ...]) -> None:
        self.form = form
        self.args = args
        self.at = 0
        self.rank = 0
        self.reordered = False  # some verb chose its operand by number
        self.good = True  # the numbers chosen by the current verb exist
        self.after_number = False
        self.flags = Flags()
        self.printer = Printer(self.flags)
        self.written: list[str] = []

    def run(self) -> str:
        while self.at < len(self.form):
            percent = self.form.find("%", self.at)
            if percent < 0:
                self.written.append(self.form[self.at :])
                break
            self.written.append(self.form[self.at : percent])
            self.at = percent + 1
            self._directive()
        if not self.reordered and self.rank < len(self.args):
            self.written.append(self._extra())
        return "".join(self.written)

    def _extra(self) -> str:
        self.printer.flags = Flags()
        shown = [
            "<nil>" if arg is None else f"{type_name(arg)}={self.printer.print(arg, 'v')}"
            for arg in self.args[self.rank :]
        ]
        return f"%!(EXTRA {', '.join(shown)})"

    def _char(self) -> str:
        return self.form[self.at : self.at + 1]

    def _directive(self) -> None:
        self.flags = self.printer.flags = Flags()
        self.good, self.after_number = True, False
        self._read_flags()
        self._argument_number()
        self._read_width()
        self._read_precision()
        if not self.after_number:
            self._argument_number()
        verb = self._char()
        self.at += 1
        self.written.append(self._under(verb) if verb else "%!(NOVERB)")

    def _under(self, verb: str) -> str:
        if verb == "%":
            return "%"
        if not self.good:
            return f"%!{verb}(BADINDEX)"
        if self.rank >= len(self.args):
            return f"%!{verb}(MISSING)"
        flags = self.flags
        if verb in "vw":
            flags.sharp_v, flags.sharp = flags.sharp, False
            flags.plus_v, flags.plus = flags.plus, False
        value = self.args[self.rank]
        self.rank += 1
        return self.printer.print(value, verb)

    def _read_flags(self) -> None:
        names = {"#": "sharp", "0": "zero", "+": "plus", "-": "minus", " ": "space"}
        while (char := self._char()) in names:
            setattr(self.flags, names[char], True)
            self.at += 1

    def _read_width(self) -> None:
        if self._char() == "*":
            self.at += 1
            width = self._operand_number()
            if width is None:
                self.written.append("%!(BADWIDTH)")
            elif width < 0:
                width = -width
                self.flags.minus, self.flags.zero = True, False
            self.flags.width = width
            self.after_number = False
            return
        self.flags.width = self._digits()
        if self.after_number and self.flags.width is not None:
            self.good = False

    def _read_precision(self) -> None:
        # A dot that ends the format is no precision: Go then takes it for the verb.
        if self._char() != "." or self.at + 1 >= len(self.form):
            return
        self.at += 1
        if self.after_number:
            self.good = False
        self._argument_number()
        if self._char() == "*":
            self.at += 1
            precision = self._operand_number()
            if precision is None or precision < 0:
                precision = None
                self.written.append("%!(BADPREC)")
            self.flags.precision = precision
            self.after_number = False
            return
        self.flags.precision = self._digits() or 0

    def _digits(self) -> int | None:
        """A number of the format; None when there is none. An overlong one spoils the rest."""
        begun = self.at
        number = 0
        while (char := self._char()) and char in "0123456789":
            if number > MAX_NUMBER:
                self.at = len(self.form)
                return None
            number = number * 10 + int(char)
            self.at += 1
        return number if self.at > begun else None

    def _operand_number(self) -> int | None:
        """The operand taken by `*`, None when it is no number within bounds."""
        if self.rank >= len(self.args):
            return None
        value = self.args[self.rank]
        self.rank += 1
        whole = isinstance(value, int) and not isinstance(value, bool)
        return int(value) if whole and -MAX_NUMBER <= value <= MAX_NUMBER else None

    def _argument_number(self) -> None:
        """`[n]`: the rank, from 1, of the operand to take."""
        self.after_number = False
        if self._char() != "[":
            return
        self.reordered = True
        close = self.form.find("]", self.at)
        if close < 0 or len(self.form) - self.at < 3:
            self.good = False
            self.at += 1
            return
        begun, self.at = self.at + 1, close + 1
        digits = self.form[begun:close]
        self.after_number = digits.isascii() and digits.isdigit() and _bounded(digits)
        if self.after_number and 1 <= int(digits) <= len(self.args):
            self.rank = int(digits) - 1
        else:
            self.good = False


def _bounded(digits: str) -> bool:
    """Whether Go reads the number to its end: it stops once it has passed the bound."""
    return len(digits) < 1000 and int(digits[:-1] or "0") <= MAX_NUMBER
