"""The command line: options in, exit code out. Heavy libraries are imported by the command that needs them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from pipeline import __version__
from pipeline.errors import ExitCode, TbesError
from pipeline.i18n import LANGUAGES
from pipeline.interruptible import Handler, leave, remember_interrupts
from pipeline.reports.formats import NAMES as FORMAT_NAMES
from pipeline.reports.values import visible

_STORE = click.option(
    "--store",
    type=click.Path(path_type=Path),
    default=None,
    metavar="DIR",
    help="Folder of the store. Default: TBES_STORE, else ./tbes-store.",
)
_REFERENCE = click.option(
    "--reference",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=None,
    metavar="DIR",
    help="Folder with newer catalogue tables (CSV) to lay over the built-in ones.",
)

_RAW = click.option(
    "--raw",
    is_flag=True,
    help="CSV and XLSX: put no apostrophe before a text that a spreadsheet may take for a formula.",
)


def _examples(*lines: str) -> str:
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def _report_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(
        (
            click.option("--organisation", metavar="ID", help="Only this organisation."),
            click.option(
                "--since",
                metavar="TIME",
                help="Only log lines from this time on: 2026-11-24, an ISO time, or 7d.",
            ),
            click.option("--until", metavar="TIME", help="Only log lines before this time."),
            click.option("--as-of", metavar="TIME", help="Report as of this time. Default: now."),
            _STORE,
            _REFERENCE,
        )
    ):
        command = option(command)
    return command


class _Group(click.Group):
    """Commands in the order in which they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(
    cls=_Group,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=_examples("tbes demo", r"tbes ingest D:\logs", "tbes report", "tbes report refusals --since 7d"),
)
@click.version_option(__version__, prog_name="tbes")
def cli() -> None:
    """Which of your Exchange servers will Exchange Online throttle (450 4.7.230) or block (550 5.7.230), when,
    and what does it cost: read from the transport logs you already have.

    \b
    Exit codes: 0 done, 1 unexpected error, 2 wrong use, 3 finished but lines were quarantined or files failed
    (see --max-bad), 4 findings at --fail-on, 130 interrupted.
    """


