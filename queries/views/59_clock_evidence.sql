-- title: Every piece of evidence on day 0, and the bound that it gives
-- answers: What the dates of a server rest on, line by line.
-- columns:
--   organisation: id of the organisation
--   server: server whose clock it is
--   step: 1 clocks and builds, 2 pauses, 3 evidence in the order of time, 4 what all of it leaves, 5 the dates
--   time: when the evidence begins, UTC
--   until: when it ends, UTC
--   source: refusals, first detection, imported report, silence, build, known pause, clock of the logs, one tenant clock or result
--   says: what it says
--   earliest: day 0 is later than this (dates: the stage begins no earlier), UTC; null = no bound
--   latest: day 0 is not later than this without a further pause (dates: the stage begins by then), UTC; null = no bound
--   latest_if_paused: the same if the clock stood still since (dates: with every pause day used), UTC; null = no bound
--   carried: how the bound is carried to the report date
--   lineage: where it stands, source and line of the first and last
-- materialised: small; for one server or all
with bounds as (
    select * from clock_bounds
),

report_only as (
    select min(day_from) * 86400 as length from current_stages where throttle_minutes_per_hour > 0 or block_minutes_per_hour > 0
),

refused as (
    select
        p.organisation, p.server, 3 as step, p.first_at as begins_at, p.last_at as ends_at, 'refusals' as source,
        case when p.action = 'block' then 'blocked' else 'throttled' end
            || coalesce(' for ' || cast(p.minutes_per_hour as varchar) || ' mins/hr', ', minutes not said')
            || ', refusals: ' || cast(p.refusals as varchar)
            || case
                when p.stage_from is null then '; no stage of the table has this number'
                when p.stage_from = p.stage_to then '; stage ' || cast(p.stage_from as varchar)
                else '; stages ' || cast(p.stage_from as varchar) || ' to ' || cast(p.stage_to as varchar)
            end as says,
        p.lower as earliest_at, p.upper as latest_at,
        case
            when p.episode = b.episode and b.last_at - p.last_at < o.length then p.upper + b.last_at - p.last_at
        end as paused_at,
        case
            when p.stage_from is null then 'no bound; it proves that no pause was on'
            when r.blocks_decide and p.action = 'throttle' then 'no bound: the block minutes of the same time name '
                || 'another stage'
            when p.episode < b.episode then 'lower bound always; upper bound not: an update ended that episode'
            when b.last_at = r.last_at then 'both bounds: no pause fits between these refusals and the latest'
            else 'lower bound always; upper bound only without a pause, or later by the time to the latest refusal'
        end as carried,
        p.first_line || ' to ' || p.last_line as lineage
    from clock_pieces as p
    cross join report_only as o
    inner join bounds as b on p.organisation = b.organisation and p.server = b.server
    inner join clock_runs as r
        on p.organisation = r.organisation and p.server = r.server and p.episode = r.episode and r.basis = 'refusals'
        and p.first_at >= r.first_at and p.last_at <= r.last_at
    where p.server <> ''
),

told as (
    select
        r.organisation, r.server, 3 as step, r.first_at as begins_at, r.last_at as ends_at, r.basis as source,
        case
            when r.basis = 'first detection' then 'first detected'
            else 'Get-OnPremServerReportInfo: the next stage is stage ' || cast(r.stage_seen + 1 as varchar)
        end as says,
        r.lower as earliest_at, r.upper as latest_at, cast(null as bigint) as paused_at,
        case
            when r.basis = 'first detection' then 'lower bound always; upper bound only without a pause since'
            else 'pauses that had begun are counted in it; later ones move it'
        end as carried,
        cast(null as varchar) as lineage
    from clock_runs as r
    where r.basis <> 'refusals'
),

silent as (
    select
        s.organisation, s.server, 3 as step, min(s.hour_at) as begins_at, max(s.hour_at) + 3600 as ends_at,
            'silence' as source,
        'not refused in ' || cast(count(*) as varchar) || ' hours of close mail (messages: '
            || cast(sum(s.messages) as varchar)
            || '); refusals of ' || cast(max(s.rules_out) as varchar) || ' minutes an hour would have shown' as says,
        cast(null as bigint) as earliest_at, cast(null as bigint) as latest_at, cast(null as bigint) as paused_at,
        'no bound: stage 1, a pause, an update and mail outside the connector look alike' as carried,
        cast(null as varchar) as lineage
    from silent_hours as s
    left join (
        select organisation, server, first_at from clock_runs where basis = 'refusals'
    ) as r on s.organisation = r.organisation and s.server = r.server and r.first_at <= s.hour_at
    group by s.organisation, s.server, r.first_at
),

quoted as (
    select
        organisation, server, 3 as step, min(refused_at) as begins_at, max(refused_at) as ends_at, 'refusals' as source,
        'only quoted in a later report or expiry, refusals: ' || cast(count(*) as varchar) as says,
        cast(null as bigint) as earliest_at, cast(null as bigint) as latest_at, cast(null as bigint) as paused_at,
        'no bound: the time of the row is not that of the refusal' as carried,
        min(source_file || ':' || cast(source_line as varchar)) as lineage
    from clock_refusals
    where quoted_only and server is not null
    group by organisation, server
),

