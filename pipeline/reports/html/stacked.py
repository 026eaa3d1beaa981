"""Tables whose rows become cards where the columns have no room: each cell under its heading, read as a table all the same."""

from __future__ import annotations

from pipeline.reports.html.model import ALWAYS, STEPS

# a hidden heading or empty cell stays in the table of a screen reader; a label is for the eye, the heading is read already
_RULES = (
    ("", "display:block"),
    (" caption:not(.unseen)", "display:block"),
    (" thead", "position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)"),
    (" tbody", "display:block"),
    (
        " tbody tr",
        "position:relative;display:grid;grid-template-columns:repeat(auto-fill,minmax(min(19em,100%),1fr));"
        "gap:.1em 1.6em;margin:0 0 .7em;padding:.5em .8em;border:1px solid var(--line);border-radius:8px",
    ),
    (" tbody th", "grid-column:1/-1;border:0;padding:.1em 0;width:auto;font-size:inherit"),
    (
        " td",
        "display:flow-root;min-width:0;width:auto;padding:.1em 0 .1em 9em;border:0;text-align:left;white-space:normal;"
        "overflow-wrap:anywhere",
    ),
    (
        " td::before",
        'content:attr(data-label);content:attr(data-label)/"";float:left;width:9.4em;margin-left:-9.89em;color:var(--muted);'
        'font:400 .91em/1.6 system-ui,-apple-system,"Segoe UI",Roboto,Helvetica,Arial,sans-serif;overflow-wrap:anywhere',
    ),
    (" td.wide", "grid-column:1/-1"),
    (" td.code", "font-size:inherit"),
    (" td:empty", "position:absolute;width:1px;height:1px;padding:0;overflow:hidden;clip-path:inset(50%)"),
    (" td:empty::before", "content:none"),
)


# on a phone long texts have the whole width, below their label
_PHONE = (
    "@container (max-width:29.99em){.fit td.long,.fit td.wide{padding-left:0}"
    ".fit td.long::before,.fit td.wide::before{float:none;display:block;width:auto;margin:0}}"
)


def stacked_rules() -> str:
    """For each step the rules of the tables that need as much room."""
    return (
        "\n".join(
            f"@container (max-width:{step - 0.01:g}em){{"
            + "".join(f".s{step}{part}{{{rules}}}" for part, rules in _RULES)
            + "}"
            for step in (*STEPS, ALWAYS)
        )
        + f"\n{_PHONE}"
    )
