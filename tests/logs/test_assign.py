"""Whose log a file is: every way in which logs are really copied, and where the answer is not clear."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.logs.assign import (
    UNASSIGNED,
    Assignment,
    Organisation,
    Rules,
    apart,
    assign,
    same_host,
    server_in_rows,
    service_of,
    short_name,
    slug,
)
from pipeline.logs.framing import Header
from pipeline.logs.kinds import Kind

from .lines import SMTP, TRACKING_2016, smtp_line, tracking_line

TRACKING = Kind("message-tracking", Header(fields=TRACKING_2016))
RECEIVE = Kind("smtp-receive", Header(fields=SMTP))
SEND = Kind("smtp-send", Header(fields=SMTP))
EXCHANGE = r"Program Files\Microsoft\Exchange Server\V15\TransportRoles\Logs\MessageTracking"


def of(
    path: str,
    row_server: str | None = "EX01",
    *,
    kind: Kind = TRACKING,
    rules: Rules | None = None,
    root: str = "/data",
) -> Assignment:
    """Assign the file `path`, which lies below the root that was asked for."""
    *folders, name = re.split(r"[\\/]", path)
    return assign(f"{root}/{path}", folders, name, kind, row_server, rules or Rules())


def who(found: Assignment) -> tuple[str, str | None]:
    return found.organisation, found.server


# Exchange's own layout below organisation and server


@pytest.mark.parametrize(
    "own",
    [
        r"TransportRoles\Logs\MessageTracking",
        r"V15\TransportRoles\Logs\MessageTracking",
        r"V14\TransportRoles\Logs\MessageTracking",
        r"Logs\MessageTracking",
        "MessageTracking",
        EXCHANGE,
        r"c$\Program Files\Microsoft\Exchange Server\V15\TransportRoles\Logs\MessageTracking",
        r"D\Exchange Server\V15\TransportRoles\Logs\MessageTracking",
    ],
)
@pytest.mark.parametrize("row_server", ["EX01", None])
def test_organisation_and_server_above_exchanges_folders(own: str, row_server: str | None) -> None:
    for server in ("EX01", "ex01", "ex01.contoso.com"):
        found = of(rf"Contoso GmbH\{server}\{own}\MSGTRK2026112410-1.LOG", row_server)
        assert who(found) == ("contoso-gmbh", "EX01"), found
        assert (found.organisation_name, found.organisation_basis, found.server_basis) == (
            "Contoso GmbH",
            "path",
            "path",
        )
        assert found.doubt is None


@pytest.mark.parametrize(
    ("folder", "kind", "service"),
    [
        (r"Logs\FrontEnd\ProtocolLog\SmtpReceive", RECEIVE, "frontend"),
        (r"Logs\Hub\ProtocolLog\SmtpSend", SEND, "hub"),
        (r"Logs\Edge\ProtocolLog\SmtpSend", SEND, "edge"),
        (r"Logs\Mailbox\ProtocolLog\SmtpReceive\Delivery", RECEIVE, "mailbox-delivery"),
        (r"Logs\Mailbox\ProtocolLog\SmtpSend\Submission", SEND, "mailbox-submission"),
        (r"Logs\Mailbox\ProtocolLog\SmtpSend\Delivery", SEND, "mailbox-delivery"),
        (r"Logs\ProtocolLog\SmtpSend", SEND, None),
    ],
)
def test_the_service_is_the_folders(folder: str, kind: Kind, service: str | None) -> None:
    found = of(rf"contoso\EX01\TransportRoles\{folder}\SEND2026112410-1.LOG", None, kind=kind)
    assert (who(found), found.service) == (("contoso", "EX01"), service)


@pytest.mark.parametrize(
    ("name", "service"),
    [
        ("MSGTRK2026112410-1.LOG", "hub"),
        ("msgtrkm20101201-1.log", "mailbox"),
        ("MSGTRKMA2026112410-1.LOG", "moderation"),
        ("MSGTRKMD2026112410-12.LOG", "mailbox-delivery"),
        ("MSGTRKMS2026112410-1.LOG", "mailbox-submission"),
        ("MSGTRK2026112410-1 (2).LOG", "hub"),
        ("MSGTRKMS2026112410-1 - Copy.LOG", "mailbox-submission"),
        ("tracking.log", None),
    ],
)
def test_the_service_of_a_tracking_log_is_its_names_prefix(name: str, service: str | None) -> None:
    assert service_of([], name, TRACKING) == service


# On the server itself


@pytest.mark.parametrize(
    "path",
    [
        r"MSGTRK2026112410-1.LOG",
        r"MessageTracking\MSGTRK2026112410-1.LOG",
        r"TransportRoles\Logs\MessageTracking\MSGTRK.LOG",
        r"V15\TransportRoles\Logs\MessageTracking\MSGTRK.LOG",
        rf"{EXCHANGE}\MSGTRK.LOG",
        r"Microsoft\Exchange Server\V15\TransportRoles\Logs\MessageTracking\MSGTRK.LOG",
        r"Exchange Server\TransportRoles\Logs\MessageTracking\MSGTRK.LOG",
        r"Programme\Microsoft\Exchange Server\V14\TransportRoles\Logs\MessageTracking\MSGTRK.LOG",
    ],
)
def test_a_run_on_the_server_itself_makes_no_organisation(path: str) -> None:
    found = of(path, root="C:")
    assert who(found) == (UNASSIGNED, "EX01")
    assert (found.server_basis, found.doubt) == ("rows", None)
    assert of(path, None, root="C:").organisation == UNASSIGNED
    assert of(path, None, root="C:").server is None


def test_an_administrative_share_names_the_server() -> None:
    path = rf"\\EX01\c$\{EXCHANGE}\MSGTRK2026112410-1.LOG"
    for folders in (["MessageTracking"], [], re.split(r"\\", EXCHANGE)):
        for row_server in ("EX01", None):
            found = assign(path, folders, "MSGTRK2026112410-1.LOG", TRACKING, row_server, Rules())
            assert who(found) == (UNASSIGNED, "EX01")
            assert found.server_basis == "path"
    other = assign(path, [], "MSGTRK2026112410-1.LOG", TRACKING, "EX07", Rules())
    assert who(other) == (UNASSIGNED, "EX07")


def test_shares_copied_below_an_organisation() -> None:
    for host in ("EX01", "ex01.contoso.com"):
        found = of(rf"contoso\{host}\c$\{EXCHANGE}\MSGTRK.LOG", None)
        assert who(found) == ("contoso", "EX01")
    assert who(of(rf"EX01\d$\{EXCHANGE}\MSGTRK.LOG", None)) == (UNASSIGNED, "EX01")


# Dates and other folders that name nothing


@pytest.mark.parametrize(
    "dated",
    [
        "2026-11-24",
        "20261124",
        "2026_11_24",
        "2026.11.24",
        "2026-11",
        "2026",
        "2026-11-24_1000",
        "2026-11-24T10-00-00",
        "logs_20261124",
        "Logs-2026-11-24",
        "logs2026",
        "backup 2026-11-24",
        "Export_2026-11",
        "11",
        "24",
        "KW 2026-47",
        "D",
        "E:",
    ],
)
@pytest.mark.parametrize(
    "where",
    ["{dated}/contoso/EX01", "contoso/{dated}/EX01", "contoso/EX01/{dated}", "{dated}/contoso/{dated}/EX01"],
)
def test_dated_folders_name_nothing(dated: str, where: str) -> None:
    for row_server in ("EX01", None):
        found = of(f"{where.format(dated=dated)}/TransportRoles/Logs/MessageTracking/MSGTRK.LOG", row_server)
        assert (who(found), found.doubt) == (("contoso", "EX01"), None)


@pytest.mark.parametrize(
    "server",
    [
        "EX2016",
        "EX2019",
        "EXCH2013",
        "MAIL-2019",
        "SRV-EX2016",
        "EX19",
        "EXCHANGE01",
        "MBX-2016-01",
        "VM2025",
        "S2019EX",
        "2019EX",
        "EX201901",
    ],
)
def test_a_server_named_by_its_version_is_no_date(server: str) -> None:
    for row_server in (server.upper(), None):
        found = of(f"contoso/{server}/TransportRoles/Logs/MessageTracking/MSGTRK.LOG", row_server)
        assert (who(found), found.doubt) == (("contoso", server), None)


@pytest.mark.parametrize(
    "organisation", ["Firma 2000", "Studio-1984", "Expo2020", "Club 2010 e.V.", "24seven", "3M"]
)
def test_an_organisation_with_a_year_in_its_name_is_no_date(organisation: str) -> None:
    found = of(f"{organisation}/EX01/TransportRoles/Logs/MessageTracking/MSGTRK.LOG")
    assert (found.organisation_name, found.server) == (organisation, "EX01")


@pytest.mark.parametrize("root", ["Customers", "Kunden", "logs", "Archive/2026", "Exports/Exchange"])
def test_collecting_folders_name_nothing(root: str) -> None:
    found = of(f"{root}/contoso/EX01/TransportRoles/Logs/MessageTracking/MSGTRK.LOG")
    assert who(found) == ("contoso", "EX01")


# Flat folders, and folders of which it is not clear what they name


@pytest.mark.parametrize(
    "name",
    ["MSGTRK2026112410-1 (2).LOG", "MSGTRK2026112410-1 - Copy.LOG", "MSGTRK2026112410-1 - Kopie (3).LOG"],
)
def test_all_servers_files_in_one_folder_go_by_their_rows(name: str) -> None:
    for server in ("EX01", "EX02"):
        found = of(name, server)
        assert (who(found), found.server_basis, found.doubt) == ((UNASSIGNED, server), "rows", None)
        assert found.service == "hub"


@pytest.mark.parametrize(
    "path", ["contoso/MSGTRK.LOG", "contoso/TransportRoles/Logs/MessageTracking/MSGTRK.LOG"]
)
def test_an_organisations_folder_without_server_folders_is_in_doubt(path: str) -> None:
    found = of(path)
    assert who(found) == (UNASSIGNED, "EX01")
    assert found.doubt
    assert "contoso" in found.doubt
    assert who(of(path, rules=Rules(layout=("{organisation}",)))) == ("contoso", "EX01")
    known = Rules(known=(Organisation("contoso", "Contoso GmbH"),))
    assert who(of(path, rules=known)) == ("contoso", "EX01")


def test_a_send_log_below_one_folder_is_in_doubt() -> None:
    """The folder can be the customer's or the server's."""
    found = of("contoso/TransportRoles/Logs/Hub/ProtocolLog/SmtpSend/SEND.LOG", None, kind=SEND)
    assert found.organisation == UNASSIGNED
    assert found.doubt


def test_rows_are_believed_against_the_folder() -> None:
    found = of("contoso/EX01/TransportRoles/Logs/MessageTracking/MSGTRK.LOG", "EX02")
    assert found.server == "EX02"
    assert found.doubt
    assert "EX01" in found.doubt
    assert "EX02" in found.doubt


def test_an_archive_with_backslash_members() -> None:
    path = r"/in/customers.zip!contoso\EX01\TransportRoles\Logs\MessageTracking\MSGTRK.LOG"
    folders = ["contoso", "EX01", "TransportRoles", "Logs", "MessageTracking"]
    found = assign(path, folders, "MSGTRK.LOG", TRACKING, "EX01", Rules())
    assert who(found) == ("contoso", "EX01")


# What the user says


def test_the_option_leads_and_the_server_is_still_found() -> None:
    rules = Rules(
        organisation=Organisation("northwind", "Northwind"), known=(Organisation("contoso", "Contoso"),)
    )
    for path in ("contoso/EX01/TransportRoles/Logs/MessageTracking/MSGTRK.LOG", "MSGTRK.LOG"):
        found = of(path, rules=rules)
        assert (who(found), found.organisation_basis) == (("northwind", "EX01"), "option")


@pytest.mark.parametrize(
    ("layout", "path", "expected"),
    [
        (("{organisation}", "{server}"), "Müller KG/mail1/x/MSGTRK.LOG", ("mueller-kg", "MAIL1")),
        (("{server}", "{organisation}"), "mail1/Müller KG/MSGTRK.LOG", ("mueller-kg", "MAIL1")),
        (("*", "{organisation}"), "anything/contoso/MSGTRK.LOG", ("contoso", "EX09")),
        (
            ("customer-{organisation}", "{server}.example.com"),
            "customer-contoso/EX01.example.com/MSGTRK.LOG",
            ("contoso", "EX01"),
        ),
        (("{organisation}_{server}",), "contoso_EX05/MSGTRK.LOG", ("contoso", "EX05")),
        (("{organisation}",), "2026-11-24/MSGTRK.LOG", ("2026-11-24", "EX09")),
    ],
)
def test_a_layout_leads_over_the_path(layout: tuple[str, ...], path: str, expected: tuple[str, str]) -> None:
    found = of(path, "EX09", rules=Rules(layout=layout))
    assert (who(found), found.organisation_basis) == (expected, "layout")


def test_a_layout_that_does_not_fit_leaves_the_path_to_speak() -> None:
    rules = Rules(layout=("sites", "{organisation}", "{server}"))
    found = of("contoso/EX01/TransportRoles/Logs/MessageTracking/MSGTRK.LOG", rules=rules)
    assert (who(found), found.organisation_basis) == (("contoso", "EX01"), "path")
    assert who(of("MSGTRK.LOG", rules=rules)) == (UNASSIGNED, "EX01")


KNOWN = (
    Organisation(
        "contoso", "Contoso & Söhne GmbH", servers=("EX01", "mail.contoso.com"), paths=("*/inbox/c-*/*",)
    ),
    Organisation("fabrikam", "Fabrikam", servers=("EX01", "FAB-EX1")),
)


@pytest.mark.parametrize(
    ("path", "server", "expected"),
    [
        ("contoso/MSGTRK.LOG", "EX77", "contoso"),
        ("Contoso & Söhne GmbH/MSGTRK.LOG", "EX77", "contoso"),
        ("CONTOSO & SÖHNE GMBH/EX77/MSGTRK.LOG", "EX77", "contoso"),
        ("inbox/c-17/MSGTRK.LOG", "EX77", "contoso"),
        (r"inbox\C-17\x\y\MSGTRK.LOG", "EX77", "contoso"),
        ("MSGTRK.LOG", "FAB-EX1", "fabrikam"),
        ("MSGTRK.LOG", "MAIL", "contoso"),
        ("fabrikam/EX01/TransportRoles/Logs/MessageTracking/MSGTRK.LOG", "EX01", "fabrikam"),
        ("MSGTRK.LOG", "EX01", UNASSIGNED),
        ("MSGTRK.LOG", "EX02", UNASSIGNED),
    ],
)
def test_organisations_toml_by_id_name_path_and_server(path: str, server: str, expected: str) -> None:
    found = of(path, server, rules=Rules(known=KNOWN))
    assert found.organisation == expected
    if expected != UNASSIGNED:
        assert found.organisation_basis == "organisations.toml"
        assert found.organisation_name == next(known.name for known in KNOWN if known.id == expected)


def test_a_server_that_is_listed_once_takes_no_other_customers_logs() -> None:
    """Only Contoso is in organisations.toml, and everyone has an EX01."""
    rules = Rules(known=(Organisation("contoso", "Contoso", servers=("EX01",)),))
    assert who(of("MSGTRK.LOG", rules=rules)) == ("contoso", "EX01")
    for n in range(40):
        found = of(f"customer{n}/EX01/TransportRoles/Logs/MessageTracking/MSGTRK.LOG", rules=rules)
        assert found.organisation != "contoso"
        assert found.doubt


def test_forty_customers_with_an_ex01() -> None:
    found = [of(f"Customer {n}/EX01/TransportRoles/Logs/MessageTracking/MSGTRK.LOG") for n in range(40)]
    assert len({one.organisation for one in found}) == 40
    assert {one.server for one in found} == {"EX01"}


# Slugs


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Contoso", "contoso"),
        ("Müller & Söhne GmbH", "mueller-soehne-gmbh"),
        ("Straße 7", "strasse-7"),
        ("a__b", "a-b"),
        ("../../etc/passwd", "etc-passwd"),
        ("C:\\Windows", "c-windows"),
        ("  x  ", "x"),
        ("É", "e"),
        ("ﬁrma", "firma"),
    ],
)
def test_slugs(name: str, expected: str) -> None:
    assert slug(name) == expected


@pytest.mark.parametrize(
    "name",
    [
        "..",
        ".",
        "",
        "北京公司",
        "Внутренний",
        "---",
        "\x00",
        "%2e%2e",
        "🙂",
        "unassigned",
        "Unassigned",
        "a" * 300,
    ],
)
@pytest.mark.parametrize("around", ["{}", "{}/", " {}"])
def test_a_slug_is_safe_and_never_the_reserved_one(name: str, around: str) -> None:
    made = slug(around.format(name))
    assert re.fullmatch(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?", made)
    assert made != UNASSIGNED


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.text(max_size=60))
def test_any_text_makes_a_safe_slug(name: str) -> None:
    made = slug(name)
    assert re.fullmatch(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?", made)
    assert made == slug(name)
    assert slug(made) == made or made.startswith("org-")


def _in_one_store(names: Sequence[str]) -> list[Assignment]:
    """Assign one log a name, as an ingest does that knows the names before."""
    holders: dict[str, str] = {}
    found = []
    for name in names:
        one = assign("", [name, "EX01"], "MSGTRK.LOG", TRACKING, "EX01", Rules())
        one = apart(one, holders.setdefault(one.organisation, one.organisation_name))
        holders.setdefault(one.organisation, one.organisation_name)
        found.append(one)
    return found


@pytest.mark.parametrize(
    "names",
    [
        ("A&B", "A+B"),
        ("Müller", "Mueller"),
        ("Contoso (old)", "Contoso old!"),
        ("北京 AB", "上海 AB"),
        (
            "The very long name of a customer in Hamburg north",
            "The very long name of a customer in Hamburg south",
        ),
        ("A.B", "A, B", "A/B"),
    ],
)
def test_two_names_that_fold_to_one_slug_stay_apart(names: tuple[str, ...]) -> None:
    found = _in_one_store(names)
    assert len({one.organisation for one in found}) == len(names)
    assert [one.organisation_name for one in found] == list(names)
    assert found[0].doubt is None
    assert all(one.doubt for one in found[1:])
    assert all(re.fullmatch(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?", one.organisation) for one in found)


def test_one_name_in_two_spellings_is_one() -> None:
    found = _in_one_store(("Contoso GmbH", "contoso gmbh", "Contoso_GmbH", "contoso-gmbh", "Contoso GmbH "))
    assert len({one.organisation for one in found}) == 1


# Hosts and rows


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("ex01.contoso.com", "EX01"),
        ("EX01", "EX01"),
        ("10.1.2.3", None),
        ("", None),
        ("a b", None),
        ("::1", None),
        ("1post-hubs01", "1POST-HUBS01"),
    ],
)
def test_short_names(host: str, expected: str | None) -> None:
    assert short_name(host) == expected


def test_same_host() -> None:
    assert same_host("1post-hubs01", "1POST-HUBS01.contoso.com")
    assert not same_host("EX01", "EX010")


def test_the_server_in_tracking_rows_stands_on_the_side_that_wrote() -> None:
    rows = [
        tracking_line(1),
        tracking_line(2, event_id="RECEIVE", client_hostname="client", server_hostname="EX01.contoso.com"),
    ]
    assert server_in_rows(TRACKING, rows) == "EX01"
    mixed = [*rows, tracking_line(3, client_hostname="EX02")]
    assert server_in_rows(TRACKING, mixed) is None
    assert server_in_rows(TRACKING, ["damage", '"', tracking_line(1)[:-3]]) is None


def test_the_server_in_a_receive_connector_and_none_in_a_send_log() -> None:
    rows = [smtp_line(n, connector="ex01\\Default Frontend EX01") for n in range(3)]
    assert server_in_rows(RECEIVE, rows) == "EX01"
    assert server_in_rows(SEND, [smtp_line(1)]) is None
    assert server_in_rows(RECEIVE, [smtp_line(1)]) is None
