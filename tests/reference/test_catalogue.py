"""The catalogue: names of builds, relations for SQL, replies and hosts, overlays and faults in them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from pipeline.reference import schema
from pipeline.reference.builds import parse_build
from pipeline.reference.catalogue import Catalogue
from pipeline.reference.tables import CatalogueError


@pytest.mark.parametrize(
    ("text", "product", "name"),
    [
        ("15.1.2507.61", "exchange-2016", "2016 CU23 Oct25SU"),
        ("15.2.2562.29", "exchange-se", "SE RTM Oct25SU"),
        ("15.2.2561.0", "exchange-2019", "unlisted build of 2019"),
        ("15.2.1748.40", "exchange-2019", "unlisted build of 2019 CU15"),
        ("15.1.2507.36", "exchange-2016", "unlisted build of 2016 CU23"),
        ("14.3.513.0", "exchange-2010", "2010 SP3 RU32"),
        ("14.3.514.0", "exchange-2010", "unlisted build of 2010 SP3"),
        ("8.3.83.6", "exchange-2007", "2007 SP3"),
        ("6.5.7638.4", "exchange-2003", "2003 SP2"),
        # printed by Microsoft Learn; servers show 14.3.339.0
        ("14.3.336.0", "exchange-2010", "2010 SP3 RU16"),
        ("15.20.7135.32", "exchange-online", "Exchange Online"),
        # Exchange Online since May 2026, in mail headers of public lists
        ("15.21.92.7", "exchange-online", "Exchange Online"),
        ("15.0.0.0", None, "no build (a constant of the log header)"),
        ("8.9.1.1", None, "unknown build"),
    ],
)
def test_products_and_names(text: str, product: str | None, name: str, catalogue: Catalogue) -> None:
    build = parse_build(text)
    assert build is not None
    assert catalogue.product_of(build) == product
    assert catalogue.name_of(build) == name


def test_how_far_behind(catalogue: Catalogue) -> None:
    build = parse_build("15.1.2507.72")
    assert build is not None
    behind = catalogue.behind(build)
    assert behind is not None
    # Aug26SU of 2026-08-11; .73, .75 and .77 followed, the last on 2026-10-13
    assert (behind.builds_of_line, behind.days, str(behind.newest_of_line.build)) == (3, 63, "15.1.2507.77")
    unlisted = parse_build("15.2.1748.54")
    assert unlisted is not None
    between = catalogue.behind(unlisted)
    assert between is not None
    assert (between.builds_of_line, between.days) == (1, 11)


def test_as_of_dates(catalogue: Catalogue) -> None:
    assert catalogue.as_of == date(2026, 10, 13)
    assert catalogue.baselines_as_of == date(2026, 9, 7)
    assert catalogue.stages_as_of == date(2026, 9, 8)
    assert catalogue.dated("known-exploited flags") == date(2026, 8, 7)


def test_relations_have_typed_rows_and_keys(catalogue: Catalogue) -> None:
    tables = catalogue.tables()
    assert {
        "ref_builds",
        "ref_build_aliases",
        "ref_lifecycle",
        "ref_cves",
        "ref_stages",
        "ref_baselines",
        "ref_replies",
        "ref_hosts",
        "ref_retry_intervals",
        "ref_pause_quotas",
        "ref_products",
        "ref_catalogue",
    } == set(tables)
    python = {"VARCHAR": str, "INTEGER": int, "BIGINT": int, "DATE": date}
    for name, relation in tables.items():
        assert relation.rows, name
        for row in relation.rows:
            assert len(row) == len(relation.columns), name
            for (column, kind), cell in zip(relation.columns, row, strict=True):
                assert cell is None or type(cell) is python[kind], (name, column, cell)
    builds = tables["ref_builds"]
    at = [column for column, _ in builds.columns]
    newest = next(row for row in builds.rows if row[0] == "15.1.2507.61")
    assert newest[at.index("build_key")] == 150010250700061
    assert newest[at.index("date_precision")] == "day"
    baselines = tables["ref_baselines"]
    keys = [row[-1] for row in baselines.rows if row[3] == "none"]
    assert keys == [None, None, None]


def test_every_row_has_a_source() -> None:
    for table in schema.TABLES:
        if table not in (schema.BUILDS, schema.ALIASES):
            required = {field.name for field in table.fields if field.required}
            assert required & {"source", "source_url", "sources"}, table.file


@pytest.mark.parametrize(
    ("reply", "meaning"),
    [
        ("451 4.7.500 Server busy. Please try again later from [192.0.2.1]. (AS77712)", "IP throttling"),
        ("451 4.7.650 Access denied, please try again later", "IP throttling"),
        ("451 4.7.699 (AS12345)", "IP throttling"),
        (
            "550 5.7.232 Your trial tenant has exceeded its daily limit for sending email to external"
            " recipients",
            "trial",
        ),
        (
            "550 5.7.708 Service unavailable. Access denied, traffic not accepted from this IP.",
            "traffic from this IP",
        ),
        ("550 5.7.64 TenantAttribution; Relay Access Denied", "no inbound connector"),
        (
            "550 5.7.68 TenantInboundAttribution; Direct Send not allowed for this organization from"
            " unauthorized"
            " sources",
            "RejectDirectSend",
        ),
        (
            "550 5.7.513 Service unavailable, Client host [192.0.2.1] blocked by fabrikam.com using"
            " Customer Block"
            " list",
            "recipient blocks",
        ),
        ("432 4.3.2 STOREDRV.Deliver; recipient thread limit exceeded", "delivery to one mailbox"),
        ("550 5.7.236 anything", "onmicrosoft.com"),
        (
            '451 4.4.0 Primary target IP address responded with: "451 4.7.500 Server busy. Please try'
            ' again later"',
            "IP throttling",
        ),
    ],
)
def test_look_alikes_by_name(reply: str, meaning: str, catalogue: Catalogue) -> None:
    rows = catalogue.match_replies(reply)
    assert meaning in rows[0].meaning
    assert not rows[0].is_tbes


@pytest.mark.parametrize(
    "reply", ["550 5.7.5 x", "550 5.7.2330 x", "15.7.233.1", "v5.7.233", "450 4.7.499 x"]
)
def test_codes_are_whole_number_groups(reply: str, catalogue: Catalogue) -> None:
    assert catalogue.match_replies(reply) == []


def test_words_come_before_the_bare_code(catalogue: Catalogue) -> None:
    worded = catalogue.match_replies(
        "450 4.7.230 Connecting Exchange server version is out-of-date; connection to Exchange Online"
        " throttled"
        " for 5 mins/hr."
    )
    assert [row.text_pattern is not None for row in worded] == [True]
    assert [row.text_pattern for row in catalogue.match_replies("450 4.7.230 something else")] == [None]


@pytest.mark.parametrize(
    ("host", "host_class"),
    [
        ("contoso-com.mail.protection.outlook.com", "exchange-online"),
        ("CONTOSO-COM.MAIL.PROTECTION.OUTLOOK.COM.", "exchange-online"),
        ("contoso-com.o-v1.mx.microsoft", "exchange-online"),
        ("AS8PR01MB0001.eurprd01.prod.outlook.com", "exchange-online"),
        ("VI1EUR04FT117.eop-eur04.prod.protection.outlook.com", "exchange-online"),
        ("contoso.mail.protection.office365.us", "exchange-online"),
        ("contoso-com.usgovcloud-mx.microsoft", "exchange-online"),
        ("contoso-cn.mail.protection.partner.outlook.cn", "exchange-online"),
        ("live-com.olc.protection.outlook.com", "outlook-com"),
        ("smtp.hve.mx.microsoft", "client-submission"),
        ("smtp.office365.com", "client-submission"),
        ("contoso.mail.onmicrosoft.com", None),
        ("notprod.outlook.com", None),
        ("mail.protection.outlook.com.evil.example", None),
        ("", None),
    ],
)
def test_hosts_by_the_longest_suffix(host: str, host_class: str | None, catalogue: Catalogue) -> None:
    row = catalogue.host_of(host)
    assert (row.host_class if row else None) == host_class


# -- overlays ----------------------------------------------------------------------------------------

BUILDS_HEADER = "build_number,product,cumulative_update,security_update,release_date,kind,kb\n"
BASELINES_HEADER = "effective_from,product,cumulative_update,minimum_build,status,source_url,note\n"
STAGES_HEADER = (
    "stage,day_from,day_to,throttle_minutes_per_hour,block_minutes_per_hour,source,as_of,"
    "note,valid_from,valid_to\n"
)


def overlay(folder: Path, name: str, content: str | bytes) -> Path:
    data = content.encode() if isinstance(content, str) else content
    (folder / name).write_bytes(data)
    return folder


def test_one_line_adds_a_build(tmp_path: Path) -> None:
    row = "15.1.2507.80,exchange-2016,CU23,Nov26SU,2026-11-10,su,KB5999999\n"
    newer = Catalogue(overlay(tmp_path, "exchange_builds.csv", BUILDS_HEADER + row))
    build = parse_build("15.1.2507.80")
    assert build is not None
    assert newer.name_of(build) == "2016 CU23 Nov26SU"
    assert newer.as_of == date(2026, 11, 10)
    assert len(newer.builds) == 477


def test_a_row_of_the_same_key_replaces(tmp_path: Path) -> None:
    row = "15.1.2507.77,exchange-2016,CU23,Oct26SU,2026-10-14,su,KB5130000\n"
    newer = Catalogue(overlay(tmp_path, "exchange_builds.csv", BUILDS_HEADER + row))
    build = parse_build("15.1.2507.77")
    assert build is not None
    found = newer.find(build)
    assert found is not None
    assert (found.kb, len(newer.builds)) == ("KB5130000", 476)


def test_semicolons_and_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    text = (BUILDS_HEADER + "15.1.2507.80,exchange-2016,CU23,Nov26SU,2026-11-10,su,\n").replace(",", ";")
    assert (
        len(Catalogue(overlay(tmp_path, "exchange_builds.csv", b"\xef\xbb\xbf" + text.encode())).builds)
        == 477
    )


def test_an_announced_raise_that_has_come(tmp_path: Path) -> None:
    source = "https://example.org/raise"
    rows = (
        f"2026-11-20,exchange-2016,CU23,15.1.2507.77,published,{source},\n"
        f",exchange-2016,CU23,,withdrawn,{source},has come\n"
    )
    newer = Catalogue(overlay(tmp_path, "enforcement_baselines.csv", BASELINES_HEADER + rows))
    build = parse_build("15.1.2507.61")
    assert build is not None
    assert newer.floor_of(build, date(2026, 11, 19)).verdict == "accepted"
    floor = newer.floor_of(build, date(2026, 11, 25))
    assert (floor.verdict, floor.announced) == ("below the floor", None)


def test_a_ladder_replaces_the_whole_table(tmp_path: Path) -> None:
    rows = (
        "1,0,20,0,0,https://example.org,2026-11-20,,2026-11-20,\n"
        "2,20,,0,60,https://example.org,2026-11-20,,2026-11-20,\n"
    )
    newer = Catalogue(overlay(tmp_path, "enforcement_stages.csv", STAGES_HEADER + rows))
    assert [stage.day_to for stage in newer.stages] == [20, None]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (
            "exchange_builds.csv",
            BUILDS_HEADER + "15.1.2507,exchange-2016,CU23,,2026-11-10,su,\n",
            "line 2: build_number",
        ),
        (
            "exchange_builds.csv",
            BUILDS_HEADER + "15.1.2507.80,exchange-2016,CU23,,10.11.2026,su,\n",
            "YYYY-MM-DD",
        ),
        (
            "exchange_builds.csv",
            BUILDS_HEADER + "15.1.2507.80,exchange-2016,CU23,,2026-02-30,su,\n",
            "line 2: release_date",
        ),
        (
            "exchange_builds.csv",
            BUILDS_HEADER + "15.1.2507.80,exchange-2016,CU23\n",
            "has 3 cells, the header has 7",
        ),
        (
            "exchange_builds.csv",
            BUILDS_HEADER + "15.2.2507.80,exchange-2016,CU23,,2026-11-10,su,\n",
            "no version of",
        ),
        (
            "exchange_builds.csv",
            BUILDS_HEADER + '15.1.2507.80,"exchange-2016,CU23,,2026-11-10,su,\n',
            "line 2: is not CSV",
        ),
        ("exchange_builds.csv", "build_number,product\n", "line 1: missing column 'cumulative_update'"),
        ("exchange_builds.csv", BUILDS_HEADER.replace("kb", "kbs"), "line 1: unknown column 'kbs'"),
        ("exchange_builds.csv", "", "line 1: is empty"),
        ("exchange_builds.csv", BUILDS_HEADER.encode() + b"\n15.1.2507.80,\xfc\n", "line 3: is not UTF-8"),
        ("builds.csv", BUILDS_HEADER, "is no table of the catalogue"),
        (
            "enforcement_stages.csv",
            STAGES_HEADER + "1,0,20,0,0,https://x.org,2026-11-20,,2026-11-20,\n"
            "2,30,,0,60,https://x.org,2026-11-20,,"
            "2026-11-20,\n",
            "line 3: day_from is 30, the stage before ends on 20",
        ),
        (
            "enforcement_stages.csv",
            STAGES_HEADER + "1,0,20,0,0,,2026-11-20,,2026-11-20,\n",
            "line 2: source is empty",
        ),
        (
            "enforcement_baselines.csv",
            BASELINES_HEADER + "2026-11-20,exchange-2016,CU23,soon,published,https://x.org,\n",
            "line 2: minimum_build is 'soon'",
        ),
        (
            "enforcement_baselines.csv",
            BASELINES_HEADER + ",exchange-2016,CU23,,published,https://x.org,\n",
            "only an announced floor may have no date",
        ),
        (
            "smtp_replies.csv",
            "code_pattern,reply_text_pattern,meaning,is_tbes,what_to_do,source_url\n4.7,,x,no,y,none\n",
            "line 2: code_pattern",
        ),
        (
            "exchange_online_hosts.csv",
            "suffix,class,role,cloud,source_url,as_of,note\n"
            ".Contoso.com,exchange-online,server,x,none,2026-11-20,\n",
            "line 2: suffix",
        ),
    ],
)
def test_a_malformed_file_is_one_clear_sentence(
    tmp_path: Path, name: str, content: str | bytes, said: str
) -> None:
    with pytest.raises(CatalogueError) as fault:
        Catalogue(overlay(tmp_path, name, content))
    assert said in str(fault.value)
    assert name in str(fault.value)


def test_a_missing_or_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="cannot be read"):
        Catalogue(tmp_path / "nowhere")
    with pytest.raises(CatalogueError, match="holds no CSV file"):
        Catalogue(tmp_path)
