"""Message tracking rows of every generation: the shape of real lines, values checked by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.logs.kinds import read_head

from .lines import (
    BOM,
    TRACKING_2007,
    TRACKING_2010,
    TRACKING_2013,
    TRACKING_2016,
    tracking_header,
    tracking_line,
)
from .reading import Read, read_log

ROW_2007 = (
    '2009-05-11T06:31:14.207Z,10.30.4.12,HUBOLD,,HUBOLD,"MDB:0c3a7d52-1111-4f0a-9c1e-6d3f00aa0001, Mailbox:'
    "5fb7e3c0-2222-4a0b-8d2e-7e4f00bb0002, Event:88123, MessageClass:IPM.Note, CreationTime:2009-05-11T06:31:02.100Z, "
    'ClientType:User",,STOREDRIVER,SUBMIT,,<A0B1C2D3E4F5@hubold.contoso.local>,,,,,,,Grüße,ute@contoso.com,,'
)
ROW_2010 = (
    '2012-02-08T00:00:01.417Z,,,,,"MDB:7f0d9c11-3333-4b1c-9e3f-8f5000cc0003, Mailbox:1ab2c3d4-4444-4c2d-af40-906100dd0004, '
    'Event:5521908, MessageClass:IPM.Note.StorageQuotaWarning.Warning, CreationTime:2012-02-08T00:00:00.800Z, ClientType:System"'
    ",,STOREDRIVER,NOTIFYMAPI,,,,,,,,,,,,,,,,,S:ItemEntryId=00-00-00-00-AB-CD"
)
ROW_2013 = (
    "2017-06-01T10:11:12.131Z,,NWA-MBX3,,,,,AGENT,AGENTINFO,64712273000001,<77.1.JavaMail.app@build-7.contoso.com>,"
    "0a1b2c3d-5555-4d3e-b051-08d4a8000001,jo@contoso.com;kim@contoso.com,,7631,2,,,Build 77,app@contoso.com,app@contoso.com,"
    ",Originating,,10.7.1.9,10.7.1.3,S:AMA=SUM|v=0|action=|error=|atch=0;S:CompCost=|ETR=0;S:DeliveryPriority=Normal;"
    "S:AccountForest=contoso.com"
)
HANDED_OVER = (
    "2026-11-18T09:29:05.327Z,198.51.100.56,TAIL-MBX01,203.0.113.1,tailspin-mail-onmicrosoft-com.mail.protection.outlook.com,"
    '";250 2.6.0 <1768.22.7@app.tailspintoys.com> [InternalId=5450314538111, Hostname=GV2PR07MB0001.eurprd07.prod.outlook.com] '
    '141301 bytes in 0,101, 1.361,827 KB/sec Queued mail for delivery;ClientSubmitTime:",'
    "Outbound to Office 365 - 3d0f6f0e-6666-4e4f-8162-b37200ee0005,SMTP,SENDEXTERNAL,8774619225001,<1768.22.7@app.tailspintoys.com>,"
    '1f2e3d4c-7777-4f50-9273-08de26000002,anna@fabrikam.com,250 2.1.5 Recipient OK,136349,1,,,"Zahlen, März",,<>,'
    "2026-11-18T09:28:50.814Z;SRV=TAIL-MBX01.tailspintoys.com:TOTAL-FE=0.074|SMR=0.072,Incoming,,,,"
    "S:E2ELatency=14.513;S:ExternalSendLatency=0.402;S:MsgRecipCount=1;S:IsSmtpResponseFromExternalServer=True,"
    "Email,9a8b7c6d-8888-4061-a384-08de26000003,15.01.2507.039"
)
REPLY = (
    "450 4.7.230 Connecting Exchange server version is out-of-date; connection to Exchange Online throttled for 10 mins/hr. "
    "For more information see https://aka.ms/BlockUnsafeExchange. [AM4PEPF00000001.eurprd83.prod.outlook.com "
    "2026-11-20T07:01:02.345Z 08DE26F0AA11BB22]"
)


def only(read: Read) -> dict[str, Any]:
    assert (len(read.rows), read.bad) == (1, []), read.raw()
    return read.rows[0]


def log(row: str, fields: tuple[str, ...] = TRACKING_2016, version: str = "15.01.2507.039") -> dict[str, Any]:
    return only(read_log(tracking_header(fields, version) + row.encode() + b"\r\n"))


def derived(**cells: str) -> dict[str, Any]:
    return log(tracking_line(1, **cells))


# Generations


def test_2007_with_21_columns_and_no_header() -> None:
    read = read_log(ROW_2007.encode())
    row = only(read)
    assert row["date_time"] == datetime(2009, 5, 11, 6, 31, 14, 207_000, UTC)
    assert (row["client_ip"], row["client_hostname"], row["server_ip"], row["server_hostname"]) == (
        "10.30.4.12",
        "HUBOLD",
        None,
        "HUBOLD",
    )
    assert row["source_context"].endswith("CreationTime:2009-05-11T06:31:02.100Z, ClientType:User")
    assert (row["source"], row["event_id"], row["message_subject"], row["sender_address"]) == (
        "STOREDRIVER",
        "SUBMIT",
        "Grüße",
        "ute@contoso.com",
    )
    assert (row["message_id"], row["internal_message_id"], row["total_bytes"]) == (
        "<A0B1C2D3E4F5@hubold.contoso.local>",
        None,
        None,
    )
    assert (row["network_message_id"], row["directionality"], row["schema_version"], row["log_build"]) == (
        None,
        None,
        None,
        None,
    )
    assert (row["server"], row["server_basis"]) == ("HUBOLD", "rows")


def test_2010_with_26_columns_bom_and_crlf() -> None:
    read = read_log(BOM + tracking_header(TRACKING_2010, "14.0.0.0") + ROW_2010.encode() + b"\r\n")
    row = only(read)
    assert read.header == 5
    assert (row["source_line"], row["event_id"], row["custom_data"]) == (
        6,
        "NOTIFYMAPI",
        "S:ItemEntryId=00-00-00-00-AB-CD",
    )
    assert (row["log_version"], row["log_build"]) == ("14.0.0.0", None)
    assert all(
        row[name] is None
        for name in ("message_id", "client_hostname", "sender_address", "message_info", "server")
    )
    assert "StorageQuotaWarning" in row["source_context"]


def test_2013_with_27_columns_and_its_build_in_the_header() -> None:
    row = log(ROW_2013, TRACKING_2013, "15.00.1104.000")
    assert (row["log_version"], row["log_build"]) == ("15.0.1104.0", "15.0.1104.0")
    assert (row["network_message_id"], row["recipient_address"]) == (
        "0a1b2c3d-5555-4d3e-b051-08d4a8000001",
        "jo@contoso.com;kim@contoso.com",
    )
    assert (row["total_bytes"], row["recipient_count"], row["original_server_ip"]) == (7631, 2, "10.7.1.3")
    assert row["custom_data"].endswith(
        "S:CompCost=|ETR=0;S:DeliveryPriority=Normal;S:AccountForest=contoso.com"
    )
    assert (row["server"], row["internal_message_id"]) == ("NWA-MBX3", 64_712_273_000_001)


def test_sendexternal_to_exchange_online_with_30_columns() -> None:
    row = log(HANDED_OVER)
    assert row["server_hostname"] == "tailspin-mail-onmicrosoft-com.mail.protection.outlook.com"
    assert (row["peer_name"], row["peer_domain"], row["destination_class"]) == (
        "tailspin-mail-onmicrosoft-com.mail.protection.outlook.com",
        "outlook.com",
        "exchange-online",
    )
    assert (row["connector_id"], row["event_id"]) == (
        "Outbound to Office 365 - 3d0f6f0e-6666-4e4f-8162-b37200ee0005",
        "SENDEXTERNAL",
    )
    assert (row["sender_address"], row["return_path"], row["message_subject"]) == (None, "<>", "Zahlen, März")
    assert (row["reply_code"], row["enhanced_code"], row["enforcement_action"]) == (250, "2.6.0", None)
    assert (row["e2e_latency"], row["total_bytes"]) == (14.513, 136_349)
    assert (row["server"], row["log_build"], row["schema_version"]) == (
        "TAIL-MBX01",
        "15.1.2507.39",
        "15.01.2507.039",
    )


@pytest.mark.parametrize(
    ("fields", "count"), [(TRACKING_2007, 21), (TRACKING_2010, 26), (TRACKING_2013, 27), (TRACKING_2016, 30)]
)
def test_headerless_excerpts_are_known_by_their_number_of_columns(
    fields: tuple[str, ...], count: int
) -> None:
    assert len(fields) == count
    data = (tracking_line(3, fields) + "\n").encode()
    head = read_head(data, whole=True)
    assert (head.kind.name, head.kind.by_shape, head.kind.header.fields) == ("message-tracking", True, fields)
    row = only(read_log(data))
    assert (row["message_id"], row["total_bytes"], row["message_subject"], row["sender_address"]) == (
        "<3@contoso.com>",
        5_003,
        "Report 3",
        None,
    )


def test_se_writes_its_build_in_header_and_rows() -> None:
    row = log(tracking_line(1, schema_version="15.02.2562.045"), version="15.02.2562.045")
    assert row["log_build"] == row["log_version"] == "15.2.2562.45"


def test_an_update_within_the_hour_leaves_two_builds_in_one_file() -> None:
    rows = [
        tracking_line(1, schema_version="15.02.0986.041"),
        tracking_line(2, schema_version="15.02.1748.010"),
        tracking_line(3),
    ]
    read = read_log(tracking_header(version="15.02.0986.041") + "\r\n".join([*rows, ""]).encode())
    assert [row["log_build"] for row in read.rows] == ["15.2.986.41", "15.2.1748.10", "15.2.986.41"]


# Cells


def test_lists_with_single_quoted_elements_and_repeated_keys_stay_as_they_are() -> None:
    data = "S:AMA=SUM|v=0|atch=2;S:TRA=ETR|Conditions=1;'S:TRA=ETRP|Conditions=CP,M.S,0;CP,M.B,0';S:P2RecipStat=0,005/2;S:F=a=b@c"
    row = derived(
        custom_data=data, recipient_status="Cc;Bcc;Bcc;To", recipient_address="a@x.de;b@x.de;b@x.de;c@x.de"
    )
    assert (row["custom_data"], row["recipient_status"]) == (data, "Cc;Bcc;Bcc;To")


def test_culture_formatted_latencies() -> None:
    assert derived(custom_data="S:DeliveryLatency=1;S:E2ELatency=0,294;S:X=2")["e2e_latency"] == 0.294
    assert derived(custom_data="S:E2ELatency=14.513")["e2e_latency"] == 14.513
    assert derived(custom_data="S:E2ELatency=")["e2e_latency"] is None


@pytest.mark.parametrize(
    "address",
    ["fe80::3285:daeb:5bd1:85d3%13", "2001:db8::1", "::ffff:10.1.2.3", "x.x.x.x", "fe80::1:::cut", ""],
)
def test_addresses_of_any_kind_are_kept(address: str) -> None:
    row = derived(client_ip=address, original_client_ip=address)
    assert row["client_ip"] == row["original_client_ip"] == (address or None)


def test_a_message_id_without_brackets_and_blanks_at_the_ends_are_data() -> None:
    row = derived(
        message_id="20260107001234.678F@monitor.contoso.com", message_info="0cA: ", message_subject="  two  "
    )
    assert (row["message_id"], row["message_info"], row["message_subject"]) == (
        "20260107001234.678F@monitor.contoso.com",
        "0cA: ",
        "  two  ",
    )


@pytest.mark.parametrize("event", ["HADISCARD", "HARECEIVE", "HAREDIRECT", "HAREDIRECTFAIL"])
def test_shadow_copies_derive_no_reply_and_no_peer(event: str) -> None:
    row = derived(
        event_id=event,
        client_ip="",
        client_hostname="",
        server_ip="",
        server_hostname="mbx-07",
        source_context="mbx-08.contoso.com=250 2.6.0 <1@x> [InternalId=1, Hostname=mbx-08.contoso.com] Queued mail for redundancy",
    )
    assert (row["reply_code"], row["reply"], row["peer_name"], row["server"]) == (None, None, None, "MBX-07")


def test_a_receive_row_joins_to_its_session() -> None:
    row = derived(
        event_id="RECEIVE",
        client_hostname="mail.fabrikam.com",
        server_hostname="EX01",
        source_context="08DE26F0AA11BB01;2026-11-20T15:16:09.544Z;0",
        custom_data="S:ProxyHop1=EX01.contoso.com(10.20.1.5);S:ProxiedClientIPAddress=203.0.113.7;S:ProxiedClientHostname=mail.fabrikam.com",
    )
    assert (row["session_id"], row["server"], row["peer_name"], row["peer_domain"]) == (
        "08DE26F0AA11BB01",
        "EX01",
        "mail.fabrikam.com",
        "fabrikam.com",
    )
    assert (
        derived(event_id="RECEIVE", source="STOREDRIVER", source_context="08DE26F0AA11BB01;x")["session_id"]
        is None
    )


# Refusals


def test_defer_with_a_throttle() -> None:
    row = derived(
        event_id="DEFER",
        server_hostname="",
        server_ip="",
        recipient_status=f"'[{{LED={REPLY}}};{{MSG=}};{{FQDN=contoso-mail-onmicrosoft-com.mail.protection.outlook.com}};"
        "{IP=203.0.113.25};{LRT=20.11.2026 08:01:02}]'",
    )
    assert (
        row["reply_code"],
        row["enhanced_code"],
        row["enforcement_action"],
        row["enforcement_minutes"],
    ) == (450, "4.7.230", "throttle", 10)
    assert row["reply"] == REPLY
    assert row["reply_host"] == "AM4PEPF00000001.eurprd83.prod.outlook.com"
    assert row["peer_time"] == datetime(2026, 11, 20, 7, 1, 2, 345_000, UTC)
    assert (row["peer_name"], row["destination_class"]) == (
        "contoso-mail-onmicrosoft-com.mail.protection.outlook.com",
        "exchange-online",
    )
    assert row["server"] == "EX01"


def test_fail_with_an_error_record_that_nests_quotes_and_brackets() -> None:
    led = (
        "554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException; Failed to process message "
        '"{a; [b]}" with message '
        'he said ""no"". 16.55847:C7040000, 17.43559:00000000A0'
    )
    status = (
        f"'[{{LED={led}}};{{MSG=}};{{FQDN=mbx-02.contoso.com}};{{IP=10.7.1.4}};{{LRT=02.04.2026 18:54:01}}]'"
    )
    row = derived(event_id="FAIL", recipient_status=status, client_hostname="5post-hubs01")
    assert row["recipient_status"] == status
    assert (row["reply_code"], row["enhanced_code"], row["enforcement_action"]) == (554, "5.2.2", None)
    assert row["reply"] == led
    assert (row["peer_name"], row["server"]) == ("mbx-02.contoso.com", "5POST-HUBS01")


@pytest.mark.parametrize(
    "status",
    [
        "[{LRT=1/21/2026 3:45:12 AM};{LED=550 5.7.230 Connecting Exchange server version is out-of-date; connection to Exchange Online "
        "blocked for 60 mins/hr};{FQDN=};{IP=}]",
        "550 5.7.230 Connecting Exchange server version is out-of-date; connection to Exchange Online blocked for 60 mins/hr",
    ],
)
def test_fail_with_a_block(status: str) -> None:
    row = derived(event_id="FAIL", recipient_status=status)
    assert (
        row["reply_code"],
        row["enhanced_code"],
        row["enforcement_action"],
        row["enforcement_minutes"],
    ) == (550, "5.7.230", "block", 60)


def test_a_dsn_reports_what_it_is_about() -> None:
    row = derived(
        event_id="DSN",
        source="DSN",
        client_hostname="",
        client_ip="",
        server_hostname="mbx-01",
        server_ip="",
        source_context="Delay",
        reference="<404.310@tailspintoys.com>",
        message_info="<jo@contoso.com>:<400 4.4.7 Message delayed>",
        return_path="<>",
    )
    assert (row["reference"], row["server"], row["return_path"]) == (
        "<404.310@tailspintoys.com>",
        "MBX-01",
        "<>",
    )
    assert row["enforcement_action"] is None


@pytest.mark.parametrize(
    "cells",
    [
        {"message_subject": f"RE: {REPLY}"},
        {"message_subject": "connection to Exchange Online throttled for 5 mins/hr"},
        {"message_id": "<4.7.230@contoso.com>"},
        {"client_ip": "154.7.230.12", "server_ip": "15.7.230.1"},
        {"custom_data": "S:OriginalFromAddress=450 4.7.230 x"},
        {"recipient_address": "450 4.7.230@contoso.com"},
        {
            "source_context": ";250 2.6.0 <4.7.230@contoso.com> [InternalId=1, Hostname=4.7.230.contoso.com] Queued"
        },
        {"source_context": ";421 4.4.2 Connection dropped by 154.7.230.12"},
        {"message_info": REPLY},
    ],
)
@pytest.mark.parametrize("event", ["SEND", "RECEIVE", "FAIL", "DEFER", "DELIVER"])
def test_nothing_is_derived_of_words_that_are_no_reply(cells: dict[str, str], event: str) -> None:
    row = derived(**{"event_id": event, **cells})
    assert (row["enforcement_action"], row["enforcement_minutes"]) == (None, None), row["reply"]
    assert row["enhanced_code"] not in ("4.7.230", "5.7.230")


def test_columns_that_a_later_version_adds_are_kept() -> None:
    fields = (*TRACKING_2016, "hop-count", "Other Field")
    row = log(tracking_line(1, fields).removesuffix(",") + "7,", fields)
    assert dict(row["extra"]) == {"hop-count": "7"}
