"""One ingest: reads jobs in order, hands units to workers, commits a batch at a time.

A batch is committed at 2 GB of input or 60 seconds, so that a kill costs at most one. If another process has
committed in between, the batch is decided anew from the new state; nothing is then in the store twice.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from pipeline.errors import TbesError, UsageError
from pipeline.ingest.plan import Job, Left, Looked, Planner, Verdict, failed, is_shorter_copy
from pipeline.ingest.replace import rows_agree, without_sources
from pipeline.ingest.summary import FileReport, Summary
from pipeline.ingest.work import Done, Load, Span, write
from pipeline.logs.assign import Rules, shares_id
from pipeline.logs.derived import Hosts
from pipeline.logs.discover import ReadError, Unreadable, chunks, discover
from pipeline.logs.framing import Framer, Run
from pipeline.logs.privacy import Privacy
from pipeline.logs.units import Reader, Unit
from pipeline.store.cleaning import clean
from pipeline.store.delta import Conflict, Part
from pipeline.store.locks import writing
from pipeline.store.parts import PartWriter, new_run
from pipeline.store.private import Treatment, owner_only
from pipeline.store.ranges import Range
from pipeline.store.state import State
from pipeline.store.store import TABLES, Snapshot, Store, read_ranges

UNIT_BYTES = 32 << 20
OPEN_BYTES = 96 << 20
BATCH_BYTES = 2 << 30
BATCH_SECONDS = 60.0
ATTEMPTS = 20


@dataclass(frozen=True, slots=True)
class Progress:
    """What a progress bar is told: files and bytes done and in all (uncompressed size of archives unknown)."""

    files: int
    of_files: int
    bytes: int
    of_bytes: int


@dataclass(slots=True)
class _Batch:
    """Parts written and not yet committed, by table, and the files and sources they came from."""

    parts: dict[str, list[tuple[Part, list[Range]]]] = field(
        default_factory=lambda: {name: [] for name in TABLES}
    )
    replaced: dict[str, set[str]] = field(default_factory=lambda: {name: set() for name in TABLES})
    looked: list[Looked] = field(default_factory=list)
    sources: set[str] = field(default_factory=set)
    bytes: int = 0
    started: float = field(default_factory=time.monotonic)

    @property
    def is_full(self) -> bool:
        return self.bytes >= BATCH_BYTES or time.monotonic() - self.started >= BATCH_SECONDS


class _BrokenOff(Exception):
    """A log that was to take the place of another broke off: nothing of it counts, and what it was to replace stays."""

    def __init__(self, looked: Looked, left: Left) -> None:
        super().__init__(left.note)
        self.looked, self.left = looked, left


@dataclass(slots=True)
class _Reading:
    """A job under way: the span that took its last run, and where that run ended."""

    job: Job
    framer: Framer
    span: Span | None = None
    position: int = 0
    line: int = 1

    def __post_init__(self) -> None:
        self.position, self.line = self.job.position, self.job.line


class Ingest:
    """`run` ingests what is under the given paths and says what it did."""

    def __init__(
        self,
        store: Store,
        hosts: Hosts,
        rules: Rules,
        *,
        reassign: bool = False,
        workers: int | None = None,
        progress: Callable[[Progress], None] = lambda _: None,
        now: datetime | None = None,
        privacy: Privacy | None = None,
    ) -> None:
        self.store = store
        self.rules = rules
        self.reassign = reassign
        self.workers = workers or max(2, os.cpu_count() or 2)
        self.progress = progress
        self.now = now or datetime.now(UTC)
        self.privacy = privacy or Privacy()
        self.reader = Reader(TABLES, hosts, self.now, self.privacy)
        self.token = new_run()
        self.writers = {
            name: PartWriter(store.root / name, columns, self.token) for name, columns in TABLES.items()
        }
        self.summary = Summary()
        self._reports: dict[str, FileReport] = {}
        self._entries: dict[str, dict[str, list[Range]]] = {}
        self._snapshots: dict[str, Snapshot] = {}
        self._planner = Planner(State(), rules, self.now)
        self._batch = _Batch()
        self._undecided: list[Looked] = []
        self._of_files = self._of_bytes = self._done_files = self._done_bytes = 0
        self._committed: dict[str, tuple[int, int, int]] = {}
        self._loads: dict[tuple[str, str, tuple[str, ...]], Load] = {}
        self._pending: deque[Future[Done]] = deque()
        self._pool = ThreadPoolExecutor(self.workers, thread_name_prefix="tbes")

    def run(self, paths: Sequence[Path]) -> Summary:
        """Ingest all logs under the paths. Raises TbesError if the store cannot be written."""
        with owner_only():
            self.store.create(Treatment.by(self.privacy))
            with writing(self.store.root, self.token):
                summary = self._run(paths)
            if summary.commits:
                clean(self.store)
            return summary

    def _run(self, paths: Sequence[Path]) -> Summary:
        started = time.monotonic()
        self._load_state()
        self._refuse_shared_id()
        try:
            with self._pool:
                self._read_all(deque(self._look(paths)))
        except BaseException:
            self._abandon()
            raise
        self.summary.files = list(self._reports.values())
        self.summary.seconds = time.monotonic() - started
        return self.summary

    def _refuse_shared_id(self) -> None:
        """Müller and Mueller are two customers with one id: the user has to say which is meant."""
        asked = self.rules.organisation
        if asked and any(known.id == asked.id for known in self.rules.known):
            return
        holder = self._planner.state.organisation_names.get(asked.id) if asked else None
        if asked and holder and shares_id(asked.name, asked.id, holder):
            raise UsageError(
                f"{asked.name} would have the id {asked.id}, under which the store holds {holder}. For {holder} say "
                f"--organisation {asked.id}; for another give it an id of its own in organisations.toml."
            )
        if asked and holder:
            self.rules = replace(self.rules, organisation=replace(asked, name=holder))
            self._planner.rules = self.rules

    def _read_all(self, todo: deque[Looked]) -> None:
        self._of_files, self._of_bytes = len(todo), sum(looked.candidate.size for looked in todo)
        conflicts = 0
        commit_at = 0
        while True:
            try:
                if todo:
                    looked = todo.popleft()
                    self._read(looked)
                    self._done_files += 1
                    self._done_bytes += looked.candidate.size
                    self._show_progress(0)
                if len(todo) in (0, commit_at) or self._batch.is_full:
                    self._commit()
                    if not todo:
                        return
            except Conflict:
                # Another process was first: what this batch held is decided anew from its state.
                conflicts += 1
                if conflicts == ATTEMPTS:
                    raise TbesError(
                        f"Other processes kept committing to {self.store.root}: run this ingest again when they are done."
                    ) from None
                todo.extendleft(reversed([*self._batch.looked, *self._undecided]))
                self._undecided = []
                self._drop_batch()
                self._load_state()
            except _BrokenOff as broken:
                # Its rows are in units with those of other logs: these are read once more, and then committed.
                commit_at = len(todo)
                todo.extendleft(
                    reversed([looked for looked in self._batch.looked if looked is not broken.looked])
                )
                self._drop_unwritten()
                self._drop_batch()
                self._load_state()
                self._leave(broken.left)

    def _show_progress(self, of_this: int) -> None:
        """`of_this` bytes of the file that is being read; a batch that is read again counts again."""
        done = min(self._done_bytes + of_this, self._of_bytes)
        self.progress(Progress(min(self._done_files, self._of_files), self._of_files, done, self._of_bytes))

    def _load_state(self) -> None:
        state = State()
        for snapshot in self.store.snapshot():
            self._snapshots[snapshot.name] = snapshot
            self._entries[snapshot.name] = read_ranges(snapshot)
            for entries in self._entries[snapshot.name].values():
                state.add(entries)
        planner = Planner(state, self.rules, self.now, reassign=self.reassign)
        planner.take_evidence(self._planner)
        self._planner = planner

    def _look(self, paths: Iterable[Path]) -> list[Looked]:
        todo: list[Looked] = []
        for found in discover(paths, exclude=self.store.root):
            if isinstance(found, Unreadable):
                self._report(FileReport(found.path, "failed", note=found.reason))
                continue
            looked = self._planner.look(found)
            if isinstance(looked, Left):
                self._leave(looked)
            else:
                todo.append(looked)
        return todo

    def _leave(self, left: Left) -> None:
        report = FileReport(
            left.candidate.path, left.verdict.value, left.kind, left.organisation, left.server, left.note
        )
        before = self._reports.get(report.path)
        if before is not None and report.path in self._committed:
            # This run committed a part of it before another process was faster with the rest.
            report.outcome, report.bytes = before.outcome, before.bytes
            report.rows, report.quarantined, report.header = self._committed[report.path]
        self._report(report)

    def _report(self, report: FileReport) -> FileReport:
        self._reports[report.path] = report
        return report

    def _read(self, looked: Looked) -> None:
        decision = self._planner.decide(looked)
        if isinstance(decision, Job) and is_shorter_copy(decision):
            self._undecided = [looked]
            decision = self._compared(decision)
            self._undecided = []
        if isinstance(decision, Left):
            self._leave(decision)
            return
        if self._batch.sources.intersection(decision.replaces):
            # Rows can only be replaced that are in the store: those of this batch would stay beside the new ones.
            self._undecided = [looked]
            self._commit()
            self._undecided = []
        self._batch.looked.append(looked)
        self._batch.sources.add(decision.source.source_id)
        self._batch.replaced[decision.head.kind.table].update(decision.replaces)
        self._read_job(decision, looked)

    def _compared(self, job: Job) -> Job | Left:
        """A copy that ends before what was read: unchanged if its lines are in the store, else another source."""
        self._commit()
        known = self._planner.state.newest[job.source.source_id]
        name = job.head.kind.table
        try:
            agree = rows_agree(
                job, known, self._snapshots[name], self._entries[name], self.reader, self.writers[name]
            )
        except ReadError as error:
            return failed(job, str(error))
        if agree:
            # Its place is noted, or it would be compared again each time.
            span = self._load_for(job, job.head.kind.header.fields).span_of(job, 0, 1)
            span.to_end = True
            return Left(
                job.candidate,
                Verdict.UNCHANGED,
                job.source.kind,
                "a shorter copy of what was read",
                known.organisation,
                known.server or "",
            )
        return self._planner.fresh_source(job, known)

    def _read_job(self, job: Job, looked: Looked) -> None:
        """Read what is new of a log. Raises _BrokenOff if it is to take the place of another and cannot be read to its end."""
        before = self._reports.get(job.candidate.path)
        rows, quarantined, header = self._committed.get(job.candidate.path, (0, 0, 0))
        report = self._report(
            FileReport(
                job.candidate.path,
                before.outcome if before and rows else "grown" if job.grown else "new",
                job.source.kind,
                job.assignment.organisation,
                job.source.server or "",
                job.warning or "",
                rows=rows,
                quarantined=quarantined,
                header=header,
                bytes=before.bytes if before else 0,
            )
        )
        reading = _Reading(
            job, Framer(job.header, job.position, job.line, job.header_position, tail=job.tail)
        )
        framer = reading.framer
        open_end, ended = job.open_end, False
        to_end = True
        warning = None
        settled = self._planner.takes_tail(job)
        try:
            for chunk, ended in _with_last(
                _up_to(looked.length, chunks(job.candidate, job.position), job.position)
            ):
                report.bytes += len(chunk)
                self._show_progress(min(report.bytes, job.candidate.size))
                self._batch.bytes += len(chunk)
                reached = framer.position
                self._take(reading, framer.end(chunk, take_tail=settled) if ended else framer.feed(chunk))
                open_end = settled and ended and framer.position > reached and not framer.ended_line
                self._submit_large()
                # What is replaced goes with the whole of what takes its place.
                if self._batch.is_full and not ended and not job.replaces:
                    self._commit()
                    self._batch.looked.append(looked)
                    self._batch.sources.add(job.source.source_id)
                    reading.span = None
            if not ended:
                self._take(reading, framer.finish(take_tail=settled))
        except ReadError as error:
            report.outcome, report.note = "failed", str(error)
            warning = f"read in part: {error}"
            to_end = not error.may_pass
            self._take(reading, framer.finish(take_tail=False))
        if job.replaces and not to_end:
            left = replace(failed(job, report.note), server=job.source.server or "")
            raise _BrokenOff(looked, left)
        span = reading.span
        report.pending = framer.pending_lines
        if span is None and framer.position == job.position:
            if not to_end:
                return
            if self._is_known_as(job):
                report.outcome = "failed" if warning else "unchanged"
                return
        # A source that brought no line still leaves an entry, or it would be opened for ever.
        span = span or self._load_for(job, job.head.kind.header.fields).span_of(
            job, framer.position, framer.line
        )
        span.ended(framer)
        span.open_end, span.to_end, span.warning = open_end, to_end, warning
        if job.position and not job.grown and not warning:
            report.outcome, report.note = "unchanged", "read before under another name or time"
        self._planner.state.add([_provisional(span, framer, self.now)])
        if sum(load.unit.size for load in self._loads.values()) > OPEN_BYTES:
            self._submit_all()

    def _is_known_as(self, job: Job) -> bool:
        known = self._planner.state.newest.get(job.source.source_id)
        return job.grown and known is not None and known.path == job.candidate.path

    def _take(self, reading: _Reading, runs: Iterator[Run]) -> None:
        """Put the runs into the units of their columns."""
        job = reading.job
        for run in list(runs):
            load = self._load_for(job, run.header.fields or job.head.kind.header.fields)
            reading.span = load.span_of(job, reading.position, reading.line)
            load.add(reading.span, run)
            reading.position, reading.line = run.end, run.first_line + run.lines
            reading.span.reached(run)

    def _load_for(self, job: Job, fields: tuple[str, ...]) -> Load:
        key = (job.head.kind.table, job.assignment.organisation, fields)
        return self._loads.setdefault(key, Load(Unit(*key)))

    def _submit_large(self) -> None:
        for key, load in list(self._loads.items()):
            if load.unit.size >= UNIT_BYTES:
                self._submit(key)

    def _submit_all(self) -> None:
        for key in list(self._loads):
            self._submit(key)

    def _submit(self, key: tuple[str, str, tuple[str, ...]]) -> None:
        load, table = self._loads.pop(key), key[0]
        self._pending.append(self._pool.submit(write, load, self.reader, self.writers[table], self.now))
        while len(self._pending) > self.workers:
            self._collect()

    def _collect(self) -> None:
        done = self._pending.popleft().result()
        self._batch.parts[done.table].extend(done.parts)
        for _, entries in done.parts:
            for entry in entries:
                report = self._reports[entry.path]
                report.rows += entry.rows
                report.quarantined += entry.quarantined
                report.header += entry.header
        self.summary.not_utf8 += done.not_utf8

    def _commit(self) -> None:
        """Drain the workers and commit both tables. Raises Conflict if another process was first."""
        self._submit_all()
        while self._pending:
            self._collect()
        for name, table in self.store.tables.items():
            parts, replaced = self._batch.parts[name], self._batch.replaced[name]
            if not parts and not replaced:
                continue
            entries = self._entries[name]
            rewritten, removed, rows = without_sources(
                self._snapshots[name], entries, replaced, self.writers[name]
            )
            parts.extend(rewritten)
            table.commit([part for part, _ in parts], removed)
            self.summary.commits += 1
            self.summary.removed_rows += rows
            for part in removed:
                del entries[part.path]
            entries.update((part.path, part_entries) for part, part_entries in parts)
            self._count_committed(parts[: len(parts) - len(rewritten)])
            self._snapshots[name] = Snapshot(name, table.root, tuple(table.parts()))
            self._batch.parts[name], self._batch.replaced[name] = [], set()
            # A conflict of the other table must not read these files again.
            self._batch.looked = [looked for looked in self._batch.looked if looked.head.kind.table != name]
        self._batch = _Batch()

    def _count_committed(self, parts: Sequence[tuple[Part, list[Range]]]) -> None:
        """A file whose rest is decided anew after a conflict keeps the counts of what is in the store."""
        for _, entries in parts:
            for entry in entries:
                rows, quarantined, header = self._committed.get(entry.path, (0, 0, 0))
                self._committed[entry.path] = (
                    rows + entry.rows,
                    quarantined + entry.quarantined,
                    header + entry.header,
                )

    def _drop_unwritten(self) -> None:
        """Leave what was read and not given to the workers; wait for what they have."""
        self._loads.clear()
        while self._pending:
            self._collect()

    def _drop_batch(self) -> None:
        """Remove what was written and is not committed."""
        for name, parts in self._batch.parts.items():
            for part, _ in parts:
                (self.store.root / name / part.path).unlink(missing_ok=True)
        self._batch = _Batch()

    def _abandon(self) -> None:
        """After an error or an interrupt; the pool has ended by now."""
        for future in self._pending:
            if not future.cancelled() and future.exception() is None:
                done = future.result()
                self._batch.parts[done.table].extend(done.parts)
        self._drop_batch()


def _up_to(length: int | None, pieces: Iterator[bytes], position: int) -> Iterator[bytes]:
    """Pieces from a position on, up to a length.

    A log whose first row came after its beginning was looked at is another source by that row: the row is left to the
    next ingest, or it would be there twice when the log comes again under another name.
    """
    if length is None:
        yield from pieces
        return
    for piece in pieces:
        if position >= length:
            return
        yield piece[: length - position]
        position += len(piece)


def _with_last(pieces: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Each piece, and whether it is the last one: what comes before damage is not."""
    held: bytes | None = None
    try:
        for piece in pieces:
            if held is not None:
                yield held, False
            held = piece
    except ReadError:
        if held is not None:
            yield held, False
        raise
    if held is not None:
        yield held, True


def _provisional(span: Span, framer: Framer, now: datetime) -> Range:
    """The entry as the planner needs it for the other files of the run; the worker makes the one that is stored."""
    job = span.job
    return Range(
        source_id=job.source.source_id,
        content_id=job.content_id,
        organisation=job.assignment.organisation,
        organisation_name=job.assignment.organisation_name,
        path=job.source.path,
        kind=job.source.kind,
        server=job.source.server,
        log_service=job.source.log_service,
        assignment=job.assignment.text,
        log_version=job.header.version,
        position_from=job.position,
        position_to=framer.position,
        header_position=framer.header_position,
        first_line=job.line,
        next_line=framer.line,
        lines=0,
        header=0,
        rows=0,
        quarantined=0,
        joined=0,
        first_time=None,
        last_time=None,
        size=job.candidate.size,
        mtime_ns=job.candidate.mtime_ns,
        tail_sha256=hashlib.sha256(framer.tail).hexdigest(),
        open_end=span.open_end,
        to_end=span.to_end,
        read_at=now.isoformat(),
        warning=None,
    )
