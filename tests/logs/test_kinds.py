"""What a file is: the logs that are read, and each neighbour by its name."""

from __future__ import annotations

import codecs

import pytest

from pipeline.logs.kinds import read_head

from .lines import BOM, SMTP, TRACKING_2016, header, receive_header, smtp_line, tracking_header, tracking_line

CONNECTIVITY = "#Fields: date-time,session,source,Destination,direction,description\r\n"
AGENT = (
    "Timestamp,SessionId,LocalEndpoint,RemoteEndpoint,EnteredOrgFromIP,MessageId,P1FromAddress,P2FromAddresses,Recipient,"
    "NumRecipients,Agent,Event,Action,SmtpResponse,Reason,ReasonData,Diagnostics,NetworkMsgID,TenantID,Directionality"
)
POP = "dateTime,sessionId,seqNumber,sIp,cIp,user,duration,rqsize,rpsize,command,parameters,context,puid"
NEIGHBOURS = {
    "connectivity": [
        header(("date-time",), log_type="Transport Connectivity Log").decode().split("#Fields")[0]
        + CONNECTIVITY,
        "2026-11-20T21:08:37.536Z,08DE3F2D00BA4A71,SMTP,contoso.com,+,Undefined 0000;QueueLength=0\n",
        "2026-11-20T21:08:37.583Z,08DE3F2D00BA4A71,SMTP,contoso.com,-,Messages: 1 Bytes: 10 ()\n",
    ],
    "agent": [
        header((AGENT,), log_type="Agent Log").decode()
        + "2026-11-20T14:38:59.177Z,2345EB,10.1.1.1,198.51.100.33:46904,198.51.100.33,,a@x.de,a@x.de;,b@y.de,1,Filter,OnX,Y,,,,,,,Incoming\r\n",
    ],
    "POP or IMAP": [
        f"#Software: Microsoft Exchange Server\r\n#Version: 15.00.0000.000\r\n#Date: 2026-11-20T08:00:00.000Z\r\n#Fields: {POP}\r\n",
        '2026-11-20T21:28:50.530Z,000000000000000E,2,10.1.1.1:143,10.1.1.2:35070,ann,168,31,31,authenticate,PLAIN,"R=""2 NO."";x",\n',
        f"{POP}\r\n#Software: Microsoft Exchange Server\r\n#Fields: {POP}\r\n",
    ],
    "IIS": [
        "#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n#Date: 2026-11-20 00:00:00\n"
        "#Fields: date time s-ip cs-method\n2026-11-20 00:00:00 10.1.1.1 GET\n",
    ],
    "IIS SMTP service": [
        "192.0.2.8, wwwsmtp02, 4/23/2009, 9:47:02, SMTPSVC1, WWWSMTP02, 192.0.2.8, 0, 36, 49, 250, 0, MAIL, -, FROM:<a@contoso.com>,\n",
        "203.0.113.9, OutboundConnectionResponse, 4/23/2009, 9:47:02, SMTPSVC1, WWWSMTP02, -, 47, 0, 114, 0, 0, -, -, 220 x ready,\n",
    ],
    "message tracking of Exchange 2000/2003": [
        "# Message Tracking Log File\n# Exchange System Attendant Version 6.5.7638.1\n# Date\tTime\tclient-ip\n",
        "2012-11-29\t10:41:58 GMT\t-\t-\t-\tEXCHANGE\t-\tjo@contoso.com\t1027\tX@y\t0\t0\t288\t1\t2012-11-29 10:41:58 GMT\t0\t-\t-\t-\tEX:/O=Q\t-\n",
    ],
    "PowerShell export": [
        "RunspaceId              : c958f05e-0000-6fdb-8901-6ebceb589ebd\nTimestamp               : 4/6/2026 2:46:03 PM\n",
        "Timestamp ClientIp ClientHostname ServerIp ServerHostname SourceContext\n8/20/2026 1:00:00 AM 10.1.1.1 EX01\n",
        '#TYPE Microsoft.Exchange.Management.TransportLogSearchTasks.MessageTrackingEvent\n"RunspaceId","Timestamp"\n',
        '"RunspaceId","Timestamp","ClientIp"\n"c9","20.11.2026 08:00:00","10.1.1.1"\n',
        '"PSComputerName","RunspaceId"\n"ex01","c9"\n',
    ],
    "Exchange Online historical search": [
        "origin_timestamp_utc,sender_address,recipient_status\n2026-11-20T08:00:00.0000000Z,a@x.de,b@y.de##Receive\n",
        '"date_time_utc","client_ip"\n"2026-11-20T08:00:00.0000000Z",""\n',
        "date_time_utc             : 2026-11-23T19:49:37.6050000Z\nclient_ip                 :\n",
    ],
    "protocol log of a client access service": [
        "DateTime,RequestId,MajorVersion\n#Software: Microsoft Exchange Server\n"
    ],
    "not a transport log": [
        "Received: from x by y\n",
        "hello\n",
        "{}\n",
        "\x00\x00\x00",
        "PK",
        "2026-11-20 08:00:00,123 INFO start\n",
        "",
    ],
}


