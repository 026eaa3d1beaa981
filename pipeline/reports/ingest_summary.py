"""What an ingest did, for people: progress on stderr while it runs, then numbers that add up."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.table import Table
from rich.text import Text

from pipeline.ingest.run import Progress as Done
from pipeline.ingest.summary import FileReport, Summary
from pipeline.reports.values import visible

FILES_SHOWN = 20


@contextmanager
def progress_bar(*, enabled: bool) -> Iterator[Callable[[Done], None]]:
    """Files, MB/s and time left, on a terminal only."""
    if not enabled or not sys.stderr.isatty():
        yield lambda _: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[files]} files"),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Reading logs", total=None, files="0")

        def update(done: Done) -> None:
            bar.update(
                task, completed=done.bytes, total=done.of_bytes or 1, files=f"{done.files}/{done.of_files}"
            )

        yield update


def print_summary(console: Console, summary: Summary, store: Path) -> None:
    """Files and lines by source folder group, what was assigned how, what was skipped, and the totals."""
    read = [file for file in summary.files if file.outcome in ("new", "grown", "failed")]
    if read:
        _print_lines(console, read)
    for file in (
        file for file in read if file.note and file.outcome != "failed" and len(read) <= FILES_SHOWN
    ):
        console.print(Text(f"  {visible(file.path)}: {visible(file.note)}", style="dim"))
    for file in summary.files:
        if file.outcome == "failed":
            console.print(Text(f"Failed: {visible(file.path)}: {visible(file.note)}", style="red"))
        elif file.kind == "same log under another organisation":
            console.print(Text(f"Left out: {visible(file.path)}: {file.note}", style="yellow"))
    if kinds := summary.skipped_kinds:
        named = ", ".join(f"{kind} {count}" for kind, count in kinds.items())
        console.print(f"Skipped, not needed here: {named}.", highlight=False)
    unassigned = sum(
        file.organisation == "unassigned" and file.outcome in ("new", "grown") for file in summary.files
    )
    if unassigned:
        console.print(
            f"{unassigned} files are not assigned to an organisation: use --organisation NAME, "
            "--layout {organisation}/{server} or organisations.toml.",
            highlight=False,
        )
    counts = {name: summary.count(name) for name in ("new", "grown", "unchanged", "skipped", "failed")}
    console.print(
        f"{len(summary.files)} files found = "
        + " + ".join(f"{count} {name}" for name, count in counts.items())
        + ".",
        highlight=False,
    )
    lines = {name: summary.total(name) for name in ("header", "rows", "quarantined", "pending")}
    console.print(
        f"{summary.total('read')} lines read = "
        + " + ".join(f"{count} {name}" for name, count in lines.items())
        + ".",
        highlight=False,
    )
    if summary.not_utf8:
        console.print(
            f"{summary.not_utf8} lines were not UTF-8 and were read as Windows-1252.", highlight=False
        )
    if summary.removed_rows:
        console.print(f"{summary.removed_rows} rows of replaced logs were taken out.", highlight=False)
    megabytes = summary.total("bytes") / 1e6
    if summary.commits:
        console.print(
            f"{megabytes:.1f} MB in {summary.seconds:.1f} s, committed to {store}",
            highlight=False,
            soft_wrap=True,
        )
    else:
        console.print(f"Nothing new: the store {store} is unchanged.", highlight=False, soft_wrap=True)


def no_logs_sentence(paths: Sequence[Path], summary: Summary) -> str:
    """Why there was nothing to read."""
    where = ", ".join(str(path) for path in paths)
    if not summary.files:
        return f"There are no files under {where}: give the folder that holds MessageTracking or ProtocolLog"
    kinds = ", ".join(f"{kind} ({count})" for kind, count in summary.skipped_kinds.items())
    return f"There are no message tracking or SMTP protocol logs under {where}, only: {kinds}"


def _print_lines(console: Console, files: Sequence[FileReport]) -> None:
    """One line a file while they are few; else one a server and kind."""
    few = len(files) <= FILES_SHOWN
    groups: dict[tuple[str, ...], list[FileReport]] = defaultdict(list)
    for file in files:
        server = file.server or "(by each row)"
        name = Path(file.path.replace("\\", "/").split("!")[-1]).name
        groups[(file.organisation or "", server, file.kind or "?", *([name] if few else []))].append(file)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("organisation", "server", "kind", *(["file"] if few else ["files"])):
        table.add_column(heading, overflow="fold", justify="right" if heading == "files" else "left")
    for heading in ("lines", "header", "rows", "quarantined", "pending"):
        table.add_column(heading, justify="right")
    for key, group in groups.items():
        sums = [
            str(sum(getattr(file, name) for file in group))
            for name in ("read", "header", "rows", "quarantined", "pending")
        ]
        table.add_row(*(visible(cell) for cell in key), *([] if few else [str(len(group))]), *sums)
    console.print(table)
