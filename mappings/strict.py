"""Models of configuration: frozen, strict on words, and short where one scalar says it all."""

from collections.abc import Callable
from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, PrivateAttr, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError


def refusal(what: str, mend: str, *spot: str | int) -> PydanticCustomError:
    """What a rule of ours says of a value, for `mappings.complaints` to tell.

    *spot* leads from the value to what is at fault inside of it.
    """
    return PydanticCustomError("refusal", "{what}", {"what": what, "mend": mend, "spot": spot})


class Strict(BaseModel):
    """Configuration: frozen, and a word it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Bare(Strict):
    """A model that may also be written as one scalar, or flat; `bare` tells that it was.

    `written` says how, to whom wrote something else.
    """

    written: ClassVar[str] = ""
    scalars: ClassVar[tuple[str, ...]] = ("string", "number", "boolean")
    flat_words: ClassVar[tuple[str, ...]] = ()  # keys of the flat form that are no fields
    _bare: bool = PrivateAttr(default=False)

    @classmethod
    def dressed(cls, data: object) -> object:
        """What the short form stands for; anything else unchanged."""
        return data

    @model_validator(mode="wrap")
    @classmethod
    def _read(cls, data: object, handler: Callable[[object], Self]) -> Self:
        dressed = cls.dressed(data)
        model = handler(dressed)
        model._bare = dressed is not data  # noqa: SLF001 - a private attribute of this very class
        return model

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        schema = handler.resolve_ref_schema(handler(core))
        schema["type"] = ["object", *cls.scalars]
        return schema

    @property
    def bare(self) -> bool:
        return self._bare
