-- title: How far each server is, and when the next stage and the full block come
-- answers: At which stage of enforcement each server is, when the next stage begins and when everything is blocked.
-- columns:
--   organisation: id of the organisation
--   server: first label in capitals
--   state: in words, such as throttled, partly blocked, paused until 2026-12-01, refusals have stopped, predicted or not connecting
--   stage: present stage where it is known, 1 to 8
--   stage_earliest: lowest stage that it can be in at the report date
--   stage_latest: highest stage that it can be in at the report date
--   first_detected_earliest: first detection (day 0) is not earlier, pauses allowed for, UTC; null = no bound
--   first_detected_latest: first detection is not later, UTC; null = no bound
--   next_stage: next stage
--   next_stage_earliest: it does not begin earlier, with or without pauses, UTC; null = no bound
--   next_stage_latest: without another pause it begins by then, UTC; null = no upper bound
--   next_stage_latest_if_paused: it begins by then even if all pause days of the tenant are used, UTC; null = no upper bound
--   full_block_earliest: all mail is not blocked earlier, with or without pauses, UTC; null = no bound
--   full_block_latest: without another pause all mail is blocked by then, UTC; null = no upper bound
--   full_block_latest_if_paused: all mail is blocked by then even if all pause days are used, UTC; null = no upper bound
--   basis: observed (refusals), imported (report or stated first detection), predicted (build and floor); null = no date
--   confidence: how sure the dates are, in words
--   readings: which readings of the evidence fit, and what each implies
--   next_action: what to do
--   act_by: day by which it should be done; from the earliest date
--   day_0_earliest: effective day 0 (first detection and all time the clock stood still) is later, UTC; null = no bound
--   day_0_latest: without another pause it is not later, UTC; null = no bound
--   next_stage_throttle_rate: minutes an hour of temporary refusals in the next stage; null = none or not public
--   next_stage_block_rate: minutes an hour of permanent refusals in the next stage; null = none
--   days_to_next_stage: whole days from the report date to next_stage_earliest; 0 = it can be there
--   days_to_full_block: whole days from the report date to full_block_earliest; 0 = it can be there
-- materialised: small
with moments as (
    select as_of, cast(floor(epoch(as_of)) as bigint) as now from parameters
),

