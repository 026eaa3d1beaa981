"""SMTP protocol logs, Receive and Send: columns, and what is derived from them.

Source: https://learn.microsoft.com/en-us/exchange/mail-flow/connectors/protocol-logging
"""

from __future__ import annotations

import polars as pl

from pipeline.logs.columns import ASSIGNED, LINEAGE, REPLY, Column, exchange
from pipeline.logs.derived import (
    Hosts,
    by_value,
    endpoint_columns,
    fill_server,
    on_rows,
    peer_series,
    real_build,
    reply_series,
)

NAME = "smtp_protocol"

FIELDS = (
    exchange("date-time", "timestamp", "When the event was written, UTC"),
    exchange("connector-id", "string", "Receive connector as SERVER\\Name, Send connector by its name", repeats=True),
    exchange("session-id", "string", "SMTP session, unique on one server and service", repeats=True),
    exchange("sequence-number", "int32", "Order within the session, from 0"),
    exchange("local-endpoint", "string", "ip:port of this server; empty in a Send log until connected", repeats=True),
    exchange("remote-endpoint", "string", "ip:port of the peer", repeats=True),
    exchange("event", "string", "+ connect, - disconnect, > this server says, < the peer says, * information", repeats=True),
    exchange("data", "string", "Command, reply or value of the information"),
    exchange("context", "string", "Information text, reason of a disconnect", repeats=True),
)

DERIVED = (
    Column("log_kind", "string", "smtp-receive or smtp-send", repeats=True),
    Column(
        "verb",
        "string",
        "SMTP verb of a command row in capitals: EHLO, MAIL, RCPT, DATA, BDAT, STARTTLS, XPROXY, XPROXYFROM, ...",
        repeats=True,
    ),
    Column("message_id", "string", "InternetMessageId of an information row, or the id in a 250 2.6.0 reply"),
    Column("ehlo_name", "string", "Name in an EHLO or HELO command, as the client says it", repeats=True),
    *REPLY,
    Column("tls_version", "string", "1.0, 1.1, 1.2 or 1.3 of a TLS negotiation row", repeats=True),
    Column("local_ip", "string", "Address of local_endpoint without port and scope", repeats=True),
    Column("local_port", "int32", "Port of local_endpoint"),
    Column("remote_ip", "string", "Address of remote_endpoint without port and scope", repeats=True),
    Column("remote_port", "int32", "Port of remote_endpoint"),
)

COLUMNS: tuple[Column, ...] = (*ASSIGNED, *FIELDS, *DERIVED, *LINEAGE)

_SERVICE_OF_PORT = {25: "frontend", 587: "frontend", 717: "frontend", 2525: "hub", 465: "hub", 475: "mailbox-delivery"}
"""Where files were copied flat, the port that a Receive connector listens on tells the service."""


