"""The HTML report without a browser: what it says, for whom, and that it holds nothing that runs or fetches."""

from __future__ import annotations

import base64
import hashlib
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pipeline.errors import UsageError
from pipeline.i18n import Texts
from pipeline.reference.catalogue import Catalogue
from pipeline.relations import Parameters
from pipeline.reports.acknowledge import Acknowledgement
from pipeline.reports.changes import Earlier
from pipeline.reports.document import Style
from pipeline.reports.formats import FORMATS
from pipeline.reports.gather import Wanted, document
from pipeline.reports.html import charts, figures
from pipeline.reports.html.cells import LEVELS, Rows
from pipeline.reports.html.chapter import _level
from pipeline.reports.html.powershell import quoted
from pipeline.reports.redact import Redactor
from pipeline.sql import Result, Session
from tests.reports.rendering import Samples, of_rows
from tests.reports.test_hostile import ALL
from tests.samples import AS_OF, ingest_samples

ORGANISATIONS = ("alderbrook", "birchwood", "cedarholt", "dunmore", "elmsford", "foxglove")
DAY = timedelta(days=1)
QUERIES = Path(__file__).resolve().parents[2] / "queries"
EXPOSURE = QUERIES / "views" / "61_exposure.sql"
VOID = {"meta", "br", "hr", "img", "input", "link"}


