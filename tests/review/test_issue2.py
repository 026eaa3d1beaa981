"""Whom to resend to, and a command for every gap."""

from __future__ import annotations

from tests.queries.conftest import TENANT, Logs, refusal
from tests.queries.test_messages import tracking

TO_A, TO_B = "a@contoso.mail.onmicrosoft.com", "b@contoso.mail.onmicrosoft.com"


def test_only_recipients_refused_for_good_are_to_be_resent_to(logs: Logs) -> None:
    for address in (TO_A, TO_B):
        tracking(logs, "10:00:00", "DEFER", recipient_address=address, **refusal("throttle", 10))
    tracking(logs, "10:15:00", "SENDEXTERNAL", recipient_address=TO_A)
    tracking(logs, "10:15:01", "FAIL", recipient_address=TO_B, **refusal("block", 5))
    assert logs.one("select recipients, times_delayed from bounced_messages") == {
        "recipients": TO_B,
        "times_delayed": 1,
    }
    assert logs.one("select recipients from delayed_messages") == {"recipients": f"{TO_A};{TO_B}"}


def test_a_block_that_names_no_recipient_stands_for_all_refused(logs: Logs) -> None:
    tracking(logs, "10:00:00", "DEFER", recipient_address=f"{TO_A};{TO_B}", **refusal("throttle", 10))
    tracking(logs, "10:15:01", "FAIL", recipient_address=None, **refusal("block", 5))
    assert logs.one("select recipients from bounced_messages") == {"recipients": f"{TO_A};{TO_B}"}


def test_a_gap_whose_rows_name_no_connector_has_a_command(logs: Logs) -> None:
    tracking(logs, "10:00:00", "SENDEXTERNAL", connector_id=None, peer_name=TENANT)
    assert logs.one("select connector, command from coverage where gap is not null") == {
        "connector": None,
        "command": "Get-SendConnector | Set-SendConnector -ProtocolLoggingLevel Verbose",
    }
