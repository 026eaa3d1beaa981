-- title: What each coming stage will do to the mail of each server
-- answers: How many messages a day each coming stage delays, by how long, and bounces; beside it what the present stage did.
-- columns:
--   organisation: id of the organisation
--   server: server that hands over, first label in capitals
--   stage: stage of the table
--   stage_is: present, next, later, or after the next raise (no date: its build is accepted today)
--   basis: observed, imported or predicted: what the dates rest on; null = no date
--   begins_earliest: it does not begin earlier, UTC; null = no bound
--   begins_latest: without another pause it begins by then, UTC; null = no upper bound
--   begins_latest_if_paused: it begins by then even if paused, UTC; null = no upper bound
--   throttle_minutes_lowest: minutes an hour of temporary refusals; 0 where the number is not public
--   throttle_minutes_highest: the same; all that the block leaves where the number is not public
--   block_minutes: minutes an hour of permanent refusals
--   messages_per_day: messages that the server hands over in scope on an observed day
--   days_observed: days of its logs behind that
--   busiest_hour: hour of the day with most of them, UTC
--   delayed_per_day_lowest: messages a day that come late, in the most favourable reading
--   delayed_per_day_expected: the same, mean of all readings
--   delayed_per_day_highest: the same, in the least favourable reading
--   delay_minutes_lowest: shortest delay of such a message, minutes
--   delay_minutes_expected: its mean over all readings, minutes
--   delay_minutes_highest: longest delay, minutes
--   bounced_per_day_lowest: messages a day that are refused for good, in the most favourable reading
--   bounced_per_day_expected: the same, mean of all readings
--   bounced_per_day_highest: the same, in the least favourable reading
--   observed_stage: present stage, where it is known; this and what was observed in it stand in its own row alone, null in others
--   observed_hours: hours from the first refusal of the present stage to the end of the server's logs, days without logs left out
--   observed_delayed_per_day: messages a day that were delayed in them; null below 6 hours
--   observed_bounced_per_day: messages a day that were refused for good in them; null below 6 hours
--   observed_delay_minutes: median delay in them, minutes
--   assumptions: what the numbers rest on
-- materialised: small
-- Readings: each place of the window in the hour, the same in every hour, and those of stage_outcomes.
with seen_hours as (
    select organisation, server, cast(floor(epoch(hour) / 3600) as bigint) as hour_number
    from tracking_hours
    where server is not null
    union
    select organisation, server, cast(floor(epoch(hour) / 3600) as bigint)
    from protocol_hours
    where server is not null and log_kind = 'smtp-send'
),

seen_spans as (
    select organisation, server, min(hour_number) as first_hour, max(hour_number) as last_hour
    from seen_hours
    group by organisation, server
),

seen_days as (
    select distinct organisation, server, cast(floor(hour_number / 24.0) as bigint) as day_number from seen_hours
),

digits as (
    select digit from (values (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)) as given(digit)
),

numbers as (
    select t.digit * 10 + u.digit as number from digits as t cross join digits as u where t.digit < 6
),

-- a day with logs counts from the first to the last hour of all logs: a quiet hour in it is an hour without mail
day_hours as (
    select d.organisation, d.server, n.number as hour_of_day, count(*) as days
    from seen_days as d
    inner join seen_spans as s on d.organisation = s.organisation and d.server = s.server
    inner join numbers as n on d.day_number * 24 + n.number between s.first_hour and s.last_hour
    where n.number < 24
    group by d.organisation, d.server, n.number
),

by_hour as (
    select
        organisation, server, cast(floor(minute_of_day / 60.0) as bigint) as hour_of_day,
        greatest(sum(messages), 0) as messages
    from arrival_minutes
    group by organisation, server, cast(floor(minute_of_day / 60.0) as bigint)
),