class Reader(HTMLParser):
    """Texts and attributes of a page, and whether its elements are nested as they should be."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.texts: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.texts))


def page(
    samples: Samples,
    *,
    organisation: str | None = None,
    language: str = "en",
    details: bool = False,
    acknowledged: tuple[Acknowledgement, ...] = (),
    earlier: Earlier | None = None,
    days_later: int = 0,
    since: datetime | None = None,
) -> str:
    """The report of the whole set, as the command writes it."""
    parameters = Parameters(organisation, since, as_of=AS_OF + timedelta(days=days_later))
    texts = Texts(language)
    style = Style(texts, redactor=None if details else Redactor(texts))
    with Session(samples.store.snapshot(), Catalogue(), (), parameters) as session:
        written = FORMATS["html"].write(document(session, Wanted(None, acknowledged, earlier)), style)
    assert isinstance(written, str)
    return samples.relative(written.encode()).decode()


@pytest.fixture(scope="module")
def everything(samples: Samples) -> str:
    return page(samples)


@pytest.fixture(scope="module")
def elmsford(samples: Samples) -> str:
    return page(samples, organisation="elmsford")


def ids(text: str) -> Iterator[str]:
    yield from re.findall(r'\bid="([^"]+)"', text)


def test_it_says_what_to_do_by_when_worst_first(everything: str) -> None:
    text = Reader(everything).text
    top = text[: text.index("Stage of enforcement today")]
    assert "Report as of 24 November 2026, 18:00 UTC, catalogue as of" in top
    assert "Times are UTC." in top
    order = [
        top.index(f" {name} ") for name in ("dunmore", "elmsford", "cedarholt", "birchwood", "alderbrook")
    ]
    assert order == sorted(order)
    assert "24 November 2026 today" in top
    assert "Update DUN-HT1 at once, or pause enforcement" in top


def test_every_finding_of_every_organisation_is_there(samples: Samples, everything: str) -> None:
    with samples.session() as session:
        found = session.report("findings")
    at = {name: found.columns.index(name) for name in ("finding", "finding_key")}
    text = Reader(everything).text
    assert len(found.rows) > 20
    for row in found.rows:
        assert row[at["finding_key"]] in text
        assert row[at["finding"]] in text


def test_it_is_well_formed_with_one_id_each_and_links_that_lead_somewhere(everything: str) -> None:
    reader = Reader(everything)
    found = list(ids(everything))
    assert len(found) == len(set(found))
    targets = {attributes["href"] for tag, attributes in reader.tags if tag == "a"}
    assert targets
    assert {str(target) for target in targets} <= {f"#{one}" for one in found}


def test_nothing_in_it_runs_or_is_fetched(everything: str) -> None:
    reader = Reader(everything)
    tags = {tag for tag, _ in reader.tags}
    assert not tags & {"script", "link", "img", "iframe", "object", "embed", "base", "form", "image", "use"}
    for tag, attributes in reader.tags:
        assert not [
            name for name in attributes if name.startswith("on") or name in ("style", "src", "srcset")
        ]
        assert tag == "a" or "href" not in attributes
    (style,) = re.findall(r"<style>(.*?)</style>", everything, re.S)
    assert "url(" not in style and "@import" not in style and "http" not in style
    (policy,) = [
        a["content"] or "" for t, a in reader.tags if a.get("http-equiv") == "Content-Security-Policy"
    ]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


@pytest.mark.parametrize("organisation", ORGANISATIONS)
@pytest.mark.parametrize("details", [False, True])
def test_a_report_of_one_organisation_holds_nothing_of_another(
    samples: Samples, organisation: str, details: bool
) -> None:
    with samples.session() as session:
        servers = session.query(
            "select organisation, server, build, newest_build, baseline_build from servers"
        ).rows
        domains = session.query(
            "select distinct organisation, lower(split_part(sender_address, '@', 2)) from message_tracking "
            "where sender_address is not null"
        ).rows
    own = {str(value) for row in servers if row[0] == organisation for value in row}
    own |= {domain for name, domain in domains if name == organisation}
    others = {str(value) for row in servers for value in row if value} | {domain for _, domain in domains}
    content = page(samples, organisation=organisation, details=details).lower().encode()
    assert organisation.encode() in content
    strange = {
        name
        for name in others - own
        if name and name != "none" and not any(name.lower() in one.lower() for one in own)
    }
    assert {name for name in ORGANISATIONS if name != organisation} <= strange
    assert any(re.fullmatch(r"15\.\d\.\d+\.\d+", name) for name in strange)
    assert [name for name in sorted(strange) if name.lower().encode() in content] == []
    # where the logs lay on the machine that read them
    assert str(samples.logs.parent).lower().encode() not in content


def test_without_details_no_address_id_path_or_internal_address_is_in_it(everything: str) -> None:
    text = Reader(everything).text
    # what is left of a message id is its host
    assert re.findall(r"[^\s<\]]@\S+", text) == []
    assert re.search(r"<\[message 1\]@\S+>", text) and "[address 1]" in text
    assert not re.search(r"\b10\.\d+\.\d+\.\d+\b", text)
    assert not re.search(r"logs[/\\]", text)
    assert "MSGTRK" in text and ".LOG" in text
    assert "Offer, second version" not in text and "Lunch?" not in text


def test_details_are_shown_when_asked_for(samples: Samples) -> None:
    text = Reader(page(samples, organisation="elmsford", details=True)).text
    assert "nils.ebert@elmsford.example" in text
    assert "logs/elmsford/ELM-MBX1" in text.replace("\\", "/")
    assert "[address" not in text
    assert "it is not for mailing around" in text


def test_the_same_address_has_the_same_number_all_over(samples: Samples, elmsford: str) -> None:
    detailed = Reader(page(samples, organisation="elmsford", details=True)).text
    plain = Reader(elmsford).text
    addresses = re.findall(r"[\w.]+@elmsford\.example", detailed)
    assert len(set(re.findall(r"\[address \d+\]", plain))) < len(addresses)


def test_acknowledged_findings_stay_but_are_red_no_more(samples: Samples) -> None:
    day = AS_OF.date()
    with samples.session("dunmore") as session:
        found = session.report("findings")
    keys = [row[found.columns.index("finding_key")] for row in found.rows]
    entries = tuple(Acknowledgement(key, "known since Monday", day, "critical") for key in keys)
    before, after = (page(samples, organisation="dunmore", acknowledged=a) for a in ((), entries))
    assert 'class="card verdict critical"' in before and 'class="card verdict critical"' not in after
    text = Reader(after).text
    assert "No open findings." in text and text.count("known since Monday") == len(keys)
    assert all(key in text for key in keys)


def test_what_changed_since_an_earlier_report_stands_at_the_top(samples: Samples) -> None:
    earlier = Earlier(
        AS_OF - timedelta(days=7), None, [], {"dunmore": None, "gone-since": AS_OF - timedelta(days=8)}
    )
    text = Reader(page(samples, earlier=earlier)).text
    assert "Changed since 17 November 2026, 18:00 UTC" in text
    assert text.index(
        "It was in the earlier report, and nothing of it is in the store any more."
    ) < text.index("Stage of enforcement today")


def test_a_stale_verdict_is_in_the_past_tense_and_dated(samples: Samples) -> None:
    text = Reader(page(samples, organisation="cedarholt", days_later=9)).text
    assert "The logs end on 24 November 2026, 9 days before the report date." in text
    assert "When its logs ended, Exchange Online delayed its mail (delayed messages: 6)." in text
    assert "then: delayed" in text
    assert "Logs that stopped arriving" in text
    german = Reader(page(samples, organisation="cedarholt", days_later=9, language="de")).text
    assert (
        "Als die Protokolle endeten, verzögerte Exchange Online die Mail (verspätete Nachrichten: 6)."
        in german
    )


def test_every_state_has_a_severity_and_what_is_not_seen_is_not_good() -> None:
    text = (QUERIES / "reports" / "exposure.sql").read_text(encoding="utf-8")
    (listed,) = re.findall(r"^--   state: (.*)$", text, re.M)
    states = listed.replace(" or ", ", ").split(", ")
    assert "no hand-over in the window" in states and set(states) <= set(LEVELS)
    assert {state: _level((), state) for state in ("accepted", "not visible here", states[-2])} == {
        "accepted": "good",
        "not visible here": "note",
        "no hand-over in the window": "note",
    }


@pytest.mark.parametrize(
    ("language", "state", "verdict"),
    [
        ("en", "no hand-over in the window", "that proves nothing of other times."),
        ("de", "keine Übergabe im Zeitraum", "über andere Zeiten sagt das nichts."),
    ],
)
def test_a_window_without_a_hand_over(
    samples: Samples, monkeypatch: pytest.MonkeyPatch, language: str, state: str, verdict: str
) -> None:
    """The rows are those of the SQL: state and sentences of elmsford's exposure are exchanged."""
    fetch = Session.report

    def quiet(session: Session, name: str) -> Result:
        found = fetch(session, name)
        if name != "exposure":
            return found
        sentences = re.findall(r"'(No hand-over to [^']*)'", EXPOSURE.read_text(encoding="utf-8"))
        changed = {"state": "no hand-over in the window", "stale": False, "verdict": sentences[0]}
        rows = [
            tuple(changed.get(column, cell) for column, cell in zip(found.columns, row, strict=True))
            for row in found.rows
        ]
        return Result(found.columns, found.types, rows)

    monkeypatch.setattr(Session, "report", quiet)
    written = page(samples, organisation="elmsford", language=language)
    text = Reader(written).text
    assert state in text and verdict in text
    assert f'<span class="badge note">{state}</span>' in written


