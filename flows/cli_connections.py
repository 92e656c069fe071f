"""The command `refsync connections`: what there is, without a single secret."""

from dataclasses import asdict
from typing import Annotated

from cyclopts import Parameter

from flows.arguments import AsJson
from flows.block_saving import register_type, save_block
from flows.console import Shown
from flows.console_connections import document, show_inventory, show_saved
from flows.inventory import inventory
from flows.outcome import DONE
from flows.settings import load_settings


def connections(
    *names: Annotated[str, Parameter(help="Connections to list; without a name, all of them.")],
    register: Annotated[
        bool,
        Parameter(negative="", help="Make the type of block for connections known to Prefect."),
    ] = False,
    push: Annotated[
        str, Parameter(help="Connection of refsync.yaml to save as a Prefect block.")
    ] = "",
    json: AsJson = False,
) -> int:
    """List connections, who uses them and where their secrets come from; no value is shown.

    Nothing is asked of the systems themselves: `refsync check --connect` does that.

    Exit codes: 0 all are there and valid, 1 Prefect does not answer, 2 one lacks or is not valid.

    For example

        refsync connections
        refsync connections acme-cmdb --json
        refsync connections --register
        refsync connections --push acme-cmdb
    """
    shown, settings = Shown(json), load_settings()
    if register:
        register_type(settings)
        shown.note("the type of block refsync-connection is registered")
    if push:
        saved = save_block(settings, push)
        if json:
            shown.json(asdict(saved))
        else:
            show_saved(shown, saved)
    if register or push:
        return DONE
    seen = inventory(settings, names)
    if json:
        shown.json(document(seen))
    else:
        show_inventory(shown, seen)
    return seen.exit_code
