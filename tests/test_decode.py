"""What `decode` says of replies, builds, headers and log lines."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.decode import decode
from pipeline.reference.catalogue import Catalogue

TODAY = date(2026, 11, 25)
WORDS = "Connecting Exchange server version is out-of-date; connection to Exchange Online {} for {} mins/hr."
_CATALOGUE = Catalogue()


@pytest.mark.parametrize(
    ("code", "verb", "minutes", "stage"),
    [
        ("450 4.7.230", "throttled", 5, "Stage 2: days 30 to 40"),
        ("450 4.7.230", "throttled", 10, "Stage 3: days 40 to 50"),
        ("450 4.7.230", "throttled", 20, "Stage 4: days 50 to 60"),
        ("450 4.7.230", "throttled", 30, "Stage 5: days 60 to 70"),
        ("550 5.7.230", "blocked", 5, "Stage 5: days 60 to 70"),
        ("550 5.7.230", "blocked", 10, "Stage 6: days 70 to 80"),
        ("550 5.7.230", "blocked", 20, "Stage 7: days 80 to 90"),
        ("550 5.7.230", "blocked", 60, "Stage 8: day 90 on"),
        ("450 4.7.230", "throttled", 45, "No stage of the table throttles 45 minutes"),
        ("550 5.7.230", "blocked", 30, "No stage of the table blocks 30 minutes"),
    ],
)
def test_stages_of_replies(code: str, verb: str, minutes: int, stage: str, catalogue: Catalogue) -> None:
    said = decode(f"{code} {WORDS.format(verb, minutes)}", catalogue, TODAY)
    assert said.kind == "reply"
    assert any(fact.startswith(stage) for fact in said.facts)
    assert said.what_to_do
    assert all(url.startswith("http") for url in said.sources)


def test_a_throttle_never_excludes_the_stages_whose_minutes_are_unknown(catalogue: Catalogue) -> None:
    throttle = decode(f"450 4.7.230 {WORDS.format('throttled', 5)}", catalogue, TODAY)
    assert any("stages 6 and 7 are not public" in fact for fact in throttle.facts)
    block = decode(f"550 5.7.230 {WORDS.format('blocked', 10)}", catalogue, TODAY)
    assert not any("not public" in fact for fact in block.facts)


def test_code_and_words_that_disagree_are_flagged(catalogue: Catalogue) -> None:
    said = decode(f"450 4.7.230 {WORDS.format('blocked', 20)}", catalogue, TODAY)
    assert any("disagree" in fact for fact in said.facts)


def test_a_look_alike_by_name(catalogue: Catalogue) -> None:
    said = decode(
        "451 4.7.500 Server busy. Please try again later from [192.0.2.7]. (AS843)", catalogue, TODAY
    )
    assert said.title.startswith("451 4.7.500: IP throttling")
    assert any("not transport-based enforcement" in fact for fact in said.facts)


def test_a_shortened_look_alike_is_named_by_its_code_as_less_sure(catalogue: Catalogue) -> None:
    said = decode("451 4.7.500 Server busy", catalogue, TODAY)
    assert said.title.startswith("451 4.7.500: probably IP throttling")
    assert any(fact.startswith("Less sure: the code fits") for fact in said.facts)
    assert said.what_to_do and said.sources
    # a code of IANA's registry is said by any system for many reasons
    common = decode("550 5.7.1 Something else", catalogue, TODAY)
    assert common.title == "550 5.7.1: not an enforcement reply"
    assert "The catalogue of replies has no row for it." in common.facts


def test_host_and_time_of_a_reply(catalogue: Catalogue) -> None:
    text = (
        f"550 5.7.230 {WORDS.format('blocked', 20)} For more information see"
        " https://aka.ms/ExchangeBuildCompliance"
        " . [LO1PEPF000028CD.GBRP265.PROD.OUTLOOK.COM 2026-03-10T11:54:01.579Z 08DE799E43D7338C]"
    )
    facts = decode(text, catalogue, TODAY).facts
    assert "Said by LO1PEPF000028CD.GBRP265.PROD.OUTLOOK.COM, a host of exchange-online (worldwide)." in facts
    assert "Said at 2026-03-10 11:54:01 UTC, by the other side's clock." in facts


def test_a_build(catalogue: Catalogue) -> None:
    said = decode("15.01.2507.039", catalogue, TODAY)
    assert (said.kind, said.title) == ("build", "15.1.2507.39: 2016 CU23 Apr24HU")
    text = "\n".join(said.facts)
    assert "Released 2024-04-23, KB5037224." in text
    assert "Behind by 15 builds and 903 days; the newest of its line is 15.1.2507.77" in text
    assert (
        "Floor of Exchange Online since 2026-09-07: 15.1.2507.61 (published); this build is below the floor."
        in text
    )
    assert "support ended 2025-10-14" in text
    assert (
        "Verdict on 2026-11-25: not accepted by Exchange Online; not supported; known exploited flaws open."
        in text
    )
    assert "Catalogue as of 2026-10-13" in text


@pytest.mark.parametrize(
    ("text", "kind", "title"),
    [
        ("2016 CU23 Oct25SU", "build", "15.1.2507.61: 2016 CU23 Oct25SU"),
        ("15.1.2507", "build", "15.1.2507: Exchange Server 2016 CU23"),
        ("15.0.0.0", "build", "15.0.0.0: a constant in log headers, not a build"),
        ("15.21.92.7", "build", "15.21.92.7: Exchange Online"),
        ("Exchange Server 2016 CU23 HU13", "build", "Exchange Server 2016 CU23 HU13: names no single build"),
        (
            "by ex01.contoso.com (10.0.0.2) with Microsoft SMTP Server (TLS) id 15.1.2507.61; Mon, 2"
            " Nov 2026",
            "header",
            "15.1.2507.61: 2016 CU23 Oct25SU",
        ),
        # Exchange Online used 15.0 and 15.1 until 2017: the host decides
        (
            "by AM1PR01MB0001.eurprd01.prod.outlook.com (10.0.0.2) with Microsoft SMTP Server (TLS)"
            " id 15.1.1362.18;",
            "header",
            "15.1.1362.18: Exchange Online (AM1PR01MB0001.eurprd01.prod.outlook.com)",
        ),
        (
            "hello world",
            "unknown",
            "Neither a reply, nor a build of Exchange, nor a line of its transport logs",
        ),
        ("", "unknown", "Neither a reply, nor a build of Exchange, nor a line of its transport logs"),
    ],
)
def test_titles(text: str, kind: str, title: str, catalogue: Catalogue) -> None:
    said = decode(text, catalogue, TODAY)
    assert (said.kind, said.title) == (kind, title)


def test_unknown_input_gets_examples(catalogue: Catalogue) -> None:
    assert any("15.01.2507.039" in fact for fact in decode("what is this", catalogue, TODAY).facts)


def test_the_cu_only_spelling_gives_no_verdict(catalogue: Catalogue) -> None:
    said = decode("Version 15.1 (Build 32507.6)", catalogue, TODAY)
    assert said.title == "15.1.2507.6: Exchange Server 2016 CU23, security update not shown"
    assert not any(fact.startswith("Verdict") for fact in said.facts)
    assert any("with a lower security update it is refused" in fact for fact in said.facts)


def test_a_protocol_line(catalogue: Catalogue) -> None:
    line = (
        "2026-11-20T08:00:01.123Z,Outbound to Office 365 - 0b6f0c5e-0000-0000-0000-000000000001,"
        "08DE0000000000A1,14,"
        f"10.0.0.5:40111,203.0.113.9:25,<,450 4.7.230 {WORDS.format('throttled', 10)},"
    )
    said = decode(line, catalogue, TODAY)
    assert said.kind == "log line"
    assert any("Stage 3: days 40 to 50" in fact for fact in said.facts)


def test_a_tracking_line_with_reply_and_build(catalogue: Catalogue) -> None:
    cells = ["2026-11-20T08:00:01.123Z"] + [""] * 29
    cells[7], cells[8], cells[29] = "SMTP", "FAIL", "15.01.2507.039"
    cells[13] = (
        f"[{{LED=550 5.7.230 {WORDS.format('blocked', 60)}}};{{MSG=}};{{FQDN=x}};{{IP=203.0.113.9}};{{LRT=}}]"
    )
    said = decode(",".join(cells), catalogue, TODAY)
    text = "\n".join(said.facts)
    assert "event FAIL" in said.title
    assert "Stage 8: day 90 on" in text
    assert "Build of the server that wrote the line, 15.1.2507.39: 2016 CU23 Apr24HU" in text


def test_a_subject_is_never_a_reply(catalogue: Catalogue) -> None:
    cells = ["2026-11-20T08:00:01.123Z"] + [""] * 29
    cells[8], cells[18] = "RECEIVE", f"550 5.7.230 {WORDS.format('blocked', 60)}"
    assert decode(",".join(cells), catalogue, TODAY).facts == ["It holds neither a reply nor a build."]


def test_a_mailbox_server_in_hexadecimal_diagnostics(catalogue: Catalogue) -> None:
    cells = ["2026-11-20T08:00:01.123Z"] + [""] * 29
    block = b"15.01.2507.061:ex07:17b916f9".hex().upper()
    cells[8], cells[13] = (
        "FAIL",
        f"'[{{LED=554 5.2.2 mailbox full; 8.45434:3C5E 5.10786:0000{block}}};{{MSG=}}]'",
    )
    text = "\n".join(decode(",".join(cells), catalogue, TODAY).facts)
    assert "Build of the mailbox server ex07 in the diagnostics, 15.1.2507.61: 2016 CU23 Oct25SU" in text


@settings(max_examples=50, deadline=None)
@given(st.one_of(st.text(max_size=80), st.text("0123456789.,;:'\"[]{}<>=- LEDZT450", max_size=80)))
def test_no_text_raises(text: str) -> None:
    assert decode(text, _CATALOGUE, TODAY).title