@pytest.mark.parametrize("language", ["en", "de"])
def test_organisations_without_a_line_in_the_window_have_a_chapter(samples: Samples, language: str) -> None:
    text = Reader(page(samples, language=language, since=AS_OF + timedelta(days=30))).text
    said = {
        "en": "None of its log lines lies in the time looked at.",
        "de": "Keine ihrer Protokollzeilen liegt im betrachteten Zeitraum.",
    }[language]
    assert text.count(said) >= len(ORGANISATIONS)
    assert all(name in text for name in ORGANISATIONS)


def test_a_stage_that_may_be_a_later_one_is_told_in_both_languages() -> None:
    english = (
        "The latest refusal names 30 minutes an hour: stage 5, or a later one to 7, "
        "since their throttle minutes are not public."
    )
    document = of_rows(
        ["organisation", "finding"], ["VARCHAR", "VARCHAR"], ("elmsford", english), report="findings"
    )
    words = {
        language: Rows(document, Style(Texts(language))).text("findings", "finding", english)
        for language in ("en", "de")
    }
    document.session.close()
    assert words["en"] == english
    assert "Stufe 5 oder eine spätere bis 7" in words["de"]


def test_a_build_that_comes_back_is_drawn_twice_in_its_row(monkeypatch: pytest.MonkeyPatch) -> None:
    columns = [
        "organisation",
        "server",
        "build",
        "build_name",
        "first_seen",
        "last_seen",
        "evidence",
        "strength",
    ]

    def row(server: str, build: str, first: int, last: int) -> tuple[object, ...]:
        return ("elmsford", server, build, None, AS_OF + first * DAY, AS_OF + last * DAY, "header", "strong")

    drawn: list[Any] = []
    draw = charts.builds
    monkeypatch.setattr(charts, "builds", lambda spans: drawn.extend(spans) or draw(spans))
    rows = [
        row("EX1", "15.1.2507.39", -9, -7),
        row("EX1", "15.1.2507.44", -6, -4),
        row("EX1", "15.1.2507.39", -3, -1),
        row("EX2", "15.1.2507.39", -9, -7),
        row("EX2", "15.1.2507.39", -3, -1),
    ]
    document = of_rows(columns, ["VARCHAR"] * len(columns), *rows, report="server_builds")
    picture = figures.builds(Rows(document, Style(Texts("en"))), "elmsford", "Elmsford")
    document.session.close()
    assert picture is not None
    assert [(span["server"], span["build"]) for span in drawn] == [(found[1], found[2]) for found in rows]
    assert len(picture.table.rows) == 5
    # EX2 was away and came back with the build that it had
    assert picture.words == "More than one build in these logs: EX1."
    # a lane a build: the two stretches of one build stand in one
    assert picture.svg.count("15.1.2507.39") == 2 and picture.svg.count("15.1.2507.44") == 1


