-- title: Exposure of each organisation, worst first
-- answers: Which organisations Exchange Online delays or blocks, what it costs, and what comes next.
-- terminal: organisation, state, stage, act_by, delayed_messages, bounced_messages, handed_over_messages, full_block_earliest, basis, build_risk
-- below: verdict, next_action
-- columns:
--   rank: 1 = worst
--   organisation: id of the organisation
--   display_name: its name in organisations.toml, else as it was given or its folder is named, else the id
--   state: accepted, delayed, partly blocked, fully blocked, recovered since, not connecting, no hand-over in the window or not visible here
--   build_risk: what the builds risk, worst server first; of the servers that hand over, if any does
--   stage: stage of enforcement that the latest refusal names, 1 to 8
--   minutes_per_hour: minutes per hour in the latest refusal
--   servers: servers in the logs
--   servers_out_of_date: servers whose build is below the floor, or of which no build is accepted
--   servers_refused: servers whose mail was refused
--   delayed_messages: messages that a throttle refused at least once
--   bounced_messages: messages refused for good
--   pending_messages: delayed messages whose end is not in these logs
--   handed_over_messages: messages that Exchange Online accepted on paths under enforcement
--   refusals: refusals, each once
--   first_refusal: first, UTC
--   last_refusal: last, UTC
--   longest_delay_seconds: longest delay of a message that was accepted in the end, seconds
--   median_delay_seconds: median of these delays, seconds
--   next_raise: what the announced next raise of the floor does
--   logs_from: first row of its logs, UTC
--   logs_to: last row of its logs, UTC
--   stale: whether its logs end more than 48 hours before the report date
--   blind_spots: gaps in what these logs show, counted by server, connector and log kind
--   catalogue_as_of: state of the catalogue
--   verdict: the answer in a few sentences
--   next_action: what to do first
--   clock_server: server that is farthest on the way, whose dates follow; null = no date
--   clock_state: how enforcement stands with it: throttled, partly blocked, paused until ..., refusals have stopped, predicted, ...
--   stage_earliest: lowest stage that it can be in at the report date
--   stage_latest: highest stage that it can be in at the report date
--   first_detected_earliest: first detection is not earlier, pauses allowed for, UTC; null = no bound
--   first_detected_latest: first detection is not later, UTC; null = no bound
--   next_stage: next stage
--   next_stage_earliest: it does not begin earlier, with or without pauses, UTC; null = no bound
--   next_stage_latest: without another pause it begins by then, UTC; null = no upper bound
--   next_stage_latest_if_paused: it begins by then even if all pause days are used, UTC; null = no upper bound
--   full_block_earliest: all mail is not blocked earlier, with or without pauses, UTC; null = no bound
--   full_block_latest: without another pause all mail is blocked by then, UTC; null = no upper bound
--   full_block_latest_if_paused: all mail is blocked by then even if all pause days are used, UTC; null = no upper bound
--   days_to_next_stage: whole days to next_stage_earliest; 0 = it can be there
--   days_to_full_block: whole days to full_block_earliest; 0 = it can be there
--   basis: observed, imported or predicted; null = no date
--   act_by: day by which it should be done, from the earliest date
--   confidence: how sure the dates are
--   third_party_dates: dates of this row that rest on one third-party source, by column or the beginning of its name; null = none
select
    rank, organisation, display_name, state, build_risk, e.stage, minutes_per_hour, servers,
    servers_out_of_date, servers_refused, delayed_messages, bounced_messages, pending_messages,
    handed_over_messages, refusals, first_refusal, last_refusal, longest_delay_seconds,
    median_delay_seconds, next_raise, logs_from, logs_to, stale, blind_spots, catalogue_as_of,
    verdict, next_action,
    clock_server, clock_state, stage_earliest, stage_latest, first_detected_earliest, first_detected_latest,
    e.next_stage, next_stage_earliest, next_stage_latest, next_stage_latest_if_paused, full_block_earliest,
    full_block_latest, full_block_latest_if_paused, days_to_next_stage, days_to_full_block, basis, act_by, confidence,
    nullif(
        concat_ws(
            ', ',
            case when m.next_stage_is_marked and act_by is not null and e.next_stage is not null then 'act_by' end,
            case when m.next_stage_is_marked and coalesce(next_stage_earliest, next_stage_latest) is not null then 'next_stage' end,
            case when m.full_block_is_marked and coalesce(full_block_earliest, full_block_latest) is not null then 'full_block' end
        ),
        ''
    ) as third_party_dates
from exposure as e
left join third_party_clocks as m on e.stage is not distinct from m.stage and e.next_stage is not distinct from m.next_stage
order by rank
