"""What the logs can and cannot show."""

from __future__ import annotations

import pytest

from tests.queries.conftest import HYBRID, TENANT, Logs, refusal

ALL_CONNECTORS = "Get-SendConnector | Set-SendConnector -ProtocolLoggingLevel Verbose"

SENT = {
    "event_id": "SENDEXTERNAL",
    "connector_id": HYBRID,
    "peer_name": TENANT,
    "destination_class": "exchange-online",
}
GAPS = """
    select server, connector, log_kind, hour, lines, gap, command
    from coverage where gap is not null order by hour, log_kind
"""


def test_connector_without_send_log(logs: Logs) -> None:
    logs.rows(
        "message-tracking",
        "10:00:00",
        "11:00:00",
        **SENT,
    )
    logs.rows("smtp-send", "10:00:00", session="s", event="+", connector_id=HYBRID, log_service="hub")
    assert logs.ask(GAPS) == [
        {
            "server": "EX01",
            "connector": HYBRID,
            "log_kind": "smtp-send",
            "hour": "2026-11-20 11:00:00",
            "lines": 0,
            "gap": "the replies of Exchange Online on this connector are not visible",
            "command": f"Set-SendConnector '{HYBRID}' -ProtocolLoggingLevel Verbose",
        }
    ]


@pytest.mark.parametrize(
    ("connector", "command"),
    [
        (
            "Out' ; $(Remove-Item x) `n \"",
            "Set-SendConnector 'Out'' ; $(Remove-Item x) `n \"' -ProtocolLoggingLevel Verbose",
        ),
        (
            "a\u2018b\u2019c\u201ad\u201be",
            "Set-SendConnector 'a\u2018\u2018b\u2019\u2019c\u201a\u201ad\u201b\u201be' -ProtocolLoggingLevel Verbose",
        ),
        (
            "\u201c$(x)\u201d\u201e -Zürich",
            "Set-SendConnector '\u201c$(x)\u201d\u201e -Zürich' -ProtocolLoggingLevel Verbose",
        ),
        ("Out\nStop-Computer\n", ALL_CONNECTORS),
        ("Out\rStop-Computer", ALL_CONNECTORS),
        ("Out\x1b[2J", ALL_CONNECTORS),
        ("Out\x7f", ALL_CONNECTORS),
        ("Out\x85Stop-Computer", ALL_CONNECTORS),
        ("", ALL_CONNECTORS),
        (None, ALL_CONNECTORS),
    ],
)
def test_the_name_in_a_command_is_a_powershell_literal(
    logs: Logs, connector: str | None, command: str
) -> None:
    """https://learn.microsoft.com/powershell/module/microsoft.powershell.core/about/about_quoting_rules"""
    logs.rows(
        "message-tracking",
        "10:00:00",
        event_id="SENDEXTERNAL",
        connector_id=connector,
        peer_name=TENANT,
        destination_class="exchange-online",
    )
    assert logs.one(GAPS)["command"] == command


@pytest.mark.parametrize(
    ("server", "named"),
    [
        ("EX-01", "Set-{service} EX-01"),
        ("EX01;CALC", "Set-{service} 'EX01;CALC'"),
        ("EX01 -WHATIF", "Set-{service} 'EX01 -WHATIF'"),
        ("-CONFIRM", "Set-{service} '-CONFIRM'"),
        ("$(CALC)\u2019S", "Set-{service} '$(CALC)\u2019\u2019S'"),
        ("EX01\nCALC", "Get-{service} | Set-{service}"),
    ],
)
def test_the_server_in_a_command_is_a_plain_name_or_a_literal(logs: Logs, server: str, named: str) -> None:
    relay = {"server": server, "session": "s", "event": "+"}
    logs.rows("smtp-send", "10:00:00", connector_id=HYBRID, log_service="hub", **relay)
    logs.rows("smtp-receive", "10:00:00", local_port=717, log_service="frontend", **relay)
    found = logs.ask("select distinct command from coverage where gap is not null order by command")
    front = named.format(service="FrontendTransportService")
    hub = named.format(service="TransportService")
    assert [row["command"] for row in found] == [
        f"{front} -IntraOrgConnectorProtocolLoggingLevel Verbose",
        f"{hub} -MessageTrackingLogEnabled $true",
    ]


def test_the_old_command_of_a_server_without_a_usable_name(logs: Logs) -> None:
    logs.rows("smtp-send", "10:00:00", server="OLD\t", session="s", event="+", log_version="14.0.0.0")
    assert logs.one(GAPS)["command"] == (
        "Get-TransportServer | Set-TransportServer -MessageTrackingLogEnabled $true"
    )


def test_send_log_without_tracking(logs: Logs) -> None:
    logs.rows("smtp-send", "10:00:00", session="s", event="+", connector_id=HYBRID, log_service="hub")
    logs.rows("smtp-send", "10:00:00", server="FE01", session="s", event="+", log_service="frontend")
    logs.rows("smtp-send", "10:00:00", server="OLD", session="s", event="+", log_version="14.0.0.0")
    gap = "delays, bounces and the build of this server are not visible"
    assert logs.ask(
        "select server, log_kind, gap, command from coverage where gap is not null order by server"
    ) == [
        {
            "server": "EX01",
            "log_kind": "message-tracking",
            "gap": gap,
            "command": "Set-TransportService EX01 -MessageTrackingLogEnabled $true",
        },
        {
            "server": "OLD",
            "log_kind": "message-tracking",
            "gap": gap,
            "command": "Set-TransportServer OLD -MessageTrackingLogEnabled $true",
        },
    ]


