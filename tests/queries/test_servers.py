"""Builds, floors and what the catalogue says of a server. Values are read off the catalogue by hand."""

from __future__ import annotations

import pytest

from tests.queries.conftest import Logs, refusal


def wrote(logs: Logs, build: str | None, *times: str, **cells: object) -> None:
    """Tracking rows that a build wrote."""
    logs.rows("message-tracking", *(times or ("10:00:00",)), event_id="RECEIVE", log_build=build, **cells)


@pytest.mark.parametrize(
    ("build", "as_of", "accepted", "next_raise", "risk"),
    [
        ("15.1.2507.59", "2026-11-21", "below the floor", "no", "below the floor"),
        ("15.1.2507.61", "2026-11-21", "accepted", "no", "accepted today, refused after the next raise"),
        ("15.1.2507.63", "2026-11-21", "accepted", "unknown", "accepted today"),
        ("15.1.2375.37", "2026-11-21", "below the floor", "no", "below the floor"),
        ("15.2.1748.39", "2026-11-21", "accepted", "no", "accepted today, refused after the next raise"),
        ("15.2.1544.36", "2026-11-21", "accepted", "no", "accepted today, refused after the next raise"),
        ("15.2.1544.35", "2026-11-21", "below the floor", "no", "below the floor"),
        ("15.2.1258.39", "2026-11-21", "below the floor", "no", "below the floor"),
        ("15.2.2562.17", "2026-11-21", "floor not public", "not announced", "floor not public"),
        ("15.2.2700.3", "2026-11-21", "floor not public", "not announced", "floor not public"),
        ("15.0.1497.48", "2026-11-21", "no build is accepted", "no", "no build is accepted"),
        ("14.3.513.0", "2026-11-21", "no build is accepted", "no", "no build is accepted"),
        ("15.1.2507.37", "2024-05-01", "accepted", "unknown", "accepted today"),
        ("15.1.2507.17", "2024-05-01", "below the floor", "no", "below the floor"),
        ("15.1.2507.39", "2025-01-01", "floor not public", "unknown", "floor not public"),
        ("15.1.2507.17", "2025-01-01", "below the floor", "no", "below the floor"),
        ("15.2.1544.4", "2024-05-01", "floor not public", "unknown", "floor not public"),
        ("15.9.1.1", "2026-11-21", "build unknown", "unknown", "build unknown"),
    ],
)
def test_floor(logs: Logs, build: str, as_of: str, accepted: str, next_raise: str, risk: str) -> None:
    logs.as_of(f"{as_of}T00:00:00Z")
    wrote(logs, build)
    assert logs.one("select accepted, accepted_after_next_raise, build_risk from servers") == {
        "accepted": accepted,
        "accepted_after_next_raise": next_raise,
        "build_risk": risk,
    }


def test_a_listed_build(logs: Logs) -> None:
    wrote(logs, "15.1.2507.61")
    assert logs.one(
        "select server, product, generation, build_name, release_date, builds_behind, days_behind, "
        "newest_build, "
        "baseline_build, baseline_since, baseline_status, end_of_support, esu_end, supported from servers"
    ) == {
        "server": "EX01",
        "product": "exchange-2016",
        "generation": "2016",
        "build_name": "2016 CU23 Oct25SU",
        "release_date": "2025-10-14",
        "builds_behind": 8,
        "days_behind": 364,
        "newest_build": "15.1.2507.77",
        "baseline_build": "15.1.2507.61",
        "baseline_since": "2026-09-07",
        "baseline_status": "published",
        "end_of_support": "2025-10-14",
        "esu_end": "2026-10-31",
        "supported": "no",
    }


def test_the_catalogue_is_read_as_of_the_report_date(logs: Logs) -> None:
    logs.as_of("2026-06-30T00:00:00Z")
    wrote(logs, "15.1.2507.61")
    assert logs.one("select newest_build, builds_behind, supported from servers") == {
        "newest_build": "15.1.2507.69",
        "builds_behind": 3,
        "supported": "only with paid updates (ESU)",
    }


def test_unlisted_build_is_compared_by_its_numbers(logs: Logs) -> None:
    wrote(logs, "15.1.2507.60")
    assert logs.one("select build_name, accepted, builds_behind, release_date from servers") == {
        "build_name": "unlisted build of 2016 CU23",
        "accepted": "below the floor",
        "builds_behind": 9,
        "release_date": "2025-09-08",
    }


def test_wrong_number_of_a_source_means_the_right_build(logs: Logs) -> None:
    wrote(logs, "14.3.336.0")
    assert logs.one("select build, build_name from servers") == {
        "build": "14.3.336.0",
        "build_name": "2010 SP3 RU16",
    }


