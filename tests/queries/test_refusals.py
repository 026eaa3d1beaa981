"""What is one refusal, and what is none."""

from __future__ import annotations

import pytest

from tests.queries.conftest import BRACKET, HYBRID, TENANT, Logs, refusal

ID = "<m1@contoso.com>"


def send_session(
    logs: Logs, session: str, messages: list[tuple[str, str, dict[str, object]]], **cells: object
) -> None:
    """A session of a hub's Send log: (time of the reply, message id, cells of the reply) a message."""
    logs.rows("smtp-send", messages[0][0], session=session, event="+", **cells)
    for time, message_id, reply in messages:
        sender = f"{message_id[1:3]}@contoso.com"
        logs.rows(
            "smtp-send",
            time,
            session=session,
            event="*",
            message_id=message_id,
            context="sending message",
            **cells,
        )
        logs.rows(
            "smtp-send",
            time,
            session=session,
            event=">",
            verb="MAIL",
            data=f"MAIL FROM:<{sender}> SIZE=0",
            **cells,
        )
        logs.rows(
            "smtp-send",
            time,
            session=session,
            event=">",
            verb="RCPT",
            data="RCPT TO:<ute@contoso.mail.onmicrosoft.com>",
            **cells,
        )
        logs.rows("smtp-send", time, session=session, event="<", **{**cells, **reply})


def four_logs(logs: Logs) -> None:
    """One refusal as a front end that relays leaves it: hub Send, front-end Receive and Send, tracking."""
    bracket = {"reply_host": "CH3PEPF0016.namprd21.prod.outlook.com", "peer_time": "2026-11-20T10:00:00.100Z"}
    reply = {**refusal("block", 20), **bracket}
    reply["reply"] = f"{reply['reply']} {BRACKET}"
    send_session(
        logs,
        "08DA01",
        [("10:00:00.300", ID, reply)],
        server="EX01.contoso.local",
        log_service="hub",
        connector_id=HYBRID,
    )
    for kind, session, direction, event in (
        ("smtp-receive", "08DB01", "<", ">"),
        ("smtp-send", "08DB02", ">", "<"),
    ):
        cells = {
            "server": "FE01",
            "log_service": "frontend",
            "session": session,
            "connector_id": "FE01\\Outbound Proxy",
        }
        if kind == "smtp-receive":
            logs.rows(kind, "09:59:59", event="<", verb="EHLO", ehlo_name="ex01.contoso.local", **cells)
        logs.rows(kind, "10:00:00", event=direction, verb="MAIL", data="MAIL FROM:<m1@contoso.com>", **cells)
        logs.rows(
            kind,
            "10:00:00",
            event=direction,
            verb="RCPT",
            data="RCPT TO:<ute@contoso.mail.onmicrosoft.com>",
            **cells,
        )
        logs.rows(kind, "10:00:00.200", event=event, **{**cells, **reply})
    logs.rows(
        "message-tracking",
        "10:00:01",
        event_id="FAIL",
        message_id=ID,
        sender_address="m1@contoso.com",
        return_path="m1@contoso.com",
        recipient_address="ute@contoso.mail.onmicrosoft.com",
        connector_id=HYBRID,
        peer_name=TENANT,
        destination_class="exchange-online",
        network_message_id="n-1",
        **reply,
    )


def test_one_refusal_in_four_logs_is_one(logs: Logs) -> None:
    four_logs(logs)
    lines = logs.ask("select * from refusals order by time, log_kind")
    assert len(lines) == 4
    assert {line["refusal_key"] for line in lines} == {"contoso m1@contoso.com block 1"}
    assert {line["message_id"] for line in lines} == {ID}
    assert {line["handed_over_by"] for line in lines} == {"EX01"}
    assert {line["server"] for line in lines} == {"EX01", "FE01"}
    event = logs.one("select * from refusal_events")
    assert event["lines"] == 4
    assert event["log_kinds"] == "message-tracking, smtp-receive, smtp-send"
    assert (event["time"], event["connector"], event["minutes_per_hour"]) == (
        "2026-11-20 10:00:00",
        HYBRID,
        20,
    )


def test_dsn_that_quotes_a_refusal_joins_it(logs: Logs) -> None:
    four_logs(logs)
    logs.rows(
        "message-tracking",
        "10:05:00",
        event_id="DSN",
        message_id="<dsn@contoso.com>",
        reference=ID,
        recipient_address="m1@contoso.com",
        source_context="Failure",
        **refusal("block", 20),
    )
    assert logs.one("select count(distinct refusal_key) as refusals, count(*) as lines from refusals") == {
        "refusals": 1,
        "lines": 5,
    }
    assert logs.one("select message_id, flags from refusals where event = 'DSN'") == {
        "message_id": ID,
        "flags": "quotes an older reply",
    }


def test_tries_a_minute_apart_are_several_refusals(logs: Logs) -> None:
    logs.rows(
        "message-tracking",
        "10:00:00",
        "10:01:00",
        "10:02:00",
        "10:03:00",
        "10:08:00",
        event_id="DEFER",
        message_id=ID,
        return_path="m1@contoso.com",
        **refusal("throttle", 5),
    )
    for time in ("10:00:00", "10:01:00", "10:02:00", "10:03:00", "10:08:00"):
        send_session(logs, f"08DA{time}", [(time, ID, refusal("throttle", 5))])
    assert logs.one("select count(*) as refusals, sum(lines) as lines from refusal_events") == {
        "refusals": 5,
        "lines": 10,
    }


