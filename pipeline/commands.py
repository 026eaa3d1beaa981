"""What each command does, between the options and the exit code."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from pipeline import queries
from pipeline.errors import ExitCode, UsageError
from pipeline.organisations import KnownOrganisation, load_organisations
from pipeline.reports.formats import by_ending
from pipeline.reports.values import visible_lines
from pipeline.resources import resource
from pipeline.store.locks import delete_unless_held, lock_if_possible
from pipeline.store.store import Store, default_path

if TYPE_CHECKING:
    from pipeline.reference.catalogue import Catalogue

_ATTEMPTS = 5


def ingest_command(
    paths: tuple[Path, ...],
    organisation: str | None,
    layout: str | None,
    organisations_file: Path | None,
    reassign: bool,
    pseudonymise: Path | None,
    drop_subjects: bool,
    max_bad: int,
    as_json: bool,
    quiet: bool,
    store: Path | None,
    reference: Path | None,
) -> ExitCode:
    """Ingest and say what was done."""
    import json

    from pipeline.ingest.plan import OTHER_ORGANISATION
    from pipeline.ingest.run import Ingest
    from pipeline.logs.assign import Organisation as Assigned
    from pipeline.logs.assign import Rules
    from pipeline.reports import ingest_summary
    from pipeline.store.private import owner_only

    for path in paths:
        if not path.exists():
            raise UsageError(f"{path} does not exist: give a folder or file with transport logs")
    if organisation is not None and not organisation.strip():
        raise UsageError("--organisation is empty: name one, or leave it out to go by the folders")
    target = Store(store or default_path())
    privacy = _privacy(target, pseudonymise, drop_subjects)
    known = load_organisations(organisations_file) if organisations_file else _organisations(target)
    catalogue = _catalogue(reference)
    rules = Rules(
        organisation=_named(organisation, known) if organisation else None,
        layout=_layout(layout),
        known=tuple(Assigned(o.id, o.name, o.domains, o.servers, o.paths) for o in known),
    )
    with ingest_summary.progress_bar(enabled=not quiet and not as_json) as progress:
        summary = Ingest(
            target,
            hosts_of(catalogue),
            rules,
            reassign=reassign,
            progress=progress,
            privacy=privacy,
        ).run(paths)
    if organisations_file and organisations_file.resolve() != target.organisations_file.resolve():
        with owner_only():
            write_file(target.organisations_file, organisations_file.read_bytes())
    if as_json:
        click.echo(json.dumps(summary.as_json(), ensure_ascii=False, indent=2))
    elif not quiet:
        ingest_summary.print_summary(console(), summary, target.root)
    found_logs = any(
        file.outcome not in ("skipped", "failed") or file.kind == OTHER_ORGANISATION for file in summary.files
    )
    if not found_logs and not any(file.outcome == "failed" for file in summary.files):
        raise UsageError(ingest_summary.no_logs_sentence(paths, summary))
    return ExitCode.QUARANTINED if summary.bad > max_bad else ExitCode.DONE


def _privacy(target: Store, key_file: Path | None, drop_subjects: bool) -> Any:
    """What was asked for, and what the store keeps to by itself: subjects that it never held stay out."""
    from pipeline.keys import others_can_read, read_key
    from pipeline.logs.privacy import Privacy
    from pipeline.logs.pseudonyms import Pseudonyms
    from pipeline.store.private import Treatment, must_agree

    if key_file is not None and key_file.resolve().is_relative_to(target.root.resolve()):
        raise UsageError(
            f"The key {key_file} lies in the store {target.root}: keep it elsewhere, or it goes wherever the data go"
        )
    pseudonyms = Pseudonyms(read_key(key_file)) if key_file is not None else None
    if key_file is not None and others_can_read(key_file):
        click.echo(f"Other users of this machine can read the key: chmod 600 {key_file}", err=True)
    stored = target.treatment()
    privacy = Privacy(pseudonyms, drop_subjects or (stored is not None and stored.drops_subjects))
    if stored is not None:
        must_agree(target.root, stored, Treatment.by(privacy))
    return privacy


def new_key_command(file: Path) -> ExitCode:
    """Make a key file."""
    from pipeline.keys import new_key

    new_key(file)
    click.echo(f"A new key is in {file}. Keep a copy in a safe place, not beside the data.", err=True)
    return ExitCode.DONE


def reports_command() -> ExitCode:
    """List the reports."""
    width = max(len(report.name) for report in queries.reports())
    for report in queries.reports():
        click.echo(f"{report.name:<{width}}  {report.answers}")
    return ExitCode.DONE


def export_command(directory: Path, raw: bool, **common: Any) -> ExitCode:
    """Write every report as CSV."""
    from pipeline.reports.delimited import to_csv

    def write(session: Any) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        for report in queries.reports():
            result = session.report(report.name)
            write_file(directory / f"{report.name}.csv", to_csv(result, raw=raw))
            click.echo(f"{directory / report.name}.csv  {len(result.rows)} rows")

    with_session(write, common)
    return ExitCode.DONE


def sql_command(
    statement: str | None,
    file: Path | None,
    format_: str | None,
    output: Path | None,
    tz: str | None,
    unsafe: bool,
    raw: bool,
    **common: Any,
) -> ExitCode:
    """Run one statement."""
    if statement and file:
        raise UsageError("Give the SQL as an argument or with --file, not both")
    text = statement or (file.read_text(encoding="utf-8-sig") if file else sys.stdin.read())
    if not text.strip():
        raise UsageError('No SQL was given, for example: tbes sql "select * from servers"')
    default = "table" if output is None and sys.stdout.isatty() else "csv"
    chosen = format_ or (by_ending(output) if output else default)
    if chosen not in ("table", "csv", "json"):
        raise UsageError(f"The result of SQL is written as table, csv or json, not as {chosen}")
    _write(lambda session: session.query(text), None, chosen, output, tz, common, unsafe=unsafe, raw=raw)
    return ExitCode.DONE


def decode_command(text: str, reference: Path | None) -> ExitCode:
    """Explain a reply, build or log line."""
    from pipeline.decode import decode
    from pipeline.reports.values import visible

    found = decode(text, _catalogue(reference), datetime.now(UTC).date())
    click.echo(visible(found.title))
    for line in found.facts:
        click.echo(f"  {visible(line)}")
    for line in found.what_to_do:
        click.echo(f"What to do: {visible(line)}")
    for source in found.sources:
        click.echo(f"Source: {source}")
    return ExitCode.DONE if found.kind != "unknown" else ExitCode.USAGE


def demo_command(tz: str | None, keep: Path | None) -> ExitCode:
    """Ingest the sample logs and print the exposure report."""
    from pipeline.reports import ingest_summary

    folder = Path(tempfile.mkdtemp(prefix="tbes-demo-")) if keep is None else keep
    try:
        samples = resource("sample_logs")
        store = Store(folder)
        from pipeline.ingest.run import Ingest
        from pipeline.logs.assign import Rules

        catalogue = _catalogue()
        with ingest_summary.progress_bar(enabled=True) as progress:
            summary = Ingest(store, hosts_of(catalogue), Rules(), progress=progress).run([samples])
        screen = console()
        ingest_summary.print_summary(screen, summary, store.root)
        common = {"store": folder, "as_of": _end_of_logs(store), "reference": None}
        report = next(report for report in queries.reports() if report.name == "exposure")
        _write(lambda session: session.report("exposure"), report, "table", None, tz, common)
        click.echo("Where to look next (with your own logs: tbes ingest PATH, then):")
        for line in (
            "tbes report servers             builds, baselines, end of support",
            "tbes report refusals            every 4.7.230 and 5.7.230 with its log line",
            "tbes report delayed_messages    what came late, and by how much",
            "tbes report bounced_messages    what was refused for good, and whom to resend to",
            "tbes report coverage            what these logs cannot show, and the command that closes each gap",
            "tbes reports                    all reports",
        ):
            click.echo(f"  {line}")
        if keep is not None:
            click.echo(f"The store is kept: tbes report servers --store {keep} --as-of {common['as_of']}")
    finally:
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    return ExitCode.DONE


def hosts_of(catalogue: Catalogue) -> Any:
    """The catalogue's host suffixes as the reader wants them."""
    from pipeline.logs.derived import Hosts

    return Hosts({host.suffix: host.host_class for host in catalogue.hosts})