@cli.command(
    short_help="Read transport logs, folders and archives into the store.",
    epilog=_examples(
        r"tbes ingest D:\logs",
        r"tbes ingest \\EX01\c$\Program` Files\Microsoft\Exchange` Server\V15\TransportRoles\Logs --organisation contoso",
        "tbes ingest customers --layout {organisation}/{server}",
        "tbes ingest customers --organisations organisations.toml --json",
        r"tbes ingest D:\logs --pseudonymise C:\keys\tbes.key --drop-subjects",
    ),
)
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH...")
@click.option("--organisation", metavar="NAME", help="All logs are of this organisation.")
@click.option(
    "--layout",
    metavar="PATTERN",
    help="What the folders below PATH name, as in {organisation}/{server}; * for any.",
)
@click.option(
    "--organisations",
    "organisations_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="organisations.toml; it is kept in the store for this and later runs and reports.",
)
@click.option("--reassign", is_flag=True, help="Move logs that are in the store under another organisation.")
@click.option(
    "--pseudonymise",
    type=click.Path(path_type=Path),
    metavar="KEYFILE",
    help="Store no local part of an address, no user name and no subject: a hash under the key in this file stands "
    "for each (docs/privacy.md).",
)
@click.option("--drop-subjects", is_flag=True, help="Store no message subjects at all.")
@click.option(
    "--max-bad",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Quarantined lines and failed files above which the exit code is 3.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON on stdout.")
@click.option("--quiet", is_flag=True, help="Print no summary and no progress.")
@_STORE
@_REFERENCE
def ingest(**options: Any) -> None:
    """Read transport logs into the store: whole folder trees and single files, plain, .gz, .zst and .zip.

    Message tracking and SMTP protocol logs (Receive and Send) of Exchange 2007 to SE are read; other logs are
    named and skipped. What is in the store already is not read again; a grown log adds its new lines.
    """
    from pipeline.commands import ingest_command

    _end(ingest_command(**options))


@cli.command(
    "new-key", short_help="Make a key for --pseudonymise.", epilog=_examples(r"tbes new-key C:\keys\tbes.key")
)
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
def new_key(file: Path) -> None:
    """Make a key for --pseudonymise: a new FILE of 256 random bits that only you can read."""
    from pipeline.commands import new_key_command

    _end(new_key_command(file))


@cli.command(
    epilog=_examples(
        "tbes report",
        "tbes report refusals --organisation contoso --since 7d",
        "tbes report servers --format csv --output servers.csv",
        "tbes report delayed_messages --tz Europe/Berlin",
        "tbes report --fail-on throttled,within=30d",
        "tbes report --output exposure.xlsx",
        "tbes report --organisation contoso --output contoso.html",
        "tbes report --format text --language de",
        "tbes report all --format json --output monday.json",
        "tbes report --format text --since-report monday.json",
    )
)
@click.argument("name", required=False)
@click.option(
    "--format",
    "format_",
    type=click.Choice(FORMAT_NAMES),
    default=None,
    help="Default: by the ending of --output, else table.",
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write there instead of to stdout.",
)
@click.option(
    "--tz", metavar="ZONE", help="Time zone of the terminal table, as in Europe/Berlin. Files are UTC."
)
@click.option(
    "--width",
    type=click.IntRange(min=40),
    metavar="COLUMNS",
    help="Width of the terminal table. Default: that of the terminal, else COLUMNS, else 160; 200 in a file.",
)
@click.option(
    "--language",
    type=click.Choice(LANGUAGES),
    default=None,
    help="Language of what people read. Default: by the locale; CSV, JSON and Parquet are English without it.",
)
@_RAW
@click.option(
    "--acknowledge",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Findings that somebody has looked at, with reason and day: shown as such, not counted by --fail-on.",
)
@click.option(
    "--since-report",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE.json",
    help="Say what changed since a report that tbes report all --format json wrote.",
)
@click.option(
    "--with-details",
    is_flag=True,
    help="HTML and text: show addresses, message ids, internal IP addresses, paths and unread log lines too. "
    "The other formats always hold them.",
)
@click.option(
    "--server", metavar="NAME", help="Only this server, in the reports that are about one server (clock)."
)
@click.option(
    "--fail-on",
    multiple=True,
    metavar="CONDITION",
    help="throttled, blocked or within=30d (a stage comes by then), also several with commas: "
    "exit code 4 if an organisation or server is so.",
)
@click.option(
    "--anonymise",
    is_flag=True,
    help="A report to hand on: labels (organisation-1, server-1, ...) for organisations, servers, connectors, domains, "
    "addresses, IP addresses, message ids and paths.",
)
@_report_options
def report(**options: Any) -> None:
    """Print or write a report. `tbes reports` lists them; NAME all is the whole set.

    Without NAME: exposure; the whole set in formats that are mailed around; changes with --since-report.
    """
    from pipeline.report_command import report_command

    _end(report_command(**options))


@cli.command(
    "import-report",
    short_help="Import Get-OnPremServerReportInfo as evidence.",
    epilog=_examples(
        "tbes import-report report.txt --organisation contoso",
        "tbes import-report report.csv --organisation contoso --date-order dmy --tz Europe/Berlin",
    ),
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE")
@click.option("--organisation", metavar="ID", required=True, help="Whose report it is.")
@click.option(
    "--date-order",
    type=click.Choice(["dmy", "mdy"]),
    default=None,
    help="Day or month first; needed only where the dates of the file fit both.",
)
@click.option(
    "--tz", metavar="ZONE", help="Zone of the dates in the file, as in Europe/Berlin. Default: UTC."
)
@click.option("--as-of", metavar="TIME", help="When the cmdlet was run. Default: now.")
@click.option("--forget", is_flag=True, help="Take out an earlier import of this file again.")
@_STORE
@_REFERENCE
def import_report(**options: Any) -> None:
    """Import the output of Get-OnPremServerReportInfo as evidence, and compare it with the logs field by field.

    FILE is what Format-List, Export-Csv or ConvertTo-Json wrote, in any culture and encoding.
    """
    from pipeline.import_command import import_report_command

    _end(import_report_command(**options))


@cli.command(epilog=_examples("tbes reports"))
def reports() -> None:
    """List the reports and what each answers."""
    from pipeline.commands import reports_command

    _end(reports_command())


@cli.command(epilog=_examples("tbes export out", "tbes export out --organisation contoso --since 30d"))
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path), metavar="DIR")
@_RAW
@_report_options
def export(**options: Any) -> None:
    """Write every report as CSV into DIR."""
    from pipeline.commands import export_command

    _end(export_command(**options))


