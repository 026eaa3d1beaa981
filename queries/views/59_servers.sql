-- title: Servers
-- answers: Which product and build each server runs, how far behind it is, what that risks and how its mail fares.
-- columns:
--   organisation: id of the organisation
--   server: first label of its name in capitals
--   product: product id of the catalogue; null where unknown
--   generation: what is known of the generation, also without a build
--   build: latest exact build; null where only the generation is known
--   build_name: such as 2016 CU23 Oct25SU
--   release_date: day of release of the build
--   builds_behind: listed builds up to the newest of the same update line
--   days_behind: days between the releases of this and the newest build
--   newest_build: newest build of the same update line at the report date
--   baseline_build: oldest build that Exchange Online accepts in this line; none = no build; null = not public
--   baseline_since: from when
--   baseline_status: published, reported or disputed
--   accepted: accepted, below the floor, no build is accepted, floor not public or build unknown
--   accepted_after_next_raise: yes, no, unknown or not announced
--   build_risk: the two together
--   end_of_support: last day of extended support
--   esu_end: last day of paid updates
--   supported: yes, only with paid updates (ESU) or no
--   known_exploited_cves_open: known exploited flaws that the build does not fix
--   cves_open: known flaws that the build does not fix
--   first_seen: first row of its logs, UTC
--   last_seen: last row of its logs, UTC
--   log_kinds: kinds of logs of this server, joined with ,
--   build_evidence: what proves build or generation
--   build_strength: strong or weak
--   builds_seen: different exact builds in its logs
--   interleaved: whether two builds write under this name in turns; the lower one is shown
--   refusals: refusals of mail that it handed over
--   last_refusal: last of them, UTC
--   state: what happened to its mail
--   stage: stage of enforcement that its latest refusal names
--   minutes_per_hour: minutes per hour in it
--   hand_overs_in_scope: messages that Exchange Online accepted from it on paths under enforcement
--   note: what to know about the row
--   clock_state: how enforcement stands with it: throttled, partly blocked, paused until ..., refusals have stopped, predicted, ...
--   stage_earliest: lowest stage that it can be in at the report date
--   stage_latest: highest stage that it can be in at the report date
--   first_detected_earliest: first detection is not earlier, pauses allowed for, UTC; null = no bound
--   first_detected_latest: first detection is not later, UTC; null = no bound
--   throttle_enabled_date_earliest: the cmdlet's ThrottleEnabledDate is not earlier, UTC; it does not move with a pause
--   throttle_enabled_date_latest: it is not later, UTC; null = no bound
--   blocking_enabled_date_earliest: the cmdlet's BlockingEnabledDate is not earlier, UTC; it does not move with a pause
--   blocking_enabled_date_latest: it is not later, UTC; null = no bound
--   next_stage: next stage
--   next_stage_earliest: it does not begin earlier, with or without pauses, UTC; null = no bound
--   next_stage_latest: without another pause it begins by then, UTC; null = no upper bound
--   next_stage_latest_if_paused: it begins by then even if all pause days are used, UTC; null = no upper bound
--   next_stage_throttle_rate: minutes an hour of temporary refusals in it, as the cmdlet names it; null = none or not public
--   next_stage_block_rate: minutes an hour of permanent refusals in it, as the cmdlet names it; null = none
--   full_block_earliest: all mail is not blocked earlier, with or without pauses, UTC; null = no bound
--   full_block_latest: without another pause all mail is blocked by then, UTC; null = no upper bound
--   full_block_latest_if_paused: all mail is blocked by then even if all pause days are used, UTC; null = no upper bound
--   days_to_next_stage: whole days to next_stage_earliest; 0 = it can be there
--   days_to_full_block: whole days to full_block_earliest; 0 = it can be there
--   basis: observed, imported or predicted; null = no date
--   confidence: how sure the dates are
--   readings: which readings of the evidence fit
--   next_action: what to do
--   act_by: day by which it should be done, from the earliest date
-- materialised: small
with evidence as materialized (
    select * from server_builds
),

states as materialized (
    select * from mail_states where server <> ''
),

-- builds that take turns count as seen to the end of the hour, so that the lower of them is shown
latest as (
    select
        *,
        row_number() over (
            partition by organisation, server
            order by
                case when build is null then 1 else 0 end,
                case when interleaved then date_trunc('hour', last_seen) + interval 1 hour else last_seen end desc,
                f_key, case when strength = 'strong' then 0 else 1 end,
                case when generation = '2013 or later' then 1 else 0 end, lines desc, evidence
        ) as rank
    from (
        select e.*, f.build_key as f_key
        from evidence as e
        left join build_facts as f on e.build = f.build
    ) as keyed
),

