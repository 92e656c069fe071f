"""The pages of a run and of all runs: self-contained, escaped, linked."""

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from flows.report import write_report
from flows.run import Report, run_job
from flows.workplace import Options
from referential.errors import PlanRefused
from tests.flows.workshop import JOB, NAME, Workshop, servers

SCRIPT = "<script>alert(1)</script>"


class Seen(HTMLParser):
    """Tags with their attributes, and the text between them."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return "".join(self.words)

    @property
    def links(self) -> list[str]:
        return [str(attrs["href"]) for tag, attrs in self.tags if tag == "a"]


def pages_of(page: Path) -> list[str]:
    """Where the links of *page* lead, those inside it left out."""
    return [link for link in Seen(page).links if not link.startswith("#")]


@pytest.fixture
def page(workshop: Workshop) -> Path:
    """The page of a run whose data would like to be a program."""
    workshop.serve(
        [
            *servers(3),
            {"id": "4", "name": SCRIPT, "site": "'\"&<img src=x onerror=alert(2)>"},
            {"id": SCRIPT, "name": "", "site": SCRIPT},
        ]
    )
    report = workshop.run()
    return write_report(workshop.settings(), report)


def test_the_page_tells_what_was_read_planned_loaded_and_read_back(page: Path) -> None:
    text = Seen(page).text

    assert f"{NAME} ✓done" in text
    assert "4 create" in text
    assert "of 4 loaded" in text
    assert "srv-003" in text
    assert "component.name" in text


def test_data_that_look_like_a_program_are_shown_and_not_run(page: Path) -> None:
    seen = Seen(page)

    assert [tag for tag, _ in seen.tags].count("script") == 1  # our own
    assert SCRIPT not in page.read_text(encoding="utf-8")
    assert SCRIPT in seen.text  # as the entity's name
    assert not [tag for tag, _ in seen.tags if tag == "img"]
    assert not [name for _, attrs in seen.tags for name in attrs if name.startswith("on")]


def test_a_page_asks_nothing_of_anybody(page: Path) -> None:
    for each in (page, page.parents[1] / "index.html", page.parents[2] / "index.html"):
        html = each.read_text(encoding="utf-8")
        seen = Seen(each)
        references = [
            value
            for _, attrs in seen.tags
            for name, value in attrs.items()
            if name in ("href", "src", "action", "srcset", "data")
        ]
        outside = [value for value in references if re.match(r"\w+:|//", str(value))]
        assert outside == ["data:,"]  # no icon, so that none is asked for
        assert not re.search(r"@import|url\(|fetch\(|XMLHttp|import\s*\(", html)


def test_the_policy_of_a_page_names_its_style_and_its_script_and_lets_in_no_other(
    page: Path,
) -> None:
    seen, html = Seen(page), page.read_text(encoding="utf-8")
    policy = next(str(attrs["content"]) for _, attrs in seen.tags if attrs.get("http-equiv"))
    words = dict(part.split(" ", 1) for part in policy.split("; "))
    for name, tag in (("script-src", "script"), ("style-src", "style")):
        (text,) = re.findall(rf"<{tag}[^>]*>(.*?)</{tag}>", html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert words[name] == f"'sha256-{digest}'"
    assert words["default-src"] == "'none'"
    assert "unsafe" not in policy
    assert not [name for _, attrs in seen.tags for name in attrs if name == "style"]


def test_the_index_leads_to_the_page_of_every_run(workshop: Workshop) -> None:
    workshop.write_job(JOB, "acme/a b#c%41")
    for name in (NAME, "acme/a b#c%41"):
        write_report(workshop.settings(), workshop.run(name))

    index = workshop.folder / "state" / "reports" / "index.html"
    links = pages_of(index)
    assert len(links) == 3  # two runs, and their customer
    for link in links:
        assert (index.parent / unquote(link)).is_file()
        assert not {"#", "?", " "} & set(link)


def test_a_run_whose_page_is_gone_stands_in_the_index_without_a_link(workshop: Workshop) -> None:
    first = write_report(workshop.settings(), workshop.run())
    first.unlink()
    write_report(workshop.settings(), workshop.run())

    page_of_all = workshop.folder / "state" / "reports" / "index.html"
    seen = Seen(page_of_all)
    assert first.stem in seen.text
    assert not [link for link in seen.links if first.stem in link]
    assert len(pages_of(page_of_all)) == 2  # the other run, and the customer


def test_a_refused_run_has_a_page_with_its_message(workshop: Workshop) -> None:
    workshop.run()
    workshop.serve([])
    with pytest.raises(PlanRefused) as refused:
        run_job(workshop.settings(), workshop.job(), Options())
    report: Report = refused.value.report

    text = Seen(write_report(workshop.settings(), report)).text

    assert "refused" in text
    assert "How to mend it" in text
    assert report.message in text


def test_a_run_that_read_nothing_has_a_page(workshop: Workshop) -> None:
    report = Report(NAME, workshop.run().run_id, "sync", outcome="failed", message="it is down")

    assert "it is down" in Seen(write_report(workshop.settings(), report)).text


def test_a_page_may_be_read_by_whoever_may_read_the_folder(page: Path) -> None:
    beside = page.parent / "beside.html"
    beside.touch()

    assert page.stat().st_mode == beside.stat().st_mode


def test_no_half_written_page_is_left_behind(page: Path) -> None:
    files = [each.name for each in page.parents[2].rglob("*") if each.is_file()]

    assert sorted(files) == [page.name, "index.html", "index.html"]  # of the customer, of all
