"""What every part of a simulation needs: ids, the tree of logs, and how each server writes."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.generator.identifiers import Identifiers
from tests.generator.lines import padded
from tests.generator.message import Tracking, Writer
from tests.generator.organisation import Organisation, Server
from tests.generator.session import OnlineHost, Rows, Sender
from tests.generator.tree import FRONTEND_RECEIVE, FRONTEND_SEND, LogTree, Place


class Logbook:
    """The logs of one organisation while they are being written."""

    def __init__(self, organisation: Organisation, seed: int) -> None:
        self.organisation = organisation
        self.ids = Identifiers(f"{seed} {organisation.slug}")
        self.servers = {server.name: server for server in organisation.servers}
        self.tree = LogTree(organisation.slug, self._version)
        for server in organisation.servers:
            self.tree.server(
                server.name, server.generation, version_folder=server.version_folder, bom=server.bom
            )

    def _version(self, name: str, time: datetime) -> str:
        server = self.servers[name]
        return server.generation.tracking_version or padded(server.build(time))

    def fqdn(self, server: Server) -> str:
        """Host name with domain."""
        return f"{server.name}.{self.organisation.forest}"

    def writer(self, server: Server, time: datetime) -> Writer:
        """The server as a writer of tracking rows at a time of its clock."""
        build = server.build(time) if "schema-version" in server.generation.tracking_fields else ""
        return Writer(
            server.name, self.fqdn(server), server.ip, self.organisation.forest, server.generation, build
        )

    def tracking(self, server: Server) -> Tracking:
        """Maker of the server's tracking lines."""
        return Tracking(self.ids, server.culture)

    def session_id(self, server: Server, service: str) -> str:
        """The next session of one of its services."""
        return self.ids.session_id(f"{server.name} {service}", server.started)

    def rows(self, server: Server, place: Place, connector: str, remote: str) -> Rows:
        """A new session in one of the server's protocol logs."""

        def emit(time: datetime, text: str) -> None:
            self.tree.add(server.name, place, time, text)

        service = "frontend" if place in (FRONTEND_RECEIVE, FRONTEND_SEND) else "hub"
        skew = timedelta(seconds=server.skew)
        return Rows(emit, skew, connector, self.session_id(server, service), remote)

    def sender(self, server: Server) -> Sender:
        """The server as it shows itself in a Send session."""
        organisation = self.organisation
        name = f"mail.{organisation.domain}"
        serial, thumbprint = "3B41C07A6E5D", "9C1E77A0B4D2F35886E1C0A94B7D3F6E52A81C30"
        return Sender(
            ehlo=name,
            local_ip=server.ip,
            public_ip=organisation.public_ip,
            certificate=f" CN={name} CN=Fictitious CA 3, O=Let's Pretend, C=US {serial} {thumbprint} "
            f"2026-01-12T00:00:00.000Z 2027-01-12T23:59:59.000Z {name}",
            joined_ehlo=server.generation.joined_ehlo,
            split_certificate=not server.generation.joined_ehlo,
        )

    def online_host(self) -> OnlineHost:
        """Some front door of Exchange Online and some mailbox server behind it."""
        site = self.ids.choice(("DB5", "AM4", "VI1"))
        name = f"{site}PEPF000{self.ids.hexadecimal(5).upper()}"
        number = self.ids.between(2, 7)
        return OnlineHost(
            banner=f"{name}.mail.protection.outlook.com",
            internal=f"{name}.eurprd0{number}.prod.outlook.com",
            ip=self.organisation.online_ip,
            mailbox=f"DU2PR0{number}MB{self.ids.between(1000, 9999)}.eurprd0{number}.prod.outlook.com",
        )
