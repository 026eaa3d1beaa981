"""The findings: their keys, and that every one of them stands in every format."""

from __future__ import annotations

import csv
import html
import io
import json
import re

import openpyxl
import pyarrow.parquet as pq
import pytest

from pipeline.i18n import Texts
from tests.reports.rendering import Samples


def words(text: str) -> str:
    """A text without line breaks, list marks and markup."""
    return re.sub(r"\s+", " ", html.unescape(text).replace("\\", ""))


@pytest.fixture(scope="module")
def found(samples: Samples) -> list[dict[str, object]]:
    return json.loads(samples.write("json", "findings"))


def test_keys_are_unique_and_name_organisation_and_server(found: list[dict[str, object]]) -> None:
    keys = [finding["finding_key"] for finding in found]
    assert len(set(keys)) == len(keys) > 20
    for finding in found:
        assert str(finding["finding_key"]).startswith(
            f"{finding['organisation']}/{finding['server'] or '*'}/"
        )


def test_worst_first_and_what_the_samples_hold(found: list[dict[str, object]]) -> None:
    order = [("critical", "warning", "note").index(str(finding["severity"])) for finding in found]
    assert order == sorted(order)
    severity = {finding["finding_key"]: finding["severity"] for finding in found}
    assert severity["dunmore/DUN-HT1/mail"] == severity["elmsford/ELM-MBX1/mail"] == "critical"
    assert severity["cedarholt/CHMAIL1/mail"] == "warning"
    assert severity["dunmore/DUN-HT1/bounced"] == "warning"
    assert severity["foxglove/*/quarantine"] == "note"
    assert not any(str(key).startswith("foxglove/") and level != "note" for key, level in severity.items())


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_finding_stands_in_every_format(
    samples: Samples, found: list[dict[str, object]], language: str
) -> None:
    texts = Texts(language)
    sentences = [texts.translate(str(finding["finding"])) for finding in found]
    chosen = language if language == "de" else None
    book = openpyxl.load_workbook(io.BytesIO(samples.write("xlsx", None, chosen)))
    rows = list(book["findings"].iter_rows(values_only=True))
    at = [cell.value for cell in book["findings"][1]].index(texts.column("finding"))
    by_format = {
        "csv": [
            row["finding"]
            for row in csv.DictReader(io.StringIO(samples.write("csv", "findings", chosen).decode()))
        ],
        "json": [
            row["finding"] for row in json.loads(samples.write("json", None, chosen))["reports"]["findings"]
        ],
        "jsonl": [
            json.loads(line)["finding"] for line in samples.write("jsonl", "findings", chosen).splitlines()
        ],
        "parquet": pq.read_table(io.BytesIO(samples.write("parquet", "findings", chosen)))[
            "finding"
        ].to_pylist(),
        "xlsx": [row[at] for row in rows[1:]],
    }
    for name, column in by_format.items():
        assert column == sentences, name
    for name in ("markdown", "text"):
        text = words(samples.write(name, None, chosen).decode())
        for sentence in sentences:
            assert words(sentence) in text, name
