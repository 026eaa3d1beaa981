-- title: The imported report beside the logs, field by field
-- answers: Where Microsoft's own report and the logs agree, where not, and what the difference would mean.
-- columns:
--   organisation: id of the organisation
--   server: server, first label in capitals
--   field_number: order of the fields, as the cmdlet writes them
--   field: field of Get-OnPremServerReportInfo
--   agreement: agrees, conflict, only in the report, only in the logs or not comparable
--   reported: what the report says
--   expected: what it is compared with
--   expected_by: logs, refusals, table of stages, catalogue or organisations.toml
--   reading: what the difference would mean; null where there is none
--   file: imported file; null where the report does not name the server
--   reported_as_of: when the cmdlet was run, else when it was imported, UTC
--   date_reading: how its dates were read
-- The latest report of a server counts. The cmdlet's zone is unknown: a difference of 14 hours to the logs is none.
-- materialised: small
with latest as (
    select *
    from (
        select
            i.*,
            -- a report that names a next stage was run before it began
            cast(least(i.as_of, coalesce(i.next_stage_start, i.as_of)) as date) as run_day,
            row_number() over (
                partition by i.organisation, i.server order by i.as_of desc, i.imported_at desc, i.file, i.server_fqdn
            ) as nth
        from imported_reports as i
    ) as ranked
    where nth = 1
),

ladders as (
    select i.organisation, i.server, max(cast(s.valid_from as date)) as valid_from
    from latest as i
    inner join ref_stages as s on cast(s.valid_from as date) <= i.run_day
    group by i.organisation, i.server
),

steps as (
    select
        l.organisation, l.server,
        min(case when s.throttle_minutes_per_hour > 0 then s.day_from end) as throttle_day,
        min(case when s.block_minutes_per_hour > 0 then s.day_from end) as block_day,
        max(s.day_from) as last_day,
        -- an empty cell of the table can have any number
        min(case when s.throttle_minutes_per_hour > 0 then s.stage end) as throttle_stage,
        min(
            case
                when i.next_stage_block = s.block_minutes_per_hour
                    and coalesce(i.next_stage_throttle, -1) = coalesce(s.throttle_minutes_per_hour, i.next_stage_throttle, -1)
                    then s.stage
            end
        ) as next_stage
    from ladders as l
    inner join latest as i on l.organisation = i.organisation and l.server = i.server
    inner join ref_stages as s on l.valid_from = cast(s.valid_from as date)
    group by l.organisation, l.server
),

next_days as (
    select t.organisation, t.server, s.day_from as next_day
    from steps as t
    inner join ladders as l on t.organisation = l.organisation and t.server = l.server
    inner join ref_stages as s on l.valid_from = cast(s.valid_from as date) and t.next_stage = s.stage
),

pauses as (
    select i.organisation, i.server, sum(date_diff('day', p.pause_from, p.pause_to) + 1) as days
    from latest as i
    inner join known_pauses as p
        on i.organisation = p.organisation and p.pause_from >= cast(i.first_detected as date)
        and p.pause_to < cast(i.next_stage_start as date)
    group by i.organisation, i.server
),

refused as (
    select
        i.organisation, i.server,
        min(r.refused_at - r.day_from * 86400) as detected_before,
        min(case when r.action = 'throttle' then r.refused_at end) as first_throttle,
        min(case when r.action = 'block' then r.refused_at end) as first_block,
        min(case when r.stage_from >= t.next_stage then r.refused_at end) as first_at_next,
        -- the report tells the stage of its own time
        max_by(r.stage_from, case when r.refused_at <= epoch(i.as_of) + 50400 then r.refused_at end) as stage_from,
        max_by(r.stage_to, case when r.refused_at <= epoch(i.as_of) + 50400 then r.refused_at end) as stage_to
    from latest as i
    inner join clock_refusals as r on i.organisation = r.organisation and i.server = r.server
    left join steps as t on i.organisation = t.organisation and i.server = t.server
    where r.stage_from is not null and not r.quoted_only
        and (i.first_detected is null or r.refused_at > epoch(i.first_detected) - 50400)
    group by i.organisation, i.server
),

run_floors as (
    select i.organisation, i.server, max(b.effective_from) as since
    from latest as i
    inner join ref_baselines as b
        on b.product = 'exchange-' || lower(replace(i.exchange_server, 'ExchangeServer', ''))
        and b.effective_from <= i.run_day and b.status <> 'announced'
    group by i.organisation, i.server
),