def derive(frame: pl.DataFrame, hosts: Hosts, types: dict[str, pl.DataType]) -> pl.DataFrame:
    """Add the derived columns. `frame` has all Exchange columns, the lineage columns, and `log_kind` of the file.

    Where no header told the kind, `log_kind` is null and each row's connector tells it: a Receive connector
    is written SERVER\\Name.
    """
    receive_connector = pl.col("connector_id").str.contains("\\", literal=True)
    frame = frame.with_columns(
        log_kind=pl.coalesce("log_kind", pl.when(receive_connector).then(pl.lit("smtp-receive")).otherwise(pl.lit("smtp-send")))
    )
    received = pl.col("log_kind") == "smtp-receive"
    command = pl.when(received).then(pl.col("event") == "<").otherwise(pl.col("event") == ">")
    answer = pl.when(received).then(pl.col("event") == ">").otherwise(pl.col("event") == "<")
    information = ~pl.col("event").is_in(["+", "-", "<", ">"]) | pl.col("event").is_null()
    frame = frame.with_columns(
        frame.select(**endpoint_columns("local_endpoint", "local"), **endpoint_columns("remote_endpoint", "remote")).get_columns()
    )
    frame = frame.with_columns(
        on_rows(
            frame, command.fill_null(False),
            {
                "verb": pl.col("data").str.extract(r"^ *([A-Za-z][A-Za-z0-9-]*)").str.to_uppercase(),
                "ehlo_name": pl.col("data").str.extract(r"^ *(?i:EHLO|HELO) +([^ ]+)"),
            },
            types,
        )
    )
    frame = frame.with_columns(_information(frame, information, answer, types))
    numbered = answer & pl.col("data").str.contains(r"^[0-9]{3}(?:[ -]|$)")
    frame = frame.with_columns(reply_series(frame, pl.col("data"), numbered.fill_null(False), types))
    frame = _with_peer(frame, received, answer, hosts, types)
    row_server = pl.when(received & receive_connector).then(
        pl.col("connector_id").str.extract(r"^([A-Za-z0-9][A-Za-z0-9_-]{0,62})\\").str.to_uppercase()
    )
    frame = fill_server(frame, row_server)
    of_port = pl.col("local_port").replace_strict(_SERVICE_OF_PORT, default=None, return_dtype=pl.String)
    return frame.with_columns(
        by_value(frame["log_version"], real_build).alias("log_build"),
        log_service=pl.coalesce("log_service", pl.when(received).then(of_port)),
    )


def _information(frame: pl.DataFrame, information: pl.Expr, answer: pl.Expr, types: dict[str, pl.DataType]) -> list[pl.Series]:
    """What information rows and acceptances say: TLS version and the message they are about."""
    context = pl.col("context")
    tls = on_rows(
        frame, information & context.str.starts_with("TLS protocol"),
        {"tls_version": context.str.extract(r"SP_PROT_TLS(1_[0-3])").str.replace("_", ".", literal=True)}, types,
    )
    about = information & context.str.contains("InternetMessageId", literal=True)
    accepted = answer & pl.col("data").str.starts_with("250 2.")
    text = pl.when(about).then(context).otherwise("data")
    message = on_rows(
        frame.with_columns(_text=text), (about | accepted).fill_null(False),
        {"message_id": pl.col("_text").str.extract(r"^(?:250 2[.][0-9][.][0-9]+ (?:OK )?|.*InternetMessageId )(<[^>]*>)")}, types,
    )
    return [*tls, *message]


def _with_peer(
    frame: pl.DataFrame, received: pl.Expr, answer: pl.Expr, hosts: Hosts, types: dict[str, pl.DataType]
) -> pl.DataFrame:
    """The peer's name: its EHLO name where it connects to us, its banner and greeting where we connect to it.

    The banner's date is the peer's clock.
    """
    says = ~received & answer
    banner = pl.col("data").str.extract(r"^220[ -]+([^ ]+)")
    greeting = pl.col("data").str.extract(r"^250[ -]+([^ ]+) +Hello")
    named = frame.select("log_kind", "event", "data").with_columns(
        on_rows(
            frame, (says & pl.col("data").str.contains(r"^2[25]0[ -]+[^ ]+ ")).fill_null(False),
            {"_host": pl.coalesce(banner, greeting)}, {"_host": pl.String()},
        )
    )
    clock = on_rows(
        frame, (says & pl.col("data").str.contains(r"^220 .* ready at ")).fill_null(False),
        {
            "_clock": pl.col("data").str.extract(r"ready at (?:[A-Za-z]{3}, )?([0-9]{1,2} [A-Za-z]{3} [0-9]{4} [0-9:]{8} [+-][0-9]{4})")
            .str.to_datetime("%d %b %Y %H:%M:%S %z", strict=False, time_unit="us", time_zone="UTC")
        },
        {"_clock": pl.Datetime("us", "UTC")},
    )
    peer = frame.select(peer=pl.when(received).then("ehlo_name"))["peer"].zip_with(frame.select(received)["log_kind"], named["_host"])
    return frame.with_columns(*peer_series(peer, hosts), *clock).with_columns(
        peer_time=pl.coalesce("peer_time", "_clock")
    ).drop("_clock")
