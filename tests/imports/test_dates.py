"""Dates of any culture, and the decision between day first and month first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.imports.dates import DateError, Order, Reading, Written, decide, parse_date
from tests.imports.samples import CULTURES, FIELDS, TRUE_DATES

NOW = datetime(2026, 11, 25, tzinfo=UTC)
DISTANCES = (
    ("FirstDetectedDate", "ThrottleEnabledDate", 30),
    ("FirstDetectedDate", "BlockingEnabledDate", 60),
    ("ThrottleEnabledDate", "BlockingEnabledDate", 30),
)


def written(*texts: str) -> dict[str, Written]:
    return {field: parse_date(text) for field, text in zip(FIELDS, texts, strict=False) if text}


def decided(*servers: dict[str, Written], told: Order | None = None, now: datetime = NOW) -> Reading:
    return decide(servers, DISTANCES, now, told)


@pytest.mark.parametrize("culture", CULTURES)
def test_each_culture(culture: str) -> None:
    dates = written(*CULTURES[culture])
    order = decided(dates).order
    assert order is not None
    assert tuple(dates[field].read(order, UTC) for field in FIELDS) == TRUE_DATES


@pytest.mark.parametrize(
    ("culture", "words"),
    [("en-GB", "day first"), ("en-US", "month first"), ("sv-SE", "iso"), ("5.1 JSON", "iso")],
)
def test_the_reading_is_named(culture: str, words: str) -> None:
    assert decided(written(*CULTURES[culture])).words == words


def test_a_number_above_12_decides_for_all_servers() -> None:
    reading = decided(written("05/06/2024 10:00:00"), written("13/06/2024 10:00:00"))
    assert (reading.order, reading.words) == ("dmy", "day first")
    assert "13/06/2024" in reading.reason


def test_steps_in_the_wrong_order_decide() -> None:
    # 5 June, + 30 days = 5 July, + 60 = 4 August; month first the block is 8 April, the detection 6 May
    reading = decided(written("05/06/2024 10:00", "05/07/2024 10:00", "04/08/2024 10:00"))
    assert reading.order == "dmy"
    assert (
        "BlockingEnabledDate 04/08/2024 10:00 is before FirstDetectedDate 05/06/2024 10:00" in reading.reason
    )


def test_distances_of_the_ladder_decide() -> None:
    # 2 January + 30 days = 1 February; day first it would be 1 February and 2 January
    assert decided(written("02/01/2024 10:00", "01/02/2024 10:00")).order == "dmy"
    # 3 April + 30 days = 3 May (dmy); month first 4 March and 5 March, also in order: only the distance tells
    reading = decided(written("03/04/2024 10:00", "03/05/2024 10:00"))
    assert (reading.order, reading.reason) == (
        "dmy",
        "only so ThrottleEnabledDate is 30 days after FirstDetectedDate",
    )
    # 4 March + 30 days = 3 April (mdy); day first 3 April and 3 April + ... = 4 March: before it
    assert decided(written("3/4/2024 10:00", "4/3/2024 10:00")).order == "mdy"


def test_summer_time_moves_a_distance_by_an_hour() -> None:
    # 2 March + 30 days = 1 April, an hour off in local time; month first 3 February and 4 January: before it
    assert decided(written("02/03/2024 00:15", "01/04/2024 01:15")).order == "dmy"
    assert decided(written("03/04/2025 23:15", "04/05/2025 00:15")).order == "dmy"


def test_a_detection_still_to_come_decides() -> None:
    now = datetime(2026, 3, 10, tzinfo=UTC)
    assert decided(written("01/05/2026 10:00"), now=now).order == "mdy"
    assert decided(written("01/05/2026 10:00"), now=NOW).order is None


def test_what_stays_open_is_said_and_can_be_told() -> None:
    dates = written("05/06/2024 10:00")
    assert decided(dates) == Reading(
        None, "ambiguous: day first or month first", "every date fits both readings"
    )
    assert decided(dates, told="mdy").words == "ambiguous: month first as told"
    assert decided(dates, told="mdy").order == "mdy"


def test_the_same_number_twice_is_not_open() -> None:
    assert decided(written("06/06/2024 10:00")).order == "dmy"


def test_told_against_the_evidence() -> None:
    with pytest.raises(DateError, match="--date-order mdy cannot be: 28/03/2024 00:15:08 is no date so"):
        decided(written(*CULTURES["en-GB"]), told="mdy")
    reading = decided(written("03/04/2024 10:00", "03/05/2024 10:00"), told="mdy")
    assert (reading.order, reading.words) == ("mdy", "month first")
    assert reading.reason.startswith("told by --date-order, although day first would follow")


def test_no_reading_fits() -> None:
    with pytest.raises(DateError, match="no reading fits"):
        decided(written("13/06/2024 10:00"), written("06/13/2024 10:00"))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("1403/01/09 00:15:08", "year 1403"),
        ("28/03/1445 00:15:08", "year 1445"),
        ("28/03/2022 00:15:08", "year 2022"),
        ("tomorrow", "no date"),
        ("31/31/2024", "no day of the calendar"),
        ("30/02/2024 25:00:00", "no time of the day"),
        ("2024-02-30", "no day of the calendar"),
        ("28 listopada 2024", "no date"),
        ("", "no date"),
    ],
)
def test_what_is_no_date(text: str, problem: str) -> None:
    with pytest.raises(DateError, match=problem):
        parse_date(text)


def test_zone() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert parse_date("28.03.2024 01:15:08").read("dmy", berlin) == TRUE_DATES[0]
    assert parse_date("28.03.2024 01:15:08 +01:00").read("dmy", ZoneInfo("Asia/Tokyo")) == TRUE_DATES[0]
    # summer time
    assert parse_date("27.05.2024 02:15:08").read("dmy", berlin) == TRUE_DATES[2]


def test_a_weekday_is_no_month() -> None:
    # Spanish mar is Tuesday and March
    assert parse_date("mar, 5 nov 2024 10:00").read("dmy", UTC) == datetime(2024, 11, 5, 10, tzinfo=UTC)


FORMATS = (
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %I:%M:%S %p",
    "%d.%m.%Y %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%A, %d %B %Y %H:%M:%S",
)


@given(
    first=st.datetimes(datetime(2023, 8, 1), datetime(2026, 11, 1)).map(lambda t: t.replace(microsecond=0)),
    pause=st.integers(0, 90),
    stage=st.integers(0, 60),
    style=st.sampled_from(FORMATS),
)
def test_a_whole_report_is_never_read_wrong(first: datetime, pause: int, stage: int, style: str) -> None:
    dates = (first, first + timedelta(30), first + timedelta(60), first + timedelta(30 + stage + pause))
    cells = written(*(date.strftime(style) for date in dates))
    reading = decided(cells)
    if reading.order is not None:
        read = tuple(cells[field].read(reading.order, UTC).replace(tzinfo=None) for field in FIELDS)
        assert read == dates
