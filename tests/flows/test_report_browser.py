"""The pages in a real Chromium: quiet, closed, searchable, legible, and nothing in them runs."""

import contextlib
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Error, expect

from flows.report_changes import Row, first_rows
from flows.spool import Spool
from tests.browser import DESK, MISSING, PHONE, Visit, browsing, executable, visit
from tests.report_feed import ESTATE, HOSTILE, NIGHTS, Made, make

expect.set_options(timeout=20_000)  # a machine may be busy
Scheme = Literal["light", "dark"]

PAGES = ("run", "customer", "index")
COLUMNS = {"Action": "word", "Kind": "kind", "Dataset": "dataset", "Category": "category"}
HEADINGS = (
    "[...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map(each => Number(each.tagName[1]))"
)
OPEN_ALL = "document.querySelectorAll('details').forEach(each => { each.open = true })"
UNREACHED = """[...document.querySelectorAll('body *')].filter((each) =>
  each.scrollWidth > each.clientWidth + 1
  && ['auto', 'scroll'].includes(getComputedStyle(each).overflowX)
  && each.tabIndex < 0 && !each.querySelector('[tabindex], a, button, summary')
).map((each) => each.outerHTML.slice(0, 80))"""
# WCAG 2.1, 1.4.3: the ratio of every text on display to what lies behind it, where it is too small
FAINT = """() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const known = new Map();
  const rgba = (colour) => {
    if (!known.has(colour)) known.set(colour, read(colour));
    return known.get(colour);
  };
  const read = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = (colour) => {
    const [r, g, b] = colour.slice(0, 3).map((part) => part / 255)
      .map((part) => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const colour = rgba(getComputedStyle(each).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255, 255];
  };
  const faint = [];
  for (const element of document.body.querySelectorAll('*')) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || !element.checkVisibility() || element.closest('[aria-hidden], .disabled')) continue;
    const style = getComputedStyle(element);
    const colour = rgba(element.namespaceURI.endsWith('svg') ? style.fill : style.color);
    const pair = [light(colour), light(behind(element))].sort((a, b) => b - a);
    const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
    if (ratio < 4.5) faint.push(`${element.tagName}.${element.className}: ${ratio.toFixed(2)}`);
  }
  return [...new Set(faint)];
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for all tests; without one they are skipped, and fail where one was named."""
    if executable() is None:
        pytest.skip(MISSING)
    with browsing() as started:
        yield started


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make(tmp_path_factory.mktemp("feed"))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make(tmp_path_factory.mktemp("hostile"), hostile=True, nights=3)


@pytest.fixture(scope="module")
def opened(browser: Browser, hostile: Made) -> Iterator[dict[str, Visit]]:
    """The three pages of the hostile feed with all their parts open, for tests that only look."""
    with contextlib.ExitStack() as visits:
        seen = {}
        for name in PAGES:
            seen[name] = visits.enter_context(visit(browser, page_of(hostile, name)))
            seen[name].page.evaluate(OPEN_ALL)
        yield seen


@pytest.fixture(params=PAGES)
def seen(request: pytest.FixtureRequest, opened: dict[str, Visit]) -> Visit:
    """One page after the other, on a desk and in daylight."""
    found = opened[request.param]
    found.page.set_viewport_size(DESK)
    found.page.emulate_media(color_scheme="light", media="screen")
    return found


def page_of(made: Made, name: str) -> Path:
    pages = {"customer": made.reports / "acme" / "index.html", "index": made.reports / "index.html"}
    return pages.get(name, made.page)


def planned(made: Made) -> list[Row]:
    """The changes of the last run, from its spool: those that wait, then the others."""
    spool = Spool(made.settings.spool / ESTATE / made.runs[-1])
    return [*first_rows(spool.held, None, waits=True), *first_rows(spool.plan, None)]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_says_nothing_and_asks_nobody(scheme: Scheme, seen: Visit) -> None:
    seen.page.emulate_media(color_scheme=scheme)

    assert seen.said == []
    assert seen.asked == [seen.page.url]
    assert seen.dialogs == []


def test_what_would_like_to_be_a_program_is_text(seen: Visit) -> None:
    assert seen.page.locator("script").count() == 1
    assert seen.page.locator("img, iframe, object, embed, b").count() == 0
    names = "[...document.querySelectorAll('*')].flatMap(each => each.getAttributeNames())"
    assert not [each for each in seen.page.evaluate(names) if each.startswith("on")]


