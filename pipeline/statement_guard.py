"""Which statements a locked SQL session runs: those that only read.

A statement's type does not tell it. In DuckDB 2 `WITH x AS (COPY ... TO ...)` is a SELECT, EXPLAIN ANALYZE runs what
it explains, and `json_execute_serialized_sql` runs what it is given; `allowed_paths` would let all three overwrite a
live file. So the parsed statement is looked through: every query in it must be a SELECT, every table function known.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import duckdb

ONLY_SELECT = "Only SELECT and EXPLAIN run here: the store is read-only (--unsafe lifts this for this run)"
_READING = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"})
_EXPLAIN = re.compile(
    r"\s*explain\s+(?:analyze\b\s*)?(?:\(\s*(?:analyze|verbose|format)\b[\w\s,]*\)\s*)?", re.IGNORECASE
)
_TABLE_FUNCTIONS = frozenset(
    {
        "duckdb_columns",
        "duckdb_constraints",
        "duckdb_databases",
        "duckdb_dependencies",
        "duckdb_functions",
        "duckdb_indexes",
        "duckdb_keywords",
        "duckdb_memory",
        "duckdb_optimizers",
        "duckdb_schemas",
        "duckdb_sequences",
        "duckdb_settings",
        "duckdb_tables",
        "duckdb_types",
        "duckdb_variables",
        "duckdb_views",
        "generate_series",
        "histogram",
        "histogram_values",
        "icu_calendar_names",
        "json_each",
        "json_tree",
        "parquet_file_metadata",
        "parquet_kv_metadata",
        "parquet_metadata",
        "parquet_scan",
        "parquet_schema",
        "pg_timezone_names",
        "pragma_database_size",
        "pragma_platform",
        "pragma_storage_info",
        "pragma_table_info",
        "pragma_version",
        "range",
        "read_parquet",
        "regexp_split_to_table",
        "repeat",
        "repeat_row",
        "summary",
        "unnest",
    }
)
"""Those that read parquet find no file but the live ones."""


def refusal(connection: duckdb.DuckDBPyConnection, statement: duckdb.Statement) -> str | None:
    """Why a statement is not run, in a sentence; None if it only reads."""
    text = statement.query
    try:
        kind = statement.type
    except ValueError:
        # DuckDB knows statements that its Python module cannot name.
        return ONLY_SELECT
    if kind == duckdb.StatementType.EXPLAIN:
        # No comments up to here: two readings of where one ends would be two statements.
        found = _EXPLAIN.match(text)
        text = text[found.end() :] if found else ""
        try:
            statements = connection.extract_statements(text) if text.strip() else []
        except duckdb.Error:
            statements = []
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            return (
                "EXPLAIN and EXPLAIN ANALYZE of a SELECT run here, written without comments before the SELECT"
            )
    elif kind != duckdb.StatementType.SELECT:
        return ONLY_SELECT
    row = connection.execute("select json_serialize_sql(?)", [text]).fetchone()
    try:
        parsed = json.loads(row[0]) if row else {}
    except RecursionError:
        return "The statement is nested too deeply to be looked through: write it as several WITH queries"
    if parsed.get("error", True) or len(parsed.get("statements", ())) != 1:
        return ONLY_SELECT
    for node in _nodes(parsed):
        name = str(node.get("type", ""))
        if "info_type" in node or (name.endswith("_NODE") and name not in _READING):
            return ONLY_SELECT
        if name == "TABLE_FUNCTION" and (function := _function_name(node)) not in _TABLE_FUNCTIONS:
            return f"The table function {function} does not run here: a session sees the store only (--unsafe lifts this)"
    return None


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    """All objects of a parsed statement; without recursion, since a statement may be nested deeply."""
    left = [value]
    while left:
        found = left.pop()
        if isinstance(found, dict):
            yield found
            left.extend(found.values())
        elif isinstance(found, list):
            left.extend(found)


def _function_name(node: dict[str, Any]) -> str:
    function = node.get("function")
    return str(function.get("function_name", "")).lower() if isinstance(function, dict) else ""