def test_exchange_online_is_no_server(logs: Logs) -> None:
    wrote(logs, "15.20.8769.17")
    assert logs.ask("select * from server_builds") == []
    assert logs.one("select build, accepted from servers") == {"build": None, "accepted": "build unknown"}


def test_2010_has_a_generation_but_no_build(logs: Logs) -> None:
    wrote(logs, None, log_version="14.0.0.0")
    assert logs.one("select build, generation, evidence, strength from server_builds") == {
        "build": None,
        "generation": "2010",
        "evidence": "version 14.0.0.0 in the header of message-tracking",
        "strength": "strong",
    }
    assert logs.one(
        "select product, generation, build, build_name, accepted, cves_open, supported from servers"
    ) == {
        "product": "exchange-2010",
        "generation": "2010",
        "build": None,
        "build_name": None,
        "accepted": "no build is accepted",
        "cves_open": None,
        "supported": "no",
    }


def test_constant_version_of_protocol_logs_is_no_build(logs: Logs) -> None:
    logs.rows("smtp-send", "10:00:00", session="s", event="+", log_version="15.0.0.0", log_service="hub")
    assert logs.one("select build, generation, evidence, strength from server_builds") == {
        "build": None,
        "generation": "2013 or later",
        "evidence": "logs of the service hub",
        "strength": "strong",
    }
    server = logs.one("select product, build, generation, accepted, note from servers")
    assert server == {
        "product": None,
        "build": None,
        "generation": "2013 or later",
        "accepted": "build unknown",
        "note": "No tracking log of this server tells its build.",
    }


def test_update_and_turns(logs: Logs) -> None:
    wrote(logs, "15.1.2507.39", "09:00:00", "10:10:00")
    wrote(logs, "15.1.2507.61", "10:20:00", "11:00:00")
    assert logs.ask(
        "select build, first_seen, last_seen, lines, interleaved from server_builds order by build"
    ) == [
        {
            "build": "15.1.2507.39",
            "first_seen": "2026-11-20 09:00:00",
            "last_seen": "2026-11-20 10:10:00",
            "lines": 2,
            "interleaved": False,
        },
        {
            "build": "15.1.2507.61",
            "first_seen": "2026-11-20 10:20:00",
            "last_seen": "2026-11-20 11:00:00",
            "lines": 2,
            "interleaved": False,
        },
    ]
    assert logs.one("select build, builds_seen from servers") == {"build": "15.1.2507.61", "builds_seen": 2}
    wrote(logs, "15.1.2507.39", "11:00:30")
    wrote(logs, "15.1.2507.61", "11:01:00")
    assert logs.one("select build, interleaved from servers") == {
        "build": "15.1.2507.39",
        "interleaved": True,
    }


def test_a_build_that_comes_back_is_a_stretch_of_its_own(logs: Logs) -> None:
    """CU14, then CU15, then CU14 again: three rows, and the server runs CU14."""
    old, new = "15.2.1544.36", "15.2.1748.39"
    wrote(logs, old, "2026-11-01T09:00:00Z", "2026-11-02T09:00:00Z", "2026-11-02T10:10:00Z")
    wrote(logs, new, "2026-11-02T10:20:00Z", "2026-11-05T12:10:00Z")
    wrote(logs, old, "2026-11-05T12:20:00Z", "2026-11-06T09:00:00Z")
    assert logs.ask(
        "select build, first_seen, last_seen, lines, interleaved from server_builds order by first_seen"
    ) == [
        {
            "build": build,
            "first_seen": f"2026-11-{first}",
            "last_seen": f"2026-11-{last}",
            "lines": lines,
            "interleaved": False,
        }
        for build, first, last, lines in (
            (old, "01 09:00:00", "02 10:10:00", 3),
            (new, "02 10:20:00", "05 12:10:00", 2),
            (old, "05 12:20:00", "06 09:00:00", 2),
        )
    ]
    assert logs.one("select build, builds_seen, interleaved, first_seen from servers") == {
        "build": old,
        "builds_seen": 2,
        "interleaved": False,
        "first_seen": "2026-11-01 09:00:00",
    }


