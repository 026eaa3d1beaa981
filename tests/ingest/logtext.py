"""Small logs for ingest tests: n rows whose sequence or message numbers are theirs."""

from __future__ import annotations

from collections.abc import Iterable

SMTP_FIELDS = (
    "date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,event,data,context"
)
TRACKING_FIELDS = (
    "date-time,client-ip,client-hostname,server-ip,server-hostname,source-context,connector-id,source,event-id,"
    "internal-message-id,message-id,network-message-id,recipient-address,recipient-status,total-bytes,recipient-count,"
    "related-recipient-address,reference,message-subject,sender-address,return-path,message-info,directionality,tenant-id,"
    "original-client-ip,original-server-ip,custom-data,transport-traffic-type,log-id,schema-version"
)


def head(
    kind: str = "Receive", *, date: str = "2026-11-20T08:00:00.000Z", version: str = "15.0.0.0"
) -> bytes:
    """Header of a protocol log."""
    return (
        f"#Software: Microsoft Exchange Server\r\n#Version: {version}\r\n#Log-type: SMTP {kind} Protocol Log\r\n"
        f"#Date: {date}\r\n#Fields: {SMTP_FIELDS}\r\n"
    ).encode()


def row(number: int, *, server: str = "EX01", month: str = "11", end: str = "\r\n") -> bytes:
    """A row of a Receive log."""
    time = f"2026-{month}-20T{8 + number // 3600:02d}:{number // 60 % 60:02d}:{number % 60:02d}.500Z"
    return (
        rf"{time},{server}\Default {server},08DE2A11B0C4D501,{number},10.1.1.1:2525,10.1.1.2:4000,<,NOOP number {number},{end}"
    ).encode()


def send_row(number: int) -> bytes:
    """A row of a Send log, which names no server."""
    return row(number).replace(rb"EX01\Default EX01", b"Outbound to cloud")


def receive(numbers: Iterable[int], *, server: str = "EX01", date: str = "2026-11-20T08:00:00.000Z") -> bytes:
    """A Receive log of these rows."""
    return head(date=date) + b"".join(row(number, server=server) for number in numbers)


def send(numbers: Iterable[int], *, date: str = "2026-11-20T08:00:00.000Z") -> bytes:
    """A Send log of these rows."""
    return head("Send", date=date) + b"".join(send_row(number) for number in numbers)


def tracking(
    numbers: Iterable[int], *, server: str = "EX01", date: str = "2026-11-20T08:00:00.000Z"
) -> bytes:
    """A message tracking log of these SEND rows."""
    block = head(date=date, version="15.01.2507.039").replace(
        b"SMTP Receive Protocol Log", b"Message Tracking Log"
    )
    text = block.replace(SMTP_FIELDS.encode(), TRACKING_FIELDS.encode()).decode()
    for number in numbers:
        text += (
            f"2026-11-20T09:{number // 60 % 60:02d}:{number % 60:02d}.250Z,10.1.1.1,{server},10.1.1.3,mx.fabrikam.com,,To cloud,SMTP,"
            f"SEND,{number},<{number}@contoso.com>,,anna@fabrikam.com,,100,1,,,Subject,ben@contoso.com,ben@contoso.com,,"
            f"Originating,,,,,Email,,15.01.2507.039\r\n"
        )
    return text.encode()
