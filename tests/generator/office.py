"""Everyday mail of an invented office, and how a scenario becomes files and truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from tests.generator import quirks
from tests.generator.identifiers import Identifiers
from tests.generator.simulation import Simulation
from tests.generator.tree import LogFile
from tests.generator.truth import OrganisationTruth

SEED = 20261124
PEOPLE = (
    "ada.holm", "bruno.keller", "clara.voss", "dmitri.lang", "eva.sandoz", "fritz.amsel", "greta.olsen",
    "hugo.marten", "ines.falk", "jonas.wild", "karin.thoma", "lev.brandt", "mara.quist", "nils.ebert",
)  # fmt: skip
SUBJECTS = (
    "Quarterly figures", "Re: meeting on Thursday", "Delivery note 48213", "Offer, second version", "Minutes",
    "Holiday list", 'Order 77, "urgent"', "Prüfbericht März", "Lunch?", "Change of address", "Fwd: drawings",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Generated:
    """One organisation: the truth, and its files by path below the tree."""

    truth: OrganisationTruth
    files: dict[str, bytes]


def at(day: int, clock: str) -> datetime:
    """A time of November 2026: `at(24, "09:13:05")`."""
    hour, minute, second = (int(part) for part in clock.split(":"))
    return datetime(2026, 11, day, hour, minute, second, 140_000, tzinfo=UTC)


class Office:
    """Sends everyday mail of one server: people and subjects come from the organisation's own seed."""

    def __init__(self, simulation: Simulation, server: str) -> None:
        self._simulation = simulation
        self._server = server
        self._ids = Identifiers(f"office {server}")

    def person(self) -> str:
        """Address of somebody with a mailbox here."""
        return f"{self._ids.choice(PEOPLE)}@{self._simulation.book.organisation.domain}"

    def to_cloud(
        self,
        time: datetime,
        subject: str = "",
        recipients: int = 1,
        *,
        detail: bool = False,
        nested: bool = False,
    ) -> None:
        """To colleagues whose mailboxes are in Exchange Online."""
        organisation = self._simulation.book.organisation
        first = self._ids.below(len(PEOPLE))
        people = (PEOPLE[(first + 3 * n) % len(PEOPLE)] for n in range(recipients))
        self._simulation.mail(
            self._server,
            time,
            self.person(),
            tuple(organisation.cloud(person) for person in people),
            subject or self._ids.choice(SUBJECTS),
            detail=detail,
            nested=nested,
        )

    def to_outside(
        self, time: datetime, recipient: str, next_hop: str, subject: str = "", scripted: tuple[str, ...] = ()
    ) -> None:
        """To another company, by MX."""
        subject = subject or self._ids.choice(SUBJECTS)
        self._simulation.mail(
            self._server,
            time,
            self.person(),
            (recipient,),
            subject,
            route="internet",
            next_hop=next_hop,
            scripted=scripted,
        )

    def to_colleague(self, time: datetime, subject: str = "") -> None:
        """To a mailbox of the same server."""
        subject = subject or self._ids.choice(SUBJECTS)
        self._simulation.mail(self._server, time, self.person(), (self.person(),), subject, route="internal")


def finish(
    simulation: Simulation,
    until: datetime,
    stage: tuple[int | None, int, int],
    detected: datetime | None,
    changes: Callable[[list[LogFile]], quirks.Rendered] = quirks.plain,
) -> Generated:
    """Run the simulation; `stage` = (number, throttle, block), `changes` are made to its files."""
    simulation.run(until)
    organisation = simulation.book.organisation
    rendered = changes(simulation.book.tree.files())
    return Generated(
        OrganisationTruth(
            organisation=organisation.slug,
            display_name=organisation.display_name,
            stage=stage[0],
            throttle=stage[1],
            block=stage[2],
            first_detected=detected,
            clock_skew_seconds=tuple((s.name, s.skew) for s in organisation.servers),
            builds=simulation.builds(),
            messages=simulation.messages(),
            files=rendered.truth,
        ),
        rendered.files,
    )
