"""A driver file while it is read: its nodes, what is at fault in it and what is odd."""

from collections.abc import Collection, Iterator
from collections.abc import Sequence as Several
from dataclasses import dataclass, field

from mappings.goyaml import GoYamlError, Mapping, Node, Scalar, Sequence
from mappings.vocabulary import suggestion


@dataclass(frozen=True, slots=True)
class Remark:
    """Something about the file, said of a place in it; lines and columns count from 1.

    `key` is where that is among the keys: `mapping.component.name.value`, `…pattern[0].field`.
    """

    line: int
    column: int
    what: str
    mend: str = ""
    key: str = ""


class DriverErrors(Exception):
    """A file that is refused; `problems` holds every fault, in file order."""

    def __init__(self, problems: Several[Remark]) -> None:
        count = len(problems)
        super().__init__(f"{count} fault{'s' if count > 1 else ''} in the driver file")
        self.problems = tuple(problems)
        for each in problems:
            mend = each.mend and f" ({each.mend})"
            self.add_note(f"{each.line}:{each.column}: {each.what}{mend}")


@dataclass(frozen=True, slots=True)
class Entry:
    """A key and what stands under it; `item`: as one of a list."""

    key: Scalar
    node: Node
    item: bool = False

    @property
    def empty(self) -> bool:
        return isinstance(self.node, Scalar) and self.node.kind == "null"


@dataclass(slots=True)
class Sheet:
    """The file while it is read.

    Faults refuse it. Remarks do not, but are told beside faults, for the one may explain the other:
    a misspelt key is unknown, and what it should have said is missing.
    """

    text: str
    root: Node | None = None
    faults: list[Remark] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    _keys: dict[int, str] = field(default_factory=dict, repr=False)

    def fault(
        self, node: Node, what: str, mend: str = "", *, offset: tuple[int, int] | None = None
    ) -> None:
        """A fault at a node; *offset* is a line and a column, from 0, in the text of a scalar."""
        line, column = node.line, node.column
        if offset is not None:
            line, column = _inside(self.text.splitlines(), line, column, offset)
        self.faults.append(Remark(line, column, what, mend, self._key(node)))

    def remark(self, node: Node, what: str, mend: str = "") -> None:
        self.remarks.append(Remark(node.line, node.column, what, mend, self._key(node)))

    def _key(self, node: Node) -> str:
        """What leads to a node, or to the key that it is."""
        if not self._keys:
            for each, trail in self._trails():
                self._keys.setdefault(id(each), trail)
        return self._keys.get(id(node), "")

    def places(self) -> dict[str, tuple[int, int]]:
        """Line and column of every key, by what leads to it."""
        found: dict[str, tuple[int, int]] = {}
        for node, trail in self._trails():  # a key comes before what stands under it
            found.setdefault(trail, (node.line, node.column))
        return found

    def _trails(self) -> Iterator[tuple[Node, str]]:
        """Keys and nodes with what leads to them; of one that aliases repeat, its first place."""
        left: list[tuple[Node, str]] = [] if self.root is None else [(self.root, "")]
        seen: set[int] = set()
        while left:
            here, at = left.pop()
            if id(here) in seen:
                continue
            seen.add(id(here))
            yield here, at
            if isinstance(here, Sequence):
                left += [(item, f"{at}[{rank}]") for rank, item in enumerate(here.items)][::-1]
            elif isinstance(here, Mapping):
                dot = at and f"{at}."
                for key, under in reversed(here.entries):
                    left += [(under, f"{dot}{key.text}"), (key, f"{dot}{key.text}")]

    def missing(self, at: Entry, word: str, mend: str = "") -> None:
        """A fault of the entry: at its key, or in a list at the item."""
        node = at.node if at.item else at.key
        self.fault(node, f"{word} is missing under {at.key.text!r}", mend or f"add `{word}:`")

    def entries(self, at: Entry, words: Collection[str] = ()) -> dict[str, Entry]:
        """The entries of a mapping, none for null; with *words*, others are remarked on."""
        if at.empty:
            return {}
        if not isinstance(at.node, Mapping):
            what = f"{at.key.text} must be a mapping, not {_kind(at.node)}"
            self.fault(at.node, what, "write `word: value`, a line each, under it")
            return {}
        found = {}
        for key, node in at.node.entries:
            if not words or key.text in words:
                found[key.text] = Entry(key, node)
            else:
                what = f"unknown key {key.text!r}, which the driver ignores"
                self.remark(key, what, suggestion(key.text, words, "known keys"))
        return found

    def under(self, at: Entry | None, words: Collection[str] = ()) -> dict[str, Entry]:
        """The entries of a mapping that may be absent."""
        return {} if at is None else self.entries(at, words)

    def text_at(self, entry: Entry | None) -> str | None:
        """The text of a string field as written; None when it is absent or at fault."""
        if entry is None:
            return None
        if isinstance(entry.node, Scalar):
            return entry.node.string()
        what = f"{entry.key.text} must be a text, not {_kind(entry.node)}"
        self.fault(entry.node, what, "put it in quotes")
        return None

    def word_at(self, entry: Entry | None, words: Collection[str]) -> str | None:
        """One of *words*; None when it is absent, empty or at fault."""
        word = self.text_at(entry)
        if not word or entry is None or word in words:
            return word or None
        self.fault(entry.node, f"unknown {entry.key.text} {word!r}", suggestion(word, words))
        return None

    def flag_at(self, entry: Entry | None) -> bool:
        if entry is None:
            return False
        try:
            if isinstance(entry.node, Scalar):
                return entry.node.boolean()
        except GoYamlError:
            pass
        what = f"{entry.key.text} must be true or false"
        self.fault(entry.node, what, "write true or false")
        return False


def _kind(node: Node) -> str:
    if isinstance(node, Scalar):
        return "nothing" if node.kind == "null" else "a text"
    return "a list" if isinstance(node, Sequence) else "a mapping"


def _inside(lines: list[str], line: int, column: int, offset: tuple[int, int]) -> tuple[int, int]:
    """The place *offset* away in the text of the scalar that begins at a place of the file."""
    opening = lines[line - 1][column - 1 : column] if line <= len(lines) else ""
    down, right = offset
    if opening in ("|", ">"):  # the text begins on the next line, indented
        below = next((each for each in lines[line:] if each.strip()), "")
        return line + 1 + down, len(below) - len(below.lstrip(" ")) + 1 + right
    if down:  # a folded scalar: its lines are not those of the file
        return line, column
    return line, column + right + (opening in ("'", '"'))