last_stages as (
    select
        max(stage) as stage, max(day_from) as day_from,
        min(case when throttle_minutes_per_hour > 0 or block_minutes_per_hour > 0 then day_from end) as first_refusing_day
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
        r.organisation, r.servers, r.contradicts_as_one and not r.contradicts_alone or t.proven_still > r.proven_still as does_not_fit
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
        o.*, b.basis as evidence, b.episode, b.refusals, b.first_at, b.last_at, b.last_refusal_at, b.stage_seen, b.lower,
        b.upper, b.detected_from, b.detected_to, b.proven_still, b.fits_since, b.earlier_lower, b.earlier_upper, b.lower_since, b.still_in_episode, b.went_back,
        b.is_contradictory, b.frame, coalesce(b.has_gap_since, false) as has_gap_since, coalesce(p.stage_earliest, b.stage_seen) as stage_earliest, p.stage_latest, p.stage_no_pause,
        e.nth, e.builds, e.accepted_from, e.accepted_to, e.below_before, e.below_after, a.pause_to, m.now, m.as_of,
        coalesce(h.messages * greatest(coalesce(c.throttle_minutes_per_hour, 0), c.block_minutes_per_hour) >= 400, false)
            as has_stopped,
        e.nth is not null and e.below_after is null and b.server is not null and b.episode < e.nth as is_updated,
        e.nth is not null and e.below_after is null and b.refusals > 0 and b.episode >= e.nth as is_fine_but_refused,
        coalesce(b.refusals > 0 and o.accepted in ('accepted', 'floor not public') and w.is_older_server, false) as has_older_member, w.shared,
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

dated as (
    select
        j.*, d.basis, n.stage as next_stage, x.earliest as next_earliest, x.latest as next_latest,
        x.latest_if_paused as next_if_paused, d.earliest as block_earliest, d.latest as block_latest,
        d.latest_if_paused as block_if_paused, s.throttle_minutes_per_hour as next_throttle, s.block_minutes_per_hour as next_block,
        s.day_from as next_day, l.stage as last_stage, l.day_from as last_day, l.first_refusing_day
    from judged as j
    cross join last_stages as l
    left join nexts as n on j.organisation = n.organisation and j.server = n.server
    left join stage_dates as x on n.organisation = x.organisation and n.server = x.server and n.stage = x.stage
    left join stage_dates as d on j.organisation = d.organisation and j.server = d.server and d.stage = l.stage
    left join current_stages as s on n.stage = s.stage
),

numbers as (
    select
        organisation, server,
        string_agg(distinct action || ' ' || cast(minutes_per_hour as varchar), ', ' order by action || ' ' || cast(minutes_per_hour as varchar))
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
        d.*, u.unknown_numbers, coalesce(b.blocks_decide, false) as blocks_decide, k.error_seconds, t.servers as refused_servers,
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
            when d.in_scope = 0 then 'not connecting'
            when d.basis = 'predicted' then 'predicted'
            when d.accepted = 'accepted' and d.accepted_after_next_raise = 'no' then 'accepted today, refused after the next raise'
            when d.accepted = 'accepted' then 'accepted today'
            else d.accepted
        end as state
    from dated as d
    left join current_stages as c on d.stage_seen = c.stage
    left join numbers as u on d.organisation = u.organisation and d.server = u.server
    left join decided as b on d.organisation = b.organisation and d.server = b.server
    left join clock_skews as k on d.organisation = k.organisation and d.server = k.server
    left join tenants as t on d.organisation = t.organisation
),

-- which readings of a relapse the refusals after it allow
relapses as (
    select
        organisation, server,
        concat_ws(
            ', ',
            case when proven_still = 0 and coalesce(earlier_lower < upper, true) then 'it was never cleared' end,
            case
                when coalesce(lower_since < earlier_upper + below_after - below_before, true)
                    and coalesce(upper > earlier_lower + accepted_to - accepted_from, true) and not went_back
                    then 'it was resumed where it stopped'
            end,
            case when coalesce(upper > accepted_to, true) then 'it began anew' end
        ) as fitting
    from stated
    where earlier_upper is not null and not still_in_episode and below_after is not null and not has_relapsed
)

select
    d.organisation, d.server, d.state,
    cast(
        case
            when d.basis is null or d.basis = 'predicted' or d.has_relapsed then null
            when d.stage_earliest = d.stage_latest then d.stage_latest
            when d.stage_no_pause = d.stage_latest then d.stage_latest
            else d.stage_seen
        end as integer
    ) as stage,
    cast(case when d.basis = 'predicted' or d.has_relapsed then 1 when d.basis is not null then least(d.stage_earliest, d.stage_latest) end as integer) as stage_earliest,
    cast(
        case
            when d.basis = 'predicted' then (
                select max(s.stage) from current_stages as s where s.day_from * 86400 <= d.now - (d.block_earliest - d.last_day * 86400)
            )
            when d.basis is not null then greatest(d.stage_earliest, d.stage_latest)
        end as integer
    ) as stage_latest,
    to_timestamp(case when d.basis = 'predicted' then d.block_earliest - d.last_day * 86400 when d.basis is not null then d.detected_from end)
        as first_detected_earliest,
    to_timestamp(case when d.basis in ('observed', 'imported') and not d.has_relapsed and not d.has_gap_since then d.detected_to end) as first_detected_latest,
    cast(d.next_stage as integer) as next_stage, to_timestamp(d.next_earliest) as next_stage_earliest,
    to_timestamp(d.next_latest) as next_stage_latest, to_timestamp(d.next_if_paused) as next_stage_latest_if_paused,
    to_timestamp(d.block_earliest) as full_block_earliest, to_timestamp(d.block_latest) as full_block_latest,
    to_timestamp(d.block_if_paused) as full_block_latest_if_paused, d.basis,
    case
        when d.basis is null then null
        when d.basis = 'predicted' then 'a lower bound only: build, floor and hand-overs tell when it can begin, and detection can lag without limit'
        when d.is_contradictory then 'low: the refusals fit no one clock; only the most advanced of them counts'
        when d.has_relapsed then 'low: no refusal since the relapse tells what became of the clock'
        when d.upper is null then 'low: the numbers in the refusals are in no stage of the table'
        when d.basis = 'imported' then 'as good as the report or the stated first detection; no refusal confirms it'
        when d.has_stopped then 'low: refusals have stopped'
        when d.lower is null then 'high for the stage; nothing bounds day 0 below'
        else 'refusals leave ' || cast(round((d.upper - d.lower) / 86400.0, 1) as varchar) || ' days for day 0'
            || case
                when d.error_seconds is null then '; the clock of the server could not be measured'
                else '; the clock of the server is known to ' || cast(d.error_seconds as varchar) || ' seconds'
            end
    end as confidence,
    nullif(
        concat_ws(
            ' ',
            case
                when d.is_fine_but_refused or d.has_older_member
                    then case
                            when d.is_fine_but_refused then 'The build of the server is accepted, and still its messages are refused'
                            else 'Its refused messages come from a server with an older build'
                        end
                        || ': one message path stamps an old build. '
                        || coalesce('All refused messages share: ' || d.shared || '.', 'The refused messages share nothing that tracking shows.')
            end,
            case when d.is_contradictory then 'Refusals of one time name stages that exclude each other: more than one clock is behind this name, or the table differs.' end,
            case
                when d.has_relapsed
                    then 'It fell back on ' || cast(cast(to_timestamp(d.below_after) as date) as varchar)
                        || ', and no refusal since decides. Never cleared: the dates as before. Resumed: later by the time with the accepted build. Began anew: report only until '
                        || cast(cast(to_timestamp(d.below_after + d.first_refusing_day * 86400) as date) as varchar) || ' at the least.'
            end,
            case when d.is_updated then 'The episode ended on ' || cast(cast(to_timestamp(d.accepted_from) as date) as varchar) || ' with build ' || d.builds || ', which meets a known floor.' end,
            case when r.fitting <> '' then 'After the relapse these readings of the clock fit: ' || r.fitting || '.' end,
            case
                when d.basis in ('observed', 'imported') and d.upper is not null and not d.has_relapsed and d.proven_still = 0
                    then 'No pause: one day 0 explains all evidence since ' || cast(cast(to_timestamp(d.fits_since) as date) as varchar) || '.'
            end,
            case
                when d.proven_still > 0 and d.went_back
                    then 'A later refusal names an earlier stage: the clock began anew (update and relapse), another clock is behind this name, or the table differs.'
                when d.proven_still > 0 and d.basis = 'imported'
                    then 'The reported next stage is ' || cast(round(d.proven_still / 86400.0, 1) as varchar)
                        || ' days later than the table says from the first detection: the clock stood still (a pause of that length; the latest dates hold), or the stages are not ten days each (the earliest dates hold).'
                when d.proven_still > 0 and d.still_in_episode
                    then 'Before ' || cast(cast(to_timestamp(d.fits_since) as date) as varchar) || ' day 0 was at least '
                        || cast(round(d.proven_still / 86400.0, 1) as varchar)
                        || ' days earlier: the clock stood still (a pause), or the stages are not as long as in the table.'
            end,
            case when d.has_stopped and d.evidence = 'observed' and not d.is_updated then 'Refusals have stopped although mail in scope passes: a pause, an update that these logs do not show, or mail that no longer comes over the connector. After an update no date holds.' end,
            case
                when d.basis = 'predicted'
                    then 'Not refused in these logs: report only, not detected yet, or paused; these logs cannot tell which.'
                        || case
                            when d.earlier_floor_unknown then ' A floor before ' || cast(d.below_since as varchar) || ', whose value is not public, may have caught it earlier.'
                            else ''
                        end
            end,
            case
                when d.basis is null then null
                when d.next_if_paused is not null
                    then 'Latest if paused: by ' || cast(cast(to_timestamp(d.next_if_paused) as date) as varchar) || ' with every pause day that the tenant may use.'
                when d.next_stage is not null then 'There is no upper bound for the next stage.'
            end,
            case when d.unknown_numbers is not null then 'Numbers that no stage of the table has decide nothing: ' || d.unknown_numbers || '.' end,
            case when d.blocks_decide then 'Throttle minutes that do not fit the block minutes of the same time decide nothing.' end,
            case
                when d.refused_servers > 1 and d.refusals > 0 and d.tenant_does_not_fit
                    then 'One clock for the whole tenant does not fit: its servers are at different days.'
                when d.refused_servers > 1 and d.refusals > 0 then 'One clock for the whole tenant fits as well as one for each server.'
            end
        ),
        ''
    ) as readings,
    case
        when d.pause_to is not null and d.basis is not null then 'Update during the pause: the clock goes on after ' || cast(d.pause_to as varchar) || '.'
        when d.is_fine_but_refused or d.has_older_member then 'Find what stamps the old build: ' || coalesce(d.shared, 'look at the Received headers of refused messages') || '.'
        when d.is_updated then 'Nothing today.'
        when d.evidence = 'observed' and d.has_stopped then 'Find out whether it was a pause or an update: Get-TenantExemptionInfo -BlockingScenario UnpatchedOnPremServer, and the build.'
        when d.evidence = 'observed' and d.stage_seen >= d.last_stage then 'Update at once, or pause enforcement; senders must send bounced messages again.'
        when d.evidence = 'observed' and d.next_block > 0 then 'Update before mail is bounced; pause enforcement if that takes longer.'
        when d.basis is not null then 'Update before the next stage; pause enforcement if that takes longer.'
        when d.state = 'accepted today, refused after the next raise' then 'Plan the move to Exchange Server SE: the date of the next raise is not public.'
        when d.state = 'not visible here' then 'Name the connector to the own tenant in organisations.toml.'
        when d.state = 'not connecting' then 'Nothing for enforcement: it hands nothing to Exchange Online.'
        when d.state in ('build unknown', 'floor not public') then 'Bring the tracking logs of this server, or look at its build in the report of Exchange Online.'
        else 'Nothing today.'
    end as next_action,
    case when d.basis is not null then cast(to_timestamp(greatest(d.next_earliest, d.now)) as date) end as act_by,
    to_timestamp(case when d.basis is not null then d.lower end) as day_0_earliest,
    to_timestamp(case when d.basis is not null then d.upper end) as day_0_latest,
    d.next_throttle as next_stage_throttle_rate, d.next_block as next_stage_block_rate,
    cast(
        case when d.next_earliest <= d.now then 0 else floor((d.next_earliest - d.now) / 86400) end as bigint
    ) as days_to_next_stage,
    cast(
        case
            when d.block_earliest <= d.now or d.stage_seen >= d.last_stage and d.basis is not null then 0
            else floor((d.block_earliest - d.now) / 86400)
        end as bigint
    ) as days_to_full_block
from stated as d
left join relapses as r on d.organisation = r.organisation and d.server = r.server
