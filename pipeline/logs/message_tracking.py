"""Message tracking logs: columns. What is derived from them is in `tracking_derived`.

The 30 fields are those of Exchange 2016 and later; 2007 has 21 of them, 2010 26, 2013 27, in another order.
Source: https://learn.microsoft.com/en-us/exchange/mail-flow/transport-logs/message-tracking
"""

from __future__ import annotations

from pipeline.logs.columns import ASSIGNED, LINEAGE, REPLY, Column, exchange

NAME = "message_tracking"

FIELDS = (
    exchange("date-time", "timestamp", "When the event was written, UTC"),
    exchange(
        "client-ip", "string", "Address of the client or server that submitted the message", repeats=True
    ),
    exchange(
        "client-hostname",
        "string",
        "Host that submitted the message; on SEND the writer itself",
        repeats=True,
    ),
    exchange("server-ip", "string", "Address of the source or target server", repeats=True),
    exchange(
        "server-hostname", "string", "Host of the source or target server; on SEND the next hop", repeats=True
    ),
    exchange(
        "source-context",
        "string",
        "Extra information of the source: session id on RECEIVE, last reply on SEND",
    ),
    exchange("connector-id", "string", "Send or Receive connector", repeats=True),
    exchange("source", "string", "Transport component: SMTP, STOREDRIVER, ROUTING, ...", repeats=True),
    exchange(
        "event-id", "string", "RECEIVE, SEND, SENDEXTERNAL, DEFER, FAIL, DSN, DELIVER, ...", repeats=True
    ),
    exchange("internal-message-id", "int64", "Message number on this server"),
    exchange("message-id", "string", "Message-ID of the header, chosen by the sender"),
    exchange("network-message-id", "string", "Id that all copies of a message share, 2013 and later"),
    exchange("recipient-address", "string", "Recipients, joined with ;"),
    exchange("recipient-status", "string", "State of each recipient, in their order, joined with ;"),
    exchange("total-bytes", "int64", "Size of the message with attachments, bytes"),
    exchange("recipient-count", "int32", "Number of recipients"),
    exchange("related-recipient-address", "string", "Original recipient on EXPAND, REDIRECT, RESOLVE"),
    exchange("reference", "string", "Message-ID of a related message, as of the message a DSN reports on"),
    exchange("message-subject", "string", "Subject"),
    exchange("sender-address", "string", "Address of the header From", repeats=True),
    exchange("return-path", "string", "Address of the envelope sender, <> for the null sender", repeats=True),
    exchange("message-info", "string", "Arrival time and latency tree, or authentication marks"),
    exchange("directionality", "string", "Originating, Incoming, Undefined or empty", repeats=True),
    exchange("tenant-id", "string", "Tenant", repeats=True),
    exchange("original-client-ip", "string", "Address of the first client", repeats=True),
    exchange("original-server-ip", "string", "Address of the first server", repeats=True),
    exchange("custom-data", "string", "S:key=value pairs; keys may repeat"),
    exchange("transport-traffic-type", "string", "Email, ...", repeats=True),
    exchange("log-id", "string", "Id of the log entry"),
    exchange("schema-version", "string", "Build of the writer, 2016 and later", repeats=True),
)

DERIVED = (
    Column(
        "session_id", "string", "Session id of the Receive protocol log, from source-context of a RECEIVE"
    ),
    *REPLY,
    Column("e2e_latency", "double", "S:E2ELatency of custom-data: submission to this event, seconds"),
)

COLUMNS: tuple[Column, ...] = (*ASSIGNED, *FIELDS, *DERIVED, *LINEAGE)

WRITER_IS_CLIENT = (
    "SEND",
    "SENDEXTERNAL",
    "SUBMIT",
    "SUBMITDEFER",
    "SUBMITFAIL",
    "NOTIFYMAPI",
    "AGENTINFO",
    "DEFER",
    "FAIL",
    "BADMAIL",
    "DROP",
)
"""Events whose client-hostname is the server that wrote the row; on all others it is server-hostname."""
