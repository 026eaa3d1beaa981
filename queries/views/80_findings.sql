-- title: Findings, one row each
-- answers: What is wrong, or will be, or cannot be seen, for each organisation and server, and what to do about it by when.
-- columns:
--   organisation: id of the organisation
--   server: server, first label in capitals; null where it concerns the whole organisation
--   severity: critical, warning or note
--   degree: how far it has gone, comparable inside one finding_key only (a stage, a number of messages); higher is worse
--   finding_key: the same in every run for the same finding; for --acknowledge and --since-report
--   finding: one sentence
--   action: what to do; null where nothing
--   act_by: day by which it should be done; null where no date is known
--   since: when it began, as far as the logs tell, UTC
with moments as (
    select as_of, cast(as_of as date) as today from parameters
),

-- an organisation is named itself only where none of its servers is as bad
mail as (
    select m.organisation, nullif(m.server, '') as server, m.state, m.stage, m.stage_to, m.minutes_per_hour, m.first_refusal, m.last_refusal, m.refusals, coalesce(n.stale, false) as stale
    from mail_states as m
    left join log_spans as n on m.organisation = n.organisation
    left join (
        select distinct organisation, state from mail_states where server <> ''
    ) as s on m.organisation = s.organisation and m.state = s.state and m.server = ''
    where m.refusals > 0 and (m.server <> '' or s.organisation is null)
),

mail_findings as (
    select
        organisation, server,
        case state when 'recovered since' then 'note' when 'delayed' then 'warning' else 'critical' end as severity,
        cast(
            case state when 'recovered since' then 0 when 'delayed' then 100 when 'partly blocked' then 200 else 300 end
            + coalesce(minutes_per_hour, 0) as bigint
        ) as degree,
        'mail' as subject,
        case
            when stale and state = 'fully blocked' then 'Exchange Online refused all its mail for good.'
            when stale and state = 'partly blocked' then 'Exchange Online refused a part of its mail for good.'
            when stale and state = 'delayed' then 'Exchange Online delayed its mail.'
            when stale then 'Exchange Online refused its mail and accepted it again since; a pause looks the same.'
            when state = 'fully blocked' then 'Exchange Online refuses all its mail for good.'
            when state = 'partly blocked' then 'Exchange Online refuses a part of its mail for good.'
            when state = 'delayed' then 'Exchange Online delays its mail.'
            else 'Exchange Online refused its mail and accepts it again since; a pause looks the same.'
        end
        || case
            when stage_to is not null
                then ' The latest refusal names ' || cast(minutes_per_hour as varchar) || ' minutes an hour: stage '
                    || cast(stage as varchar) || ', or a later one to ' || cast(stage_to as varchar)
                    || ', since their throttle minutes are not public.'
            when stage is not null
                then ' The latest refusal names stage ' || cast(stage as varchar) || ' (' || cast(minutes_per_hour as varchar)
                    || ' minutes an hour).'
            else ''
        end
        || ' Refusals: ' || cast(refusals as varchar) || ', the last on ' || substr(cast(last_refusal as varchar), 1, 16) || ' UTC.' as finding,
        case state
            when 'recovered since' then 'Find out whether it was an update or a pause.'
            else 'Update the server, or pause enforcement until it is updated.'
        end as action,
        case when state <> 'recovered since' then m.today end as act_by, first_refusal as since
    from mail
    cross join moments as m
),

