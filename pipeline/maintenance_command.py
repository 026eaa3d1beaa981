"""`tbes compact`, `tbes purge` and `tbes clean`: keeping a store small, and log lines no longer than they may be kept."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.errors import ExitCode, UsageError
from pipeline.store.store import Store, default_path

if TYPE_CHECKING:
    from pipeline.store.cleaning import Cleaned


def compact_command(store: Path | None, organisation: str | None, grace: int, quiet: bool) -> ExitCode:
    """Compact, then delete what nobody needs any more."""
    from pipeline.store.cleaning import clean
    from pipeline.store.compaction import compact

    target = _existing(store, organisation)

    def tell(partition: str) -> None:
        if not quiet:
            click.echo(f"compacting {partition}", err=True)

    done = compact(target, organisation, tell)
    cleaned = clean(target, grace, organisation)
    if not quiet:
        click.echo(
            f"{done.partitions} partitions compacted: {done.parts_before} files of {_megabytes(done.bytes_before)} "
            f"to {done.parts_after} of {_megabytes(done.bytes_after)}, {done.rows} rows."
        )
        _say_cleaned(cleaned)
    return ExitCode.DONE


def purge_command(
    store: Path | None,
    older_than: str | None,
    organisation: str | None,
    everything: bool,
    yes: bool,
    quiet: bool,
) -> ExitCode:
    """Remove log lines for good, after asking."""
    from pipeline.moments import parse_moment
    from pipeline.store.purge import organisations_with_rests, purge

    if everything == (older_than is not None):
        raise UsageError("Say what is to be purged: --older-than 90d, or --organisation NAME --everything")
    if everything and organisation is None:
        raise UsageError("--everything purges one organisation: name it with --organisation")
    before = parse_moment(older_than, datetime.now(UTC)) if older_than else None
    target = Store(store or default_path())
    _must_be_one_of(organisation, organisations_with_rests(target))
    whose = f"of {organisation}" if organisation else "of every organisation"
    what = (
        f"all log lines {whose} from before {before:%Y-%m-%d %H:%M} UTC" if before else f"everything {whose}"
    )
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError(f"This would remove {what} from {target.root} for good: say --yes to do it")
        click.confirm(f"Remove {what} from {target.root} for good?", abort=True, err=True)
    purged = purge(target, before, organisation)
    if not quiet:
        click.echo(f"{purged.lines} lines removed for good, {purged.parts} files written anew or dropped.")
        assert purged.cleaned is not None
        _say_cleaned(purged.cleaned)
    return ExitCode.DONE


def clean_command(store: Path | None, grace: int, quiet: bool) -> ExitCode:
    """Delete what nobody needs any more."""
    from pipeline.store.cleaning import clean

    cleaned = clean(_existing(store, None), grace)
    if not quiet:
        _say_cleaned(cleaned)
    return ExitCode.DONE


def _existing(store: Path | None, organisation: str | None) -> Store:
    target = Store(store or default_path())
    _must_be_one_of(
        organisation, {part.organisation for snapshot in target.snapshot() for part in snapshot.parts}
    )
    return target


def _must_be_one_of(organisation: str | None, ids: set[str]) -> None:
    if organisation is not None and organisation not in ids:
        raise UsageError(
            f"There is no organisation {organisation!r} in the store. It has: {', '.join(sorted(ids)) or 'none'}"
        )


def _say_cleaned(cleaned: Cleaned) -> None:
    click.echo(f"{cleaned.files} files of {_megabytes(cleaned.bytes)} that nobody needs deleted.")
    for path, why in cleaned.left:
        click.echo(f"{path} stays until the next time: {why}", err=True)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
