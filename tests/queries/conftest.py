"""The views and reports on hand-made rows: tables in memory with the stored columns, the catalogue as CSV.

`logs.rows(kind, ...)` states input rows, `logs.ask(sql)` answers with a list of dicts. What a source took is
made up from its rows, as the footers of the store would say it.
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import duckdb
import pytest

from pipeline import queries
from pipeline.imports.kept import COLUMNS as IMPORTED_COLUMNS
from pipeline.logs import message_tracking, smtp_protocol
from pipeline.relations import SQL_TYPES

QUERIES = Path(__file__).resolve().parents[2] / "queries"
REFERENCE = Path(__file__).resolve().parents[2] / "pipeline" / "reference"
RELATIONS = {
    "source_ranges": "table_name VARCHAR, organisation VARCHAR, source_id VARCHAR, path VARCHAR, "
    "kind VARCHAR, server VARCHAR, log_service VARCHAR, assignment VARCHAR, log_version VARCHAR, "
    "position_from BIGINT, "
    "position_to BIGINT, first_line BIGINT, lines BIGINT, header BIGINT, rows BIGINT, quarantined BIGINT, "
    "first_time TIMESTAMPTZ, last_time TIMESTAMPTZ, read_at TIMESTAMPTZ, warning VARCHAR, "
    "organisation_name VARCHAR, purged BIGINT, in_window BOOLEAN",
    "organisations": "organisation VARCHAR, display_name VARCHAR",
    "organisation_domains": "organisation VARCHAR, domain VARCHAR",
    "organisation_servers": "organisation VARCHAR, server VARCHAR",
    "organisation_networks": "organisation VARCHAR, network VARCHAR",
    "known_pauses": "organisation VARCHAR, pause_from DATE, pause_to DATE",
    "known_first_detections": "organisation VARCHAR, server VARCHAR, first_detected TIMESTAMPTZ",
    "known_connectors": "organisation VARCHAR, connector VARCHAR, in_scope BOOLEAN",
    "imported_reports": ", ".join(f"{name} {kind}" for name, kind in IMPORTED_COLUMNS),
    "parameters": "organisation VARCHAR, since TIMESTAMPTZ, until TIMESTAMPTZ, as_of TIMESTAMPTZ, "
    "server VARCHAR",
    "ref_catalogue": "as_of DATE",
}
CATALOGUE = {
    "ref_builds": ("exchange_builds.csv", "build_number"),
    "ref_build_aliases": ("exchange_build_aliases.csv", "build_number"),
    "ref_lifecycle": ("exchange_lifecycle.csv", None),
    "ref_cves": ("exchange_cves.csv", "fixed_in_build"),
    "ref_stages": ("enforcement_stages.csv", None),
    "ref_baselines": ("enforcement_baselines.csv", "minimum_build"),
    "ref_replies": ("smtp_replies.csv", None),
    "ref_hosts": ("exchange_online_hosts.csv", None),
    "ref_retry_intervals": ("retry_intervals.csv", None),
    "ref_pause_quotas": ("enforcement_pause.csv", None),
}
DATES = {"release_date", "mainstream_end", "extended_end", "esu_end", "effective_from", "as_of"}
INTEGERS = {
    "stage",
    "day_from",
    "day_to",
    "throttle_minutes_per_hour",
    "block_minutes_per_hour",
    "default_value",
    "days_per_calendar_year",
}

HYBRID = "Outbound to Office 365 - 6f5e0f0e"
TENANT = "contoso-mail-onmicrosoft-com.mail.protection.outlook.com"
BRACKET = "[CH3PEPF0016.namprd21.prod.outlook.com 2026-11-20T10:00:00.100Z 08DD3FA5DBC8F401]"


def refusal(action: str, minutes: int) -> dict[str, object]:
    """What the parser derives from a refusal."""
    code, enhanced, verb = (
        (450, "4.7.230", "throttled") if action == "throttle" else (550, "5.7.230", "blocked")
    )
    words = "Connecting Exchange server version is out-of-date; connection to Exchange Online"
    return {
        "reply": f"{code} {enhanced} {words} {verb} for {minutes} mins/hr.",
        "reply_code": code,
        "enhanced_code": enhanced,
        "enforcement_action": action,
        "enforcement_minutes": minutes,
    }


def build_key(number: str) -> int | None:
    """Four numbers as one that sorts; None for `none` and for what is no build."""
    parts = number.split(".")
    if len(parts) != 4 or not all(part.isdigit() for part in parts):
        return None
    major, minor, build, revision = map(int, parts)
    return ((major * 1000 + minor) * 100000 + build) * 100000 + revision


def _catalogue(connection: duckdb.DuckDBPyConnection) -> None:
    for relation, (file, build) in CATALOGUE.items():
        with (REFERENCE / file).open(encoding="utf-8", newline="") as handle:
            records = list(csv.DictReader(handle))
        names = list(records[0])
        types = ["DATE" if n in DATES else "INTEGER" if n in INTEGERS else "VARCHAR" for n in names]
        columns = [f"{name} {type}" for name, type in zip(names, types, strict=True)]
        values = [[record[name] or None for name in names] for record in records]
        if build:
            columns.append("build_key BIGINT")
            for record, value in zip(records, values, strict=True):
                value.append(build_key(record[build] or ""))
        connection.execute(f"create table {relation} ({', '.join(columns)})")
        marks = ", ".join("?" * len(columns))
        connection.executemany(f"insert into {relation} values ({marks})", values)


def statements(folder: str) -> Iterator[tuple[str, str]]:
    """Name and SQL of the files of one folder, in their order."""
    for file in sorted((QUERIES / folder).glob("*.sql")):
        name = file.stem.split("_", 1)[1] if folder == "views" else file.stem
        yield name, file.read_text(encoding="utf-8")


def _connect() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")
    # DuckDB 2.0.1 drops a branch of a CASE where the branches before it are null by statistics (empty tables)
    connection.execute("set disabled_optimizers = 'statistics_propagation'")
    for module in (message_tracking, smtp_protocol):
        columns = ", ".join(f'"{column.name}" {SQL_TYPES[column.type]}' for column in module.COLUMNS)
        connection.execute(f"create table {module.NAME}_lines ({columns})")
        connection.execute(
            f"create view {module.NAME} as select * from {module.NAME}_lines where parse_error is null"
        )
    for relation, columns in RELATIONS.items():
        connection.execute(f"create table {relation} ({columns})")
    _catalogue(connection)
    return connection


class Logs:
    """A store of hand-made rows."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection
        self._lines = itertools.count(1)
        self._made: list[str] = []
        self.stand_ins: dict[str, str] = {}

    def rows(self, kind: str, *times: str, **cells: object) -> None:
        """One row a time, which is `HH:MM:SS` of 2026-11-20 or a whole timestamp.

        `kind` is message-tracking, smtp-send or smtp-receive. Organisation is contoso and server EX01 unless
        told; `session` is short for session_id; sequence_number follows from the order of the calls.
        """
        for time in times:
            row = {"organisation": "contoso", "server": "EX01", "parse_error": None, **cells}
            row["date_time"] = f"2026-11-20T{time}+00" if len(time) < 13 else time
            row["month"] = str(row["date_time"])[:7]
            line = next(self._lines)
            row.setdefault(
                "source_id", f"{kind} {row['organisation']} {row['server']} {row.get('log_service')}"
            )
            row.setdefault("source_file", row["source_id"])
            row["source_line"] = line
            table = "message_tracking_lines"
            if kind != "message-tracking":
                table = "smtp_protocol_lines"
                row["log_kind"] = kind
                row.setdefault("sequence_number", line)
                if "session" in row:
                    row["session_id"] = row.pop("session")
            names = ", ".join(row)
            marks = ", ".join("?" * len(row))
            self.connection.execute(f"insert into {table} ({names}) values ({marks})", list(row.values()))

    def add(self, relation: str, *values: object) -> None:
        """One record of a small relation, as organisation_domains."""
        marks = ", ".join("?" * len(values))
        self.connection.execute(f"insert into {relation} values ({marks})", list(values))

    def as_of(self, time: str) -> None:
        """The report date."""
        self.connection.execute("update parameters set as_of = ?", [time])

    def _describe_sources(self) -> None:
        self.connection.execute("delete from source_ranges")
        for table, kind in (("message_tracking", "'message-tracking'"), ("smtp_protocol", "log_kind")):
            self.connection.execute(
                f"insert into source_ranges select '{table}', organisation, source_id, min(source_file), "
                f"{kind}, min(server), min(log_service), 'path', min(log_version), 0, 1, 1, count(*), 0, "
                "count(*) filter (parse_error is null), count(*) filter (parse_error is not null), "
                "min(date_time) filter (parse_error is null), max(date_time) filter (parse_error is null), "
                f"max(date_time), null, null, 0, true from {table}_lines group by organisation, source_id, {kind}"
            )

    def make_views(self, sql: str) -> None:
        """The views that a statement needs, computed anew from the present rows, as a session computes them."""
        self._describe_sources()
        while self._made:
            self.connection.execute(f"drop table {self._made.pop()}")
        bodies = {view.name: self.stand_ins.get(view.name, view.body) for view in queries.views()}
        needed: set[str] = set()
        statement = "\n".join(line for line in sql.lower().splitlines() if not line.startswith("--"))
        new = set(queries.view_names().findall(statement))
        while new:
            needed |= new
            new = {name for view in new for name in queries.view_names().findall(bodies[view])} - needed
        for name, body in bodies.items():
            if name in needed:
                self.connection.execute(f"create table {name} as {body}")
                self._made.append(name)

    def ask(self, sql: str) -> list[dict[str, object]]:
        """Records of a query; times as UTC without zone."""
        self.make_views(sql)
        result = self.connection.execute(sql)
        names = [column[0] for column in result.description or ()]
        return [dict(zip(names, map(_plain, record), strict=True)) for record in result.fetchall()]

    def report(self, name: str) -> list[dict[str, object]]:
        """Records of a report."""
        return self.ask((QUERIES / "reports" / f"{name}.sql").read_text(encoding="utf-8"))

    def one(self, sql: str) -> dict[str, object]:
        """The only record of a query."""
        (record,) = self.ask(sql)
        return record


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, date):
        return value.isoformat()
    return value


@pytest.fixture(scope="session")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """One database for all tests, with the catalogue."""
    with _connect() as made:
        yield made


@pytest.fixture
def logs(connection: duckdb.DuckDBPyConnection) -> Iterator[Logs]:
    """An empty store; the report date is 2026-11-21."""
    for table in ("message_tracking_lines", "smtp_protocol_lines", *RELATIONS):
        connection.execute(f"delete from {table}")
    connection.execute("insert into parameters values (null, null, null, '2026-11-21T00:00:00Z', null)")
    connection.execute("insert into ref_catalogue values ('2026-11-25')")
    made = Logs(connection)
    yield made
    made.make_views("")