def test_commands_have_the_organisations_own_names(elmsford: str) -> None:
    text = Reader(elmsford).text
    assert "Set-SendConnector 'Outbound to Office 365' -ProtocolLoggingLevel Verbose" in text
    assert "Get-ExchangeServer | Format-List Name,AdminDisplayVersion" in text
    assert "Invoke-Command -ComputerName 'ELM-MBX1'" in text
    assert "New-TenantExemptionInfo -BlockingScenario UnpatchedOnPremServer -NumberOfDays 14" in text
    assert "tbes import-report report.txt --organisation elmsford" in text
    assert "Change request: update of Exchange Server (ELM-MBX1)" in text
    assert "3 messages were refused for good." in text


def test_mail_of_which_nobody_is_told_is_listed_first(samples: Samples) -> None:
    text = Reader(page(samples, organisation="dunmore")).text
    system = text.index("System mail of dunmore: nobody reads a report about it")
    assert system < text.index("Mail of senders of dunmore")
    assert "Nobody is told: it has no sender" in text[system : text.index("Mail of senders of dunmore")]
    assert "To be sent again in dunmore, by who or what submitted it" in text


def test_dates_of_one_third_party_source_are_marked(elmsford: str) -> None:
    # of stage 7 (ten minutes later each stage) one site alone tells; stage 5 is told by others as well
    (row,) = re.findall(
        r'<tr role="row">(?:(?!</tr>).)*>7: 20 min/h blocked(?:(?!</tr>).)*</tr>', elmsford, re.S
    )
    assert row.count('class="mark"') == 3
    (row,) = re.findall(
        r'<tr role="row">(?:(?!</tr>).)*>5: 30 min/h throttled, 5 blocked(?:(?!</tr>).)*</tr>', elmsford, re.S
    )
    assert 'class="mark"' not in row
    assert "rests on a single third-party source" in elmsford


