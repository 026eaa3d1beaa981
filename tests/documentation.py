"""Pages that are made from the product itself: commands from --help, reports and columns from the SQL files.

`python -m tests.documentation --write` writes them; the tests hold them true.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import UTC
from pathlib import Path

import click
from rich.console import Console

from pipeline import queries, schema_text
from pipeline.cli import cli
from pipeline.commands import session_rows
from pipeline.reports.terminal import print_table
from tests.samples import AS_OF, ingest_samples

DOCS = Path(__file__).resolve().parents[1] / "docs"


def commands() -> str:
    """docs/commands.md."""
    lines = ["# Commands", "", "What `--help` says of each. Exit codes: [exit-codes.md](exit-codes.md).", ""]
    settings = {**cli.context_settings, "max_content_width": 100}
    context = click.Context(cli, info_name="tbes", terminal_width=100, **settings)
    lines += ["```text", cli.get_help(context), "```", ""]
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None
        inner = click.Context(
            command, info_name=name, parent=context, max_content_width=100, terminal_width=100
        )
        lines += [f"## tbes {name}", "", "```text", command.get_help(inner), "```", ""]
    return "\n".join(lines).rstrip() + "\n"


def reports() -> str:
    """docs/reports.md."""
    lines = [
        "# Reports",
        "",
        "`tbes report NAME` prints one, `tbes export DIR` writes all. Times are UTC.",
        "",
    ]
    for report in queries.reports():
        lines += [f"## {report.name}", "", report.answers, "", *_columns(report.columns.items()), ""]
    return "\n".join(lines).rstrip() + "\n"


def picture() -> str:
    """docs/exposure.svg: the exposure report of the demo as a terminal shows it."""
    with tempfile.TemporaryDirectory() as folder:
        store = ingest_samples(Path(folder) / "store")
        report = next(report for report in queries.reports() if report.name == "exposure")
        result = session_rows(store, "exposure", AS_OF)
    console = Console(record=True, width=132, force_terminal=True, color_system="truecolor", file=_Nowhere())
    console.print("[bold]$ tbes demo[/bold]\n")
    print_table(console, result, report.title, UTC, "UTC", report.terminal, report.below)
    return console.export_svg(title="tbes", unique_id="tbes-exposure")


def _columns(columns: object) -> list[str]:
    rows = [f"| `{name}` | {meaning.replace('|', '&#124;')} |" for name, meaning in columns]  # type: ignore[attr-defined]  # dict items
    return ["| column | meaning |", "|---|---|", *rows]


class _Nowhere:
    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None:
        return None


PAGES = {"commands.md": commands, "reports.md": reports, "tables.md": schema_text.page}


def main() -> None:
    """Write the pages and the picture."""
    if sys.argv[1:] != ["--write"]:
        sys.exit("usage: python -m tests.documentation --write")
    for name, page in {**PAGES, "exposure.svg": picture}.items():
        (DOCS / name).write_text(page(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