def test_a_name_is_found_shown_and_filtered_as_it_is_written(
    browser: Browser, hostile: Made
) -> None:
    with visit(browser, hostile.page) as seen:
        shown = seen.page.evaluate("document.body.textContent")
        tools = seen.page.locator('[data-for="rejects"]')
        for text in HOSTILE:
            assert shown.count(text) >= 4  # in the tree, as reject: dataset, reason, record
            tools.locator("select").first.select_option(text)
            assert seen.rows("rejects") == 1
            assert seen.page.locator("#rejects tbody td").first.text_content() == text
            tools.get_by_label("Search").fill(text)
            assert seen.rows("rejects") == 1
            tools.get_by_label("Search").fill("")
        assert seen.dialogs == []
        assert seen.said == []


def test_nothing_injected_runs_or_calls_out(browser: Browser, made: Made) -> None:
    with visit(browser, made.page) as seen:
        seen.page.evaluate(
            """() => {
              const script = document.createElement('script');
              script.textContent = 'window.ran = true';
              document.body.append(script);
              const image = '<img src="x" onerror="window.ran = true">';
              document.body.insertAdjacentHTML('beforeend', image);
            }"""
        )
        with pytest.raises(Error, match="fetch"):
            seen.page.evaluate("fetch('http://127.0.0.1:9/')")

        assert seen.page.evaluate("window.ran") is None
        assert any("Content Security Policy" in line for line in seen.said)


def test_the_search_of_changes_finds_by_any_word(browser: Browser, made: Made) -> None:
    total = len(planned(made))
    with visit(browser, made.page) as seen:
        assert seen.told("changes") == f"1 to 25 of {total} changes"
        assert seen.rows("changes") == 25

        seen.page.locator('[data-for="changes"]').get_by_label("Search").fill("eth1/srv-030")

        assert seen.told("changes") == f"1 to 1 of 1 changes (of {total})"
        assert "eth1/srv-030" in seen.page.locator("#changes tbody tr").inner_text()


def test_every_value_of_a_filter_shows_its_rows_alone(browser: Browser, made: Made) -> None:
    rows = planned(made)
    with visit(browser, made.page) as seen:
        for label, column in COLUMNS.items():
            expected = Counter(str(getattr(row, column)) for row in rows)
            box = seen.page.locator('[data-for="changes"]').get_by_label(label)
            assert sorted(box.locator("option").all_inner_texts()[1:]) == sorted(expected)
            for value, count in expected.items():
                box.select_option(value)
                shown = min(count, 25)
                assert seen.told("changes") == f"1 to {shown} of {count} changes (of {len(rows)})"
                assert seen.rows("changes") == shown
            box.select_option("")


def test_the_runs_of_the_index_are_filtered_by_outcome(browser: Browser, made: Made) -> None:
    with visit(browser, page_of(made, "index")) as seen:
        for outcome, count in (("held", 1), ("refused", 1), ("partial", 1), ("failed", 1)):
            seen.page.locator('[data-for="runs"]').get_by_label("Outcome").select_option(outcome)
            assert seen.rows("runs") == count
        seen.page.locator('[data-for="runs"]').get_by_label("Outcome").select_option("")
        seen.page.locator('[data-for="runs"]').get_by_label("Job").select_option("globex/assets")
        assert seen.rows("runs") == 12


def test_filters_work_together_and_are_cleared_together(browser: Browser, made: Made) -> None:
    rows = planned(made)
    wanted = [row for row in rows if row.action == "create" and row.category == "Volume"]
    assert wanted
    with visit(browser, made.page) as seen:
        tools = seen.page.locator('[data-for="changes"]')
        tools.get_by_label("Action").select_option("create")
        tools.get_by_label("Category").select_option("Volume")
        assert f"of {len(wanted)} changes" in seen.told("changes")
        tools.get_by_label("Search").fill("nothing has this name")
        assert seen.rows("changes") == 0
        assert "no changes match" in seen.page.locator("#changes").inner_text()

        tools.get_by_role("button", name="Clear").click()

        seen.page.wait_for_function(
            "text => document.querySelector('#changes_wrapper .dt-info').innerText === text",
            arg=f"1 to 25 of {len(rows)} changes",
        )
        assert tools.get_by_label("Search").input_value() == ""


def test_a_reject_is_found_by_its_record_which_opens(browser: Browser, made: Made) -> None:
    with visit(browser, made.page) as seen:
        tools = seen.page.locator('[data-for="rejects"]')
        tools.get_by_label("Search").fill("10.0.5.12")
        assert seen.rows("rejects") == 1
        record = seen.page.locator("#rejects pre")
        assert not record.is_visible()

        seen.page.locator("#rejects summary").press("Enter")

        assert record.is_visible()
        assert '"ip": "10.0.5.12"' in record.inner_text()
        tools.get_by_label("Search").fill("")
        tools.get_by_label("Rule").select_option("component.infos.env")
        assert seen.rows("rejects") == 2