def test_front_end_that_relays_without_a_send_log(logs: Logs) -> None:
    logs.rows(
        "smtp-receive",
        "10:00:00",
        server="FE01",
        session="s",
        event="+",
        local_port=717,
        log_service="frontend",
        connector_id="FE01\\Outbound Proxy Frontend FE01",
    )
    assert (
        logs.one(GAPS)["command"]
        == "Set-FrontendTransportService FE01 -IntraOrgConnectorProtocolLoggingLevel Verbose"
    )


def test_lines_without_a_server(logs: Logs) -> None:
    logs.rows("smtp-send", "10:00:00", server=None, session="s", event="+", local_ip="10.0.0.9")
    assert logs.one(GAPS)["gap"] == "nothing names the server of these lines"


def test_the_report_counts_hours(logs: Logs) -> None:
    logs.rows(
        "smtp-send", "10:00:00", "11:00:00", session="s", event="+", connector_id=HYBRID, log_service="hub"
    )
    logs.rows("message-tracking", "10:00:00", "10:30:00", event_id="RECEIVE")
    assert [
        (row["log_kind"], row["hours_covered"], row["hours_missing"], row["lines"])
        for row in logs.report("coverage")
    ] == [("message-tracking", 1, 1, 2), ("smtp-send", 2, 0, 2)]


def test_over_the_end_of_the_hour_is_no_gap(logs: Logs) -> None:
    logs.rows("smtp-send", "10:59:58", session="s", event="+", connector_id=HYBRID, log_service="hub")
    logs.rows("message-tracking", "11:00:01", **SENT)
    assert logs.ask(GAPS) == []
    # much later in the hour it is one: from then on neither log has rows of the other
    logs.rows("message-tracking", "11:30:00", **SENT)
    assert [gap["hour"] for gap in logs.ask(GAPS)] == ["2026-11-20 11:00:00"]


def test_a_relay_over_the_end_of_the_hour_is_no_gap(logs: Logs) -> None:
    relay = {"server": "FE01", "session": "s", "event": "+", "log_service": "frontend"}
    logs.rows("smtp-receive", "10:59:58", local_port=717, **relay)
    logs.rows("smtp-send", "11:00:01", **relay)
    assert logs.ask(GAPS) == []
    logs.rows("smtp-receive", "10:20:00", local_port=717, **relay)
    assert [gap["log_kind"] for gap in logs.ask(GAPS)] == ["smtp-send"]


def test_mail_that_was_refused_altogether_wants_a_send_log(logs: Logs) -> None:
    logs.rows(
        "message-tracking",
        "10:00:00",
        event_id="FAIL",
        connector_id=HYBRID,
        message_id="<a@contoso.example>",
        destination_class="exchange-online",
        **refusal("block", 60),
    )
    gap = logs.one(GAPS)
    assert (gap["server"], gap["connector"], gap["log_kind"]) == ("EX01", HYBRID, "smtp-send")
    assert gap["gap"] == "the replies of Exchange Online on this connector are not visible"
    assert gap["command"] == f"Set-SendConnector '{HYBRID}' -ProtocolLoggingLevel Verbose"
    (found,) = logs.ask(
        "select server, severity, finding, action from findings where finding_key like '%/gap/%'"
    )
    assert found == {
        "server": "EX01",
        "severity": "note",
        "finding": "No Send logs from EX01: refusals there would be invisible unless message tracking quotes them. "
        f"Hours with mail: 1. Connector: {HYBRID}.",
        "action": gap["command"],
    }
    # the Send log of that hour holds the refusal itself
    logs.rows("smtp-send", "10:00:00", session="s", event="+", connector_id=HYBRID, log_service="hub")
    assert logs.ask(GAPS) == []


def test_a_server_without_any_send_log_is_named_also_where_it_hands_nothing_over(logs: Logs) -> None:
    logs.rows("message-tracking", "10:00:00", "11:00:00", event_id="RECEIVE")
    # a mailbox service has no Send log that Exchange Online answers
    logs.rows("message-tracking", "10:00:00", server="MBX", event_id="SUBMIT", log_service="mailbox")
    assert [(row["server"], row["log_kind"], row["command"]) for row in logs.ask(GAPS)] == [
        ("EX01", "smtp-send", ALL_CONNECTORS)
    ] * 2
    (found,) = logs.ask("select server, finding from findings where finding_key like '%/gap/%'")
    assert found["finding"] == (
        "No Send logs from EX01: refusals there would be invisible unless message tracking quotes them. "
        "Hours with mail: 2."
    )


def test_a_part_of_the_hours_is_said_as_such(logs: Logs) -> None:
    logs.rows("message-tracking", "10:00:00", "11:00:00", "12:00:00", **SENT)
    logs.rows("smtp-send", "10:00:00", session="s", event="+", connector_id=HYBRID, log_service="hub")
    (found,) = logs.ask("select finding from findings where finding_key like '%/gap/%'")
    assert found["finding"] == (
        "No Send logs from EX01 for 2 hours with mail: refusals in them would be invisible "
        f"unless message tracking quotes them. Connector: {HYBRID}."
    )


def test_a_receive_log_of_the_transport_service_wants_tracking(logs: Logs) -> None:
    logs.rows("smtp-receive", "10:00:00", session="s", event="+", log_service="hub")
    # a Client Access server of 2013 has no tracking
    logs.rows("smtp-receive", "10:00:00", server="FE01", session="s", event="+", log_service="frontend")
    assert [(row["server"], row["log_kind"]) for row in logs.ask(GAPS)] == [("EX01", "message-tracking")]
    (found,) = logs.ask("select finding from findings where finding_key like '%/gap/%'")
    assert found["finding"] == (
        "No message tracking logs from EX01: delays, bounces and the build there would be invisible. "
        "Hours with mail: 1."
    )
