-- title: What the evidence makes of each server's clock
-- answers: How enforcement stands with each server, as numbers and flags.
-- columns:
--   organisation: id of the organisation
--   server: first label in capitals
--   state: how enforcement stands with it, in words
--   basis: observed, imported or predicted; null = no date
--   evidence: observed or imported: what the latest evidence is; null = none
--   in_scope: messages accepted on paths under enforcement
--   scope_unknown: messages accepted on paths of which nothing tells the scope
--   pause_to: last day of a known pause that is under way
--   refusals: refusals in this episode
--   stage_seen: highest stage that the latest evidence proves
--   stage_earliest: lowest stage that the latest evidence leaves
--   stage_latest: highest stage that it leaves at the report date
--   stage_no_pause: stage at the report date by the upper bound, without another pause
--   lower: effective day 0 is later than this, seconds since 1970; null = no bound
--   upper: without another pause it is not later than this; null = no bound
--   detected_from: first detection is not earlier than this; null = no bound
--   detected_to: first detection is not later than this
--   proven_still: how long the clock has proven to have stood still beyond known pauses, seconds
--   fits_since: from when on one day 0 explains all evidence
--   earlier_lower: lower bound by the evidence before that
--   earlier_upper: upper bound by the evidence before that
--   lower_since: lower bound by the evidence since then
--   still_in_episode: whether the evidence before is of the same episode
--   went_back: whether a later refusal proves an earlier stage
--   is_contradictory: whether the evidence fits the table of stages under no reading
--   has_gap_since: whether the logs since the latest evidence lack a day or more
--   has_stopped: whether so much mail in scope passed since that refusals must have stopped
--   is_updated: whether an update that is not undone ended the episode
--   is_fine_but_refused: whether messages are refused although the build is accepted
--   has_older_member: whether the refused messages come from another server with an older build
--   has_relapsed: whether a build below the floor came back, and no refusal since
--   builds: accepted builds of the last time with such, joined with ,
--   accepted_from: begin of that time, seconds since 1970
--   accepted_to: end of that time
--   below_before: end of the time below the floor before it
--   below_after: begin of the time below the floor after it
--   shared: what the refused messages share
--   unknown_numbers: numbers in refusals that no stage has
--   blocks_decide: whether throttle minutes were left out because block minutes name another stage
--   error_seconds: how far corrected times may be off; null = the clock could not be measured
--   refused_servers: servers of the organisation with refusals
--   tenant_does_not_fit: whether one clock for the whole organisation is excluded
--   earlier_floor_unknown: whether an earlier floor, whose value is not public, may have been above the build
--   below_since: day from which a published floor is above the build
--   next_stage: the first stage that has not surely begun without a pause
--   next_earliest: when it begins at the earliest, seconds since 1970
--   next_latest: and at the latest without another pause
--   next_if_paused: and at the latest if paused
--   next_throttle: its throttle minutes an hour
--   next_block: its block minutes an hour
--   block_earliest: when all mail is blocked at the earliest, seconds since 1970
--   block_latest: and at the latest without another pause
--   block_if_paused: and at the latest if paused
--   last_stage: number of the stage that blocks all
--   last_day: its first day
--   first_refusing_day: first day of the first stage that refuses
--   logs_to: last row of its tracking, seconds since 1970; null = none
--   now: report date, seconds since 1970
-- materialised: small
with moments as (
    select as_of, cast(floor(epoch(as_of)) as bigint) as now from parameters
),

last_stages as (
    select
        max(stage) as stage, max(day_from) as day_from,
        min(case when throttle_minutes_per_hour > 0 or block_minutes_per_hour > 0
            then day_from end) as first_refusing_day
    from current_stages
),

ends as (
    select s.organisation, s.server, s.nth, s.builds, s.accepted_from, s.accepted_to, s.below_before, s.below_after
    from server_episodes as s
    inner join (
        select organisation, server, max(nth) as nth from server_episodes group by organisation, server
    ) as l on s.organisation = l.organisation and s.server = l.server and s.nth = l.nth
),

pauses as (
    select p.organisation, max(p.pause_to) as pause_to
    from pause_spans as p
    cross join moments as m
    where p.may_start <= m.now and m.now < p.must_last_to
    group by p.organisation
),

