"""The catalogues: nothing that people read is missing in German."""

from __future__ import annotations

import csv
import re
import tomllib
from pathlib import Path
from string import Formatter
from typing import Any

import pytest

from pipeline import queries
from pipeline.errors import UsageError
from pipeline.i18n import LANGUAGES, Texts, locale_language
from pipeline.i18n.columns import PROSE, TERMS, is_translated
from pipeline.reports.changes import COLUMNS as CHANGES
from tests.i18n.sentences import templates, templates_of
from tests.reports.rendering import Samples

CATALOGUES = Path(__file__).resolve().parents[2] / "pipeline" / "i18n"
REPLIES = CATALOGUES.parent / "reference" / "smtp_replies.csv"
GERMAN = Texts("de")
# columns whose text comes from logs, paths or the catalogue; a word in them is no word of ours
NOT_OURS = {"lineage", "log_kinds", "log_kind", "kind"}


def catalogue(language: str) -> dict[str, Any]:
    return tomllib.loads((CATALOGUES / f"{language}.toml").read_text(encoding="utf-8"))


def test_every_sentence_of_the_queries_is_there_in_german() -> None:
    missing = {template: files for template, files in templates().items() if not GERMAN.knows(template)}
    assert not missing, "add them to [sentences] of pipeline/i18n/de.toml"


def test_how_sentences_are_found() -> None:
    sql = """
        select -- 'not this one'
            concat_ws(' ', 'All is well.', case when n = 'not this' then 'Update ' || coalesce(names, 'the servers') || ' at once.' end) as verdict,
            split_part(x, 'nor this', 1) as y, 'so it is' as z
        from t where a in ('not in here', 'or here') and b like 'nor this one'
    """
    assert templates_of(sql) == ["All is well.", "the servers", "Update {1} at once.", "so it is"]


@pytest.mark.parametrize("template", catalogue("de")["sentences"].items(), ids=lambda item: item[0][:40])
def test_a_translation_has_the_gaps_of_its_sentence(template: tuple[str, str]) -> None:
    english, german = template
    assert sorted(re.findall(r"\{\d+\}", english)) == sorted(re.findall(r"\{\d+\}", german))


def test_both_catalogues_have_the_same_texts_with_the_same_gaps() -> None:
    def texts(language: str) -> dict[str, set[str | None]]:
        tables = {
            k: v
            for k, v in catalogue(language).items()
            if k not in ("columns", "reports", "terms", "sentences")
        }
        return {
            f"{name}.{key}": {field for _, field, _, _ in Formatter().parse(text) if field is not None}
            for name, table in tables.items()
            for key, text in table.items()
            if isinstance(text, str)
        }

    assert texts("de") == texts("en")


def test_every_column_and_report_has_a_german_name() -> None:
    columns = {name for report in queries.reports() for name in report.columns} | set(CHANGES)
    assert columns <= set(catalogue("de")["columns"])
    assert {report.name for report in queries.reports()} | {"changes"} <= set(catalogue("de")["reports"])


def test_translated_columns_are_columns_of_reports() -> None:
    columns = {name for report in queries.reports() for name in report.columns} | set(CHANGES)
    assert columns >= PROSE | TERMS


def test_the_catalogue_of_replies_is_there_in_german() -> None:
    with REPLIES.open(encoding="utf-8", newline="") as handle:
        cells = {
            row[name]
            for row in csv.DictReader(handle)
            if row["is_tbes"] == "no"
            for name in ("meaning", "what_to_do")
        }
    assert {cell for cell in cells if not GERMAN.knows(cell)} == set()


def test_the_reports_of_the_samples_leave_no_english_sentence(samples: Samples) -> None:
    english: set[str] = set()
    astray: set[str] = set()
    with samples.session() as session:
        for report in queries.reports():
            result = session.report(report.name)
            for row in result.rows:
                for name, value in zip(result.columns, row, strict=True):
                    if not isinstance(value, str) or name in NOT_OURS:
                        continue
                    translated = GERMAN.translate(value)
                    if not is_translated(report.name, name) and translated != value:
                        astray.add(f"{report.name}.{name}: {value}")
                    if is_translated(report.name, name) and translated == value and " " in value:
                        english.add(f"{report.name}.{name}: {value}")
                    if re.search(
                        r"\b(the|is|from|which|begins|names|minutes an hour)\b", translated
                    ) and is_translated(report.name, name):
                        english.add(f"{report.name}.{name}: {translated}")
    assert not astray, "columns to add to pipeline/i18n/columns.py"
    assert english <= {"peers.generation: Exchange Online"}


@pytest.mark.parametrize(
    ("english", "german"),
    [
        ("accepted", "angenommen"),
        ("Below the accepted floor: EX01, EX02.", "Unter dem Mindest-Build: EX01, EX02."),
        (
            "Update the servers at once, or pause enforcement; let the senders of the bounced messages send again.",
            "die Server sofort aktualisieren oder die Durchsetzung pausieren; die Absender der abgelehnten Nachrichten erneut senden lassen.",
        ),
        (
            "Messages refused for good and not accepted later: 8. Of these without a report to the sender in these logs: 1.",
            "Endgültig abgelehnte und nicht später angenommene Nachrichten: 8. Davon ohne Bericht an den Absender in diesen Protokollen: 1.",
        ),
        ("Accepted today. Nothing today.", "Heute angenommen. Heute nichts."),
        ("Words that nobody wrote.", "Words that nobody wrote."),
        (
            "Set-SendConnector 'Yes; no' -ProtocolLoggingLevel Verbose",
            "Set-SendConnector 'Yes; no' -ProtocolLoggingLevel Verbose",
        ),
        (
            "Set-SendConnector 'Yes; no; yes' -ProtocolLoggingLevel Verbose; then read the Send log for 4.7.230.",
            "Set-SendConnector 'Yes; no; yes' -ProtocolLoggingLevel Verbose; dann im Sendeprotokoll nach 4.7.230 suchen.",
        ),
        ("", ""),
    ],
)
def test_translation(english: str, german: str) -> None:
    assert GERMAN.translate(english) == german
    assert Texts("en").translate(english) == english


def test_a_long_text_of_a_stranger_costs_little() -> None:
    text = "Refusals: 1, spells: " * 200
    assert isinstance(GERMAN.translate(text), str)


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({"LANG": "de_CH.UTF-8"}, "de"),
        ({"LANG": "de_DE.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LC_MESSAGES": "de"}, "de"),
        ({"LANG": "en_GB.UTF-8"}, "en"),
        ({"LANG": "German_Germany.1252"}, "de"),
        ({"LANG": "del"}, "en"),
    ],
)
def test_the_language_of_the_locale(environment: dict[str, str], language: str) -> None:
    assert locale_language(environment) == language


def test_a_language_without_catalogue() -> None:
    with pytest.raises(UsageError, match="de, en"):
        Texts("fr")
    assert {path.stem for path in CATALOGUES.glob("*.toml")} == set(LANGUAGES)
