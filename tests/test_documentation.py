"""Documentation that is made from the product is what the product says today."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests import documentation

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("name", documentation.PAGES)
def test_page_is_current(name: str) -> None:
    written = (documentation.DOCS / name).read_text(encoding="utf-8")
    assert written == documentation.PAGES[name](), "run: python -m tests.documentation --write"


def test_readme_and_ci_run_the_same_test_command() -> None:
    readme, ci = (
        (ROOT / "README.md").read_text(encoding="utf-8"),
        (ROOT / ".ci" / "run").read_text(encoding="utf-8"),
    )
    command = ".venv/bin/python -m pytest"
    assert re.search(rf"^{re.escape(command)}$", readme, re.M)
    assert re.search(rf"^{re.escape(command)}$", ci, re.M)


def test_links_lead_somewhere() -> None:
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *documentation.DOCS.glob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            if not target.startswith("http"):
                assert (page.parent / target).exists(), f"{page.name}: {target}"