rates as (
    select
        h.organisation, h.server, sum(h.messages * 1.0 / d.days) as messages_per_day,
        max_by(h.hour_of_day, h.messages * 1.0 / d.days * 100 - h.hour_of_day / 1000.0) as busiest_hour
    from by_hour as h
    inner join day_hours as d
        on h.organisation = d.organisation and h.server = d.server and h.hour_of_day = d.hour_of_day
    group by h.organisation, h.server
),

observed_days as (
    select organisation, server, sum(days) / 24.0 as days from day_hours group by organisation, server
),

by_minute as (
    select organisation, server, minute_of_day % 60 as minute, greatest(sum(messages), 0) as messages
    from arrival_minutes
    group by organisation, server, minute_of_day % 60
),

shares as materialized (
    select
        organisation, server, minute,
        messages * 1.0 / nullif(sum(messages) over (partition by organisation, server), 0) as share
    from by_minute
),

wanted as materialized (
    select
        c.organisation, c.server, s.stage, c.basis, c.stage as present_stage,
        case
            when c.basis is null then 'after the next raise'
            when s.stage = c.stage then 'present'
            when s.stage = c.next_stage then 'next'
            else 'later'
        end as stage_is
    from server_clocks as c
    inner join rates as r on c.organisation = r.organisation and c.server = r.server
    cross join current_stages as s
    where s.stage > 1
        and (
            s.stage = c.stage or s.stage >= c.next_stage
            or (c.basis is null and c.state = 'accepted today, refused after the next raise')
        )
),

wanted_servers as (
    select distinct organisation, server from wanted
),

-- start is the minute of the hour at which the window begins; sums are exact, so that they do not depend on the
-- order of the rows
simulated as (
    select
        h.organisation, h.server, o.stage, o.throttle_minutes, o.place, o.schedule, n.number as start,
        sum(cast(case when o.outcome = 'delayed' then h.share else 0 end as decimal(18, 12))) as delayed,
        sum(cast(case when o.outcome = 'bounced' then h.share else 0 end as decimal(18, 12))) as bounced,
        sum(cast(case when o.outcome = 'delayed' then h.share * o.delay_minutes else 0 end as decimal(18, 9))) as delay_shares,
        min(case when o.outcome = 'delayed' then o.delay_minutes end) as shortest,
        max(case when o.outcome = 'delayed' then o.delay_minutes end) as longest
    from shares as h
    inner join wanted_servers as w on h.organisation = w.organisation and h.server = w.server
    cross join numbers as n
    inner join stage_outcomes as o on o.minute = (h.minute - n.number + 60) % 60
    where h.share > 0
    group by h.organisation, h.server, o.stage, o.throttle_minutes, o.place, o.schedule, n.number
),

outlooks as (
    select
        organisation, server, stage, cast(min(delayed) as double) as delayed_lowest,
        cast(sum(delayed) as double) / count(*) as delayed_expected, cast(max(delayed) as double) as delayed_highest,
        cast(min(bounced) as double) as bounced_lowest, cast(sum(bounced) as double) / count(*) as bounced_expected,
        cast(max(bounced) as double) as bounced_highest, min(shortest) as shortest,
        cast(sum(delay_shares) as double) / nullif(cast(sum(delayed) as double), 0) as mean_delay, max(longest) as longest
    from simulated
    group by organisation, server, stage
),

windows as (
    select stage, min(throttle_minutes) as throttle_lowest, max(throttle_minutes) as throttle_highest, max(block_minutes) as block_minutes
    from stage_outcomes
    group by stage
),

present as (
    select c.organisation, c.server, c.stage, min(r.refused_at) as refused_from
    from server_clocks as c
    inner join clock_refusals as r on c.organisation = r.organisation and c.server = r.server
    where not r.quoted_only and c.stage between r.stage_from and coalesce(r.stage_to, r.stage_from)
    group by c.organisation, c.server, c.stage
),

present_hours as (
    select p.organisation, p.server, count(*) as hours
    from present as p
    inner join seen_days as d on p.organisation = d.organisation and p.server = d.server
    inner join seen_spans as s on p.organisation = s.organisation and p.server = s.server
    inner join numbers as n
        on n.number < 24
        and d.day_number * 24 + n.number between greatest(s.first_hour, floor(p.refused_from / 3600.0)) and s.last_hour
    group by p.organisation, p.server
),

