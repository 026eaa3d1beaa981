-- title: When each server enters each stage
-- answers: Between which moments each stage begins, without a pause and if the clock stands still.
-- columns:
--   organisation: id of the organisation
--   server: first label in capitals; empty text = one clock for the whole organisation, as a hypothesis
--   basis: observed, imported or predicted
--   stage: stage of the table
--   day_from: its first day
--   earliest: it does not begin earlier, whether or not there are pauses; seconds since 1970; null = no bound
--   latest: without another pause it begins by then; null = no bound
--   latest_if_paused: it begins by then even if every pause day that a tenant may have is used; null = no bound
-- materialised: small
with episodes as (
    select organisation, server, max(nth) as nth
    from server_episodes
    group by organisation, server
),

ends as (
    select
        e.organisation, e.server, e.nth, s.accepted_from, s.accepted_to, s.below_after
    from episodes as e
    inner join server_episodes as s on e.organisation = s.organisation and e.server = s.server and e.nth = s.nth
),

bounds as (
    select
        b.organisation, b.server, b.basis, b.lower,
        case when e.below_after is null or b.episode >= e.nth then b.upper end as upper,
        case when (e.below_after is null or b.episode >= e.nth) and not b.has_gap_since
            then b.upper_then end as upper_then,
        b.last_at, b.quota_years, b.frame, b.stage_seen
    from clock_bounds as b
    left join ends as e on b.organisation = e.organisation and b.server = e.server
    -- an update that is not undone ended the episode
    where e.nth is null or b.episode >= e.nth or e.below_after is not null
    union all
    select
        o.organisation, o.server, 'predicted' as basis,
        greatest(
            cast(floor(epoch(o.below_since)) as bigint),
            case when o.days_without >= 30 then cast(floor(epoch(o.first_hand_over)) as bigint) end
        ) as lower,
        null as upper, null as upper_then, cast(floor(epoch(p.as_of)) as bigint) as last_at, 1 as quota_years,
        cast(floor(epoch(p.as_of)) as bigint) as frame, null as stage_seen
    from server_outlooks as o
    cross join parameters as p
    left join clock_bounds as b on o.organisation = b.organisation and o.server = b.server
    where b.server is null and o.in_scope > 0 and o.below_since is not null
        and o.accepted in ('below the floor', 'no build is accepted')
),

entries as (
    select
        b.*, s.stage, s.day_from, b.upper + s.day_from * 86400 as upper_entry,
        b.upper_then + s.day_from * 86400 as upper_then_entry
    from bounds as b
    cross join current_stages as s
    where s.stage > 1
),

pauses as (
    select *, row_number() over (partition by organisation order by may_start) as nth from pause_spans
),

-- Earliest: each lower bound, and after it the known pauses that surely begin before the stage does, one after the other.
after_runs as (
    select
        r.organisation, r.server, r.first_at, r.basis, max(r.lower) as lower,
        coalesce(min(p.nth), 0) as next_pause
    from clock_runs as r
    inner join clock_bounds as b on r.organisation = b.organisation and r.server = b.server and not b.is_contradictory
    left join pauses as p
        on r.organisation = p.organisation
        and (r.last_at <= p.may_start or (r.basis = 'refusals' and r.last_at < p.may_start + p.length))
    where not r.is_contradictory and r.lower is not null
    group by r.organisation, r.server, r.first_at, r.basis
    union all
    select b.organisation, b.server, b.last_at as first_at, 'first detection' as basis, b.lower, 0 as next_pause
    from bounds as b
    left join clock_bounds as c on b.organisation = c.organisation and b.server = c.server
    where c.server is null or c.is_contradictory
),

-- A stage that may have begun before these refusals can have begun before a pause that made day 0 later: of such a
-- bound only what all pause days leave counts.
run_entries as (
    select
        e.organisation, e.server, e.stage, r.lower + e.day_from * 86400 as lower_entry, r.next_pause,
        r.basis = 'refusals' and r.lower + e.day_from * 86400 < r.first_at - 1800 as may_be_over,
        epoch(make_date(cast(year(to_timestamp(r.first_at - 50400)) as integer), 1, 1)) + 50400 as year_from
    from entries as e
    inner join after_runs as r on e.organisation = r.organisation and e.server = r.server
),

lower_entries as (
    select
        r.organisation, r.server, r.stage, case when r.may_be_over then 0 else r.next_pause end as next_pause,
        max(
            case
                when not r.may_be_over then r.lower_entry
                when r.lower_entry - q.days * 86400 >= r.year_from then r.lower_entry - q.days * 86400
                else r.lower_entry - 2 * q.days * 86400
            end
        ) as lower_entry
    from run_entries as r
    cross join (select max(days_per_calendar_year) as days from ref_pause_quotas) as q
    group by r.organisation, r.server, r.stage, case when r.may_be_over then 0 else r.next_pause end
),

