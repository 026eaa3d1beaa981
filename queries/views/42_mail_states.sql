-- title: What happened to the mail of each server and organisation
-- answers: Whether Exchange Online accepts, delays or refuses the mail of a server, and of the whole organisation.
-- columns:
--   organisation: id of the organisation
--   server: first label in capitals; empty text = the whole organisation
--   state: accepted, delayed, partly blocked, fully blocked, recovered since, not connecting, no hand-over in the window or not visible here
--   stage: stage of enforcement that the latest refusal names; null where none or where the table lacks the number
--   stage_to: last stage that can say so, where the throttle minutes of later stages are not public; else null
--   minutes_per_hour: minutes per hour in the latest refusal that decides
--   deciding_action: throttle or block
--   refusals: refusals
--   first_refusal: first, UTC
--   last_refusal: last, UTC
--   hours_accepted_since: clock hours after the last refusal in which mail in scope was accepted
--   handed_over_in_scope: messages accepted on paths under enforcement
--   handed_over_unknown: messages accepted on paths of which nothing tells the scope
--   handed_over_out_of_scope: messages accepted on paths that are not under enforcement
--   logs_until: last row of the organisation's logs before --until, UTC
-- materialised: small, and asked for by many views
with events as materialized (
    select organisation, server, time, action, minutes_per_hour from refusal_events
),

hand_overs_by_hour as materialized (
    select organisation, server, hour, in_scope, messages from hand_overs where messages > 0
),

scoped_events as (
    select organisation, server as scope_server, time, action, minutes_per_hour from events where server is not null
    union all
    select organisation, '' as scope_server, time, action, minutes_per_hour from events
),

scoped_hand_overs as (
    select organisation, server as scope_server, hour, in_scope, messages from hand_overs_by_hour where server is not null
    union all
    select organisation, '' as scope_server, hour, in_scope, messages from hand_overs_by_hour
),

log_ends as (
    select
        s.organisation,
        max(case when p.until is null or s.first_time < p.until then least(s.last_time, coalesce(p.until, s.last_time)) end)
            as logs_until
    from source_ranges as s
    cross join parameters as p
    group by s.organisation
),

totals as (
    select
        organisation, scope_server, count(*) as refusals, min(time) as first_refusal, max(time) as last_refusal
    from scoped_events
    group by organisation, scope_server
),

-- the last day of refusals decides; a block outweighs a throttle, since it costs mail
deciding as (
    select
        t.organisation, t.scope_server,
        max_by(coalesce(e.minutes_per_hour, 0), case when e.action = 'block' then e.time end) as block_minutes,
        max_by(coalesce(e.minutes_per_hour, 0), case when e.action = 'throttle' then e.time end) as throttle_minutes,
        bool_or(e.action = 'block') as is_blocked
    from totals as t
    inner join scoped_events as e
        on t.organisation = e.organisation and t.scope_server = e.scope_server
        and e.time >= t.last_refusal - interval 24 hour
    group by t.organisation, t.scope_server
),

accepted as (
    select
        h.organisation, h.scope_server,
        sum(case when h.in_scope = 'yes' then h.messages else 0 end) as in_scope,
        sum(case when h.in_scope = 'unknown' then h.messages else 0 end) as scope_unknown,
        sum(case when h.in_scope = 'no' then h.messages else 0 end) as out_of_scope,
        count(distinct case when h.in_scope = 'yes' and h.hour > t.last_refusal then h.hour end) as hours_since
    from scoped_hand_overs as h
    left join totals as t on h.organisation = t.organisation and h.scope_server = t.scope_server
    group by h.organisation, h.scope_server
),

-- A server whose mail is blocked in all of the hour, by the replies, and passes in a later hour of the same time all the same:
-- one path of several stamps an old build. Mail of other servers does not tell that of a blocked one.
whole_hours as (
    select e.organisation, e.server, min(e.time) as first_time
    from events as e
    inner join totals as t
        on e.organisation = t.organisation and e.server = t.scope_server and e.time >= t.last_refusal - interval 24 hour
    where e.action = 'block' and e.minutes_per_hour >= 60
    group by e.organisation, e.server
),

passing as (
    select w.organisation, w.server, bool_or(h.hour is not null) as passes
    from whole_hours as w
    left join totals as t on w.organisation = t.organisation and w.server = t.scope_server
    left join hand_overs_by_hour as h
        on w.organisation = h.organisation and w.server = h.server and h.in_scope = 'yes'
        and h.hour > w.first_time and h.hour <= t.last_refusal
    group by w.organisation, w.server
),

wholly_blocked as (
    select organisation, server as scope_server, not passes as is_whole from passing
    union all
    select organisation, '' as scope_server, not bool_and(passes) as is_whole from passing group by organisation
),

