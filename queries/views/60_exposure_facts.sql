-- title: What is known of each organisation, as numbers
-- answers: The figures behind the exposure of an organisation.
-- columns:
--   organisation: id of the organisation
--   display_name: its name in organisations.toml, else as it was given or its folder is named, else the id
--   state: what happened to the mail
--   stage: stage of enforcement that the latest refusal names
--   stage_to: last stage that can say so, where throttle minutes are not public; else null
--   minutes_per_hour: minutes per hour in it
--   deciding_action: throttle or block
--   handed_over_in_scope: messages accepted on paths under enforcement
--   handed_over_unknown: messages accepted on paths of unknown scope
--   refusals: refusals, each once
--   first_refusal: first, UTC
--   last_refusal: last, UTC
--   servers: servers in the logs
--   out_of_date: servers below the floor, or of which no build is accepted
--   refused: servers whose mail was refused
--   lost_after_raise: servers accepted today that the next raise refuses
--   unsure_after_raise: servers accepted today that the next raise may refuse
--   risk: 1 accepted today, 2 build unknown, 3 floor not public, 4 refused after the next raise, 5 below the floor, 6 no build accepted
--   is_disputed: whether sources disagree on the floor of a server
--   interleaved: whether two builds write under one server name in turns
--   out_of_date_names: names of the servers out of date
--   delayed: delayed messages
--   pending: delayed messages without an end in the logs
--   longest: longest delay, seconds
--   middle: median delay, seconds
--   bounced: bounced messages
--   logs_from: first row in the time looked at, UTC
--   logs_to: last row in the time looked at, UTC
--   has_logs: whether there are logs at all, in the time looked at or not
--   as_of: report date
--   stale: whether the logs end more than 48 hours before the report date
--   blind_spots: gaps, counted by server, connector and log kind
--   catalogue_as_of: state of the catalogue
--   logs_are_newer: whether the logs are newer than the catalogue
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
with states as (
    select * from mail_states where server = ''
),

server_rows as materialized (
    select
        *,
        case build_risk
            when 'no build is accepted' then 6
            when 'below the floor' then 5
            when 'accepted today, refused after the next raise' then 4
            when 'floor not public' then 3
            when 'build unknown' then 2
            else 1
        end as risk,
        hand_overs_in_scope > 0 or refusals > 0 as hands_over
    from servers
),

server_counts as (
    select
        organisation, count(*) as servers,
        count(case when accepted in ('below the floor', 'no build is accepted') then 1 end) as out_of_date,
        count(case when refusals > 0 then 1 end) as refused,
        count(case when accepted_after_next_raise = 'no' and accepted = 'accepted' then 1 end) as lost_after_raise,
        count(case when accepted_after_next_raise = 'unknown' and accepted = 'accepted' then 1 end) as unsure_after_raise,
        coalesce(max(case when hands_over then risk end), max(risk)) as risk,
        bool_or(coalesce(baseline_status = 'disputed', false)) as is_disputed,
        bool_or(interleaved) as interleaved,
        string_agg(case when accepted in ('below the floor', 'no build is accepted') then server end, ', ' order by server)
            as out_of_date_names
    from server_rows
    group by organisation
),

delayed as (
    select
        organisation, count(*) as messages, count(case when outcome = 'pending' then 1 end) as pending,
        max(case when outcome = 'accepted' then delay_seconds end) as longest,
        median(case when outcome = 'accepted' then delay_seconds end) as middle
    from delayed_messages
    group by organisation
),

bounced as (
    select organisation, count(*) as messages from bounced_messages group by organisation
),

blind as (
    select organisation, count(*) as spots
    from (
        select distinct organisation, server, connector, log_kind, gap from coverage where gap is not null
    ) as gaps
    group by organisation
),

clocks as (
    select *
    from (
        select
            *,
            row_number() over (
                partition by organisation
                order by
                    coalesce(stage, 0) desc, coalesce(full_block_earliest, timestamptz '0001-01-01 00:00:00+00'), server
            ) as nth
        from server_clocks
        where basis is not null
    ) as ranked
    where nth = 1
),

catalogue as (
    select max(as_of) as as_of from ref_catalogue
)

select
    s.organisation, coalesce(o.display_name, x.name_found, s.organisation) as display_name, s.state, s.stage, s.stage_to, s.minutes_per_hour,
    s.deciding_action, s.handed_over_in_scope, s.handed_over_unknown, s.refusals, s.first_refusal, s.last_refusal,
    coalesce(c.servers, 0) as servers, coalesce(c.out_of_date, 0) as out_of_date, coalesce(c.refused, 0) as refused,
    coalesce(c.lost_after_raise, 0) as lost_after_raise, coalesce(c.unsure_after_raise, 0) as unsure_after_raise,
    coalesce(c.risk, 2) as risk, coalesce(c.is_disputed, false) as is_disputed,
    coalesce(c.interleaved, false) as interleaved, c.out_of_date_names,
    coalesce(d.messages, 0) as delayed, coalesce(d.pending, 0) as pending, d.longest, d.middle,
    coalesce(b.messages, 0) as bounced, n.logs_from, n.logs_to, x.organisation is not null as has_logs, p.as_of,
    n.logs_to is null or n.stale as stale, coalesce(g.spots, 0) as blind_spots,
    k.as_of as catalogue_as_of, coalesce(cast(n.logs_to as date) > k.as_of, false) as logs_are_newer,
    t.server as clock_server, t.state as clock_state, t.stage_earliest, t.stage_latest, t.first_detected_earliest,
    t.first_detected_latest, t.next_stage, t.next_stage_earliest, t.next_stage_latest, t.next_stage_latest_if_paused,
    t.full_block_earliest, t.full_block_latest, t.full_block_latest_if_paused, t.days_to_next_stage,
    t.days_to_full_block, t.basis, t.act_by, t.confidence
from states as s
cross join parameters as p
cross join catalogue as k
left join organisations as o on s.organisation = o.organisation
left join (
    select organisation, max(organisation_name) as name_found from source_ranges group by organisation
) as x on s.organisation = x.organisation
left join server_counts as c on s.organisation = c.organisation
left join delayed as d on s.organisation = d.organisation
left join bounced as b on s.organisation = b.organisation
left join log_spans as n on s.organisation = n.organisation
left join clocks as t on s.organisation = t.organisation
left join blind as g on s.organisation = g.organisation
where p.organisation is null or p.organisation = s.organisation