tenants as (
    select
        r.organisation, r.servers, r.contradicts_as_one
            and not r.contradicts_alone or t.proven_still > r.proven_still as does_not_fit
    from (
        select
            c.organisation, count(distinct case when c.server <> '' and c.refusals > 0 then c.server end) as servers,
            bool_or(c.server = '' and c.is_contradictory) as contradicts_as_one,
            bool_or(c.server <> '' and c.is_contradictory) as contradicts_alone,
            max(case when c.server <> '' then b.proven_still end) as proven_still
        from clock_runs as c
        left join clock_bounds as b on c.organisation = b.organisation and c.server = b.server
        group by c.organisation
    ) as r
    left join clock_bounds as t on r.organisation = t.organisation and t.server = ''
),

-- mail in scope that passed long after the last refusal
passed as (
    select b.organisation, b.server, sum(h.messages) as messages
    from clock_bounds as b
    inner join hand_overs as h
        on b.organisation = h.organisation and b.server = h.server and h.in_scope = 'yes'
        and epoch(h.hour) >= b.last_refusal_at + 86400
    group by b.organisation, b.server
),

-- the stages that the time since day 0 allows
present as (
    select
        b.organisation, b.server,
        max(case when s.day_from * 86400 <= b.last_at - b.upper_then then s.stage end) as stage_earliest,
        max(case when b.lower is null or s.day_from * 86400 <= b.frame - b.lower then s.stage end) as stage_latest,
        max(case when s.day_from * 86400 <= b.frame - b.upper then s.stage end) as stage_no_pause
    from clock_bounds as b
    cross join current_stages as s
    where b.server <> ''
    group by b.organisation, b.server
),

judged as (
    select
        o.*, b.basis as evidence, b.episode, b.refusals, b.first_at, b.last_at, b.last_refusal_at, b.stage_seen,
            b.lower,
        b.upper, b.detected_from, b.detected_to, b.proven_still, b.fits_since, b.earlier_lower, b.earlier_upper,
            b.lower_since, b.still_in_episode, b.went_back,
        b.is_contradictory, b.frame, coalesce(b.has_gap_since, false) as has_gap_since, coalesce(p.stage_earliest,
            b.stage_seen) as stage_earliest, p.stage_latest, p.stage_no_pause,
        e.nth, e.builds, e.accepted_from, e.accepted_to, e.below_before, e.below_after, a.pause_to, m.now, m.as_of,
        coalesce(h.messages * greatest(coalesce(c.throttle_minutes_per_hour, 0), c.block_minutes_per_hour) >= 400,
            false)
            as has_stopped,
        e.nth is not null and e.below_after is null and b.server is not null and b.episode < e.nth as is_updated,
        e.nth is not null and e.below_after is null and b.refusals > 0 and b.episode >= e.nth as is_fine_but_refused,
        coalesce(b.refusals > 0 and o.accepted in ('accepted', 'floor not public') and w.is_older_server,
            false) as has_older_member, w.shared,
        e.nth is not null and e.below_after is not null and b.server is not null and b.episode < e.nth as has_relapsed
    from server_outlooks as o
    cross join moments as m
    left join clock_bounds as b on o.organisation = b.organisation and o.server = b.server
    left join present as p on o.organisation = p.organisation and o.server = p.server
    left join ends as e on o.organisation = e.organisation and o.server = e.server
    left join pauses as a on o.organisation = a.organisation
    left join passed as h on o.organisation = h.organisation and o.server = h.server
    left join current_stages as c on b.stage_seen = c.stage
    left join refusal_paths as w on o.organisation = w.organisation and o.server = w.server
),

-- the first stage that has not surely begun without a pause
nexts as (
    select d.organisation, d.server, min(d.stage) as stage
    from stage_dates as d
    inner join judged as j on d.organisation = j.organisation and d.server = j.server
    where d.stage > coalesce(j.stage_seen, 1) and (d.latest is null or d.latest > j.now)
    group by d.organisation, d.server
),

-- without evidence: the highest stage that can have begun
reached as (
    select d.organisation, d.server, max(d.stage) as stage
    from stage_dates as d
    cross join moments as m
    where d.basis = 'predicted' and d.earliest <= m.now
    group by d.organisation, d.server
),

