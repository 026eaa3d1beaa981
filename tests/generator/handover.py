"""One hand-over session: messages are offered in turn, answered, and the answers written to every log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from tests.generator.arrival import deliver
from tests.generator.lines import stamp
from tests.generator.logbook import Logbook
from tests.generator.message import POSTMASTER, Message
from tests.generator.organisation import Server
from tests.generator.proxied import ProxiedSession
from tests.generator.session import OnlineSession, Outbound, PlainSession
from tests.generator.tree import FRONTEND_RECEIVE, FRONTEND_SEND, HUB_SEND, TRACKING
from tests.generator.truth import Outcome, RefusalTruth

TO_TRACKING = timedelta(milliseconds=6)
"""From a reply to the tracking row about it."""


@dataclass(slots=True)
class Course:
    """What has become of a message so far; times are on the clock of `server`."""

    message: Message
    server: Server
    refusals: list[RefusalTruth] = field(default_factory=list)
    nest_next: bool = False
    first_offered: datetime | None = None
    outcome: Outcome = "pending"
    settled: datetime | None = None
    dsn_id: str | None = None


class HandOver:
    """A session from one server to one next hop, logged as the server and its connector log."""

    def __init__(self, book: Logbook, server: Server, message: Message) -> None:
        self._book = book
        self._server = server
        self._host = book.online_host()
        self._tag = book.session_id(server, "exchange-online")
        self._online = message.next_hop.endswith(".mail.protection.outlook.com")
        self._next_ip = self._host.ip if self._online else f"198.51.100.{20 + len(message.next_hop) % 80}"
        self._proxied = server.front_end_proxy and message.route == "exchange-online"
        self._session, self._session_id = self._open(message)

    def _open(self, message: Message) -> tuple[Outbound | None, str]:
        book, server = self._book, self._server
        if message.route == "internet" and not book.organisation.protocol_log_of_internet:
            return None, ""
        sender, port = book.sender(server), book.ids.between(10_000, 60_000)
        remote = f"{self._next_ip}:25"
        if not self._proxied:
            rows = book.rows(server, HUB_SEND, message.connector, remote)
            if not self._online:
                return PlainSession(rows, sender, message.next_hop, port), rows.session_id
            return OnlineSession(rows, sender, self._host, port, self._tag), rows.session_id
        hub = book.rows(server, HUB_SEND, message.connector, f"{server.ip}:717")
        connector = f"{server.name}\\Outbound Proxy Frontend {server.name}"
        receive = book.rows(server, FRONTEND_RECEIVE, connector, f"{server.ip}:{port}")
        out = book.rows(server, FRONTEND_SEND, message.connector, remote)
        online = OnlineSession(out, sender, self._host, port + 1, self._tag)
        return ProxiedSession(hub, receive, online, sender, book.fqdn(server), port), hub.session_id

    def run(self, courses: Sequence[tuple[datetime, Course]]) -> dict[int, datetime]:
        """Offer each message at its time or after; returns, by index, when each was refused for now."""
        refused: dict[int, datetime] = {}
        time = courses[0][0]
        if self._session is not None:
            time = self._session.open(time)
        for index, (offered, course) in enumerate(courses):
            time = max(time, offered)
            skew = timedelta(seconds=self._server.skew)
            if course.first_offered is None:
                course.first_offered = time + skew
            due = time + timedelta(milliseconds=130)
            if self._session is not None:
                due = self._session.offer(time, course.message)
            time = self._answer(course, due)
            if course.outcome == "pending":
                refused[index] = due
        if self._session is not None:
            self._session.close(time)
        return refused

    def _answer(self, course: Course, time: datetime) -> datetime:
        message = course.message
        verdict = self._server.enforcement.verdict(time) if message.route == "exchange-online" else None
        if message.scripted:
            reply = seen = message.scripted.pop(0) + self._bracket(time)
            self._refused(course, time, reply, reply, "other", None)
        elif verdict is not None:
            reply = verdict.words(self._book.organisation.reply_link) + self._bracket(time)
            seen = reply
            if course.nest_next:
                course.nest_next = False
                seen = f"450 4.7.0 Proxy session setup failed on Frontend with '{reply}'"
            self._refused(course, time, reply, seen, verdict.action, verdict.minutes)
        else:
            reply = seen = self._accepted(course, time)
        if self._session is None:
            return time + timedelta(milliseconds=5)
        return self._session.answer(time, reply, seen if seen != reply else None)

    def _bracket(self, time: datetime) -> str:
        if not self._book.organisation.reply_bracket or not self._online:
            return ""
        return f" [{self._host.internal} {stamp(time)} {self._tag}]"

    def _accepted(self, course: Course, time: datetime) -> str:
        message, server = course.message, self._server
        reply = "250 2.0.0 Ok: queued as " + self._book.ids.hexadecimal(10).upper()
        if self._online:
            seconds = self._book.ids.between(80, 400) / 1000
            reply = (
                f"250 2.6.0 {message.message_id} [InternalId={self._book.ids.internal_id('online')}, "
                f"Hostname={self._host.mailbox}] {message.size + 3400} bytes in {seconds:.3f}, "
                f"{(message.size + 3400) / 1024 / seconds:.3f} KB/sec Queued mail for delivery"
            )
        course.outcome = "accepted"
        course.settled = time + timedelta(seconds=server.skew)
        at = course.settled + TO_TRACKING
        writer = self._book.writer(server, at)
        text = self._book.tracking(server).send(writer, at, message, reply, self._tracked_ip)
        self._book.tree.add(server.name, TRACKING, at, text)
        return reply

    @property
    def _tracked_ip(self) -> str:
        return self._server.ip if self._proxied else self._next_ip

    def _refused(
        self, course: Course, time: datetime, reply: str, seen: str, action: str, minutes: int | None
    ) -> None:
        book, server, message = self._book, self._server, course.message
        local = time + timedelta(seconds=server.skew)
        at = local + TO_TRACKING
        for_good = reply.startswith("5")
        event: Literal["DEFER", "FAIL"] = "FAIL" if for_good else "DEFER"
        writer, tracking = book.writer(server, at), book.tracking(server)
        in_context = book.organisation.deferred_in_source_context and not for_good
        text = tracking.refused(writer, at, message, event, seen, self._tracked_ip, in_context)
        book.tree.add(server.name, TRACKING, at, text)
        places = [f"tracking {event}"]
        if self._session is not None:
            places[:0] = ["front-end send", "front-end receive", "hub send"] if self._proxied else ["send"]
        if for_good:
            course.outcome, course.settled = "bounced", local
            if not message.null_sender:
                course.dsn_id = self._report(course, time, seen)
                places.append("tracking DSN")
        course.refusals.append(
            RefusalTruth(
                time=local,
                true_time=time,
                action="throttle" if action == "throttle" else "block" if action == "block" else "other",
                minutes=minutes,
                reply=reply,
                seen_by_hub=seen,
                online_host=self._host.internal if self._bracket(time) else "",
                session_id=self._session_id,
                stands_in=tuple(places),
            )
        )

    def _report(self, course: Course, time: datetime, reply: str) -> str:
        """The report to the sender: a DSN row, and its delivery to the sender's mailbox here."""
        book, server, refused = self._book, self._server, course.message
        local = time + timedelta(seconds=server.skew, milliseconds=45)
        writer = book.writer(server, local)
        report = Message(
            message_id=f"<{book.ids.guid()}@{writer.fqdn}>",
            network_message_id=book.ids.timed_guid(local),
            internal_id=book.ids.internal_id(server.name),
            sender=f"{POSTMASTER}@{book.organisation.domain}",
            return_path="<>",
            recipients=(refused.return_path,),
            subject=f"Undeliverable: {refused.subject}",
            size=refused.size + 9000,
            received=local,
            route="internal",
            connector="Intra-Organization SMTP Send Connector",
            next_hop=writer.fqdn,
            reference=refused.message_id,
        )
        text = book.tracking(server).dsn(writer, local, report, reply, refused, self._tracked_ip)
        book.tree.add(server.name, TRACKING, local, text)
        if not refused.client_name:
            deliver(book, server, time + timedelta(milliseconds=380), report)
        return report.message_id
