"""Mail to Exchange Online: counted once, and in scope or not."""

from __future__ import annotations

from tests.queries.conftest import HYBRID, TENANT, Logs, refusal

PARTNER = "fabrikam-com.mail.protection.outlook.com"


def handed_over(
    logs: Logs, *times: str, connector: str = HYBRID, destination: str = TENANT, **cells: object
) -> None:
    """One message a time, by tracking."""
    defaults: dict[str, object] = {"sender_address": "anna@contoso.com", "message_id": "<m@contoso.com>"}
    logs.rows(
        "message-tracking",
        *times,
        event_id="SENDEXTERNAL",
        connector_id=connector,
        peer_name=destination,
        destination_class="exchange-online",
        recipient_count=2,
        **{**defaults, **cells},
    )


def send_log(logs: Logs, time: str, message_id: str, **cells: object) -> None:
    """One accepted message in a Send log."""
    defaults = {"session": f"s {message_id}", "connector_id": HYBRID, **cells}
    logs.rows(
        "smtp-send",
        time,
        event=">",
        verb="RCPT",
        data="RCPT TO:<ute@contoso.mail.onmicrosoft.com>",
        **defaults,
    )
    logs.rows(
        "smtp-send",
        time,
        event="<",
        reply_code=250,
        message_id=message_id,
        reply_host="A.prod.outlook.com",
        **defaults,
    )


def test_by_connector_tenant_and_hour(logs: Logs) -> None:
    handed_over(logs, "10:00:00", "10:59:59", "11:00:00", server="ex01.contoso.local")
    assert logs.ask("select * from hand_overs order by hour") == [
        {
            "organisation": "contoso",
            "server": "EX01",
            "connector": HYBRID,
            "destination": TENANT,
            "tenant": "contoso-mail-onmicrosoft-com",
            "hour": f"2026-11-20 {hour}:00:00",
            "first_time": f"2026-11-20 {hour}:00:00",
            "last_time": f"2026-11-20 {last}",
            "messages": messages,
            "recipients": 2 * messages,
            "refused_messages": 0,
            "evidence": "message-tracking",
            "in_scope": "yes",
            "scope_reason": "connector of the hybrid wizard",
        }
        for hour, last, messages in ((10, "10:59:59", 2), (11, "11:00:00", 1))
    ]


def test_a_message_in_two_kinds_of_logs_counts_once(logs: Logs) -> None:
    handed_over(logs, "10:00:00", message_id="<m1@contoso.com>")
    send_log(logs, "10:00:00", "<m1@contoso.com>")
    send_log(logs, "10:00:00", "<m1@contoso.com>", server="FE01", log_service="frontend")
    send_log(logs, "12:00:00", "<m2@contoso.com>", log_service="hub")
    send_log(logs, "12:00:00", "<m2@contoso.com>", server="FE01", log_service="frontend")
    columns = "server, destination, hour, messages, evidence, in_scope"
    assert logs.ask(f"select {columns} from hand_overs order by hour") == [
        {
            "server": "EX01",
            "destination": TENANT,
            "hour": "2026-11-20 10:00:00",
            "messages": 1,
            "evidence": "message-tracking",
            "in_scope": "yes",
        },
        {
            "server": "EX01",
            "destination": "contoso.mail.onmicrosoft.com",
            "hour": "2026-11-20 12:00:00",
            "messages": 1,
            "evidence": "smtp-send",
            "in_scope": "yes",
        },
    ]


def test_another_tenant_is_out_of_scope_once_the_own_is_known(logs: Logs) -> None:
    handed_over(logs, "10:00:00", connector="Internet", destination=PARTNER)
    assert logs.one("select in_scope from hand_overs") == {"in_scope": "unknown"}
    handed_over(logs, "10:00:00")
    assert logs.ask("select connector, in_scope from hand_overs order by connector") == [
        {"connector": "Internet", "in_scope": "no"},
        {"connector": HYBRID, "in_scope": "yes"},
    ]


def test_what_brings_a_path_into_scope(logs: Logs) -> None:
    handed_over(logs, "10:00:00", connector="A", destination=TENANT)
    handed_over(logs, "10:00:00", connector="B", destination="contoso-com.mail.protection.outlook.com")
    handed_over(logs, "10:00:00", connector="C", destination="adatum-com.mail.protection.outlook.com")
    handed_over(logs, "10:00:00", connector="D", destination="tailspin-com.mail.protection.outlook.com")
    handed_over(logs, "10:00:00", connector="E", destination="wingtip-com.mail.protection.outlook.com")
    handed_over(logs, "10:00:00", connector="F", destination=TENANT)
    logs.add("organisation_domains", "contoso", "Adatum.com")
    logs.add("known_connectors", "contoso", "d", True)
    logs.add("known_connectors", "contoso", "F", False)
    logs.rows(
        "message-tracking",
        "10:01:00",
        event_id="DEFER",
        message_id="<r@contoso.com>",
        connector_id="E",
        return_path="anna@contoso.com",
        **refusal("throttle", 5),
    )
    columns = "connector, in_scope, scope_reason, refused_messages"
    assert [
        tuple(row.values()) for row in logs.ask(f"select {columns} from hand_overs order by connector")
    ] == [
        ("A", "yes", "address space of the tenant itself", 0),
        ("B", "yes", "domain of the senders themselves", 0),
        ("C", "yes", "domain of the organisation itself", 0),
        ("D", "yes", "organisations.toml says so", 0),
        ("E", "yes", "Exchange Online refused mail on this path for the build of a server", 1),
        ("F", "no", "organisations.toml says that it is not", 0),
    ]


def test_a_refused_message_counts_once_in_its_hour(logs: Logs) -> None:
    logs.rows(
        "message-tracking",
        "10:00:00",
        "10:01:00",
        "10:02:00",
        event_id="DEFER",
        message_id="<r@contoso.com>",
        connector_id=HYBRID,
        peer_name=TENANT,
        destination_class="exchange-online",
        **refusal("throttle", 5),
    )
    handed_over(logs, "10:10:00", message_id="<r@contoso.com>")
    assert logs.one("select messages, refused_messages, in_scope from hand_overs") == {
        "messages": 1,
        "refused_messages": 1,
        "in_scope": "yes",
    }
