"""From a document to the file: Jinja with escaping always on, and a policy that lets nothing in but the page's own style.

https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Content-Security-Policy
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from typing import Any

from pipeline.errors import UsageError
from pipeline.reports.document import Document, Style
from pipeline.reports.values import visible, visible_lines

_HERE = Path(__file__).parent


def to_html(document: Document, style: Style) -> str:
    """The report as one file. Raises UsageError if the extra `html` is not installed."""
    try:
        import jinja2
        import vl_convert
        from markupsafe import Markup
    except ImportError as error:
        raise UsageError('HTML needs more packages: pip install "tbes[html]"') from error
    assert vl_convert
    from pipeline.reports.html.charts import dark_rules
    from pipeline.reports.html.page import page
    from pipeline.reports.html.stacked import stacked_rules

    # all times of the report are UTC, as those of its sentences are
    made = page(document, replace(style, zone=UTC, zone_name="UTC"))
    sheet = (_HERE / "style.css").read_text(encoding="utf-8")
    sheet = sheet.replace("/* dark charts */", dark_rules())
    sheet = sheet.replace("/* stacked tables */", stacked_rules())
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.filters["picture"] = Markup
    environment.filters["lines"] = _lines
    template = environment.get_template("report.html.j2")
    return template.render(
        page=made,
        t=style.texts,
        style=Markup(sheet),  # the package's own file
        style_hash=_hash(sheet),
    )


def _shown(value: Any) -> Any:
    """Every text that the template shows, whoever made it: nothing invisible or that turns the direction round."""
    return visible(value) if type(value) is str else value


def _lines(text: str) -> Any:
    """The same for a text of several lines."""
    from markupsafe import escape

    return escape(visible_lines(text))


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