def session_rows(store: Store, report: str, as_of: datetime) -> Any:
    """The rows of a report on the newest state of a store."""
    from pipeline.relations import Parameters
    from pipeline.sql import Session

    with Session(store.snapshot(), _catalogue(), _organisations(store), Parameters(as_of=as_of)) as session:
        return session.report(report)


def _end_of_logs(store: Store) -> str:
    """The demo is seen from the end of its logs, or all of it would be stale."""
    times = [part.last_time for snapshot in store.snapshot() for part in snapshot.parts if part.last_time]
    return max(times).isoformat()


def _write(
    rows: Callable[[Any], Any],
    report: queries.Query | None,
    format_: str,
    output: Path | None,
    tz: str | None,
    common: dict[str, Any],
    *,
    unsafe: bool = False,
    raw: bool = False,
) -> None:
    zone, zone_name = display_zone(tz)
    result = with_session(rows, common, unsafe=unsafe)
    if format_ == "table":
        from pipeline.reports.terminal import print_table

        title, first, below = (report.title, report.terminal, report.below) if report else ("Result", (), ())
        if output is None:
            print_table(console(), result, title, zone, zone_name, first, below)
        else:
            from rich.console import Console

            with output.open("w", encoding="utf-8", newline="\n") as handle:
                print_table(Console(file=handle, width=200), result, title, zone, zone_name, first, below)
        return
    from pipeline.reports.delimited import to_csv, to_json

    text = to_csv(result, raw=raw) if format_ == "csv" else to_json(result)
    if output is None:
        # a terminal obeys what strangers wrote into the logs; a file gets it as it is
        click.echo(visible_lines(text) if sys.stdout.isatty() else text, nl=False)
    else:
        write_file(output, text)