@cli.command(
    short_help="Run one SELECT on tables, views and catalogue.",
    epilog=_examples(
        'tbes sql "select server, build_name from servers"',
        "tbes sql --file query.sql --format csv",
        "echo select 1 | tbes sql",
    ),
)
@click.argument("statement", required=False, metavar="[SQL]")
@click.option(
    "--file",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Read the SQL from a file.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["table", "csv", "json"]),
    default=None,
    help="Default: table on a terminal, csv elsewhere.",
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write there instead of to stdout.",
)
@click.option("--tz", metavar="ZONE", help="Time zone of the terminal table.")
@click.option("--unsafe", is_flag=True, help="Allow any statement and access to files.")
@click.option(
    "--harlequin", is_flag=True, help="Open Harlequin, if it is installed, on what tbes connect writes."
)
@_RAW
@_report_options
def sql(**options: Any) -> None:
    """Run one SELECT on the tables, views and catalogue, in DuckDB's SQL; read from stdin if not given.

    Without SQL on a terminal: a prompt with history and completion (extra `prompt`). `tbes schema` says what there is.
    """
    from pipeline.connect_command import sql_or_prompt_command

    _end(sql_or_prompt_command(**options))


@cli.command(
    short_help="Print what SQL sees: tables, views, columns.",
    epilog=_examples("tbes schema", "tbes schema servers", "tbes schema --format json"),
)
@click.argument("name", required=False)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    show_default=True,
    help="How to print it.",
)
def schema(name: str | None, format_: str) -> None:
    """Print every table, view and column that SQL sees, or one, with type, meaning and unit."""
    from pipeline.connect_command import schema_command

    _end(schema_command(name, format_))


@cli.command(
    short_help="Write an init script for any DuckDB client.",
    epilog=_examples(
        'duckdb -init "$(tbes connect)"',
        'harlequin --init-path "$(tbes connect --organisation contoso)"',
        "tbes connect --output connect.sql",
    ),
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the script there. Default: the user's cache folder.",
)
@click.option(
    "--as-tables",
    is_flag=True,
    help="Compute all views once when the script runs, instead of the views that a query reads in each query.",
)
@_report_options
def connect(**options: Any) -> None:
    """Write an init script for any DuckDB client and print its path: the tables, views and comments of tbes sql.

    It is valid for one hour, as long as files are kept that the store no longer needs.
    """
    from pipeline.connect_command import connect_command

    _end(connect_command(**options))


@cli.command(
    short_help="Explain an SMTP reply, a build or a log line.",
    epilog=_examples(
        'tbes decode "450 4.7.230 Connecting Exchange server version is out-of-date; ... throttled for 5 mins/hr."',
        "tbes decode 15.01.2507.039",
        'tbes decode "Version 15.1 (Build 32507.6)"',
    ),
)
@click.argument("text", nargs=-1, required=True)
@_REFERENCE
def decode(text: Sequence[str], reference: Path | None) -> None:
    """Explain an SMTP reply, a build number in any spelling, or a whole log line."""
    from pipeline.commands import decode_command

    _end(decode_command(" ".join(text), reference))


_GRACE = click.option(
    "--grace",
    type=click.IntRange(min=0),
    default=1,
    show_default=True,
    metavar="HOURS",
    help="How long files that were replaced stay for reports that are reading them.",
)
_QUIET = click.option("--quiet", is_flag=True, help="Print nothing.")


@cli.command(
    short_help="Join the store's many small files to few large ones.",
    epilog=_examples("tbes compact", "tbes compact --organisation contoso"),
)
@click.option("--organisation", metavar="ID", help="Only this organisation.")
@_GRACE
@_QUIET
@_STORE
def compact(**options: Any) -> None:
    """Join the store's many small files to few large ones, an organisation's month at a time.

    Every report stays the same, and is faster. It may run beside ingests and reports.
    """
    from pipeline.maintenance_command import compact_command

    _end(compact_command(**options))


