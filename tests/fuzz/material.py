"""Valid logs, and what breaks them: a seeded generator that knows the shape of a log.

Each input is made from its own seed, so that one input can be made again without those before it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from random import Random

from tests.logs.lines import BOM, SMTP, TRACKING_2007, TRACKING_2010, TRACKING_2013, TRACKING_2016, stamp

FIELD_LISTS = (SMTP, TRACKING_2007, TRACKING_2010, TRACKING_2013, TRACKING_2016)
_ENDS = (b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r\r\n")
REPLIES = (
    "250 2.1.5 Recipient OK",
    "450 4.7.230 Connecting Exchange server version is out-of-date; connection to Exchange Online is throttled "
    "for 5 mins/hr. For more information see https://aka.ms/BlockUnsafeExchange. "
    "[AM0PR01MB1234.eurprd01.prod.exchangelabs.com 2026-11-20T08:00:00.123Z 08DE2A11B0C4D501]",
    "550 5.7.230 Connecting Exchange server version is out-of-date; connection to Exchange Online is blocked for "
    "10 mins/hr.",
    "[{LED=450 4.4.317 Cannot connect to remote server [Message=SocketTimedout] [LastAttemptedServerName=a.mail."
    "protection.outlook.com]};{MSG=};{FQDN=a.mail.protection.outlook.com};{IP=52.101.1.2};{LRT=11/20/2026 8:00:00 AM}]",
    "554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException",
    "220 mail.contoso.com Microsoft ESMTP MAIL Service ready at Fri, 20 Nov 2026 08:00:00 +0000",
    "EHLO EX01.contoso.com",
    "MAIL FROM:<anna@contoso.com> SIZE=5000",
    'Msg="#4.7.230";R="throttled for 5 mins/hr"',
    "421 4.4.2 Connection dropped due to SocketError",
)
_CELLS = (
    *REPLIES,
    "",
    "EX01",
    "ex02.contoso.com",
    "EX01\\Default Frontend EX01",
    "10.20.1.5:44276",
    "[fe80::1%3]:25",
    "08DE2A11B0C4D501",
    "0",
    "007",
    "-5",
    "2147483648",
    "9223372036854775808",
    "0xFF",
    "NULL",
    "nan",
    "SEND",
    "RECEIVE",
    ">",
    "<",
    "+",
    "-",
    "*",
    "2026-11-20T10:00:00.000Z",
    "2026-11-20T10:00",
    "9999-12-31T23:59:59.999Z",
    "2026-02-30T10:00:00Z",
    "#Fields: no header",
    "a,b",
    '"',
    'say ""hi""',
    "line\r\nbreak",
    "line\nbreak",
    "line\n\nblank",
    "bare\rreturn",
    "\x00\x00",
    "организация",
    "组织内 SMTP",
    "\u2028\u0085\ufeff",
    "<1@contoso.com>",
    "x" * 300,
    "S:DeliveryPriority=Normal;S:AccountForest=contoso.com",
    "15.01.2507.039",
    "=cmd|' /C calc'!A0",
)
_TOKENS = (
    b'"',
    b'""',
    b',"',
    b'",',
    b'"\r\n',
    b"\r",
    b"\n",
    b"\r\n",
    b"\r\r\n",
    b"\n\n",
    b"\x00",
    b"\x00" * 9,
    b"\x00\n",
    BOM,
    b"\n" + BOM,
    b",",
    b"," * 40,
    b"#",
    b"\n#",
    b"#Software: Microsoft Exchange Server\r\n",
    b"#Version: 15.0.0.0\r\n",
    b"#Log-type: SMTP Receive Protocol Log\r\n",
    b"#Log-type: Message Tracking Log\r\n",
    b"#Date: 2026-11-20T08:00:00.000Z\r\n",
    b"#Fields: date-time,a,b\r\n",
    b"#Fields: " + b",".join(b"date-time" for _ in range(5)) + b"\n",
    b"#Fields:\n",
    b"date-time,connector-id\r\n",
    b"Fields: date-time,x\n",
    b"2026-11-20T09:00:00.000Z,",
    b"\n2026-11-20T09:00:00.000Z,",
    b"\x002026-11-20T09:00:00.000Z,",
    b"2026-11-20T",
    b"20",
    b"\xff",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"\xc3",
    b"\xe9",
    b" ",
    b"\t",
    b"\x1a",
    b"\xe2\x80\xa8",
    b"\xc2\x85",
    b"\x0b\x0c\x1c",
)


def random_of(seed: int, target: str, number: int) -> Random:
    """The source of chance of one input."""
    return Random(f"{seed}:{target}:{number}")


def cell(random: Random) -> str:
    """The text of one cell, mostly an ordinary one."""
    kind = random.random()
    if kind < 0.4:
        return ""
    if kind < 0.95:
        return random.choice(_CELLS)
    return "".join(chr(random.choice((random.randrange(1, 0x250), 0x4E00, 0x1F600))) for _ in range(5))


def row(random: Random, fields: tuple[str, ...], number: int, end: bytes) -> bytes:
    """A line of a log as Exchange writes it."""
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow([stamp(number), *(cell(random) for _ in fields[1:])])
    return out.getvalue().encode("utf-8", "surrogatepass") + end


def header_block(random: Random, fields: tuple[str, ...], end: bytes) -> bytes:
    """A header block; some lack lines."""
    kind = "Message Tracking Log" if len(fields) > 9 else random.choice(("SMTP Send", "SMTP Receive"))
    lines = [
        "#Software: Microsoft Exchange Server",
        f"#Version: {random.choice(('15.0.0.0', '15.01.2507.039', '15.02.1544.011', '8.0.0.0'))}",
        f"#Log-type: {kind}" + ("" if len(fields) > 9 else " Protocol Log"),
        f"#Date: {stamp(random.randrange(100))}",
        f"#Fields: {','.join(fields)}",
    ]
    if random.random() < 0.1:
        del lines[random.randrange(5)]
    return b"".join(line.encode() + end for line in lines)


def valid_log(random: Random) -> bytes:
    """A log of a few rows, with a header or more."""
    fields = random.choice(FIELD_LISTS)
    end = random.choice(_ENDS)
    pieces = [random.choice((b"", b"", b"", BOM)), header_block(random, fields, end)]
    if random.random() < 0.05:
        pieces = []
    for number in range(random.choice((0, 1, 2, 3, 4, 5, 6, 9))):
        pieces.append(row(random, fields, number, end))
        if random.random() < 0.05:
            fields = random.choice(FIELD_LISTS)
            pieces.append(header_block(random, fields, end))
    return b"".join(pieces)


def _somewhere(random: Random, data: bytes) -> int:
    return random.randrange(len(data) + 1)


def _insert_token(random: Random, data: bytes) -> bytes:
    at = _somewhere(random, data)
    return data[:at] + random.choice(_TOKENS) + data[at:]


def _overwrite_token(random: Random, data: bytes) -> bytes:
    at, token = _somewhere(random, data), random.choice(_TOKENS)
    return data[:at] + token + data[at + len(token) :]


def _cut_out(random: Random, data: bytes) -> bytes:
    at = _somewhere(random, data)
    return data[:at] + data[at + random.choice((1, 1, 2, 5, 30, 200)) :]


def _cut_off(random: Random, data: bytes) -> bytes:
    return data[: _somewhere(random, data)]


def _flip(random: Random, data: bytes) -> bytes:
    if not data:
        return data
    at = random.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << random.randrange(8))]) + data[at + 1 :]


def _repeat(random: Random, data: bytes) -> bytes:
    at = _somewhere(random, data)
    piece = data[at : at + random.choice((1, 10, 100, 1000))]
    return data[:at] + piece * random.choice((2, 2, 3, 10)) + data[at + len(piece) :]


def _lines(random: Random, data: bytes) -> bytes:
    """Lines swapped, doubled, dropped or joined."""
    lines = data.splitlines(keepends=True)
    if not lines:
        return data
    one, two = random.randrange(len(lines)), random.randrange(len(lines))
    kind = random.randrange(5)
    if kind == 0:
        lines[one], lines[two] = lines[two], lines[one]
    elif kind == 1:
        lines.insert(two, lines[one])
    elif kind == 2:
        del lines[one]
    elif kind == 3:
        lines[one] = lines[one].rstrip(b"\r\n")
    else:
        lines.insert(
            one, random.choice((b"\r\n", b"\n", b"\x00\x00\r\n", b"  \n", b"pasted text\r\n", b"#\n"))
        )
    return b"".join(lines)


def _cells(random: Random, data: bytes) -> bytes:
    """A cell replaced, doubled, dropped, quoted or unquoted, without knowing of quotes."""
    cells = data.split(b",")
    at = random.randrange(len(cells))
    kind = random.randrange(5)
    if kind == 0:
        cells[at] = cell(random).encode("utf-8", "surrogatepass")
    elif kind == 1:
        cells.insert(at, cells[at])
    elif kind == 2:
        del cells[at]
    elif kind == 3:
        cells[at] = b'"' + cells[at] + b'"'
    else:
        cells[at] = cells[at].replace(b'"', b"")
    return b",".join(cells)


def _spliced(random: Random, data: bytes) -> bytes:
    other = valid_log(random)
    return data[: _somewhere(random, data)] + other[_somewhere(random, other) :]


def _header_in(random: Random, data: bytes) -> bytes:
    fields = random.choice((*FIELD_LISTS, ("date-time",), (*SMTP, "x", "x"), SMTP[::-1]))
    lines = data.splitlines(keepends=True)
    lines.insert(
        random.randrange(len(lines) + 1),
        header_block(random, fields, random.choice(_ENDS)),
    )
    return b"".join(lines)


MUTATIONS: tuple[Callable[[Random, bytes], bytes], ...] = (
    _insert_token,
    _insert_token,
    _overwrite_token,
    _cut_out,
    _cut_off,
    _flip,
    _repeat,
    _lines,
    _lines,
    _cells,
    _cells,
    _spliced,
    _header_in,
)


def damaged_log(random: Random, *, keep_fields: bool = False) -> bytes:
    """A log with none to eight mutations; `keep_fields` leaves its header block whole."""
    data = valid_log(random)
    front = b""
    if keep_fields:
        front, mark, data = data.partition(b"#Fields: ")
        line, end, data = data.partition(b"\n")
        front += mark + line + end
    for _ in range(random.choice((0, 1, 1, 1, 2, 2, 3, 5, 8))):
        data = random.choice(MUTATIONS)(random, data)
        data = data[: 16 << 10]
    return front + data


def reply(random: Random) -> str:
    """A reply, mutated as text."""
    text = random.choice((*REPLIES, *REPLIES, *_CELLS))
    for _ in range(random.choice((0, 1, 1, 2, 3, 5, 8))):
        at = random.randrange(len(text) + 1)
        kind = random.randrange(5)
        if kind == 0:
            text = text[:at] + random.choice(_REPLY_TOKENS) + text[at:]
        elif kind == 1:
            text = text[:at] + text[at + random.choice((1, 3, 20)) :]
        elif kind == 2:
            piece = text[at : at + random.choice((1, 5, 50))]
            text = text[:at] + piece * random.choice((2, 3, 20)) + text[at:]
        elif kind == 3:
            text += random.choice(REPLIES)
        else:
            text = (
                text[:at]
                + chr(random.choice((0, 9, 10, 13, 34, 39, 0x2028, 0x661, 0xFF14, 0x1F600)))
                + text[at:]
            )
        text = text[:4000]
    return text


_REPLY_TOKENS = (
    "4.7.230",
    "5.7.230",
    ".7.230",
    "450 ",
    "#",
    "{LED=",
    "[{LED=",
    "};{MSG=};{FQDN=",
    "<led-",
    ">;<FQDN-",
    "throttled for 5 mins/hr",
    "blocked for 99999 mins/hr",
    "throttled\r\nfor 5 min per hour",
    "Hostname=",
    "[",
    "]",
    "{",
    "}",
    "'",
    '"',
    ";",
    "[a.b 2026-13-40T99:99:99Z FF]",
    "[x.prod.outlook.com 2026-11-20T08:00:00.123456789Z 08DE]",
    ";ClientSubmitTime:",
    " " * 50,
    "a." * 50,
    "-",
    "\n",
)
