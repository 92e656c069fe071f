"""Arguments that several commands take, each with its one help text."""

from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

JobName = Annotated[str, Parameter(help="`<customer>/<job>`, or the path of a job file.")]
AsJson = Annotated[bool, Parameter(name="--json", negative="", help="One JSON document on stdout.")]
To = Annotated[
    str, Parameter(help="Canopsis connection to work on, one of `sync.targets` of the job.")
]
Count = Annotated[int, Parameter(validator=Number(gte=1))]
