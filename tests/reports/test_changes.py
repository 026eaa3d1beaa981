"""The comparison with an earlier report."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import UsageError
from pipeline.reports.changes import COLUMNS, Earlier, compare, load
from tests.reports.rendering import Samples
from tests.samples import AS_OF

MONDAY = datetime(2026, 11, 23, 18, tzinfo=UTC)


def finding(key: str, severity: str, degree: int = 1) -> dict[str, Any]:
    organisation, server, _ = key.split("/", 2)
    return {
        "organisation": organisation,
        "server": None if server == "*" else server,
        "severity": severity,
        "degree": degree,
        "finding_key": key,
        "finding": f"{key} is {severity}",
        "action": "act",
        "act_by": None,
    }


def changed(before: list[dict[str, Any]], now: list[dict[str, Any]]) -> list[tuple[str, str]]:
    earlier = Earlier(MONDAY, None, before, {})
    return [(change["change"], change["finding_key"]) for change in compare(earlier, now, {}, AS_OF)]


def test_new_worse_better_and_gone() -> None:
    before = [
        finding("a/X/mail", "warning"),
        finding("a/Y/mail", "critical"),
        finding("b/*/logs-ended", "warning"),
        finding("a/Z/build", "note"),
    ]
    now = [
        finding("a/X/mail", "critical"),
        finding("a/Y/mail", "warning"),
        finding("c/*/build", "critical"),
        finding("a/Z/build", "note"),
    ]
    assert changed(before, now) == [
        ("new", "c/*/build"),
        ("worse", "a/X/mail"),
        ("better", "a/Y/mail"),
        ("gone", "b/*/logs-ended"),
    ]


def test_a_higher_degree_is_worse_but_not_of_a_note() -> None:
    before = [
        finding("a/X/mail", "warning", 103),
        finding("a/X/bounced", "warning", 8),
        finding("a/X/pending", "note", 2),
    ]
    now = [
        finding("a/X/mail", "warning", 104),
        finding("a/X/bounced", "warning", 5),
        finding("a/X/pending", "note", 9),
    ]
    assert changed(before, now) == [("worse", "a/X/mail"), ("better", "a/X/bounced")]


def test_organisations_whose_logs_stopped_arriving() -> None:
    end, later = MONDAY - timedelta(hours=2), MONDAY + timedelta(hours=20)
    earlier = Earlier(MONDAY, None, [], {"here": end, "still": end, "gone": end, "never": None})
    changes = compare(
        earlier, [], {"here": later, "still": end, "never": None, "other": later}, MONDAY + timedelta(days=1)
    )
    assert [(change["change"], change["organisation"]) for change in changes] == [
        ("logs stopped", "gone"),
        ("logs stopped", "never"),
        ("logs stopped", "still"),
    ]
    assert all(set(change) == set(COLUMNS) and change["severity"] == "warning" for change in changes)
    an_hour = compare(earlier, [], {"here": end, "still": end, "never": None}, MONDAY + timedelta(hours=1))
    assert [change["organisation"] for change in an_hour] == ["gone"]


def test_one_organisation_is_compared_with_its_own_part() -> None:
    before = [finding("a/X/mail", "warning"), finding("b/X/mail", "warning")]
    earlier = Earlier(MONDAY, None, before, {"a": MONDAY, "b": MONDAY})
    assert compare(earlier, [finding("a/X/mail", "warning")], {"a": AS_OF}, AS_OF, "a") == []


@pytest.mark.parametrize(
    ("earlier", "words"),
    [
        (Earlier(AS_OF + timedelta(days=1), None, [], {}), "later than this one"),
        (Earlier(MONDAY, "contoso", [], {}), "--organisation contoso"),
    ],
)
def test_what_cannot_be_compared(earlier: Earlier, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        compare(earlier, [], {}, AS_OF)


def test_a_saved_report_is_read_again(samples: Samples, tmp_path: Path) -> None:
    saved = tmp_path / "monday.json"
    content = json.loads(samples.write("json"))
    for row in content["reports"]["findings"]:
        if row["finding_key"] == "elmsford/ELM-MBX1/mail":
            row["severity"] = "warning"
    content["reports"]["findings"] = [
        row for row in content["reports"]["findings"] if row["organisation"] != "dunmore"
    ]
    content["tbes"]["as_of"] = "2026-11-22T18:00:00Z"
    saved.write_text(json.dumps(content), encoding="utf-8")
    earlier = load(saved)
    changes = json.loads(samples.write("json", "changes", earlier=earlier))
    assert {row["organisation"] for row in changes if row["change"] == "new"} == {"dunmore"}
    assert [row["finding_key"] for row in changes if row["change"] == "worse"] == ["elmsford/ELM-MBX1/mail"]
    # the saved report has the logs' present ends: none of them has grown since
    assert len([row for row in changes if row["change"] == "logs stopped"]) == 6
    text = samples.write("text", language="de", earlier=earlier).decode()
    assert (
        "Geändert seit 22. November 2026, 18:00 UTC" in text
        and "[schlimmer, kritisch] elmsford ELM-MBX1" in text
    )
    assert '"changes": [' in samples.write("json", earlier=earlier).decode()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"tbes": {}, "reports": {}}',
        "\x00",
        '{"tbes": {"file_version": 99, "version": "9"}, "reports": {}}',
    ],
)
def test_another_file_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "other.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match=r"other\.json"):
        load(path)
