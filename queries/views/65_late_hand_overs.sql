-- title: Days on which late hand-overs keep to minutes of the hour
-- answers: On which days a server's mail to Exchange Online was late in a pattern of minutes, while no log quotes a refusal.
-- columns:
--   organisation: id of the organisation
--   server: server that handed over, first label in capitals
--   day: day, UTC
--   messages: messages handed over in scope that have a latency
--   late: of them late by the shortest retry interval of the catalogue or more
--   late_hours: clock hours in which late messages had come
--   window_minutes: length of the window that fits best, of those that the table of stages has
--   first_minute: minute of the hour with which it begins
--   inside: messages that came inside the window
--   late_inside: of them late
--   late_outside: late messages that came outside
--   median_late_seconds: median latency of the late ones, seconds
--   longest_late_seconds: longest latency, seconds
-- materialised: small
-- Of those that came inside the window three quarters are late, of those outside a tenth at most; four fifths of the late
-- ones came inside.
with days as (
    select
        organisation, server, day, sum(messages) as messages, max(late_of_day) as late, max(late_hours) as late_hours,
        max(median_late_seconds) as middle, max(longest_late_seconds) as longest
    from late_minutes
    group by organisation, server, day
),

digits as (
    select digit from (values (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)) as given(digit)
),

windows as (
    select w.minutes, t.digit * 10 + u.digit as first_minute
    from (select distinct throttle_minutes_per_hour as minutes from current_stages where throttle_minutes_per_hour > 0) as w
    cross join digits as t
    cross join digits as u
    where t.digit < 6
),

tried as (
    select
        b.organisation, b.server, b.day, w.minutes, w.first_minute, sum(b.messages) as inside, sum(b.late) as late_inside
    from late_minutes as b
    inner join windows as w on (b.minute - w.first_minute + 60) % 60 < w.minutes
    group by b.organisation, b.server, b.day, w.minutes, w.first_minute
),

fitting as (
    select
        e.*, t.minutes, t.first_minute, t.inside, t.late_inside,
        row_number() over (
            partition by e.organisation, e.server, e.day
            order by
                t.late_inside * 1.0 / t.inside - (e.late - t.late_inside) * 1.0 / greatest(e.messages - t.inside, 1) desc,
                t.minutes, t.first_minute
        ) as rank
    from days as e
    inner join tried as t on e.organisation = t.organisation and e.server = t.server and e.day = t.day
    where t.late_inside * 4 >= t.inside * 3 and (e.late - t.late_inside) * 10 <= e.messages - t.inside
        and t.late_inside * 5 >= e.late * 4
)

select
    organisation, server, day, cast(messages as bigint) as messages, late, late_hours, minutes as window_minutes, cast(first_minute as integer) as first_minute,
    cast(inside as bigint) as inside, cast(late_inside as bigint) as late_inside, cast(late - late_inside as bigint) as late_outside,
    round(middle, 1) as median_late_seconds, round(longest, 1) as longest_late_seconds
from fitting
where rank = 1
