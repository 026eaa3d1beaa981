"""`tbes import-report`: take in Microsoft's own report and compare it with the logs."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from pipeline.commands import with_session
from pipeline.errors import ExitCode, UsageError
from pipeline.imports import kept as kept_imports
from pipeline.imports.dates import Order
from pipeline.imports.report import MAX_BYTES, ParsedReport, parse_report
from pipeline.organisations import load_organisations
from pipeline.reference.catalogue import Catalogue
from pipeline.reports.values import shown, visible
from pipeline.store.imported import change_imports
from pipeline.store.store import Store, default_path


def import_report_command(
    file: Path,
    organisation: str,
    date_order: str | None,
    tz: str | None,
    as_of: str | None,
    forget: bool,
    store: Path | None,
    reference: Path | None,
) -> ExitCode:
    """Import a file (or forget it) and print what it says beside what the logs say."""
    from pipeline.moments import parse_moment

    target = Store(store or default_path())
    with_logs = _must_be_known(target, organisation)
    content = _content(file)
    digest = hashlib.sha256(content).hexdigest()
    imports = kept_imports.load(target.root)
    if forget:
        return _forget(target, imports, organisation, digest, file)
    now = datetime.now(UTC).replace(microsecond=0)
    run_at = parse_moment(as_of, now) if as_of else now
    catalogue = Catalogue(reference)
    parsed = parse_report(content, catalogue, run_at, _zone(tz), cast("Order | None", date_order))
    new = kept_imports.KeptImport(
        organisation,
        file.name,
        digest,
        now,
        run_at,
        as_of is not None,
        tz or "UTC",
        tz is not None,
        parsed.reading.words,
        parsed.reading.reason,
        parsed.servers,
    )
    _, kept, changed = kept_imports.added(imports, new)
    if changed:
        # of what is kept by then: another process may have imported in between
        change_imports(target.root, lambda imports: kept_imports.added(imports, new)[0])
    _say_what_was_read(parsed, kept, changed, target)
    common = {
        "store": target.root,
        "reference": reference,
        "organisation": organisation if with_logs else None,
    }
    result = with_session(lambda session: session.report("reconciliation"), common)
    rows = [dict(zip(result.columns, row, strict=True)) for row in result.rows]
    _say_how_it_fits([row for row in rows if row["organisation"] == organisation])
    return ExitCode.DONE


def _must_be_known(store: Store, organisation: str) -> bool:
    """Whether there are logs of it. Raises UsageError if neither the logs nor organisations.toml know it."""
    ids = {part.organisation for snapshot in store.snapshot() for part in snapshot.parts}
    known = load_organisations(store.organisations_file) if store.organisations_file.exists() else ()
    if organisation not in ids | {item.id for item in known}:
        listed = ", ".join(sorted(ids | {item.id for item in known})) or "none"
        raise UsageError(f"There is no organisation {organisation!r} in the store. It has: {listed}")
    return organisation in ids


def _content(file: Path) -> bytes:
    try:
        with file.open("rb") as handle:
            return handle.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error


def _forget(
    store: Store, imports: Sequence[kept_imports.KeptImport], organisation: str, digest: str, file: Path
) -> ExitCode:
    kept = kept_imports.find(imports, organisation, digest)
    if kept is None:
        raise UsageError(f"{file.name} is not imported for {organisation}: nothing to forget")
    change_imports(store.root, lambda imports: [item for item in imports if item != kept])
    click.echo(f"Forgot {kept.file} of {organisation}, imported {shown(kept.imported_at, UTC)} UTC.")
    return ExitCode.DONE


def _zone(name: str | None) -> tzinfo:
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise UsageError(f"{name!r} is no time zone, as in Europe/Berlin or UTC") from error


def _say_what_was_read(
    parsed: ParsedReport, kept: kept_imports.KeptImport, changed: bool, store: Store
) -> None:
    count = len(parsed.servers)
    verb = "Imported" if changed else f"Imported before ({shown(kept.imported_at, UTC)} UTC):"
    click.echo(
        visible(
            f"{verb} {count} {'server' if count == 1 else 'servers'} of {kept.file} ({parsed.form}) "
            f"for {kept.organisation}."
        )
    )
    click.echo(visible(f"Dates: {kept.date_reading}; {kept.date_reason}."))
    if kept.zone_told:
        click.echo(f"Zone: {kept.zone}.")
    else:
        click.echo("Zone: read as UTC. The cmdlet does not say its zone: --tz tells another.")
    for note in parsed.notes:
        click.echo(visible(f"Note: {note}"))
    click.echo(f"Kept in {store.root / kept_imports.FILE}")


def _say_how_it_fits(rows: Sequence[dict[str, Any]]) -> None:
    """One paragraph a server: field, agreement, both values, and what the difference would mean."""
    server: Any = ...
    for row in rows:
        if row["server"] != server:
            server = row["server"]
            click.echo("\n" + visible(row["server"]))
        values = " | ".join(
            f"{label} {row[name]}"
            for label, name in (("report:", "reported"), ("expected:", "expected"))
            if row[name] is not None
        )
        click.echo(visible(f"  {row['field']:<33}  {row['agreement']:<18} {values}").rstrip())
        if row["reading"]:
            click.echo(visible(f"      {row['reading']}"))
    counts = {word: sum(row["agreement"] == word for row in rows) for word in ("agrees", "conflict")}
    click.echo(
        f"\n{counts['agrees']} agree, {counts['conflict']} conflict, of {len(rows)} compared. "
        "Again: tbes report reconciliation"
    )
