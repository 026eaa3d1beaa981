"""What is derived from SMTP protocol rows: verbs, replies, addresses, the peer and the message a row is about."""

from __future__ import annotations

import polars as pl

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
