"""Logs that ended sixty days before the report date: what they say is of then, and newer ones are wanted first."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest

from pipeline.i18n import Texts
from pipeline.reference.catalogue import Catalogue
from pipeline.relations import Parameters
from pipeline.reports.document import Style
from pipeline.reports.formats import FORMATS
from pipeline.reports.gather import Wanted, document
from pipeline.sql import Session
from tests.reports.rendering import Samples
from tests.samples import AS_OF

LATER = AS_OF + timedelta(days=60)
ORGANISATIONS = ("alderbrook", "birchwood", "cedarholt", "dunmore", "elmsford", "foxglove")
BRING = {"en": "Bring newer logs.", "de": "Neuere Protokolle beschaffen."}
DATED = {"en": "By logs that end on 2026-11-24:", "de": "Nach Protokollen, die am 2026-11-24 enden:"}
# what would speak of today, or ask for something today
PRESENT = {
    "en": (
        "Nothing today",
        "refuses all",
        "refuses a part",
        "delays its mail",
        "accepts its mail",
        "today: ",
    ),
    "de": (
        "Heute nichts",
        "lehnt alle",
        "lehnt einen Teil",
        "verzögert seine",
        "nimmt die Mail an",
        "heute: ",
    ),
}
UNDATED = ("logs-ended", "catalogue")
LANGUAGES = pytest.mark.parametrize("language", ["en", "de"])


def opened(samples: Samples, organisation: str | None = None) -> Session:
    return Session(samples.store.snapshot(), Catalogue(), (), Parameters(organisation, as_of=LATER))


def written(
    samples: Samples, format_: str, report: str | None, language: str, organisation: str | None
) -> str:
    style = Style(Texts(language), prose=True)
    with opened(samples, organisation) as session:
        out = FORMATS[format_].write(document(session, Wanted(report)), style)
    return out if isinstance(out, str) else out.decode()


def records(samples: Samples, report: str, organisation: str | None = None) -> list[dict[str, Any]]:
    with opened(samples, organisation) as session:
        result = session.report(report)
    return [dict(zip(result.columns, row, strict=True)) for row in result.rows]


def words(text: str) -> str:
    return re.sub(r"\s+", " ", text.replace("\\", ""))


class _Text(HTMLParser):
    """The words of a page, without its style."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: list[str] = []
        self.feed(re.sub(r"<style.*?</style>", "", page, flags=re.S))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_every_finding_is_dated_and_asks_for_newer_logs_first(samples: Samples) -> None:
    found = records(samples, "findings")
    for organisation in ORGANISATIONS:
        own = [row for row in found if row["organisation"] == organisation]
        assert (own[0]["finding_key"], own[0]["action"]) == (f"{organisation}/*/logs-ended", BRING["en"])
        assert own[0]["act_by"] == LATER.date()
    for row in found:
        ends = row["finding_key"].endswith(UNDATED)
        assert ends or row["finding"].startswith(DATED["en"]), row["finding"]
        assert (
            row["finding_key"].endswith("/logs-ended")
            or row["act_by"] is None
            or row["act_by"] > LATER.date()
        )
    (mail,) = [row for row in found if row["finding_key"] == "dunmore/DUN-HT1/mail"]
    assert mail["finding"].startswith(f"{DATED['en']} Exchange Online refused all its mail for good.")
    assert mail["action"] == (
        "If newer logs still show it: Update the server, or pause enforcement until it is updated."
    )


def test_what_old_logs_ask_for_is_as_urgent_as_the_worst_that_they_say(samples: Samples) -> None:
    severity = {row["finding_key"]: row["severity"] for row in records(samples, "findings")}
    assert severity["dunmore/*/logs-ended"] == severity["elmsford/*/logs-ended"] == "critical"
    assert severity["cedarholt/*/logs-ended"] == severity["alderbrook/*/logs-ended"] == "warning"


def test_verdicts_are_dated_and_the_first_action_is_to_bring_newer_logs(samples: Samples) -> None:
    for row in records(samples, "exposure"):
        assert row["verdict"].startswith("When its logs ended, ")
        assert "Its logs end on 2026-11-24, more than two days before the report date" in row["verdict"]
        assert row["next_action"].startswith(BRING["en"])
    for row in records(samples, "servers"):
        assert row["next_action"].startswith(BRING["en"])
    actions = {row["organisation"]: row["next_action"] for row in records(samples, "exposure")}
    assert actions["foxglove"] == BRING["en"]
    assert actions["cedarholt"] == (
        "Bring newer logs. If they show the same: Update CHMAIL1 before the next stage; pause enforcement if that takes longer."
    )
    results = [row["says"] for row in records(samples, "clock") if row["step"] == 6]
    assert results and all(says.startswith(DATED["en"]) for says in results)
    assert all(row["note"].startswith(DATED["en"]) for row in records(samples, "pause_planner"))


def _first_actions(samples: Samples, language: str, organisation: str) -> Iterator[tuple[str, str]]:
    """By format, the first action that a reader of one organisation meets."""
    read = csv.DictReader(io.StringIO(written(samples, "csv", "findings", language, organisation)))
    yield "csv", next(iter(read))["action"]
    whole = json.loads(written(samples, "json", None, language, organisation))["reports"]
    yield "json", whole["findings"][0]["action"]
    yield "json verdict", whole["exposure"][0]["next_action"]
    text = words(written(samples, "text", None, language, organisation))
    heading = Texts(language)("text.what_to_do")
    yield "text", text.split(heading, 1)[1].lstrip("- ")
    table = written(samples, "markdown", "findings", language, organisation)
    row = table.splitlines()[4]
    yield "markdown", row.split(" | ")[6]
    page = words(" ".join(_Text(written(samples, "html", None, language, organisation)).texts))
    yield "html", page.split(heading, 1)[1].strip()


@LANGUAGES
@pytest.mark.parametrize("organisation", ["dunmore", "foxglove"])
def test_the_first_action_in_every_format(samples: Samples, language: str, organisation: str) -> None:
    for name, action in _first_actions(samples, language, organisation):
        assert action.startswith(BRING[language]), name


@LANGUAGES
@pytest.mark.parametrize("format_", ["csv", "json", "text", "markdown", "html"])
def test_nothing_speaks_of_today(samples: Samples, language: str, format_: str) -> None:
    reports: tuple[str | None, ...] = (
        ("findings", "exposure", "servers", "clock") if format_ == "csv" else (None,)
    )
    text = " ".join(written(samples, format_, report, language, None) for report in reports)
    if format_ == "html":
        text = " ".join(_Text(text).texts)
    text = words(text)
    assert DATED[language] in text and BRING[language] in text
    assert [phrase for phrase in PRESENT[language] if phrase in text] == []


def test_new_logs_are_not_dated(samples: Samples) -> None:
    found = json.loads(samples.write("json", "findings"))
    assert not [row for row in found if "By logs that end" in row["finding"]]
    assert not [row for row in found if "newer logs still" in (row["action"] or "")]


@LANGUAGES
def test_a_date_by_the_clock_alone_has_its_condition(samples: Samples, language: str) -> None:
    condition = {
        "en": "since 23 December 2026 at the latest, unless it was updated or paused since the logs ended",
        "de": "spätestens seit 23. Dezember 2026, sofern seit dem Ende der Protokolle nicht aktualisiert oder pausiert wurde",
    }
    page = words(" ".join(_Text(written(samples, "html", None, language, "elmsford")).texts))
    # among the key figures and below the ladder
    assert page.count(condition[language]) == 2
    notes = [row["note"] for row in records(samples, "pause_planner", "elmsford")]
    assert notes and not [note for note in notes if "blocked now" in note]
