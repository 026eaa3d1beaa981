-- title: What a server's build and hand-overs say of enforcement
-- answers: Whether a server without refusals will be refused, and since when it can have been detected.
-- columns:
--   organisation: id of the organisation
--   server: first label in capitals
--   build: lowest build that it ran on its last day in the logs; null where unknown
--   product: product id of the catalogue
--   accepted: accepted, below the floor, no build is accepted, floor not public or build unknown
--   accepted_after_next_raise: yes, no, unknown or not announced
--   below_since: day from which a published floor is above this build
--   earlier_floor_unknown: whether an earlier floor, whose value is not public, may have been above it too
--   first_hand_over: first hour with mail in scope, UTC
--   last_hand_over: last hour with mail in scope, UTC
--   days_without: days of logs before the first hand-over
--   in_scope: messages accepted on paths under enforcement
--   scope_unknown: messages accepted on paths of unknown scope
--   out_of_scope: messages accepted on paths that are not under enforcement
--   first_log: first row of its tracking, UTC
--   last_log: last row of its tracking, UTC
-- materialised: small
with lasts as (
    select
        b.organisation, b.server, b.build, f.product, b.generation, f.build_key, b.last_seen,
        max(b.last_seen) over (partition by b.organisation, b.server) as last_of_all
    from server_builds as b
    left join build_facts as f on b.build = f.build
),

ranked as (
    select
        *,
        row_number() over (
            partition by organisation, server
            order by case when build is null then 1 else 0 end, build_key, build, generation
        ) as nth
    from lasts
    where last_seen >= last_of_all - interval 24 hour
),

-- a generation of one product is that product, without a build
described as (
    select
        r.organisation, r.server, r.build, coalesce(r.product, 'exchange-' || lower(r.generation)) as product
    from ranked as r
    where r.nth = 1
),

facts as (
    select
        d.organisation, d.server, d.build, f.product, f.cumulative_update, f.build_key, f.accepted,
            f.accepted_after_next_raise
    from described as d
    inner join build_facts as f on d.product = f.product and d.build is not distinct from f.build
),

floors as (
    select
        f.organisation, f.server, min(f.build_key) as build_key,
        min(case when b.minimum_build = 'none' or b.build_key > f.build_key then b.effective_from end) as below_since,
        min(case when b.minimum_build is null then b.effective_from end) as unknown_since
    from facts as f
    cross join parameters as p
    inner join ref_baselines as b
        on f.product = b.product and b.status <> 'announced' and b.effective_from <= cast(p.as_of as date)
    left join (
        select distinct product, cumulative_update from ref_baselines where cumulative_update is not null
    ) as k on f.product = k.product and f.cumulative_update = k.cumulative_update
    where b.cumulative_update is null or b.cumulative_update = f.cumulative_update or k.product is null
    group by f.organisation, f.server
),

handed as (
    select
        organisation, server,
        min(case when in_scope = 'yes' and messages > 0 then hour end) as first_hand_over,
        max(case when in_scope = 'yes' and messages > 0 then hour end) as last_hand_over,
        sum(case when in_scope = 'yes' then messages else 0 end) as in_scope,
        sum(case when in_scope = 'unknown' then messages else 0 end) as scope_unknown,
        sum(case when in_scope = 'no' then messages else 0 end) as out_of_scope
    from hand_overs
    where server is not null
    group by organisation, server
),

tracked as (
    select organisation, server, min(first_time) as first_log, max(last_time) as last_log
    from tracking_hours
    where server is not null
    group by organisation, server
),

earlier_days as (
    select h.organisation, h.server, count(distinct cast(t.hour as date)) as days
    from handed as h
    inner join tracking_hours as t
        on h.organisation = t.organisation and h.server = t.server and t.hour < h.first_hand_over
    group by h.organisation, h.server
),

subjects as (
    select organisation, server from tracked
    union
    select organisation, server from handed
    union
    select organisation, server from server_builds
    union
    select organisation, server from clock_runs where server <> ''
)

select
    s.organisation, s.server, f.build, f.product, coalesce(f.accepted, 'build unknown') as accepted,
    coalesce(f.accepted_after_next_raise, 'unknown') as accepted_after_next_raise, l.below_since,
    coalesce(l.unknown_since < l.below_since, false) as earlier_floor_unknown, h.first_hand_over, h.last_hand_over,
    coalesce(e.days, 0) as days_without, cast(coalesce(h.in_scope, 0) as bigint) as in_scope,
    cast(coalesce(h.scope_unknown, 0) as bigint) as scope_unknown,
    cast(coalesce(h.out_of_scope, 0) as bigint) as out_of_scope, t.first_log, t.last_log
from subjects as s
left join facts as f on s.organisation = f.organisation and s.server = f.server
left join floors as l on s.organisation = l.organisation and s.server = l.server
left join handed as h on s.organisation = h.organisation and s.server = h.server
left join tracked as t on s.organisation = t.organisation and s.server = t.server
left join earlier_days as e on s.organisation = e.organisation and s.server = e.server