clock_findings as (
    select
        c.organisation, c.server,
        case
            when c.basis = 'predicted' and c.next_stage_earliest > m.as_of + interval 30 day then 'note'
            when c.basis = 'predicted' then 'warning'
            when c.next_stage_earliest <= m.as_of + interval 7 day then 'critical'
            when c.next_stage_earliest <= m.as_of + interval 30 day then 'warning'
            else 'note'
        end as severity,
        cast(c.next_stage as bigint) as degree, 'next-stage' as subject,
        case
            when c.next_stage_earliest <= m.as_of
                then 'Stage ' || cast(c.next_stage as varchar) || ' of enforcement can begin any day, or has begun.'
            else 'Stage ' || cast(c.next_stage as varchar) || ' of enforcement can begin from '
                || substr(cast(c.next_stage_earliest as varchar), 1, 10) || '.'
        end
        || case
            when c.full_block_earliest > m.as_of
                then ' All mail can be blocked from ' || substr(cast(c.full_block_earliest as varchar), 1, 10) || '.'
            when c.full_block_earliest is not null then ' All mail can be blocked any day.'
            else ''
        end
        || case c.basis
            when 'predicted' then ' Predicted from build and floor: no refusal was seen.'
            when 'imported' then ' By the imported report: no refusal was seen.'
            else ''
        end as finding,
        'Update the server before that day, or plan a pause (report pause_planner).' as action,
        coalesce(c.act_by, case when c.next_stage_earliest <= m.as_of then m.today else cast(c.next_stage_earliest as date) end) as act_by,
        c.first_detected_earliest as since
    from server_clocks as c
    cross join moments as m
    where c.next_stage is not null and c.next_stage_earliest is not null and coalesce(c.state, '') <> 'not connecting'
),

-- the build that a server must reach: the floor of its update line, else that of the line which has one
targets as (
    select b.product, max_by(b.cumulative_update, b.build_key) as cumulative_update, max_by(b.minimum_build, b.build_key) as build
    from ref_baselines as b
    cross join moments as m
    where b.effective_from <= m.today and b.status not in ('announced', 'disputed') and b.build_key is not null
    group by b.product
),

-- what came out after the end of support is there for customers of paid updates alone
updates as (
    select
        s.organisation, s.server, coalesce(nullif(s.baseline_build, 'none'), t.build) as floor_build,
        s.baseline_build is null and t.cumulative_update is not null as leaves_line, t.cumulative_update,
        f.security_update as floor_update, s.newest_build, n.build_key > w.build_key as is_behind,
        coalesce(n.release_date > s.end_of_support, false) as newest_is_paid
    from servers as s
    left join targets as t on s.product = t.product
    left join ref_builds as f on coalesce(nullif(s.baseline_build, 'none'), t.build) = f.build_number
    left join ref_builds as n on s.newest_build = n.build_number
    left join builds_seen as w on s.build = w.build
),

build_findings as (
    select
        s.organisation, s.server,
        case when build_risk in ('no build is accepted', 'below the floor') and state <> 'not connecting' then 'warning' else 'note' end as severity,
        cast(
            case build_risk
                when 'no build is accepted' then 5 when 'below the floor' then 4
                when 'accepted today, refused after the next raise' then 3 when 'floor not public' then 2 else 1
            end as bigint
        ) as degree,
        'build' as subject,
        case build_risk
            when 'no build is accepted' then 'Exchange Online accepts no build of this product.'
            when 'below the floor' then 'The build is below the floor that Exchange Online accepts.'
            when 'accepted today, refused after the next raise' then 'The build is accepted today and refused after the next raise of the floor.'
            when 'floor not public' then 'The floor of this build is not public.'
            else 'The build of this server is not known.'
        end
        || case
            when coalesce(build_name, generation, '') like 'unlisted%' then ' It runs an ' || build_name || '.'
            when build_name is not null or generation is not null then ' It runs Exchange ' || coalesce(build_name, generation) || '.'
            else coalesce(' It runs ' || build || '.', '')
        end
        || case
            when build_risk = 'below the floor' and baseline_build is not null then ' The floor is ' || baseline_build || '.'
            else ''
        end as finding,
        case
            when build_risk = 'no build is accepted' then 'Move to Exchange Server SE, or hand mail to Exchange Online by another server.'
            when build_risk = 'below the floor' and u.leaves_line
                then 'No build of this update line is accepted: install ' || u.cumulative_update || ' and at least its build '
                    || u.floor_build || coalesce(' (' || u.floor_update || ')', '') || '.'
            when build_risk = 'below the floor'
                then 'Install at least ' || u.floor_build || coalesce(' (' || u.floor_update || ')', '') || '.'
                    || case
                        when u.newest_build = u.floor_build or u.newest_build is null then ''
                        when u.newest_is_paid
                            then ' Later builds, up to ' || u.newest_build || ', are for customers of paid updates (ESU) only.'
                        else ' The newest is ' || u.newest_build || '.'
                    end
            when build_risk = 'accepted today, refused after the next raise' then 'Plan the move to Exchange Server SE before the next raise.'
            when build_risk = 'build unknown' then 'Bring the message tracking logs of this server: see coverage.'
        end as action,
        cast(null as date) as act_by, cast(null as timestamptz) as since
    from servers as s
    inner join updates as u on s.organisation = u.organisation and s.server = u.server
    where build_risk <> 'accepted today'
),

