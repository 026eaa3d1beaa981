"""Spellings of builds: each example of pipeline/reference/SOURCES.md, and properties over all builds."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.reference.builds import Build, BuildLine, build_key, parse_build, parse_version, received_by
from pipeline.reference.catalogue import Catalogue
from pipeline.reference.product_names import parse_release_name

SPELLINGS = [
    # short, long and unevenly padded
    ("15.1.2507.39", "15.1.2507.39"),
    ("15.01.2507.039", "15.1.2507.39"),
    ("14.3.513.0", "14.3.513.0"),
    ("14.03.0513.000", "14.3.513.0"),
    ("8.3.83.6", "8.3.83.6"),
    ("08.03.0083.006", "8.3.83.6"),
    ("8.03.0083.006", "8.3.83.6"),
    ("8.01.0336.01", "8.1.336.1"),
    ("8.3.083.6", "8.3.83.6"),
    ("8.2.305.03", "8.2.305.3"),
    ("15.2.1544.04", "15.2.1544.4"),
    ("15.00.1497.002", "15.0.1497.2"),
    ("15.2.1544.004", "15.2.1544.4"),
    (" '15.1.2507.39' ", "15.1.2507.39"),
    # AdminDisplayVersion, and the directory's serialNumber with 30000 added
    ("Version 15.1 (Build 2507.39)", "15.1.2507.39"),
    ("Version 15.2 (Build 986.5)", "15.2.986.5"),
    ("Version 15.1 (Build 32507.6)", "15.1.2507.6"),
    ("Version 15.2 (Build 31118.007)", "15.2.1118.7"),
    ("AdminDisplayVersion : Version 15.1 (Build 2507.6)", "15.1.2507.6"),
    # EWS ServerVersionInfo
    ("MajorVersion 15, MinorVersion 2, MajorBuildNumber 2562, MinorBuildNumber 46", "15.2.2562.46"),
    (
        '<h:ServerVersionInfo MajorVersion="15" MinorVersion="2" MajorBuildNumber="2562"'
        ' MinorBuildNumber="46"',
        "15.2.2562.46",
    ),
    # two values in one cell
    ("8.0.685.25/24", "8.0.685.25"),
    ("v2:15.0.712.24 (v1:15.0.712.22)", "15.0.712.24"),
    # log headers and labelled numbers
    ("#Version: 15.01.2375.007", "15.1.2375.7"),
    ("ExSetup.exe FileVersion: 15.02.1748.039", "15.2.1748.39"),
    # Received lines, plain, folded and quoted-printable
    (
        "Received: from a (10.0.0.1) by ex01.contoso.com (10.0.0.2) with Microsoft SMTP Server"
        " (version=TLS1_2, cipher=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384) id 15.1.2507.61; Mon, 2 Nov 2026",
        "15.1.2507.61",
    ),
    ("with Microsoft SMTP Server id 15.2.2562.49", "15.2.2562.49"),
    ("by ex02.contoso.com ([fe80::1%14]) with mapi id 15.02.2562.049; Mon, 2 Nov 2026", "15.2.2562.49"),
    ("by ex02.contoso.com with Microsoft\r\n SMTP Server (TLS) id\r\n 14.02.0318.004; Mon", "14.2.318.4"),
    ("with Microsoft SMTP Server (version=3DTLS1_2) id 15.1.2507.39 via Frontend Transport;", "15.1.2507.39"),
]


@pytest.mark.parametrize(("text", "build"), SPELLINGS)
def test_each_spelling_gives_the_four_integers(text: str, build: str) -> None:
    assert str(parse_build(text)) == build


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "10.0.0.1",
        "192.168.15.1",
        "154.7.230.12",
        "4.7.230",
        "450 4.7.230",
        "15.1",
        "15.1.2507",
        "15.1.2507.39.1",
        "15.1.2507.x",
        "15.1.250712.1",
        "99999.1.1.1",
        "Microsoft SMTPSVC(6.0.3790.4675)",
    ],
)
def test_what_is_no_build_gives_none(text: str) -> None:
    assert parse_build(text) is None


def test_three_parts_name_the_cu_line_only() -> None:
    for text in ("15.1.2507", "15.0.1497", "6.5.7638", "15.2.2562"):
        version = parse_version(text)
        assert version is not None
        assert version.build is None
        assert version.only_cu
        assert str(version.line) == text


def test_the_directory_and_admin_display_show_the_cu_only() -> None:
    version = parse_version("Version 15.1 (Build 32507.6)")
    assert version is not None
    assert version.only_cu
    assert version.line == BuildLine(15, 1, 2507)


def test_received_by_is_the_server_the_id_belongs_to() -> None:
    line = (
        "Received: from a.contoso.com (10.0.0.1)\r\n by ex01.contoso.com (10.0.0.2) with Microsoft"
        " SMTP Server"
    )
    assert received_by(line) == "ex01.contoso.com"


def test_build_key_is_the_documented_number() -> None:
    # ((15*1000 + 1)*100000 + 2507)*100000 + 39
    assert build_key(Build(15, 1, 2507, 39)) == 150010250700039


def test_constants_of_log_headers() -> None:
    for text, constant in (("15.0.0.0", True), ("14.0.0.0", True), ("8.0.0.0", True), ("15.0.1497.2", False)):
        build = parse_build(text)
        assert build is not None
        assert build.is_constant is constant


@pytest.mark.parametrize(
    ("text", "build"),
    [
        ("Exchange Server 2019 CU14 Apr24HU", "15.2.1544.11"),
        ("2016 CU23 Oct25SU", "15.1.2507.61"),
        ("Exchange Server 2016 Cumulative Update 23 October 2025 SU", "15.1.2507.61"),
        ("2019 CU15 Nov24SUv2", None),
        ("2019 CU14 Nov24SUv2", "15.2.1544.14"),
        ("2010 SP3 UR32", "14.3.513.0"),
        ("Update Rollup 5 v2 for Exchange Server 2010 SP2", "14.2.328.10"),
        ("Exchange 2010 Service Pack 2 Update Rollup 5", "14.2.328.5"),
        ("2007 SP3", "8.3.83.6"),
        ("Exchange SE Oct25SU", "15.2.2562.29"),
        ("Exchange Server Subscription Edition RTM", "15.2.2562.17"),
        ("2013 CU4", "15.0.847.32"),
        ("2016 CU23", "15.1.2507.6"),
        ("2016 CU23 HU13", None),
    ],
)
def test_release_names_resolve_through_the_catalogue(
    text: str, build: str | None, catalogue: Catalogue
) -> None:
    name = parse_release_name(text)
    assert name is not None
    row = catalogue.find_release(name)
    assert (str(row.build) if row else None) == build


def test_every_listed_name_leads_back_to_its_build(catalogue: Catalogue) -> None:
    for row in catalogue.builds:
        name = parse_release_name(catalogue.release_name(row))
        assert name is not None
        assert catalogue.find_release(name) == row, catalogue.release_name(row)


BUILDS = st.builds(
    Build,
    st.sampled_from([6, 8, 14, 15]),
    st.integers(0, 99),
    st.integers(0, 29999),
    st.integers(0, 99999),
)


@given(BUILDS)
def test_every_spelling_of_every_build_reads_back(build: Build) -> None:
    major, minor, third, revision = build.major, build.minor, build.build, build.revision
    spellings = [
        str(build),
        build.padded,
        f"{major:02d}.{minor:02d}.{third:05d}.{revision:05d}",
        f"Version {major}.{minor} (Build {third}.{revision})",
        f"Version {major}.{minor} (Build {third + 30000}.{revision})",
        f"MajorVersion {major}, MinorVersion {minor}, MajorBuildNumber {third}, MinorBuildNumber {revision}",
        f"by a.contoso.com with Microsoft SMTP Server (TLS) id {build}; Mon",
        f"by a.contoso.com with mapi id {build.padded}; Mon",
        f"#Version: {build.padded}",
    ]
    assert {parse_build(text) for text in spellings} == {build}


@given(BUILDS, BUILDS)
def test_the_key_orders_as_the_build(one: Build, other: Build) -> None:
    assert (one < other) == (one.key < other.key)
    assert (one == other) == (one.key == other.key)
    assert one.key < 2**63


@given(st.one_of(st.text(max_size=120), st.text("0123456789.vV()Build id withmapi", max_size=60)))
def test_no_text_raises(text: str) -> None:
    parse_version(text)
    parse_release_name(text)


@given(st.tuples(*[st.integers(0, 255)] * 4).filter(lambda parts: parts[0] not in (6, 8, 14, 15)))
def test_addresses_are_no_builds(parts: tuple[int, ...]) -> None:
    assert parse_build(".".join(map(str, parts))) is None


def test_no_heavy_library_is_imported() -> None:
    code = (
        "import sys, pipeline.reference.catalogue as c; c.Catalogue().tables();"
        "print([m for m in ('polars', 'pyarrow', 'duckdb', 'deltalake') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
