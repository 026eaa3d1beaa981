"""Reading replies: every documented form of the enforcement reply, its neighbours, and properties.
 Texts follow what is publicly known of the reply (Microsoft's announcement, posts of users, one bounce of
March 2026); no full log line of it is public, so forms around it are built.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.logs.replies import (
    code_and_words_disagree,
    error_record,
    may_hold_enforcement,
    read_reply,
    reply_columns,
)

TEXT = pl.col("text")
WORDS = "Connecting Exchange server version is out-of-date; connection to Exchange Online {}."
THROTTLED = WORDS.format("throttled for 5 mins/hr")
BLOCKED = WORDS.format("blocked for 60 mins/hr")


def read(texts: Sequence[str | None]) -> pl.DataFrame:
    return pl.DataFrame({"text": texts}, schema={"text": pl.String}).select(**reply_columns(TEXT))


def one(text: str) -> tuple[int | None, str | None, str | None, int | None]:
    code, enhanced, action, minutes, _, _ = read([text]).row(0)
    return code, enhanced, action, minutes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # 1 and 2: as documented
        (f"450 4.7.230 {THROTTLED}", (450, "4.7.230", "throttle", 5)),
        (f"550 5.7.230 {BLOCKED}", (550, "5.7.230", "block", 60)),
        # 3 and 4: without the three digits, as in Microsoft's post of 2023-12 and in a queue of 2024-02
        (f"4.7.230 {THROTTLED}", (None, "4.7.230", "throttle", 5)),
        (f"5.7.230 {BLOCKED}", (None, "5.7.230", "block", 60)),
        # 5: the start of an error record, cut
        (f"{{LED=550 5.7.230 {BLOCKED}", (550, "5.7.230", "block", 60)),
        # 6: with the link of the announcement
        (
            f"450 4.7.230 {THROTTLED} For more information see https://aka.ms/BlockUnsafeExchange.",
            (450, "4.7.230", "throttle", 5),
        ),
        # 7: the bounce of 2026-03-10
        (
            "550 5.7.230 " + WORDS.format("blocked for 20 mins/hr") + " For more information see"
            " https://aka.ms/ExchangeBuildCompliance . [LO1PEPF000028CD.GBRP265.PROD.OUTLOOK.COM"
            " 2026-03-10T11:54:01.579Z 08DE799E43D7338C]",
            (550, "5.7.230", "block", 20),
        ),
        # units in other words, and loose white space
        ("450 4.7.230 throttled for 1 min/hr", (450, "4.7.230", "throttle", 1)),
        ("450 4.7.230 throttled for 5 mins per hour", (450, "4.7.230", "throttle", 5)),
        ("450 4.7.230 throttled for 5 minutes per hour", (450, "4.7.230", "throttle", 5)),
        ("450  4.7.230   Throttled  for  30   mins / hr.", (450, "4.7.230", "throttle", 30)),
        ("450-4.7.230 throttled for 5 mins/hr", (450, "4.7.230", "throttle", 5)),
        ("450 #4.7.230 throttled for 5 mins/hr", (450, "4.7.230", "throttle", 5)),
        ("450 4.7.230: throttled for 45 mins/hr", (450, "4.7.230", "throttle", 45)),
        # wrapped by a console inside words
        ("450 4.7.230 connection thrott\n    led for 5 mi\n    ns/hr.", (450, "4.7.230", "throttle", 5)),
        ("550 5.7.230 connection blocked for 60 mins/h\r\n    r.", (550, "5.7.230", "block", 60)),
        # code without the words
        ("450 4.7.230", (450, "4.7.230", "unknown", None)),
        ("550 5.7.230 Access denied", (550, "5.7.230", "unknown", None)),
        ("4.7.230.", (None, "4.7.230", "unknown", None)),
        ("[{LED=450 4.7.230 something new};{MSG=};{FQDN=};{IP=};{LRT=}]", (450, "4.7.230", "unknown", None)),
        # the words decide the action where code and words disagree
        ("450 4.7.230 blocked for 10 mins/hr", (450, "4.7.230", "block", 10)),
        ("550 5.7.230 throttled for 10 mins/hr", (550, "5.7.230", "throttle", 10)),
        # lists: a bounce form, an accepted recipient before the refused one
        (f"Remote Server returned '550 5.7.230 {BLOCKED}'", (550, "5.7.230", "block", 60)),
        (
            f"250 2.1.5 Recipient OK;'[{{LED=450 4.7.230 {THROTTLED}}};{{MSG=}}]'",
            (450, "4.7.230", "throttle", 5),
        ),
    ],
)
def test_forms_of_the_enforcement_reply(
    text: str, expected: tuple[int | None, str | None, str | None, int | None]
) -> None:
    assert one(text) == expected


def nested(inner: str) -> str:
    return (
        "[{LRT=11/20/2026 8:00:01 AM};"
        "{LED=450 4.7.0 Proxy session setup failed on Frontend with '451 4.4.0 Primary"
        f' target IP address responded with: "{inner}" Attempted failover to alternate host, but that did not'
        " succeed.'};{FQDN=ex01.contoso.com};{IP=10.0.0.5}]"
    )


def test_the_innermost_reply_counts_where_it_is_enforcement() -> None:
    bracket = "[CH3PEPF00000016.namprd21.prod.outlook.com 2026-11-20T08:00:01.476Z 08DE3FA5DBC8F401]"
    row = read([nested(f"450 4.7.230 {THROTTLED} {bracket}")]).row(0)
    assert row == (
        450,
        "4.7.230",
        "throttle",
        5,
        "CH3PEPF00000016.namprd21.prod.outlook.com",
        datetime(2026, 11, 20, 8, 0, 1, 476000, UTC),
    )
    assert one(nested(f"550 5.7.230 {BLOCKED}")) == (550, "5.7.230", "block", 60)


def test_the_wrapper_counts_where_the_inner_reply_is_something_else() -> None:
    assert one(nested("451 4.7.500 Server busy. Please try again later")) == (450, "4.7.0", None, None)
    led = f"451 4.4.397 Error communicating with target host. -> 450 4.7.230 {THROTTLED}"
    assert one(f"[{{LED={led}}};{{MSG=}};{{FQDN=}};{{IP=}};{{LRT=}}]") == (450, "4.7.230", "throttle", 5)


@pytest.mark.parametrize(
    "text",
    [
        "550 5.7.1 Client host [154.7.230.12] blocked for 5 mins/hr",
        "4.7.230.9 throttled for 5 mins/hr",
        "v4.7.230 throttled for 5 mins/hr",
        "version 14.7.230 throttled for 5 mins/hr",
        "450 4.7.2301 throttled for 5 mins/hr",
        "450 4.7.23 throttled for 5 mins/hr",
        "id 10.4.7.230 throttled for 5 mins/hr",
        "x_4.7.230 throttled for 5 mins/hr",
        "451 4.7.500 Server busy, throttled for 5 mins/hr",
        "450 4.7.231 throttled for 5 mins/hr",
        "250 2.6.0 <4.7.230@contoso.com> [InternalId=1, Hostname=ex01.contoso.com] Queued mail for delivery",
        "550 5.1.1 build 4.7.230 of our gateway",
        "connection to Exchange Online throttled for 5 mins/hr",
        "",
    ],
)
def test_what_is_not_the_enforcement_reply(text: str) -> None:
    assert one(text)[2:] == (None, None)


@pytest.mark.parametrize(
    ("text", "code", "enhanced"),
    [
        ("250 2.1.5 Recipient OK", 250, "2.1.5"),
        ("250 2.1.5 Recipient OK;250 2.1.5 Recipient OK", 250, "2.1.5"),
        (";250 2.6.0 <a@contoso.com> [InternalId=7, Hostname=x] Queued;ClientSubmitTime:", 250, "2.6.0"),
        ("220 ex01.contoso.com Microsoft ESMTP MAIL Service ready", 220, None),
        ("250-ex01.contoso.com Hello [10.0.0.5]", 250, None),
        ("250  ex01.contoso.com Hello [10.0.0.5] SIZE 37748736", 250, None),
        ("354 Start mail input; end with <CRLF>.<CRLF>", 354, None),
        ("421 4.4.2 Connection dropped", 421, "4.4.2"),
        ("'[{LED=554 5.2.2 mailbox full; STOREDRV.Deliver};{MSG=};{FQDN=};{IP=};{LRT=}]'", 554, "5.2.2"),
        ("[{LRT=x};{LED=451 4.4.0 DNS query failed};{FQDN=};{IP=}]", 451, "4.4.0"),
        ("Tarpit for '0.00:00:05' due to '535 5.7.3 Authentication unsuccessful'", 535, "5.7.3"),
        ("5.7.705 Access denied", None, "5.7.705"),
        ("250 154.7.230.1 greets you", 250, None),
        ("2026-11-20T08:00:01Z", None, None),
        ("2507 people", None, None),
        ("Inbox", None, None),
        ("To;Cc", None, None),
    ],
)
def test_codes_of_other_replies(text: str, code: int | None, enhanced: str | None) -> None:
    assert one(text) == (code, enhanced, None, None)


@pytest.mark.parametrize(
    ("text", "host", "moment"),
    [
        (
            "550 5.7.51 x [CH3PEPF00000016.namprd21.prod.outlook.com 2025-01-29T19:07:30.476Z"
            " 08DD3FA5DBC8F401]",
            "CH3PEPF00000016.namprd21.prod.outlook.com",
            datetime(2025, 1, 29, 19, 7, 30, 476000, UTC),
        ),
        (
            "550 5.7.51 x [AB.prod.outlook.com 2025-01-29T19:07:30Z 08DD3FA5DBC8F401]",
            "AB.prod.outlook.com",
            datetime(2025, 1, 29, 19, 7, 30, tzinfo=UTC),
        ),
        (
            "250 2.6.0 <a@b> [InternalId=12, Hostname=AS8PR01MB1.eurprd01.prod.outlook.com] 9 bytes Queued",
            "AS8PR01MB1.eurprd01.prod.outlook.com",
            None,
        ),
        (
            "450 4.7.230 x [CH3PEPF00000016.namprd21.prod.outlook.com]",
            "CH3PEPF00000016.namprd21.prod.outlook.com",
            None,
        ),
        ("250 ex01 Hello [ex02.contoso.com]", None, None),
        ("550 5.7.1 Client host [192.0.2.1] refused", None, None),
        (
            "550 5.7.51 x [AB.prod.outlook.com 2025-02-30T19:07:30Z 08DD3FA5DBC8F401]",
            "AB.prod.outlook.com",
            None,
        ),
    ],
)
def test_host_and_time(text: str, host: str | None, moment: datetime | None) -> None:
    assert read([text]).row(0)[4:] == (host, moment)


def test_nulls_stay_null_and_types_hold() -> None:
    frame = read([None, "", "450 4.7.230 " + THROTTLED])
    assert frame.row(0) == (None,) * 6
    assert frame.row(1) == (None,) * 6
    assert frame.schema == {
        "reply_code": pl.Int32,
        "enhanced_code": pl.String,
        "enforcement_action": pl.String,
        "enforcement_minutes": pl.Int32,
        "reply_host": pl.String,
        "reply_time": pl.Datetime("us", "UTC"),
    }
    assert read([]).height == 0


def test_disagreement_is_flagged() -> None:
    texts = [
        "450 4.7.230 blocked for 5 mins/hr",
        "550 5.7.230 throttled for 5 mins/hr",
        f"450 4.7.230 {THROTTLED}",
    ]
    frame = pl.DataFrame({"text": [*texts, "450 4.7.230", "250 2.1.5 OK", None]})
    assert frame.select(code_and_words_disagree(TEXT)).to_series().to_list() == [
        True,
        True,
        False,
        False,
        False,
        False,
    ]


def test_may_hold_is_a_literal_test() -> None:
    frame = pl.DataFrame({"text": ["450 4.7.230", "154.7.230.12", "250 2.1.5", None]})
    assert frame.select(may_hold_enforcement(TEXT)).to_series().to_list() == [True, True, False, False]


RECORDS = [
    (
        "[{LED=550 5.1.1 User unknown};{MSG=};{FQDN=mx.fabrikam.com};{IP=192.0.2.9};"
        "{LRT=1/21/2025 3:45:12 AM}]",
        ("550 5.1.1 User unknown", None, "mx.fabrikam.com", "192.0.2.9", "1/21/2025 3:45:12 AM"),
    ),
    # LRT first, as in queue listings
    (
        "[{LRT=02.04.2023 18:54:01};{LED=451 4.4.0 DNS query failed};{FQDN=mx.fabrikam.com};{IP=}]",
        ("451 4.4.0 DNS query failed", None, "mx.fabrikam.com", None, "02.04.2023 18:54:01"),
    ),
    # ; { [ inside the last error, the element wrapped in single quotes
    (
        "'[{LED=554 5.2.2 mailbox full; STOREDRV {code 1}; [Stage: Create]};{MSG=m};{FQDN=ex01};"
        "{IP=::1};{LRT=}]'",
        ("554 5.2.2 mailbox full; STOREDRV {code 1}; [Stage: Create]", "m", "ex01", "::1", None),
    ),
    # PowerShell's outer braces; cut off; without any other key
    ("{[{LED=450 4.7.230 x};{MSG=};{FQDN=a};{IP=b};{LRT=c}]}", ("450 4.7.230 x", None, "a", "b", "c")),
    ("{LED=550 5.7.230 Connecting Exchange", ("550 5.7.230 Connecting Exchange", None, None, None, None)),
    ("[{LED=}]", (None, None, None, None, None)),
    # the first of several recipients
    (
        "[{LED=450 a};{MSG=};{FQDN=one};{IP=};{LRT=}];[{LED=450 b};{MSG=};{FQDN=two};{IP=};{LRT=}]",
        ("450 a", None, "one", None, None),
    ),
    # Exchange 2010 in places
    (
        "[<LRI-x>; <led-450 4.4.2 dropped>;<FQDN-mx.fabrikam.com>;<IP=192.0.2.9>]",
        ("450 4.4.2 dropped", None, "mx.fabrikam.com", "192.0.2.9", None),
    ),
    ("250 2.1.5 Recipient OK", (None, None, None, None, None)),
    ("Grüße {LED=450 ü};{FQDN=ä.example}]", ("450 ü", None, "ä.example", None, None)),
    (None, (None, None, None, None, None)),
]


def test_error_records() -> None:
    frame = pl.DataFrame({"text": [text for text, _ in RECORDS]}).select(**error_record(TEXT))
    assert frame.columns == ["led", "msg", "fqdn", "ip", "lrt"]
    for (text, expected), row in zip(RECORDS, frame.rows(), strict=True):
        assert row == expected, text


def test_the_nested_error_record_keeps_its_last_error_whole() -> None:
    inner = f"450 4.7.230 {THROTTLED}"
    frame = pl.DataFrame({"text": [nested(inner)]}).select(**error_record(TEXT))
    led, _, fqdn, ip, lrt = frame.row(0)
    assert led.startswith("450 4.7.0 Proxy session setup failed")
    assert led.endswith("did not succeed.'")
    assert (fqdn, ip, lrt) == ("ex01.contoso.com", "10.0.0.5", "11/20/2026 8:00:01 AM")


def test_a_single_reply_may_be_wrapped_inside_its_code() -> None:
    reply = read_reply(
        "{[{LED=550 5.7.2\n                   30 Connecting; blocked for 60 mi\n                   ns/hr}]}"
    )
    assert (reply.code, reply.enhanced_code, reply.action, reply.minutes) == (550, "5.7.230", "block", 60)
    assert not reply.code_and_words_disagree


ANY = st.one_of(
    st.text(max_size=80),
    st.text("457.230 {}[];'\"=<>-LEDMSGthrotledforminshr/\n", max_size=80),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.none(), ANY), max_size=20))
def test_no_text_raises_and_no_row_is_lost(texts: list[str | None]) -> None:
    frame = pl.DataFrame({"text": texts}, schema={"text": pl.String})
    everything = frame.select(**reply_columns(TEXT), **error_record(TEXT), flag=code_and_words_disagree(TEXT))
    assert everything.height == len(texts)
    without_code = everything.filter(
        pl.col("enforcement_minutes").is_not_null() & pl.col("enforcement_action").is_null()
    )
    assert without_code.is_empty()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 255), st.integers(0, 255), st.sampled_from(["", "[", "ip ", "(", "x"])),
        min_size=1,
        max_size=30,
    )
)
def test_numbers_inside_addresses_never_match(parts: list[tuple[int, int, str]]) -> None:
    first = [f"550 5.7.1 {before}{a}4.7.230.{b} blocked for 5 mins/hr" for a, b, before in parts]
    last = [f"550 5.7.1 {before}{a}.4.7.230 blocked for 5 mins/hr" for a, _, before in parts]
    whole = [f"550 5.7.1 {before}4.7.230.{b} blocked for 5 mins/hr" for _, b, before in parts]
    assert read([*first, *last, *whole])["enforcement_action"].null_count() == 3 * len(parts)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["4", "5"]), st.booleans(), st.integers(0, 9999), ANY, ANY),
        min_size=1,
        max_size=20,
    )
)
def test_the_reply_is_found_wherever_it_stands(rows: list[tuple[str, bool, int, str, str]]) -> None:
    texts, expected = [], []
    for kind, throttled, minutes, before, after in rows:
        verb = "throttled" if throttled else "blocked"
        safe = before.replace("7.230", "").replace("for", "")
        texts.append(f"{safe} {kind}50 {kind}.7.230 {verb} for {minutes} mins/hr {after}")
        expected.append(("throttle" if throttled else "block", minutes))
    found = read(texts).select("enforcement_action", "enforcement_minutes").rows()
    assert found == expected


def test_a_million_accepted_recipients_cost_next_to_nothing() -> None:
    frame = pl.DataFrame({"text": ["250 2.1.5 Recipient OK"]}).select(
        pl.col("text").repeat_by(1_000_000).explode()
    )
    frame.head(10).select(**reply_columns(TEXT))
    begun = time.perf_counter()
    frame.select(**reply_columns(TEXT))
    # 0.3 s on two quiet cores; the margin is for busy machines.
    assert time.perf_counter() - begun < 3


def test_only_polars_is_imported() -> None:
    code = (
        "import sys, pipeline.logs.replies;"
        "print([m for m in ('pyarrow', 'duckdb', 'deltalake', 'click') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
