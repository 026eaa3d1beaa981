"""SMTP protocol rows, Receive and Send: the shape of real lines, values checked by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.logs.kinds import read_head

from .lines import header, receive_header, smtp_line
from .reading import Read, read_log

RECEIVE = "EX01\\Default Frontend EX01"
THROTTLED = (
    "450 4.7.230 Connecting Exchange server version is out-of-date; connection to Exchange Online throttled for 5 mins/hr. "
    "For more information see https://aka.ms/BlockUnsafeExchange. [AM4PEPF00000001.eurprd83.prod.outlook.com "
    "2026-11-20T07:01:02.345Z 08DE26F0AA11BB22]"
)
TLS = (
    "TLS protocol SP_PROT_TLS1_2_{} negotiation succeeded using bulk encryption algorithm CALG_AES_256 with strength 256 bits, "
    "MAC hash algorithm CALG_SHA_384 with strength 0 bits and key exchange algorithm CALG_ECDH_EPHEM with strength 384 bits"
)


def received(**cells: Any) -> dict[str, Any]:
    (row,) = read_log(
        receive_header() + (smtp_line(1, **{"connector": RECEIVE, **cells}) + "\r\n").encode()
    ).rows
    return row


def sent(**cells: Any) -> dict[str, Any]:
    (row,) = read_log(header() + (smtp_line(1, **cells) + "\r\n").encode()).rows
    return row


def log(text: str) -> Read:
    return read_log(text.encode())


# Whole sessions


def test_a_send_log_to_exchange_online_whose_rows_are_older_than_its_date() -> None:
    rows = [
        "2019-03-21T13:00:45.039Z,To cloud,08D6A8D431200077,0,,x.x.x.x:25,*,SendRoutingHeaders,Set Session Permissions",
        "2019-03-21T13:00:45.039Z,To cloud,08D6A8D431200077,1,,x.x.x.x:25,*,,attempting to connect",
        "2019-03-21T13:00:45.040Z,To cloud,08D6A8D431200077,2,192.168.41.100:44276,x.x.x.x:25,+,,",
        '2019-03-21T13:00:45.157Z,To cloud,08D6A8D431200077,3,192.168.41.100:44276,x.x.x.x:25,<,"220 VI1EUR04FT000.mail.protection.'
        'outlook.com Microsoft ESMTP MAIL Service ready at Thu, 21 Mar 2019 14:00:44 +0100",',
        "2019-03-21T13:00:45.157Z,To cloud,08D6A8D431200077,4,192.168.41.100:44276,x.x.x.x:25,>,EHLO mail.contoso.com,",
    ]
    read = read_log(header(date="2019-03-21T13:01:06.525Z") + "\r\n".join([*rows, ""]).encode())
    assert (len(read.rows), read.bad, read.header) == (5, [], 5)
    assert [row["local_ip"] for row in read.rows] == [None, None, *["192.168.41.100"] * 3]
    assert [row["remote_port"] for row in read.rows] == [25] * 5
    assert {row["server"] for row in read.rows} == {None}
    banner = read.rows[3]
    assert (banner["peer_name"], banner["destination_class"]) == (
        "vi1eur04ft000.mail.protection.outlook.com",
        "exchange-online",
    )
    assert banner["peer_time"] == datetime(2019, 3, 21, 13, 0, 44, tzinfo=UTC)
    assert (banner["reply_code"], read.rows[4]["verb"], read.rows[4]["ehlo_name"]) == (
        220,
        "EHLO",
        "mail.contoso.com",
    )
    assert {row["month"] for row in read.rows} == {"2019-03"}


@pytest.mark.parametrize("before", ["#", ""])
def test_header_lines_that_lost_their_hash(before: str) -> None:
    block = header().decode().replace("#", before)
    data = (
        block + smtp_line(1, event="", data="SendRoutingHeaders", context="Set Session Permissions") + "\r\n"
    ).encode()
    assert read_head(data, whole=True).kind.name == "smtp-send"
    read = read_log(data)
    assert (read.header, len(read.rows)) == (5, 1)
    assert (read.rows[0]["log_version"], read.rows[0]["log_kind"]) == ("15.0.0.0", "smtp-send")


@pytest.mark.parametrize(
    ("connector", "kind"), [(RECEIVE, "smtp-receive"), ("Outbound to cloud", "smtp-send")]
)
def test_a_headerless_excerpt_is_known_by_its_connector(connector: str, kind: str) -> None:
    data = (smtp_line(1, connector=connector) + "\n").encode()
    head = read_head(data, whole=True)
    assert (head.kind.name, head.kind.by_shape) == (kind, True)
    assert read_log(data).rows[0]["log_kind"] == kind


def test_mixed_send_and_receive_rows_without_header_are_told_apart_row_by_row() -> None:
    read = log(
        "\n".join(
            [
                "2024-01-25T15:14:39.460Z,Inbound Proxy Internal Send Connector,08DC1DB874470000,1,,10.48.25.13:2525,*,,attempting to connect",
                '2024-01-25T15:14:40.508Z,Inbound Proxy Internal Send Connector,08DC1DB874470000,2,,10.48.25.13:2525,*,,"Failed to connect. '
                "Winsock error code: 10061, Win32 error code: 10061, Destination domain: internalproxy, Error Message: No connection could be "
                'made because the target machine actively refused it 10.48.25.13:2525."',
                "2024-01-25T15:14:39.026Z,MX7\\Default Frontend MX7,08DC1DB874470001,0,10.48.25.13:25,10.48.25.14:53230,+,,",
                "2024-01-25T15:14:39.031Z,MX7\\Default Frontend MX7,08DC1DB874470001,2,10.48.25.13:25,10.48.25.14:53228,<,EHLO mgt.contoso.com,",
            ]
        )
    )
    assert [row["log_kind"] for row in read.rows] == [
        "smtp-send",
        "smtp-send",
        "smtp-receive",
        "smtp-receive",
    ]
    assert "actively refused" in read.rows[1]["context"]
    assert (read.rows[3]["verb"], read.rows[3]["ehlo_name"], read.rows[3]["peer_domain"]) == (
        "EHLO",
        "mgt.contoso.com",
        "contoso.com",
    )
    assert [row["log_service"] for row in read.rows] == [None, None, "frontend", "frontend"]


# Endpoints


@pytest.mark.parametrize(
    ("endpoint", "ip", "port"),
    [
        ("10.20.1.5:25", "10.20.1.5", 25),
        ("[fe80::3285:daeb:5bd1:85d3%13]:2525", "fe80::3285:daeb:5bd1:85d3", 2525),
        ("[2001:db8::7]:587", "2001:db8::7", 587),
        ("::ffff:10.1.2.3:25", "::ffff:10.1.2.3", 25),
        ("[::ffff:10.1.2.3]:25", "::ffff:10.1.2.3", 25),
        ("2001:db8::7:25", "2001:db8::7", 25),
        ("", None, None),
        ("10.1.2.3", None, None),
        ("x.x.x.x:25", "x.x.x.x", 25),
        ("10.**.**.31:37964", "10.**.**.31", 37964),
        ("InternalIPOfServer:10437", "InternalIPOfServer", 10437),
        ("10.1.2.3:99999999", None, None),
    ],
)
def test_endpoints(endpoint: str, ip: str | None, port: int | None) -> None:
    row = received(local=endpoint, remote=endpoint)
    assert (row["local_endpoint"], row["remote_endpoint"]) == (endpoint or None, endpoint or None)
    assert (row["local_ip"], row["local_port"], row["remote_ip"], row["remote_port"]) == (ip, port, ip, port)


# Names


@pytest.mark.parametrize(
    "connector",
    [
        "Внутренний соединитель отправки для вход. подкл. прокси-сервера",
        "组织内 SMTP 发送连接器",
        "Ausgehend nach Office 365 – ÄÖÜ",
        "mail.contoso.com",
    ],
)
def test_localised_send_connectors(connector: str) -> None:
    row = sent(connector=connector)
    assert (row["connector_id"], row["log_kind"], row["server"]) == (connector, "smtp-send", None)


@pytest.mark.parametrize(
    ("connector", "server"),
    [
        ("EX01\\Default ", "EX01"),
        ("ex01\\Клиент", "EX01"),
        ("EX01\\a\\b", "EX01"),
        ("\\x", None),
        ("EX 01\\Default", None),
    ],
)
def test_receive_connectors_begin_with_their_server(connector: str, server: str | None) -> None:
    row = received(connector=connector)
    assert (row["connector_id"], row["server"]) == (connector, server)


# Commands and replies


@pytest.mark.parametrize(
    ("command", "verb", "ehlo"),
    [
        ("EHLO ylmf-pc", "EHLO", "ylmf-pc"),
        ("ehlo [198.51.100.34]", "EHLO", "[198.51.100.34]"),
        ("HELO x", "HELO", "x"),
        ("MAIL FROM:<> SIZE=18019", "MAIL", None),
        ("AUTH login", "AUTH", None),
        ("RCPT TO:<a@contoso.com>", "RCPT", None),
        ("XPROXYFROM SID=08DE IP=203.0.113.7 PORT=25 DOMAIN=x SEQNUM=1", "XPROXYFROM", None),
        ("BDAT 11511 LAST", "BDAT", None),
        ("STARTTLS", "STARTTLS", None),
        ("X-ANONYMOUSTLS", "X-ANONYMOUSTLS", None),
        ("", None, None),
        ("\x16\x03\x01", None, None),
        ("EHLO", "EHLO", None),
    ],
)
def test_commands_of_the_peer_in_a_receive_log(command: str, verb: str | None, ehlo: str | None) -> None:
    row = received(event="<", data=command)
    assert (row["verb"], row["ehlo_name"], row["reply_code"]) == (verb, ehlo, None)
    if ehlo:
        assert row["peer_name"] == ehlo.lower()


def test_the_null_sender_is_kept() -> None:
    row = sent(event=">", data="MAIL FROM:<> SIZE=18019 AUTH=<>")
    assert (row["data"], row["verb"]) == ("MAIL FROM:<> SIZE=18019 AUTH=<>", "MAIL")


JOINED = "250  EX01.contoso.com Hello [198.51.100.34] SIZE 37748736 PIPELINING DSN ENHANCEDSTATUSCODES STARTTLS X-ANONYMOUSTLS XRDST"


def test_an_ehlo_answer_in_one_row_and_one_row_a_250() -> None:
    row = received(event=">", data=JOINED)
    assert (row["data"], row["reply_code"], row["enhanced_code"], row["verb"], row["peer_name"]) == (
        JOINED,
        250,
        None,
        None,
        None,
    )
    lines = [
        "250-B10-HUB.contoso.com Hello [10.1.2.3]",
        "250-SIZE",
        "250-8BITMIME",
        "250-XRDST",
        "250 XSHADOW",
    ]
    rows = read_log(
        header()
        + "".join(smtp_line(n, event="<", data=text) + "\r\n" for n, text in enumerate(lines)).encode()
    ).rows
    assert [row["reply_code"] for row in rows] == [250] * 5
    assert [row["peer_name"] for row in rows] == ["b10-hub.contoso.com", None, None, None, None]
    joined = sent(event="<", data=JOINED.replace("EX01.contoso", "mx.fabrikam"))
    assert joined["peer_name"] == "mx.fabrikam.com"


@pytest.mark.parametrize(("side", "version"), [("SERVER", "1.2"), ("CLIENT", "1.2")])
def test_a_tls_row(side: str, version: str) -> None:
    row = received(event="*", data="", context=TLS.format(side))
    assert (row["tls_version"], row["context"]) == (version, TLS.format(side))
    assert sent(event="*", data="", context=TLS.format(side).replace("1_2", "1_0"))["tls_version"] == "1.0"
    assert received(event="", data="", context=TLS.format(side).replace("1_2", "1_3"))["tls_version"] == "1.3"
    assert received(event="<", data=TLS.format(side))["tls_version"] is None


def test_a_certificate_row_keeps_its_leading_blank() -> None:
    text = " CN=webmail.contoso.com CN=R3, O=Let's Encrypt, C=US 03AA 26BE 2026-01-17T15:15:33.000Z 2026-04-17T15:15:33.000Z"
    assert received(event="*", data=text, context="Sending certificate Subject Issuer name")["data"] == text


def test_information_rows_name_the_message() -> None:
    text = "sending message with RecordId 167504024853 and InternetMessageId <bb-1@contoso.com>"
    assert sent(event="*", data="", context=text)["message_id"] == "<bb-1@contoso.com>"
    assert sent(event="", data="", context=text)["message_id"] == "<bb-1@contoso.com>"
    reply = "250 2.6.0 <11@contoso.com> [InternalId=42, Hostname=EX01.contoso.com] 11511 bytes in 0.102, 109,173 KB/sec Queued mail for delivery"
    for row in (sent(event="<", data=reply), received(event=">", data=reply)):
        assert (row["message_id"], row["reply_code"], row["enhanced_code"], row["reply"]) == (
            "<11@contoso.com>",
            250,
            "2.6.0",
            None,
        )
    assert (
        received(event="*", data="08DE2A11B0C4D501;2026-11-20T08:00:00.000Z;1", context="receiving message")[
            "message_id"
        ]
        is None
    )


def test_a_tarpit_row_has_its_text_in_data() -> None:
    row = received(event="*", data="Tarpit for '0.00:00:05'")
    assert (row["data"], row["context"], row["verb"]) == ("Tarpit for '0.00:00:05'", None, None)


def test_a_throttle_in_a_send_log_and_in_the_front_ends_receive_log() -> None:
    for row in (sent(event="<", data=THROTTLED), received(event=">", data=THROTTLED)):
        assert (
            row["reply_code"],
            row["enhanced_code"],
            row["enforcement_action"],
            row["enforcement_minutes"],
        ) == (450, "4.7.230", "throttle", 5)
        assert (row["reply"], row["reply_host"]) == (THROTTLED, "AM4PEPF00000001.eurprd83.prod.outlook.com")
        assert row["peer_time"] == datetime(2026, 11, 20, 7, 1, 2, 345_000, UTC)


@pytest.mark.parametrize(
    "row",
    [
        {"event": ">", "data": f"MAIL FROM:<{THROTTLED}>"},
        {"event": "*", "data": THROTTLED},
        {"event": ">", "data": THROTTLED},
        {"event": "-", "data": "", "context": THROTTLED},
        {"remote": "154.7.230.12:25", "event": "+", "data": ""},
        {"event": "<", "data": "421 4.3.2 Service not available, see 154.7.230.12"},
        {"event": "<", "data": "250 2.1.0 <450 4.7.230@contoso.com> Sender OK"},
    ],
)
def test_nothing_is_derived_where_the_peer_did_not_say_it(row: dict[str, str]) -> None:
    found = sent(**row)
    assert (found["enforcement_action"], found["enforcement_minutes"]) == (None, None)
    assert found["enhanced_code"] not in ("4.7.230", "5.7.230")


def test_a_line_saved_in_windows_1252() -> None:
    data = (
        header()
        + smtp_line(1, connector="Köln – Büro", data="RCPT TO:<jürgen@contoso.com>").encode("cp1252")
        + b"\r\n"
    )
    data += (smtp_line(2, connector="Köln – Büro") + "\r\n").encode()
    read = read_log(data)
    assert [row["connector_id"] for row in read.rows] == ["Köln – Büro"] * 2
    assert read.rows[0]["data"] == "RCPT TO:<jürgen@contoso.com>"
    assert read.not_utf8 == 1


def test_exact_duplicates_and_rows_out_of_order_are_all_rows() -> None:
    lines = [smtp_line(n, connector=RECEIVE) for n in (5, 1, 1, 1, 3)]
    read = read_log(("\n".join(lines)).encode())
    assert [row["sequence_number"] for row in read.rows] == [5, 1, 1, 1, 3]
    assert read.lines == 5


def test_a_row_of_another_log_among_them_is_quarantined() -> None:
    imap = "2018-10-08T15:09:27.508Z,00000000003B0001,2,203.0.113.5:993,203.0.113.81:40016,ann,168,31,31,authenticate,PLAIN,R=ok"
    lines = [smtp_line(1, connector=RECEIVE), "", imap, "", smtp_line(2, connector=RECEIVE), ""]
    read = read_log(receive_header() + "\r\n".join(lines).encode())
    assert ([row["sequence_number"] for row in read.rows], read.raw(), read.header) == ([1, 2], [imap], 7)
    assert read.bad[0]["parse_error"] == "12 cells where the header has 9 fields"