def test_builds_that_take_turns_are_one_stretch(logs: Logs) -> None:
    """Two members write under one name, mostly in different minutes: no update and no rollback."""
    for hour in range(8, 20):
        wrote(logs, "15.1.2507.39", f"{hour:02}:00:00", f"{hour:02}:10:00")
        wrote(logs, "15.1.2507.61", f"{hour:02}:20:00", f"{hour:02}:30:00")
    wrote(logs, "15.1.2507.39", "19:25:00")
    assert logs.ask("select build, lines, interleaved from server_builds order by build") == [
        {"build": "15.1.2507.39", "lines": 25, "interleaved": True},
        {"build": "15.1.2507.61", "lines": 24, "interleaved": True},
    ]


def test_one_server_under_two_spellings_of_its_name(logs: Logs) -> None:
    wrote(logs, "15.1.2507.61", server="ex01.contoso.local")
    wrote(logs, "15.1.2507.61", server="EX01")
    assert logs.one("select server, log_kinds from servers") == {
        "server": "EX01",
        "log_kinds": "message-tracking",
    }


def test_two_organisations_both_have_ex01(logs: Logs) -> None:
    wrote(logs, "15.1.2507.61")
    wrote(logs, "15.2.2562.56", organisation="fabrikam")
    logs.rows("message-tracking", "10:00:00", event_id="DEFER", message_id="<m@x>", **refusal("throttle", 5))
    assert logs.ask("select organisation, build, refusals from servers order by organisation") == [
        {"organisation": "contoso", "build": "15.1.2507.61", "refusals": 1},
        {"organisation": "fabrikam", "build": "15.2.2562.56", "refusals": 0},
    ]


def test_open_flaws(logs: Logs) -> None:
    logs.connection.execute("create temp table kept as select * from ref_cves")
    logs.connection.execute("delete from ref_cves")
    for cve, fixed, kev in (
        ("CVE-1", "15.1.2507.50", "yes"),
        ("CVE-1", "15.1.2375.40", "yes"),
        ("CVE-2", "15.1.2507.70", "no"),
        ("CVE-3", "15.1.2375.10", "yes"),
    ):
        key = [int(part) for part in fixed.split(".")]
        logs.add(
            "ref_cves",
            cve,
            "exchange-2016",
            fixed,
            kev,
            None,
            None,
            "test",
            None,
            ((key[0] * 1000 + key[1]) * 100000 + key[2]) * 100000 + key[3],
        )
    try:
        wrote(logs, "15.1.2507.61")  # CVE-1 fixed in its line, CVE-2 open, CVE-3 fixed in an earlier CU
        wrote(logs, "15.1.2375.37", server="EX02")  # CVE-1 open in its line, CVE-2 open, CVE-3 fixed
        assert logs.ask(
            "select server, known_exploited_cves_open, cves_open from servers order by server"
        ) == [
            {"server": "EX01", "known_exploited_cves_open": 0, "cves_open": 1},
            {"server": "EX02", "known_exploited_cves_open": 1, "cves_open": 2},
        ]
    finally:
        logs.connection.execute(
            "delete from ref_cves; insert into ref_cves select * from kept; drop table kept"
        )


def finding(logs: Logs, server: str, subject: str) -> dict[str, object]:
    """One finding of a server."""
    return logs.one(
        f"select finding, action from findings where server = '{server}' and finding_key like '%/{subject}'"
    )


@pytest.mark.parametrize(
    ("build", "action"),
    [
        # what cures the refusals is the last public update; no paid updates are needed for it
        (
            "15.1.2507.39",
            "Install at least 15.1.2507.61 (Oct25SU). Later builds, up to 15.1.2507.77, are for customers of "
            "paid updates (ESU) only.",
        ),
        # the newest build of an older CU is itself below the floor
        (
            "15.1.2375.37",
            "No build of this update line is accepted: install CU23 and at least its build 15.1.2507.61 (Oct25SU).",
        ),
        (
            "15.2.1258.39",
            "No build of this update line is accepted: install CU15 and at least its build 15.2.1748.39 (Oct25SU).",
        ),
    ],
)
def test_the_update_that_is_named_is_accepted_and_can_be_had(logs: Logs, build: str, action: str) -> None:
    wrote(logs, build)
    assert finding(logs, "EX01", "build")["action"] == action


def test_an_update_that_runs_already_is_not_advised(logs: Logs) -> None:
    wrote(logs, None, log_version="14.0.0.0")
    assert "It runs Exchange 2010." in str(finding(logs, "EX01", "build")["finding"])
    wrote(logs, "15.2.1258.39", server="EX02")  # the last of 2019 CU13
    flaws = logs.ask(
        "select action from findings where server = 'EX02' and finding_key like '%/exploited-flaws'"
    )
    assert [row["action"] for row in flaws] == [
        "No update of this line fixes them: move to Exchange Server SE."
    ]
