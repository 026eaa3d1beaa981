"""Makes the README's picture of the HTML report of the sample logs: `python -m tests.html_report.picture docs/report.png`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.html_report.browser import launched
from tests.html_report.reports import ingested, report
from tests.samples import copy_samples

SIZE = {"width": 1000, "height": 1000}
MOST_BYTES = 300_000


def picture(to: Path) -> None:
    """Writes the top of the report of one organisation as PNG; SystemExit if it grew too large for a README."""
    with tempfile.TemporaryDirectory() as scratch, launched() as browser:
        folder = Path(scratch)
        store = ingested(copy_samples(folder / "logs", settled=True), folder / "store")
        made = report(store, folder / "report.html", "--language", "en", "--organisation", "cedarholt")
        page = browser.new_page(viewport=SIZE, color_scheme="light", device_scale_factor=1)
        page.goto(made.as_uri())
        content = page.screenshot()
    if len(content) > MOST_BYTES:
        raise SystemExit(f"{to.name} would have {len(content)} bytes, more than {MOST_BYTES}")
    to.write_bytes(content)


if __name__ == "__main__":
    picture(Path(sys.argv[1]))
