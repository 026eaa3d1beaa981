"""The protocol rows of one Send session: to Exchange Online, or to a host outside that is no Exchange.

Source: https://learn.microsoft.com/en-us/exchange/mail-flow/connectors/protocol-logging
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from tests.generator.lines import banner_date, line, stamp
from tests.generator.message import Message

CERTIFICATE_COLUMNS = (
    "Subject Issuer name Serial number Thumbprint Not before Not after Subject alternate names"
)
ONLINE_EXTENSIONS = "SIZE 157286400;PIPELINING;DSN;ENHANCEDSTATUSCODES;8BITMIME;BINARYMIME;CHUNKING;SMTPUTF8"
FRONTEND_EXTENSIONS = "SIZE 37748736;PIPELINING;DSN;ENHANCEDSTATUSCODES;8BITMIME;BINARYMIME;CHUNKING;XRDST"
Emit = Callable[[datetime, str], None]


def milliseconds(count: int) -> timedelta:
    """A step of the clock."""
    return timedelta(milliseconds=count)


class Rows:
    """Numbers the rows of one session and hands each to `emit(time, line)`, on the clock of the server."""

    def __init__(self, emit: Emit, skew: timedelta, connector: str, session_id: str, remote: str) -> None:
        self._emit = emit
        self._skew = skew
        self._connector = connector
        self.session_id = session_id
        self._remote = remote
        self._sequence = 0
        self.local = ""

    def add(self, time: datetime, event: str, data: str = "", context: str = "") -> None:
        """One row at a true time."""
        written = time + self._skew
        cells = (
            stamp(written),
            self._connector,
            self.session_id,
            str(self._sequence),
            self.local,
            self._remote,
            event,
            data,
            context,
        )
        self._sequence += 1
        self._emit(written, line(cells))

    def greeting(self, time: datetime, event: str, first: str, extensions: str, joined: bool) -> None:
        """The reply to EHLO: one joined row (two blanks after 250) or one row per `250-`."""
        words = [first, *extensions.split(";")]
        if joined:
            self.add(time, event, "250  " + " ".join(words))
            return
        for word in words[:-1]:
            self.add(time, event, "250-" + word)
        self.add(time, event, "250 " + words[-1])


@dataclass(frozen=True, slots=True)
class OnlineHost:
    """A front door of Exchange Online: the name in its banner, the name in its brackets, its address."""

    banner: str
    internal: str
    ip: str
    mailbox: str


@dataclass(frozen=True, slots=True)
class Sender:
    """The sending server as the session shows it: EHLO name, addresses, its own certificate, row style."""

    ehlo: str
    local_ip: str
    public_ip: str
    certificate: str
    joined_ehlo: bool
    split_certificate: bool


class Outbound(Protocol):
    """A session in which messages are offered one after the other."""

    def open(self, time: datetime) -> datetime:
        """Connect; returns when the first message can be offered."""

    def offer(self, time: datetime, message: Message) -> datetime:
        """Offer one message; returns the time at which its reply is due."""

    def answer(self, time: datetime, reply: str, nested: str | None) -> datetime:
        """Write the reply; returns when the next message can be offered."""

    def close(self, time: datetime) -> None:
        """Disconnect."""


ONLINE_CERTIFICATE = (
    " CN=mail.protection.outlook.com, O=Microsoft Corporation, C=US CN=Test Issuing CA 07, "
    "O=Fictitious Trust 0A51C2FE0D7B44E1 5D1F0E6B2A9C48730F1B6A2D9E8C7B5A40312F6E 2026-05-01T00:00:00.000Z "
    "2027-05-01T23:59:59.000Z mail.protection.outlook.com"
)


class OnlineSession:
    """A Send session straight to Exchange Online, with STARTTLS."""

    def __init__(self, rows: Rows, sender: Sender, host: OnlineHost, port: int, tag: str) -> None:
        self._rows = rows
        self._sender = sender
        self._host = host
        self._local = f"{sender.local_ip}:{port}"
        self._tag = tag

    def open(self, time: datetime, proxied: str = "") -> datetime:
        """Connect and negotiate TLS; `proxied` is the session of the own front end that is relayed."""
        rows, sender, host = self._rows, self._sender, self._host
        rows.add(time, "*", "SendRoutingHeaders", "Set Session Permissions")
        rows.add(time, "*", "", "attempting to connect")
        rows.local = self._local
        time += milliseconds(24)
        rows.add(time, "+")
        time += milliseconds(31)
        rows.add(
            time,
            "<",
            f"220 {host.banner} Microsoft ESMTP MAIL Service ready at {banner_date(time)} [{self._tag}]",
        )
        if proxied:
            rows.add(time, "*", "", f"Proxying outbound session with session id {proxied}")
        rows.add(time, ">", f"EHLO {sender.ehlo}")
        time += milliseconds(22)
        greeting = f"{host.banner} Hello [{sender.public_ip}]"
        first, rest = ONLINE_EXTENSIONS.split(";8BITMIME")
        rows.greeting(time, "<", greeting, f"{first};STARTTLS;8BITMIME{rest}", sender.joined_ehlo)
        rows.add(time, ">", "STARTTLS")
        time += milliseconds(23)
        rows.add(time, "<", "220 2.0.0 SMTP server ready")
        time += milliseconds(41)
        self._certificates(time)
        rows.add(time, ">", f"EHLO {sender.ehlo}")
        time += milliseconds(22)
        rows.greeting(time, "<", greeting, ONLINE_EXTENSIONS, sender.joined_ehlo)
        return time + milliseconds(2)

    def _certificates(self, time: datetime) -> None:
        rows, sender = self._rows, self._sender
        tls = "CALG_AES_256 with strength 256 bits, MAC hash algorithm CALG_SHA_384 with strength 0 bits "
        tls += "and key exchange algorithm CALG_ECDH_EPHEM with strength 384 bits"
        if sender.split_certificate:
            rows.add(time, "*", "", "Received certificate")
            rows.add(time, "*", "5D1F0E6B2A9C48730F1B6A2D9E8C7B5A40312F6E", "Certificate thumbprint")
        else:
            rows.add(time, "*", sender.certificate, f"Sending certificate {CERTIFICATE_COLUMNS}")
            rows.add(time, "*", ONLINE_CERTIFICATE, f"Remote certificate {CERTIFICATE_COLUMNS}")
        rows.add(
            time,
            "*",
            "",
            f"TLS protocol SP_PROT_TLS1_2_CLIENT negotiation succeeded using bulk encryption algorithm {tls}",
        )

    def offer(self, time: datetime, message: Message) -> datetime:
        """MAIL FROM, RCPT TO (pipelined) and BDAT."""
        rows = self._rows
        rows.add(
            time,
            "*",
            "",
            f"sending message with RecordId {message.internal_id} and InternetMessageId {message.message_id}",
        )
        envelope(rows, time, ">", message)
        time += milliseconds(27)
        rows.add(time, "<", "250 2.1.0 Sender OK")
        for _ in message.recipients:
            rows.add(time, "<", "250 2.1.5 Recipient OK")
        rows.add(time, ">", f"BDAT {message.size} LAST")
        return time + milliseconds(80 + message.size // 2000)

    def answer(self, time: datetime, reply: str, nested: str | None = None) -> datetime:
        """The reply at the end of the data."""
        self._rows.add(time, "<", nested or reply)
        return time + milliseconds(3)

    def close(self, time: datetime) -> None:
        """QUIT."""
        rows = self._rows
        rows.add(time, ">", "QUIT")
        time += milliseconds(21)
        rows.add(time, "<", "221 2.0.0 Service closing transmission channel")
        rows.add(time, "-", "", "Local")


def envelope(rows: Rows, time: datetime, event: str, message: Message) -> None:
    """MAIL FROM and every RCPT TO, pipelined."""
    path = message.return_path if message.null_sender else f"<{message.return_path}>"
    rows.add(time, event, f"MAIL FROM:{path} SIZE={message.size}")
    for recipient in message.recipients:
        rows.add(time, event, f"RCPT TO:<{recipient}>")


class PlainSession:
    """A Send session to a host outside that is no Exchange server, without TLS."""

    def __init__(self, rows: Rows, sender: Sender, host: str, port: int) -> None:
        self._rows = rows
        self._sender = sender
        self._host = host
        self._local = f"{sender.local_ip}:{port}"

    def open(self, time: datetime) -> datetime:
        """Connect; a foreign greeting."""
        rows = self._rows
        rows.add(time, "*", "None", "Set Session Permissions")
        rows.add(time, "*", "", "attempting to connect")
        rows.local = self._local
        time += milliseconds(60)
        rows.add(time, "+")
        rows.add(time, "<", f"220 {self._host} ESMTP Postfix")
        rows.add(time, ">", f"EHLO {self._sender.ehlo}")
        time += milliseconds(30)
        rows.greeting(time, "<", self._host, "PIPELINING;SIZE 52428800;8BITMIME", self._sender.joined_ehlo)
        return time + milliseconds(1)

    def offer(self, time: datetime, message: Message) -> datetime:
        """MAIL FROM, RCPT TO and DATA."""
        rows = self._rows
        rows.add(
            time,
            "*",
            "",
            f"sending message with RecordId {message.internal_id} and InternetMessageId {message.message_id}",
        )
        envelope(rows, time, ">", message)
        time += milliseconds(30)
        rows.add(time, "<", "250 2.1.0 Ok")
        for _ in message.recipients:
            rows.add(time, "<", "250 2.1.5 Ok")
        rows.add(time, ">", "DATA")
        rows.add(time + milliseconds(29), "<", "354 End data with <CR><LF>.<CR><LF>")
        return time + milliseconds(120)

    def answer(self, time: datetime, reply: str, nested: str | None = None) -> datetime:
        """The reply at the end of the data."""
        self._rows.add(time, "<", nested or reply)
        return time + milliseconds(2)

    def close(self, time: datetime) -> None:
        """QUIT."""
        self._rows.add(time, ">", "QUIT")
        self._rows.add(time, "-", "", "Remote")
