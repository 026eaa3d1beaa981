"""What is to be done with each file: read it, go on where it was left, or leave it.

A source is known by its content, not by its path: SHA-256 over kind, first header block and first data
record, with the organisation. So a file that was moved, copied, re-saved or compressed is the same source.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum

from pipeline.logs import discover
from pipeline.logs.assign import Assignment, Rules, apart, assign, server_in_rows
from pipeline.logs.discover import Candidate, ReadError
from pipeline.logs.framing import TAIL, Framer, Header
from pipeline.logs.kinds import Head, read_head
from pipeline.logs.units import Source
from pipeline.store.ranges import Range
from pipeline.store.state import State

OTHER_ORGANISATION = "same log under another organisation"
HEADS = (8 << 10, 64 << 10, 17 << 20)
"""How much of a log's beginning is read: more where less does not tell what it is, or whose."""
LINES_FOR_SERVER = 60
SETTLED_SECONDS = 24 * 3600
"""A file that has not been written to for so long is complete: its last line counts even without line end."""


class Verdict(Enum):
    """Why a file is not read."""

    UNCHANGED = "unchanged"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Left:
    """A file that is not read, and why."""

    candidate: Candidate
    verdict: Verdict
    kind: str = ""
    note: str = ""
    organisation: str = ""
    server: str = ""


@dataclass(frozen=True, slots=True)
class Looked:
    """A file whose beginning was read: kind, identity of its content, and the server its first rows name.

    `length` is that of a file without a row, in bytes: what comes after it is not read under this identity.
    """

    candidate: Candidate
    head: Head
    content_id: str
    row_server: str | None
    length: int | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """A range of a source that is to be read: from `position` on, or all of it.

    `replaces` names sources whose rows go in the same commit; `open_end` says that the last line before `position` was
    taken without line end.
    """

    candidate: Candidate
    head: Head
    source: Source
    content_id: str
    assignment: Assignment
    position: int = 0
    line: int = 1
    tail: bytes = b""
    header: Header = field(default_factory=Header)
    header_position: int = 0
    grown: bool = False
    open_end: bool = False
    replaces: tuple[str, ...] = ()
    warning: str | None = None


