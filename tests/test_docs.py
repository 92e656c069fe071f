"""The pages: short, complete for operators, without dead links, generated where they can be."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows import reference
from flows.cli import app
from flows.job import load_job
from flows.outcome import DONE, INTERRUPTED, MISDECLARED, OUTAGE, REFUSED
from flows.settings import SettingsFile
from flows.yaml_file import YamlFile
from referential.connection import CanopsisConnection
from sources.registry import SOURCES

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
OPERATIONS = ROOT / "docs" / "operations.md"
PAGES = (README, ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md")))
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
WALK = ROOT / "docs" / "walk.md"


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def prose(path: Path) -> str:
    """A page without its fenced code."""
    return re.sub(r"^```.*?^```", "", text(path), flags=re.MULTILINE | re.DOTALL)


def links(path: Path) -> Iterator[str]:
    """Targets of the links of a page that lead into the repository."""
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(path)):
        if not re.match(r"[a-z]+:", target):
            yield target


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as forges make them."""
    heads = re.findall(r"^#+ (.+)$", prose(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}


def commands() -> list[str]:
    return [command for command in app if not command.startswith("-")]


def test_the_readme_has_less_than_120_lines() -> None:
    assert len(text(README).splitlines()) < 120


@pytest.mark.parametrize("command", commands())
def test_every_command_stands_in_the_readme_or_in_operations(command: str) -> None:
    told = re.sub(r"\s+", " ", text(README) + text(OPERATIONS))  # a command may be folded

    assert re.search(rf"\b(refsync|make) {command}\b", told)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_no_command_of_a_page_is_unknown(page: Path) -> None:
    # fences first, or the prose after an odd number of them would be taken for code
    fences = r"^```.*?^```"
    code = re.compile(rf"{fences}|`[^`]+`|^ {{4}}[^\n]+$", re.MULTILINE | re.DOTALL)
    told = re.sub(r"\s+", " ", " ".join(code.findall(text(page))))
    given = set(re.findall(r"(?<![\w/.-])refsync ([a-z]+)\b", told))

    assert given <= set(commands())


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_leads_somewhere(page: Path) -> None:
    # parts become the beginning of generated pages, one folder up
    folder = page.parent.parent if page.parent.name == "parts" else page.parent
    dead = []
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (folder / path).resolve() if path else page
        there = target.exists() and target.is_relative_to(ROOT)
        if not there or (anchor and anchor not in anchors(target)):
            dead.append(link)

    assert dead == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, todo = set(), [README]
    while todo:
        page = todo.pop()
        if page in reached:
            continue
        reached.add(page)
        for link in links(page):
            target = (page.parent / link.partition("#")[0]).resolve()
            todo += [target] if target.suffix == ".md" else sorted(target.glob("*.md"))
    parts = {path for path in PAGES if path.parent.name == "parts"}  # pieces of generated pages

    assert set(PAGES) - parts - reached == set()


@pytest.mark.parametrize("page", DECISIONS, ids=name)
def test_a_decision_is_one_page_and_numbered(page: Path) -> None:
    assert len(text(page).splitlines()) < 60
    assert re.fullmatch(r"\d{3}-[a-z0-9-]+\.md", page.name)


def test_decisions_are_numbered_without_a_gap() -> None:
    assert [int(page.name[:3]) for page in DECISIONS] == list(range(1, len(DECISIONS) + 1))


def test_generated_files_are_what_the_models_say() -> None:
    assert [name(path) for path in reference.stale()] == []


def test_a_stale_file_would_be_noticed(capsys: pytest.CaptureFixture[str]) -> None:
    assert reference.main(["--check"]) == 0
    assert capsys.readouterr().err == ""
    assert len(reference.generated()) >= 3


def test_the_walk_names_functions_that_are_there() -> None:
    """`flows.stages.extract`, `Mapper.map_page`, `referential/plan.py`: what it quotes exists."""
    quoted = re.findall(
        r"`((?:flows|mappings|referential|sources|sandbox)[./][\w./]+)`", text(WALK)
    )
    missing = [each for each in quoted if not _is_there(each)]

    assert len(quoted) > 5
    assert missing == []


def _is_there(quoted: str) -> bool:
    if "/" in quoted:
        return (ROOT / quoted).exists()
    parts = quoted.split(".")
    for length in range(len(parts), 0, -1):
        module = ROOT.joinpath(*parts[:length])
        path = module.with_suffix(".py") if module.with_suffix(".py").exists() else module
        if path.exists():
            source = text(path) if path.is_file() else ""
            return all(
                re.search(rf"^\s*(def|class) {rest}\b|^\s*{rest}\b", source, re.MULTILINE)
                for rest in parts[length:]
            )
    return False


def test_the_job_of_the_readme_compiles(tmp_path: Path) -> None:
    (settings, job) = re.findall(r"```yaml\n(.*?)```", text(README), re.DOTALL)
    path = tmp_path / "acme" / "racks.yaml"
    path.parent.mkdir()
    path.write_text(job, encoding="utf-8")

    assert load_job("acme/racks", tmp_path).datasets == ("racks",)
    words = SettingsFile.model_validate(YamlFile("refsync.yaml", settings).data)
    models = {"canopsis": CanopsisConnection} | {
        kind: source.connection for kind, source in SOURCES.items()
    }
    assert len(words.connections) == 2
    for connection in words.connections.values():
        kind = connection["type"]
        assert models[kind].model_validate(connection)
        assert "${" in str(connection)  # no secret in clear, even here


def test_the_exit_codes_are_those_of_the_program() -> None:
    told = re.sub(r"\s+", " ", text(README))

    assert f"{DONE} done, {OUTAGE} outage or failed import, {MISDECLARED} mis-declared" in told
    assert f"{REFUSED} refused by the guard or an expectation, {INTERRUPTED} interrupted" in told


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_a_page_speaks_of_the_project_alone(page: Path) -> None:
    machine = re.findall(r"/(?:work|home|root|Users|tmp/pytest)\b[^\s`]*", text(page))

    assert machine == []
    assert not re.search(r"\b(TODO|FIXME|XXX)\b", text(page))