server_findings as (
    select
        s.organisation, s.server, 'warning' as severity, cast(known_exploited_cves_open as bigint) as degree, 'exploited-flaws' as subject,
        'Known exploited flaws that the build does not fix: ' || cast(known_exploited_cves_open as varchar) || '.' as finding,
        case
            when not coalesce(u.is_behind, false) then 'No update of this line fixes them: move to Exchange Server SE.'
            when u.newest_is_paid
                then 'Install the newest update, ' || u.newest_build
                    || ', with paid updates (ESU); without them move to Exchange Server SE.'
            else 'Install the newest update: ' || u.newest_build || '.'
        end as action,
        cast(null as date) as act_by, cast(null as timestamptz) as since
    from servers as s
    inner join updates as u on s.organisation = u.organisation and s.server = u.server
    where known_exploited_cves_open > 0
    union all
    select
        organisation, server, 'note' as severity, cast(1 as bigint) as degree, 'support' as subject,
        case
            when supported = 'no' then 'The product is out of support since ' || cast(end_of_support as varchar) || '.'
            else 'The product is supported only with paid updates (ESU), until ' || cast(esu_end as varchar) || '.'
        end as finding,
        'Plan the move to Exchange Server SE.' as action, cast(null as date) as act_by,
        cast(end_of_support as timestamptz) as since
    from servers
    where supported <> 'yes'
    union all
    select
        organisation, server, 'note' as severity, cast(1 as bigint) as degree, 'two-builds' as subject,
        'Two builds write under this name in turns: one member may stamp an old build.' as finding,
        'Compare the builds of all members: report server_builds.' as action, cast(null as date) as act_by, cast(null as timestamptz) as since
    from servers
    where interleaved
),

message_findings as (
    select
        organisation, server, 'warning' as severity, count(*) as degree, 'bounced' as subject,
        'Messages refused for good and not accepted later: ' || cast(count(*) as varchar)
        || '.'
        || case
            when count(case when sender_told <> 'yes' then 1 end) > 0
                then ' Of these without a report to the sender in these logs: '
                    || cast(count(case when sender_told <> 'yes' then 1 end) as varchar) || '.'
            else ''
        end as finding,
        'Once mail passes again, let their senders send again: report bounced_messages.' as action, cast(null as date) as act_by, min(bounced_time) as since
    from bounced_messages
    where accepted_later is null
    group by organisation, server
    union all
    select
        organisation, server, 'note' as severity, count(*) as degree, 'pending' as subject,
        'Delayed messages whose end is not in these logs: ' || cast(count(*) as varchar) || '.' as finding,
        'Look into the queues: Get-Message, or bring newer logs.' as action, cast(null as date) as act_by, min(first_attempt) as since
    from delayed_messages
    where outcome = 'pending'
    group by organisation, server
    union all
    select
        organisation, server, 'warning' as severity, cast(days as bigint) as degree, 'suspected-throttling' as subject,
        verdict as finding, next_action as action, cast(null as date) as act_by, cast(first_day as timestamptz) as since
    from suspected_throttling
    union all
    select
        organisation, server, 'note' as severity, cast(sum(lines) as bigint) as degree,
        'other-refusal/' || coalesce(enhanced_code, '-') || '/' || split_part(meaning, ' (by its code alone', 1) as subject,
        'Exchange Online refused mail for another reason, ' || enhanced_code || ': ' || min(meaning) || '.' as finding,
        max(what_to_do) as action, cast(null as date) as act_by, min(first_time) as since
    from look_alikes
    where from_exchange_online
    group by organisation, server, enhanced_code, split_part(meaning, ' (by its code alone', 1)
),

