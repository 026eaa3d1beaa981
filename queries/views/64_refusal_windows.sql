-- title: Refusals by minute of the hour
-- answers: In which minutes of the hour Exchange Online refuses, per server and day, and whether that looks like one window.
-- kept: small
-- columns:
--   organisation: id of the organisation
--   server: server that handed over; null where unknown
--   day: day, UTC
--   action: throttle or block
--   minutes_per_hour: minutes an hour that the replies name; null where they name none
--   refusals: refusals
--   spells: groups of refusals that can be of one window: closer than the named minutes; one a day where all the hour is named
--   first_minute: minute of the hour with which the shortest arc begins that holds all refusals
--   last_minute: minute with which it ends; below first_minute where it straddles the hour
--   span_minutes: length of this arc, minutes
--   covered_minutes: different minutes of the hour with a refusal
--   longest_spell_minutes: longest spell, minutes
--   accepted_inside: messages accepted inside spells, a minute away from their ends, by tracking: in a window there is none
--   looks: fixed, rolling, random, longer than named, whole hour or too few, as the logs have it; no rule is public
--   other_servers: whether one window fits all servers of the organisation that were refused on that day
--   words: the counts behind looks, in a sentence
-- Times are on the clock of Exchange Online. A refusal comes only when mail comes: a window may be longer than its spells.
-- fixed: at least three spells, all in an arc of the named minutes and one more (a window cuts a minute at both ends).
-- rolling: at least four spells, each later (or each earlier) in its hour than the one before by the same minutes, 20 at most,
-- give or take one. longer than named: a spell is. random: at least three spells, and no such arc or step.
with refused as materialized (
    select
        organisation, server, action, minutes_per_hour, refused_at,
        cast(floor(refused_at / 60) as bigint) % 60 as minute
    from clock_refusals
    where not quoted_only
),

stepped as (
    select
        *,
        lag(refused_at) over (
            partition by organisation, server, action, minutes_per_hour order by refused_at
        ) as before
    from refused
),

numbered as (
    select
        *,
        sum(
            case
                when before is null then 1
                when coalesce(minutes_per_hour, 30) >= 60
                    then case when floor(before / 86400) = floor(refused_at / 86400) then 0 else 1 end
                when refused_at - before > least(coalesce(minutes_per_hour, 30), 60 - coalesce(minutes_per_hour, 30)) * 60 then 1
                else 0
            end
        ) over (
            partition by organisation, server, action, minutes_per_hour order by refused_at
            rows between unbounded preceding and current row
        ) as nth
    from stepped
),

spells as materialized (
    select
        organisation, server, action, minutes_per_hour, nth, min(refused_at) as spell_from, max(refused_at) as spell_to,
        cast(to_timestamp(min(refused_at)) as date) as day
    from numbered
    group by organisation, server, action, minutes_per_hour, nth
),

-- spells by the server's own log, and the hours that they touch
logged_spells as materialized (
    select
        s.organisation, s.server, s.action, s.minutes_per_hour, s.nth, s.spell_from - coalesce(k.skew_seconds, 0) as logged_from,
        s.spell_to - coalesce(k.skew_seconds, 0) as logged_to
    from spells as s
    left join clock_skews as k on s.organisation = k.organisation and s.server = k.server
    where s.server is not null and s.spell_to > s.spell_from
),

spell_days_logged as (
    select organisation, server, cast(to_timestamp(logged_from) as date) as day from logged_spells
    union
    select organisation, server, cast(to_timestamp(logged_to) as date) as day from logged_spells
),

scopes as (
    select distinct organisation, connector, destination from hand_overs where in_scope = 'yes' and messages > 0
),

handed_over as (
    select t.organisation, d.server, cast(floor(epoch(t.date_time) / 60) as bigint) * 60 as minute_from, count(*) as messages
    from message_tracking as t
    inner join spell_days_logged as d
        on t.organisation = d.organisation and upper(split_part(t.server, '.', 1)) = d.server
        and cast(t.date_time as date) = d.day
    inner join scopes as s
        on t.organisation = s.organisation and t.connector_id is not distinct from s.connector
        and lower(t.peer_name) is not distinct from s.destination
    where t.destination_class = 'exchange-online' and t.event_id in ('SEND', 'SENDEXTERNAL')
    group by t.organisation, d.server, cast(floor(epoch(t.date_time) / 60) as bigint) * 60
),

accepted as (
    select s.organisation, s.server, s.action, s.minutes_per_hour, s.nth, sum(m.messages) as messages
    from logged_spells as s
    inner join handed_over as m
        on s.organisation = m.organisation and s.server = m.server and m.minute_from > s.logged_from
        and m.minute_from + 60 < s.logged_to
    group by s.organisation, s.server, s.action, s.minutes_per_hour, s.nth
),

-- how far a spell begins after the one before, on the dial of the hour: -30 to 29 minutes
turned as (
    select
        *,
        (
            cast(floor(spell_from / 60) as bigint) - cast(floor(
                lag(spell_from) over (partition by organisation, server, action, minutes_per_hour, day order by spell_from) / 60
            ) as bigint) + 30
        ) % 60 - 30 as turn
    from spells
),

