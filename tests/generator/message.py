"""The tracking events of one message, in the order in which Exchange writes them.

Source: https://learn.microsoft.com/en-us/exchange/mail-flow/transport-logs/message-tracking
A public DEFER or FAIL row with 4.7.230 does not exist: those two are built after other refusals.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from tests.generator.identifiers import Identifiers
from tests.generator.lines import Generation, listed, padded, stamp, tracking_line

Route = Literal["exchange-online", "internet", "internal"]
POSTMASTER = "MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e"


@dataclass(slots=True)
class Message:
    """A message on its way; `return_path` `<>` is the null sender, `scripted` are replies that come first."""

    message_id: str
    network_message_id: str
    internal_id: int
    sender: str
    return_path: str
    recipients: tuple[str, ...]
    subject: str
    size: int
    received: datetime
    route: Route
    connector: str
    next_hop: str
    from_internet: bool = False
    original_client_ip: str = ""
    client_name: str = ""
    scripted: list[str] = field(default_factory=list)
    reference: str = ""

    @property
    def null_sender(self) -> bool:
        """Whether nobody is told when it cannot be delivered."""
        return self.return_path == "<>"


@dataclass(frozen=True, slots=True)
class Writer:
    """The server that writes the rows; `build` is its exact one at that time."""

    name: str
    fqdn: str
    ip: str
    forest: str
    generation: Generation
    build: str


class Tracking:
    """Makes tracking lines of one server; times are already those of its clock."""

    def __init__(self, ids: Identifiers, culture: str) -> None:
        self._ids = ids
        self._culture = culture

    def _line(self, writer: Writer, time: datetime, message: Message | None, cells: dict[str, str]) -> str:
        base = {"date-time": stamp(time)}
        if message is not None:
            base |= {
                "internal-message-id": str(message.internal_id),
                "message-id": message.message_id,
                "network-message-id": message.network_message_id,
                "recipient-address": ";".join(message.recipients),
                "total-bytes": str(message.size),
                "recipient-count": str(len(message.recipients)),
                "message-subject": message.subject,
                "sender-address": message.sender,
                "return-path": message.return_path,
                "directionality": "Incoming" if message.from_internet else "Originating",
                "custom-data": self._custom(writer, []),
            }
        base |= {
            "transport-traffic-type": "Email" if message is not None else "",
            "log-id": self._ids.timed_guid(time),
            "schema-version": padded(writer.build) if writer.build else "",
        }
        return tracking_line(writer.generation.tracking_fields, base | cells)

    def _custom(self, writer: Writer, pairs: list[str]) -> str:
        if writer.generation.name == "2010":
            return listed(pairs)
        return listed([*pairs, "S:DeliveryPriority=Normal", f"S:AccountForest={writer.forest}"])

    def _latency(self, writer: Writer, message: Message, time: datetime) -> str:
        total = max((time - message.received).total_seconds(), 0.05)
        if writer.generation.name == "2010":
            return f"{stamp(message.received)};SRV={writer.fqdn}:TOTAL={int(total)}"
        sms = 0.1 + self._ids.below(300) / 1000
        return (
            f"{stamp(message.received)};LSRV={writer.fqdn}:TOTAL-HUB={total:.3f}"
            f"|SMR=0.{self._ids.between(80, 290):03d}"
            f"(SMRDE=0.004|SMRC=0.{self._ids.between(100, 180)})|CAT=0.{self._ids.between(20, 90):03d}"
            f"(CATOS=0.018(CATSM=0.018(CATSM-Malware Agent=0.017))|CATRESL=0.003)"
            f"|QDE={max(total - sms, 0.0):.3f}|SMS={sms:.3f}"
        )

    def _store_context(self, time: datetime, client: str, with_connection: bool) -> str:
        more = ", SubmissionAssistant:MailboxTransportSubmissionEmailAssistant" if with_connection else ""
        return (
            f"MDB:{self._ids.guid()}, Mailbox:{self._ids.guid()}, Event:{self._ids.between(1, 90_000_000)}, "
            f"MessageClass:IPM.Note, CreationTime:{stamp(time)}, ClientType:{client}{more}"
        )

    def notify_mapi(self, writer: Writer, time: datetime) -> str:
        """NOTIFYMAPI: mail seen in an outbox; nearly every cell is empty."""
        return self._line(
            writer,
            time,
            None,
            {
                "client-ip": writer.ip,
                "client-hostname": writer.name,
                "source-context": self._store_context(time, "MOMT", True),
                "source": "STOREDRIVER",
                "event-id": "NOTIFYMAPI",
                "custom-data": "S:ItemEntryId=00-00-00-00-" + self._ids.hexadecimal(12).upper(),
            },
        )

    def store_receive(self, writer: Writer, time: datetime, message: Message, client: str) -> str:
        """STOREDRIVER RECEIVE: taken from an outbox; recipient-status lists To, Cc, Bcc."""
        roles = ["To", *["Cc"] * (len(message.recipients) - 1)]
        modern = writer.generation.name != "2010"
        return self._line(
            writer,
            time,
            message,
            {
                "client-ip": writer.ip,
                "client-hostname": writer.fqdn,
                "server-ip": writer.ip,
                "server-hostname": writer.name,
                "source-context": self._store_context(message.received, client, modern),
                "source": "STOREDRIVER",
                "event-id": "RECEIVE",
                "recipient-status": ";".join(roles),
                "message-info": "04I: ",
                "original-client-ip": message.original_client_ip,
                "original-server-ip": writer.ip,
            },
        )

    def store_submit(self, writer: Writer, time: datetime, message: Message, client: str) -> str:
        """STOREDRIVER SUBMIT: the mailbox role hands the message to transport."""
        return self._line(
            writer,
            time,
            message,
            {
                "client-ip": writer.ip,
                "client-hostname": writer.name,
                "server-hostname": writer.fqdn,
                "source-context": self._store_context(message.received, client, False),
                "source": "STOREDRIVER",
                "event-id": "SUBMIT",
                "internal-message-id": "",
                "total-bytes": "",
                "return-path": "",
            },
        )

    def hub_receive(self, writer: Writer, time: datetime, message: Message, session_id: str) -> str:
        """SMTP RECEIVE by the transport service, from the own front end or mailbox service."""
        custom = ["S:MessageValue=MediumHigh", "S:Replication=Disabled", f"S:FirstForestHop={writer.fqdn}"]
        if message.client_name:
            custom = [
                f"S:ProxyHop1={writer.fqdn}({writer.ip})",
                *custom,
                "S:FromEntity=Internet",
                f"S:ProxiedClientIPAddress={message.original_client_ip}",
                f"S:ProxiedClientHostname={message.client_name}",
            ]
        else:
            custom.append("S:FromEntity=Hosted")
        return self._line(
            writer,
            time,
            message,
            {
                "client-ip": writer.ip,
                "client-hostname": writer.fqdn,
                "server-ip": writer.ip,
                "server-hostname": writer.name,
                "source-context": f"{session_id};{stamp(message.received)};0",
                "connector-id": f"{writer.name}\\Default {writer.name}",
                "source": "SMTP",
                "event-id": "RECEIVE",
                "message-info": "0cA: " if message.client_name else "0cI: ",
                "original-client-ip": message.original_client_ip,
                "original-server-ip": writer.ip,
                "custom-data": self._custom(writer, [] if writer.generation.name == "2010" else custom),
            },
        )

    def ha_redirect(self, writer: Writer, time: datetime, message: Message, shadow: str) -> str:
        """HAREDIRECT: a shadow copy goes to another server; an empty `shadow` = there is none."""
        text = "No suitable shadow servers"
        if shadow:
            text = (
                f"{shadow}=250 2.6.0 {message.message_id} [InternalId={self._ids.internal_id(shadow)}, "
                f"Hostname={shadow}] Queued mail for redundancy"
            )
        return self._line(
            writer,
            time,
            message,
            {
                "server-hostname": writer.name,
                "source-context": text,
                "source": "SMTP",
                "event-id": "HAREDIRECT" if shadow else "HAREDIRECTFAIL",
            },
        )

    def agent_info(self, writer: Writer, time: datetime, message: Message) -> str:
        """AGENTINFO: repeated keys, and one element that holds `;` and stands in single quotes."""
        rules = [self._ids.guid() for _ in range(2)]
        custom = [
            "S:AMA=SUM|v=0|action=|error=|atch=0",
            "S:AMA=EV|engine=M|v=0|sig=1.449.271.0|name=|file=",
            f"S:TRA=ETRP|ruleId={rules[0]}|st=2024-03-11T08:00:00.0000000Z|ExecW=0|ExecC=0",
            f"S:TRA=ETRP|ruleId={rules[1]}|st=2024-03-11T08:05:00.0000000Z|ExecW=0|ExecC=0"
            "|Conditions=ISUP,M.F,0;IP,F,0",
            "S:CompCost=|AMA=0",
        ]
        return self._line(
            writer,
            time,
            message,
            {
                "client-hostname": writer.name,
                "source-context": "CatContentConversion",
                "source": "AGENT",
                "event-id": "AGENTINFO",
                "original-client-ip": message.original_client_ip,
                "custom-data": self._custom(writer, custom),
            },
        )

    def send(self, writer: Writer, time: datetime, message: Message, reply: str, next_ip: str) -> str:
        """SEND or SENDEXTERNAL: the next hop took the message."""
        outside = message.route != "internal"
        event = writer.generation.outside_event if outside else "SEND"
        context = f";{reply}" if writer.generation.name == "2010" else f";{reply};ClientSubmitTime:"
        total = (time - message.received).total_seconds()
        custom = [
            f"S:E2ELatency={total:.3f}",
            f"S:MsgRecipCount={len(message.recipients)}",
            "S:IncludeInSla=True",
            f"S:IsSmtpResponseFromExternalServer={outside}",
        ]
        if outside:
            custom[1:1] = ["S:ExternalSendLatency=0.402", "S:ToEntity=Internet"]
        return self._line(
            writer,
            time,
            message,
            {
                "client-ip": writer.ip,
                "client-hostname": writer.name,
                "server-ip": next_ip,
                "server-hostname": message.next_hop,
                "source-context": context,
                "connector-id": message.connector,
                "source": "SMTP",
                "event-id": event,
                "recipient-status": ";".join("250 2.1.5 Recipient OK" for _ in message.recipients),
                "reference": ";" * (len(message.recipients) - 1),
                "message-info": self._latency(writer, message, time),
                "custom-data": self._custom(writer, [] if writer.generation.name == "2010" else custom),
            },
        )

    def refused(
        self,
        writer: Writer,
        time: datetime,
        message: Message,
        event: Literal["DEFER", "FAIL"],
        reply: str,
        next_ip: str,
        in_source_context: bool,
    ) -> str:
        """DEFER or FAIL: the next hop refused the message, for now or for good.

        The reply stands in an error record in recipient-status; in source-context with `in_source_context`;
        bare in recipient-status in 2010.
        """
        status = reply
        if writer.generation.name != "2010":
            status = (
                f"[{{LED={reply}}};{{MSG=}};{{FQDN={message.next_hop}}};{{IP={next_ip}}};"
                f"{{LRT={self._last_retry(time)}}}]"
            )
        return self._line(
            writer,
            time,
            message,
            {
                "client-ip": writer.ip,
                "client-hostname": writer.name,
                "server-ip": next_ip,
                "server-hostname": message.next_hop,
                "source-context": f";{reply}" if in_source_context else "",
                "connector-id": message.connector,
                "source": "SMTP",
                "event-id": event,
                "recipient-status": "" if in_source_context else listed([status] * len(message.recipients)),
                "message-info": self._latency(writer, message, time),
            },
        )

    def _last_retry(self, time: datetime) -> str:
        if self._culture == "en-US":
            half = "AM" if time.hour < 12 else "PM"
            return f"{time.month}/{time.day}/{time.year} {(time.hour - 1) % 12 + 1}:{time:%M:%S} {half}"
        return f"{time:%d.%m.%Y %H:%M:%S}"

    def dsn(
        self, writer: Writer, time: datetime, report: Message, reply: str, refused: Message, ip: str
    ) -> str:
        """DSN: the report to the sender of `refused`; `report.reference` is the message-id of that."""
        custom = [
            "S:OriginalMailDirectionality=Originating",
            f"S:LastFqdn={refused.next_hop}",
            f"S:LastIp={ip}",
            "S:Writer=SimpleDsnHumanReadableWriter",
            "S:Caller=Delivery",
        ]
        return self._line(
            writer,
            time,
            report,
            {
                "server-hostname": writer.name,
                "source-context": "Failure",
                "source": "DSN",
                "event-id": "DSN",
                "reference": report.reference,
                "message-info": ";".join(f"<{recipient}>:<{reply}>" for recipient in refused.recipients),
                "custom-data": self._custom(writer, [] if writer.generation.name == "2010" else custom),
            },
        )

    def deliver(self, writer: Writer, time: datetime, message: Message, session_id: str) -> str:
        """DELIVER: written to a mailbox; recipient-status is the folder, here localized."""
        return self._line(
            writer,
            time,
            message,
            {
                "client-hostname": writer.fqdn,
                "server-hostname": writer.name,
                "source-context": f"{session_id};{stamp(time)};ClientSubmitTime:",
                "source": "STOREDRIVER",
                "event-id": "DELIVER",
                "recipient-status": ";".join("Posteingang" for _ in message.recipients),
                "message-info": self._latency(writer, message, time),
                "custom-data": self._custom(
                    writer, [] if writer.generation.name == "2010" else ["S:P2RecipStat=0,004/1"]
                ),
            },
        )
