r"""ruamel's scanner, made to accept what yaml.v3 accepts (`scannerc.go`, measured).

Python's YAML libraries refuse tabs outside quotes. In yaml.v3 they separate like blanks, save
where indentation or a list item is due: `name:\tx` is read, a line that begins with a tab is not.
"""

from typing import Any

from ruamel.yaml.scanner import Scanner, ScannerError

from mappings.plain_yaml import ShallowScanner

_BREAKS = "\r\n\x85\u2028\u2029"
_BLANKS = " \t"


_AFTER_NAME = _BREAKS + _BLANKS + "\0?:,]}%@`"


class GoScanner(ShallowScanner):
    def __init__(self, loader: Any = None) -> None:
        super().__init__(loader)
        # yaml.v3 knows no escaped slash
        self.ESCAPE_REPLACEMENTS = {
            char: text for char, text in Scanner.ESCAPE_REPLACEMENTS.items() if char != "/"
        }

    def scan_to_next_token(self) -> None:
        super().scan_to_next_token()
        while self.reader.peek() == "\t" and (self.flow_level or not self.allow_simple_key):
            self.reader.forward()
            super().scan_to_next_token()

    def scan_plain_spaces(self, indent: int, start_mark: Any) -> list[str] | None:
        """The blanks and line breaks after a word of a plain scalar, folded."""
        blanks = self._blanks()
        if self.reader.peek() not in _BREAKS:
            return [blanks] if blanks else []
        line_break = self.scan_line_break()
        self.allow_simple_key = True
        breaks: list[str] = []
        while not self._document_marker():
            while self.reader.peek() in _BLANKS:
                if self.reader.peek() == "\t" and self.reader.column < indent:
                    raise ScannerError(
                        "while scanning a plain scalar",
                        start_mark,
                        "found a tab character that violates indentation",
                        self.reader.get_mark(),
                    )
                self.reader.forward()
            if self.reader.peek() not in _BREAKS:
                folded = [] if line_break != "\n" or breaks else [" "]
                return [line_break] * (line_break != "\n") + folded + breaks
            breaks.append(self.scan_line_break())
        return None

    def scan_anchor(self, TokenClass: Any) -> Any:  # noqa: N803 - ruamel passes it by that name
        """The name after `&` or `*`: letters, digits, `_` and `-`; ruamel takes a colon too."""
        start_mark = self.reader.get_mark()
        self.reader.forward()
        length = 0
        while _in_name(self.reader.peek(length)):
            length += 1
        if not length or self.reader.peek(length) not in _AFTER_NAME:
            raise ScannerError(
                "while scanning an anchor or alias",
                start_mark,
                "did not find expected alphabetic or numeric character",
                self.reader.get_mark(),
            )
        name = self.reader.prefix(length)
        self.reader.forward(length)
        return TokenClass(name, start_mark, self.reader.get_mark())

    def _blanks(self) -> str:
        length = 0
        while self.reader.peek(length) in _BLANKS:
            length += 1
        blanks: str = self.reader.prefix(length)
        self.reader.forward(length)
        return blanks

    def _document_marker(self) -> bool:
        if self.reader.prefix(3) not in ("---", "..."):
            return False
        return self.reader.peek(3) in _BREAKS + _BLANKS + "\0"


def _in_name(char: str) -> bool:
    return char.isascii() and (char.isalnum() or char in "_-")