spans as (
    select
        organisation, server, min(first_seen) as first_seen, max(last_seen) as last_seen,
        count(distinct build) as builds_seen, bool_or(interleaved) as interleaved
    from evidence
    group by organisation, server
),

kinds as (
    select organisation, server, string_agg(distinct kind, ', ' order by kind) as log_kinds
    from (
        select organisation, upper(split_part(server, '.', 1)) as server, kind from source_ranges
        where in_window and server is not null and rows > 0
        union
        select organisation, server, 'message-tracking' as kind from tracking_hours where server is not null
    ) as seen
    group by organisation, server
),

-- a generation of one product is that product, without a build
described as (
    select
        s.organisation, s.server, l.build, l.generation, l.evidence, l.strength, p.first_seen, p.last_seen,
        coalesce(p.builds_seen, 0) as builds_seen, coalesce(p.interleaved, false) as interleaved,
        case when l.build is null then 'exchange-' || lower(l.generation) end as product_alone
    from states as s
    left join latest as l on s.organisation = l.organisation and s.server = l.server and l.rank = 1
    left join spans as p on s.organisation = p.organisation and s.server = p.server
)

select
    d.organisation, d.server, f.product, coalesce(f.product_name, d.generation) as generation, d.build, f.build_name,
    f.release_date, f.builds_behind, f.days_behind, f.newest_build, f.baseline_build, f.baseline_since, f.baseline_status,
    coalesce(f.accepted, 'build unknown') as accepted,
    coalesce(f.accepted_after_next_raise, 'unknown') as accepted_after_next_raise,
    case
        when coalesce(f.accepted, 'build unknown') <> 'accepted' then coalesce(f.accepted, 'build unknown')
        when f.accepted_after_next_raise = 'no' then 'accepted today, refused after the next raise'
        else 'accepted today'
    end as build_risk,
    f.end_of_support, f.esu_end, f.supported, f.known_exploited_cves_open, f.cves_open, d.first_seen, d.last_seen,
    k.log_kinds, d.evidence as build_evidence, d.strength as build_strength, d.builds_seen, d.interleaved,
    m.refusals, m.last_refusal, m.state, m.stage, m.minutes_per_hour, m.handed_over_in_scope as hand_overs_in_scope,
    nullif(
        concat_ws(
            ' ',
            case when d.interleaved then 'Two builds write under this name in turns: one member may stamp an old build.' end,
            case when d.build is not null and f.product is null then 'The catalogue does not know this build.' end,
            case
                when not f.listed and f.product is not null and d.build is not null
                    then 'The catalogue does not list this build; it is compared by its numbers.'
            end,
            case
                when f.baseline_status = 'disputed'
                    then 'Sources disagree on the floor of this update line: it may be that no build of it is accepted.'
            end,
            case when d.build is null and f.product is null then 'No tracking log of this server tells its build.' end,
            case
                when f.supported = 'no' and d.build is not null
                    then 'Flaws are hardly published after the end of support: few open ones prove nothing.'
            end,
            case
                when m.refusals > 0 and f.accepted = 'accepted'
                    then 'Exchange Online refused its mail although the build is at or above the floor: see which build its messages carry.'
            end
        ),
        ''
    ) as note,
    c.state as clock_state, c.stage_earliest, c.stage_latest, c.first_detected_earliest, c.first_detected_latest,
    to_timestamp(epoch(c.first_detected_earliest) + l.throttle_from * 86400) as throttle_enabled_date_earliest,
    to_timestamp(epoch(c.first_detected_latest) + l.throttle_from * 86400) as throttle_enabled_date_latest,
    to_timestamp(epoch(c.first_detected_earliest) + l.block_from * 86400) as blocking_enabled_date_earliest,
    to_timestamp(epoch(c.first_detected_latest) + l.block_from * 86400) as blocking_enabled_date_latest,
    c.next_stage, c.next_stage_earliest, c.next_stage_latest, c.next_stage_latest_if_paused,
    c.next_stage_throttle_rate, c.next_stage_block_rate, c.full_block_earliest, c.full_block_latest,
    c.full_block_latest_if_paused, c.days_to_next_stage, c.days_to_full_block, c.basis, c.confidence, c.readings,
    c.next_action, c.act_by
from described as d
inner join states as m on d.organisation = m.organisation and d.server = m.server
left join kinds as k on d.organisation = k.organisation and d.server = k.server
left join build_facts as f
    on d.build = f.build or (d.build is null and f.build is null and d.product_alone = f.product)
left join server_clocks as c on d.organisation = c.organisation and d.server = c.server
cross join (
    select
        min(case when throttle_minutes_per_hour > 0 then day_from end) as throttle_from,
        min(case when block_minutes_per_hour > 0 then day_from end) as block_from
    from current_stages
) as l