-- one pass over coverage, which is no small view
covered as materialized (
    select
        organisation, server, log_kind, connector, count(distinct case when lines > 0 then hour end) as hours_there,
        count(distinct case when gap is not null then hour end) as hours, max(gap) as gap, max(command) as command,
        min(case when gap is not null then hour end) as since
    from coverage
    group by organisation, server, log_kind, connector
),

log_findings as (
    select
        c.organisation, c.server, 'note' as severity, c.hours as degree,
        'gap/' || c.log_kind || '/' || coalesce(c.connector, '-') as subject,
        case
            when c.server is null then 'Some logs name no server: what they hold is counted for the organisation alone.'
            when c.gap like 'the front end%' then 'Not visible for ' || cast(c.hours as varchar) || ' hours: ' || c.gap || '.'
            when c.log_kind = 'smtp-send' and t.server is null
                then 'No Send logs from ' || c.server
                    || ': refusals there would be invisible unless message tracking quotes them. Hours with mail: '
                    || cast(c.hours as varchar) || '.'
            when c.log_kind = 'smtp-send'
                then 'No Send logs from ' || c.server || ' for ' || cast(c.hours as varchar)
                    || ' hours with mail: refusals in them would be invisible unless message tracking quotes them.'
            when t.server is null
                then 'No message tracking logs from ' || c.server
                    || ': delays, bounces and the build there would be invisible. Hours with mail: ' || cast(c.hours as varchar) || '.'
            else 'No message tracking logs from ' || c.server || ' for ' || cast(c.hours as varchar)
                || ' hours with mail: delays and bounces in them would be invisible.'
        end
        || coalesce(' Connector: ' || c.connector || '.', '') as finding,
        c.command as action, cast(null as date) as act_by, c.since
    from covered as c
    left join (
        select organisation, server, log_kind from covered group by organisation, server, log_kind having sum(hours_there) > 0
    ) as t on c.organisation = t.organisation and c.server = t.server and c.log_kind = t.log_kind
    where c.gap is not null
    union all
    select
        organisation, null as server, 'note' as severity, cast(sum(quarantined) as bigint) as degree, 'quarantine' as subject,
        'Log lines that could not be read: ' || cast(cast(sum(quarantined) as bigint) as varchar) || '.' as finding,
        'Look at them: report quarantine.' as action, cast(null as date) as act_by, cast(null as timestamptz) as since
    from sources
    group by organisation
    having sum(quarantined) > 0
    union all
    select
        organisation, null as server, 'note' as severity, count(*) as degree, 'source-warning' as subject,
        'Logs with a doubt about whose or what they are: ' || cast(count(*) as varchar) || '.' as finding,
        'Look at their warnings: report sources.' as action, cast(null as date) as act_by, cast(null as timestamptz) as since
    from sources
    where warning is not null
    group by organisation
    union all
    select
        f.organisation, null as server, coalesce(u.severity, 'warning') as severity, cast(1 as bigint) as degree, 'logs-ended' as subject,
        case
            when f.logs_to is null and f.has_logs then 'None of its log lines lies in the time looked at.'
            when f.logs_to is null then 'There are no logs of it.'
            else 'Its logs end on ' || substr(cast(f.logs_to as varchar), 1, 16) || ' UTC, more than two days before the report date: what is said here is of then.'
        end as finding,
        case when f.logs_to is null and f.has_logs then 'Look at a longer time.' else 'Bring newer logs.' end as action,
        case when f.logs_to is not null then m.today end as act_by, f.logs_to as since
    from exposure_facts as f
    cross join moments as m
    -- what old logs say asks for newer ones first: it is as urgent as the worst of it
    left join (
        select organisation, 'critical' as severity
        from (
            select organisation, severity from mail_findings
            union all
            select organisation, severity from clock_findings
        ) as worst
        where severity = 'critical'
        group by organisation
    ) as u on f.organisation = u.organisation and f.logs_to is not null
    where f.stale
    union all
    -- logs come daily at least: a day behind the others of the store is a collection that broke
    select
        f.organisation, null as server, 'warning' as severity, cast(1 as bigint) as degree, 'logs-behind' as subject,
        'Its logs end on ' || substr(cast(f.logs_to as varchar), 1, 16) || ' UTC, while logs of other organisations go on.' as finding,
        'Find out why its logs stopped arriving.' as action, cast(null as date) as act_by, f.logs_to as since
    from exposure_facts as f
    cross join (select max(logs_to) as logs_to from exposure_facts) as l
    where not f.stale and f.logs_to < l.logs_to - interval 24 hour
    union all
    select
        s.organisation, s.server, 'warning' as severity, cast(1 as bigint) as degree, 'logs-behind' as subject,
        'Its logs end on ' || substr(cast(s.last_seen as varchar), 1, 16) || ' UTC, while logs of other servers of the organisation go on.' as finding,
        'Find out why its logs stopped arriving.' as action, cast(null as date) as act_by, s.last_seen as since
    from servers as s
    inner join exposure_facts as f on s.organisation = f.organisation
    where s.last_seen < f.logs_to - interval 24 hour
    union all
    select
        organisation, null as server, 'note' as severity, cast(1 as bigint) as degree, 'catalogue' as subject,
        'The logs are newer than the catalogue, which is of ' || cast(catalogue_as_of as varchar) || '.' as finding,
        'Lay newer tables over it with --reference, or install a newer release.' as action, cast(null as date) as act_by,
        cast(catalogue_as_of as timestamptz) as since
    from exposure_facts
    where logs_are_newer
    union all
    select
        organisation, null as server, 'note' as severity, handed_over_unknown as degree, 'scope' as subject,
        'Mail goes to Exchange Online, but nothing tells whether to its own tenant.' as finding,
        'Name the connector to the own tenant in organisations.toml.' as action, cast(null as date) as act_by,
        cast(null as timestamptz) as since
    from exposure_facts
    where handed_over_unknown > 0 and handed_over_in_scope = 0
    union all
    select
        organisation, server, 'warning' as severity, cast(1 as bigint) as degree,
        'report-conflict/' || field || '/' || coalesce(expected_by, '-') as subject,
        'The imported report and the logs differ in ' || field || ': ' || coalesce(max(reported), '-') || ' against '
        || coalesce(max(expected), '-') || '.' as finding,
        max(reading) as action, cast(null as date) as act_by, max(reported_as_of) as since
    from reconciliation
    where agreement = 'conflict'
    group by organisation, server, field, expected_by
),

