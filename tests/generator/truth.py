"""What truly happened in generated logs, to compare reports against without any parser."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from tests.generator.message import Route

Outcome = Literal["accepted", "bounced", "pending"]


@dataclass(frozen=True, slots=True)
class RefusalTruth:
    """One refusal of one message. `time` is that of the reply in the Send log, on the server's clock.

    `action` is throttle or block, or `other` for a refusal that is none of the enforcement. `stands_in` names
    every log that holds the reply; `seen_by_hub` is the reply in the hub's logs and in
    tracking, where a front end may have wrapped it. `true_time` is UTC without the server's clock error.
    """

    time: datetime
    true_time: datetime
    action: Literal["throttle", "block", "other"]
    minutes: int | None
    reply: str
    seen_by_hub: str
    online_host: str
    session_id: str
    stands_in: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MessageTruth:
    """One message that left, or was to leave, the server.

    Times are on the server's clock: `received` by transport, `first_offered` to the next hop, `settled` when
    it was accepted or bounced (None while pending). `in_scope` = handed over by the hybrid connector.
    `dsn_id` is the message-id of the report to the sender, None if nobody was told.
    """

    organisation: str
    server: str
    message_id: str
    network_message_id: str
    sender: str
    return_path: str
    recipients: tuple[str, ...]
    route: Route
    connector: str
    next_hop: str
    in_scope: bool
    received: datetime
    first_offered: datetime | None
    refusals: tuple[RefusalTruth, ...]
    outcome: Outcome
    settled: datetime | None
    dsn_id: str | None

    @property
    def throttled(self) -> int:
        """How often a throttle refused it."""
        return sum(1 for refusal in self.refusals if refusal.action == "throttle")

    @property
    def blocked(self) -> bool:
        """Whether a block refused it for good."""
        return any(refusal.action == "block" for refusal in self.refusals)

    @property
    def delay_seconds(self) -> float | None:
        """Seconds from the first refusal to acceptance or bounce; None if never refused or still pending."""
        if not self.refusals or self.settled is None:
            return None
        return (self.settled - self.refusals[0].time).total_seconds()


@dataclass(frozen=True, slots=True)
class FileTruth:
    """What one log holds: lines of each kind.

    `path` has `/`; a member of a zip is `archive.zip!member`; `log_type` is that of the header, "" = not an
    Exchange log.
    """

    path: str
    server: str
    log_type: str
    header: int
    rows: int
    damaged: int
    unfinished: int

    @property
    def lines(self) -> int:
        """Physical lines, an unfinished last one included."""
        return self.header + self.rows + self.damaged + self.unfinished


@dataclass(frozen=True, slots=True)
class BuildTruth:
    """A server ran `build` in [since, until), None = without end; "" = its logs name no build."""

    server: str
    generation: str
    build: str
    since: datetime | None
    until: datetime | None


@dataclass(frozen=True, slots=True)
class OrganisationTruth:
    """Everything about one organisation; `throttle`/`block` are the minutes per hour of its stage."""

    organisation: str
    display_name: str
    stage: int | None
    throttle: int
    block: int
    first_detected: datetime | None
    clock_skew_seconds: tuple[tuple[str, float], ...]
    builds: tuple[BuildTruth, ...]
    messages: tuple[MessageTruth, ...]
    files: tuple[FileTruth, ...]

    @property
    def handed_over(self) -> tuple[MessageTruth, ...]:
        """Messages offered to the own tenant by the hybrid connector, whatever became of them."""
        return tuple(message for message in self.messages if message.in_scope)

    @property
    def accepted(self) -> tuple[MessageTruth, ...]:
        """Those of `handed_over` that were accepted."""
        return tuple(message for message in self.handed_over if message.outcome == "accepted")

    @property
    def delayed(self) -> tuple[MessageTruth, ...]:
        """Messages that a throttle refused at least once, whatever became of them."""
        return tuple(message for message in self.messages if message.throttled)

    @property
    def bounced(self) -> tuple[MessageTruth, ...]:
        """Messages that a block refused for good."""
        return tuple(message for message in self.messages if message.blocked)

    @property
    def pending(self) -> tuple[MessageTruth, ...]:
        """Throttled messages that were still in the queue when the logs end."""
        return tuple(message for message in self.delayed if message.outcome == "pending")

    @property
    def other_refused(self) -> tuple[MessageTruth, ...]:
        """Messages refused for a reason that is none of the enforcement."""
        return tuple(m for m in self.messages if any(r.action == "other" for r in m.refusals))

    @property
    def refusals(self) -> int:
        """Refusals of the enforcement, each counted once however many logs it stands in."""
        return sum(1 for m in self.messages for refusal in m.refusals if refusal.action != "other")

    @property
    def undelivered_in_silence(self) -> tuple[MessageTruth, ...]:
        """Bounced messages whose sender nobody tells."""
        return tuple(message for message in self.bounced if message.dsn_id is None)
