"""How a message comes into a server: the rows of mailbox services, front end and transport."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.generator.logbook import Logbook
from tests.generator.message import Message
from tests.generator.organisation import Server
from tests.generator.proxied import proxy_inbound, receive_from_client
from tests.generator.tree import (
    FRONTEND_RECEIVE,
    FRONTEND_SEND,
    HUB_RECEIVE,
    TRACKING,
    TRACKING_DELIVERY,
    TRACKING_MAILBOX_2010,
    TRACKING_SUBMISSION,
)

QUEUED_AFTER = timedelta(milliseconds=340)
"""From the first row of a message to its first hand-over."""


def arrive(book: Logbook, server: Server, time: datetime, message: Message, detail: bool) -> None:
    """Write the rows of a message that comes from a mailbox or, with `message.client_name`, from a client.

    `time` is true; `message.received` is the same on the server's clock. `detail` writes the rows of the
    mailbox services, the shadow copy and the agents too.
    """
    if message.client_name:
        session_id = _from_client(book, server, time, message)
    elif server.generation.service_folders:
        session_id = book.session_id(server, "mailbox")
        if detail:
            _submission(book, server, message)
    else:
        _from_mailbox_2010(book, server, message, detail)
        return
    writer, tracking = book.writer(server, message.received), book.tracking(server)
    at = message.received + timedelta(milliseconds=150)
    book.tree.add(server.name, TRACKING, at, tracking.hub_receive(writer, at, message, session_id))
    if detail:
        others = [other for other in book.organisation.servers if other is not server]
        shadow = book.fqdn(others[0]) if others else ""
        book.tree.add(server.name, TRACKING, at, tracking.ha_redirect(writer, at, message, shadow))
        at += timedelta(milliseconds=30)
        book.tree.add(server.name, TRACKING, at, tracking.agent_info(writer, at, message))


def _submission(book: Logbook, server: Server, message: Message) -> None:
    writer, tracking = book.writer(server, message.received), book.tracking(server)
    client = book.ids.choice(("MOMT", "OWA", "AirSync"))
    at = message.received
    book.tree.add(server.name, TRACKING_SUBMISSION, at, tracking.notify_mapi(writer, at))
    at += timedelta(milliseconds=90)
    text = tracking.store_receive(writer, at, message, client)
    book.tree.add(server.name, TRACKING_SUBMISSION, at, text)
    at += timedelta(milliseconds=120)
    text = tracking.store_submit(writer, at, message, client)
    book.tree.add(server.name, TRACKING_SUBMISSION, at, text)


def _from_mailbox_2010(book: Logbook, server: Server, message: Message, detail: bool) -> None:
    writer, tracking = book.writer(server, message.received), book.tracking(server)
    at = message.received
    if detail:
        text = tracking.store_submit(writer, at, message, "User")
        book.tree.add(server.name, TRACKING_MAILBOX_2010, at, text)
    at += timedelta(milliseconds=40)
    text = tracking.store_receive(writer, at, message, "User")
    book.tree.add(server.name, TRACKING, at, text)


def _from_client(book: Logbook, server: Server, time: datetime, message: Message) -> str:
    """The front end's rows; returns the session id that the transport service's RECEIVE row names."""
    fqdn = book.fqdn(server)
    rate = f"{message.size / 104.448:.3f}"
    if server.culture == "de-DE":
        rate = rate.replace(".", ",")
    reply = (
        f"250 2.6.0 {message.message_id} [InternalId={message.internal_id}, Hostname={fqdn}] "
        f"{message.size} bytes in 0.102, {rate} KB/sec Queued mail for delivery"
    )
    remote = f"{message.original_client_ip}:{book.ids.between(40_000, 60_000)}"
    connector = f"{server.name}\\Default Frontend {server.name}"
    receive = book.rows(server, FRONTEND_RECEIVE, connector, remote)
    receive_from_client(receive, time, fqdn, f"{server.ip}:25", message, reply)
    if not server.keeps_inbound_proxy_log:
        return book.session_id(server, "hub")
    port = book.ids.between(20_000, 39_999)
    proxy_connector = book.organisation.inbound_proxy_connector
    send = book.rows(server, FRONTEND_SEND, proxy_connector, f"{server.ip}:2525")
    hub = book.rows(server, HUB_RECEIVE, f"{server.name}\\Default {server.name}", f"{server.ip}:{port}")
    proxy_inbound(
        send,
        hub,
        time + timedelta(milliseconds=15),
        fqdn,
        (server.ip, port),
        receive.session_id,
        message,
        reply,
    )
    return hub.session_id


def deliver(book: Logbook, server: Server, time: datetime, message: Message) -> None:
    """Write a message to a mailbox of the same server, at a true time."""
    local = time + timedelta(seconds=server.skew)
    place = TRACKING_DELIVERY if server.generation.service_folders else TRACKING
    session_id = book.session_id(server, "delivery")
    text = book.tracking(server).deliver(book.writer(server, local), local, message, session_id)
    book.tree.add(server.name, place, local, text)