class Planner:
    """Decides by the state of the store; knows the other logs of a folder as evidence for a server's name."""

    def __init__(self, state: State, rules: Rules, now: datetime, *, reassign: bool = False) -> None:
        self.state = state
        self.rules = rules
        self.now = now
        self.reassign = reassign
        self._evidence: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)

    def look(self, candidate: Candidate) -> Looked | Left:
        """First step, before any is read: unchanged, or its beginning."""
        known = self.state.unchanged(candidate.path, candidate.size, candidate.mtime_ns)
        if known and self._may_stay(known) and not self._has_come_of_age(candidate, known):
            self._evidence[_place(candidate)].update([known.server] if known.server else [])
            return Left(
                candidate,
                Verdict.UNCHANGED,
                known.kind,
                known.warning or "",
                known.organisation,
                known.server or "",
            )
        try:
            head, server, length = _beginning(candidate)
        except ReadError as error:
            return Left(candidate, Verdict.FAILED, note=str(error))
        if not head.kind.is_read:
            return Left(candidate, Verdict.SKIPPED, head.kind.name)
        if server:
            self._evidence[_place(candidate)][server] += 1
        # A half line is no identity: it changes when it is complete.
        record = b"" if head.is_open and not self._settled(candidate) else head.first_record
        return Looked(
            candidate,
            head,
            _identity(head.kind.name, head.header_block, record, candidate.path),
            server,
            None if record else length,
        )

    def decide(self, looked: Looked) -> Job | Left:
        """Second step: whose it is, and which part of it is new."""
        candidate, kind = looked.candidate, looked.head.kind
        assignment = assign(
            candidate.path,
            candidate.folders,
            candidate.name,
            kind,
            looked.row_server or self._neighbours(looked),
            self.rules,
        )
        assignment = self._of_one_organisation(assignment)
        source_id = _source_id(assignment.organisation, looked.content_id)
        at_path = self.state.by_path.get(candidate.path)
        if (
            at_path
            and at_path.content_id == looked.content_id
            and at_path.organisation == assignment.organisation
        ):
            source_id = at_path.source_id
        elsewhere = sorted(
            other
            for other in self.state.by_content.get(looked.content_id, ())
            if self.state.newest[other].organisation != assignment.organisation
        )
        if elsewhere and not self.reassign:
            owner = self.state.newest[elsewhere[0]].organisation
            return Left(
                candidate,
                Verdict.SKIPPED,
                OTHER_ORGANISATION,
                f"already in the store as {owner}, now found as {assignment.organisation}; --reassign moves it",
                assignment.organisation,
            )
        server = (
            self.state.server_name(assignment.organisation, assignment.server) if assignment.server else None
        )
        source = Source(
            source_id, candidate.path, kind.name, server, assignment.server_basis, assignment.service
        )
        known = self.state.newest.get(source_id)
        fresh = Job(
            candidate,
            looked.head,
            source,
            looked.content_id,
            assignment,
            warning=_warning(looked, assignment),
        )
        if elsewhere:
            return self._replacing(replace(fresh, replaces=(*elsewhere, *([source_id] if known else []))))
        if known is None:
            # A log that had no row yet when it was read had another identity.
            if at_path and at_path.content_id in _header_identities(looked):
                return self._replacing(replace(fresh, replaces=(at_path.source_id,), grown=True))
            return fresh
        job = self._continue(fresh, known)
        return self._replacing(job) if isinstance(job, Job) else job

    def _continue(self, job: Job, known: Range) -> Job | Left:
        candidate = job.candidate
        unchanged = Left(
            candidate,
            Verdict.UNCHANGED,
            job.source.kind,
            "",
            job.assignment.organisation,
            job.source.server or "",
        )
        try:
            tail, further = _look_behind(candidate, known.position_to)
        except ReadError as error:
            return failed(job, str(error))
        matches = hashlib.sha256(tail).hexdigest() == known.tail_sha256
        same_path = known.path == candidate.path
        before = self.state.unchanged(candidate.path, candidate.size, candidate.mtime_ns)
        if matches and before and before.source_id == known.source_id and not self._brings(candidate, known):
            return unchanged
        if matches and not further:
            return replace(
                job,
                position=known.position_to,
                line=known.next_line,
                tail=tail,
                open_end=known.open_end,
                warning=known.warning,
            )
        if matches and known.open_end:
            return replace(job, replaces=(known.source_id,), grown=True)
        if matches:
            try:
                header, at = _header_at(candidate, known, job.head)
            except ReadError as error:
                return failed(job, str(error))
            return replace(
                job,
                position=known.position_to,
                line=known.next_line,
                tail=tail,
                header=header,
                header_position=at,
                grown=True,
            )
        try:
            other = self._goes_on_like(job, known)
        except ReadError as error:
            return failed(job, str(error))
        if other is not None:
            of_other = self._continue(
                replace(job, source=replace(job.source, source_id=other.source_id)), other
            )
            if not same_path or isinstance(of_other, Left):
                return of_other
            return replace(of_other, replaces=(*of_other.replaces, known.source_id))
        if tail is _SHORTER or (not same_path and _may_be_saved_anew(candidate, known)):
            # Its lines are compared with the store's.
            return replace(job, warning=_SHORTER_COPY)
        return self.fresh_source(job, known)

    def _has_come_of_age(self, candidate: Candidate, known: Range) -> bool:
        """Whether a half last line is left that counts by now; never that of a shorter copy, whose rest is known."""
        is_noted_copy = known.warning == _SHORTER_COPY
        return (
            self._settled(candidate)
            and not known.open_end
            and not is_noted_copy
            and _has_pending(candidate, known)
        )

    def _brings(self, candidate: Candidate, known: Range) -> bool:
        """Whether anything can be taken of what follows the part that was read; a half line cannot."""
        framer = Framer(position=known.position_to)
        try:
            for chunk in discover.chunks(candidate, known.position_to, size=HEADS[1]):
                if next(framer.feed(chunk), None):
                    return True
        except ReadError:
            return False
        return next(framer.finish(take_tail=self._settled(candidate)), None) is not None

    def _may_stay(self, known: Range) -> bool:
        """Whether a file that has not changed may stay where it is in the store."""
        asked = self.rules.organisation
        return not self.reassign and (asked is None or asked.id == known.organisation)

    def _replacing(self, job: Job) -> Job:
        """Sources that go are no longer known to the files that follow in this run."""
        for source_id in job.replaces:
            gone = self.state.newest.pop(source_id, None)
            if gone:
                self.state.by_content[gone.content_id].discard(source_id)
        return job

    def _of_one_organisation(self, assignment: Assignment) -> Assignment:
        """Two names that fold to one id are two organisations."""
        name = self.state.organisation_names.setdefault(assignment.organisation, assignment.organisation_name)
        if assignment.organisation_basis in ("path", "layout"):
            assignment = apart(assignment, name)
            self.state.organisation_names.setdefault(assignment.organisation, assignment.organisation_name)
        return assignment

    def _goes_on_like(self, job: Job, known: Range) -> Range | None:
        """Another source of the same beginning that this file continues or has been before.

        Raises ReadError if that cannot be told now.
        """
        second = self.fresh_source_id(job)
        for source_id in sorted(self.state.by_content.get(job.content_id, ())):
            other = self.state.newest[source_id]
            if source_id == known.source_id or other.organisation != known.organisation:
                continue
            if source_id == second and known.path != job.candidate.path:
                return other
            try:
                tail, _ = _look_behind(job.candidate, other.position_to)
            except ReadError as error:
                if error.may_pass:
                    raise
                continue
            if hashlib.sha256(tail).hexdigest() == other.tail_sha256:
                return other
        return None

    def fresh_source_id(self, job: Job) -> str:
        """Of a file that begins like another source, told apart by its path."""
        return _source_id(_source_id(job.assignment.organisation, job.content_id), job.candidate.path)

    def fresh_source(self, job: Job, known: Range) -> Job:
        """A job for a file whose taken part differs: in the same place it replaces, elsewhere it is a second source."""
        if known.path == job.candidate.path:
            return self._replacing(
                replace(
                    job,
                    replaces=(known.source_id,),
                    grown=True,
                    warning="its taken part was changed: read anew",
                )
            )
        return replace(
            job,
            source=replace(job.source, source_id=self.fresh_source_id(job)),
            warning=f"begins like {known.path} but goes on otherwise: kept as a second source",
        )

    def take_evidence(self, other: Planner) -> None:
        """Keep what an earlier planner of this run has seen of the folders."""
        self._evidence = other._evidence

    def _neighbours(self, looked: Looked) -> str | None:
        """The server that all other logs of the same folder tree name."""
        votes = self._evidence.get(_place(looked.candidate))
        return next(iter(votes)) if votes and len(votes) == 1 else None

    def _settled(self, candidate: Candidate) -> bool:
        return candidate.is_archived or self.now.timestamp() - candidate.mtime_ns / 1e9 > SETTLED_SECONDS

    def takes_tail(self, job: Job) -> bool:
        """Whether a last line without line end is read."""
        return self._settled(job.candidate)