@pytest.mark.parametrize(
    ("kind", "text"), [(kind, text) for kind, texts in NEIGHBOURS.items() for text in texts]
)
@pytest.mark.parametrize("saved", ["as it is", "BOM", "LF"])
def test_each_neighbour_is_named(kind: str, text: str, saved: str) -> None:
    data = text.replace("\r\n", "\n").encode() if saved == "LF" else text.encode()
    head = read_head(BOM + data if saved == "BOM" else data, whole=True)
    assert (head.kind.name, head.kind.is_read) == (kind, False)


@pytest.mark.parametrize(
    ("block", "row", "kind"),
    [
        (tracking_header(), tracking_line(1), "message-tracking"),
        (receive_header(), smtp_line(1, connector="EX01\\D"), "smtp-receive"),
        (header(), smtp_line(1), "smtp-send"),
    ],
)
@pytest.mark.parametrize(
    "saved",
    [
        "as it is",
        "BOM",
        "LF",
        "capital type",
        "no hash",
        "no type",
        "header only",
        "half a row",
        "half a header",
    ],
)
def test_each_log_that_is_read(block: bytes, row: str, kind: str, saved: str) -> None:
    data = block + row.encode() + b"\r\n"
    data = {
        "BOM": BOM + data,
        "LF": data.replace(b"\r\n", b"\n"),
        "capital type": data.replace(b"#Log-type", b"#LOG-TYPE"),
        "no hash": data.replace(b"#", b""),
        "no type": b"\r\n".join(line for line in data.split(b"\r\n") if b"Log-type" not in line),
        "header only": block,
        "half a row": data[:-20],
        "half a header": block[:-10],
    }.get(saved, data)
    head = read_head(data, whole=True)
    assert head.kind.name == kind


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_decoded_before_it_is_looked_at(codec: str, tmp_path: object) -> None:
    from pathlib import Path

    from pipeline.logs.discover import Candidate, discover, head

    folder = Path(str(tmp_path))
    mark = codecs.BOM_UTF16_LE if codec.endswith("le") else codecs.BOM_UTF16_BE
    (folder / "send.log").write_bytes(mark + (header().decode() + smtp_line(1) + "\r\n").encode(codec))
    (candidate,) = discover([folder])
    assert isinstance(candidate, Candidate)
    start, whole = head(candidate, 64 << 10)
    assert (read_head(start, whole=whole).kind.name, whole) == ("smtp-send", True)


def test_identity_is_the_same_with_a_bom_or_other_line_ends_and_as_the_log_grows() -> None:
    rows = [(smtp_line(n) + "\r\n").encode() for n in range(3)]
    data = header() + b"".join(rows)
    first = read_head(data, whole=True)
    for other in (BOM + data, data.replace(b"\r\n", b"\n"), header() + rows[0], data[:-5]):
        head = read_head(other, whole=True)
        assert (head.first_record, head.header_block) == (first.first_record, first.header_block)
    assert first.first_record == rows[0].rstrip()
    assert first.header_block == header().replace(b"\r", b"").strip()


def test_identity_tells_logs_with_the_same_preface_apart() -> None:
    heads = [
        read_head(
            b"copied from EX01\r\n"
            + header(date=f"2026-11-2{n}T08:00:00.000Z")
            + smtp_line(1).encode()
            + b"\n",
            whole=True,
        )
        for n in (0, 1)
    ]
    assert len({(head.header_block, head.first_record) for head in heads}) == 2


def test_a_header_far_down_is_not_the_identity_of_the_rows_above_it() -> None:
    """A log without header that grows by one with a header is the same log."""
    rows = b"".join((smtp_line(n) + "\n").encode() for n in range(3))
    alone, grown = read_head(rows, whole=True), read_head(rows + header() + rows, whole=True)
    assert (alone.first_record, alone.header_block) == (grown.first_record, grown.header_block)


@pytest.mark.parametrize("rest", [b'"', b",", b'x,"', b"#Version: 15.0.0.0\n#Log-tsion\nx"])
def test_what_stands_above_the_first_row_is_no_part_of_the_identity_however_much_of_the_log_is_there(
    rest: bytes,
) -> None:
    rows = [b"2026-11-20T08:00:0%d.000Z,,08DE2A11B0C4D501,0,,,+,,\n" % second for second in range(3)]
    whole = rest + b"\n" + b"".join(rows)
    first = rows[0].rstrip(b"\n")
    heads = [
        read_head(whole[:end], whole=True) for end in range(len(rest) + 1 + len(rows[0]), len(whole) + 1)
    ]
    assert {head.first_record for head in heads} == {first}
    assert len({head.header_block for head in heads}) == 1
    assert not any(head.is_open for head in heads)
    assert read_head(whole[: len(rest) + 30], whole=True).is_open


def test_the_fields_of_the_kinds() -> None:
    assert read_head(header() + smtp_line(1).encode(), whole=True).kind.header.fields == SMTP
    assert read_head(tracking_header(), whole=True).kind.header.fields == TRACKING_2016
