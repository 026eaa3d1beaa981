"""Late hand-overs in a pattern of minutes, where nothing quotes a refusal."""

from __future__ import annotations

from typing import Any

import pytest

from tests.queries.conftest import HYBRID, TENANT, Logs, refusal


def handed_over(logs: Logs, came: str, latency: float, connector: str = HYBRID, **cells: object) -> None:
    """A message that came at HH:MM of 2026-11-20 and was handed over `latency` seconds later."""
    hour, minute = map(int, came.split(":"))
    total = hour * 3600 + minute * 60 + 30 + int(latency)
    logs.rows(
        "message-tracking",
        f"{total // 3600:02d}:{total // 60 % 60:02d}:{total % 60:02d}",
        event_id="SENDEXTERNAL",
        connector_id=connector,
        peer_name=TENANT,
        destination_class="exchange-online",
        message_id=f"<{came} {latency}@contoso.example>",
        sender_address="anna@contoso.example",
        recipient_count=1,
        e2e_latency=latency,
        **cells,
    )


def throttled_day(
    logs: Logs, *, late: int = 10, hours: tuple[int, ...] = (7, 8, 9, 10, 11), **cells: Any
) -> None:
    """Each hour one message every five minutes; those of minutes 20 and 25 wait ten minutes, `late` of them at most."""
    left = late
    for hour in hours:
        for minute in range(0, 60, 5):
            is_late = minute in (20, 25) and left > 0
            left -= is_late
            handed_over(logs, f"{hour:02d}:{minute:02d}", 600.5 if is_late else 1.2, **cells)


def test_a_pattern_is_suspected(logs: Logs) -> None:
    throttled_day(logs)
    (row,) = logs.report("suspected_throttling")
    verdict, action = str(row.pop("verdict")), row.pop("next_action")
    assert row == {
        "organisation": "contoso",
        "server": "EX01",
        "first_day": "2026-11-20",
        "last_day": "2026-11-20",
        "days": 1,
        "late_messages": 10,
        "messages": 60,
        # minutes 20 to 25 need more than the 5 minutes of stage 2
        "window_minutes": 10,
        "first_minute": 16,
        "same_window": True,
        "median_late_seconds": 600.5,
        "longest_late_seconds": 600.5,
        "other_replies": None,
    }
    assert verdict.startswith("Suspected, not proven")
    assert all(cause in verdict for cause in ("451 4.7.500", "KB5006982", "connection failures"))
    assert action == (
        f"Set-SendConnector '{HYBRID}' -ProtocolLoggingLevel Verbose; then read the Send log for 4.7.230."
    )


@pytest.mark.parametrize(
    ("connector", "named"),
    [
        ("Out\u2019 ; $(Remove-Item x)", "Set-SendConnector 'Out\u2019\u2019 ; $(Remove-Item x)'"),
        ("Out\r\nStop-Computer", "Get-SendConnector | Set-SendConnector"),
    ],
)
def test_the_name_in_the_command_is_a_powershell_literal(logs: Logs, connector: str, named: str) -> None:
    logs.add("known_connectors", "contoso", connector, True)
    throttled_day(logs, connector=connector)
    assert logs.report("suspected_throttling")[0]["next_action"] == (
        f"{named} -ProtocolLoggingLevel Verbose; then read the Send log for 4.7.230."
    )


def test_too_little_evidence(logs: Logs) -> None:
    throttled_day(logs, late=9)
    assert logs.report("suspected_throttling") == []


def test_too_few_hours(logs: Logs) -> None:
    for hour in (7, 8, 9):
        for minute in (20, 21, 22, 23):
            handed_over(logs, f"{hour:02d}:{minute:02d}", 300)
    assert logs.report("suspected_throttling") == []


def test_late_at_any_minute_is_no_pattern(logs: Logs) -> None:
    for hour in (7, 8, 9, 10, 11):
        for minute in range(0, 60, 5):
            handed_over(logs, f"{hour:02d}:{minute:02d}", 600 if (hour + minute // 5) % 3 == 0 else 1)
    assert logs.report("suspected_throttling") == []


def test_late_in_an_earlier_server_is_not_late_here(logs: Logs) -> None:
    earlier, here = (
        "SRV=EX09.contoso.example:TOTAL-HUB=599.9|SMR=1",
        "SRV=EX01.contoso.example:TOTAL-HUB=0.3|SMS=0.2",
    )
    tree = f"2026-11-20T10:00:00.000Z;{earlier};{here}"
    throttled_day(logs, message_info=tree)
    assert logs.report("suspected_throttling") == []


def test_late_in_this_hub_is(logs: Logs) -> None:
    front, hub = (
        "SRV=EX01.contoso.example:TOTAL-FE=0.1|SMR=0.1",
        "SRV=EX01.contoso.example:TOTAL-HUB=599.9|QD=599",
    )
    tree = f"2026-11-20T10:00:00.000Z;{front};{hub}"
    throttled_day(logs, message_info=tree)
    assert len(logs.report("suspected_throttling")) == 1


@pytest.mark.parametrize("action", ["throttle", "block"])
def test_a_quoted_refusal_is_proof_and_no_suspicion(logs: Logs, action: str) -> None:
    throttled_day(logs)
    logs.rows(
        "message-tracking",
        "10:21:00",
        event_id="DEFER",
        message_id="<r@contoso.example>",
        connector_id=HYBRID,
        **refusal(action, 5),
    )
    assert logs.report("suspected_throttling") == []


def test_with_a_send_log_the_refusal_would_be_quoted(logs: Logs) -> None:
    throttled_day(logs)
    logs.rows("smtp-send", "10:21:00", session="s", event="+", connector_id=HYBRID)
    assert logs.report("suspected_throttling") == []


def test_a_send_log_of_another_connector_shows_nothing(logs: Logs) -> None:
    throttled_day(logs)
    logs.rows("smtp-send", "10:21:00", session="s", event="+", connector_id="Internet")
    assert len(logs.report("suspected_throttling")) == 1


def test_other_tenants_do_not_count(logs: Logs) -> None:
    logs.add("known_connectors", "contoso", HYBRID, False)
    throttled_day(logs)
    assert logs.report("suspected_throttling") == []


def test_other_replies_are_named(logs: Logs) -> None:
    throttled_day(logs)
    logs.rows(
        "message-tracking",
        "10:21:00",
        "10:22:00",
        event_id="DEFER",
        message_id="<r@contoso.example>",
        connector_id=HYBRID,
        reply="451 4.7.500 Server busy. Please try again later from [192.0.2.1]. (AS77712)",
        reply_code=451,
        enhanced_code="4.7.500",
        destination_class="exchange-online",
    )
    (row,) = logs.report("suspected_throttling")
    assert str(row["other_replies"]).startswith("4.7.500 ") and str(row["other_replies"]).endswith("(2)")
    assert str(row["other_replies"]) in str(row["verdict"])
