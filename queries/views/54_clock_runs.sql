-- title: Bounds on day 0, in the order of time
-- answers: Between which moments day 0 lay at each time that gives evidence.
-- columns:
--   organisation: id of the organisation
--   server: server whose clock it is; empty text = one clock for the whole organisation, as a hypothesis
--   episode: accepted builds before it (0 = the first episode)
--   basis: refusals, first detection or imported report
--   first_at: first moment of the evidence, seconds since 1970
--   last_at: last moment of the evidence, seconds since 1970
--   refusals: refusals in it
--   stage_seen: highest stage that a refusal in it proves; null = none
--   lower: day 0 as it stood then is later than this, seconds since 1970; null = no bound
--   upper: day 0 as it stood then is not later than this, seconds since 1970; null = no bound
--   lower_now: the same with all known pauses since, at the least
--   upper_now: the same with all known pauses since, at the most, and no other
--   is_contradictory: whether the refusals in it contradict each other by the table of stages
--   blocks_decide: whether its throttle minutes fit no stage of its block minutes, so that these alone decide
--   frame: moment up to which known pauses are counted, seconds since 1970
-- materialised: small, and asked for by many views
with moments as (
    select cast(floor(epoch(as_of)) as bigint) as as_of from parameters
),

-- in a known pause all is reckoned from its end
frames as (
    select s.organisation, max(coalesce(greatest(m.as_of, p.may_last_to), m.as_of)) as frame, min(m.as_of) as as_of
    from (
        select organisation from clock_pieces
        union
        select organisation from known_first_detections
        union
        select organisation from imported_reports
    ) as s
    cross join moments as m
    left join pause_spans as p on s.organisation = p.organisation and p.may_start <= m.as_of and m.as_of < p.may_last_to
    group by s.organisation
),

by_action as (
    select
        organisation, server, episode, run, min(first_at) as first_at, max(last_at) as last_at,
            sum(refusals) as refusals,
        max(stage_from) as stage_seen, max(lower) as lower, min(upper) as upper,
        max(case when action = 'block' then lower end) as block_lower,
        min(case when action = 'block' then upper end) as block_upper,
        max(case when action = 'block' then stage_from end) as block_stage
    from clock_pieces
    group by organisation, server, episode, run
),

observed as (
    select
        *, coalesce(lower >= upper, false) as is_empty,
        coalesce(lower >= upper and coalesce(block_lower < block_upper, block_upper is not null),
            false) as blocks_decide
    from by_action
),

told as (
    select
        organisation, upper(split_part(server, '.', 1)) as server, 'first detection' as basis,
        cast(floor(epoch(first_detected)) as bigint) as first_at,
        cast(floor(epoch(first_detected)) as bigint) as day_0, cast(null as integer) as stage_seen
    from known_first_detections
    union
    select
        organisation, server, 'first detection' as basis, cast(floor(epoch(first_detected)) as bigint) as first_at,
        cast(floor(epoch(first_detected)) as bigint) as day_0, cast(null as integer) as stage_seen
    from imported_reports
    where first_detected is not null and coalesce(date_reading, '') not like 'ambiguous%'
    union
    select
        i.organisation, i.server, 'imported report' as basis, cast(floor(epoch(i.as_of)) as bigint) as first_at,
        cast(floor(epoch(i.next_stage_start)) as bigint) - s.day_from * 86400 as day_0, s.stage - 1 as stage_seen
    from imported_reports as i
    inner join current_stages as s
        on (i.next_stage_throttle = s.throttle_minutes_per_hour or s.throttle_minutes_per_hour is null)
        and (i.next_stage_block = s.block_minutes_per_hour or s.block_minutes_per_hour is null)
        and s.stage > 1
    where i.next_stage_start is not null and coalesce(i.date_reading, '') not like 'ambiguous%'
),

upgrades as (
    select organisation, server, accepted_from + case when below_before is null then 0 else 86400 end as ended_at
    from server_episodes
),

told_episodes as (
    select t.organisation, t.server, t.basis, t.first_at, t.day_0, t.stage_seen, count(u.server) as episode
    from told as t
    left join upgrades as u on t.organisation = u.organisation and t.server = u.server and u.ended_at <= t.first_at
    group by t.organisation, t.server, t.basis, t.first_at, t.day_0, t.stage_seen
),

together as (
    select
        organisation, server, episode, 'refusals' as basis, first_at, last_at, cast(refusals as bigint) as refusals,
        case when blocks_decide then block_stage else stage_seen end as stage_seen,
        case when blocks_decide then block_lower else lower end as lower,
        case when blocks_decide then block_upper else upper end as upper,
        is_empty and not blocks_decide as is_contradictory, blocks_decide
    from observed
    union all
    select
        organisation, server, episode, basis, first_at, first_at as last_at, 0 as refusals, stage_seen, day_0 as lower,
        day_0 as upper, false as is_contradictory, false as blocks_decide
    from told_episodes
),

-- A refusal is not in a pause: one that may lie on both sides of it lies wholly after it or wholly before.
-- What Microsoft's report says of the next stage counts the pauses that had begun.
shifts as (
    select
        t.organisation, t.server, t.basis, t.first_at, t.last_at, t.lower,
        sum(
            case
                when t.last_at <= p.may_start then p.length
                when t.basis = 'refusals' and t.last_at < p.may_start + p.length then p.length
                when t.basis <> 'first detection' then 0
                else greatest(0, p.must_last_to - greatest(t.last_at, p.must_start))
            end
        ) as at_least,
        sum(
            case
                when t.basis <> 'first detection' then case when t.first_at <= p.must_start then p.length else 0 end
                else least(p.length, greatest(0, p.may_last_to - greatest(t.first_at, p.may_start)))
            end
        ) as at_most
    from together as t
    inner join frames as f on t.organisation = f.organisation
    inner join pause_spans as p on t.organisation = p.organisation and p.may_start <= f.as_of
    group by t.organisation, t.server, t.basis, t.first_at, t.last_at, t.lower
)

select
    t.organisation, t.server, t.episode, t.basis, t.first_at, t.last_at, t.refusals, t.stage_seen, t.lower, t.upper,
    t.lower + cast(coalesce(s.at_least, 0) as bigint) as lower_now, t.upper + cast(coalesce(s.at_most,
        0) as bigint) as upper_now, t.is_contradictory,
    t.blocks_decide, f.frame
from together as t
inner join frames as f on t.organisation = f.organisation
left join shifts as s
    on t.organisation = s.organisation and t.server = s.server and t.basis = s.basis and t.first_at = s.first_at
    and t.last_at = s.last_at and t.lower is not distinct from s.lower
where t.first_at <= f.as_of