lower_met as (
    select
        l.organisation, l.server, l.stage, l.next_pause, l.lower_entry, p.length, p.nth, p.must_start,
        coalesce(
            sum(p.length) over (
                partition by l.organisation, l.server, l.stage, l.next_pause order by p.nth
                rows between unbounded preceding and 1 preceding
            ),
            0
        ) as moved_before
    from lower_entries as l
    left join pauses as p on l.organisation = p.organisation and p.nth >= l.next_pause and l.next_pause > 0
),

lower_moved as (
    select
        *,
        bool_and(coalesce(lower_entry + moved_before > must_start, false)) over (
            partition by organisation, server, stage, next_pause order by nth
            rows between unbounded preceding and current row
        ) as is_met
    from lower_met
),

earliest_entries as (
    select organisation, server, stage, max(entry) as entry
    from (
        select
            organisation, server, stage, next_pause,
            min(lower_entry) + sum(case when is_met then length else 0 end) as entry
        from lower_moved
        group by organisation, server, stage, next_pause
    ) as by_bound
    group by organisation, server, stage
),

-- Latest: known pauses still to come move an entry if they may begin before it.
coming as (
    select
        e.organisation, e.server, e.stage, p.may_start, e.upper_entry,
        least(p.length, greatest(0, p.may_last_to - greatest(e.frame, p.may_start))) as at_most
    from entries as e
    inner join pause_spans as p on e.organisation = p.organisation and p.may_last_to > e.frame
),

summed as (
    select
        *,
        coalesce(
            sum(at_most) over (
                partition by organisation, server, stage order by may_start rows between unbounded preceding
                    and 1 preceding
            ),
            0
        ) as moved_before
    from coming
),

met as (
    select
        *,
        bool_and(coalesce(upper_entry + moved_before > may_start, false)) over (
            partition by organisation, server, stage order by may_start rows between unbounded preceding and current row
        ) as is_met
    from summed
),

moved as (
    select organisation, server, stage, sum(case when is_met then at_most else 0 end) as at_most
    from met
    group by organisation, server, stage
),

years as (
    select 0 as later union all select 1 as later union all select 2 as later union all select 3 as later
),

-- each calendar year that an entry can reach adds that year's pause days
quotas as (
    select
        e.organisation, e.server, e.stage,
        max(
            case
                when y.later = 0
                    or e.upper_then_entry + (y.later + e.quota_years) * q.days_per_calendar_year * 86400 + 50400
                        >= epoch(make_date(cast(year(to_timestamp(e.last_at - 50400)) + y.later as integer), 1, 1))
                    then e.upper_then_entry + (y.later + e.quota_years) * q.days_per_calendar_year * 86400
            end
        ) as latest
    from entries as e
    cross join years as y
    cross join ref_pause_quotas as q
    group by e.organisation, e.server, e.stage
),

-- Microsoft's date of the first block does not move with a pause; if the table is not ten days a step, it holds
reported as (
    select
        i.organisation, i.server, min(cast(floor(epoch(i.blocking_enabled)) as bigint)) as blocking_at,
        min(s.day_from) as block_day
    from imported_reports as i
    cross join (select min(day_from) as day_from from current_stages where block_minutes_per_hour > 0) as s
    where i.blocking_enabled is not null and coalesce(i.date_reading, '') not like 'ambiguous%'
    group by i.organisation, i.server
),

dated as (
    select
        e.organisation, e.server, e.basis, e.stage, e.day_from, e.last_at, e.upper_entry + coalesce(m.at_most,
            0) as latest,
        q.latest as latest_if_paused, f.entry, r.blocking_at + (e.day_from - r.block_day) * 86400 as reported_entry,
        -- a stage that a refusal names has begun
        coalesce(e.stage_seen >= e.stage, false) as has_begun
    from entries as e
    left join earliest_entries as f on e.organisation = f.organisation and e.server = f.server and e.stage = f.stage
    left join moved as m on e.organisation = m.organisation and e.server = m.server and e.stage = m.stage
    inner join quotas as q on e.organisation = q.organisation and e.server = q.server and e.stage = q.stage
    left join reported as r on e.organisation = r.organisation and e.server = r.server and e.day_from >= r.block_day
)

select
    organisation, server, basis, stage, day_from,
    cast(case when reported_entry < entry then reported_entry else entry end as bigint) as earliest,
    cast(case when latest is null then null when has_begun and last_at < latest
        then last_at else latest end as bigint) as latest,
    cast(
        case
            when latest_if_paused is null then null
            when has_begun then least(last_at, latest_if_paused)
            when latest > latest_if_paused then latest
            else latest_if_paused
        end as bigint
    ) as latest_if_paused
from dated