floors as (
    select f.organisation, f.server, min_by(b.minimum_build, b.build_key) as minimum_build
    from run_floors as f
    inner join latest as i on f.organisation = i.organisation and f.server = i.server
    inner join ref_baselines as b
        on b.product = 'exchange-' || lower(replace(i.exchange_server, 'ExchangeServer', '')) and b.effective_from = f.since
        and b.status <> 'announced'
    -- the floor of the update line that the oldest recommended build is of
    where b.build_key is not null
        and split_part(b.minimum_build, '.', 3) = split_part(split_part(i.recommended_builds, ',', 1), '.', 3)
    group by f.organisation, f.server
),

facts as materialized (
    select
        i.*, v.server as seen_server, v.build as seen_build, v.product as seen_product, b.build_key as seen_key,
        t.throttle_day, t.throttle_stage, t.block_day, t.last_day, t.next_stage, n.next_day, r.detected_before, r.first_throttle,
        r.first_block, r.first_at_next, r.stage_from, r.stage_to, coalesce(p.days, 0) as pause_days, f.minimum_build,
        k.first_detected as known_first_detected, split_part(i.recommended_builds, ',', 1) as lowest_recommended,
        epoch(i.throttle_enabled) - epoch(i.first_detected) - t.throttle_day * 86400 as throttle_off,
        epoch(i.blocking_enabled) - epoch(i.first_detected) - t.block_day * 86400 as block_off,
        epoch(i.next_stage_start) - epoch(i.first_detected) - n.next_day * 86400 as next_off
    from latest as i
    left join servers as v on i.organisation = v.organisation and i.server = v.server
    left join builds_seen as b on v.build = b.build
    left join steps as t on i.organisation = t.organisation and i.server = t.server
    left join next_days as n on i.organisation = n.organisation and i.server = n.server
    left join refused as r on i.organisation = r.organisation and i.server = r.server
    left join pauses as p on i.organisation = p.organisation and i.server = p.server
    left join floors as f on i.organisation = f.organisation and i.server = f.server
    left join (
        select organisation, upper(split_part(server, '.', 1)) as server, min(first_detected) as first_detected
        from known_first_detections
        group by organisation, upper(split_part(server, '.', 1))
    ) as k on i.organisation = k.organisation and i.server = k.server
),

-- whole days by which a date is off, as numbers and as words
counted as (
    select
        *, cast(round(next_off / 86400) as integer) as next_days_off,
        cast(abs(round(next_off / 86400)) as integer) as next_days_apart,
        cast(abs(round(throttle_off / 86400)) as integer) as throttle_days_apart,
        cast(abs(round(block_off / 86400)) as integer) as block_days_apart,
        abs(coalesce(throttle_off, 0)) <= 3600 and abs(coalesce(block_off, 0)) <= 3600 as fixed_dates_fit
    from facts
),

