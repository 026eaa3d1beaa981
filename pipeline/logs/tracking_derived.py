"""What is derived from message tracking rows: the server that wrote them, replies, the peer, session and latency."""

from __future__ import annotations

import numpy as np
import polars as pl

from pipeline.logs.derived import (
    Frame,
    Hosts,
    fill_server,
    peer_columns,
    read_replies,
    real_build,
    short_host,
)
from pipeline.logs.message_tracking import WRITER_IS_CLIENT
from pipeline.logs.replies import error_record
from pipeline.logs.text import Mask, Text, spread

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
