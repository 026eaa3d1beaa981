"""Other refusals, by name."""

from __future__ import annotations

import pytest

from tests.queries.conftest import HYBRID, Logs, refusal

IP_THROTTLING = "IP throttling of the sending address by Exchange Online: same symptom as TBES"
ONMICROSOFT_LIMIT = (
    "limit for senders with an onmicrosoft.com domain: 100 external recipients in 24 h and organisation "
    "(wording not public)"
)


def replied(logs: Logs, code: str, words: str, **cells: object) -> None:
    """A reply in a Send log."""
    logs.rows(
        "smtp-send",
        "10:00:00",
        session="s",
        event="<",
        connector_id=HYBRID,
        reply=f"451 {code} {words}",
        enhanced_code=code,
        **cells,
    )


@pytest.mark.parametrize(
    ("code", "words", "meaning"),
    [
        ("4.7.500", "Server busy. Please try again later from [192.0.2.1].", IP_THROTTLING),
        ("4.7.650", "Access denied, please try again later (AS780090)", IP_THROTTLING),
        ("5.7.708", "Access denied, traffic not accepted from this IP", "traffic from this IP not accepted"),
        ("5.7.236", "any words", ONMICROSOFT_LIMIT),
        (
            "5.7.513",
            "[192.0.2.1] blocked by x.com using Customer Block list",
            "recipient blocks the sending IP",
        ),
        ("5.7.3", "STARTTLS is required to send mail", "TLS not offered or chain broken"),
        ("4.7.500", "Server busy", IP_THROTTLING + " (by its code alone: the words differ)"),
        (
            "5.7.708",
            "Something else",
            "traffic from this IP not accepted (by its code alone: the words differ)",
        ),
    ],
)
def test_named(logs: Logs, code: str, words: str, meaning: str) -> None:
    replied(logs, code, words)
    assert logs.one("select meaning, enhanced_code, lines from look_alikes") == {
        "meaning": meaning,
        "enhanced_code": code,
        "lines": 1,
    }


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("5.7.5", "Access denied, banned sender"),
        ("5.7.1", "Something else"),
        ("5.5.2", "Command unrecognized"),
    ],
)
def test_a_code_is_no_prefix_and_words_must_agree(logs: Logs, code: str, words: str) -> None:
    replied(logs, code, words)
    assert logs.ask("select * from look_alikes") == []


def test_enforcement_itself_is_none(logs: Logs) -> None:
    replied(logs, "4.7.230", "x")
    logs.rows("message-tracking", "10:00:00", event_id="DEFER", message_id="<a@x>", **refusal("throttle", 5))
    assert logs.ask("select * from look_alikes") == []


def test_the_session_tells_whether_exchange_online_said_it(logs: Logs) -> None:
    logs.rows(
        "smtp-send",
        "09:59:59",
        session="s",
        event="<",
        data="220 A.prod.outlook.com",
        destination_class="exchange-online",
    )
    replied(logs, "4.7.500", "Server busy. Please try again later")
    logs.rows(
        "smtp-receive",
        "10:00:00",
        session="s",
        event=">",
        reply="535 5.7.3 Authentication unsuccessful",
        enhanced_code="5.7.3",
    )
    assert logs.ask("select log_kind, from_exchange_online, server from look_alikes order by log_kind") == [
        {"log_kind": "smtp-receive", "from_exchange_online": False, "server": "EX01"},
        {"log_kind": "smtp-send", "from_exchange_online": True, "server": "EX01"},
    ]


def test_one_finding_whatever_the_words(logs: Logs) -> None:
    online = {"destination_class": "exchange-online", "reply_host": "A.prod.outlook.com"}
    for words in ("Server busy. Please try again later", "Server busy"):
        logs.rows(
            "message-tracking",
            "10:00:00",
            event_id="DEFER",
            reply=f"451 4.7.500 {words}",
            enhanced_code="4.7.500",
            **online,
        )
    finding = logs.one("select finding, degree from findings where finding_key like '%/other-refusal/%'")
    assert finding == {
        "finding": f"Exchange Online refused mail for another reason, 4.7.500: {IP_THROTTLING}.",
        "degree": 2,
    }


def test_messages_and_lines_are_counted(logs: Logs) -> None:
    for message, times in (("<a@x>", ("10:00:00", "10:01:00", "10:02:00")), ("<b@x>", ("10:03:00",))):
        logs.rows(
            "message-tracking",
            *times,
            event_id="DEFER",
            message_id=message,
            reply="451 4.7.500 Server busy. Please try again later",
            enhanced_code="4.7.500",
        )
    replied(logs, "4.7.500", "Server busy. Please try again later")
    assert logs.ask("select log_kind, lines, messages from look_alikes order by log_kind") == [
        {"log_kind": "message-tracking", "lines": 4, "messages": 2},
        {"log_kind": "smtp-send", "lines": 1, "messages": None},
    ]
