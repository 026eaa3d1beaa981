"""`tbes report`: one report or the whole set, in any format, with acknowledgements and a comparison."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline import queries
from pipeline.commands import console, display_zone, with_session, write_file
from pipeline.errors import ExitCode, UsageError
from pipeline.i18n import Texts, locale_language
from pipeline.reports.formats import FORMATS, TABLE, by_ending
from pipeline.reports.values import visible, visible_lines

if TYPE_CHECKING:
    from pipeline.reports.document import Document, Style
    from pipeline.sql import Result, Session

ALL = "all"
CHANGES = "changes"


def report_command(
    name: str | None,
    format_: str | None,
    output: Path | None,
    tz: str | None,
    width: int | None,
    language: str | None,
    raw: bool,
    acknowledge: Path | None,
    since_report: Path | None,
    fail_on: tuple[str, ...],
    anonymise: bool,
    with_details: bool,
    **common: Any,
) -> ExitCode:
    """Print or write one report or all of them, and look for what --fail-on names."""
    from pipeline.fail_on import findings as failing
    from pipeline.fail_on import parse_conditions, sentence
    from pipeline.reports.acknowledge import exceeded, load, uncounted
    from pipeline.reports.changes import load as load_earlier
    from pipeline.reports.document import Style
    from pipeline.reports.gather import Wanted, document, findings

    conditions = parse_conditions(fail_on)
    chosen = format_ or by_ending(output)
    # the option is checked for every format; what goes into files is UTC, as it says there
    zone, zone_name = display_zone(tz)
    if chosen != TABLE:
        zone, zone_name = display_zone(None)
    style = Style(Texts(language or locale_language()), zone, zone_name, raw, prose=language is not None)
    entries = load(acknowledge) if acknowledge else ()
    earlier = load_earlier(since_report) if since_report else None
    wanted = Wanted(_wanted(name, chosen, with_changes=earlier is not None), entries, earlier)
    found: list[str] = []
    notes: list[str] = []

    def write(session: Session) -> str | bytes | None:
        found[:] = failing(session, conditions)
        made = document(session, wanted)
        marked = (
            findings(session, entries, made.as_of)
            if entries or (chosen == TABLE and wanted.report == "exposure")
            else None
        )
        if entries and marked:
            found[:] = uncounted(found, marked)
            notes[:] = exceeded(marked, entries)
        if anonymise:
            from pipeline.reports.anonymise import anonymised

            made = anonymised(made)
        if chosen == TABLE:
            _table(made, style, output, width, counts(marked, style) if marked else "")
            return None
        return FORMATS[chosen].write(made, _of_session(session, style, chosen, with_details))

    written = with_session(write, common)
    if written is not None:
        _put(written, output, chosen)
    for note in notes:
        click.echo(f"--acknowledge: {visible(note)}", err=True)
    if found:
        click.echo(visible(sentence(found)), err=True)
    return ExitCode.FINDINGS if found else ExitCode.DONE


def _of_session(session: Session, style: Style, format_: str, with_details: bool) -> Style:
    """The style with what a mailed format leaves out."""
    if with_details or not FORMATS[format_].mailed:
        return style
    from pipeline.reports.redact import Redactor

    organisation = session.parameters.organisation
    known = [one for one in session.organisations if organisation in (None, one.id)]
    networks = [network for one in known for network in one.networks]
    return replace(style, redactor=Redactor(style.texts, networks))


def _wanted(name: str | None, format_: str, *, with_changes: bool) -> str | None:
    """The report that was asked for; None for the whole set."""
    holds_set = format_ == TABLE or FORMATS[format_].holds_set
    if name is None:
        if format_ != TABLE and FORMATS[format_].set_by_default:
            return None
        return CHANGES if with_changes else "exposure"
    if name == ALL:
        if not holds_set:
            raise UsageError(
                f"A {format_} file holds one report: name it, use tbes export DIR, or another format"
            )
        return None
    if name == CHANGES:
        if not with_changes:
            raise UsageError(
                "The report changes needs an earlier one to compare with: --since-report FILE.json"
            )
        return CHANGES
    known = [report.name for report in queries.reports()]
    if name not in known:
        raise UsageError(f"There is no report {name!r}. Reports are: {', '.join(known)}; all of them: {ALL}")
    return name


def _table(made: Document, style: Style, output: Path | None, width: int | None, counted: str) -> None:
    from rich.console import Console

    from pipeline.reports.terminal import print_table

    def draw(on: Console) -> None:
        for sheet in made.sheets:
            print_table(
                on,
                sheet.result,
                style.title(sheet),
                style.zone,
                style.zone_name,
                sheet.first,
                sheet.below,
                texts=style.texts,
                report=sheet.name,
            )
        if not made.whole and made.sheets[0].name == "exposure":
            on.print(counted, highlight=False)

    if output is None:
        draw(console(width))
        return
    with output.open("w", encoding="utf-8", newline="\n") as handle:
        draw(Console(file=handle, width=width or 200))


def counts(findings: Result, style: Style) -> str:
    """How many findings there are: the exposure table itself shows only what they come to."""
    severity, on = findings.columns.index("severity"), findings.columns.index("acknowledged_on")
    counted = dict.fromkeys(("critical", "warning", "note", "acknowledged"), 0)
    for row in findings.rows:
        counted[row[severity] if row[on] is None else "acknowledged"] += 1
    return style.texts("text.see_findings", counted=style.texts("text.counted", **counted))


def _put(written: str | bytes, output: Path | None, format_: str) -> None:
    if output is not None:
        write_file(output, written)
    elif isinstance(written, bytes):
        if sys.stdout.isatty():
            raise UsageError(f"{format_} is not text: give --output FILE, or redirect the output")
        sys.stdout.buffer.write(written)
        sys.stdout.buffer.flush()
    else:
        # a terminal obeys what strangers wrote into the logs; a file gets it as it is
        click.echo(visible_lines(written) if sys.stdout.isatty() else written, nl=False)
