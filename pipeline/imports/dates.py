"""Dates in the words of any culture, and the decision whether the day or the month comes first.

PowerShell writes a DateTime as its session's culture has it
(https://learn.microsoft.com/dotnet/standard/base-types/standard-date-and-time-format-strings), so one and the
same text is read day first in London and month first in New York. No date is guessed: where the dates of a
file do not decide it together, the reading stays open.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, timezone, tzinfo
from typing import Literal

from pipeline.imports.month_names import month_of

Order = Literal["dmy", "mdy"]
ORDERS: tuple[Order, Order] = ("dmy", "mdy")
WORDS: dict[Order, str] = {"dmy": "day first", "mdy": "month first"}
EARLIEST_YEAR = 2023
"""Enforcement was announced on 2023-03-23; no date of the report can be older."""
_LATEST_YEAR = 2100
_BUDDHIST = 543
_HOUR = timedelta(hours=1)

_EPOCH = re.compile(r"^/?Date\((-?[0-9]+)(?:[+-][0-9]{4})?\)/?$", re.I)
_COLON_TIME = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:[.,][0-9]{1,7})?)?")
_DOT_TIME = re.compile(r"(?<=[ t])([0-9]{1,2})[.]([0-9]{2})(?:[.]([0-9]{2}))?$")
_H_TIME = re.compile(r"(?<=[ t])([0-9]{1,2}) ?h ?([0-9]{2})(?: ?min ?([0-9]{2}) ?s?)?")
_OFFSET = re.compile(r"(?<=[0-9 ])(z|utc|gmt|(?:utc|gmt)? ?([+-])([0-9]{2}):?([0-9]{2}))$")
_MORNING = re.compile(r"(?<![^\W\d_])(a[.]? ?m[.]?|πμ|π[.]μ[.]|午前|上午|오전)(?![^\W\d_])")
_EVENING = re.compile(r"(?<![^\W\d_])(p[.]? ?m[.]?|μμ|μ[.]μ[.]|午後|下午|오후)(?![^\W\d_])")


class DateError(Exception):
    """A text is no date that can be read; the message is the second half of a sentence."""


@dataclass(frozen=True, slots=True)
class Written:
    """A date as written. `instant` is set where the text names one; else `first` and `second` are day and
    month in the order that `fixed` tells, or in an order that is open (None)."""

    text: str
    instant: datetime | None = None
    first: int = 0
    second: int = 0
    year: int = 0
    clock: time = time()
    fixed: Order | None = None
    style: str = "numbers"
    offset: timedelta | None = None

    @property
    def is_open(self) -> bool:
        """Whether the text alone leaves open which number is the day."""
        return self.instant is None and self.fixed is None

    def read(self, order: Order, zone: tzinfo) -> datetime:
        """The instant, in UTC. Raises ValueError where there is no such day in this order."""
        if self.instant:
            return self.instant
        day, month = (
            (self.first, self.second) if (self.fixed or order) == "dmy" else (self.second, self.first)
        )
        naive = datetime(self.year, month, day, self.clock.hour, self.clock.minute, self.clock.second)
        return naive.replace(tzinfo=zone if self.offset is None else timezone(self.offset)).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Reading:
    """How the open dates of a file are read. `words` are `day first`, `month first`, `iso` (no date is open),
    or begin with `ambiguous: ` where a person decided; `reason` is a clause that says why. `order` is None
    while undecided."""

    order: Order | None
    words: str
    reason: str


def parse_date(value: str) -> Written:
    """Take a date apart. Raises DateError for a text that is no date, or one of another calendar."""
    text = _normal(value)
    if epoch := _EPOCH.match(text):
        try:
            instant = datetime.fromtimestamp(int(epoch[1]) / 1000, UTC)
        except (ValueError, OverflowError, OSError) as error:
            raise DateError("is no instant") from error
        return Written(value, instant=instant, style="instant", year=_year(instant.year))
    rest, clock, offset = _clock(text)
    numbers = [(int(n), len(n)) for n in re.findall(r"[0-9]+", rest)]
    months = [month for word in re.findall(r"[^\W\d_]+[.]?", rest) if (month := month_of(word))]
    if months and len(numbers) == 2:
        # a weekday may have the abbreviation of a month (mar 5 nov 2024), and stands before it
        (a, a_width), (b, _) = numbers
        day, year = (b, a) if a_width == 4 else (a, b)
        written = Written(value, None, day, months[-1], _year(year), clock, "dmy", "month named", offset)
    elif len(numbers) == 3:
        (a, a_width), (b, _), (c, c_width) = numbers
        if a_width == 4:
            written = Written(value, None, c, b, _year(a), clock, "dmy", "year first", offset)
        elif c_width in (2, 4):
            written = Written(value, None, a, b, _year(c), clock, None, "numbers", offset)
        else:
            raise DateError("is no date: no number in it is a year")
    else:
        raise DateError("is no date that can be read")
    for order in ORDERS:
        try:
            written.read(order, UTC)
        except ValueError:
            continue
        return written
    raise DateError("is no day of the calendar")


def _normal(value: str) -> str:
    """Small letters, ASCII digits, plain spaces, no invisible marks, all of which .NET may write."""
    letters = []
    for letter in unicodedata.normalize("NFKC", value):
        if unicodedata.category(letter) == "Cf":
            continue
        letters.append(
            str(unicodedata.decimal(letter)) if letter.isdecimal() else " " if letter.isspace() else letter
        )
    return " ".join("".join(letters).split()).lower()


def _clock(text: str) -> tuple[str, time, timedelta | None]:
    """The text without its time of day, the time, and the offset from UTC if one stands there."""
    offset: timedelta | None = None
    evening, morning = _EVENING.search(text), _MORNING.search(text)
    found = _COLON_TIME.search(text) or _H_TIME.search(text) or _DOT_TIME.search(text)
    if not found:
        return text, time(), None
    hour, minute, second = int(found[1]), int(found[2]), int(found[3] or 0)
    if evening or morning:
        if not 1 <= hour <= 12 and not (evening and hour < 24):
            raise DateError("has no hour of the day")
        hour = hour if hour > 12 else hour % 12 + (12 if evening else 0)
        text = _EVENING.sub(" ", _MORNING.sub(" ", text))
        found = _COLON_TIME.search(text) or _H_TIME.search(text) or _DOT_TIME.search(text) or found
    tail = text[found.end() :].strip()
    if zone := _OFFSET.search(" " + tail):
        minutes = int(zone[3] or 0) * 60 + int(zone[4] or 0)
        offset = timedelta(minutes=-minutes if zone[2] == "-" else minutes)
        tail = ""
    try:
        clock = time(hour, minute, second)
    except ValueError as error:
        raise DateError("has no time of the day") from error
    return f"{text[: found.start()].rstrip('t ')} {tail}", clock, offset


def _year(number: int) -> int:
    year = number + 2000 if number < 100 else number
    if EARLIEST_YEAR + _BUDDHIST <= year <= _LATEST_YEAR + _BUDDHIST:
        year -= _BUDDHIST
    if not EARLIEST_YEAR <= year <= _LATEST_YEAR:
        raise DateError(
            f"has the year {number}, which is not of enforcement (2023 on) or of another calendar"
        )
    return year


def decide(
    servers: Sequence[Mapping[str, Written]],
    distances: Sequence[tuple[str, str, int]],
    now: datetime,
    told: Order | None,
) -> Reading:
    """Which number is the day, by all dates together.

    `servers` map field names to dates; `distances` are (field, later field, days between them) as the ladder
    of stages has them. A reading is impossible where it gives no day, a first detection after `now` or a
    later step before an earlier one; of two possible readings the one with more of the distances wins.
    Raises DateError where neither reading is possible, or `told` is not.
    """
    open_dates = [date for server in servers for date in server.values() if date.is_open]
    styles = sorted({date.style for server in servers for date in server.values()})
    if not open_dates:
        return Reading("dmy", "iso", f"the dates tell it themselves ({', '.join(styles) or 'there is none'})")
    faults = {order: _fault(servers, order, now) for order in ORDERS}
    if told and (
        problem := next((_invalid(date, told) for date in open_dates if _invalid(date, told)), None)
    ):
        raise DateError(f"--date-order {told} cannot be: {problem}")
    if all(faults.values()):
        if told:
            return Reading(told, WORDS[told], f"told by --date-order, although {faults[told]}")
        raise DateError(f"no reading fits: day first, {faults['dmy']}; month first, {faults['mdy']}")
    found = _decision(servers, open_dates, distances, faults)
    if told is None or found.order == told:
        return found
    if found.order is None:
        return Reading(
            told, f"ambiguous: {WORDS[told]} as told", "told by --date-order; the dates fit both readings"
        )
    return Reading(
        told, WORDS[told], f"told by --date-order, although {found.words} would follow: {found.reason}"
    )


def _decision(
    servers: Sequence[Mapping[str, Written]],
    open_dates: Sequence[Written],
    distances: Sequence[tuple[str, str, int]],
    faults: Mapping[Order, str | None],
) -> Reading:
    for order, other in (ORDERS, ORDERS[::-1]):
        if faults[other]:
            return Reading(order, WORDS[order], f"{WORDS[other]} is impossible: {faults[other]}")
    if all(date.first == date.second for date in open_dates):
        return Reading("dmy", "day first", "day and month are the same number everywhere")
    fits = {order: _fitting(servers, order, distances) for order in ORDERS}
    best: Order = "dmy" if len(fits["dmy"]) >= len(fits["mdy"]) else "mdy"
    other = ORDERS[1 - ORDERS.index(best)]
    if len(fits[best]) > len(fits[other]):
        return Reading(best, WORDS[best], f"only so {fits[best][0]}")
    return Reading(None, "ambiguous: day first or month first", "every date fits both readings")


def _fault(servers: Sequence[Mapping[str, Written]], order: Order, now: datetime) -> str | None:
    """Why an order is impossible; None if it is possible."""
    steps = (
        ("FirstDetectedDate", "ThrottleEnabledDate"),
        ("FirstDetectedDate", "BlockingEnabledDate"),
        ("ThrottleEnabledDate", "BlockingEnabledDate"),
        ("FirstDetectedDate", "NextStageStartDate"),
    )
    for server in servers:
        for date in server.values():
            if problem := _invalid(date, order):
                return problem
        read = {field: date.read(order, UTC) for field, date in server.items()}
        # the zone is unknown: a day is no contradiction
        if "FirstDetectedDate" in read and read["FirstDetectedDate"] > now + timedelta(days=1):
            return f"FirstDetectedDate {server['FirstDetectedDate'].text} is still to come"
        for earlier, later in steps:
            if earlier in read and later in read and read[later] < read[earlier]:
                return f"{later} {server[later].text} is before {earlier} {server[earlier].text}"
    return None


def _invalid(date: Written, order: Order) -> str | None:
    try:
        date.read(order, UTC)
    except ValueError:
        return f"{date.text} is no date so"
    return None


def _fitting(
    servers: Sequence[Mapping[str, Written]], order: Order, distances: Sequence[tuple[str, str, int]]
) -> list[str]:
    """The distances that hold, in words. Daylight saving time may move one by an hour."""
    found = []
    for server in servers:
        for earlier, later, days in distances:
            if earlier in server and later in server:
                between = server[later].read(order, UTC) - server[earlier].read(order, UTC)
                if abs(between - timedelta(days=days)) <= _HOUR:
                    found.append(f"{later} is {days} days after {earlier}")
    return found
