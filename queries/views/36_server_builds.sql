-- title: Builds and generations of servers
-- answers: Which build each server ran from when to when, one row a stretch of time, and what proves it.
-- columns:
--   organisation: id of the organisation
--   server: server, first label in capitals
--   build: exact build; null where only the generation is known
--   generation: 2010, 2016, SE, 2013 or later, ...
--   build_name: name of the build in the catalogue
--   evidence: what says so
--   strength: strong or weak
--   first_seen: first row of this stretch, UTC; a build that comes back begins a new one
--   last_seen: last row of it, UTC
--   lines: rows that say so
--   interleaved: whether another build writes under the same name in between, as where one member stamps an old build
-- materialised: small, and asked for by many views
with hours as materialized (
    select * from tracking_hours where server is not null
),

turns as (
    select distinct a.organisation, a.server, a.build, a.hour
    from hours as a
    inner join hours as b
        on a.organisation = b.organisation and a.server = b.server and a.hour = b.hour
        and a.log_service is not distinct from b.log_service
    where a.build <> b.build and a.first_time < b.last_time and b.first_time < a.last_time
),

build_hours as (
    select
        h.organisation, h.server, h.build, h.hour, min(h.first_time) as first_time, max(h.last_time) as last_time,
        sum(h.lines) as lines, bool_or(t.build is not null) as in_turns
    from hours as h
    left join turns as t
        on h.organisation = t.organisation and h.server = t.server and h.build = t.build and h.hour = t.hour
    where h.build is not null and h.build not like '15.20.%'
    group by h.organisation, h.server, h.build, h.hour
),

-- steps in the order of time: a build in an hour, or together those that take turns in it
steps as (
    select
        *,
        dense_rank() over (
            partition by organisation, server
            order by case when in_turns then first_in_turns else first_time end
        ) as step
    from (
        select
            *,
            min(case when in_turns then first_time end) over (partition by organisation, server, hour) as first_in_turns,
            bool_or(in_turns) over (partition by organisation, server, build) as takes_turns
        from build_hours
    ) as marked
),

followed as (
    select
        *, lag(step) over (partition by organisation, server, build order by step) as step_before,
        lag(last_time) over (partition by organisation, server, build order by step) as seen_before
    from steps
),

-- a build that was away comes back in a stretch of its own; of builds that take turns an absence below a day is none
stretches as (
    select
        *,
        sum(
            case
                when step_before is null or step = step_before + 1 then 0
                when takes_turns and first_time - seen_before < interval 24 hour then 0
                else 1
            end
        ) over (partition by organisation, server, build order by step rows between unbounded preceding and current row)
            as stretch
    from followed
),

builds as (
    select
        organisation, server, build, min(first_time) as first_seen, max(last_time) as last_seen, sum(lines) as lines,
        bool_or(in_turns) as interleaved
    from stretches
    group by organisation, server, build, stretch
),

-- the header of 2010 and 2007 holds a constant; only where one product has the major number it names the generation
generations as (
    select split_part(version_prefix, '.', 1) as major, upper(replace(min(product), 'exchange-', '')) as generation
    from ref_lifecycle
    group by split_part(version_prefix, '.', 1)
    having count(distinct product) = 1
),

versions as (
    select
        organisation, server, log_version, log_service, 'message-tracking' as kind, min(first_time) as first_seen,
        max(last_time) as last_seen, sum(lines) as lines
    from hours
    where build is null
    group by organisation, server, log_version, log_service
    union all
    select
        organisation, upper(split_part(server, '.', 1)) as server, log_version, log_service, kind,
        min(first_time) as first_seen, max(last_time) as last_seen, sum(rows) as lines
    from source_ranges
    where in_window and kind <> 'message-tracking' and server is not null and rows > 0
    group by organisation, upper(split_part(server, '.', 1)), log_version, log_service, kind
),

signals as (
    select
        v.organisation, v.server, coalesce(g.generation, '2013 or later') as generation,
        case
            when g.generation is not null then 'version ' || v.log_version || ' in the header of ' || v.kind
            when v.log_service in ('frontend', 'hub', 'mailbox-delivery', 'mailbox-submission')
                then 'logs of the service ' || v.log_service
            else 'version ' || v.log_version || ' in the header of ' || v.kind
        end as evidence,
        case
            when g.generation is not null
                or v.log_service in ('frontend', 'hub', 'mailbox-delivery', 'mailbox-submission') then 'strong'
            else 'weak'
        end as strength,
        v.first_seen, v.last_seen, v.lines
    from versions as v
    left join generations as g on split_part(v.log_version, '.', 1) = g.major
    where g.generation is not null or v.log_version like '15.%'
        or v.log_service in ('frontend', 'hub', 'mailbox-delivery', 'mailbox-submission')
)

select
    b.organisation, b.server, b.build, f.product_name as generation, f.build_name,
    'version in the tracking log of the server itself' as evidence, 'strong' as strength,
    b.first_seen, b.last_seen, cast(b.lines as bigint) as lines, b.interleaved
from builds as b
left join build_facts as f on b.build = f.build
union all
select
    organisation, server, cast(null as varchar) as build, generation, cast(null as varchar) as build_name, evidence,
    strength, min(first_seen) as first_seen, max(last_seen) as last_seen, cast(sum(lines) as bigint) as lines,
    false as interleaved
from signals
group by organisation, server, generation, evidence, strength
