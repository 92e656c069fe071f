"""The pictures of the documentation: `python -m tests.screenshots [FOLDER]`.

Of a feed that is the same at every time, by a clock that stands still.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from tests.browser import DESK, PHONE, browsing, visit
from tests.report_feed import make

FOLDER: Final = Path("docs/reports")
MORNING: Final = "2026-11-24T07:30:00Z"
MOST: Final = 250 * 1024  # bytes of a picture
_HIDE: Final = "footer { visibility: hidden }"  # says when the page was written
# what, which page, how, and how many pixels of it from the top
_SHOTS: Final[tuple[tuple[str, str, dict[str, Any], int], ...]] = (
    ("run", "run", {}, 1_720),
    ("run-dark", "run", {"color_scheme": "dark"}, 1_720),
    ("run-phone", "run", {"viewport": PHONE, "device_scale_factor": 1.5}, 1_640),
    ("customer", "customer", {}, 1_240),
)


def take(folder: Path) -> list[Path]:
    """Write the pictures; raises ValueError for one that has become too large."""
    folder.mkdir(parents=True, exist_ok=True)
    taken = []
    with tempfile.TemporaryDirectory() as scratch, browsing() as browser:
        made = make(Path(scratch))
        pages = {"run": made.page, "customer": made.reports / "acme" / "index.html"}
        for name, which, how, height in _SHOTS:
            path = folder / f"{name}.png"
            width = how.get("viewport", DESK)["width"]
            with visit(browser, pages[which], at=MORNING, **how) as seen:
                clip = {"x": 0, "y": 0, "width": width, "height": height}
                seen.page.screenshot(path=path, full_page=True, clip=clip, style=_HIDE)  # type: ignore[arg-type]
            if path.stat().st_size > MOST:
                raise ValueError(f"{path} has {path.stat().st_size:,} bytes, limit {MOST:,}")
            taken.append(path)
    return taken


if __name__ == "__main__":
    for each in take(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER):
        print(f"{each}  {each.stat().st_size:,} bytes")  # noqa: T201 - what the command is for