dated as (
    select
        j.*, coalesce(r.stage, 1) as stage_reached, d.basis, n.stage as next_stage, x.earliest as next_earliest, x.latest as next_latest,
        x.latest_if_paused as next_if_paused, d.earliest as block_earliest, d.latest as block_latest,
        d.latest_if_paused as block_if_paused, s.throttle_minutes_per_hour as next_throttle,
            s.block_minutes_per_hour as next_block,
        s.day_from as next_day, l.stage as last_stage, l.day_from as last_day, l.first_refusing_day
    from judged as j
    cross join last_stages as l
    left join nexts as n on j.organisation = n.organisation and j.server = n.server
    left join stage_dates as x on n.organisation = x.organisation and n.server = x.server and n.stage = x.stage
    left join stage_dates as d on j.organisation = d.organisation and j.server = d.server and d.stage = l.stage
    left join current_stages as s on n.stage = s.stage
    left join reached as r on j.organisation = r.organisation and j.server = r.server
),

numbers as (
    select
        organisation, server,
        string_agg(distinct action || ' ' || cast(minutes_per_hour as varchar), ', ' order by action || ' '
            || cast(minutes_per_hour as varchar))
            as unknown_numbers
    from clock_pieces
    where stage_from is null
    group by organisation, server
),

decided as (
    select organisation, server, bool_or(blocks_decide) as blocks_decide
    from clock_runs
    group by organisation, server
),

stated as (
    select
        d.*, u.unknown_numbers, coalesce(b.blocks_decide, false) as blocks_decide, k.error_seconds,
            t.servers as refused_servers,
        coalesce(t.does_not_fit, false) as tenant_does_not_fit,
        case
            when d.pause_to is not null and (d.basis is not null) then 'paused until ' || cast(d.pause_to as varchar)
            when d.has_relapsed then 'fell back to a build below the floor'
            when d.is_updated then 'updated: no enforcement expected'
            when d.is_fine_but_refused or d.has_older_member then 'one message path stamps an old build'
            when d.evidence = 'observed' and d.has_stopped then 'refusals have stopped'
            when d.evidence = 'observed' and d.stage_seen >= d.last_stage then 'fully blocked'
            when d.evidence = 'observed' and c.block_minutes_per_hour > 0 then 'partly blocked'
            when d.evidence = 'observed' and d.stage_seen is null then 'refused, at a stage that no known table has'
            when d.evidence = 'observed' then 'throttled'
            when d.evidence = 'imported' then 'detected: no refusal in these logs'
            when d.in_scope = 0 and d.scope_unknown > 0 then 'not visible here'
            when d.in_scope = 0 then coalesce(m.state, 'not visible here')
            when d.basis = 'predicted' then 'predicted'
            when d.accepted = 'accepted' and d.accepted_after_next_raise = 'no' then 'accepted today, refused after '
                || 'the next raise'
            when d.accepted = 'accepted' then 'accepted today'
            else d.accepted
        end as state
    from dated as d
    left join current_stages as c on d.stage_seen = c.stage
    left join numbers as u on d.organisation = u.organisation and d.server = u.server
    left join decided as b on d.organisation = b.organisation and d.server = b.server
    left join clock_skews as k on d.organisation = k.organisation and d.server = k.server
    left join tenants as t on d.organisation = t.organisation
    -- what silence means depends on the logs that are there
    left join mail_states as m on d.organisation = m.organisation and d.server = m.server
)

select
    organisation, server, state, basis, evidence, in_scope, scope_unknown, pause_to, refusals, stage_seen, stage_earliest,
    case when basis = 'predicted' then stage_reached else stage_latest end as stage_latest,
    stage_no_pause, lower, upper, detected_from, detected_to, proven_still, fits_since, earlier_lower, earlier_upper, lower_since, still_in_episode, went_back, is_contradictory, has_gap_since, has_stopped,
    is_updated, is_fine_but_refused, has_older_member, has_relapsed, builds, accepted_from, accepted_to,
    below_before, below_after, shared, unknown_numbers, blocks_decide, error_seconds, refused_servers,
    tenant_does_not_fit, earlier_floor_unknown, below_since, next_stage, next_earliest, next_latest, next_if_paused,
    next_throttle, next_block, block_earliest, block_latest, block_if_paused, last_stage, last_day,
    first_refusing_day, cast(floor(epoch(last_log)) as bigint) as logs_to, now
from stated
