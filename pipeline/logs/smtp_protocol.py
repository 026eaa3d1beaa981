"""SMTP protocol logs, Receive and Send: columns, and what is derived from them.

Source: https://learn.microsoft.com/en-us/exchange/mail-flow/connectors/protocol-logging
"""

from __future__ import annotations

import polars as pl

from pipeline.logs.columns import ASSIGNED, LINEAGE, REPLY, Column, exchange
from pipeline.logs.derived import (
    Frame,
    Hosts,
    endpoint_columns,
    fill_server,
    peer_columns,
    read_replies,
    real_build,
)
from pipeline.logs.text import Mask, Text, nulls

NAME = "smtp_protocol"

FIELDS = (
    exchange("date-time", "timestamp", "When the event was written, UTC"),
    exchange(
        "connector-id",
        "string",
        "Receive connector as SERVER\\Name, Send connector by its name",
        repeats=True,
    ),
    exchange("session-id", "string", "SMTP session, unique on one server and service", repeats=True),
    exchange("sequence-number", "int32", "Order within the session, from 0"),
    exchange(
        "local-endpoint",
        "string",
        "ip:port of this server; empty in a Send log until connected",
        repeats=True,
    ),
    exchange("remote-endpoint", "string", "ip:port of the peer", repeats=True),
    exchange(
        "event",
        "string",
        "+ connect, - disconnect, > this server says, < the peer says, * information",
        repeats=True,
    ),
    exchange("data", "string", "Command, reply or value of the information", repeats=True),
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

_SERVICE_OF_PORT = {
    25: "frontend",
    587: "frontend",
    717: "frontend",
    2525: "hub",
    465: "hub",
    475: "mailbox-delivery",
}
"""Where files were copied flat, the port that a Receive connector listens on tells the service."""


def derive(frame: Frame, hosts: Hosts) -> None:
    """Add the derived columns to rows that have all Exchange columns, the lineage columns, and `log_kind`.

    Where no header told the kind, `log_kind` is null and each row's connector tells it: a Receive connector
    is written SERVER\\Name.
    """
    connector, event = frame.texts["connector_id"], frame.texts["event"]
    by_connector = connector.derive(
        pl.when(pl.col("value").str.contains("\\", literal=True))
        .then(pl.lit("smtp-receive"))
        .otherwise(pl.lit("smtp-send"))
    )
    kind = frame.texts["log_kind"].or_else(by_connector)
    frame.add(log_kind=kind)
    received = kind.is_in(["smtp-receive"])
    says_peer, says_self = event.is_in(["<"]), event.is_in([">"])
    command = (received & says_peer) | (~received & says_self)
    answer = (received & says_self) | (~received & says_peer)
    information = ~event.is_in(["+", "-", "<", ">"])
    frame.add(
        **endpoint_columns(frame.texts["local_endpoint"], "local"),
        **endpoint_columns(frame.texts["remote_endpoint"], "remote"),
    )
    _add_information(frame, information, answer)
    _add_commands(frame, command)
    _add_answers(frame, answer, hosts)
    _add_peer(frame, received, answer, hosts)
    owner = connector.derive(
        pl.col("value").str.extract(r"^([A-Za-z0-9][A-Za-z0-9_-]{0,62})\\").str.to_uppercase()
    )
    fill_server(frame, owner.where(received))
    of_port = Text.of(
        frame.others["local_port"].replace_strict(_SERVICE_OF_PORT, default=None, return_dtype=pl.String)
    )
    frame.add(
        log_build=frame.texts["log_version"].map(real_build),
        log_service=frame.texts["log_service"].or_else(of_port.where(received)),
    )


def _add_commands(frame: Frame, command: Mask) -> None:
    data = frame.texts["data"].where(command).compact()
    frame.add(
        **data.derive_all(
            verb=pl.col("value").str.extract(r"^ *([A-Za-z][A-Za-z0-9-]{1,30})").str.to_uppercase(),
            ehlo_name=pl.col("value").str.extract(r"^ *(?i:EHLO|HELO) +([^ ]+)"),
        )
    )


def _add_answers(frame: Frame, answer: Mask, hosts: Hosts) -> None:
    """Replies among the distinct data values; they count only in rows that are answers."""
    data = frame.texts["data"].where(answer).compact()
    numbered = data.values.str.contains(r"^[0-9]{3}(?:[ -]|$)").fill_null(False)
    replies = read_replies(data.values.zip_with(numbered, nulls(pl.String(), len(numbered))), hosts)
    for name, column in replies.items():
        frame.add(**{name: data.of_values(column) if column.dtype == pl.String else data.spread(column)})


def _add_information(frame: Frame, information: Mask, answer: Mask) -> None:
    """What information rows and acceptances say: TLS version, and the message they are about."""
    value = pl.col("value")
    context = frame.texts["context"].where(information).compact()
    data = frame.texts["data"].where(answer).compact()
    about = context.derive(
        pl.when(value.str.contains("InternetMessageId", literal=True)).then(
            value.str.extract(r"InternetMessageId (<[^>]*>)")
        )
    )
    accepted = data.derive(
        pl.when(value.str.starts_with("250 2.")).then(
            value.str.extract(r"^250 2[.][0-9][.][0-9]+ (?:OK )?(<[^>]*>)")
        )
    )
    tls = pl.when(value.str.starts_with("TLS protocol")).then(
        value.str.extract(r"SP_PROT_TLS(1_[0-3])").str.replace("_", ".", literal=True)
    )
    frame.add(tls_version=context.derive(tls), message_id=about.or_else(accepted))


def _add_peer(frame: Frame, received: Mask, answer: Mask, hosts: Hosts) -> None:
    """The peer's name: its EHLO name where it connects to us, its banner and greeting where we connect to it.

    The banner's date is the peer's clock.
    """
    value = pl.col("value")
    says = frame.texts["data"].where(~received & answer).compact()
    host = says.derive(
        pl.when(value.str.contains(r"^2[25]0[ -]+[^ ]+ ")).then(
            pl.coalesce(value.str.extract(r"^220[ -]+([^ ]+)"), value.str.extract(r"^250[ -]+([^ ]+) +Hello"))
        )
    )
    stamp = value.str.extract(
        r"ready at (?:[A-Za-z]{3}, )?([0-9]{1,2} [A-Za-z]{3} [0-9]{4} [0-9:]{8} [+-][0-9]{4})"
    )
    clock = says.numbers(
        pl.when(value.str.starts_with("220")).then(
            stamp.str.to_datetime("%d %b %Y %H:%M:%S %z", strict=False, time_unit="us", time_zone="UTC")
        ),
        pl.Datetime("us", "UTC"),
    )
    frame.add(**peer_columns(frame.texts["ehlo_name"].where(received).or_else(host).compact(), hosts))
    times = frame.others["peer_time"]
    frame.add(peer_time=clock.zip_with(times.is_null(), times))
