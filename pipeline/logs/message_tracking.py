"""Message tracking logs: columns, and what is derived from them.

The 30 fields are those of Exchange 2016 and later; 2007 has 21 of them, 2010 26, 2013 27, in another order.
Source: https://learn.microsoft.com/en-us/exchange/mail-flow/transport-logs/message-tracking
"""

from __future__ import annotations

import numpy as np
import polars as pl

from pipeline.logs.columns import ASSIGNED, LINEAGE, REPLY, Column, exchange
from pipeline.logs.derived import (
    Frame,
    Hosts,
    fill_server,
    peer_columns,
    read_replies,
    real_build,
    short_host,
)
from pipeline.logs.replies import error_record
from pipeline.logs.text import Mask, Text, spread

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

_HANDS_OVER = ("SEND", "SENDEXTERNAL")
_FAILS = (
    "DEFER",
    "FAIL",
    "DSN",
    "BADMAIL",
    "DROP",
    "SUBMITDEFER",
    "SUBMITFAIL",
    "DELIVERFAIL",
    "RESUBMITDEFER",
    "RESUBMITFAIL",
)


def derive(frame: Frame, hosts: Hosts) -> None:
    """Add the derived columns to rows that have all Exchange columns and the lineage columns."""
    event = frame.texts["event_id"].derive(pl.col("value").str.to_uppercase())
    sent, failed, received = event.is_in(_HANDS_OVER), event.is_in(_FAILS), event.is_in(["RECEIVE"])
    next_hop = _add_replies(frame, event, sent, failed, hosts)
    _add_server(frame, event)
    schema, header = frame.texts["schema_version"].map(real_build), frame.texts["log_version"].map(real_build)
    frame.add(log_build=schema.or_else(header))
    client, server = frame.texts["client_hostname"], frame.texts["server_hostname"]
    peer = server.where(sent).or_else(next_hop).or_else(server.where(failed)).or_else(client.where(received))
    frame.add(**peer_columns(peer.compact(), hosts))
    by_smtp = received & frame.texts["source"].is_in(["SMTP"])
    ended = sent | event.is_in(["DELIVER"])
    session = (
        frame.rows("source_context")
        .filter(pl.Series(by_smtp))
        .select(session_id=pl.col("source_context").str.extract(r"^([0-9A-Za-z]{6,40});"))
    )
    latency = (
        frame.rows("custom_data")
        .filter(pl.Series(ended))
        .select(
            e2e_latency=pl.col("custom_data")
            .str.extract(r"S:E2ELatency=([0-9]+(?:[.,][0-9]+)?)")
            .str.replace(",", ".", literal=True)
            .cast(pl.Float64, strict=False)
        )
    )
    frame.add(**spread(session, by_smtp), **spread(latency, ended))


def _add_server(frame: Frame, event: Text) -> None:
    client = frame.texts["client_hostname"].derive(short_host())
    server = frame.texts["server_hostname"].derive(short_host())
    is_client = event.is_in(WRITER_IS_CLIENT)
    fill_server(
        frame, client.where(is_client).or_else(server.where(is_client)).or_else(server).or_else(client)
    )


def _add_replies(frame: Frame, event: Text, sent: Mask, failed: Mask, hosts: Hosts) -> Text:
    """The last reply of a hand-over stands in source-context, of a failure in the error record or beside it.

    Returns the next hop that the error records name.
    """
    accepts = (
        frame.rows("source_context")
        .filter(pl.Series(sent))
        .select(text=pl.col("source_context").str.strip_prefix(";"))
    )
    record = error_record(pl.col("recipient_status"))
    fails = (
        frame.rows("source_context", "recipient_status", "message_info")
        .filter(pl.Series(failed))
        .with_columns(
            event.rows().filter(pl.Series(failed)).alias("event"), led=record["led"], fqdn=record["fqdn"]
        )
    )
    reply_like = r"[245][0-9][0-9][ -]"
    fails = fails.with_columns(
        text=pl.coalesce(
            "led",
            pl.when(pl.col("source_context").str.contains(reply_like)).then("source_context"),
            pl.when(pl.col("recipient_status").str.contains(reply_like)).then("recipient_status"),
            pl.when(pl.col("event") == "DSN").then("message_info"),
        )
        # A list element that holds ; stands in single quotes, those inside it doubled.
        .str.replace(r"(?s)^'(.*)'$", "$1")
        .str.replace_all("''", "'", literal=True)
    )
    order = np.argsort(np.concatenate([np.flatnonzero(sent), np.flatnonzero(failed)]))
    texts = pl.concat([accepts["text"], fails["text"]]).gather(pl.Series(order))
    frame.add(**spread(pl.DataFrame(read_replies(texts, hosts)), sent | failed))
    return Text.of(spread(fails.select("fqdn"), failed)["fqdn"])
