"""Acknowledged findings: files, severities, days, and what --fail-on still counts."""

from __future__ import annotations

import io
import json
from datetime import date
from pathlib import Path

import openpyxl
import pytest

from pipeline.errors import UsageError
from pipeline.fail_on import findings as failing
from pipeline.fail_on import parse_conditions
from pipeline.reports.acknowledge import Acknowledgement, exceeded, load, mark, uncounted
from tests.reports.rendering import Samples

DAY = date(2026, 11, 20)
MAIL = Acknowledgement("cedarholt/CHMAIL1/mail", "update on Friday", DAY)


def test_both_kinds_of_files(tmp_path: Path) -> None:
    toml, text = tmp_path / "known.toml", tmp_path / "known.txt"
    toml.write_text(
        '[[acknowledged]]\nfinding_key = "a/B/mail"\nreason = "known # really"\ndate = 2026-11-20\n'
        '[[acknowledged]]\nfinding_key = "a/*/gap/smtp-send/To the cloud"\nreason = "x"\ndate = "2026-11-20"\n'
        'severity = "critical"\nuntil = 2026-12-31\n',
        encoding="utf-8",
    )
    text.write_text(
        "\ufeff# ours\n\n2026-11-20 a/B/mail # known\n2026-11-20 critical a/*/gap/smtp-send/To the cloud #2 # x\n",
        encoding="utf-8",
    )
    assert load(toml) == (
        Acknowledgement("a/B/mail", "known # really", DAY),
        Acknowledgement("a/*/gap/smtp-send/To the cloud", "x", DAY, "critical", date(2026, 12, 31)),
    )
    assert load(text) == (
        Acknowledgement("a/B/mail", "known", DAY),
        Acknowledgement("a/*/gap/smtp-send/To the cloud #2", "x", DAY, "critical"),
    )


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.toml", "[[acknowledged]]\nfinding_key = 'a/b/c'\ndate = 2026-01-01\n", "give a reason"),
        ("a.toml", "[[acknowledged]]\nfinding_key = 'a/b/c'\nreason = 'x'\n", "2026-11-24"),
        (
            "a.toml",
            "[[acknowledged]]\nfinding_key = 'a'\nreason = 'x'\ndate = 2026-01-01\n",
            "organisation/server/subject",
        ),
        ("a.toml", "[[acknowledged]]\nkey = 'a/b/c'\nreason = 'x'\ndate = 2026-01-01\n", "unknown key: key"),
        ("a.toml", "acknowledged = 1\n", "[[acknowledged]]"),
        ("a.toml", "[", "is no TOML"),
        ("a.txt", "2026-11-24 a/b/c\n", "line 1"),
        ("a.txt", "\ntomorrow a/b/c # x\n", "line 2"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, name: str, content: str, words: str) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(UsageError) as error:
        load(tmp_path / name)
    assert words in str(error.value) and name in str(error.value)


def test_it_covers_up_to_a_severity_and_a_day() -> None:
    assert MAIL.covers("note", DAY) and MAIL.covers("warning", DAY) and not MAIL.covers("critical", DAY)
    until = Acknowledgement("a/b/c", "x", DAY, "critical", date(2026, 11, 24))
    assert until.covers("critical", date(2026, 11, 24)) and not until.covers("critical", date(2026, 11, 25))


def test_it_is_shown_and_stands_last_in_every_format(samples: Samples) -> None:
    found = json.loads(samples.write("json", "findings", acknowledged=[MAIL]))
    assert found[-1]["finding_key"] == MAIL.finding_key
    assert (found[-1]["acknowledged_on"], found[-1]["acknowledged_reason"]) == (
        "2026-11-20",
        "update on Friday",
    )
    assert [row["acknowledged_on"] for row in found[:-1]] == [None] * (len(found) - 1)
    text = samples.write("text", acknowledged=[MAIL]).decode()
    assert "acknowledged on 20 November 2026: update on Friday" in text
    assert "update on Friday" in samples.write("markdown", "findings", acknowledged=[MAIL]).decode()
    sheet = openpyxl.load_workbook(io.BytesIO(samples.write("xlsx", acknowledged=[MAIL])))["findings"]
    assert [cell.value for cell in sheet[sheet.max_row]][-2] == "update on Friday"


def test_fail_on_does_not_count_it(samples: Samples) -> None:
    with samples.session() as session:
        clauses = failing(session, parse_conditions(["throttled,within=30d"]))
        marked = mark(session.report("findings"), [MAIL], DAY)
        left = uncounted(clauses, marked)
        assert set(clauses) - set(left) == {"cedarholt CHMAIL1 is delayed"}
        stage = Acknowledgement("cedarholt/CHMAIL1/next-stage", "x", DAY, "critical")
        gone = set(left) - set(uncounted(left, mark(session.report("findings"), [stage], DAY)))
        assert len(gone) == 1 and gone.pop().startswith("cedarholt CHMAIL1 may enter stage 4")


def test_what_became_critical_counts_again_and_is_said(samples: Samples) -> None:
    entry = Acknowledgement("dunmore/DUN-HT1/mail", "x", DAY)
    with samples.session() as session:
        found = session.report("findings")
        clauses = failing(session, parse_conditions(["blocked"]))
        assert uncounted(clauses, mark(found, [entry], DAY)) == clauses
        assert exceeded(found, [entry]) == [
            "dunmore/DUN-HT1/mail is critical now and was acknowledged up to warning: it counts again"
        ]
