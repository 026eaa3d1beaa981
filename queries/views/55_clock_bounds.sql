-- title: Day 0 of each server, all evidence together
-- answers: Between which moments day 0 lies, without a pause and if the clock stood still.
-- columns:
--   organisation: id of the organisation
--   server: server whose clock it is; empty text = one clock for the whole organisation, as a hypothesis
--   episode: episode of the latest evidence
--   basis: observed, or imported where no refusal is known in this episode
--   refusals: refusals in this episode
--   first_at: first evidence of this episode, seconds since 1970
--   last_at: latest evidence, seconds since 1970
--   last_refusal_at: latest refusal, seconds since 1970
--   stage_seen: highest stage that the latest evidence proves
--   lower: effective day 0 is later than this, whether or not there were pauses; seconds since 1970; null = no bound
--   upper: without another pause it is not later than this; null = no bound
--   lower_then: day 0 as it stood at last_at is later than this, by the evidence of this stretch alone; null = no bound
--   upper_then: day 0 as it stood at last_at is not later than this, whether or not there were pauses before
--   detected_from: first detection is not earlier than this; null = no bound
--   detected_to: first detection is not later than this
--   proven_still: how long the clock has proven to have stood still beyond known pauses, seconds; 0 = not proven
--   fits_since: from when on one day 0 without another pause explains all evidence, seconds since 1970
--   earlier_lower: day 0 by the evidence before that which one day 0 explains is later than this; null = no such evidence
--   earlier_upper: and not later than this
--   lower_since: day 0 by the evidence that one day 0 explains is later than this
--   still_in_episode: whether that earlier evidence is of the same episode
--   went_back: whether a later refusal proves an earlier stage than no pause could explain
--   is_contradictory: whether the evidence fits the table of stages under no reading
--   quota_years: calendar years whose pauses may have been running at last_at and after, at the least
--   has_gap_since: whether the server's tracking lacks a day or more since, in which an update and a relapse could hide
--   frame: moment up to which known pauses are counted, seconds since 1970
-- materialised: small, and asked for by many views
with ordered as (
    select
        *,
        max(episode) over (partition by organisation, server) as latest_episode,
        row_number() over (partition by organisation, server order by first_at, last_at, basis) as nth,
        lag(last_at) over (partition by organisation, server, episode order by first_at, last_at, basis) as before
    from clock_runs
    where not is_contradictory
),

report_only as (
    select min(day_from) * 86400 as length from current_stages where throttle_minutes_per_hour > 0 or block_minutes_per_hour > 0
),

-- In a gap shorter than stage 1 a clock cannot have begun anew and refuse again: only there an upper bound is
-- carried on, later by the whole gap.
stretches as (
    select
        o.*, greatest(0, o.first_at - o.before) as gap,
        sum(case when o.before is null or o.first_at - o.before >= r.length then 1 else 0 end) over (
            partition by o.organisation, o.server, o.episode order by o.nth
            rows between unbounded preceding and current row
        ) as stretch
    from ordered as o
    cross join report_only as r
),

summed as (
    select
        *,
        sum(coalesce(gap, 0)) over (
            partition by organisation, server, episode order by nth rows between unbounded preceding and current row
        ) as passed
    from stretches
),

carried as (
    select
        *,
        passed + min(upper - passed) over (
            partition by organisation, server, episode, stretch order by nth
            rows between unbounded preceding and current row
        ) as upper_carried,
        min(upper) over (partition by organisation, server, episode, stretch) as stretch_upper,
        max(lower - passed) over (partition by organisation, server, episode, stretch)
            + min(passed) over (partition by organisation, server, episode, stretch) as stretch_lower,
        min(first_at) over (partition by organisation, server, episode, stretch) as stretch_from,
        max(lower) over (partition by organisation, server, episode, stretch) as lower_then,
        max(lower_now) over (partition by organisation, server, episode
            order by nth desc rows between unbounded preceding and current row)
            as lower_since,
        min(upper_now) over (partition by organisation, server, episode
            order by nth desc rows between unbounded preceding and current row)
            as upper_since,
        max(lower_now) over (
            partition by organisation, server order by nth rows between unbounded preceding and current row
        ) as lower_until,
        row_number() over (partition by organisation, server order by nth desc) as from_end
    from summed
),

-- the longest row of evidence, counted from the end, that one day 0 without a pause explains
fitting as (
    select organisation, server, min(nth) as fits_from
    from carried
    where episode = latest_episode and coalesce(lower_since <= upper_since, true)
    group by organisation, server
),

fitted as (
    select f.organisation, f.server, f.fits_from, c.lower_since, c.upper_since, c.first_at as fits_since
    from fitting as f
    inner join carried as c on f.organisation = c.organisation and f.server = c.server and f.fits_from = c.nth
),

-- what came before it: by how much day 0 must have become later since
earlier as (
    select
        f.organisation, f.server, max(c.lower_now) as lower_before, min(c.upper_now) as upper_before,
            max(c.last_at) as last_before,
        bool_or(c.episode = c.latest_episode) as in_this_episode
    from fitted as f
    inner join carried as c on f.organisation = c.organisation and f.server = c.server and c.nth < f.fits_from
    group by f.organisation, f.server
),

totals as (
    select
        organisation, server, sum(case when episode = latest_episode then refusals else 0 end) as refusals,
        min(case when episode = latest_episode then first_at end) as first_at,
        max(case when basis = 'refusals' then last_at end) as last_refusal_at,
        max(case when basis = 'first detection' and episode = latest_episode then upper end) as told_detection,
        bool_or(basis = 'refusals' and episode = latest_episode) as is_observed
    from carried
    group by organisation, server
),

