"""Hosts on the other side, and what gives an Exchange server away."""

from __future__ import annotations

import pytest

from tests.queries.conftest import TENANT, Logs


def connected(logs: Logs, name: str, ip: str, *greeting: str, session: str = "s", **cells: object) -> None:
    """We connect to a host that says `greeting`."""
    cells = {"session": session, "remote_ip": ip, "local_ip": "10.0.0.1", **cells}
    logs.rows(
        "smtp-send", "10:00:00", event="<", data=f"220 {name} ESMTP", reply_code=220, peer_name=name, **cells
    )
    for line in greeting:
        logs.rows("smtp-send", "10:00:01", event="<", data=line, reply_code=250, **cells)


@pytest.mark.parametrize(
    ("greeting", "is_exchange", "generation"),
    [
        (["250-XEXCH50", "250-XRDST", "250 XSHADOW"], "yes", "2010"),
        (["250-XEXCH50", "250-XRDST", "250 XSHADOWREQUEST"], "yes", "2013 or later"),
        (
            ["250  mx Hello [10.0.0.1] SIZE X-ANONYMOUSTLS X-EXPS GSSAPI CHUNKING SMTPUTF8 XRDST"],
            "yes",
            "2019 or SE",
        ),
        (["250-X-ANONYMOUSTLS", "250 XRDST"], "likely", "2013 or later"),
        (["250-XEXCH50", "250 OK"], "likely", "2003 or 2007"),
        (["250-XEXCH50", "250 X-LINK2STATE"], "yes", "2000 or 2003"),
        (["250-PIPELINING", "250 SMTPUTF8"], "unknown", None),
        (
            ["250 2.6.0 <a@x> [InternalId=1, Hostname=ex.fabrikam.com] Queued mail for delivery"],
            "likely",
            "2013 or later",
        ),
        (["250 2.6.0 <a@x> [InternalId=1] Queued mail for delivery"], "likely", "2007 or 2010"),
        (["250 OK"], "unknown", None),
    ],
)
def test_fingerprint(logs: Logs, greeting: list[str], is_exchange: str, generation: str | None) -> None:
    connected(logs, "mx.fabrikam.com", "192.0.2.1", *greeting, peer_domain="fabrikam.com")
    peer = logs.one(
        "select peer, is_exchange, generation, build, domain, sending_organisation, own_server from peers"
    )
    assert peer == {
        "peer": "mx.fabrikam.com",
        "is_exchange": is_exchange,
        "generation": generation,
        "build": None,
        "domain": "fabrikam.com",
        "sending_organisation": "fabrikam.com",
        "own_server": False,
    }


def test_client_that_talks_like_an_exchange_server(logs: Logs) -> None:
    cells = {"session": "r", "remote_ip": "10.0.0.8", "local_ip": "10.0.0.1"}
    logs.rows(
        "smtp-receive",
        "10:00:00",
        event="<",
        verb="EHLO",
        ehlo_name="fe02.contoso.local",
        peer_name="fe02.contoso.local",
        **cells,
    )
    logs.rows("smtp-receive", "10:00:01", event="<", verb="XPROXYFROM", data="XPROXYFROM SID=08DA", **cells)
    logs.rows("smtp-receive", "10:00:02", event="*", tls_version="1.2", **cells)
    logs.rows("smtp-receive", "10:00:03", event=">", reply_code=250, message_id="<a@x>", **cells)
    assert logs.one(
        "select direction, peer, addresses, ehlo_names, sessions, messages, tls_versions, is_exchange, "
        "generation "
        "from peers"
    ) == {
        "direction": "connects to us",
        "peer": "fe02.contoso.local",
        "addresses": "10.0.0.8",
        "ehlo_names": "fe02.contoso.local",
        "sessions": 1,
        "messages": 1,
        "tls_versions": "1.2",
        "is_exchange": "yes",
        "generation": "2013 or later",
    }


def test_build_of_a_peer_only_by_its_own_tracking(logs: Logs) -> None:
    logs.rows("message-tracking", "09:00:00", server="EX02", event_id="RECEIVE", log_build="15.1.2507.61")
    logs.rows("smtp-receive", "09:00:00", server="EX02", session="own", event="+", local_ip="10.0.0.2")
    connected(logs, "ex02.contoso.local", "10.0.0.2", session="a")
    connected(logs, "ex02.fabrikam.com", "192.0.2.2", session="b", peer_domain="fabrikam.com")
    logs.rows(
        "message-tracking",
        "09:00:00",
        organisation="fabrikam",
        server="MX",
        event_id="RECEIVE",
        log_build="15.2.2562.56",
    )
    connected(logs, "mx.contoso.local", "192.0.2.3", session="c")
    assert logs.ask(
        "select peer, build, generation, build_evidence from peers where direction = 'we connect to it' "
        "order by peer"
    ) == [
        {
            "peer": "ex02.contoso.local",
            "build": "15.1.2507.61",
            "generation": None,
            "build_evidence": "tracking log of EX02 in this store",
        },
        {"peer": "ex02.fabrikam.com", "build": None, "generation": None, "build_evidence": None},
        {"peer": "mx.contoso.local", "build": None, "generation": None, "build_evidence": None},
    ]


