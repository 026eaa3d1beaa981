"""What is left out of reports that are mailed around."""

from __future__ import annotations

import pytest

from pipeline.i18n import Texts
from pipeline.reports.redact import Redactor


def redactor(*networks: str) -> Redactor:
    return Redactor(Texts("en"), networks)


@pytest.mark.parametrize(
    ("column", "value", "shown"),
    [
        ("sender", "ada@contoso.com", "[address 1]"),
        ("sender", "<>", "<>"),
        ("recipients", "ada@contoso.com;bo@contoso.com;Ada@Contoso.com", "[address 1]; [address 2]; [address 1]"),
        ("message_id", "<4f@EX01.contoso.com>", "<[message 1]@EX01.contoso.com>"),
        ("message_id", "no-at-sign", "[message 1]"),
        ("raw_line", "2026-11-24,Subject", "[line of 18 characters, not shown]"),
        ("source_file", r"C:\Users\ada\logs\SEND1.LOG", "SEND1.LOG"),
        ("path", "/home/ada/customers/contoso/a.zip!EX01/RECV1.LOG", "RECV1.LOG"),
        ("lineage", "/home/ada/my logs/A.LOG:25 to /home/ada/my logs/B.LOG:117", "A.LOG:25 to B.LOG:117"),
        ("lineage", r"\\fs\share\x\A.LOG:7 to D:\y\B.LOG:21", "A.LOG:7 to B.LOG:21"),
        ("reply", "550 5.7.1 <ada@contoso.com>: denied from 10.1.2.3", "550 5.7.1 [address 1]: denied from [internal IP]"),
        ("reply", '450 "ada lovelace"@contoso.com', '450 [address 1]'),
        ("finding", "It runs 15.1.2507.61, from 8.8.8.8.", "It runs 15.1.2507.61, from 8.8.8.8."),
        ("addresses", "192.168.4.1, 2001:db8::1, fe80::1%eth0, 10.0.0.1", "[internal IP], [internal IP], [internal IP], [internal IP]"),
        ("warning", r"same as C:\Users\ada\x\SEND1.LOG here", "same as SEND1.LOG here"),
        ("warning", "same as /home/ada/x/SEND1.LOG here", "same as SEND1.LOG here"),
        ("what_to_do", "see https://aka.ms/x/y", "see https://aka.ms/x/y"),
        ("connector", "EX01\\Default EX01", "EX01\\Default EX01"),
        ("time", "2026-11-24 10:20:30", "2026-11-24 10:20:30"),
    ],
)  # fmt: skip
def test_a_cell(column: str, value: str, shown: str) -> None:
    assert redactor().cell(column, value) == shown


def test_the_organisations_own_public_addresses_are_internal_too() -> None:
    assert redactor("203.0.113.0/24").text("from 203.0.113.9 to 8.8.8.8") == "from [internal IP] to 8.8.8.8"


def test_an_address_has_one_number_everywhere() -> None:
    one = redactor()
    assert one.cell("sender", "ada@contoso.com") == "[address 1]"
    assert one.text("550 <ADA@contoso.com>") == "550 [address 1]"
    assert one.cell("sender", "bo@contoso.com") == "[address 2]"