def test_columns_sort_and_pages_turn_by_keyboard(browser: Browser, made: Made) -> None:
    names = sorted(row.entity for row in planned(made))
    with visit(browser, made.page) as seen:
        seen.page.locator("#changes th", has_text="entity").locator("[role=button]").press("Enter")
        expect(seen.page.locator("#changes tbody td.id").first).to_have_text(names[0])
        buttons = seen.page.locator("#changes_wrapper .dt-paging-button")
        buttons.filter(has_text="2").first.press("Enter")
        expect(seen.page.locator("#changes_wrapper .dt-info")).to_contain_text("26 to 50 of ")


def test_a_phone_never_scrolls_a_page_sideways(seen: Visit) -> None:
    seen.page.set_viewport_size(PHONE)

    assert seen.overflow == 0
    assert seen.page.locator("h1").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_is_told_from_its_ground(scheme: Scheme, seen: Visit) -> None:
    seen.page.emulate_media(color_scheme=scheme)

    ground = seen.page.evaluate("getComputedStyle(document.body).backgroundColor")
    dark = sum(map(int, ground.strip("rgb()").split(","))) < 3 * 128
    assert dark == (scheme == "dark")
    assert seen.page.evaluate(FAINT) == []


def test_a_page_has_its_language_one_title_and_headings_in_order(seen: Visit) -> None:
    levels = seen.page.evaluate(HEADINGS)

    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert seen.page.evaluate("document.documentElement.lang") == "en"
    assert seen.page.title()


def test_what_scrolls_inside_a_page_is_reached_by_keyboard(seen: Visit) -> None:
    seen.page.set_viewport_size(PHONE)

    assert seen.page.evaluate(UNREACHED) == []


def test_on_paper_there_are_no_tools_and_the_tables_are_whole(seen: Visit) -> None:
    seen.page.emulate_media(media="print")

    assert not any(each.is_visible() for each in seen.page.locator(".tools").all())
    assert seen.page.locator("table").first.is_visible()


def test_the_charts_have_a_bar_for_every_run_and_mark_the_bad_ones(
    browser: Browser, made: Made
) -> None:
    with visit(browser, made.page) as seen:
        assert seen.page.locator("figcaption").all_inner_texts() == [
            "Entities",
            "Changes",
            "Duration",
            "Rejects",
        ]
        for chart in seen.page.locator("svg.chart").all():
            assert chart.locator(".bar").count() == NIGHTS + 1
            assert chart.locator(".bad .mark").count() == 1
            assert chart.locator(".warn .mark").count() == 3  # refused, partial, and this one
            heights = [bar.bounding_box() for bar in chart.locator(".bar rect").all()[-3:]]
            assert all(box is not None and box["height"] > 1 for box in heights)
            assert "did not end well" in (chart.get_attribute("aria-label") or "")


def test_the_tree_opens_by_keyboard_down_to_the_resources(browser: Browser, made: Made) -> None:
    with visit(browser, made.page) as seen:
        tree = seen.page.locator(".tree")
        service = tree.locator("summary", has_text="APP Billing").first
        member = tree.locator("summary", has_text="srv-016").first
        assert not member.is_visible()

        service.press("Enter")
        assert member.is_visible()
        member.press("Space")

        assert tree.get_by_text("eth0/srv-016").first.is_visible()
        assert "no feed of this Canopsis owns it" in service.locator("xpath=..").inner_text()


def test_links_lead_from_run_to_run_and_up_to_the_index_and_back(
    browser: Browser, made: Made
) -> None:
    with visit(browser, made.page) as seen:
        seen.page.get_by_role("link", name="previous run").click()
        assert made.runs[-2] in seen.page.url
        seen.page.get_by_role("link", name="next run").click()
        assert made.runs[-1] in seen.page.url
        seen.page.get_by_role("link", name="acme", exact=True).click()
        assert seen.page.locator("h1").inner_text() == "acme"
        seen.page.get_by_role("link", name="Reports").click()
        seen.page.get_by_role("link", name=made.runs[-1]).click()
        assert seen.page.url == made.page.as_uri()
        assert seen.said == []


def test_a_feed_becomes_stale_on_a_page_that_stays_open(browser: Browser, made: Made) -> None:
    """Its schedule is nightly: it was fresh when the page was written, and is not two days on."""
    with visit(browser, page_of(made, "customer"), at="2026-11-24T09:00:00Z") as fresh:
        told = fresh.page.locator("#feeds tr", has_text="acme/network").inner_text()
        assert "(6 h ago)" in told
        assert "stale" not in told
    with visit(browser, page_of(made, "customer"), at="2026-11-26T09:00:00Z") as later:
        told = later.page.locator("#feeds tr", has_text="acme/network").inner_text()
        assert "(2 d ago)" in told
        assert "stale" in told
