"""Cells, lines and header blocks of Exchange transport logs, by generation of Exchange.

Sources: https://learn.microsoft.com/en-us/exchange/mail-flow/transport-logs/message-tracking and
https://learn.microsoft.com/en-us/exchange/mail-flow/connectors/protocol-logging
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

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
_AFTER_MESSAGE_ID = TRACKING_2010.index("message-id") + 1
TRACKING_2013 = (*TRACKING_2010[:_AFTER_MESSAGE_ID], "network-message-id", *TRACKING_2010[_AFTER_MESSAGE_ID:])
TRACKING_2016 = (*TRACKING_2013, "transport-traffic-type", "log-id", "schema-version")

PROTOCOL = (
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
CONNECTIVITY = (
    "date-time",
    "session",
    "source",
    "Destination",
    "direction",
    "description",
)

MESSAGE_TRACKING_LOG = "Message Tracking Log"
SMTP_RECEIVE_LOG = "SMTP Receive Protocol Log"
SMTP_SEND_LOG = "SMTP Send Protocol Log"
CONNECTIVITY_LOG = "Transport Connectivity Log"


@dataclass(frozen=True, slots=True)
class Generation:
    """What the logs of one generation of Exchange look like.

    `tracking_version` is the constant in `#Version` of its tracking logs, None where the real build stands
    there; protocol logs hold a constant in every generation. `outside_event` is the event id of a hand-over
    to a host outside; `folder` the version folder below `Exchange Server`.
    """

    name: str
    folder: str
    tracking_fields: tuple[str, ...]
    tracking_version: str | None
    protocol_version: str
    hourly: bool
    service_folders: bool
    joined_ehlo: bool
    outside_event: str


EXCHANGE_2010 = Generation("2010", "V14", TRACKING_2010, "14.0.0.0", "14.0.0.0", False, False, False, "SEND")
EXCHANGE_2013 = Generation("2013", "V15", TRACKING_2013, None, "15.0.0.0", True, True, False, "SEND")
EXCHANGE_2016 = Generation("2016", "V15", TRACKING_2016, None, "15.0.0.0", True, True, True, "SENDEXTERNAL")
EXCHANGE_2019 = Generation("2019", "V15", TRACKING_2016, None, "15.0.0.0", True, True, True, "SENDEXTERNAL")
EXCHANGE_SE = Generation("SE", "V15", TRACKING_2016, None, "15.0.0.0", True, True, True, "SENDEXTERNAL")


def cell(text: str) -> str:
    """One cell as Exchange writes it: quoted (RFC 4180) only where a comma, quote or line break is in it."""
    if any(mark in text for mark in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


def line(cells: Iterable[str]) -> str:
    """One CSV line without its line end."""
    return ",".join(map(cell, cells))


def tracking_line(fields: tuple[str, ...], cells: Mapping[str, str]) -> str:
    """One tracking line: the cells that `fields` names, in its order; a missing one is empty."""
    return line(cells.get(field, "") for field in fields)


def listed(elements: Iterable[str]) -> str:
    """A list inside a cell: joined with `;`, an element that holds `;` itself in single quotes."""
    return ";".join(
        "'" + element.replace("'", "''") + "'" if ";" in element else element for element in elements
    )


def stamp(time: datetime) -> str:
    """UTC with three digits and `Z`, as in rows and headers."""
    return f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03d}Z"


_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def banner_date(time: datetime) -> str:
    """`Tue, 24 Nov 2026 10:20:11 +0000`, whatever the locale of this machine."""
    return f"{_DAYS[time.weekday()]}, {time.day} {_MONTHS[time.month - 1]} {time.year} {time:%H:%M:%S} +0000"


def padded(build: str) -> str:
    """`15.2.2562.56` as tracking logs spell it: `15.02.2562.056`."""
    major, minor, number, revision = (int(part) for part in build.split("."))
    return f"{major:02d}.{minor:02d}.{number:04d}.{revision:03d}"


def ticks(time: datetime) -> int:
    """100-nanosecond steps since year 1, from which Exchange makes session ids and parts of GUIDs."""
    return (time - datetime(1, 1, 1, tzinfo=UTC)) // _MICROSECOND * 10


_MICROSECOND = datetime.resolution


def header_block(log_type: str, version: str, opened: datetime, fields: tuple[str, ...]) -> list[str]:
    """The five lines that open a log, and that come again in it when the service has restarted."""
    return [
        "#Software: Microsoft Exchange Server",
        f"#Version: {version}",
        f"#Log-type: {log_type}",
        f"#Date: {stamp(opened)}",
        "#Fields: " + ",".join(fields),
    ]
