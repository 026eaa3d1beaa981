"""What the logs can and cannot show."""

from __future__ import annotations

from tests.queries.conftest import HYBRID, TENANT, Logs

GAPS = """
    select server, connector, log_kind, hour, lines, gap, command
    from coverage where gap is not null order by hour, log_kind
"""


def test_connector_without_send_log(logs: Logs) -> None:
    logs.rows(
        "message-tracking",
        "10:00:00",
        "11:00:00",
        event_id="SENDEXTERNAL",
        connector_id=HYBRID,
        peer_name=TENANT,
        destination_class="exchange-online",
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


def test_the_name_in_a_command_is_a_powershell_literal(logs: Logs) -> None:
    """https://learn.microsoft.com/powershell/module/microsoft.powershell.core/about/about_quoting_rules"""
    hostile = "Out' ; $(Remove-Item x) \u2019 `n \""
    logs.rows(
        "message-tracking",
        "10:00:00",
        event_id="SENDEXTERNAL",
        connector_id=hostile,
        peer_name=TENANT,
        destination_class="exchange-online",
    )
    (gap,) = logs.ask(GAPS)
    assert gap["command"] == (
        "Set-SendConnector 'Out'' ; $(Remove-Item x) \u2019\u2019 `n \"' -ProtocolLoggingLevel Verbose"
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
    sent = {
        "event_id": "SENDEXTERNAL",
        "connector_id": HYBRID,
        "peer_name": TENANT,
        "destination_class": "exchange-online",
    }
    logs.rows("smtp-send", "10:59:58", session="s", event="+", connector_id=HYBRID, log_service="hub")
    logs.rows("message-tracking", "11:00:01", **sent)
    assert logs.ask(GAPS) == []
    # much later in the hour it is one: from then on neither log has rows of the other
    logs.rows("message-tracking", "11:30:00", **sent)
    assert [gap["hour"] for gap in logs.ask(GAPS)] == ["2026-11-20 11:00:00"]


def test_a_relay_over_the_end_of_the_hour_is_no_gap(logs: Logs) -> None:
    relay = {"server": "FE01", "session": "s", "event": "+", "log_service": "frontend"}
    logs.rows("smtp-receive", "10:59:58", local_port=717, **relay)
    logs.rows("smtp-send", "11:00:01", **relay)
    assert logs.ask(GAPS) == []
    logs.rows("smtp-receive", "10:20:00", local_port=717, **relay)
    assert [gap["log_kind"] for gap in logs.ask(GAPS)] == ["smtp-send"]
