"""An invented organisation and its servers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from tests.generator.enforcement import Enforcement, NoEnforcement, Retries
from tests.generator.lines import Generation


@dataclass(frozen=True, slots=True)
class Server:
    """A server and how it logs. `builds` are (since, build), the first since None; `skew` is in seconds."""

    name: str
    ip: str
    generation: Generation
    builds: tuple[tuple[datetime | None, str], ...]
    started: datetime
    version_folder: bool = True
    bom: bool = False
    skew: float = 0.0
    culture: str = "de-DE"
    front_end_proxy: bool = False
    keeps_inbound_proxy_log: bool = False
    enforcement: Enforcement = field(default_factory=NoEnforcement)

    def build(self, time: datetime) -> str:
        """The build at `time`; "" where no log of its generation names one."""
        found = ""
        for since, build in self.builds:
            if since is None or time >= since:
                found = build
        return found


@dataclass(frozen=True, slots=True)
class Organisation:
    """An invented organisation. `deferred_in_source_context`: the reply of a DEFER stands
    there, not in recipient-status."""

    slug: str
    display_name: str
    domain: str
    tenant: str
    connector: str
    servers: tuple[Server, ...]
    public_ip: str
    online_ip: str
    inbound_proxy_connector: str = "Inbound Proxy Internal Send Connector"
    internet_connector: str = "Internet"
    protocol_log_of_internet: bool = False
    reply_link: bool = True
    reply_bracket: bool = True
    deferred_in_source_context: bool = False
    retries: Retries = field(default_factory=Retries)

    @property
    def forest(self) -> str:
        """Name of the Active Directory forest, which is that of the servers' host names."""
        return f"ad.{self.domain}"

    @property
    def online_hop(self) -> str:
        """Next hop of the hybrid connector."""
        return f"{self.tenant}-mail-onmicrosoft-com.mail.protection.outlook.com"

    def cloud(self, user: str) -> str:
        """Routing address of a user whose mailbox is in Exchange Online."""
        return f"{user}@{self.tenant}.mail.onmicrosoft.com"