@cli.command(
    short_help="Remove log lines from the store for good.",
    epilog=_examples(
        "tbes purge --older-than 90d",
        "tbes purge --older-than 2026-01-01 --organisation contoso --yes",
        "tbes purge --organisation contoso --everything",
    ),
)
@click.option(
    "--older-than", metavar="TIME", help="Lines from before this time: 90d, 2026-01-01, an ISO time."
)
@click.option("--organisation", metavar="ID", help="Only this organisation.")
@click.option(
    "--everything",
    is_flag=True,
    help="All of the organisation, with its imported reports and what is known of the logs it came from.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@_QUIET
@_STORE
def purge(**options: Any) -> None:
    """Remove log lines from the store for good; the files that held them are deleted.

    Which logs were read, and how far, is kept (their paths, servers and counts): purged lines do not come back with the
    next ingest of the same logs. With --everything that is removed too.
    """
    from pipeline.maintenance_command import purge_command

    _end(purge_command(**options))


@cli.command(
    short_help="Delete files of the store that nobody needs any more.", epilog=_examples("tbes clean")
)
@_GRACE
@_QUIET
@_STORE
def clean(**options: Any) -> None:
    """Delete files of the store that nobody needs: rests of runs that were killed, and what was replaced.

    Ingest, compact and purge do it at their end too. Runs under way lose nothing.
    """
    from pipeline.maintenance_command import clean_command

    _end(clean_command(**options))


@cli.command(short_help="Try it on sample logs in a temporary store.", epilog=_examples("tbes demo"))
@click.option("--tz", metavar="ZONE", help="Time zone of the table.")
@click.option(
    "--keep",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Keep the demo's store here for a closer look.",
)
def demo(tz: str | None, keep: Path | None) -> None:
    """Ingest the sample logs into a temporary store and print the exposure of six invented organisations."""
    from pipeline.commands import demo_command

    _end(demo_command(tz, keep))


def _end(code: ExitCode) -> None:
    if code is not ExitCode.DONE:
        raise click.exceptions.Exit(int(code))


def main(arguments: Sequence[str] | None = None, until_now: Handler | None = None) -> None:
    """The command `tbes`. Never a traceback for what a user can mend; a documented exit code always.

    `until_now` has answered Ctrl-C so far.
    """
    try:
        remember_interrupts(until_now)
        _utf8_output()
        code = cli.main(args=arguments, prog_name="tbes", standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except SystemExit as end:
        # click ends with 1 where the reader of a pipe (head, more) has seen enough: that is no fault.
        sys.exit(0 if type(sys.stdout).__name__.endswith("PacifyFlushWrapper") else end.code)
    except click.exceptions.Abort:
        click.echo("Interrupted. What was committed is kept; run it again to go on.", err=True)
        leave(int(ExitCode.INTERRUPTED))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except TbesError as error:
        click.echo(f"Error: {visible(str(error))}", err=True)
        sys.exit(int(error.exit_code))
    except KeyboardInterrupt:
        click.echo("Interrupted. What was committed is kept; run it again to go on.", err=True)
        leave(int(ExitCode.INTERRUPTED))
    except BrokenPipeError:
        # The reader of a pipe (head, more) has seen enough.
        sys.stderr.close()
        sys.exit(int(ExitCode.DONE))
    except OSError as error:
        click.echo(f"Error: {visible(_system_words(error))}", err=True)
        sys.exit(int(ExitCode.UNEXPECTED))
    except Exception as error:  # noqa: BLE001  the last resort: one sentence instead of a traceback
        _unexpected(error)
        sys.exit(int(ExitCode.UNEXPECTED))


def _system_words(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    why = error.strerror or str(error) or type(error).__name__
    return (
        f"{where}{why}. What was committed is kept; make room or give the right to write, and run it again."
    )


def _unexpected(error: Exception) -> None:
    import os
    import traceback

    if os.environ.get("TBES_DEBUG"):
        traceback.print_exc()
    words = (str(error).strip().splitlines() or [""])[0]
    click.echo(
        f"Unexpected error: {type(error).__name__}: {visible(words)}. Set TBES_DEBUG=1 for the details and report it.",
        err=True,
    )


def _utf8_output() -> None:
    """Logs hold any script; a console's code page must not end a report."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="replace")
