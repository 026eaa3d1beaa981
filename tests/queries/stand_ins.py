"""Views with given rows in the place of computed ones, where a test is about what stands on them."""

from __future__ import annotations

CLOCK = {
    "organisation": "varchar",
    "server": "varchar",
    "state": "varchar",
    "stage": "integer",
    "next_stage": "integer",
    "next_stage_earliest": "timestamptz",
    "next_stage_latest": "timestamptz",
    "full_block_earliest": "timestamptz",
    "full_block_latest": "timestamptz",
    "basis": "varchar",
}
STAGE_DATE = {
    "organisation": "varchar",
    "server": "varchar",
    "stage": "integer",
    "earliest": "bigint",
    "latest": "bigint",
    "latest_if_paused": "bigint",
}
CLOCK_REFUSAL = {
    "organisation": "varchar",
    "server": "varchar",
    "action": "varchar",
    "minutes_per_hour": "integer",
    "refused_at": "bigint",
    "quoted_only": "boolean",
    "stage_from": "integer",
    "stage_to": "integer",
    "day_from": "integer",
}


def relation(columns: dict[str, str], *rows: dict[str, object]) -> str:
    """A SELECT of these rows; what a row does not name is null, the organisation contoso, the server EX01."""
    defaults = {"organisation": "contoso", "server": "EX01", "quoted_only": False}
    selects = [
        "select "
        + ", ".join(
            f"cast({_literal(row.get(name, defaults.get(name)))} as {kind}) as {name}"
            for name, kind in columns.items()
        )
        for row in rows
    ] or [
        "select "
        + ", ".join(f"cast(null as {kind}) as {name}" for name, kind in columns.items())
        + " limit 0"
    ]
    return " union all ".join(selects)


def _literal(value: object) -> str:
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool | int) else "'" + str(value) + "'"
