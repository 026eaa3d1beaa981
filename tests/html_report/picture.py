"""Makes the README's picture of the HTML report of the sample logs: `python -m tests.html_report.picture docs/report.png`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.html_report.browser import launched
from tests.html_report.reports import ingested, report
from tests.samples import copy_samples

WIDTH = 1000
MOST_BYTES = 300_000
# of all that follows the verdict only the first picture stays
_SHORTENED = """() => { const ladder = document.querySelector('figure');
  const card = ladder.closest('.card');
  card.replaceChildren(ladder);
  document.querySelectorAll('nav, footer, details').forEach(e => e.remove());
  document.querySelectorAll('main .card, main > section').forEach(e => {
    if (e !== card && !e.contains(card) && !e.matches('.verdict')) e.remove() }) }"""


def picture(to: Path) -> None:
    """Writes the verdict and the ladder of one organisation as PNG; SystemExit if it grew too large for a README."""
    with tempfile.TemporaryDirectory() as scratch, launched() as browser:
        folder = Path(scratch)
        store = ingested(copy_samples(folder / "logs", settled=True), folder / "store")
        made = report(store, folder / "report.html", "--language", "en", "--organisation", "cedarholt")
        page = browser.new_page(viewport={"width": WIDTH, "height": 800}, color_scheme="light")
        page.goto(made.as_uri())
        page.evaluate(_SHORTENED)
        content = page.locator(".wrap").screenshot()
    if len(content) > MOST_BYTES:
        raise SystemExit(f"{to.name} would have {len(content)} bytes, more than {MOST_BYTES}")
    to.write_bytes(content)


if __name__ == "__main__":
    picture(Path(sys.argv[1]))