def test_session_with_two_messages_one_refused(logs: Logs) -> None:
    accepted = {
        "reply": "250 2.6.0 <m1@contoso.com> [InternalId=1, Hostname=A.prod.outlook.com]",
        "reply_code": 250,
        "enhanced_code": "2.6.0",
        "message_id": ID,
        "reply_host": "A.prod.outlook.com",
    }
    send_session(
        logs,
        "08DA01",
        [("10:00:00", ID, accepted), ("10:00:01", "<m2@contoso.com>", refusal("throttle", 10))],
    )
    line = logs.one("select * from refusals")
    assert (line["message_id"], line["sender"]) == ("<m2@contoso.com>", "m2@contoso.com")
    assert line["recipients"] == "ute@contoso.mail.onmicrosoft.com"


def test_two_messages_without_id_in_one_session_are_two(logs: Logs) -> None:
    for time in ("10:00:00", "10:00:01"):
        logs.rows(
            "smtp-send", time, session="08DA01", event=">", verb="MAIL", data="MAIL FROM:<a@contoso.com>"
        )
        logs.rows(
            "smtp-send",
            time,
            session="08DA01",
            event=">",
            verb="RCPT",
            data="RCPT TO:<b@contoso.mail.onmicrosoft.com>",
        )
        logs.rows("smtp-send", time, session="08DA01", event="<", **refusal("throttle", 5))
    assert len(logs.ask("select * from refusal_events")) == 2


@pytest.mark.parametrize("cell", ["message_subject", "recipient_address", "client_ip", "message_info"])
def test_only_what_the_parser_calls_a_refusal_is_one(logs: Logs, cell: str) -> None:
    text = "450 4.7.230 Connecting Exchange server version is out-of-date; throttled for 5 mins/hr 4.7.230.9"
    logs.rows("message-tracking", "10:00:00", event_id="SEND", message_id=ID, **{cell: text})
    logs.rows(
        "smtp-send", "10:00:00", session="s", event=">", verb="MAIL", data="MAIL FROM:<4.7.230@contoso.com>"
    )
    assert logs.ask("select * from refusals") == []
    assert logs.ask("select * from refused_messages") == []


def test_names_are_joined_in_one_organisation_only(logs: Logs) -> None:
    for organisation in ("contoso", "fabrikam"):
        logs.rows(
            "message-tracking",
            "10:00:00",
            organisation=organisation,
            event_id="DEFER",
            message_id="<same@id>",
            session_id="08DA01",
            **refusal("throttle", 5),
        )
    logs.rows(
        "smtp-send", "10:00:00", organisation="fabrikam", session="08DA01", event="*", message_id="<other@id>"
    )
    logs.rows(
        "smtp-send", "10:00:01", organisation="contoso", session="08DA01", event="<", **refusal("throttle", 5)
    )
    assert len(logs.ask("select * from refusal_events where message_key = 'same@id'")) == 2
    assert logs.one("select message_id from refusals where log_kind = 'smtp-send'") == {"message_id": None}


def test_send_log_without_server_is_found_by_its_address(logs: Logs) -> None:
    logs.rows(
        "smtp-receive", "09:00:00", server="EX02.contoso.local", session="r", event="+", local_ip="10.0.0.2"
    )
    logs.rows("message-tracking", "09:00:00", event_id="SEND", client_ip="10.0.0.3", server="EX03")
    for number, ip in enumerate(("10.0.0.2", "10.0.0.3", "10.0.0.9")):
        cells = {"server": None, "local_ip": ip, "session": f"s{number}", "source_id": "flat"}
        logs.rows("smtp-send", "10:00:00", event="*", message_id=f"<{number}@contoso.com>", **cells)
        logs.rows("smtp-send", "10:00:00", event="<", **{**cells, **refusal("throttle", 5)})
    assert logs.ask("select server, handed_over_by, flags from refusals order by message_id") == [
        {"server": "EX02", "handed_over_by": "EX02", "flags": "server found by its local address"},
        {"server": "EX03", "handed_over_by": "EX03", "flags": "server found by its local address"},
        {"server": None, "handed_over_by": None, "flags": "the log names no server"},
    ]


def test_an_address_of_two_servers_tells_nothing(logs: Logs) -> None:
    for server in ("EX01", "EX02"):
        logs.rows("smtp-receive", "09:00:00", server=server, session="r", event="+", local_ip="10.0.0.2")
    logs.rows(
        "smtp-send",
        "10:00:00",
        server=None,
        session="s",
        event="<",
        local_ip="10.0.0.2",
        **refusal("throttle", 5),
    )
    assert logs.one("select server from refusals") == {"server": None}


def test_code_without_words_counts_only_on_the_way_to_exchange_online(logs: Logs) -> None:
    bare = {
        "reply": "550 5.7.230",
        "reply_code": 550,
        "enhanced_code": "5.7.230",
        "enforcement_action": "unknown",
    }
    logs.rows(
        "message-tracking",
        "10:00:00",
        event_id="FAIL",
        message_id="<a@x>",
        peer_name="mx.fabrikam.com",
        **bare,
    )
    logs.rows(
        "message-tracking",
        "10:00:00",
        event_id="FAIL",
        message_id="<b@x>",
        peer_name=TENANT,
        destination_class="exchange-online",
        **bare,
    )
    assert logs.one("select message_id, action, minutes_per_hour, flags from refusals") == {
        "message_id": "<b@x>",
        "action": "block",
        "minutes_per_hour": None,
        "flags": "code without the words",
    }


def test_code_and_words_that_disagree_are_kept_as_read(logs: Logs) -> None:
    odd = {**refusal("block", 20), "reply_code": 450, "enhanced_code": "4.7.230"}
    logs.rows("message-tracking", "10:00:00", event_id="DEFER", message_id=ID, **odd)
    assert logs.one("select action, permanent, flags from refusals") == {
        "action": "block",
        "permanent": False,
        "flags": "code and words disagree",
    }
