"""Mail passes through an organisation: arrivals, queues with retries, and the truth about all of it."""

from __future__ import annotations

import heapq
from datetime import datetime, timedelta

from tests.generator.arrival import QUEUED_AFTER, arrive, deliver
from tests.generator.handover import Course, HandOver
from tests.generator.logbook import Logbook
from tests.generator.message import Message, Route
from tests.generator.organisation import Organisation
from tests.generator.truth import BuildTruth, MessageTruth

TOGETHER = timedelta(seconds=3)
"""Messages for one next hop that fall due within this span share a session."""


class Simulation:
    """The logs of one organisation from a list of messages: call `mail` in order of time, then `run` once."""

    def __init__(self, organisation: Organisation, seed: int) -> None:
        self.book = Logbook(organisation, seed)
        self._courses: list[Course] = []
        self._queue: list[tuple[datetime, int]] = []

    def mail(
        self,
        server_name: str,
        time: datetime,
        sender: str,
        recipients: tuple[str, ...],
        subject: str,
        *,
        route: Route = "exchange-online",
        next_hop: str = "",
        size: int | None = None,
        null_sender: bool = False,
        detail: bool = False,
        client: tuple[str, str] | None = None,
        scripted: tuple[str, ...] = (),
        nested: bool = False,
    ) -> str:
        """One message enters a server at a true time; returns its message-id.

        `client` = (EHLO name, address) of an application that hands it in by SMTP; else it comes from a
        mailbox. `detail` writes the rows of the mailbox services too. `scripted` replies come before the
        enforcement's. `nested` wraps its first refusal as a front end does that cannot set up the session.
        """
        book = self.book
        organisation, server = book.organisation, book.servers[server_name]
        local = time + timedelta(seconds=server.skew)
        fqdn, online = book.fqdn(server), route == "exchange-online"
        message = Message(
            message_id=f"<{book.ids.hexadecimal(32)}@{client[0] if client else fqdn}>",
            network_message_id=book.ids.timed_guid(local),
            internal_id=book.ids.internal_id(server.name),
            sender=sender,
            return_path="<>" if null_sender else sender,
            recipients=recipients,
            subject=subject,
            size=size or book.ids.between(4_000, 60_000),
            received=local,
            route=route,
            connector=organisation.connector if online else organisation.internet_connector,
            next_hop=next_hop or organisation.online_hop,
            from_internet=client is not None,
            original_client_ip=client[1] if client else "",
            client_name=client[0] if client else "",
            scripted=list(scripted),
        )
        arrive(book, server, time, message, detail)
        if route == "internal":
            deliver(book, server, time + QUEUED_AFTER, message)
            return message.message_id
        self._courses.append(Course(message, server, nest_next=nested))
        heapq.heappush(self._queue, (time + QUEUED_AFTER, len(self._courses) - 1))
        return message.message_id

    def run(self, until: datetime) -> None:
        """Work the queues off; a message that would be tried after `until` stays pending."""
        while self._queue and self._queue[0][0] <= until:
            batch = self._batch()
            courses = [(due, self._courses[number]) for due, number in batch]
            session = HandOver(self.book, courses[0][1].server, courses[0][1].message)
            for index, refused_at in session.run(courses).items():
                wait = self.book.organisation.retries.after(len(courses[index][1].refusals))
                again = refused_at + wait + timedelta(milliseconds=self.book.ids.between(150, 900))
                heapq.heappush(self._queue, (again, batch[index][1]))

    def _batch(self) -> list[tuple[datetime, int]]:
        """The next message due, and those for the same next hop that are due soon after, with their times."""
        first = heapq.heappop(self._queue)
        batch, left = [first], []
        while self._queue and self._queue[0][0] <= first[0] + TOGETHER:
            item = heapq.heappop(self._queue)
            if self._way(item[1]) == self._way(first[1]):
                batch.append(item)
            else:
                left.append(item)
        for item in left:
            heapq.heappush(self._queue, item)
        return batch

    def _way(self, number: int) -> tuple[str, str, str]:
        course = self._courses[number]
        return course.server.name, course.message.connector, course.message.next_hop

    def messages(self) -> tuple[MessageTruth, ...]:
        """What became of every message that was to leave, in the order in which they came."""
        return tuple(
            MessageTruth(
                organisation=self.book.organisation.slug,
                server=course.server.name,
                message_id=course.message.message_id,
                network_message_id=course.message.network_message_id,
                sender=course.message.sender,
                return_path=course.message.return_path,
                recipients=course.message.recipients,
                route=course.message.route,
                connector=course.message.connector,
                next_hop=course.message.next_hop,
                in_scope=course.message.route == "exchange-online",
                received=course.message.received,
                first_offered=course.first_offered,
                refusals=tuple(course.refusals),
                outcome=course.outcome,
                settled=course.settled,
                dsn_id=course.dsn_id,
            )
            for course in self._courses
        )

    def builds(self) -> tuple[BuildTruth, ...]:
        """Which build each server ran; "" where its logs name none."""
        found: list[BuildTruth] = []
        for server in self.book.organisation.servers:
            for number, (since, build) in enumerate(server.builds):
                later = server.builds[number + 1 :]
                named = "" if server.generation.tracking_version else build
                until = later[0][0] if later else None
                found.append(BuildTruth(server.name, server.generation.name, named, since, until))
        return tuple(found)