def test_the_footnote_stands_where_a_date_is_marked_and_only_there(samples: Samples, elmsford: str) -> None:
    footnote = "This date rests on a single third-party source"
    assert footnote in elmsford
    other = page(samples, organisation="alderbrook")
    assert ('class="mark"' in other) == (footnote in other)


def overview(written: str) -> dict[str, str]:
    """The rows of the overview by organisation, as text."""
    table = re.findall(r'<table role="table" class="overview.*?</table>', written, re.S)[0]
    rows = [Reader(row).text for row in re.findall(r"<tr.*?</tr>", table, re.S)[1:]]
    return {row.split()[0]: row for row in rows}


def test_the_overview_says_state_action_day_and_what_happens_then(everything: str) -> None:
    rows = overview(everything)
    assert list(rows) == ["dunmore", "elmsford", "cedarholt", "birchwood", "alderbrook", "foxglove"]
    for organisation, said in {
        "dunmore": (
            "fully blocked", "Update DUN-HT1 at once", "24 November 2026", "today",
            "since 22 November 2026 at the latest *", "All mail is blocked",
        ),
        "elmsford": (
            "partly blocked", "any day now, by 3 December 2026 : Stage 6: 10 min/h blocked",
            "between 14 December 2026 and 23 December 2026 * : All mail is blocked",
        ),
        "cedarholt": ("delayed", "Stage 4: 20 min/h throttled", "between 3 January 2027 and 12 January 2027"),
        "birchwood": (
            "accepted", "below the floor", "Update BWEX1", "possible since 7 October 2026; no latest date is known",
            "BWEX1: Stage 2: 5 min/h throttled", "Nothing is refused yet", "from 6 December 2026 on",
            "announced, date not public : The next raise of the floor may refuse mail from BWEX2",
            "since 31 October 2026 : No security updates any more for Exchange 2016",
        ),
        "alderbrook": ("Nothing today.", "nothing due", "31 December 2035 : support of Exchange SE ends"),
        "foxglove": (
            "Nothing today. Plan the move to Exchange Server SE.", "announced, date not public", "FOX-EX2",
        ),
    }.items():  # fmt: skip
        row = re.sub(r"\s+", " ", rows[organisation])
        squeezed = row.replace(" ", "")
        for words in said:
            assert words.replace(" ", "") in squeezed, (organisation, words, row)


def test_the_german_overview_is_german(samples: Samples) -> None:
    rows = overview(page(samples, language="de"))
    assert "Stufe 2: 5 min/h" in rows["birchwood"].replace("Min./h", "min/h")
    assert "angekündigt, Datum nicht öffentlich" in rows["birchwood"]
    assert "Support" in rows["alderbrook"] and "nichts fällig" in rows["foxglove"]


def test_which_logs_were_there(elmsford: str) -> None:
    text = Reader(elmsford).text
    assert "Logs that were there: ELM-MBX1: message tracking, Send logs, Receive logs." in text
    assert "Not there:" not in text


