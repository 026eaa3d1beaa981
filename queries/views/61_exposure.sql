-- title: Exposure of each organisation, worst first
-- answers: Which organisations Exchange Online delays or blocks, what it costs, and what comes next.
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
with ranked as (
    -- refused mail first, then what the builds risk; without a hand-over nothing is refused
    select
        *,
        row_number() over (
            order by
                case state
                    when 'fully blocked' then 1
                    when 'partly blocked' then 2
                    when 'delayed' then 3
                    when 'recovered since' then 4
                    when 'not connecting' then 6
                    else 5
                end,
                risk desc, case when state = 'not visible here' then 0 else 1 end, bounced desc, delayed desc, organisation
        ) as rank
    from exposure_facts
),

acted as (
    select
        *,
        case
            when state in ('fully blocked', 'partly blocked')
                then 'Update ' || coalesce(out_of_date_names, 'the servers that hand over')
                    || ' at once, or pause enforcement; let the senders of the bounced messages send again.'
            when state = 'delayed'
                then 'Update ' || coalesce(out_of_date_names, 'the servers that hand over')
                    || ' before the next stage; pause enforcement if that takes longer.'
            when risk >= 5 and state <> 'not connecting'
                then 'Update ' || coalesce(out_of_date_names, 'the servers') || ' before Exchange Online refuses mail for it.'
            when risk = 4 and state <> 'not connecting' then 'Plan the move to Exchange Server SE before the next raise.'
            when state = 'no hand-over in the window' or (logs_to is null and has_logs) then 'Look at a longer time.'
            when state = 'not visible here' and handed_over_unknown > 0 then 'Name the connector to the own tenant in organisations.toml.'
            when state = 'not visible here' or risk = 2 then 'Bring the missing logs: see coverage.'
            when state = 'recovered since' then 'Find out whether it was an update or a pause.'
            when state = 'not connecting' and risk >= 5 then 'Nothing for enforcement; the servers are out of date all the same.'
            else 'Nothing today.'
        end as action
    from ranked
)