-- one host outside these logs that takes nearly all other mail is a gateway or Edge server: what it does is not seen
other_hops as (
    select n.organisation, n.next_hop, sum(n.messages) as messages
    from next_hops as n
    left join (
        select distinct organisation, server from tracking_hours where server is not null
    ) as s on n.organisation = s.organisation and upper(split_part(n.next_hop, '.', 1)) = s.server
    where not n.to_exchange_online and s.server is null and n.next_hop is not null
    group by n.organisation, n.next_hop
),

gateways as (
    select organisation
    from other_hops
    group by organisation
    having max(messages) * 5 >= sum(messages) * 4
),

subjects as (
    select organisation, '' as scope_server from log_ends
    union
    select organisation, '' as scope_server from organisations
    union
    select organisation, scope_server from totals
    union
    select organisation, scope_server from accepted
    union
    select organisation, server as scope_server from tracking_hours where server is not null
    union
    select organisation, upper(split_part(server, '.', 1)) as scope_server from source_ranges where in_window and server is not null
),

-- the table of stages that was valid at the last refusal
ladders as (
    select t.organisation, t.scope_server, max(cast(s.valid_from as date)) as valid_from
    from totals as t
    inner join ref_stages as s on cast(s.valid_from as date) <= cast(t.last_refusal as date)
    group by t.organisation, t.scope_server
),

named as (
    select
        d.organisation, d.scope_server,
        min(case when d.block_minutes > 0 and s.block_minutes_per_hour = d.block_minutes then s.stage end) as block_stage,
        min(case when d.throttle_minutes > 0 and s.throttle_minutes_per_hour = d.throttle_minutes then s.stage end)
            as throttle_stage,
        max(s.throttle_minutes_per_hour) as highest_throttle,
        max(case when s.throttle_minutes_per_hour is null then s.stage end) as unknown_to
    from deciding as d
    inner join ladders as l on d.organisation = l.organisation and d.scope_server = l.scope_server
    inner join ref_stages as s on cast(s.valid_from as date) = l.valid_from
    group by d.organisation, d.scope_server
),

-- tracking of a server decides what its silence means; rows count, not sources, which may lie outside the window
tracked as (
    select distinct organisation, server as scope_server from tracking_hours where server is not null
    union
    select distinct organisation, '' as scope_server from tracking_hours
)

select
    s.organisation, s.scope_server as server,
    case
        when t.refusals > 0 and e.logs_until - t.last_refusal > interval 24 hour and a.hours_since >= 6 then 'recovered since'
        when d.is_blocked and d.block_minutes >= 60 and coalesce(f.is_whole, true) then 'fully blocked'
        when d.is_blocked then 'partly blocked'
        when t.refusals > 0 then 'delayed'
        when a.in_scope > 0 then 'accepted'
        when a.scope_unknown > 0 then 'not visible here'
        when g.organisation is not null then 'not visible here'
        -- a part of the logs does not show that nothing is ever handed over
        when r.scope_server is not null and w.since is not null then 'no hand-over in the window'
        when r.scope_server is not null then 'not connecting'
        else 'not visible here'
    end as state,
    case when d.is_blocked then b.block_stage else b.throttle_stage end as stage,
    case
        when not d.is_blocked and d.throttle_minutes = b.highest_throttle and b.unknown_to > b.throttle_stage then b.unknown_to
    end as stage_to,
    nullif(case when d.is_blocked then d.block_minutes else d.throttle_minutes end, 0) as minutes_per_hour,
    case when d.is_blocked then 'block' when t.refusals > 0 then 'throttle' end as deciding_action,
    coalesce(t.refusals, 0) as refusals, t.first_refusal, t.last_refusal,
    coalesce(a.hours_since, 0) as hours_accepted_since,
    cast(coalesce(a.in_scope, 0) as bigint) as handed_over_in_scope,
    cast(coalesce(a.scope_unknown, 0) as bigint) as handed_over_unknown,
    cast(coalesce(a.out_of_scope, 0) as bigint) as handed_over_out_of_scope,
    e.logs_until
from subjects as s
cross join parameters as w
left join log_ends as e on s.organisation = e.organisation
left join totals as t on s.organisation = t.organisation and s.scope_server = t.scope_server
left join deciding as d on s.organisation = d.organisation and s.scope_server = d.scope_server
left join wholly_blocked as f on s.organisation = f.organisation and s.scope_server = f.scope_server
left join accepted as a on s.organisation = a.organisation and s.scope_server = a.scope_server
left join gateways as g on s.organisation = g.organisation
left join tracked as r on s.organisation = r.organisation and s.scope_server = r.scope_server
left join named as b on s.organisation = b.organisation and s.scope_server = b.scope_server
