"""The catalogue's CSV files: their columns, reading, overlaying and checking. Pure Python, no heavy library.
 A user lays newer facts over the packaged ones with a folder of CSV files of the same names. **Rows are
laid over by key**: a row with the key of a packaged row replaces it, any other row is added, so one line is
enough for a new build. `enforcement_stages.csv` is the exception: a ladder only makes sense whole, so that
file replaces the packaged one. In `enforcement_baselines.csv` a row with status `withdrawn` takes the row
of the same key away (an announced raise that has come gets a dated row, and its undated row is withdrawn).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from pathlib import Path

from pipeline.reference.builds import Build, build_key, parse_build
from pipeline.reference.schema import BASELINES, BUILDS, DUCKDB_TYPES, PROVENANCE, TABLES, Field, Table

Value = str | int | date | Build | None


class CatalogueError(Exception):
    """A reference table is missing or malformed; the message names file and line in one sentence."""

    @classmethod
    def at(cls, file: str, line: int, problem: str) -> CatalogueError:
        """A fault in one line of a file; `line` counts from 1, the header is line 1."""
        return cls(f"{file}, line {line}: {problem}")


@dataclass(slots=True)
class Record:
    """One row with where it stands."""

    values: dict[str, Value]
    file: str
    line: int

    def text(self, name: str) -> str:
        """The value as text, '' if empty."""
        value = self.values[name]
        return "" if value is None else str(value)

    def build(self, name: str) -> Build | None:
        """The value of a build column."""
        value = self.values[name]
        return value if isinstance(value, Build) else None

    def integer(self, name: str) -> int | None:
        """The value of an integer column."""
        value = self.values[name]
        return value if isinstance(value, int) else None

    def date(self, name: str) -> date | None:
        """The value of a date column."""
        value = self.values[name]
        return value if isinstance(value, date) else None

    def fault(self, problem: str) -> CatalogueError:
        """An error that names this row."""
        return CatalogueError.at(self.file, self.line, problem)


def load_records(overlay: Path | None = None) -> dict[str, list[Record]]:
    """Every table's rows by table name: the packaged files, with the CSV files of `overlay` laid over them.

    Raises CatalogueError for a folder that is not there or holds no known file, for an unknown CSV name,
    and for a malformed file, naming file and line.
    """
    packaged = files("pipeline.reference")
    records = {
        table.name: read_records(table, packaged.joinpath(table.file).read_bytes(), table.file)
        for table in TABLES
    }
    for table, path in _overlay_files(overlay):
        try:
            content = path.read_bytes()
        except OSError as error:
            raise CatalogueError(f"{path} cannot be read: {error.strerror or error}") from error
        _lay_over(table, records, read_records(table, content, str(path)))
    return records


def _overlay_files(overlay: Path | None) -> list[tuple[Table, Path]]:
    if overlay is None:
        return []
    names = {table.file: table for table in TABLES}
    try:
        found = sorted(path for path in overlay.iterdir() if path.suffix.lower() == ".csv")
    except OSError as error:
        raise CatalogueError(
            f"The reference folder {overlay} cannot be read: {error.strerror or error}"
        ) from error
    known = ", ".join(sorted(names))
    if not found:
        raise CatalogueError(f"The reference folder {overlay} holds no CSV file; it may hold {known}")
    for path in found:
        if path.name.lower() not in names:
            raise CatalogueError(f"{path} is no table of the catalogue; the tables are {known}")
    return [(names[path.name.lower()], path) for path in found]


def _lay_over(table: Table, records: dict[str, list[Record]], newer: list[Record]) -> None:
    merged = {} if table.whole else {_key(table, record): record for record in records[table.name]}
    for record in newer:
        if table is BASELINES and record.text("status") == "withdrawn":
            if merged.pop(_key(table, record), None) is None:
                raise record.fault("withdraws a floor that is not in the table")
        else:
            merged[_key(table, record)] = record
    records[table.name] = list(merged.values())
    if table is BUILDS:
        sources = {_key(PROVENANCE, record) for record in records[PROVENANCE.name]}
        records[PROVENANCE.name].extend(
            Record(
                {
                    "build_number": record.values["build_number"],
                    "product": record.values["product"],
                    "date_precision": "day",
                    "sources": record.file,
                    "note": None,
                },
                record.file,
                record.line,
            )
            for record in newer
            if _key(table, record) not in sources
        )


def _key(table: Table, record: Record) -> tuple[Value, ...]:
    return tuple(record.values[name] for name in table.key)


def read_records(table: Table, content: bytes, file: str) -> list[Record]:
    """The rows of one CSV file: UTF-8 with or without BOM, `,` or `;` as separator, columns in any order.

    Raises CatalogueError naming `file` and the line.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise CatalogueError.at(file, line, "is not UTF-8; save it as UTF-8") from error
    lines = text.splitlines(keepends=True)
    first = lines[0] if lines else ""
    separator = ";" if ";" in first and "," not in first else ","
    reader = csv.reader(lines, delimiter=separator, strict=True)
    records: list[Record] = []
    seen: dict[tuple[Value, ...], int] = {}
    header: list[str] | None = None
    for line, cells in _numbered(reader, file):
        if header is None:
            header = _check_header(table, cells, file)
        elif any(cell.strip() for cell in cells):
            record = _record(table, header, cells, file, line)
            key = _key(table, record)
            if key in seen:
                named = ", ".join("" if part is None else str(part) for part in key)
                raise record.fault(f"repeats {named} of line {seen[key]}")
            seen[key] = line
            records.append(record)
    if header is None:
        raise CatalogueError.at(file, 1, "is empty; the columns are " + ",".join(table.field_names()))
    return records


