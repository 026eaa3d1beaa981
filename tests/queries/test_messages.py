"""What became of refused messages."""

from __future__ import annotations

from tests.queries.conftest import HYBRID, TENANT, Logs, refusal

ID = "<m1@contoso.com>"
TO = "ute@contoso.mail.onmicrosoft.com"


def tracking(logs: Logs, time: str, event: str, **cells: object) -> None:
    """A tracking row of the message ID on its way to the tenant."""
    defaults: dict[str, object] = {
        "event_id": event,
        "message_id": ID,
        "sender_address": "anna@contoso.com",
        "return_path": "anna@contoso.com",
        "recipient_address": TO,
        "connector_id": HYBRID,
    }
    if event in ("SEND", "SENDEXTERNAL"):
        defaults |= {"peer_name": TENANT, "destination_class": "exchange-online", "recipient_count": 1}
    logs.rows("message-tracking", time, **{**defaults, **cells})


def test_delayed_then_accepted(logs: Logs) -> None:
    tracking(logs, "09:59:59", "RECEIVE", connector_id="EX01\\Default")
    for time in ("10:00:00", "10:01:00", "10:06:00.5"):
        tracking(logs, time, "DEFER", **refusal("throttle", 5))
    tracking(logs, "10:11:30.25", "SENDEXTERNAL")
    assert logs.one(
        "select server, connector, sender, recipients, received, first_attempt, first_refused, last_refused, "
        "times_refused, minutes_per_hour, outcome, outcome_time, delay_seconds, waiting_seconds "
        "from delayed_messages"
    ) == {
        "server": "EX01",
        "connector": HYBRID,
        "sender": "anna@contoso.com",
        "recipients": TO,
        "received": "2026-11-20 09:59:59",
        "first_attempt": "2026-11-20 10:00:00",
        "first_refused": "2026-11-20 10:00:00",
        "last_refused": "2026-11-20 10:06:00",
        "times_refused": 3,
        "minutes_per_hour": 5,
        "outcome": "accepted",
        "outcome_time": "2026-11-20 10:11:30",
        "delay_seconds": 690.25,
        "waiting_seconds": None,
    }
    assert logs.ask("select * from bounced_messages") == []


def test_delay_counts_from_the_start_of_the_first_attempt(logs: Logs) -> None:
    cells = {"session": "s1", "connector_id": HYBRID}
    logs.rows("smtp-send", "10:00:00", event="*", message_id=ID, **cells)
    logs.rows("smtp-send", "10:00:01", event=">", verb="MAIL", data="MAIL FROM:<anna@contoso.com>", **cells)
    logs.rows("smtp-send", "10:00:01", event=">", verb="RCPT", data=f"RCPT TO:<{TO}>", **cells)
    logs.rows("smtp-send", "10:00:03", event="<", **{**cells, **refusal("throttle", 5)})
    logs.rows(
        "smtp-send",
        "10:05:01",
        event="<",
        session="s2",
        connector_id=HYBRID,
        reply_code=250,
        message_id=ID,
        reply_host="A.prod.outlook.com",
        data="250 2.6.0 <m1@contoso.com> [InternalId=1, Hostname=A.prod.outlook.com]",
    )
    assert logs.one("select outcome, delay_seconds from delayed_messages") == {
        "outcome": "accepted",
        "delay_seconds": 300.0,
    }


def test_acceptance_by_another_connector_inside_is_none(logs: Logs) -> None:
    tracking(logs, "10:00:00", "DEFER", **refusal("throttle", 5))
    tracking(
        logs,
        "10:01:00",
        "SEND",
        peer_name="ex02.contoso.local",
        destination_class=None,
        connector_id="Intra-Organization",
    )
    logs.rows("message-tracking", "11:00:00", event_id="RECEIVE", message_id="<later@contoso.com>")
    assert logs.one("select outcome, delay_seconds, waiting_seconds from delayed_messages") == {
        "outcome": "pending",
        "delay_seconds": None,
        "waiting_seconds": 3600.0,
    }


def test_delayed_then_bounced(logs: Logs) -> None:
    tracking(logs, "10:00:00", "DEFER", **refusal("throttle", 30))
    tracking(logs, "10:15:00", "FAIL", **refusal("block", 5))
    assert logs.one("select outcome, outcome_time, delay_seconds, times_refused from delayed_messages") == {
        "outcome": "bounced",
        "outcome_time": "2026-11-20 10:15:00",
        "delay_seconds": 900.0,
        "times_refused": 1,
    }
    assert logs.one("select times_delayed, minutes_per_hour from bounced_messages") == {
        "times_delayed": 1,
        "minutes_per_hour": 5,
    }