together as (
    select organisation, server, severity, degree, subject, finding, action, act_by, since from mail_findings
    union all
    select organisation, server, severity, degree, subject, finding, action, act_by, since from clock_findings
    union all
    select organisation, server, severity, degree, subject, finding, action, act_by, since from build_findings
    union all
    select organisation, server, severity, degree, subject, finding, action, act_by, since from server_findings
    union all
    select organisation, server, severity, degree, subject, finding, action, act_by, since from message_findings
    union all
    select organisation, server, severity, degree, subject, finding, action, act_by, since from log_findings
)

-- Of old logs every sentence is dated, and none asks for something today but newer logs. A command that closes a gap stays as it is
-- pasted, and what the logs themselves are does not change.
select
    t.organisation, t.server, t.severity, t.degree,
    t.organisation || '/' || coalesce(t.server, '*') || '/' || t.subject as finding_key,
    case
        when t.subject in ('logs-ended', 'logs-behind', 'catalogue', 'suspected-throttling') then t.finding
        else concat_ws(' ', n.dated, t.finding)
    end as finding,
    case
        when n.stale and t.action is not null
            and (
                t.subject in ('mail', 'next-stage', 'build', 'exploited-flaws', 'support', 'two-builds', 'pending')
                or t.subject like 'other-refusal/%'
            )
            then concat_ws(' ', 'If newer logs still show it:', t.action)
        else t.action
    end as action,
    case when n.stale and t.subject <> 'logs-ended' and t.act_by <= m.today then null else t.act_by end as act_by, t.since
from together as t
cross join moments as m
left join log_spans as n on t.organisation = n.organisation
