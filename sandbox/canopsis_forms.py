"""Bodies of the CRUD routes, read with the texts of the validator (`specs/canopsis.md` §1.3)."""

from typing import Any

from sandbox.canopsis_api import Refusal, invalid_structure
from sandbox.canopsis_items import Infos, stored_value
from sandbox.canopsis_platform import Canopsis


class Form:
    """One body; faults are gathered by path, a value of the wrong type ends the reading at once."""

    def __init__(self, raw: Any) -> None:
        if not isinstance(raw, dict):
            raise invalid_structure()
        self.raw = raw
        self.errors: dict[str, str] = {}

    def close(self) -> None:
        """Raises Refusal when anything was wrong."""
        if self.errors:
            raise Refusal(400, {"errors": self.errors})

    def text(self, key: str, *, required: bool = False, most: int = 255) -> str:
        value = self.raw.get(key)
        if value is not None and not isinstance(value, str):
            raise invalid_structure()
        if required and not value:
            self.errors[key] = f"{go_name(key)} is missing."
        elif value and len(value) > most:
            self.errors[key] = f"{go_name(key)} should be {most} or less."
        return value or ""

    def flag(self, key: str) -> bool:
        """A boolean that must be there."""
        value = self.raw.get(key)
        if value is None:
            self.errors[key] = f"{go_name(key)} is missing."
        elif not isinstance(value, bool):
            raise invalid_structure()
        return bool(value)

    def number(self, key: str, least: int, most: int) -> int:
        """An integer that must be there, within bounds."""
        value = self.raw.get(key)
        if value is None or (value == 0 and least > 0 and not isinstance(value, bool)):
            self.errors[key] = f"{go_name(key)} is missing."
            return least
        if isinstance(value, bool) or not isinstance(value, int):
            raise invalid_structure()
        if value > most:
            self.errors[key] = f"{go_name(key)} should be {most} or less."
        elif value < least:
            self.errors[key] = f"{go_name(key)} should be {least} or more."
        return value

    def infos(self) -> Infos:
        """Infos in list form: `[{"name", "description"?, "value"}]`, values scalars or lists."""
        raw = self.raw.get("infos")
        if raw is not None and not isinstance(raw, list):
            raise invalid_structure()
        infos: Infos = {}
        for rank, each in enumerate(raw or ()):
            entry = Form(each)
            name, description = entry.text("name", required=True), entry.text("description")
            self.errors |= {f"infos.{rank}.{key}": text for key, text in entry.errors.items()}
            value = _scalar_or_list(entry.raw.get("value"))
            infos[name] = {"name": name, "description": description}
            if value is not None:
                infos[name]["value"] = value
        return infos

    def category(self, canopsis: Canopsis) -> str:
        """A category's id, "" when none is given."""
        category = self.text("category")
        if category and category not in canopsis.store.categories:
            self.errors["category"] = "Category doesn't exist."
        return category

    def coordinates(self) -> dict[str, Any] | None:
        value = self.raw.get("coordinates")
        if value is not None and not isinstance(value, dict):
            raise invalid_structure()
        return value


def go_name(key: str) -> str:
    """The Go field of a JSON key: `ImpactLevel` for `impact_level`, `ID` for `_id`."""
    return "ID" if key == "_id" else "".join(part.title() for part in key.split("_"))


def _scalar_or_list(value: Any) -> Any:
    values = value if isinstance(value, list) else [value]
    if any(isinstance(each, dict | list) for each in values):
        raise invalid_structure()
    return stored_value(value)
