"""`--acknowledge FILE`: findings that somebody has looked at, with reason and day, so that red means new.

TOML (a file that ends in .toml):

    [[acknowledged]]
    finding_key = "contoso/EX01/build"
    reason = "moves to SE in January"
    date = 2026-11-24
    severity = "warning"     # holds up to this severity; default warning, so what becomes critical counts again
    until = 2027-01-31       # optional: counts again from the day after

Any other file is text, a finding a line: `2026-11-24 warning contoso/EX01/build # reason`; the severity may be left out,
and a line that is empty or starts with # is none.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import UsageError

if TYPE_CHECKING:
    from pipeline.sql import Result

SEVERITIES = ("note", "warning", "critical")


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """One entry: it covers its finding up to a severity, and to a day if one is given."""

    finding_key: str
    reason: str
    on: date
    severity: str = "warning"
    until: date | None = None

    def covers(self, severity: str, today: date) -> bool:
        """Whether the finding counts as acknowledged."""
        return SEVERITIES.index(severity) <= SEVERITIES.index(self.severity) and (
            self.until is None or today <= self.until
        )


def load(path: Path) -> tuple[Acknowledgement, ...]:
    """The entries of a file. Raises UsageError that names the line or entry that is wrong."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read as UTF-8 text: {error}") from error
    if path.suffix.lower() == ".toml":
        return tuple(_from_toml(path, text))
    return tuple(_from_text(path, text))


def mark(result: Result, entries: Sequence[Acknowledgement], today: date) -> Result:
    """The report `findings` with day and reason filled in; acknowledged findings stand last."""
    by_key = {entry.finding_key: entry for entry in entries}
    at = {
        name: result.columns.index(name)
        for name in ("finding_key", "severity", "acknowledged_on", "acknowledged_reason")
    }
    open_, done = [], []
    for row in result.rows:
        entry = by_key.get(row[at["finding_key"]])
        if entry is not None and entry.covers(row[at["severity"]], today):
            cells = list(row)
            cells[at["acknowledged_on"]], cells[at["acknowledged_reason"]] = entry.on, entry.reason
            done.append(tuple(cells))
        else:
            open_.append(row)
    return type(result)(result.columns, result.types, [*open_, *done])


def exceeded(result: Result, entries: Sequence[Acknowledgement]) -> list[str]:
    """A sentence for every entry whose finding has become worse than it covers."""
    by_key = {entry.finding_key: entry for entry in entries}
    key, severity = result.columns.index("finding_key"), result.columns.index("severity")
    return [
        f"{row[key]} is {row[severity]} now and was acknowledged up to {by_key[row[key]].severity}: it counts again"
        for row in result.rows
        if row[key] in by_key
        and SEVERITIES.index(row[severity]) > SEVERITIES.index(by_key[row[key]].severity)
    ]


def uncounted(clauses: Iterable[str], marked: Result) -> list[str]:
    """The clauses of --fail-on without those whose finding is acknowledged.

    A clause begins with `ORGANISATION SERVER is` or `ORGANISATION is` (the mail), or with `ORGANISATION SERVER may` (a
    coming stage). Names of both have no space in them.
    """
    names = ("organisation", "server", "finding_key", "acknowledged_on")
    organisation, server, key, on = (marked.columns.index(name) for name in names)
    starts = []
    for row in marked.rows:
        if row[on] is not None:
            subject = f"{row[organisation]} {row[server]}" if row[server] else row[organisation]
            verb = {"mail": " is ", "next-stage": " may "}.get(row[key].rsplit("/", 1)[-1])
            starts += [subject + verb] if verb else []
    return [clause for clause in clauses if not clause.startswith(tuple(starts))]


def _from_toml(path: Path, text: str) -> Iterable[Acknowledgement]:
    try:
        tables = tomllib.loads(text).get("acknowledged", [])
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path} is no TOML: {error}") from error
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise UsageError(f"{path}: write each finding as a table [[acknowledged]]")
    for number, table in enumerate(tables, 1):
        where = f"{path}: acknowledged finding {number}"
        if unknown := set(table) - {"finding_key", "reason", "date", "severity", "until"}:
            raise UsageError(f"{where} has an unknown key: {', '.join(sorted(unknown))}")
        until = table.get("until")
        on, severity = _day(where, table.get("date")), table.get("severity", "warning")
        last = None if until is None else _day(where, until)
        yield _entry(where, table.get("finding_key"), table.get("reason"), on, severity, last)


def _from_text(path: Path, text: str) -> Iterable[Acknowledgement]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        where = f"{path}, line {number}"
        head, hash_, reason = line.strip().rpartition(" # ")
        day, _, rest = head.strip().partition(" ")
        word, _, key = rest.strip().partition(" ")
        severity = word if word in SEVERITIES else "warning"
        if not hash_:
            raise UsageError(f"{where}: write the day, the finding key, and the reason after a #")
        yield _entry(
            where,
            key.strip() if word in SEVERITIES else rest.strip(),
            reason.strip(),
            _day(where, day),
            severity,
            None,
        )


def _entry(where: str, key: Any, reason: Any, on: date, severity: Any, until: date | None) -> Acknowledgement:
    if not isinstance(key, str) or key.count("/") < 2:
        raise UsageError(
            f"{where}: a finding_key is organisation/server/subject, as the report findings shows it"
        )
    if not isinstance(reason, str) or not reason.strip():
        raise UsageError(f"{where}: give a reason")
    if severity not in SEVERITIES:
        raise UsageError(f"{where}: severity is note, warning or critical")
    return Acknowledgement(key, reason, on, severity, until)


def _day(where: str, value: Any) -> date:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError as error:
        raise UsageError(f"{where}: the date is a day as 2026-11-24") from error