spell_days as (
    select
        t.organisation, t.server, t.day, t.action, t.minutes_per_hour, count(*) as spells,
        max(t.spell_to - t.spell_from) as longest, min(t.turn) as least_turn, max(t.turn) as most_turn,
        coalesce(sum(a.messages), 0) as accepted_inside
    from turned as t
    left join accepted as a
        on t.organisation = a.organisation and t.server = a.server and t.action = a.action
        and t.minutes_per_hour is not distinct from a.minutes_per_hour and t.nth = a.nth
    group by t.organisation, t.server, t.day, t.action, t.minutes_per_hour
),

-- a refusal belongs to the day on which its spell began
placed as materialized (
    select r.organisation, r.server, s.day, r.action, r.minutes_per_hour, r.minute, count(*) as refusals
    from numbered as r
    inner join spells as s
        on r.organisation = s.organisation and r.server is not distinct from s.server and r.action = s.action
        and r.minutes_per_hour is not distinct from s.minutes_per_hour and r.nth = s.nth
    group by r.organisation, r.server, s.day, r.action, r.minutes_per_hour, r.minute
),

-- the longest stretch of the dial without a refusal; the rest is the shortest arc that holds them all
server_gaps as (
    select
        *,
        minute - coalesce(
            lag(minute) over (partition by organisation, server, day, action, minutes_per_hour order by minute),
            max(minute) over (partition by organisation, server, day, action, minutes_per_hour) - 60
        ) as gap
    from placed
),

server_arcs as (
    select
        organisation, server, day, action, minutes_per_hour, sum(refusals) as refusals, count(*) as covered,
        min_by(minute, minute - gap * 100) as first_minute, 61 - max(gap) as span
    from server_gaps
    group by organisation, server, day, action, minutes_per_hour
),

all_minutes as (
    select distinct organisation, day, action, minutes_per_hour, minute from placed where server is not null
),

all_gaps as (
    select
        *,
        minute - coalesce(
            lag(minute) over (partition by organisation, day, action, minutes_per_hour order by minute),
            max(minute) over (partition by organisation, day, action, minutes_per_hour) - 60
        ) as gap
    from all_minutes
),

all_arcs as (
    select organisation, day, action, minutes_per_hour, 61 - max(gap) as span
    from all_gaps
    group by organisation, day, action, minutes_per_hour
),

server_counts as (
    select organisation, day, action, minutes_per_hour, count(*) as refused_servers, max(span) as widest
    from server_arcs
    where server is not null
    group by organisation, day, action, minutes_per_hour
),

judged as (
    select
        a.organisation, a.server, a.day, a.action, a.minutes_per_hour, a.refusals, d.spells, a.first_minute,
        (a.first_minute + a.span - 1) % 60 as last_minute, a.span, a.covered, d.longest, d.accepted_inside,
        case
            when a.minutes_per_hour >= 60 then 'whole hour'
            when a.minutes_per_hour is null or d.spells < 3 then 'too few'
            when d.longest > (a.minutes_per_hour + 1) * 60 then 'longer than named'
            when a.span <= a.minutes_per_hour + 1 then 'fixed'
            when d.spells >= 4 and (d.least_turn > 0 or d.most_turn < 0) and d.most_turn - d.least_turn <= 2
                and greatest(d.most_turn, -d.least_turn) <= 20 then 'rolling'
            else 'random'
        end as looks,
        case
            when a.server is null then 'the server is not known'
            when c.refused_servers = 1 then 'no other server was refused'
            when a.minutes_per_hour is null or a.minutes_per_hour >= 60 then 'cannot be told'
            when t.span <= a.minutes_per_hour + 1 then 'one window fits all ' || cast(c.refused_servers as varchar)
            when c.widest <= a.minutes_per_hour + 1
                then 'each of ' || cast(c.refused_servers as varchar) || ' fits a window of its own, not one together'
            else 'no one window fits all ' || cast(c.refused_servers as varchar)
        end as other_servers
    from server_arcs as a
    inner join spell_days as d
        on a.organisation = d.organisation and a.server is not distinct from d.server and a.day = d.day
        and a.action = d.action and a.minutes_per_hour is not distinct from d.minutes_per_hour
    left join all_arcs as t
        on a.organisation = t.organisation and a.day = t.day and a.action = t.action
        and a.minutes_per_hour is not distinct from t.minutes_per_hour
    left join server_counts as c
        on a.organisation = c.organisation and a.day = c.day and a.action = c.action
        and a.minutes_per_hour is not distinct from c.minutes_per_hour
)

select
    organisation, server, day, action, minutes_per_hour, cast(refusals as bigint) as refusals, spells,
    cast(first_minute as integer) as first_minute, cast(last_minute as integer) as last_minute,
    cast(span as integer) as span_minutes, covered as covered_minutes,
    round(longest / 60.0, 1) as longest_spell_minutes, cast(accepted_inside as bigint) as accepted_inside, looks, other_servers,
    'Refusals: ' || cast(refusals as varchar) || ', spells: ' || cast(spells as varchar) || ', minutes of the hour: '
        || cast(first_minute as varchar) || ' to ' || cast(last_minute as varchar) || ', ' || cast(span as varchar)
        || ' in all (named: ' || coalesce(cast(minutes_per_hour as varchar), 'none') || '), accepted inside: '
        || cast(accepted_inside as varchar) || '.' as words
from judged
