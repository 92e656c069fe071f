"""Variables of a job file: `${site}` in its texts, `$${site}` for the text itself."""

import re
from dataclasses import dataclass, field
from typing import Any

from mappings.casts import article, text
from mappings.nodes import Node, Told
from mappings.vocabulary import suggestion

WORD = "variables"
_NAME = re.compile(r"[A-Za-z_]\w*")
_VARIABLE = re.compile(rf"(\$?)\$\{{({_NAME.pattern})\}}")


@dataclass(slots=True)
class Variables:
    """What names stand for; what is wrong with them, or with their use, joins `problems`."""

    problems: list[Told]
    values: dict[str, Any] = field(default_factory=dict)

    def take_from(self, root: Node) -> None:
        """Takes the variables out of the document; those of `mapping` go before the others."""
        for place in (root, root.held.get("mapping") if isinstance(root.held, dict) else None):
            if place is None or not isinstance(place.held, dict):
                continue
            written = place.held.pop(WORD, None)
            if written is not None and not isinstance(written.held, dict):
                what = f"{WORD} are a mapping, not {article(written.held)}"
                self.problems.append(written.tell(what, "write `name: value`, a line each"))
            elif written is not None:
                for name, each in written.held.items():
                    self._take(str(name), each)

    def _take(self, name: str, node: Node) -> None:
        value = node.held
        if isinstance(value, list):
            value = [each.held for each in value]
        words = value if isinstance(value, list) else [value]
        if not _NAME.fullmatch(name):
            mend = "write letters, digits and _, a letter first"
            self.problems.append(node.tell(f"{name!r} is no name of a variable", mend))
        elif all(isinstance(word, str | bool | int | float) for word in words):
            self.values[name] = value
        else:
            what = f"a variable is a text, a number, a boolean or a list, not {article(node.held)}"
            self.problems.append(node.tell(what))

    def put(self, node: Node) -> Any:
        """What a text becomes: the value of the variable that it is, or itself with theirs."""
        alone = _VARIABLE.fullmatch(node.held)
        if alone and not alone[1] and alone[2] in self.values:
            return self.values[alone[2]]
        return _VARIABLE.sub(lambda found: self._text(found, node), node.held)

    def _text(self, found: re.Match[str], node: Node) -> str:
        escaped, name = found[1], found[2]
        if escaped:
            return found[0][1:]
        value = self.values.get(name)
        if value is not None and not isinstance(value, list):
            return text(value) or ""
        what = f"unknown variable {name!r}"
        mend = suggestion(name, self.values, "variables") or f"write $${{{name}}} for the text"
        if value is not None:
            what, mend = (
                f"the variable {name!r} is a list",
                "a list stands alone: ${...} and no more",
            )
        before = node.held[: found.start()]
        offset = (before.count("\n"), len(before) - before.rfind("\n") - 1)
        self.problems.append(node.tell(what, mend, offset))
        return found[0]
