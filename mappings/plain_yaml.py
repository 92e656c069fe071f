"""ruamel's reader of YAML, kept from the disk, and from work without end."""

from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.scanner import Scanner, ScannerError

DEEPEST = 100  # levels of brackets


class ShallowScanner(Scanner):
    """Refuses brackets too deep to mean anything: it looks far ahead, at each past all of them."""

    def fetch_flow_collection_start(self, TokenClass: Any, to_push: str) -> None:  # noqa: N803 - ruamel passes it by that name
        if self.flow_level >= DEEPEST:
            what = f"more than {DEEPEST} levels inside one another"
            raise ScannerError(None, None, what, self.reader.get_mark())
        super().fetch_flow_collection_start(TokenClass, to_push)


class PlainYaml(YAML):
    """What reads plain data, in pure Python: its nodes know where they stand.

    ruamel searches its folder for plug-ins each time a reader is made; there are none.
    """

    def __init__(self) -> None:
        super().__init__(typ="safe", pure=True)
        self.Scanner = ShallowScanner

    def official_plug_ins(self) -> list[str]:
        return []
