"""Names in PowerShell commands that somebody pastes: quoted so that nothing in a name is anything but a name."""

from __future__ import annotations

import re

from pipeline.reports.values import visible

# PowerShell takes the typographic ones for the straight one, and a doubled one for one of it
# https://learn.microsoft.com/powershell/module/microsoft.powershell.core/about/about_quoting_rules
_QUOTES = re.compile("(['\u2018\u2019\u201a\u201b])")


def quoted(name: str) -> str:
    """A name as a literal: single quotes around it, those in it doubled, no control character left."""
    return "'" + _QUOTES.sub(r"\1\1", visible(name)) + "'"