-- refusals that no one clock explains: the most advanced of them counts
contradictory as (
    select
        r.organisation, r.server, max(r.episode) as episode, sum(r.refusals) as refusals, min(r.first_at) as first_at,
        max(r.last_at) as last_at, max(r.stage_seen) as stage_seen, max(r.frame) as frame, min(p.lower) as lower
    from clock_runs as r
    inner join clock_pieces as p
        on r.organisation = p.organisation and r.server = p.server and r.episode = p.episode
        and p.first_at >= r.first_at and p.last_at <= r.last_at
    where r.is_contradictory
    group by r.organisation, r.server
),

latest as (
    select
        c.*, f.fits_since, f.lower_since as lower_fit, f.upper_since as upper_fit, e.lower_before, e.upper_before,
            e.last_before,
        e.in_this_episode, t.refusals as refusals_in_all, t.first_at as begins_at, t.last_refusal_at, t.told_detection,
        t.is_observed,
        case when coalesce(c.upper_carried <= c.lower, false) then c.upper else c.upper_carried end as upper_then,
        coalesce(
            c.lower_until > c.upper_now + c.frame - c.last_at and c.lower_until > c.lower_now, false
        ) as is_too_early
    from carried as c
    inner join fitted as f on c.organisation = f.organisation and c.server = f.server
    inner join totals as t on c.organisation = t.organisation and c.server = t.server
    left join earlier as e on c.organisation = e.organisation and c.server = e.server
    where c.from_end = 1
),

-- pauses are granted by calendar year and may run on into the next: the earliest detection that they allow
detections as (
    select
        l.organisation, l.server,
        min(
            case
                when l.stretch_lower is null then null
                when n.years = 0
                    or l.stretch_lower - (n.years + 2) * q.days_per_calendar_year * 86400
                        < epoch(make_date(cast(year(to_timestamp(l.stretch_from)) - n.years + 1 as integer), 1,
                            1)) + 50400
                    then greatest(
                        l.stretch_lower - (n.years + 2) * q.days_per_calendar_year * 86400,
                        epoch(make_date(cast(year(to_timestamp(l.stretch_from)) - n.years as integer), 1, 1)) - 50400
                    )
            end
        ) as detected_from
    from latest as l
    cross join ref_pause_quotas as q
    cross join (select 0 as years union all select 1 as years union all select 2 as years) as n
    group by l.organisation, l.server
),

-- hours of the server after its latest evidence: a gap of a day can hide an update and a relapse
after_evidence as (
    select b.organisation, b.server, b.last_at, cast(floor(epoch(t.hour)) as bigint) as hour, true as is_tracked
    from latest as b
    inner join tracking_hours as t on b.organisation = t.organisation and b.server = t.server
    where epoch(t.last_time) > b.last_at
    union
    select b.organisation, b.server, b.last_at, cast(floor(epoch(h.hour)) as bigint) as hour, false as is_tracked
    from latest as b
    inner join hand_overs as h on b.organisation = h.organisation and b.server = h.server
    where epoch(h.hour) > b.last_at
),

gaps as (
    select
        organisation, server, hour,
        greatest(
            last_at,
            coalesce(
                max(case when is_tracked then hour + 3600 end) over (
                    partition by organisation, server order by hour rows between unbounded preceding and 1 preceding
                ),
                last_at
            )
        ) as known_to
    from after_evidence
),

hidden as (
    select distinct organisation, server from gaps where hour - known_to >= 86400
)

select
    l.organisation, l.server, l.episode, case when l.is_observed then 'observed' else 'imported' end as basis,
    cast(l.refusals_in_all as bigint) as refusals, l.begins_at as first_at, l.last_at, l.last_refusal_at, l.stage_seen,
    case when l.is_too_early then l.lower_now else l.lower_until end as lower,
    case when not l.is_too_early then l.upper_fit end as upper, l.lower_then,
    case when not l.is_too_early then cast(l.upper_then as bigint) end as upper_then,
    coalesce(l.told_detection, cast(floor(d.detected_from) as bigint)) as detected_from,
    coalesce(l.told_detection, l.stretch_upper) as detected_to,
    coalesce(greatest(0, l.lower_fit - l.upper_before), 0) as proven_still,
    l.fits_since, l.lower_before as earlier_lower, l.upper_before as earlier_upper, l.lower_fit as lower_since,
    coalesce(l.in_this_episode, false) as still_in_episode,
    coalesce(l.lower_fit - l.upper_before > l.fits_since - l.last_before, false) as went_back,
    l.is_too_early as is_contradictory,
    case when l.basis = 'refusals' then 1 else 2 end as quota_years, h.server is not null as has_gap_since, l.frame
from latest as l
left join detections as d on l.organisation = d.organisation and l.server = d.server
left join hidden as h on l.organisation = h.organisation and l.server = h.server
left join contradictory as x on l.organisation = x.organisation and l.server = x.server and x.last_at >= l.last_at
where x.server is null
union all
select
    x.organisation, x.server, x.episode, 'observed' as basis, cast(x.refusals as bigint) as refusals, x.first_at,
        x.last_at,
    x.last_at as last_refusal_at, x.stage_seen, x.lower, null as upper, x.lower as lower_then, null as upper_then,
        null as detected_from,
    null as detected_to, 0 as proven_still, null as fits_since, null as earlier_lower,
    null as earlier_upper, null as lower_since, false as still_in_episode, false as went_back,
        true as is_contradictory, 1 as quota_years,
    false as has_gap_since, x.frame
from contradictory as x
left join latest as l on x.organisation = l.organisation and x.server = l.server and x.last_at < l.last_at
where l.server is null
