-- title: Refusals on the clock of Exchange Online
-- answers: When each refusal truly came, and which stages have its number.
-- kept: small, and asked for by many views
-- columns:
--   organisation: id of the organisation
--   server: server that handed the message over; null where unknown
--   refusal_key: the refusal
--   action: throttle or block
--   minutes_per_hour: minutes per hour that the reply names; null where it names none
--   refused_at: true time, seconds since 1970
--   error_seconds: how far it may be off, seconds
--   quoted_only: whether only a later quotation is known, so that the time is not that of the refusal
--   connector: connector
--   stage_from: first stage whose row can have this number; null = no row has it
--   stage_to: last such stage
--   day_from: first day of these stages
--   day_to: day on which they end; null = they do not end
--   source_file: path of the source of its line
--   source_line: line number
with timed as (
    select
        r.organisation, r.handed_over_by as server, r.refusal_key, r.action, r.minutes_per_hour, r.quotes_older,
            r.connector,
        r.source_file, r.source_line,
        cast(floor(epoch(r.time)) as bigint) + coalesce(k.skew_seconds, 0) as refused_at,
        -- not measured: three times what Kerberos tolerates between members of a domain
        coalesce(k.error_seconds, 900) as error_seconds
    from refusals as r
    left join clock_skews as k on r.organisation = k.organisation and r.server = k.server
),

chosen as (
    select *
    from (
        select
            *,
            max(minutes_per_hour) over (partition by organisation, refusal_key, action) as minutes,
            row_number() over (
                partition by organisation, refusal_key, action
                order by quotes_older, error_seconds, refused_at, source_file, source_line
            ) as nth
        from timed
    ) as ranked
    where nth = 1
),

ladders as (
    select valid_from, lead(valid_from) over (order by valid_from) as next_from
    from (select distinct cast(valid_from as date) as valid_from from ref_stages) as versions
),

ladder as (
    select
        s.stage, s.day_from, s.day_to, s.throttle_minutes_per_hour as throttle, s.block_minutes_per_hour as block,
        v.valid_from, v.next_from, cast(s.valid_to as date) as valid_to
    from ref_stages as s
    inner join ladders as v on cast(s.valid_from as date) = v.valid_from
),

-- throttling grows with the stages, so an unknown cell can hold the highest known number, not a lower one
highest as (
    select valid_from, max(throttle) as throttle from ladder group by valid_from
),

numbers as (
    select distinct action, minutes from chosen
),

matches as (
    select
        n.action, n.minutes, l.valid_from, l.next_from, max(l.valid_to) as valid_to, min(l.stage) as stage_from,
            max(l.stage) as stage_to,
        min(l.day_from) as day_from, nullif(max(coalesce(l.day_to, 999999)), 999999) as day_to
    from numbers as n
    cross join ladder as l
    inner join highest as h on l.valid_from = h.valid_from
    where
        case
            when n.action = 'throttle' and n.minutes is null then coalesce(l.throttle, 1) > 0
            when n.action = 'throttle' then n.minutes > 0 and (l.throttle = n.minutes or (l.throttle is null
                and n.minutes = h.throttle))
            when n.minutes is null then coalesce(l.block, 1) > 0
            else n.minutes > 0 and (l.block = n.minutes or l.block is null)
        end
    group by n.action, n.minutes, l.valid_from, l.next_from
)

select
    c.organisation, c.server, c.refusal_key, c.action, c.minutes as minutes_per_hour, c.refused_at, c.error_seconds,
    c.quotes_older as quoted_only, c.connector, m.stage_from, m.stage_to, m.day_from, m.day_to, c.source_file,
        c.source_line
from chosen as c
left join matches as m
    on c.action = m.action and c.minutes is not distinct from m.minutes
    and cast(to_timestamp(c.refused_at) as date) >= m.valid_from
    and (m.next_from is null or cast(to_timestamp(c.refused_at) as date) < m.next_from)
    and (m.valid_to is null or cast(to_timestamp(c.refused_at) as date) <= m.valid_to)
