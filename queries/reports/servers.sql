-- title: Servers
-- answers: Which product and build each server runs, how far behind it is, what that risks and how its mail fares.
-- terminal: organisation, server, state, stage, build, build_name, accepted, act_by, supported, next_action, note
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
--   third_party_dates: dates of this row that rest on one third-party source, by column or the beginning of its name; null = none
select
    organisation, server, product, generation, build, build_name, release_date, builds_behind,
    days_behind, newest_build, baseline_build, baseline_since, baseline_status, accepted,
    accepted_after_next_raise, build_risk, end_of_support, esu_end, supported,
    known_exploited_cves_open, cves_open, first_seen, last_seen, log_kinds, build_evidence,
    build_strength, builds_seen, interleaved, refusals, last_refusal, state, e.stage,
    minutes_per_hour, hand_overs_in_scope, note,
    clock_state, stage_earliest, stage_latest, first_detected_earliest, first_detected_latest,
    throttle_enabled_date_earliest, throttle_enabled_date_latest, blocking_enabled_date_earliest,
    blocking_enabled_date_latest, e.next_stage,
    next_stage_earliest, next_stage_latest, next_stage_latest_if_paused, next_stage_throttle_rate,
    next_stage_block_rate, full_block_earliest, full_block_latest, full_block_latest_if_paused, days_to_next_stage,
    days_to_full_block, basis, confidence, readings, next_action, act_by,
    nullif(
        concat_ws(
            ', ',
            case when (product, baseline_since) in (select (product, since) from third_party_floors) then 'baseline_since' end,
            case when m.next_stage_is_marked and act_by is not null and e.next_stage is not null then 'act_by' end,
            case when m.next_stage_is_marked and coalesce(next_stage_earliest, next_stage_latest) is not null then 'next_stage' end,
            case when m.full_block_is_marked and coalesce(full_block_earliest, full_block_latest) is not null then 'full_block' end
        ),
        ''
    ) as third_party_dates
from servers as e
left join third_party_clocks as m on e.stage is not distinct from m.stage and e.next_stage is not distinct from m.next_stage
order by organisation, server
