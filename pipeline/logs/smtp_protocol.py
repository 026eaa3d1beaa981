"""SMTP protocol logs, Receive and Send: columns. What is derived from them is in `protocol_derived`.

Source: https://learn.microsoft.com/en-us/exchange/mail-flow/connectors/protocol-logging
"""

from __future__ import annotations

from pipeline.logs.columns import ASSIGNED, LINEAGE, REPLY, Column, exchange

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