def test_exchange_online_is_one_peer_and_messages_count_once(logs: Logs) -> None:
    for number in (1, 2):
        connected(
            logs,
            f"A{number}.prod.outlook.com",
            f"192.0.2.{number}",
            session=f"s{number}",
            peer_domain="outlook.com",
            destination_class="exchange-online",
        )
    logs.rows(
        "message-tracking",
        "10:00:00",
        event_id="SENDEXTERNAL",
        peer_name=TENANT,
        destination_class="exchange-online",
        server_ip="192.0.2.1",
    )
    assert logs.one("select peer, sessions, messages, address_count, is_exchange, generation from peers") == {
        "peer": "Exchange Online",
        "sessions": 2,
        "messages": 1,
        "address_count": 2,
        "is_exchange": "yes",
        "generation": "Exchange Online",
    }


def test_bare_names_are_claims_so_the_address_is_the_peer(logs: Logs) -> None:
    for ip in ("192.0.2.5", "192.0.2.6"):
        logs.rows(
            "smtp-receive", "10:00:00", session=ip, event="<", verb="EHLO", peer_name="ylmf-pc", remote_ip=ip
        )
    logs.rows("smtp-receive", "10:00:00", session="probe", event="+", remote_ip="127.0.0.1")
    assert logs.ask("select peer, local_probe from peers order by peer") == [
        {"peer": "127.0.0.1", "local_probe": True},
        {"peer": "192.0.2.5", "local_probe": False},
        {"peer": "192.0.2.6", "local_probe": False},
    ]


def test_domain_of_another_organisation_in_the_store(logs: Logs) -> None:
    logs.add("organisation_domains", "fabrikam", "fabrikam.com")
    connected(logs, "mx.fabrikam.com", "192.0.2.1", peer_domain="fabrikam.com")
    assert logs.one("select sending_organisation from peers") == {"sending_organisation": "fabrikam"}


def test_a_front_end_lends_exchange_online_no_address(logs: Logs) -> None:
    logs.rows("smtp-receive", "09:00:00", server="FE01", session="own", event="+", local_ip="10.0.0.9")
    logs.rows(
        "message-tracking",
        "10:00:00",
        event_id="SEND",
        peer_name=TENANT,
        destination_class="exchange-online",
        server_ip="10.0.0.9",
    )
    assert logs.one("select addresses, address_count from peers where peer = 'Exchange Online'") == {
        "addresses": None,
        "address_count": 0,
    }


OF_2010 = ("250-XEXCH50", "250-XRDST", "250 XSHADOW")
OF_2019 = ("250-X-ANONYMOUSTLS", "250-XRDST", "250 SMTPUTF8")


def greeted(logs: Logs, day: int, *greeting: str, name: str = "mx.fabrikam.com") -> None:
    """A session of a day in November."""
    cells = {"session": f"s{day}{name}", "remote_ip": "192.0.2.1", "local_ip": "10.0.0.1"}
    logs.rows(
        "smtp-send",
        f"2026-11-{day:02}T10:00:00Z",
        event="<",
        data=f"220 {name} ESMTP",
        reply_code=220,
        peer_name=name,
        **cells,
    )
    for line in greeting:
        logs.rows("smtp-send", f"2026-11-{day:02}T10:00:01Z", event="<", data=line, reply_code=250, **cells)


def test_an_updated_host_is_of_its_newest_generation(logs: Logs) -> None:
    for day in (1, 2):
        greeted(logs, day, *OF_2010)
    for day in (3, 4):
        greeted(logs, day, *OF_2019)
    greeted(logs, 5, "250 OK")
    peer = logs.one("select * from peers")
    assert (peer["generation"], peer["earlier_generation"], peer["generation_since"], peer["sessions"]) == (
        "2019 or SE",
        "2010",
        "2026-11-03 10:00:00",
        5,
    )
    assert "2010 (strong)" not in str(peer["signals"])
    assert "more than one host" not in str(peer["signals"])


def test_two_hosts_under_one_name(logs: Logs) -> None:
    for day, greeting in enumerate((OF_2010, OF_2019, OF_2010, OF_2019), start=1):
        greeted(logs, day, *greeting)
    peer = logs.one("select generation, earlier_generation, signals from peers")
    assert (peer["generation"], peer["earlier_generation"]) == ("2019 or SE", "2010")
    assert str(peer["signals"]).startswith("answers as 2010 too: more than one host has this name; ")


def test_less_telling_sessions_change_no_generation(logs: Logs) -> None:
    greeted(logs, 1, *OF_2019)
    greeted(logs, 2, "250 2.6.0 <a@x> [InternalId=1, Hostname=mx.fabrikam.com] Queued mail for delivery")
    greeted(logs, 3, "250 X-EXPS")
    assert logs.one("select generation, earlier_generation, generation_since from peers") == {
        "generation": "2019 or SE",
        "earlier_generation": None,
        "generation_since": None,
    }