@pytest.fixture(scope="module")
def gaps(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    """The samples without Send logs of CHMAIL1 and DUN-HT1, and without what alderbrook and BWEX2 wrote on the second day."""
    folder = tmp_path_factory.mktemp("gaps")
    made = Samples(folder / "whole")
    gone = [(made.logs / "cedarholt", "SEND*"), (made.logs / "alderbrook", "*20261124*")]
    gone.append((made.logs / "dunmore", "SEND*"))
    gone.append((made.logs / "birchwood" / "BWEX2", "*20261124*"))
    for place, pattern in gone:
        for path in list(place.rglob(pattern)):
            path.unlink()
    made.store = ingest_samples(folder / "store", made.logs)
    return made


def test_which_logs_were_not_there_and_what_that_hides(gaps: Samples) -> None:
    text = Reader(page(gaps, organisation="cedarholt")).text
    assert "Not there: No Send logs from CHMAIL1: refusals there would be invisible" in text
    assert "Make the replies of Exchange Online visible" in text
    assert re.search(
        r"Set-SendConnector 'Outbound to Office 365 - [0-9a-f-]+' -ProtocolLoggingLevel Verbose", text
    )


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "No Send logs from DUN-HT1: refusals there would be invisible"),
        ("de", "Keine Sendeprotokolle von DUN-HT1: Zurückweisungen dort wären unsichtbar"),
    ],
)
def test_what_was_not_there_is_said_in_every_format_though_all_mail_is_blocked(
    gaps: Samples, language: str, said: str
) -> None:
    command = "Set-SendConnector 'Outbound to Office 365' -ProtocolLoggingLevel Verbose"
    for format_, report in (("csv", "findings"), ("json", None), ("text", None), ("markdown", None)):
        text = gaps.write(format_, report, language, "dunmore").decode()
        text = re.sub(r"\s+", " ", text).replace("\\", "")
        assert said in text, format_
        assert command in text, format_
    assert said in Reader(page(gaps, organisation="dunmore", language=language)).text


def test_a_step_says_of_which_servers_the_send_logs_were_there(gaps: Samples, elmsford: str) -> None:
    text = Reader(page(gaps, organisation="dunmore")).text
    assert "There were none from: DUN-HT1." in text and "This keeps Send logs on" not in text
    assert (
        "This keeps Send logs on for the connectors to Exchange Online. They were there from: ELM-MBX1."
        in (Reader(elmsford).text)
    )


def test_whose_logs_stopped_arriving_while_others_go_on(gaps: Samples) -> None:
    text = Reader(page(gaps)).text
    stopped = text[text.index("Logs that stopped arriving") : text.index("Stage of enforcement today")]
    assert re.search(
        r"alderbrook .*? Its logs end on 2026-11-23 \d\d:\d\d UTC, while logs of other organisations go on\.",
        stopped,
    )
    assert re.search(r"BWEX2 .*? while logs of other servers of the organisation go on\.", stopped)
    with gaps.session() as session:
        found = session.report("findings")
    at = found.columns.index("finding_key")
    behind = {row[at] for row in found.rows if row[at].endswith("/logs-behind")}
    assert behind == {"alderbrook/*/logs-behind", "birchwood/BWEX2/logs-behind"}
    # alone it cannot be said: nothing of others is known
    assert "while logs of other organisations" not in Reader(page(gaps, organisation="alderbrook")).text


@pytest.mark.parametrize("language", ["en", "de"])
def test_dates_are_iso_or_have_month_names(samples: Samples, language: str) -> None:
    text = Reader(page(samples, language=language)).text
    rest = re.sub(r"\d+\.\d+\.\d+\.\d+|\b[245]\.\d{1,3}\.\d{1,3}\b", "", text)
    assert not re.search(r"\b\d{1,2}[/.]\d{1,2}[/.]\d{2,4}\b", rest)
    assert ("24 November 2026" if language == "en" else "24. November 2026") in text


def test_the_german_report_is_german(samples: Samples) -> None:
    written = page(samples, language="de")
    assert '<html lang="de">' in written
    text = Reader(written).text
    assert "Was zu tun ist" in text or "Was bis wann zu tun ist" in text
    for english in (
        "What to do",
        "Mail at risk",
        "Next steps",
        "by when",
        "As a table",
        "is blocked",
        "any day now",
    ):
        assert english not in text


def test_pictures_have_no_part_that_a_strict_policy_forbids(everything: str) -> None:
    pictures = re.findall(r"<svg.*?</svg>", everything, re.S)
    assert len(pictures) > 10
    for picture in pictures:
        assert picture.startswith('<svg aria-hidden="true"')
        assert " style=" not in picture and "<style" not in picture and "href" not in picture


