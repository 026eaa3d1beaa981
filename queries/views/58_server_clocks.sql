-- title: How far each server is, and when the next stage and the full block come
-- answers: At which stage of enforcement each server is, when the next stage begins and when everything is blocked.
-- columns:
--   organisation: id of the organisation
--   server: first label in capitals
--   state: in words, such as throttled, partly blocked, paused until 2026-12-01, refusals have stopped, predicted, not connecting or no hand-over in the window
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
-- which readings of a relapse the refusals after it allow
with relapses as (
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
    from clock_states
    where earlier_upper is not null and not still_in_episode and below_after is not null and not has_relapsed
),

told as (
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
        cast(case when d.basis = 'predicted' or d.has_relapsed then 1 when d.basis is not null
            then least(d.stage_earliest, d.stage_latest) end as integer) as stage_earliest,
        cast(
            case
                when d.basis = 'predicted' then d.stage_latest
                when d.basis is not null then greatest(d.stage_earliest, d.stage_latest)
            end as integer
        ) as stage_latest,
        to_timestamp(case when d.basis = 'predicted' then d.block_earliest - d.last_day * 86400 when d.basis is not null
            then d.detected_from end)
            as first_detected_earliest,
        to_timestamp(case when d.basis in ('observed', 'imported') and not d.has_relapsed and not d.has_gap_since
            then d.detected_to end) as first_detected_latest,
        cast(d.next_stage as integer) as next_stage, to_timestamp(d.next_earliest) as next_stage_earliest,
        to_timestamp(d.next_latest) as next_stage_latest, to_timestamp(d.next_if_paused) as next_stage_latest_if_paused,
        to_timestamp(d.block_earliest) as full_block_earliest, to_timestamp(d.block_latest) as full_block_latest,
        to_timestamp(d.block_if_paused) as full_block_latest_if_paused, d.basis,
        case
            when d.basis is null then null
            when d.basis = 'predicted' then 'a lower bound only: build, floor and hand-overs tell when it can begin, '
                || 'and detection can lag without limit'
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
                                when d.is_fine_but_refused then 'The build of the server is accepted, and still its '
                                    || 'messages are refused'
                                else 'Its refused messages come from a server with an older build'
                            end
                            || ': one message path stamps an old build. '
                            || coalesce('All refused messages share: ' || d.shared || '.', 'The refused messages share '
                                || 'nothing that tracking shows.')
                end,
                case when d.is_contradictory then 'Refusals of one time name stages that exclude each other: more than '
                    || 'one clock is behind this name, or the table differs.' end,
                case
                    when d.has_relapsed
                        then 'It fell back on ' || cast(cast(to_timestamp(d.below_after) as date) as varchar)
                            || ', and no refusal since decides. Never cleared: the dates as before. Resumed: later by '
                                || 'the time with the accepted build. Began anew: report only until '
                            || cast(cast(to_timestamp(d.below_after + d.first_refusing_day * 86400) as date) as varchar)
                                || ' at the least.'
                end,
                case when d.is_updated then 'The episode ended on '
                    || cast(cast(to_timestamp(d.accepted_from) as date) as varchar) || ' with build ' || d.builds
                        || ', which meets a known floor.' end,
                case when r.fitting <> '' then 'After the relapse these readings of the clock fit: ' || r.fitting
                    || '.' end,
                case
                    when d.basis in ('observed', 'imported') and d.upper is not null and not d.has_relapsed
                        and d.proven_still = 0
                        then 'No pause: one day 0 explains all evidence since '
                            || cast(cast(to_timestamp(d.fits_since) as date) as varchar) || '.'
                end,
                case
                    when d.proven_still > 0 and d.went_back
                        then 'A later refusal names an earlier stage: the clock began anew (update and relapse), '
                            || 'another clock is behind this name, or the table differs.'
                    when d.proven_still > 0 and d.basis = 'imported'
                        then 'The reported next stage is ' || cast(round(d.proven_still / 86400.0, 1) as varchar)
                            || ' days later than the table says from the first detection: the clock stood still (a '
                                || 'pause of that length; the latest dates hold), or the stages are not ten days each '
                                    || '(the earliest dates hold).'
                    when d.proven_still > 0 and d.still_in_episode
                        then 'Before ' || cast(cast(to_timestamp(d.fits_since) as date) as varchar) || ' day 0 was at '
                            || 'least '
                            || cast(round(d.proven_still / 86400.0, 1) as varchar)
                            || ' days earlier: the clock stood still (a pause), or the stages are not as long as in the '
                                || 'table.'
                end,
                case when d.has_stopped and d.evidence = 'observed' and not d.is_updated then 'Refusals have stopped '
                    || 'although mail in scope passes: a pause, an update that these logs do not show, or mail that no '
                        || 'longer comes over the connector. After an update no date holds.' end,
                case
                    when d.basis = 'predicted'
                        then 'Not refused in these logs: report only, not detected yet, or paused; these logs cannot '
                            || 'tell which.'
                            || case
                                when d.earlier_floor_unknown then ' A floor before ' || cast(d.below_since as varchar)
                                    || ', whose value is not public, may have caught it earlier.'
                                else ''
                            end
                end,
                case
                    when d.basis is null then null
                    when d.next_if_paused is not null
                        then 'Latest if paused: by ' || cast(cast(to_timestamp(d.next_if_paused) as date) as varchar)
                            || ' with every pause day that the tenant may use.'
                    when d.next_stage is not null then 'There is no upper bound for the next stage.'
                end,
                case
                    when d.basis is not null and d.now - d.logs_to >= 86400
                        then 'Its logs end ' || cast(cast(floor((d.now - d.logs_to) / 86400) as bigint) as varchar)
                            || ' days before the report date: an update or a pause since then is not in them.'
                end,
                case when d.unknown_numbers is not null then 'Numbers that no stage of the table has decide nothing: '
                    || d.unknown_numbers || '.' end,
                case when d.blocks_decide then 'Throttle minutes that do not fit the block minutes of the same time '
                    || 'decide nothing.' end,
                case
                    when d.refused_servers > 1 and d.refusals > 0 and d.tenant_does_not_fit
                        then 'One clock for the whole tenant does not fit: its servers are at different days.'
                    when d.refused_servers > 1 and d.refusals > 0 then 'One clock for the whole tenant fits as well as '
                        || 'one for each server.'
                end
            ),
            ''
        ) as readings,
        case
            when d.pause_to is not null and d.basis is not null then 'Update during the pause: the clock goes on after '
                || cast(d.pause_to as varchar) || '.'
            when d.is_fine_but_refused or d.has_older_member then 'Find what stamps the old build: ' || coalesce(d.shared,
                'look at the Received headers of refused messages') || '.'
            when d.is_updated then 'Nothing today.'
            when d.evidence = 'observed' and d.has_stopped then 'Find out whether it was a pause or an update: '
                || 'Get-TenantExemptionInfo -BlockingScenario UnpatchedOnPremServer, and the build.'
            when d.evidence = 'observed' and d.stage_seen >= d.last_stage then 'Update at once, or pause enforcement; '
                || 'senders must send bounced messages again.'
            when d.evidence = 'observed' and d.next_block > 0 then 'Update before mail is bounced; pause enforcement if '
                || 'that takes longer.'
            when d.basis is not null then 'Update before the next stage; pause enforcement if that takes longer.'
            when d.state = 'accepted today, refused after the next raise' then 'Plan the move to Exchange Server SE: '
                || 'the date of the next raise is not public.'
            when d.state = 'not visible here' and d.scope_unknown > 0
                then 'Name the connector to the own tenant in organisations.toml.'
            when d.state = 'not visible here' then 'Bring the missing logs: see coverage.'
            when d.state = 'no hand-over in the window' then 'Look at a longer time: no hand-over to Exchange Online lies in this one.'
            when d.state = 'not connecting' then 'Nothing for enforcement: it hands nothing to Exchange Online.'
            when d.state in ('build unknown', 'floor not public') then 'Bring the tracking logs of this server, or look '
                || 'at its build in the report of Exchange Online.'
            else 'Nothing today.'
        end as action,
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
    from clock_states as d
    left join relapses as r on d.organisation = r.organisation and d.server = r.server
)

select
    t.organisation, t.server, t.state, t.stage, t.stage_earliest, t.stage_latest, t.first_detected_earliest,
    t.first_detected_latest, t.next_stage, t.next_stage_earliest, t.next_stage_latest, t.next_stage_latest_if_paused,
    t.full_block_earliest, t.full_block_latest, t.full_block_latest_if_paused, t.basis, t.confidence, t.readings,
    -- old logs ask for newer ones before anything else
    case
        when n.stale then concat_ws(
            ' ', 'Bring newer logs.', case when t.action <> 'Nothing today.' then 'If they show the same:' end,
            nullif(t.action, 'Nothing today.')
        )
        else t.action
    end as next_action,
    t.act_by, t.day_0_earliest, t.day_0_latest, t.next_stage_throttle_rate, t.next_stage_block_rate, t.days_to_next_stage,
    t.days_to_full_block
from told as t
left join log_spans as n on t.organisation = n.organisation
