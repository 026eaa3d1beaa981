"""Sessions in which a front end takes part: outbound through it, and inbound from a client through it.

Source: https://learn.microsoft.com/en-us/exchange/mail-flow/connectors/protocol-logging
The arguments of XPROXYTO are not public in a real line, nor are those of XPROXYFROM: those here have the
`KEY=value` form of XPROXY.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from tests.generator.lines import banner_date, stamp
from tests.generator.message import Message
from tests.generator.session import FRONTEND_EXTENSIONS, OnlineSession, Rows, Sender, envelope, milliseconds


class ProxiedSession:
    """The same hand-over through a front end: hub SEND to port 717, front-end RECV, front-end SEND.

    Every reply of Exchange Online stands in all three logs.
    """

    def __init__(
        self, hub: Rows, receive: Rows, online: OnlineSession, sender: Sender, fqdn: str, port: int
    ) -> None:
        self._hub = hub
        self._receive = receive
        self._online = online
        self._sender = sender
        self._fqdn = fqdn
        self._hub_local = f"{sender.local_ip}:{port}"

    def open(self, time: datetime) -> datetime:
        """Connect to the front end, which connects to Exchange Online."""
        hub, receive = self._hub, self._receive
        hub.add(time, "*", "SendRoutingHeaders", "Set Session Permissions")
        hub.add(time, "*", "", "attempting to connect")
        hub.local = self._hub_local
        receive.local = f"{self._sender.local_ip}:717"
        time += milliseconds(1)
        banner = f"220 {self._fqdn} Microsoft ESMTP MAIL Service ready at {banner_date(time)}"
        hello = f"{self._fqdn} Hello [{self._sender.local_ip}]"
        for rows, says, asks in ((hub, "<", ">"), (receive, ">", "<")):
            rows.add(time, "+")
            rows.add(time, says, banner)
            rows.add(time, asks, f"EHLO {self._fqdn}")
            rows.greeting(time, says, hello, FRONTEND_EXTENSIONS, self._sender.joined_ehlo)
            rows.add(
                time + milliseconds(1), asks, f"XPROXYTO SESSIONID={hub.session_id} PORT=25 CAPABILITIES=0"
            )
        ready = self._online.open(time + milliseconds(3), receive.session_id)
        hub.add(ready, "<", "250 XProxyTo accepted")
        receive.add(ready, ">", "250 XProxyTo accepted")
        return ready + milliseconds(2)

    def offer(self, time: datetime, message: Message) -> datetime:
        """The hub's commands pass through the front end."""
        hub, receive = self._hub, self._receive
        hub.add(
            time,
            "*",
            "",
            f"sending message with RecordId {message.internal_id} and InternetMessageId {message.message_id}",
        )
        envelope(hub, time, ">", message)
        envelope(receive, time, "<", message)
        receive.add(time, "*", "", f"receiving message with InternetMessageId {message.message_id}")
        due = self._online.offer(time + milliseconds(1), message)
        for rows, event in ((hub, "<"), (receive, ">")):
            rows.add(due - milliseconds(40), event, "250 2.1.0 Sender OK")
            for _ in message.recipients:
                rows.add(due - milliseconds(40), event, "250 2.1.5 Recipient OK")
        hub.add(due - milliseconds(39), ">", f"BDAT {message.size} LAST")
        receive.add(due - milliseconds(39), "<", f"BDAT {message.size} LAST")
        return due

    def answer(self, time: datetime, reply: str, nested: str | None = None) -> datetime:
        """Front-end SEND first, then front-end RECV, then hub SEND, a millisecond apart."""
        self._online.answer(time, reply)
        self._receive.add(time + milliseconds(1), ">", nested or reply)
        self._hub.add(time + milliseconds(2), "<", nested or reply)
        return time + milliseconds(5)

    def close(self, time: datetime) -> None:
        """QUIT on both legs."""
        self._online.close(time)
        time += milliseconds(24)
        self._hub.add(time, ">", "QUIT")
        self._hub.add(time, "<", "221 2.0.0 Service closing transmission channel")
        self._hub.add(time, "-", "", "Local")
        self._receive.add(time, "<", "QUIT")
        self._receive.add(time, ">", "221 2.0.0 Service closing transmission channel")
        self._receive.add(time, "-", "", "Remote")