_SHORTER = b"\x00shorter"
_SHORTER_COPY = "shorter than what was read of it before"


def failed(job: Job, reason: str) -> Left:
    """A log of which it is known whose it is, and that cannot be read now."""
    return Left(job.candidate, Verdict.FAILED, job.source.kind, reason, job.assignment.organisation)


def is_shorter_copy(job: Job) -> bool:
    """Whether the file ends before the position that was reached: its lines must be compared with the store's."""
    return job.warning == _SHORTER_COPY


def _look_behind(candidate: Candidate, position: int) -> tuple[bytes, bool]:
    """The bytes before a position, and whether any follow it; `_SHORTER` if the file ends before it."""
    begin = max(0, position - TAIL)
    got = b""
    for chunk in discover.chunks(candidate, begin, size=2 * TAIL):
        got += chunk
        if len(got) > position - begin:
            break
    if len(got) < position - begin:
        return _SHORTER, False
    return got[: position - begin], len(got) > position - begin


def _may_be_saved_anew(candidate: Candidate, known: Range) -> bool:
    """Whether other line ends or a BOM can make the difference in size."""
    return (
        candidate.container in ("plain", "zip")
        and abs(candidate.size - known.position_to) <= known.next_line + 3
    )


def _header_at(candidate: Candidate, known: Range, head: Head) -> tuple[Header, int]:
    """The header block that was in force where reading ended: in mid-file it can be another than the first.

    Reading may have ended within the block; the rest of it is then read next.
    """
    if known.header_position == 0:
        return head.kind.header, 0
    length = min(HEADS[1], known.position_to - known.header_position)
    start = next(discover.chunks(candidate, known.header_position, size=length), b"")[:length]
    # A plain line of column names gives the fields only where no block has: it must not do so here.
    framer = Framer(Header(fields=_UNSTATED))
    runs = [*framer.feed(start), *framer.finish(take_tail=True)]
    if runs and _states_all(runs[0].header):
        header, is_open = runs[0].header, not any(run.lines for run in runs)
    else:
        header, is_open = _header_in_force(candidate, known.position_to)
    return replace(header, is_open=is_open), known.header_position


