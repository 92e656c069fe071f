"""Go templates as Canopsis runs them, compiled to Python.

    compile_template("{{ uppercase .Field }}").render({"Field": "srv"})  ->  "SRV"

The language is `text/template` of Go 1.23 with Canopsis' functions (`specs/driver-compat.md` §3);
`docs/templates.md` tells it to those who write mappings. Values have the types of
`mappings.golang.template_values`.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import tzinfo
from functools import cached_property
from typing import Any

from mappings.golang import gotime
from mappings.golang.functions import FUNCTIONS, local_time
from mappings.golang.template_ast import Command, Identifier, Program
from mappings.golang.template_codegen import FILENAME, Generated, generate
from mappings.golang.template_errors import NAME, Fault, TemplateExecError, TemplateSyntaxError
from mappings.golang.template_expr import Style
from mappings.golang.template_fields import fields
from mappings.golang.template_lexer import place
from mappings.golang.template_parser import parse
from mappings.golang.template_values import StrList, StrMap

__all__ = [
    "StrList",
    "StrMap",
    "Template",
    "TemplateExecError",
    "TemplateSyntaxError",
    "compile_template",
]
_TOO_DEEP = (SyntaxError, RecursionError, MemoryError)  # of Python's compiler


class Template:
    """A compiled template; made by `compile_template`.

    `function`, which is `render`, takes the dot and returns the text; it is a plain function to be
    called, or given as a global to generated code. `fields` are the dotted paths it reads from the
    dot, with `*` when it looks into the dot as a whole. `source` is the Python of `function`.
    """

    def __init__(self, program: Program, zone: tzinfo | None, *, json_numbers: bool) -> None:
        self.text = program.text
        self._program = program
        self._style = Style(numbers=json_numbers)
        self._replaced = {"f_localtime": local_time(zone)}
        generated = self._generated(self._style, self._again)
        self.source = generated.source
        self.function: Callable[[Any], str] = _compiled(generated)
        self.render = self.function

    @cached_property
    def fields(self) -> frozenset[str]:
        return fields(self._program)

    @cached_property
    def field_function(self) -> Callable[[Any, Any], str]:
        """The template of a driver file as a function of its `.Field` and its `.RegexMatch`."""
        generated = self._generated(replace(self._style, by_field=True), self._again_by_field)
        return _compiled(generated)

    @cached_property
    def _careful(self) -> tuple[Generated, Callable[[Any], str]]:
        generated = self._generated(replace(self._style, careful=True), self._again)
        return generated, _compiled(generated)

    def _generated(self, style: Style, again: Callable[..., str]) -> Generated:
        return generate(self._program, style, self._replaced, again)

    def _again_by_field(self, field: Any, match: Any) -> str:
        return self._again({"Field": field, "RegexMatch": match})

    def _again(self, dot: Any) -> str:
        """Render carefully what the fast function could not; raises TemplateExecError."""
        try:
            generated, function = self._careful
        except TemplateSyntaxError as error:  # too deep in this style alone
            raise TemplateExecError(str(error), error.cause, error.line, error.column) from None
        try:
            return function(dot)
        except Fault as fault:
            raise self._located(generated, fault, str(fault)) from None
        except RecursionError as error:
            cause = "exceeded maximum template depth"
            raise self._located(generated, error, cause) from None
        except UnboundLocalError as error:  # declared in an operand that was not evaluated
            raise self._located(generated, error, "undefined variable") from None
        except Exception as error:
            cause = f"internal error: {type(error).__name__}: {error}"
            raise self._located(generated, error, cause) from error

    def _located(self, generated: Generated, error: Exception, cause: str) -> TemplateExecError:
        template, node = NAME, None
        trace = error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == FILENAME:
                template, node = generated.places.get(trace.tb_lineno, (template, node))
            trace = trace.tb_next
        if isinstance(node, Command) and isinstance(node.args[0], Identifier):
            cause = f"error calling {node.args[0]}: {cause}"
        position = getattr(node, "position", 0)
        line, column = place(self.text, position)
        before = self.text[position - column + 1 : position]
        where = f"{NAME}:{line}:{len(before.encode('utf-8', 'replace'))}"
        context = f'executing "{template}" at <{str(node)[:200]}>' if node else "executing"
        return TemplateExecError(f"template: {where}: {context}: {cause}", cause, line, column)


def _compiled(generated: Generated) -> Callable[..., str]:
    try:
        return generated.function()
    except _TOO_DEEP:
        raise TemplateSyntaxError("nested too deeply to compile", 1, 1) from None


def compile_template(
    text: str, tz: tzinfo | str | None = None, *, json_numbers: bool = False
) -> Template:
    """The compiled template.

    `tz` is the application's time zone, for `localtime`. With `json_numbers`, the data is a record
    decoded from JSON: its `int`s are float64 to the template, as Go's decoder makes them.

    Raises TemplateSyntaxError; ValueError for an unknown zone.
    """
    zone = gotime.zone(tz) if isinstance(tz, str) else tz
    if isinstance(tz, str) and zone is None:
        raise ValueError(f"unknown time zone {tz!r}")
    return Template(parse(text, FUNCTIONS), zone, json_numbers=json_numbers)