def receive_from_client(
    rows: Rows, time: datetime, host: str, local: str, message: Message, reply: str
) -> None:
    """A front-end Receive session in which an application hands over one message without login."""
    rows.local = local
    rows.add(time, "+")
    rows.add(time, ">", f"220 {host} Microsoft ESMTP MAIL Service ready at {banner_date(time)}")
    rows.add(time + milliseconds(2), "<", f"EHLO {message.client_name}")
    hello = f"{host} Hello [{message.original_client_ip}]"
    rows.greeting(time + milliseconds(2), ">", hello, FRONTEND_EXTENSIONS, joined=True)
    rows.add(time + milliseconds(4), "<", f"MAIL FROM:<{message.return_path}>")
    rows.add(time + milliseconds(4), "*", f"{rows.session_id};{stamp(time)};1", "receiving message")
    rows.add(time + milliseconds(5), ">", "250 2.1.0 Sender OK")
    _recipients(rows, time + milliseconds(6), message.recipients)
    rows.add(time + milliseconds(8), "<", "DATA")
    rows.add(time + milliseconds(8), ">", "354 Start mail input; end with <CRLF>.<CRLF>")
    rows.add(
        time + milliseconds(14),
        "*",
        "",
        f"Proxy destination(s) obtained from OnProxyInboundMessage event. Correlation Id:"
        f"{message.network_message_id}",
    )
    rows.add(time + milliseconds(120), ">", reply)
    rows.add(time + milliseconds(130), "<", "QUIT")
    rows.add(time + milliseconds(130), ">", "221 2.0.0 Service closing transmission channel")
    rows.add(time + milliseconds(131), "-", "", "Remote")


def _recipients(rows: Rows, time: datetime, recipients: Sequence[str]) -> None:
    for recipient in recipients:
        rows.add(time, "<", f"RCPT TO:<{recipient}>")
        rows.add(time, ">", "250 2.1.5 Recipient OK")


def proxy_inbound(
    send: Rows,
    hub: Rows,
    time: datetime,
    host: str,
    end: tuple[str, int],
    inbound: str,
    message: Message,
    reply: str,
) -> None:
    """The front end passes a client's message on: front-end SEND from `end` to hub RECV on port 2525.

    `inbound` is the session of the front end that is relayed.
    """
    send.add(time, "*", "", "attempting to connect")
    send.local = f"{end[0]}:{end[1]}"
    hub.local = f"{end[0]}:2525"
    banner = f"220 {host} Microsoft ESMTP MAIL Service ready at {banner_date(time)}"
    for rows, says in ((send, "<"), (hub, ">")):
        rows.add(time, "+")
        rows.add(time, says, banner)
    send.add(time, "*", "", f"Proxying inbound session with session id {inbound}")
    extensions = "SIZE;PIPELINING;DSN;ENHANCEDSTATUSCODES;8BITMIME;CHUNKING;XSHADOWREQUEST"
    for rows, says, asks in ((send, "<", ">"), (hub, ">", "<")):
        rows.add(time + milliseconds(1), asks, f"EHLO {host}")
        rows.greeting(time + milliseconds(1), says, f"{host} Hello [{end[0]}]", extensions, joined=True)
        rows.add(
            time + milliseconds(2),
            asks,
            f"XPROXYFROM SID={inbound} IP={message.original_client_ip} PORT=50211 "
            f"DOMAIN={message.client_name} SEQNUM=1 PERMS=1073 AUTHSRC=Anonymous",
        )
        rows.add(time + milliseconds(3), says, "250 XProxyFrom accepted")
        envelope(rows, time + milliseconds(4), asks, message)
    hub.add(time + milliseconds(5), "*", "", f"receiving message with InternetMessageId {message.message_id}")
    for rows, says in ((hub, ">"), (send, "<")):
        rows.add(time + milliseconds(90), says, reply)
        rows.add(time + milliseconds(91), "-", "", "Local" if rows is send else "Remote")