def with_session(use: Callable[[Any], Any], common: dict[str, Any], *, unsafe: bool = False) -> Any:
    """Run on a fresh snapshot; once more on a newer one if a file vanished in between."""
    from pipeline.imports.kept import load as load_imports
    from pipeline.moments import parse_moment
    from pipeline.relations import Parameters
    from pipeline.sql import MissingFile, Session

    now = datetime.now(UTC)
    moments = {
        key: parse_moment(common[key], now) if common.get(key) else None
        for key in ("since", "until", "as_of")
    }
    if (as_of := moments["as_of"]) and (moments["until"] is None or moments["until"] > as_of):
        # A report of an earlier day does not know what came after it.
        moments["until"] = as_of
    if moments["since"] and moments["until"] and moments["since"] >= moments["until"]:
        raise UsageError("--since must be before --until (and before --as-of): nothing lies between them")
    store = Store(common.get("store") or default_path())
    # The catalogue that comes with the product is right, and many a report reads nothing of it.
    catalogue = _catalogue(reference) if (reference := common.get("reference")) else _catalogue
    known, imported = _organisations(store), load_imports(store.root)
    organisation = common.get("organisation")
    for attempt in (1, 2):
        snapshots = store.snapshot()
        if organisation:
            _must_exist(organisation, snapshots)
        try:
            parameters = Parameters(organisation, server=common.get("server"), **moments)
            with Session(
                snapshots, catalogue, known, parameters, imported=imported, unsafe=unsafe
            ) as session:
                return use(session)
        except MissingFile:
            if attempt == 2:
                raise
    return None


