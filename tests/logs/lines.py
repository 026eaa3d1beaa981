"""Log text for tests: field lists, headers, rows as Exchange writes them, and rows as they should be read.

A cell is quoted only where RFC 4180 asks for it, as Exchange does; `quoted=True` quotes all but the time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

SMTP = (
    "date-time",
    "connector-id",
    "session-id",
    "sequence-number",
    "local-endpoint",
    "remote-endpoint",
    "event",
    "data",
    "context",
)
TRACKING_2007 = (
    "date-time",
    "client-ip",
    "client-hostname",
    "server-ip",
    "server-hostname",
    "source-context",
    "connector-id",
    "source",
    "event-id",
    "internal-message-id",
    "message-id",
    "recipient-address",
    "recipient-status",
    "total-bytes",
    "recipient-count",
    "related-recipient-address",
    "reference",
    "message-subject",
    "sender-address",
    "return-path",
    "message-info",
)
TRACKING_2010 = (
    *TRACKING_2007,
    "directionality",
    "tenant-id",
    "original-client-ip",
    "original-server-ip",
    "custom-data",
)
TRACKING_2013 = (*TRACKING_2010[:11], "network-message-id", *TRACKING_2010[11:])
TRACKING_2016 = (*TRACKING_2013, "transport-traffic-type", "log-id", "schema-version")
NUMBERS = {"internal-message-id", "total-bytes", "recipient-count", "sequence-number"}

BOM = b"\xef\xbb\xbf"
BEGIN = datetime(2026, 11, 20, 8, 0, 0, tzinfo=UTC)
NOW = datetime(2026, 11, 25, 12, 0, 0, tzinfo=UTC)


def stamp(number: int) -> str:
    """The time of the n-th row, as Exchange writes it."""
    moment = BEGIN + timedelta(milliseconds=1_237 * number)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def csv_line(cells: Sequence[str], *, quoted: bool = False) -> str:
    """One line without line end."""

    def cell(number: int, text: str) -> str:
        if any(letter in text for letter in ',"\r\n') or (quoted and number > 0):
            return '"' + text.replace('"', '""') + '"'
        return text

    return ",".join(cell(number, text) for number, text in enumerate(cells))


def line(fields: Sequence[str], values: Mapping[str, str]) -> str:
    """A line with the named cells filled and all others empty."""
    assert set(values) <= set(fields), set(values) - set(fields)
    return csv_line([values.get(name, "") for name in fields])


def header(
    fields: Sequence[str] = SMTP,
    *,
    log_type: str = "SMTP Send Protocol Log",
    version: str = "15.0.0.0",
    date: str = "2026-11-20T08:00:00.000Z",
    end: str = "\r\n",
) -> bytes:
    """The five lines of a header block."""
    lines = (
        "#Software: Microsoft Exchange Server",
        f"#Version: {version}",
        f"#Log-type: {log_type}",
        f"#Date: {date}",
        f"#Fields: {','.join(fields)}",
    )
    return "".join(text + end for text in lines).encode()


def tracking_header(
    fields: Sequence[str] = TRACKING_2016, version: str = "15.01.2507.039", **options: str
) -> bytes:
    """Header block of a message tracking log."""
    return header(fields, log_type="Message Tracking Log", version=version, **options)


def receive_header(**options: str) -> bytes:
    """Header block of a Receive protocol log."""
    return header(SMTP, log_type="SMTP Receive Protocol Log", **options)


def smtp_line(
    number: int,
    *,
    connector: str = "Outbound to cloud",
    session: str = "08DE2A11B0C4D501",
    sequence: int | None = None,
    local: str = "10.20.1.5:44276",
    remote: str = "203.0.113.25:25",
    event: str = ">",
    data: str = "NOOP",
    context: str = "",
) -> str:
    """A protocol row whose sequence number is its number."""
    return csv_line(
        [
            stamp(number),
            connector,
            session,
            str(number if sequence is None else sequence),
            local,
            remote,
            event,
            data,
            context,
        ]
    )


def tracking_line(number: int, fields: Sequence[str] = TRACKING_2016, **cells: str) -> str:
    """A SEND row; cells by field name with underscores."""
    values = {
        "date-time": stamp(number),
        "client-ip": "10.20.1.5",
        "client-hostname": "EX01",
        "server-ip": "10.20.1.6",
        "server-hostname": "ex02.contoso.com",
        "source": "SMTP",
        "event-id": "SEND",
        "internal-message-id": str(77_000_000_000 + number),
        "message-id": f"<{number}@contoso.com>",
        "recipient-address": "anna@contoso.com",
        "total-bytes": str(5_000 + number),
        "recipient-count": "1",
        "message-subject": f"Report {number}",
    }
    values.update({name.replace("_", "-"): text for name, text in cells.items()})
    return line(fields, values)
