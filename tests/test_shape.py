"""The shape of the house: sizes, names, and what each layer may load."""

import ast
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("flows", "mappings", "referential", "sandbox", "sources")
EDGE = (
    *("sync", "backfill", "deployments", "serving"),
    *("blocks", "artifacts", "automations", "scaleout", "prefect_client"),
)
PREFECT = {f"flows/{name}.py" for name in EDGE}
NO_NOUN = {"utils", "util", "helpers", "helper", "common", "core", "misc", "base_utils"}
# `sources/base.py` is the contract of the layer, by name


def modules(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Each function with its lines, decorators included."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            yield node.name, (node.end_lineno or first) - first + 1


def imported(path: Path) -> set[str]:
    """The top-level packages that a module imports, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def loaded_by(statement: str) -> set[str]:
    """The top-level modules in a fresh interpreter after *statement*."""
    code = f"{statement}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    seen = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(seen.stdout.split())


def test_no_module_is_longer_than_350_lines() -> None:
    long = {name(path): lines(path) for path in modules(*PACKAGES, "tests") if lines(path) > 350}

    assert {path: count for path, count in long.items() if not path.startswith("tests/")} == {}


def test_no_function_is_longer_than_50_lines() -> None:
    long = [
        f"{name(path)}: {function} has {count} lines"
        for path in modules(*PACKAGES)
        for function, count in functions(path)
        if count > 50
    ]

    assert long == []


def test_a_module_of_the_middle_has_less_than_120_lines() -> None:
    """Of the four layers: simulators and the Go language follow the shape of what they imitate."""
    sizes = [
        lines(path)
        for path in modules("flows", "mappings", "referential", "sources")
        if path.name != "__init__.py" and "golang" not in path.parts
    ]

    assert statistics.median(sizes) < 120


def test_every_module_is_named_after_what_it_holds() -> None:
    assert [name(path) for path in modules(*PACKAGES, "tests") if path.stem in NO_NOUN] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_begins_by_saying_what_it_is(package: str) -> None:
    silent = [
        name(path)
        for path in modules(package)
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]

    assert silent == []


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_itself_is_a_docstring_and_no_more(package: str) -> None:
    body = ast.parse((ROOT / package / "__init__.py").read_text(encoding="utf-8")).body

    assert len(body) == 1
    assert isinstance(body[0], ast.Expr)


def test_every_package_is_the_one_of_this_repository(tmp_path: Path) -> None:
    code = (
        "import importlib.util\n"
        f"for name in {PACKAGES!r}: print(importlib.util.find_spec(name).origin)"
    )
    seen = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )

    assert seen.stdout.split() == [str(ROOT / each / "__init__.py") for each in PACKAGES]


def test_no_module_of_flows_takes_the_name_of_a_library() -> None:
    """Prefect puts the folder of a flow first on the path: `flows/requests.py` would shadow."""
    stems = [path.stem for path in modules("flows") if path.stem != "__init__"]
    code = (
        "import importlib.util, sys\n"
        f"print(*[n for n in {stems!r}"
        " if n in sys.stdlib_module_names or importlib.util.find_spec(n)])"
    )
    seen = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert seen.stdout.split() == []


@pytest.mark.parametrize(
    "statement",
    ["import mappings", "import mappings.compile", "import mappings.loading, mappings.mapper"],
)
def test_the_mapping_language_loads_neither_network_nor_database_nor_prefect(
    statement: str,
) -> None:
    assert not loaded_by(statement) & {"requests", "sqlalchemy", "prefect", "flows", "sources"}


def test_sources_know_nothing_of_the_referential() -> None:
    assert not loaded_by("import sources.registry") & {
        "referential",
        "mappings",
        "flows",
        "prefect",
        "sqlalchemy",
        "sandbox",
    }


def test_the_referential_knows_nothing_of_the_other_layers() -> None:
    statement = "import referential.plan, referential.loader, referential.ledger"

    assert not loaded_by(statement) & {"sources", "mappings", "flows", "prefect", "sandbox"}


def test_stages_and_runs_do_without_prefect_and_the_sandbox() -> None:
    statement = "import sources.registry, referential.plan, flows.stages, flows.run, flows.cli"

    assert not loaded_by(statement) & {"prefect", "sandbox", "uvicorn", "starlette"}


def test_the_sandbox_knows_nothing_of_what_it_imitates_for() -> None:
    statement = "import sandbox.canopsis, sandbox.jsonapi, sandbox.serve, sandbox.latin"

    assert not loaded_by(statement) & {"sources", "mappings", "referential", "flows", "prefect"}


def test_prefect_is_imported_at_the_edge_alone() -> None:
    users = {name(path) for path in modules(*PACKAGES) if "prefect" in imported(path)}

    assert users <= PREFECT
    assert "flows/sync.py" in users


def test_the_sandbox_is_imported_by_the_demo_and_the_command_that_serves_it_alone() -> None:
    others = modules("flows", "mappings", "referential", "sources")

    users = {name(path) for path in others if "sandbox" in imported(path)}

    assert users <= {"flows/demo.py", "flows/demo_kinds.py", "flows/sandboxes.py"}


def test_what_is_imported_is_declared_or_ours() -> None:
    """A library that comes with another one may leave with it."""
    import tomllib  # noqa: PLC0415 - only here
    from importlib.metadata import packages_distributions  # noqa: PLC0415 - only here

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = chain.from_iterable(project["optional-dependencies"].values())
    stated = [*project["dependencies"], *extras]
    declared = {re.split(r"[\[<>=~! ]", each)[0].lower() for each in stated}
    owners = packages_distributions()
    used = {each for path in modules(*PACKAGES) for each in imported(path)}
    foreign = used - set(sys.stdlib_module_names) - set(PACKAGES)

    undeclared = {
        each: owners.get(each)
        for each in foreign
        if not declared & {re.sub("[-_.]", "-", owner.lower()) for owner in owners.get(each, [])}
    }
    assert undeclared == {}
