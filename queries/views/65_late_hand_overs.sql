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
-- A day counts only if all of this holds: no Send log of a connector in scope and no quoted refusal on this server and
-- day; 10 late messages, come in 4 different hours; of those that came inside the window three quarters are late, of
-- those outside a tenth at most; four fifths of the late ones came inside.
with shortest as (
    select min(default_value) as seconds from ref_retry_intervals where unit = 'seconds' and setting like '%RetryInterval'
),

scopes as (
    select distinct organisation, connector, destination from hand_overs where in_scope = 'yes' and messages > 0
),

-- the latency tree tells where the time went: late in an earlier server is not late here; the last hub wrote the row
delayed as materialized (
    select
        t.organisation, upper(split_part(t.server, '.', 1)) as server, cast(t.date_time as date) as day,
        cast(floor((epoch(t.date_time) - t.e2e_latency) / 60) as bigint) as came, t.e2e_latency as latency
    from message_tracking as t
    inner join scopes as s
        on t.organisation = s.organisation and t.connector_id is not distinct from s.connector
        and lower(t.peer_name) is not distinct from s.destination
    cross join shortest as r
    where t.destination_class = 'exchange-online' and t.event_id in ('SEND', 'SENDEXTERNAL') and t.server is not null
        and t.e2e_latency >= r.seconds
        and coalesce(
            try_cast(nullif(regexp_extract(t.message_info, '.*TOTAL-HUB=([0-9]+[.]?[0-9]*)', 1), '') as double), t.e2e_latency
        ) >= r.seconds
),

enough as (
    select
        organisation, server, day, count(*) as late, count(distinct floor(came / 60.0)) as late_hours, median(latency) as middle,
        max(latency) as longest
    from delayed
    group by organisation, server, day
    having count(*) >= 10 and count(distinct floor(came / 60.0)) >= 4
),

send_days as (
    select distinct p.organisation, p.server, cast(p.hour as date) as day
    from protocol_hours as p
    inner join (select distinct organisation, connector from scopes) as s
        on p.organisation = s.organisation and p.connector is not distinct from s.connector
    where p.log_kind = 'smtp-send' and p.server is not null
),

refused_days as (
    select distinct organisation, server, cast(time as date) as day from refusal_events where server is not null
    union
    select distinct organisation, server, cast(time as date) as day from refusals where server is not null
),

eligible as (
    select e.*
    from enough as e
    left join send_days as s on e.organisation = s.organisation and e.server = s.server and e.day = s.day
    left join refused_days as r on e.organisation = r.organisation and e.server = r.server and e.day = r.day
    where s.server is null and r.server is null
),

came as (
    select
        e.organisation, e.server, e.day, cast(floor((epoch(t.date_time) - t.e2e_latency) / 60) as bigint) % 60 as minute,
        count(*) as messages, 0 as late
    from message_tracking as t
    inner join eligible as e
        on t.organisation = e.organisation and upper(split_part(t.server, '.', 1)) = e.server
        and cast(t.date_time as date) = e.day
    inner join scopes as s
        on t.organisation = s.organisation and t.connector_id is not distinct from s.connector
        and lower(t.peer_name) is not distinct from s.destination
    where t.destination_class = 'exchange-online' and t.event_id in ('SEND', 'SENDEXTERNAL') and t.e2e_latency >= 0
    group by e.organisation, e.server, e.day, cast(floor((epoch(t.date_time) - t.e2e_latency) / 60) as bigint) % 60
    union all
    select d.organisation, d.server, d.day, d.came % 60, 0, count(*)
    from delayed as d
    inner join eligible as e on d.organisation = e.organisation and d.server = e.server and d.day = e.day
    group by d.organisation, d.server, d.day, d.came % 60
),

by_minute as (
    select organisation, server, day, minute, sum(messages) as messages, sum(late) as late
    from came
    group by organisation, server, day, minute
),

totals as (
    select organisation, server, day, sum(messages) as messages from by_minute group by organisation, server, day
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
    from by_minute as b
    inner join windows as w on (b.minute - w.first_minute + 60) % 60 < w.minutes
    group by b.organisation, b.server, b.day, w.minutes, w.first_minute
),

fitting as (
    select
        e.*, a.messages, t.minutes, t.first_minute, t.inside, t.late_inside,
        row_number() over (
            partition by e.organisation, e.server, e.day
            order by
                t.late_inside * 1.0 / t.inside - (e.late - t.late_inside) * 1.0 / greatest(a.messages - t.inside, 1) desc,
                t.minutes, t.first_minute
        ) as rank
    from eligible as e
    inner join totals as a on e.organisation = a.organisation and e.server = a.server and e.day = a.day
    inner join tried as t on e.organisation = t.organisation and e.server = t.server and e.day = t.day
    where t.late_inside * 4 >= t.inside * 3 and (e.late - t.late_inside) * 10 <= a.messages - t.inside
        and t.late_inside * 5 >= e.late * 4
)

select
    organisation, server, day, cast(messages as bigint) as messages, late, late_hours, minutes as window_minutes, cast(first_minute as integer) as first_minute,
    cast(inside as bigint) as inside, cast(late_inside as bigint) as late_inside, cast(late - late_inside as bigint) as late_outside,
    round(middle, 1) as median_late_seconds, round(longest, 1) as longest_late_seconds
from fitting
where rank = 1
