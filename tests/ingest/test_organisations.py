"""One log has one organisation; two customers are never one."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.logs.assign import Organisation, Rules

from .logtext import receive, send, tracking
from .place import Place, content, report_of
from .test_sources import assert_nothing_new, assert_ranges_add_up, sequence

OWN = "TransportRoles/Logs/FrontEnd/ProtocolLog/SmtpReceive/RECV2026112008-1.LOG"
TRACKING = "TransportRoles/Logs/MessageTracking/MSGTRK2026112009-1.LOG"


def option(name: str) -> Rules:
    return Rules(organisation=Organisation(name, name.title()))


def organisations(place: Place, table: str = "smtp_protocol") -> set[tuple[str, str]]:
    return {(line["organisation"], line["server"]) for line in place.rows(table)}


def test_forty_customers_with_an_ex01_and_logs_that_begin_alike(place: Place) -> None:
    for n in range(40):
        place.write(f"customer {n}/EX01/{OWN}", receive(range(n, n + 2)))
    summary = place.ingest()
    assert summary.as_json()["lines"]["rows"] == 80
    assert organisations(place) == {(f"customer-{n}", "EX01") for n in range(40)}
    assert_nothing_new(place)


def test_the_very_same_log_below_two_customers_is_reported_and_read_once(place: Place) -> None:
    place.write(f"contoso/EX01/{OWN}", receive(range(3)))
    place.write(f"fabrikam/EX01/{OWN}", receive(range(3)))
    summary = place.ingest()
    left = report_of(summary, f"fabrikam/EX01/{OWN}")
    assert (left.outcome, "contoso" in left.note, "--reassign" in left.note) == ("skipped", True, True)
    assert organisations(place) == {("contoso", "EX01")}
    assert_nothing_new(place)


@pytest.mark.parametrize("how", ["moved", "in place"])
def test_another_organisation_is_reported_and_reassigned_on_demand(place: Place, how: str) -> None:
    path = place.write(f"contoso/EX01/{OWN}", receive(range(5)))
    place.write(f"contoso/EX01/{TRACKING}", tracking(range(4)))
    place.ingest()
    before = content(place.lines(), without=["organisation"])
    if how == "moved":
        Path(place.logs / "contoso").rename(place.logs / "northwind")
        rules = Rules()
    else:
        rules = option("northwind")
    summary = place.ingest(rules=rules)
    assert summary.as_json()["files"]["skipped"] == 2
    assert all("contoso" in report.note and "--reassign" in report.note for report in summary.files)
    assert organisations(place) == {("contoso", "EX01")}
    summary = place.ingest(rules=rules, reassign=True)
    assert organisations(place) == organisations(place, "message_tracking") == {("northwind", "EX01")}
    assert (summary.removed_rows, summary.total("rows")) == (9, 9)
    assert content(place.lines(), without=["organisation"]) == before
    assert_ranges_add_up(place)
    assert_nothing_new(place, rules=rules)
    assert_nothing_new(place, rules=rules, reassign=True)
    assert path.name


def test_a_reassigned_log_that_is_twice_in_the_tree_is_there_once(place: Place) -> None:
    place.write(f"a/{OWN}", receive(range(5)))
    place.write(f"b/{OWN}", receive(range(5)))
    place.ingest(rules=option("contoso"))
    assert sequence(place) == list(range(5))
    place.ingest(rules=option("northwind"), reassign=True)
    assert sequence(place) == list(range(5))
    assert organisations(place) == {("northwind", "EX01")}
    assert_nothing_new(place, rules=option("northwind"), reassign=True)


def test_a_grown_log_of_another_organisation_moves_whole(place: Place) -> None:
    place.write(OWN, receive(range(3)))
    place.ingest(rules=option("contoso"))
    place.write(OWN, receive(range(6)))
    assert place.ingest(rules=option("northwind")).as_json()["files"]["skipped"] == 1
    assert sequence(place) == [0, 1, 2]
    place.ingest(rules=option("northwind"), reassign=True)
    assert sequence(place) == list(range(6))
    assert organisations(place) == {("northwind", "EX01")}


def test_reassigning_touches_no_other_log_in_the_same_part(place: Place) -> None:
    for n, hour in enumerate(("08", "09")):
        place.write(
            f"x/{hour}/{OWN}", receive(range(n * 10, n * 10 + 3), date=f"2026-11-20T{hour}:00:00.000Z")
        )
    place.ingest(rules=option("contoso"))
    assert len({entry.path for entry in place.ranges()}) == 2
    place.ingest(place.logs / "x" / "09", rules=option("northwind"), reassign=True)
    assert {(line["organisation"], line["sequence_number"]) for line in place.rows()} == {
        ("contoso", 0),
        ("contoso", 1),
        ("contoso", 2),
        ("northwind", 10),
        ("northwind", 11),
        ("northwind", 12),
    }
    assert_ranges_add_up(place)


def test_two_customers_whose_names_fold_to_one_id_stay_apart(place: Place) -> None:
    place.write(f"A&B/EX01/{OWN}", receive(range(3)))
    place.write(f"A+B/EX01/{OWN}", receive(range(10, 13)))
    summary = place.ingest()
    found = {report.organisation for report in summary.files}
    assert len(found) == 2
    assert "a-b" in found
    assert (
        "A&B" in report_of(summary, f"A+B/EX01/{OWN}").note
        or "A&B" in report_of(summary, f"A&B/EX01/{OWN}").note
    )
    by_file = {Path(line["source_file"]).parts[-8]: line["organisation"] for line in place.rows()}
    assert len(set(by_file.values())) == 2
    place.write(f"A+B/EX01/{OWN}", receive(range(10, 15)))
    place.write(f"A+B/EX01/{TRACKING}", tracking(range(2)))
    place.ingest()
    assert {line["organisation"] for line in place.rows() if line["sequence_number"] >= 10} == {
        line["organisation"] for line in place.rows("message_tracking")
    }
    assert_nothing_new(place)


# Servers by neighbours

SEND_LOG = "TransportRoles/Logs/Hub/ProtocolLog/SmtpSend/SEND2026112009-1.LOG"


def test_a_send_log_takes_the_server_that_the_tracking_logs_beside_it_name(place: Place) -> None:
    for root in ("", "V15/", "Program Files/Microsoft/Exchange Server/V15/"):
        place.write(f"{root}{SEND_LOG}", send(range(3)))
        place.write(f"{root}{TRACKING}", tracking(range(3)))
        place.ingest(rules=option("contoso"))
        assert organisations(place) == {("contoso", "EX01")}


def test_a_send_log_among_logs_of_two_servers_stays_without_server(place: Place) -> None:
    place.write("MSGTRK2026112009-1.LOG", tracking(range(3)))
    place.write(
        "MSGTRK2026112009-1 (2).LOG", tracking(range(3, 6), server="EX02", date="2026-11-20T09:00:00.000Z")
    )
    place.write("SEND2026112009-1.LOG", send(range(3)))
    place.ingest(rules=option("contoso"))
    assert {line["server"] for line in place.rows()} == {None}
    assert {line["server"] for line in place.rows("message_tracking")} == {"EX01", "EX02"}


@pytest.mark.parametrize("root", ["", "Logs/", "logs/2026-11-24/", "Archive/Logs/"])
def test_the_rows_of_one_server_say_nothing_of_the_folder_of_another(place: Place, root: str) -> None:
    """EX01 has tracking logs, EX02 only Send logs, and both lie below a folder `Logs`."""
    place.write(f"{root}contoso/EX01/{TRACKING}", tracking(range(3)))
    place.write(f"{root}contoso/EX02/{SEND_LOG}", send(range(3)))
    summary = place.ingest()
    assert organisations(place) == {("contoso", "EX02")}
    assert not report_of(summary, SEND_LOG).note


def test_a_server_keeps_its_first_spelling(place: Place) -> None:
    place.write(f"contoso/EX01/{OWN}", receive(range(3)))
    place.write(f"contoso/ex01.contoso.com/{TRACKING}", tracking(range(3), server="ex01"))
    place.ingest()
    assert organisations(place) | organisations(place, "message_tracking") == {("contoso", "EX01")}


def test_the_assignment_is_told_per_source(place: Place) -> None:
    place.write(f"contoso/EX01/{OWN}", receive(range(3)))
    place.write("flat/RECV.LOG", receive(range(10, 13)))
    summary = place.ingest()
    texts = {Path(entry.path).name: entry.assignment for entry in place.ranges()}
    assert texts["RECV2026112008-1.LOG"] == "organisation contoso by path; server EX01 by path"
    assert texts["RECV.LOG"].startswith("organisation unassigned")
    assert "flat" in report_of(summary, "flat/RECV.LOG").note