present_delays as (
    select p.organisation, p.server, count(*) as messages, median(d.delay_seconds) / 60 as delay_minutes
    from present as p
    inner join delayed_messages as d
        on p.organisation = d.organisation and p.server = d.server and epoch(d.first_refused) >= p.refused_from - 3600
    where d.outcome <> 'bounced'
    group by p.organisation, p.server
),

present_bounces as (
    select p.organisation, p.server, count(*) as messages
    from present as p
    inner join bounced_messages as b
        on p.organisation = b.organisation and p.server = b.server and epoch(b.bounced_time) >= p.refused_from - 3600
    group by p.organisation, p.server
)

select
    w.organisation, w.server, w.stage, w.stage_is, w.basis, to_timestamp(d.earliest) as begins_earliest,
    to_timestamp(d.latest) as begins_latest, to_timestamp(d.latest_if_paused) as begins_latest_if_paused,
    t.throttle_lowest as throttle_minutes_lowest, t.throttle_highest as throttle_minutes_highest, t.block_minutes,
    round(r.messages_per_day, 1) as messages_per_day, round(s.days, 1) as days_observed,
    cast(r.busiest_hour as integer) as busiest_hour,
    round(r.messages_per_day * o.delayed_lowest, 1) as delayed_per_day_lowest,
    round(r.messages_per_day * o.delayed_expected, 1) as delayed_per_day_expected,
    round(r.messages_per_day * o.delayed_highest, 1) as delayed_per_day_highest,
    o.shortest as delay_minutes_lowest, round(o.mean_delay, 1) as delay_minutes_expected, o.longest as delay_minutes_highest,
    round(r.messages_per_day * o.bounced_lowest, 1) as bounced_per_day_lowest,
    round(r.messages_per_day * o.bounced_expected, 1) as bounced_per_day_expected,
    round(r.messages_per_day * o.bounced_highest, 1) as bounced_per_day_highest,
    case when w.stage_is = 'present' then w.present_stage end as observed_stage, h.hours as observed_hours,
    case when h.hours >= 6 then round(coalesce(l.messages, 0) * 24.0 / h.hours, 1) end as observed_delayed_per_day,
    case when h.hours >= 6 then round(coalesce(b.messages, 0) * 24.0 / h.hours, 1) end as observed_bounced_per_day,
    round(l.delay_minutes, 1) as observed_delay_minutes,
    concat_ws(
        ' ',
        'Mail comes as it came; the window stands anywhere in the hour, at the same place in each; retry intervals are the defaults of a Mailbox server.',
        case
            when t.throttle_lowest <> t.throttle_highest
                then 'The throttle of this stage is not public: lowest is none, highest all the hour that the block leaves.'
        end,
        case
            when t.throttle_highest > 0 and t.block_minutes > 0
                then 'How throttle and block share an hour is not public: the block stands before, after, apart from or inside the throttle.'
        end,
        case when s.days < 7 then 'Less than a week of logs.' end
    ) as assumptions
from wanted as w
inner join outlooks as o on w.organisation = o.organisation and w.server = o.server and w.stage = o.stage
inner join windows as t on w.stage = t.stage
inner join rates as r on w.organisation = r.organisation and w.server = r.server
inner join observed_days as s on w.organisation = s.organisation and w.server = s.server
left join stage_dates as d on w.organisation = d.organisation and w.server = d.server and w.stage = d.stage
-- what was observed is of the present stage: in every row it would be added up several times
left join present_hours as h on w.organisation = h.organisation and w.server = h.server and w.stage_is = 'present'
left join present_delays as l on w.organisation = l.organisation and w.server = l.server and w.stage_is = 'present'
left join present_bounces as b on w.organisation = b.organisation and w.server = b.server and w.stage_is = 'present'