def test_expired_message_is_bounced_and_not_refused_again(logs: Logs) -> None:
    tracking(logs, "2026-11-18T10:00:00Z", "DEFER", **refusal("throttle", 5))
    expired = {
        **refusal("throttle", 5),
        "reply": "550 4.4.7 QUEUE.Expired; message expired, last: 450 4.7.230 ...",
    }
    tracking(logs, "2026-11-20T10:00:00Z", "FAIL", **expired)
    assert logs.one("select outcome, times_refused, delay_seconds from delayed_messages") == {
        "outcome": "bounced",
        "times_refused": 1,
        "delay_seconds": 172800.0,
    }


def test_blocked_with_dsn(logs: Logs) -> None:
    tracking(
        logs,
        "10:00:00",
        "FAIL",
        recipient_address=f"{TO};Karl@contoso.mail.onmicrosoft.com",
        **refusal("block", 10),
    )
    tracking(
        logs,
        "10:00:02",
        "DSN",
        message_id="<dsn@contoso.com>",
        reference=ID,
        recipient_address="anna@contoso.com",
        source_context="Failure",
        connector_id=None,
    )
    assert logs.one(
        "select sender, recipients, sender_told, dsn_time, accepted_later, what_to_do from bounced_messages"
    ) == {
        "sender": "anna@contoso.com",
        "recipients": f"karl@contoso.mail.onmicrosoft.com;{TO}",
        "sender_told": "yes",
        "dsn_time": "2026-11-20 10:00:02",
        "accepted_later": None,
        "what_to_do": "The sender was told; it must be sent again.",
    }
    assert logs.ask("select * from delayed_messages") == []


def test_delay_notice_tells_nobody_of_a_failure(logs: Logs) -> None:
    tracking(logs, "10:00:00", "FAIL", **refusal("block", 10))
    tracking(logs, "10:00:02", "DSN", message_id="<dsn@contoso.com>", reference=ID, source_context="Delay")
    assert logs.one("select sender_told from bounced_messages") == {"sender_told": "not seen in these logs"}


def test_blocked_message_of_the_null_sender(logs: Logs) -> None:
    tracking(logs, "10:00:00", "FAIL", sender_address=None, return_path="<>", **refusal("block", 10))
    assert logs.one("select sender, sender_told from bounced_messages") == {
        "sender": "<>",
        "sender_told": "no",
    }


def test_bounced_and_sent_again_under_the_same_id(logs: Logs) -> None:
    tracking(logs, "10:00:00", "FAIL", **refusal("block", 10))
    tracking(logs, "12:00:00", "SENDEXTERNAL", message_id="m1@contoso.com")
    assert logs.one("select accepted_later, what_to_do from bounced_messages") == {
        "accepted_later": "2026-11-20 12:00:00",
        "what_to_do": "Nothing: it was accepted later under the same id.",
    }


def test_refused_by_two_servers_is_one_message(logs: Logs) -> None:
    tracking(logs, "10:00:00", "DEFER", **refusal("throttle", 5))
    tracking(logs, "10:02:00", "DEFER", server="EX02", **refusal("throttle", 5))
    assert logs.one("select server, times_refused from delayed_messages") == {
        "server": "EX02",
        "times_refused": 2,
    }


def test_the_reply_is_the_refusal_itself_and_not_a_quotation(logs: Logs) -> None:
    words = refusal("block", 10)["reply"]
    tracking(logs, "10:00:00", "FAIL", **refusal("block", 10))
    quoted = {**refusal("block", 10), "reply": f"<{TO}>:<{words}>"}
    tracking(logs, "10:00:02", "DSN", message_id="<dsn@contoso.com>", reference=ID, **quoted)
    assert logs.one("select reply, times_refused from bounced_messages") == {
        "reply": words,
        "times_refused": 1,
    }


def test_two_recipients_refused_row_by_row_are_one_refusal_of_one_message(logs: Logs) -> None:
    for recipient in (TO, "karl@contoso.mail.onmicrosoft.com"):
        tracking(logs, "10:00:00", "FAIL", recipient_address=recipient, **refusal("block", 10))
    row = logs.one("select recipients, times_refused from bounced_messages")
    assert row == {"recipients": f"karl@contoso.mail.onmicrosoft.com;{TO}", "times_refused": 1}