def _catalogue(reference: Path | None = None) -> Catalogue:
    from pipeline.reference.catalogue import Catalogue

    return Catalogue(reference)


def _must_exist(organisation: str, snapshots: Any) -> None:
    ids = sorted({part.organisation for snapshot in snapshots for part in snapshot.parts})
    if organisation not in ids:
        raise UsageError(
            f"There is no organisation {organisation!r} in the store. It has: {', '.join(ids) or 'none'}"
        )


def _organisations(store: Store) -> tuple[KnownOrganisation, ...]:
    return load_organisations(store.organisations_file) if store.organisations_file.exists() else ()


def _named(name: str, known: tuple[KnownOrganisation, ...]) -> Any:
    from pipeline.logs.assign import Organisation, shares_id, slug

    for organisation in known:
        if name in (organisation.id, organisation.name):
            return Organisation(organisation.id, organisation.name)
    for organisation in known:
        if slug(name) == organisation.id and shares_id(name, organisation.id, organisation.name):
            raise UsageError(
                f"{name} would have the id {organisation.id}, which organisations.toml gives to {organisation.name}. "
                f"For {organisation.name} say --organisation {organisation.id}; give another an id of its own there."
            )
    # Bytes of the command line that are no text stand escaped, as in names of files.
    return Organisation(slug(name), name.encode("utf-8", "backslashreplace").decode())


def _layout(pattern: str | None) -> tuple[str, ...]:
    if pattern is None:
        return ()
    parts = tuple(part for part in pattern.replace("\\", "/").split("/") if part)
    if not any("{organisation}" in part or "{server}" in part for part in parts):
        raise UsageError("--layout names folders, as in {organisation}/{server}")
    return parts


def write_file(path: Path, content: str | bytes) -> None:
    """Whole or not at all: beside it first, then renamed. What a killed process left there before is deleted."""
    data = content.encode("utf-8") if isinstance(content, str) else content
    _delete_rests(path)
    for attempt in range(_ATTEMPTS):
        beside = path.with_name(f".{path.name}.{os.urandom(4).hex()}.tmp")
        try:
            with beside.open("xb") as handle:
                lock_if_possible(handle)
                handle.write(data)
            beside.replace(path)
            return
        except OSError as error:
            # Before and after its lock it was a rest to another report that is written there just now.
            if isinstance(error, FileNotFoundError) and path.parent.is_dir() and attempt + 1 < _ATTEMPTS:
                continue
            with suppress(OSError):
                beside.unlink(missing_ok=True)
            raise UsageError(f"{path} cannot be written: {error.strerror}") from error


def _delete_rests(path: Path) -> None:
    """What killed processes wrote beside a file and could not rename; nobody holds its lock."""
    rest = re.compile(re.escape(f".{path.name}.") + "[0-9a-f]+[.]tmp")
    with suppress(OSError), os.scandir(path.parent) as entries:
        for entry in entries:
            if rest.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                delete_unless_held(Path(entry.path))


def display_zone(name: str | None) -> tuple[tzinfo, str]:
    """The zone of --tz with its name. Raises UsageError if there is none of that name."""
    if name is None:
        return UTC, "UTC"
    try:
        return ZoneInfo(name), name
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise UsageError(f"{name!r} is no time zone, as in Europe/Berlin or UTC") from error


def console(width: int | None = None) -> Any:
    """The terminal, or a wide page off one; of the width that is given, else of its own or that of COLUMNS."""
    from rich.console import Console

    class Page(Console):
        def on_broken_pipe(self) -> None:
            """The reader has seen enough, which `main` answers; rich would end the process as after a fault."""
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise BrokenPipeError

    # NO_COLOR, COLUMNS and redirection are honoured by rich; off a terminal of known width the page is wide
    known = sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdigit()
    return Page(width=width or (None if known else 160))