compared as (
    select
        organisation, server, 1 as field_number, 'ServerFQDN' as field,
        case when seen_server is not null then 'agrees' else 'only in the report' end as agreement,
        server_fqdn as reported, seen_server as expected, 'logs' as expected_by,
        case
            when seen_server is null
                then 'These logs hold nothing of this server: its logs are missing here, or it has another name in them.'
        end as reading
    from counted
    union all
    select
        organisation, server, 2, 'Build',
        case
            when build_key is null or seen_key is null then 'not comparable'
            when build_key = seen_key then 'agrees'
            else 'conflict'
        end,
        build, seen_build, 'logs',
        case
            when build_key < seen_key
                then 'The report has an older build: it was run before the update, or messages of this server still carry an old build (one member of a cluster, one way of submission).'
            when build_key > seen_key then 'The report has a newer build: these logs end before the update.'
        end
    from counted
    where build is not null
    union all
    select
        organisation, server, 3, 'ExchangeServer',
        case
            when regexp_extract(exchange_server, '([0-9]+)', 1) = '' or regexp_extract(seen_product, '([0-9]+)', 1) = ''
                then 'not comparable'
            when regexp_extract(exchange_server, '([0-9]+)', 1) = regexp_extract(seen_product, '([0-9]+)', 1) then 'agrees'
            else 'conflict'
        end,
        exchange_server, seen_product, 'logs', null
    from counted
    where exchange_server is not null and seen_product is not null
    union all
    select
        organisation, server, 4, 'FirstDetectedDate',
        case when epoch(first_detected) <= detected_before + 50400 then 'agrees' else 'conflict' end,
        substr(cast(first_detected as varchar), 1, 19),
        'not after ' || substr(cast(to_timestamp(detected_before) as varchar), 1, 19), 'refusals',
        case
            when epoch(first_detected) > detected_before + 50400
                then 'Refusals name a stage that this first detection cannot have reached: the server was detected before, an earlier episode went on, or its mail carries another server''s clock.'
        end
    from counted
    where first_detected is not null and detected_before is not null
    union all
    select
        organisation, server, 4, 'FirstDetectedDate',
        case when abs(epoch(first_detected) - epoch(known_first_detected)) <= 50400 then 'agrees' else 'conflict' end,
        substr(cast(first_detected as varchar), 1, 19), substr(cast(known_first_detected as varchar), 1, 19),
        'organisations.toml',
        case
            when abs(epoch(first_detected) - epoch(known_first_detected)) > 50400
                then 'organisations.toml has another first detection: correct it there, or the report is of a later episode.'
        end
    from counted
    where first_detected is not null and known_first_detected is not null
    union all
    select
        organisation, server, 6, 'ThrottleEnabledDate',
        case when abs(throttle_off) <= 3600 then 'agrees' else 'conflict' end,
        substr(cast(throttle_enabled as varchar), 1, 19),
        'day ' || cast(throttle_day as varchar) || ', ' || substr(cast(to_timestamp(epoch(first_detected) + throttle_day * 86400) as varchar), 1, 19),
        'table of stages',
        case
            when abs(throttle_off) > 3600
                then cast(throttle_days_apart as varchar) || ' days '
                    || case when throttle_off > 0 then 'later' else 'earlier' end
                    || ' than the table: a pause that moves this date too, or another ladder.'
        end
    from counted
    where throttle_off is not null
    union all
    select
        organisation, server, 6, 'ThrottleEnabledDate',
        case when first_throttle < epoch(throttle_enabled) - 50400 then 'conflict' else 'agrees' end,
        substr(cast(throttle_enabled as varchar), 1, 19),
        'not after the first temporary refusal, ' || substr(cast(to_timestamp(first_throttle) as varchar), 1, 19), 'refusals',
        case
            when first_throttle < epoch(throttle_enabled) - 50400
                then 'Mail was refused before this date: an earlier episode, or another server''s clock.'
        end
    from counted
    where throttle_enabled is not null and first_throttle is not null
    union all
    select
        organisation, server, 7, 'BlockingEnabledDate',
        case when abs(block_off) <= 3600 then 'agrees' else 'conflict' end,
        substr(cast(blocking_enabled as varchar), 1, 19),
        'day ' || cast(block_day as varchar) || ', ' || substr(cast(to_timestamp(epoch(first_detected) + block_day * 86400) as varchar), 1, 19),
        'table of stages',
        case
            when abs(block_off) > 3600
                then cast(block_days_apart as varchar) || ' days ' || case when block_off > 0 then 'later' else 'earlier' end
                    || ' than the table: a pause that moves this date too, or another ladder.'
        end
    from counted
    where block_off is not null
    union all
    select
        organisation, server, 7, 'BlockingEnabledDate',
        case when first_block < epoch(blocking_enabled) - 50400 then 'conflict' else 'agrees' end,
        substr(cast(blocking_enabled as varchar), 1, 19),
        'not after the first permanent refusal, ' || substr(cast(to_timestamp(first_block) as varchar), 1, 19), 'refusals',
        case
            when first_block < epoch(blocking_enabled) - 50400
                then 'Mail was refused for good before this date: an earlier episode, or another server''s clock.'
        end
    from counted
    where blocking_enabled is not null and first_block is not null
    union all
    select
        organisation, server, 8, 'NextStageThrottleRate, -BlockRate',
        case when next_stage is not null then 'agrees' else 'conflict' end,
        coalesce(cast(next_stage_throttle as varchar), 'empty') || ' and ' || coalesce(cast(next_stage_block as varchar), 'empty')
            || ' min/h',
        case when next_stage is not null then 'stage ' || cast(next_stage as varchar) else 'no stage has these numbers' end,
        'table of stages',
        case when next_stage is null then 'The ladder of this report is not the one of the catalogue.' end
    from counted
    where next_stage_throttle is not null or next_stage_block is not null
    union all
    select
        organisation, server, 8, 'NextStageThrottleRate, -BlockRate',
        case when next_stage - 1 between stage_from and coalesce(stage_to, stage_from) then 'agrees' else 'conflict' end,
        'stage ' || cast(next_stage - 1 as varchar) || ' before it',
        'stage ' || cast(stage_from as varchar)
            || case when stage_to > stage_from then ' to ' || cast(stage_to as varchar) else '' end,
        'refusals',
        case
            when stage_from > next_stage - 1 then 'The latest refusal is further along: the report is older than the logs.'
            when coalesce(stage_to, stage_from) < next_stage - 1
                then 'The latest refusal is less far along: the logs end before the report, or mail of another stage is refused.'
        end
    from counted
    where next_stage is not null and stage_from is not null
    union all
    select
        organisation, server, 10, 'NextStageStartDate',
        case when abs(next_off) <= 3600 then 'agrees' else 'conflict' end,
        substr(cast(next_stage_start as varchar), 1, 19),
        'day ' || cast(next_day as varchar) || ', ' || substr(cast(to_timestamp(epoch(first_detected) + next_day * 86400) as varchar), 1, 19),
        'table of stages',
        case
            when next_off > 3600
                then cast(next_days_apart as varchar) || ' days later than the table. Reading 1, a pause: the clock stood still for '
                    || cast(next_days_apart as varchar) || ' days in all, and the full block moves to '
                    || substr(cast(to_timestamp(epoch(first_detected) + (last_day + next_days_off) * 86400) as varchar), 1, 10)
                    || case
                        when pause_days = next_days_off then ' (the known pauses are of ' || cast(pause_days as varchar) || ' days: they explain it)'
                        when pause_days > 0 then ' (the known pauses are of ' || cast(pause_days as varchar) || ' days)'
                        else ''
                    end
                    || '. Reading 2, another ladder: stage ' || cast(next_stage as varchar) || ' begins on day '
                    || cast(next_day + next_days_off as varchar)
                    || case
                        when next_stage > throttle_stage
                            then ', ' || cast(round((next_day + next_days_off - throttle_day) * 10.0 / (next_stage - throttle_stage)) / 10.0 as varchar)
                                || ' days a step instead of '
                                || cast(round((next_day - throttle_day) * 10.0 / (next_stage - throttle_stage)) / 10.0 as varchar)
                                || case
                                    when abs(block_off) <= 3600
                                        then ', while blocking begins on day ' || cast(block_day as varchar) || ' by BlockingEnabledDate'
                                    else ''
                                end
                                || '; whether the full block moves, nothing tells'
                        else ''
                    end
                    || '.'
                    || case
                        when fixed_dates_fit and throttle_off is not null
                            then ' ThrottleEnabledDate and BlockingEnabledDate stand where the table has them: they do not move with a pause.'
                        else ''
                    end
            when next_off < -3600
                then cast(next_days_apart as varchar)
                    || ' days earlier than the table: another ladder, or enforcement did not begin with the first stage. No pause can explain it.'
        end
    from counted
    where next_off is not null
    union all
    select
        organisation, server, 10, 'NextStageStartDate',
        case when first_at_next < epoch(next_stage_start) - 50400 then 'conflict' else 'agrees' end,
        substr(cast(next_stage_start as varchar), 1, 19),
        'not after the first refusal of stage ' || cast(next_stage as varchar) || ', '
            || substr(cast(to_timestamp(first_at_next) as varchar), 1, 19),
        'refusals',
        case
            when first_at_next < epoch(next_stage_start) - 50400
                then 'Refusals name this stage before it should begin: an earlier episode, or another server''s clock.'
        end
    from counted
    where next_stage_start is not null and first_at_next is not null
    union all
    select
        organisation, server, 5, 'RecommendedBuildVersions',
        case when lowest_recommended = minimum_build then 'agrees' else 'conflict' end,
        'oldest: ' || lowest_recommended, 'floor: ' || minimum_build, 'catalogue',
        case
            when lowest_recommended <> minimum_build
                then 'The report is first-hand: the floor was another one when it was made, or the catalogue is behind (lay a newer enforcement_baselines.csv over it).'
        end
    from counted
    where recommended_builds is not null and minimum_build is not null
),

unnamed as (
    select v.organisation, v.server, v.build, v.refusals, v.accepted
    from servers as v
    inner join (select distinct organisation from latest) as o on v.organisation = o.organisation
    left join latest as i on v.organisation = i.organisation and v.server = i.server
    where i.server is null
        and (
            v.refusals > 0
            or (v.hand_overs_in_scope > 0 and v.accepted in ('below the floor', 'no build is accepted'))
        )
)

select
    c.organisation, c.server, c.field_number, c.field, c.agreement, c.reported, c.expected, c.expected_by, c.reading, i.file,
    i.as_of as reported_as_of, i.date_reading
from compared as c
inner join latest as i on c.organisation = i.organisation and c.server = i.server
union all
select
    u.organisation, u.server, 1, 'ServerFQDN', 'only in the logs', null, u.server, 'logs',
    case
        when u.refusals > 0
            then 'Exchange Online refused its mail, but no imported report names it: its messages may carry a wrong build or another server''s, or the report is older.'
        else 'Its build is below the floor and it hands over, but no imported report names it: it was not detected yet, or the report is older.'
    end,
    null, null, null
from unnamed as u