builds as (
    select
        organisation, server, 1 as step, accepted_from as begins_at, accepted_to as ends_at, 'build' as source,
        'build ' || builds || ' meets a known floor' as says, cast(null as bigint) as earliest_at,
        cast(null as bigint) as latest_at, cast(null as bigint) as paused_at,
        case
            when below_after is not null then 'ended the episode; a build below the floor came back: resumed, begun '
                || 'anew or never cleared'
            else 'ended the episode: upper bounds from before do not hold'
        end as carried,
        cast(null as varchar) as lineage
    from server_episodes
    union all
    select
        organisation, server, 1 as step, cast(floor(epoch(below_since)) as bigint) as begins_at,
            cast(null as bigint) as ends_at,
        'build' as source,
        'build ' || coalesce(build, product) || ' is below the floor of ' || cast(below_since as varchar) as says,
        cast(floor(epoch(below_since)) as bigint) as earliest_at, cast(null as bigint) as latest_at,
        cast(null as bigint) as paused_at,
        'a lower bound, used only where nothing else is known: detection can lag without limit' as carried,
        cast(null as varchar) as lineage
    from server_outlooks
    where below_since is not null and accepted in ('below the floor', 'no build is accepted')
),

skews as (
    select
        organisation, server, 1 as step, cast(floor(epoch(first_seen)) as bigint) as begins_at,
        cast(floor(epoch(last_seen)) as bigint) as ends_at, 'clock of the logs' as source,
        cast(skew_seconds as varchar) || ' seconds are added to its times, known to ' || cast(error_seconds as varchar)
            || ' seconds (lines with both clocks: ' || cast(samples as varchar) || ')' as says,
        cast(null as bigint) as earliest_at, cast(null as bigint) as latest_at, cast(null as bigint) as paused_at,
        'in every time below' as carried, cast(null as varchar) as lineage
    from clock_skews
),

pauses as (
    select
        b.organisation, b.server, 2 as step, p.may_start as begins_at, p.may_last_to as ends_at,
            'known pause' as source,
        'enforcement pause of ' || cast(p.days as varchar) || ' days from ' || cast(p.pause_from as varchar) || ' to '
            || cast(p.pause_to as varchar) as says,
        cast(null as bigint) as earliest_at, cast(null as bigint) as latest_at, cast(null as bigint) as paused_at,
        'moves the bounds from before it later by its whole days' as carried, 'organisations.toml' as lineage
    from bounds as b
    inner join pause_spans as p on b.organisation = p.organisation
    where b.server <> ''
),

tenants as (
    select
        b.organisation, b.server, 4 as step, t.fits_since as begins_at, t.last_at as ends_at,
            'one tenant clock' as source,
        case
            when t.is_contradictory or t.proven_still > b.proven_still
                then 'if the clock were the tenant''s: the servers'' refusals do not fit one clock'
            else 'if the clock is the tenant''s: all servers'' refusals together'
        end as says,
        t.lower as earliest_at, t.upper as latest_at, cast(null as bigint) as paused_at,
        'a hypothesis beside; the dates below are those of the server''s own clock' as carried,
            cast(null as varchar) as lineage
    from bounds as b
    inner join bounds as t on b.organisation = t.organisation and t.server = ''
    inner join (
        select organisation from bounds where server <> '' and refusals > 0 group by organisation having count(*) > 1
    ) as several on b.organisation = several.organisation
    where b.server <> ''
),

results as (
    select
        organisation, server, 4 as step, fits_since as begins_at, last_at as ends_at, 'result' as source,
        case
            when proven_still > 0 and went_back then 'day 0; earlier evidence belongs to an earlier clock'
            when proven_still > 0
                then 'day 0; it became later by at least ' || cast(round(proven_still / 86400.0, 1) as varchar)
                    || ' days before'
            when is_contradictory then 'day 0: no reading fits all evidence'
            else 'day 0: all evidence together'
        end as says,
        lower as earliest_at, upper as latest_at, upper_then as paused_at,
        case when has_gap_since
            then 'a gap in the logs since can hide an update and a relapse: no upper bound' else 'intersection' end as carried,
        cast(null as varchar) as lineage
    from bounds
    where server <> ''
),

dates as (
    select
        d.organisation, d.server, 5 as step, d.earliest as begins_at, cast(null as bigint) as ends_at,
            'result' as source,
        'stage ' || cast(d.stage as varchar) || ' begins: throttled '
            || coalesce(cast(s.throttle_minutes_per_hour as varchar), 'an unknown number of') || ', blocked '
            || coalesce(cast(s.block_minutes_per_hour as varchar), 'an unknown number of') || ' minutes an hour ('
            || d.basis || ')' as says,
        d.earliest as earliest_at, d.latest as latest_at, d.latest_if_paused as paused_at,
        'day 0 and ' || cast(d.day_from as varchar) || ' days; latest if paused: with every pause day of each '
            || 'calendar year' as carried,
        cast(null as varchar) as lineage
    from stage_dates as d
    inner join current_stages as s on d.stage = s.stage
    left join server_clocks as c on d.organisation = c.organisation and d.server = c.server
    where d.server <> '' and (d.stage >= c.next_stage or d.day_from = (select max(day_from) from current_stages))
)

select
    organisation, server, step, to_timestamp(begins_at) as time, to_timestamp(ends_at) as until, source, says,
    to_timestamp(earliest_at) as earliest, to_timestamp(latest_at) as latest,
        to_timestamp(paused_at) as latest_if_paused,
    carried, lineage
from (
    select * from refused
    union all
    select * from told
    union all
    select * from silent
    union all
    select * from quoted
    union all
    select * from builds
    union all
    select * from skews
    union all
    select * from pauses
    union all
    select * from tenants
    union all
    select * from results
    union all
    select * from dates
) as evidence
