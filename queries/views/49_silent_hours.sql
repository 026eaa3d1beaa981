-- title: Hours in which mail in scope passed so closely that a refusing server would have shown
-- answers: In which hours a server was surely not refused, whatever the reason.
-- kept: a pass over the messages handed to Exchange Online
-- columns:
--   organisation: id of the organisation
--   server: server that handed over, first label in capitals
--   hour_at: begin of the hour on the clock of Exchange Online, seconds since 1970
--   messages: messages accepted
--   longest_gap: longest time without a message in the hour, at most, minutes
--   rules_out: refusals of this many minutes an hour, or more, would have met a message
-- A window may straddle the hour, so half of it has to be longer than the longest gap.
with paths as (
    select distinct organisation, connector, destination
    from hand_overs
    where in_scope = 'yes' and evidence = 'message-tracking'
),

minutes as (
    select
        t.organisation, upper(split_part(t.server, '.', 1)) as server,
        cast(floor((epoch(t.date_time) + coalesce(k.skew_seconds, 0)) / 60) as bigint) as minute, count(*) as messages
    from message_tracking as t
    inner join paths as p
        on t.organisation = p.organisation and t.connector_id is not distinct from p.connector
        and lower(t.peer_name) = p.destination
    left join clock_skews as k on t.organisation = k.organisation and upper(split_part(t.server, '.', 1)) = k.server
    where t.event_id in ('SEND', 'SENDEXTERNAL') and t.destination_class = 'exchange-online'
    group by
        t.organisation, upper(split_part(t.server, '.', 1)),
        cast(floor((epoch(t.date_time) + coalesce(k.skew_seconds, 0)) / 60) as bigint)
),

hourly as (
    select *, cast(floor(minute / 60) as bigint) * 60 as hour_minute from minutes
),

gaps as (
    select
        *,
        minute - coalesce(lag(minute) over (partition by organisation, server, hour_minute order by minute),
            hour_minute - 1)
            as gap
    from hourly
),

hours as (
    select
        organisation, server, hour_minute * 60 as hour_at, sum(messages) as messages,
        greatest(max(gap) + 1, hour_minute + 60 - max(minute)) as longest_gap
    from gaps
    group by organisation, server, hour_minute
),

refused as (
    select distinct organisation, server, cast(floor(refused_at / 3600) as bigint) * 3600 as hour_at
    from clock_refusals
    where not quoted_only and server is not null
)

select
    h.organisation, h.server, h.hour_at, cast(h.messages as bigint) as messages, h.longest_gap,
        2 * h.longest_gap as rules_out
from hours as h
left join refused as r on h.organisation = r.organisation and h.server = r.server and h.hour_at = r.hour_at
where r.server is null and 2 * h.longest_gap <= 60
