"""The forms in which the cmdlet's output is saved, and what is read from them."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from pipeline.errors import ExitCode, UsageError
from pipeline.imports.report import ImportedServer, ParsedReport, parse_report
from pipeline.reference.catalogue import Catalogue
from tests.imports.samples import BUILDS, CULTURES, FIELDS, TRUE_DATES, UK, format_list

NOW = datetime(2026, 11, 25, tzinfo=UTC)
CATALOGUE = Catalogue()
SERVER = ImportedServer(
    server_fqdn="Exch1.fabrikam.example",
    build="15.1.2507.16",
    exchange_server="ExchangeServer2016",
    first_detected=TRUE_DATES[0],
    throttle_enabled=TRUE_DATES[1],
    blocking_enabled=TRUE_DATES[2],
    next_stage_throttle=20,
    next_stage_block=0,
    next_stage_start=TRUE_DATES[3],
    recommended_builds=("15.1.2507.31", "15.1.2507.37", "15.1.2507.39"),
)


def parsed(text: str | bytes, **options: object) -> ParsedReport:
    content = text if isinstance(text, bytes) else text.encode()
    return parse_report(content, CATALOGUE, NOW, options.get("zone", UTC), options.get("told"))  # type: ignore[arg-type]  # options


def cells(dates: tuple[str, ...] = UK) -> dict[str, object]:
    return {
        "ServerFQDN": "Exch1.fabrikam.example",
        "Build": "15.1.2507.16",
        "ExchangeServer": "ExchangeServer2016",
        "RecommendedBuildVersions": BUILDS,
        "NextStageThrottleRate": 20,
        "NextStageBlockRate": 0,
        **dict(zip(FIELDS, dates, strict=True)),
    }


def as_csv(delimiter: str, *rows: dict[str, object], head: str = "", quoting: int = csv.QUOTE_ALL) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), delimiter=delimiter, quoting=quoting, lineterminator="\r\n")  # type: ignore[arg-type]  # int
    writer.writeheader()
    writer.writerows(rows)
    return head + out.getvalue()


@pytest.mark.parametrize("culture", CULTURES)
def test_every_culture_in_every_form(culture: str) -> None:
    dates = CULTURES[culture]
    for text in (format_list(dates), as_csv(",", cells(dates)), json.dumps(cells(dates))):
        assert parsed(text).servers == (SERVER,), text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_encodings(encoding: str, ends: str) -> None:
    text = format_list(CULTURES["long German"]).replace("\n", ends)
    assert parsed(text.encode(encoding)).servers == (SERVER,)


def wrapped(text: str, width: int) -> str:
    """As a console of this width shows it: long values go on under the first letter of the value."""
    lines = []
    for line in text.splitlines():
        while len(line) > width:
            at = line.rfind(" ", 30, width)
            at = at if at > 0 else width
            lines.append(line[:at])
            line = " " * 27 + line[at:].strip()
        lines.append(line)
    return "\n".join(lines)


@pytest.mark.parametrize("width", [40, 53, 60, 79, 80, 100, 119])
@pytest.mark.parametrize("builds", [BUILDS, "{" + BUILDS.replace(",", ", ") + "}"])
def test_wrapped_lines(width: int, builds: str) -> None:
    assert parsed(wrapped(format_list(builds=builds), width)).servers == (SERVER,)


def test_wrapped_lines_whose_indent_is_lost() -> None:
    text = "\n".join(line.strip() for line in wrapped(format_list(), 60).splitlines())
    assert parsed(text).servers == (SERVER,)


def test_several_servers_and_what_a_prompt_adds() -> None:
    text = (
        "PS C:\\Users\\anna> Get-OnPremServerReportInfo | fl\n"
        + format_list()
        + format_list(
            CULTURES["de-DE"], fqdn="exch2.fabrikam.example", build="15.01.2507.017", rates=("", "")
        )
        + "\nPS C:\\Users\\anna>\n"
    )
    first, second = parsed(text).servers
    assert first == SERVER
    assert (second.server_fqdn, second.build) == ("exch2.fabrikam.example", "15.1.2507.17")
    assert (second.next_stage_throttle, second.next_stage_block) == (None, None)


def test_double_spaced_text_and_other_properties() -> None:
    text = (
        format_list()
        .replace("\n", "\n\n")
        .replace("Build  ", "RunspaceId               : 6f5e0f0e-1\nBuild  ")
    )
    report = parsed(text)
    assert report.servers == (SERVER,)
    assert report.notes == ("Fields that are not used: RunspaceId.",)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("head", ["", "#TYPE System.Management.Automation.PSCustomObject\r\n"])
def test_csv(delimiter: str, head: str) -> None:
    report = parsed(as_csv(delimiter, cells(), {**cells(), "ServerFQDN": "b.fabrikam.example"}, head=head))
    assert (report.form, report.servers[0], report.servers[1].server_fqdn) == (
        "CSV",
        SERVER,
        "b.fabrikam.example",
    )


def test_csv_of_an_array_keeps_no_builds() -> None:
    report = parsed(as_csv(",", {**cells(), "RecommendedBuildVersions": "System.String[]"}))
    assert report.servers[0].recommended_builds == ()
    assert "holds no build (System.String[])" in report.notes[0]


def test_csv_with_a_broken_line() -> None:
    with pytest.raises(UsageError, match="Line 3 has 1 cells, the header has 10"):
        parsed(as_csv(",", cells()) + "half\r\n")


def test_json_of_both_powershells() -> None:
    windows = cells(CULTURES["5.1 JSON"])
    windows["FirstDetectedDate"] = {
        "value": CULTURES["5.1 JSON"][0],
        "DisplayHint": 2,
        "DateTime": "Thursday, March 28, 2024 12:15:08 AM",
    }
    windows["Build"] = {
        "Major": 15,
        "Minor": 1,
        "Build": 2507,
        "Revision": 16,
        "MajorRevision": 0,
        "MinorRevision": 16,
    }
    windows["RecommendedBuildVersions"] = BUILDS.split(",")
    assert parsed(json.dumps([windows])).servers == (SERVER,)
    assert parsed(json.dumps({"value": [windows], "Count": 1})).servers == (SERVER,)
    assert parsed(json.dumps(windows, indent=4).replace("/", "\\/")).servers == (SERVER,)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "No server of Get-OnPremServerReportInfo is in the file"),
        ("There is no data for your organization.\n", "No server"),
        ("Build : 15.1.2507.16\n", "has no ServerFQDN"),
        ("[1]", "a server is an object"),
        ('{"ServerFQDN": ', "begins like JSON but is not"),
        (format_list(build="sixteen"), "Build of Exch1.fabrikam.example: 'sixteen' is no Exchange build"),
        (format_list(rates=("often", "0")), "NextStageThrottleRate of Exch1.fabrikam.example: 'often'"),
        (format_list(rates=("61", "0")), "no number of minutes"),
        (format_list(("soon", "", "", "")), "FirstDetectedDate of Exch1.fabrikam.example: 'soon'"),
        (
            format_list(("05/06/2024 10:00", "", "", "")),
            "ambiguous: 05/06/2024 10:00 .* --date-order dmy or --date-order mdy",
        ),
    ],
)
def test_what_cannot_be_read_is_said_in_one_sentence(text: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem) as error:
        parsed(text)
    assert error.value.exit_code is ExitCode.USAGE


def test_a_told_order_and_zone() -> None:
    text = format_list(("05/06/2024 01:00", "", "", ""))
    berlin = ZoneInfo("Europe/Berlin")
    assert parsed(text, told="dmy", zone=berlin).servers[0].first_detected == datetime(
        2024, 6, 4, 23, tzinfo=UTC
    )
    assert parsed(text, told="mdy", zone=berlin).servers[0].first_detected == datetime(
        2024, 5, 5, 23, tzinfo=UTC
    )


def test_a_list_cut_short_is_said() -> None:
    report = parsed(format_list(builds="{15.1.2507.39, 15.1.2507.37...}"))
    assert report.servers[0].recommended_builds == ("15.1.2507.37", "15.1.2507.39")
    assert "$FormatEnumerationLimit = -1" in report.notes[0]


def test_an_empty_date_of_dotnet_is_empty() -> None:
    report = parsed(format_list(("28/03/2024 00:15:08", "01/01/0001 00:00:00", "", "")))
    assert (report.servers[0].throttle_enabled, report.servers[0].next_stage_start) == (None, None)