def test_what_strangers_wrote_is_shown_and_inert() -> None:
    texts = [text for text in ALL if "\ud800" not in text]
    columns = ["organisation", "sender", "reply", "lines"]
    rows = [("contoso", text, text, -5) for text in texts]
    made = of_rows(columns, ["VARCHAR", "VARCHAR", "VARCHAR", "BIGINT"], *rows)
    written = FORMATS["html"].write(made, Style(Texts("en")))
    assert isinstance(written, str)
    reader = Reader(written)
    assert not {tag for tag, _ in reader.tags} & {"script", "img", "svg", "b"}
    assert "<script>alert(1)</script>" in reader.text
    assert "invoice\\u{202e}gpj.exe" in reader.text
    assert not [letter for letter in written if letter != "\n" and not letter.isprintable()]


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "</style><script>1</script>", "{{ 7*7 }}", '"><a href=x>']
)
def test_a_hostile_name_stays_a_name(samples: Samples, text: str) -> None:
    with samples.session("elmsford") as session:
        made = document(session, Wanted(None))
        sheets = []
        for sheet in made.sheets:
            at = [
                i
                for i, name in enumerate(sheet.result.columns)
                if name in ("display_name", "server", "connector")
            ]
            rows = [
                tuple(text if i in at and value else value for i, value in enumerate(row))
                for row in sheet.result.rows
            ]
            sheets.append(replace(sheet, result=replace(sheet.result, rows=rows)))
        written = FORMATS["html"].write(replace(made, sheets=sheets), Style(Texts("en")))
    assert isinstance(written, str)
    reader = Reader(written)
    assert "script" not in {tag for tag, _ in reader.tags}
    assert text in " ".join(reader.texts)
    assert {str(a["href"])[0] for tag, a in reader.tags if tag == "a"} == {"#"}


@pytest.mark.parametrize(
    ("name", "literal"),
    [
        ("Outbound to Office 365", "'Outbound to Office 365'"),
        ("O'Brien", "'O''Brien'"),
        ('$(Remove-Item x)`"', "'$(Remove-Item x)`\"'"),
        # PowerShell takes these for a single quote too
        ("a\u2019; calc; \u2018", "'a\u2019\u2019; calc; \u2018\u2018'"),
        ("a\nb", "'a\\u{000a}b'"),
    ],
)
def test_a_name_in_a_command_is_a_literal(name: str, literal: str) -> None:
    assert quoted(name) == literal


def test_of_many_rows_the_first_are_shown_and_the_rest_are_counted() -> None:
    rows = [("contoso", n) for n in range(5000)]
    made = of_rows(["organisation", "lines"], ["VARCHAR", "BIGINT"], *rows)
    written = FORMATS["html"].write(made, Style(Texts("en")))
    assert isinstance(written, str)
    assert written.count('<tr role="row">') == 2001
    assert "The first 2000 of 5000; 3000 more with: tbes report refusals --format csv" in written


def test_times_are_utc_whatever_the_zone_of_the_terminal(samples: Samples, elmsford: str) -> None:
    with samples.session("elmsford") as session:
        style = Style(Texts("en"), ZoneInfo("Asia/Tokyo"), "Asia/Tokyo", redactor=Redactor(Texts("en")))
        written = FORMATS["html"].write(document(session, Wanted(None)), style)
    assert isinstance(written, str)
    assert samples.relative(written.encode()).decode() == elmsford


def test_nothing_of_an_organisation_is_said_plainly(samples: Samples) -> None:
    text = Reader(page(samples, organisation="nobody")).text
    assert "There is nothing in the store." in text and "Logs that stopped" not in text
    # no date is marked
    assert "third-party source" not in text


def test_a_missing_library_ends_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(UsageError, match=r'^HTML needs more packages: pip install "tbes\[html\]"$'):
        FORMATS["html"].write(of_rows(["sender"], ["VARCHAR"]), Style(Texts("en")))