_UNSTATED = ("",)


def _states_all(header: Header) -> bool:
    return bool(header.log_type and header.version and header.date) and header.fields != _UNSTATED


def _header_in_force(candidate: Candidate, position: int) -> tuple[Header, bool]:
    """The header at a position, and whether it stands in a block that is still open there.

    A damaged block leaves to the blocks above it what it does not say: the log is read again up to there.
    """
    framer = Framer()
    is_open = True
    left = position
    for chunk in discover.chunks(candidate):
        for run in framer.feed(chunk[:left]):
            is_open = not run.lines
        left -= len(chunk)
        if left <= 0:
            break
    for run in framer.finish(take_tail=True):
        is_open = not run.lines
    return framer.header, is_open


def _identity(kind: str, header_block: bytes, record: bytes, path: str) -> str:
    parts = [kind.encode(), header_block, record]
    if not header_block and not record:
        parts.append(path.encode("utf-8", "surrogateescape"))
    return hashlib.sha256(b"\x00".join(parts)).hexdigest()[:32]


def _header_identities(looked: Looked) -> set[str]:
    """What the log was while it had no row and the first lines of its header, or none of it."""
    lines = looked.head.header_block.split(b"\n")
    kind, path = looked.head.kind.name, looked.candidate.path
    return {
        _identity(kind, b"\n".join(lines[:count]).strip(b"\n\x00"), b"", path)
        for count in range(len(lines) + 1)
    }


def _has_pending(candidate: Candidate, known: Range) -> bool:
    return not candidate.is_archived and known.position_to < candidate.size


def _beginning(candidate: Candidate) -> tuple[Head, str | None, int | None]:
    """What the log's beginning says of its kind and, by its rows, of its server; its length if it is all.

    Raises ReadError.
    """
    for size in HEADS:
        start, whole = discover.head(candidate, size)
        head = read_head(start, whole=whole)
        lines = start[: start.rfind(b"\n") + 1].split(b"\n", LINES_FOR_SERVER)[:LINES_FOR_SERVER]
        records = [line.rstrip(b"\r").decode("utf-8", "replace") for line in lines if line[:1].isdigit()]
        server = server_in_rows(head.kind, records)
        told = head.kind.is_read and head.first_record and (server or head.kind.name == "smtp-send")
        if whole or told or (size == HEADS[1] and (head.first_record or not head.kind.is_read)):
            break
    return head, server, len(start) if whole else None


def _place(candidate: Candidate) -> tuple[str, ...]:
    """The folders above Exchange's own: logs below the same ones are of the same server."""
    folders: list[str] = [str(candidate.file.parent) if not candidate.folders else ""]
    for folder in candidate.folders:
        if folder.lower() in (
            "transportroles",
            "v14",
            "v15",
            "messagetracking",
            "protocollog",
            "smtpsend",
            "smtpreceive",
        ):
            break
        folders.append(folder)
    while folders[1:] and folders[-1].lower() in (
        "logs",
        "frontend",
        "hub",
        "edge",
        "mailbox",
        "delivery",
        "submission",
    ):
        folders.pop()
    return tuple(folders)


def _source_id(organisation: str, content: str) -> str:
    return hashlib.sha256(f"{organisation}\x00{content}".encode()).hexdigest()[:32]


def _warning(looked: Looked, assignment: Assignment) -> str | None:
    by_shape = (
        "no header: kind and columns by the shape of its first line" if looked.head.kind.by_shape else None
    )
    return "; ".join(filter(None, (by_shape, assignment.doubt))) or None
