"""The six organisations of `sample_logs/`, all invented. Times are UTC, 2026-11-22 (a Sunday) to 11-24."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from tests.generator import quirks
from tests.generator.enforcement import FixedWindows, Retries
from tests.generator.lines import EXCHANGE_2010, EXCHANGE_2013, EXCHANGE_2016, EXCHANGE_2019, EXCHANGE_SE
from tests.generator.office import SEED, Generated, Office, at, finish
from tests.generator.organisation import Organisation, Server
from tests.generator.simulation import Simulation

SENTENCE = (
    "450 4.7.230 Connecting Exchange server version is out-of-date; connection to Exchange Online throttled "
    "for 5 mins/hr"
)
BUSY = "451 4.7.500 Server busy. Please try again later from [198.51.100.78]. (S77719)"
LIMITED = "451 4.7.650 The mail server [154.7.230.12] has been temporarily rate limited due to IP reputation."
TRIAL = (
    "550 5.7.232 Your message can't be sent because your trial tenant has exceeded its daily limit for "
    "sending email to external recipients (tenant external recipient rate limit)."
)
NOT_FROM_THIS_IP = (
    "550 5.7.708 Service unavailable. Access denied, traffic not accepted from this IP. For more information "
    "please go to https://go.microsoft.com/fwlink/?LinkId=526653"
)


def alderbrook(seed: int = SEED) -> Generated:
    """A clean Exchange SE server: everything is accepted; one subject and one address look like a refusal."""
    server = Server(
        "ALD-EX01",
        "10.20.1.11",
        EXCHANGE_SE,
        ((None, "15.2.2562.56"),),
        at(14, "02:10:00"),
        bom=True,
        keeps_inbound_proxy_log=True,
    )
    organisation = Organisation(
        "alderbrook",
        "Alderbrook Instruments",
        "alderbrook.example",
        "alderbrookexample",
        "Outbound to Office 365",
        (server,),
        "198.51.100.11",
        "203.0.113.5",
        inbound_proxy_connector="Interner Sendeconnector für eingehenden Proxy",
    )
    simulation = Simulation(organisation, seed)
    office = Office(simulation, server.name)
    for day, clock in ((23, "08:04:11"), (24, "09:01:30"), (24, "09:47:12")):
        office.to_cloud(at(day, clock), recipients=1 + day % 2, detail=clock in ("08:04:11", "09:01:30"))
    office.to_cloud(at(24, "09:20:00"), f"What does this mean: {SENTENCE}?")
    office.to_cloud(at(24, "09:20:01"), 'Re: order 77, "urgent", please')
    office.to_colleague(at(24, "09:33:00"))
    office.to_outside(at(24, "09:35:20"), "office@millpond.example", "mx1.millpond.example")
    for clock, client in (
        ("13:20:00", ("erp01.alderbrook.example", "10.20.4.40")),
        ("13:41:30", ("scanner", "154.7.230.12")),
    ):
        simulation.mail(
            server.name,
            at(23, clock),
            f"noreply@{organisation.domain}",
            (organisation.cloud("mara.quist"),),
            "Invoice run finished",
            client=client,
        )
    simulation.mail(
        server.name,
        at(24, "09:50:00"),
        f"ines.falk@{organisation.domain}",
        (organisation.cloud("hugo.marten"),),
        "Automatic reply: Minutes",
        null_sender=True,
    )
    return finish(
        simulation,
        at(24, "12:00:00"),
        (None, 0, 0),
        None,
        lambda files: quirks.with_connectivity_log(files, server.name, at(24, "09:01:30")),
    )


def birchwood(seed: int = SEED) -> Generated:
    """Exchange 2016 below the baseline, in stage 1: nothing is refused; one of two servers gets patched."""
    patched = at(23, "12:31:00")
    first = Server("BWEX1", "10.31.0.21", EXCHANGE_2016, ((None, "15.1.2507.59"),), at(2, "03:00:00"))
    second = Server(
        "BWEX2",
        "10.31.0.22",
        EXCHANGE_2016,
        ((None, "15.1.2507.59"), (patched, "15.1.2507.77")),
        at(2, "03:05:00"),
        version_folder=False,
    )
    organisation = Organisation(
        "birchwood",
        "Birchwood Savings",
        "birchwood.example",
        "birchwoodexample",
        "Outbound to Office 365 - b1c7d9e0-5a42-47f8-9e36-0d8a4417c2fb",
        (first, second),
        "198.51.100.31",
        "203.0.113.25",
    )
    simulation = Simulation(organisation, seed)
    for server, offset in ((first, 0), (second, 17)):
        office = Office(simulation, server.name)
        for day, clock in (
            (23, "12:02:20"),
            (23, "12:20:41"),
            (23, "12:38:09"),
            (24, "10:03:00"),
            (24, "10:03:01"),
            (24, "10:31:55"),
            (24, "14:10:10"),
        ):
            time = at(day, clock) + timedelta(seconds=offset)
            office.to_cloud(time, recipients=2 if clock == "12:20:41" else 1, detail=clock == "10:31:55")
        office.to_colleague(at(24, "10:40:00") + timedelta(seconds=offset))
    return finish(
        simulation,
        at(24, "18:00:00"),
        (1, 0, 0),
        at(5, "00:15:08"),
        lambda files: quirks.with_month_zip_and_iis(files, first.name, second.name),
    )


def cedarholt(seed: int = SEED) -> Generated:
    """Exchange 2019 throttled for 10 mins/hr, minutes 12 to 22 of each hour; one message waits at the end."""
    server = Server(
        "CHMAIL1",
        "10.44.8.5",
        EXCHANGE_2019,
        ((None, "15.2.1748.36"),),
        at(9, "01:30:00"),
        skew=2.4,
        enforcement=FixedWindows(10, 0, throttle_from=12),
    )
    organisation = Organisation(
        "cedarholt",
        "Cedarholt Logistics",
        "cedarholt.example",
        "cedarholtexample",
        "Outbound to Office 365 - 2ad4f7b8-0c61-4e9f-b3d5-71e8c60a9f24",
        (server,),
        "198.51.100.44",
        "203.0.113.44",
    )
    simulation = Simulation(organisation, seed)
    office = Office(simulation, server.name)
    for day, clock in (
        (22, "19:05:00"),
        (23, "08:20:30"),
        (23, "08:20:31"),
        (23, "13:13:25"),
        (24, "09:41:00"),
        (24, "13:21:10"),
        (24, "13:21:11"),
        (24, "16:14:20"),
    ):
        office.to_cloud(at(day, clock), recipients=2 if clock == "13:21:10" else 1)
    office.to_outside(at(23, "08:14:00"), "desk@millpond.example", "mx1.millpond.example")
    return finish(
        simulation,
        at(24, "16:16:40"),
        (3, 10, 0),
        at(10, "00:15:08") - timedelta(days=31),
        quirks.with_half_last_line,
    )


def dunmore(seed: int = SEED) -> Generated:
    """Exchange 2010 blocked for 60 mins/hr: every hand-over fails, and of one nobody is told."""
    server = Server(
        "DUN-HT1",
        "10.57.2.9",
        EXCHANGE_2010,
        ((None, ""),),
        at(1, "04:00:00"),
        bom=True,
        enforcement=FixedWindows(0, 60),
    )
    organisation = Organisation(
        "dunmore",
        "Dunmore Textiles",
        "dunmore.example",
        "dunmoreexample",
        "Outbound to Office 365",
        (server,),
        "198.51.100.57",
        "203.0.113.57",
        reply_link=False,
    )
    simulation = Simulation(organisation, seed)
    office = Office(simulation, server.name)
    for day, clock in (
        (22, "11:00:20"),
        (23, "08:30:00"),
        (23, "08:30:01"),
        (23, "15:40:03"),
        (24, "08:05:09"),
        (24, "08:05:10"),
        (24, "10:17:31"),
    ):
        office.to_cloud(
            at(day, clock), recipients=2 if clock == "10:17:31" else 1, detail=clock == "08:30:00"
        )
    for day, clock in ((23, "09:00:00"), (24, "15:02:10")):
        office.to_outside(at(day, clock), "orders@fernlea.example", "mail.fernlea.example")
    office.to_colleague(at(24, "09:20:00"))
    simulation.mail(
        server.name,
        at(24, "11:30:00"),
        f"lev.brandt@{organisation.domain}",
        (organisation.cloud("eva.sandoz"),),
        "Automatic reply: Holiday list",
        null_sender=True,
    )
    return finish(simulation, at(24, "18:00:00"), (8, 0, 60), at(14, "00:00:00") - timedelta(days=95))


def elmsford(seed: int = SEED) -> Generated:
    """Exchange 2013 behind its front end: throttled for 30 (minutes 20 to 50), blocked for 5 (50 to 55)."""
    server = Server(
        "ELM-MBX1",
        "10.66.3.14",
        EXCHANGE_2013,
        ((None, "15.0.1497.48"),),
        at(8, "02:45:00"),
        version_folder=False,
        culture="en-US",
        front_end_proxy=True,
        enforcement=FixedWindows(30, 5, throttle_from=20, block_from=50),
    )
    organisation = Organisation(
        "elmsford",
        "Elmsford Clinics",
        "elmsford.example",
        "elmsfordexample",
        "Outbound to Office 365",
        (server,),
        "198.51.100.66",
        "203.0.113.66",
        deferred_in_source_context=True,
        retries=Retries(message_interval=timedelta(minutes=15)),
    )
    simulation = Simulation(organisation, seed)
    office = Office(simulation, server.name)
    office.to_cloud(at(23, "09:05:00"), detail=True)
    office.to_cloud(at(23, "09:40:10"), recipients=2)
    office.to_cloud(at(23, "09:40:11"))
    office.to_cloud(at(23, "14:52:10"))
    office.to_cloud(at(23, "14:52:11"))
    office.to_cloud(at(24, "08:41:20"), nested=True)
    office.to_cloud(at(24, "08:56:19"))
    office.to_cloud(at(24, "13:36:00"))
    return finish(
        simulation,
        at(24, "15:00:00"),
        (5, 30, 5),
        at(20, "00:15:08") - timedelta(days=61),
        lambda files: quirks.with_gzip(files, "FrontEnd/ProtocolLog/SmtpSend/SEND2026112413-1.LOG"),
    )


def foxglove(seed: int = SEED) -> Generated:
    """Exchange 2019 with current updates: other refusals that look alike, none of the enforcement."""
    server = Server(
        "FOX-EX2",
        "10.78.0.4",
        EXCHANGE_2019,
        ((None, "15.2.1748.55"),),
        at(16, "22:10:00"),
        keeps_inbound_proxy_log=True,
    )
    organisation = Organisation(
        "foxglove",
        "Foxglove Media",
        "foxglove.example",
        "foxgloveexample",
        "Outbound to Office 365",
        (server,),
        "198.51.100.78",
        "203.0.113.78",
        inbound_proxy_connector="Внутренний соединитель отправки для вход. подкл. прокси-сервера",
        internet_connector="Internet (ausgehend) – Büro Köln",
        protocol_log_of_internet=True,
    )
    simulation = Simulation(organisation, seed)
    office = Office(simulation, server.name)
    office.to_cloud(at(23, "08:11:00"), detail=True)
    for clock, replies in (("09:10:00", (BUSY, BUSY)), ("11:40:00", (LIMITED,)), ("11:52:00", (TRIAL,))):
        simulation.mail(
            server.name,
            at(24, clock),
            office.person(),
            (organisation.cloud("greta.olsen"),),
            "Press kit",
            scripted=replies,
        )
    partner = ("info@harbourline.example", "harbourline-example.mail.protection.outlook.com")
    office.to_outside(at(23, "10:15:00"), *partner)
    office.to_outside(at(24, "09:30:00"), *partner, scripted=(BUSY,))
    press = ("press@quarrystone.example", "quarrystone-example.mail.protection.outlook.com")
    office.to_outside(at(24, "11:25:00"), *press, scripted=(NOT_FROM_THIS_IP,))
    office.to_outside(at(24, "11:58:00"), "desk@millpond.example", "mx1.millpond.example", SENTENCE)
    simulation.mail(
        server.name,
        at(23, "10:30:00"),
        f"cms@{organisation.domain}",
        (organisation.cloud("ada.holm"),),
        "New comment",
        client=("cms.foxglove.example", "10.78.5.80"),
    )
    return finish(simulation, at(24, "18:00:00"), (None, 0, 0), None, quirks.with_damaged_line)


SCENARIOS: tuple[Callable[[int], Generated], ...] = (
    alderbrook,
    birchwood,
    cedarholt,
    dunmore,
    elmsford,
    foxglove,
)
