"""What the relations mean that a SQL session makes beside logs, catalogue and views: sources, organisations,
imported reports and parameters."""

from __future__ import annotations

_ORGANISATION = "Id of the organisation"

SOURCES: dict[str, tuple[str, dict[str, str]]] = {
    "source_ranges": (
        "What was read: one row a source and range of it, from the metadata of the store's files, also of times "
        "that were not asked for. Counts of lines and header lines stand in one row a range only, so that sums are "
        "right.",
        {
            "table_name": "message_tracking or smtp_protocol",
            "source_id": "Identity of the source, stable when it is moved, renamed or gzipped",
            "content_id": "The same without the organisation",
            "organisation": _ORGANISATION,
            "organisation_name": "Its name as found when the log was read",
            "path": "Path of the source when it was read, a zip member as archive.zip!member",
            "kind": "message-tracking, smtp-receive or smtp-send",
            "server": "Server whose log it is; null where nothing names it",
            "log_service": "Transport service that wrote it: frontend, hub, edge, ...",
            "assignment": "How organisation and server were found",
            "log_version": "#Version of the header block, as four integers",
            "position_from": "Where the range begins in the uncompressed log, bytes",
            "position_to": "Where it ends, bytes",
            "header_position": "Where the header block above it begins, bytes",
            "first_line": "Number of its first line, from 1",
            "next_line": "Number of the line after it",
            "lines": "Physical lines in it",
            "header": "Header, blank and padding lines in it",
            "rows": "Rows read from it",
            "quarantined": "Lines that could not be read",
            "joined": "Physical lines that belong to the row above them",
            "first_time": "First date_time of its rows, UTC",
            "last_time": "Last date_time of its rows, UTC",
            "size": "Size of the file when it was read, bytes",
            "mtime_ns": "Time of modification then, nanoseconds since 1970",
            "tail_sha256": "SHA-256 of the last 4 KB taken",
            "open_end": "Whether its last line has no line end",
            "to_end": "Whether the reading came to the end of the file",
            "read_at": "When it was read, UTC",
            "warning": "What was odd about the source; null for nothing",
            "purged": "Rows and quarantined lines that were removed for good since (tbes purge)",
            "in_window": "Whether its file can hold rows of the time asked for (--since, --until), so that the tables read it",
        },
    ),
}
ORGANISATIONS: dict[str, tuple[str, dict[str, str]]] = {
    "organisations": (
        "The organisations of organisations.toml.",
        {"organisation": _ORGANISATION, "display_name": "Name for people"},
    ),
    "organisation_domains": (
        "Their mail domains.",
        {"organisation": _ORGANISATION, "domain": "Domain, contoso.com"},
    ),
    "organisation_servers": (
        "Their servers.",
        {"organisation": _ORGANISATION, "server": "Name of a server"},
    ),
    "organisation_networks": (
        "Their networks.",
        {"organisation": _ORGANISATION, "network": "Network, 10.1.0.0/16"},
    ),
    "known_pauses": (
        "Pauses of enforcement that are known.",
        {
            "organisation": _ORGANISATION,
            "pause_from": "First day of the pause",
            "pause_to": "Last day of the pause",
        },
    ),
    "known_first_detections": (
        "First detections by Microsoft that are known.",
        {"organisation": _ORGANISATION, "server": "Name of the server", "first_detected": "When, UTC"},
    ),
    "known_connectors": (
        "Connectors of which it is known whether enforcement is on them.",
        {
            "organisation": _ORGANISATION,
            "connector": "Name of the Send connector",
            "in_scope": "Whether its mail enters Exchange Online over an inbound connector of type OnPremises",
        },
    ),
    "imported_reports": (
        "Imported output of Get-OnPremServerReportInfo, one row a server and import.",
        {
            "organisation": _ORGANISATION,
            "server": "First label of the server's name, in capitals",
            "server_fqdn": "Name as the report has it",
            "build": "Build as four integers",
            "build_key": "Number that sorts builds",
            "exchange_server": "Product as the report names it",
            "first_detected": "When Microsoft first detected the server, UTC",
            "throttle_enabled": "When throttling began or begins, UTC",
            "blocking_enabled": "When blocking began or begins, UTC",
            "next_stage_throttle": "Throttling in the next stage, minutes per hour",
            "next_stage_block": "Blocking in the next stage, minutes per hour",
            "next_stage_start": "When the next stage begins, UTC",
            "recommended_builds": "Builds that the report recommends, ascending, joined with a comma",
            "imported_at": "When it was imported, UTC",
            "as_of": "When the cmdlet was run, else when it was imported, UTC",
            "file": "Name of the imported file",
            "date_reading": "How its dates were read: day first, month first, iso, or ambiguous",
        },
    ),
    "parameters": (
        "One row: what the session was asked for. The views read it.",
        {
            "organisation": "Only this organisation; null for all",
            "since": "Only rows from this time on, UTC; null for all",
            "until": "Only rows before this time, UTC; null for all",
            "as_of": "Time of the report, UTC",
            "server": "Only this server, in the reports about one; null for all",
        },
    ),
}
"""Relation -> (what it holds, column -> meaning in the relation's order)."""
