"""Message tracking logs: columns, and what is derived from them.

The 30 fields are those of Exchange 2016 and later; 2007 has 21 of them, 2010 26, 2013 27, in another order.
Source: https://learn.microsoft.com/en-us/exchange/mail-flow/transport-logs/message-tracking
"""

from __future__ import annotations

import polars as pl

from pipeline.logs.columns import ASSIGNED, LINEAGE, REPLY, Column, exchange
from pipeline.logs.derived import Hosts, by_value, fill_server, on_rows, peer_series, real_build, reply_series, short_host
from pipeline.logs.replies import error_record

NAME = "message_tracking"

FIELDS = (
    exchange("date-time", "timestamp", "When the event was written, UTC"),
    exchange("client-ip", "string", "Address of the client or server that submitted the message", repeats=True),
    exchange("client-hostname", "string", "Host that submitted the message; on SEND the writer itself", repeats=True),
    exchange("server-ip", "string", "Address of the source or target server", repeats=True),
    exchange("server-hostname", "string", "Host of the source or target server; on SEND the next hop", repeats=True),
    exchange("source-context", "string", "Extra information of the source: session id on RECEIVE, last reply on SEND"),
    exchange("connector-id", "string", "Send or Receive connector", repeats=True),
    exchange("source", "string", "Transport component: SMTP, STOREDRIVER, ROUTING, ...", repeats=True),
    exchange("event-id", "string", "RECEIVE, SEND, SENDEXTERNAL, DEFER, FAIL, DSN, DELIVER, ...", repeats=True),
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
    Column("session_id", "string", "Session id of the Receive protocol log, from source-context of a RECEIVE"),
    *REPLY,
    Column("e2e_latency", "double", "S:E2ELatency of custom-data: submission to this event, seconds"),
)

COLUMNS: tuple[Column, ...] = (*ASSIGNED, *FIELDS, *DERIVED, *LINEAGE)

WRITER_IS_CLIENT = (
    "SEND", "SENDEXTERNAL", "SUBMIT", "SUBMITDEFER", "SUBMITFAIL", "NOTIFYMAPI", "AGENTINFO", "DEFER", "FAIL",
    "BADMAIL", "DROP",
)
"""Events whose client-hostname is the server that wrote the row; on all others it is server-hostname."""

_HANDS_OVER = ("SEND", "SENDEXTERNAL")
_FAILS = ("DEFER", "FAIL", "DSN", "BADMAIL", "DROP", "SUBMITDEFER", "SUBMITFAIL", "DELIVERFAIL", "RESUBMITDEFER", "RESUBMITFAIL")


def derive(frame: pl.DataFrame, hosts: Hosts, types: dict[str, pl.DataType]) -> pl.DataFrame:
    """Add the derived columns. `frame` has all Exchange columns and the lineage columns but server's row value."""
    event = frame.select(event=pl.col("event_id").str.to_uppercase())["event"]
    frame = frame.with_columns(_event=event)
    sent = pl.col("_event").is_in(_HANDS_OVER)
    failed = pl.col("_event").is_in(_FAILS)
    frame = frame.with_columns(_replies(frame, sent, failed, types))
    client, server = short_host("client_hostname"), short_host("server_hostname")
    names = pl.col("_event").is_in(WRITER_IS_CLIENT)
    frame = fill_server(
        frame, pl.when(names).then(pl.coalesce(client, server)).otherwise(pl.coalesce(server, client))
    )
    frame = frame.with_columns(
        by_value(frame["schema_version"], real_build).alias("_schema"),
        by_value(frame["log_version"], real_build).alias("_header"),
    ).with_columns(log_build=pl.coalesce("_schema", "_header"))
    fails_to = pl.coalesce(pl.col("_fqdn"), pl.col("server_hostname"))
    peer = frame.select(
        peer=pl.when(sent).then("server_hostname").when(failed).then(fails_to)
        .when(pl.col("_event") == "RECEIVE").then("client_hostname")
    )["peer"]
    received = (pl.col("_event") == "RECEIVE") & (pl.col("source") == "SMTP")
    return frame.with_columns(
        *peer_series(peer, hosts),
        *on_rows(
            frame, received, {"session_id": pl.col("source_context").str.extract(r"^([0-9A-Za-z]{6,40});")}, types
        ),
        *on_rows(
            frame, sent | (pl.col("_event") == "DELIVER"),
            {
                "e2e_latency": pl.col("custom_data").str.extract(r"S:E2ELatency=([0-9]+(?:[.,][0-9]+)?)")
                .str.replace(",", ".", literal=True).cast(pl.Float64, strict=False)
            },
            types,
        ),
    )


def _replies(frame: pl.DataFrame, sent: pl.Expr, failed: pl.Expr, types: dict[str, pl.DataType]) -> list[pl.Series]:
    """The last reply of a hand-over stands in source-context, of a failure in the error record or beside it."""
    record = error_record(pl.col("recipient_status"))
    from_record = on_rows(
        frame, failed & pl.col("recipient_status").str.contains("LED=", literal=True),
        {"_led": record["led"], "_fqdn": record["fqdn"]},
        {"_led": pl.String(), "_fqdn": pl.String()},
    )
    rows = frame.select("source_context", "recipient_status", "message_info", "_event").with_columns(from_record)
    of_hand_over = pl.col("source_context").str.strip_prefix(";").str.replace(r";ClientSubmitTime:[^;]*$", "")
    of_failure = pl.coalesce(
        "_led",
        pl.when(pl.col("source_context").str.contains(r"[245][0-9][0-9][ -]")).then("source_context"),
        pl.when(pl.col("recipient_status").str.contains(r"[245][0-9][0-9][ -]")).then("recipient_status"),
        pl.when(pl.col("_event") == "DSN").then("message_info"),
    )
    text = pl.when(sent).then(of_hand_over).when(failed).then(of_failure)
    return [*reply_series(rows, text, sent | failed, types), from_record[1]]
