"""One person, one pseudonym, in whatever spelling a log has the address; and nothing else is touched."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.logs.pseudonyms import Pseudonyms

P = Pseudonyms(b"0123456789abcdef0123456789abcdef")
NEW = P.subject("Offer; it's new")
JOHN = P.local_part("john.smith", "contoso.example")


def test_the_pseudonym_is_hmac_sha256_in_base32() -> None:
    # printf 'address\0john.smith@contoso.example' | openssl dgst -sha256 -hmac 0123456789abcdef0123456789abcdef -binary
    #   | head -c 10 | base32 | tr A-Z a-z
    assert JOHN == "p-uhqs2wu63yg6zoly"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("MAIL FROM:<John.Smith@Contoso.example> SIZE=12", f"MAIL FROM:<{JOHN}@Contoso.example> SIZE=12"),
        ("rcpt to: john.smith@contoso.example", f"rcpt to: {JOHN}@contoso.example"),
        ('RCPT TO:<"john.smith"@contoso.example>', f"RCPT TO:<{JOHN}@contoso.example>"),
        ('RCPT TO:<"john\\.smith"@contoso.example>', f"RCPT TO:<{JOHN}@contoso.example>"),
        # the source route of RFC 5321, appendix C
        (
            "RCPT TO:<@a.example,@b.example:john.smith@contoso.example>",
            f"RCPT TO:<@a.example,@b.example:{JOHN}@contoso.example>",
        ),
        # RFC 3461: + stands as +2B, and any other character may be written so
        (
            "RCPT TO:<x@y.example> ORCPT=rfc822;John+2Esmith@contoso.example NOTIFY=NEVER",
            f"RCPT TO:<{P.local_part('x', 'y.example')}@y.example> ORCPT=rfc822;{JOHN}@contoso.example NOTIFY=NEVER",
        ),
        ("MAIL FROM:<> AUTH=john.smith@contoso.example", f"MAIL FROM:<> AUTH={JOHN}@contoso.example"),
        ("john.smith@contoso.example.", f"{JOHN}@contoso.example."),
        (
            "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient john.smith@contoso.example not found by SMTP address",
            f"550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient {JOHN}@contoso.example not found by SMTP address",
        ),
        ("550 5.1.1 'john.smith@contoso.example'", f"550 5.1.1 '{JOHN}@contoso.example'"),
        ("{MSG=john.smith@contoso.example}", f"{{MSG={JOHN}@contoso.example}}"),
        (
            "S:OriginalFromAddress=john.smith@contoso.example;S:X=1",
            f"S:OriginalFromAddress={JOHN}@contoso.example;S:X=1",
        ),
        ("AUTH LOGIN am9obi5zbWl0aEBjb250b3NvLmV4YW1wbGU=", f"AUTH LOGIN {JOHN}@contoso.example"),
        ("am9obi5zbWl0aEBjb250b3NvLmV4YW1wbGU=", f"{JOHN}@contoso.example"),
        ("User Name: john.smith@contoso.example", f"User Name: {JOHN}@contoso.example"),
        (
            "Proxy session was successfully set up. Session forjohn.smith@contoso.example will now be proxied",
            f"Proxy session was successfully set up. Session for{JOHN}@contoso.example will now be proxied",
        ),
        ("CONTOSO\\jsmith", "CONTOSO\\" + P.name("contoso\\JSMITH")),
        ("550 5.1.1 User jsmith unknown", f"550 5.1.1 User {P.name('JSmith')} unknown"),
        (
            "RecipientNotFound /o=C/ou=E/cn=Recipients/cn=jsmith",
            f"RecipientNotFound /o=C/ou=E/cn=Recipients/cn={P.name('jsmith')}",
        ),
        ("S:Subject=Offer;S:X=1", f"S:Subject={P.subject('Offer')};S:X=1"),
        ("'S:Subject=Offer; it''s new';S:X=1", f"'S:Subject={NEW}';S:X=1"),
        ("MDB:5a, Mailbox:77-ab, Event:3", f"MDB:5a, Mailbox:{P.name('77-ab')}, Event:3"),
    ],
)
def test_every_spelling_has_the_same_pseudonym(text: str, expected: str) -> None:
    assert P.text(text) == expected


def test_internationalised_addresses() -> None:
    # RFC 6531; "exämple" is xn--exmple-cua. U+00FC, or u with U+0308, is one letter.
    hidden = P.local_part("jürgen", "exämple.example")
    assert (
        P.text("MAIL FROM:<Jürgen@xn--exmple-cua.example> SMTPUTF8")
        == f"MAIL FROM:<{hidden}@xn--exmple-cua.example> SMTPUTF8"
    )
    assert P.addresses("ju\u0308rgen@exämple.example") == f"{hidden}@exämple.example"
    assert P.text("ORCPT=utf-8;j\\x{FC}rgen@exämple.example") == f"ORCPT=utf-8;{hidden}@exämple.example"


@pytest.mark.parametrize(
    "text",
    [
        "450 4.7.230 Connecting Exchange server version is out-of-date; connection to Exchange Online throttled for 5 "
        "mins/hr. For more information see https://aka.ms/BlockUnsafeExchange. "
        "[AM2PEPF0001.eurprd05.prod.outlook.com 2026-11-24T10:00:00.000Z 08DD1C2E3F4A5B6C]",
        "[{LED=550 5.7.230 blocked};{MSG=};{FQDN=contoso-example.mail.protection.outlook.com};{IP=203.0.113.5};{LRT=}]",
        "<led-450 4.7.230 throttled>;<FQDN-host.example>;<IP-203.0.113.5>",
        "MAIL FROM:<> SIZE=3 AUTH=<>",
        "MAIL FROM:<postmaster@contoso.example>",
        "MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@contoso.example",
        "HealthMailbox0123456789abcdef0123456789abcdef@contoso.example",
        "550 5.1.1 User unknown",
        "AUTH LOGIN",
        "AUTH XOAUTH2 =",
        "334 <authentication response>",
        "EHLO EX01.contoso.example",
        "250-EX01.contoso.example Hello [10.1.1.5]",
        "SMTPSubmit SMTPAcceptAnyRecipient SMTPAcceptAuthenticationFlag",
        "QUIT",
        "NOOP",
        "RSET",
        "STARTTLS",
        "3B41C07A6E5D9C1E77A0B4D2F35886E1C0A94B7D",
        "S:E2ELatency=3.123;S:DeliveryPriority=Normal",
    ],
)
def test_what_the_verdict_rests_on_stays(text: str) -> None:
    assert P.text(text) == text


def test_lists_of_addresses_keep_their_shape() -> None:
    cell = "john.smith@contoso.example;<>;JOHN.SMITH@contoso.example;;smith"
    assert (
        P.addresses(cell) == f"{JOHN}@contoso.example;<>;{JOHN}@contoso.example;;{P.local_part('smith', '')}"
    )
    assert P.addresses("<>") == "<>"
    assert P.status("To;Cc") == "To;Cc"
    assert P.status("Inbox/Divorce") == P.name("Inbox/Divorce")


def test_another_key_or_domain_is_another_pseudonym() -> None:
    assert Pseudonyms(b"1" * 32).local_part("john.smith", "contoso.example") != JOHN
    assert P.local_part("john.smith", "fabrikam.example") != JOHN
    assert Pseudonyms(b"1" * 32).key_id != P.key_id
    assert P.key_id not in JOHN


@pytest.mark.parametrize(
    "text",
    [
        "<" * 50_000,
        "a" * 500_000 + "@",
        '"\\' * 20_000 + '"@',
        "user " * 50_000,
        "<a@" * 30_000,
        '"a" <' * 50_000,
        "subject: " * 50_000,
        "User Name: " * 50_000,
        "/cn=recipients/cn=" * 20_000,
        "x{40}" * 50_000,
        "{" * 100_000 + "@",
        "user" + " " * 100_000,
    ],
    ids=lambda text: text[:10],
)
def test_a_hostile_cell_takes_time_by_its_length_only(text: str) -> None:
    started = time.process_time()
    P.text(text)
    # Quadratic time would be minutes.
    assert time.process_time() - started < 10


# RFC 5322 atext without what a text around an address may end in: quotes, braces, bars and `KEY=`.
ATEXT = "abcdefghijklmnopqrstuvwxyzABCXYZ0123456789!#$%&*+-/?^_`~"
LOCAL = st.from_regex(rf"[{ATEXT.replace('-', '')}-]{{3,30}}(\.[a-z0-9]{{1,9}})?", fullmatch=True)
PLACES = (
    "{}",
    "<{}>",
    "MAIL FROM:<{}> SIZE=1 BODY=8BITMIME",
    "RCPT TO:<@a.example,@b.example:{}>",
    "550 5.1.1 <{}>... User unknown",
    "550 5.1.1 '{}' rejected",
    "[{{LED=550 5.1.10 {} not found}};{{MSG=}};{{FQDN=mx.example}};{{IP=203.0.113.5}};{{LRT=}}]",
    "S:OriginalFromAddress={};S:DeliveryPriority=Normal",
    "S:A=1;S:Sender={}",
    '"Anna" <{}>, ({})',
)


@given(local=LOCAL, place=st.sampled_from(PLACES))
def test_no_local_part_is_left_anywhere(local: str, place: str) -> None:
    hidden = P.local_part(local, "contoso.example")
    text = place.format(*[f"{local}@contoso.example"] * 2)
    name = P.name("Anna")
    assert P.text(text) == place.format(*[f"{hidden}@contoso.example"] * 2).replace("Anna", name)
    assert P.addresses(f"{local}@contoso.example") == f"{hidden}@contoso.example"


@given(text=st.text(max_size=200))
def test_any_text_is_taken(text: str) -> None:
    for hidden in (
        P.text(text),
        P.addresses(text),
        P.status(text),
        P.account(text),
        P.subject(text),
        P.line(text),
    ):
        assert isinstance(hidden, str)
