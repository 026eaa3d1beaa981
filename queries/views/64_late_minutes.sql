-- title: Minutes of the hour at which mail came on days with late hand-overs and without a refusal
-- answers: At which minutes of the hour the mail came that was handed over late on days whose logs quote no refusal.
-- kept: a pass over the hand-overs
-- columns:
--   organisation: id of the organisation
--   server: server that handed over, first label in capitals
--   day: day, UTC
--   minute: minute of the hour at which mail came, 0 to 59
--   messages: messages handed over in scope that came then and have a latency
--   late: of them late by the shortest retry interval of the catalogue or more
--   late_of_day: late messages of the day
--   late_hours: clock hours of the day in which late messages had come
--   median_late_seconds: median latency of the late ones of the day, seconds
--   longest_late_seconds: longest latency of the day, seconds
-- A day counts only if no Send log of a connector in scope and no quoted refusal is there of this server and day, and 10 late
-- messages came in 4 different hours.
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
)

select
    b.organisation, b.server, b.day, cast(b.minute as integer) as minute, cast(b.messages as bigint) as messages,
    cast(b.late as bigint) as late, e.late as late_of_day, e.late_hours, e.middle as median_late_seconds,
    e.longest as longest_late_seconds
from by_minute as b
inner join eligible as e on b.organisation = e.organisation and b.server = e.server and b.day = e.day