def _numbered(reader: Iterator[list[str]], file: str) -> Iterable[tuple[int, list[str]]]:
    line = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise CatalogueError.at(file, line, f"is not CSV ({error})") from error
        yield line, cells
        line = int(getattr(reader, "line_num", line)) + 1


def _check_header(table: Table, cells: list[str], file: str) -> list[str]:
    header = [cell.strip().lower() for cell in cells]
    names = table.field_names()
    unknown = [name for name in header if name not in names]
    missing = [
        field.name
        for field in table.fields
        if (field.required or field.name in table.key) and field.name not in header
    ]
    if unknown or missing or len(set(header)) != len(header):
        problem = (
            f"unknown column {unknown[0]!r}" if unknown else "missing column" if missing else "a column twice"
        )
        if missing and not unknown:
            problem = f"missing column {missing[0]!r}"
        raise CatalogueError.at(file, 1, f"{problem}; the columns are {','.join(names)}")
    return header


def _record(table: Table, header: list[str], cells: list[str], file: str, line: int) -> Record:
    if len(cells) != len(header):
        raise CatalogueError.at(file, line, f"has {len(cells)} cells, the header has {len(header)}")
    raw = dict(zip(header, (cell.strip() for cell in cells), strict=True))
    values: dict[str, Value] = {}
    for field in table.fields:
        values[field.name] = _value(field, raw.get(field.name, ""), file, line)
    return Record(values, file, line)


def _value(field: Field, text: str, file: str, line: int) -> Value:
    if not text:
        if field.required:
            raise CatalogueError.at(file, line, f"{field.name} is empty")
        return None
    if field.one_of is not None and text not in field.one_of:
        allowed = ", ".join(sorted(field.one_of))
        raise CatalogueError.at(file, line, f"{field.name} is {text!r}; it may be {allowed}")
    if field.kind == "date":
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
            raise CatalogueError.at(file, line, f"{field.name} is {text!r}; write the date as YYYY-MM-DD")
        try:
            return date.fromisoformat(text)
        except ValueError as error:
            raise CatalogueError.at(file, line, f"{field.name} is {text!r}: {error}") from error
    if field.kind == "integer":
        if not re.fullmatch(r"\d{1,9}", text, re.ASCII):
            raise CatalogueError.at(file, line, f"{field.name} is {text!r}, not a whole number")
        return int(text)
    if field.kind == "build":
        build = parse_build(text)
        if build is None:
            raise CatalogueError.at(file, line, f"{field.name} is {text!r}, not a build of four numbers")
        return build
    return text


Cell = str | int | date | None


def relation(table: Table, records: list[Record]) -> tuple[list[tuple[str, str]], list[tuple[Cell, ...]]]:
    """Columns as (name, DuckDB type) and rows of a table, with the integer keys of its builds at the end.

    `build_key` belongs to build_number, minimum_build or fixed_in_build; an alias has canonical_build_key
    too.
    """
    columns = [(field.name, DUCKDB_TYPES[field.kind]) for field in table.fields]
    builds = [
        name
        for name in ("build_number", "minimum_build", "fixed_in_build", "canonical_build")
        if name in table.field_names()
    ]
    columns += [
        ("canonical_build_key" if name == "canonical_build" else "build_key", "BIGINT") for name in builds
    ]
    rows: list[tuple[Cell, ...]] = []
    for record in records:
        cells: list[Cell] = [str(v) if isinstance(v, Build) else v for v in record.values.values()]
        for name in builds:
            value = record.values[name]
            build = parse_build(value) if isinstance(value, str) else value
            cells.append(build_key(build) if isinstance(build, Build) else None)
        rows.append(tuple(cells))
    return columns, rows
