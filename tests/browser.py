"""A real headless Chromium for the pages: what it says, asks and shows is watched.

Playwright drives it because it needs the least: a package that carries its driver, and the browser
of the distribution; its own browsers are not downloaded.
"""

import contextlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, BrowserContext, Dialog, Page, ViewportSize, sync_playwright

FLAGS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)
NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
MISSING: Final = (
    "no Chromium here: apt-get install -y --no-install-recommends chromium, as .ci/run does"
)
PHONE: Final[ViewportSize] = {"width": 375, "height": 812}
DESK: Final[ViewportSize] = {"width": 1280, "height": 900}


def executable() -> str | None:
    """The browser of `REFSYNC_BROWSER`, else of the path; None when there is none."""
    stated = os.environ.get("REFSYNC_BROWSER")
    return stated or next(filter(None, map(shutil.which, NAMES)), None)


@contextlib.contextmanager
def browsing() -> Iterator[Browser]:
    """One browser with an empty profile; raises FileNotFoundError when none is installed."""
    path = executable()
    if path is None:
        raise FileNotFoundError(MISSING)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Visit:
    """A page in a tab of its own; `said` by its console, `asked` of anybody, `dialogs` opened."""

    page: Page
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)

    def rows(self, table: str) -> int:
        """Rows on display."""
        return self.page.locator(f"#{table} > tbody > tr:has(td:nth-child(2))").count()

    def told(self, table: str) -> str:
        """What stands below a table: `1 to 25 of 57 changes`."""
        return self.page.locator(f"#{table}_wrapper .dt-info").inner_text()

    @property
    def overflow(self) -> int:
        """By how many pixels the page is wider than its window."""
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        return int(self.page.evaluate(wide))


@contextlib.contextmanager
def visit(browser: Browser, file: Path, *, at: str = "", **options: Any) -> Iterator[Visit]:
    """Open a page; *options* are of a browser context (`viewport`, `color_scheme`).

    *at* is the moment that its clock shows.
    """
    context: BrowserContext = browser.new_context(**{"viewport": DESK} | options)
    page = context.new_page()
    if at:
        page.clock.set_fixed_time(at)
    seen = Visit(page)

    def dismiss(dialog: Dialog) -> None:
        seen.dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("console", lambda message: seen.said.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: seen.said.append(f"error: {error}"))
    page.on("request", lambda request: seen.asked.append(request.url))
    page.on("dialog", dismiss)
    page.goto(file.absolute().as_uri())
    try:
        yield seen
    finally:
        context.close()