select
    rank, organisation, display_name, state,
    case risk
        when 6 then 'no build is accepted'
        when 5 then 'below the floor'
        when 4 then 'accepted today, refused after the next raise'
        when 3 then 'floor not public'
        when 2 then 'build unknown'
        else 'accepted today'
    end as build_risk,
    stage, minutes_per_hour, servers, out_of_date as servers_out_of_date, refused as servers_refused,
    delayed as delayed_messages, bounced as bounced_messages, pending as pending_messages,
    handed_over_in_scope as handed_over_messages, refusals, first_refusal, last_refusal, longest as longest_delay_seconds,
    middle as median_delay_seconds,
    case
        when lost_after_raise > 0
            then cast(lost_after_raise as varchar) || ' of ' || cast(servers as varchar)
                || ' servers are refused after the next raise of the floor; its date is not public.'
        when out_of_date > 0 and stale and logs_to is not null then 'With the builds of then servers are below the present floor.'
        when out_of_date > 0 then 'Servers are below the present floor already.'
        when unsure_after_raise > 0 then 'The next raise of the floor may take these builds or not; its value is not public.'
    end as next_raise,
    logs_from, logs_to, stale, blind_spots, catalogue_as_of,
    concat_ws(
        ' ',
        -- old logs tell of the past, where they tell
        coalesce(
            case when stale then
                case state
                    when 'recovered since' then 'Mail was refused, and passed again when its logs ended; a pause looks the same.'
                    when 'fully blocked' then 'When its logs ended, Exchange Online refused all mail of its out-of-date servers.'
                    when 'partly blocked'
                        then 'When its logs ended, Exchange Online refused a part of its mail for good (bounced messages: ' || cast(bounced as varchar) || ').'
                    when 'delayed' then 'When its logs ended, Exchange Online delayed its mail (delayed messages: ' || cast(delayed as varchar) || ').'
                    when 'accepted' then 'When its logs ended, Exchange Online accepted its mail.'
                    when 'not connecting' then 'When its logs ended, it handed nothing to Exchange Online on a path under enforcement.'
                end
            end,
            case state
                when 'fully blocked' then 'Exchange Online refuses all mail of its out-of-date servers.'
                when 'partly blocked'
                    then 'Exchange Online refuses a part of its mail for good (bounced messages: ' || cast(bounced as varchar) || ').'
                when 'delayed' then 'Exchange Online delays its mail (delayed messages: ' || cast(delayed as varchar) || ').'
                when 'recovered since' then 'Mail was refused, and passes again since; a pause looks the same.'
                when 'accepted' then 'Exchange Online accepts its mail.'
                when 'not connecting' then 'It hands nothing to Exchange Online on a path under enforcement.'
                when 'no hand-over in the window'
                    then 'No hand-over to Exchange Online on a path under enforcement lies in the time looked at; that proves nothing of other times.'
                else 'These logs cannot show whether Exchange Online accepts its mail.'
            end
        ),
        case
            when stage_to is not null
                then 'The latest refusal names ' || cast(minutes_per_hour as varchar) || ' minutes an hour: stage '
                    || cast(stage as varchar) || ', or a later one to ' || cast(stage_to as varchar)
                    || ', since their throttle minutes are not public.'
            when stage is not null
                then 'The latest refusal names stage ' || cast(stage as varchar) || ' (' || cast(minutes_per_hour as varchar)
                    || ' minutes an hour).'
            when minutes_per_hour is not null and refusals > 0
                then 'The latest refusal names ' || cast(minutes_per_hour as varchar) || ' minutes an hour, which no known stage has.'
        end,
        -- the floor is that of the report date, the builds are those of the logs
        case when stale and logs_to is not null then
            case risk
                when 6 then 'No build of a product that it ran is accepted (' || coalesce(out_of_date_names, '') || ').'
                when 5 then 'Below the accepted floor with the builds of then: ' || coalesce(out_of_date_names, '') || '.'
                when 4 then 'The builds of then are accepted at the report date and refused after the next raise.'
                when 3 then 'The floor of the builds of then is not public.'
                when 2 then 'The build of its servers was not known.'
                else 'The builds of then are accepted at the report date.'
            end
        else
            case risk
                when 6 then 'No build of a product it runs is accepted (' || coalesce(out_of_date_names, '') || ').'
                when 5 then 'Below the accepted floor: ' || coalesce(out_of_date_names, '') || '.'
                when 4 then 'Its builds are accepted today and refused after the next raise.'
                when 3 then 'The floor of its builds is not public.'
                when 2 then 'The build of its servers is not known.'
                else 'Its builds are accepted today.'
            end
        end,
        case when is_disputed then 'Sources disagree on the floor of 2019 CU14.' end,
        case when interleaved then 'Two builds write under one server name in turns.' end,
        case
            when state = 'not visible here' and handed_over_unknown > 0
                then 'Mail goes to Exchange Online, but nothing tells whether to its own tenant.'
        end,
        case when blind_spots > 0 then 'Gaps in these logs: ' || cast(blind_spots as varchar) || ' (see coverage).' end,
        case
            when logs_to is null and has_logs then 'None of its log lines lies in the time looked at.'
            when logs_to is null then 'There are no logs of it.'
            when stale
                then 'Its logs end on ' || substr(cast(logs_to as varchar), 1, 10)
                    || ', more than two days before the report date: all of this is of then.'
        end,
        case when logs_are_newer then 'The logs are newer than the catalogue.' end
    ) as verdict,
    -- old logs ask for newer ones before anything else
    case when stale and logs_to is not null then concat_ws(
        ' ', 'Bring newer logs.', case when action <> 'Nothing today.' then 'If they show the same:' end, nullif(action, 'Nothing today.')
    ) else action end as next_action,
    clock_server, clock_state, stage_earliest, stage_latest, first_detected_earliest, first_detected_latest,
    next_stage, next_stage_earliest, next_stage_latest, next_stage_latest_if_paused, full_block_earliest,
    full_block_latest, full_block_latest_if_paused, days_to_next_stage, days_to_full_block, basis, act_by, confidence
from acted
