-- title: Times in which a server ran an accepted build
-- answers: Whether and when an upgrade ended an episode of enforcement, and whether the server fell back.
-- kept: small, and asked for by many views
-- columns:
--   organisation: id of the organisation
--   server: first label in capitals
--   nth: number of the time, from 1
--   builds: builds in it, joined with ,
--   accepted_from: first hour with an accepted build, seconds since 1970
--   accepted_to: end of its last hour, seconds since 1970
--   below_before: end of the last hour with a build below the floor before it, seconds since 1970; null = none
--   below_after: first hour with a build below the floor after it, seconds since 1970; null = none
-- Accepted is a build at or above a floor whose value is known at that time; an unknown or disputed floor says nothing.
with seen as (
    select
        organisation, server, build, cast(hour as date) as day, cast(floor(epoch(hour)) as bigint) as hour
    from tracking_hours
    where server is not null and build is not null
),

days as (
    select distinct s.build, s.day, b.product, b.cumulative_update, b.build_key
    from seen as s
    inner join builds_seen as b on s.build = b.build
),

lines as (
    select
        d.build, d.day, min(d.build_key) as build_key,
        max_by(coalesce(f.minimum_build, ''), f.effective_from) as minimum_build,
        max_by(f.build_key is not null and f.status <> 'disputed', f.effective_from) as is_known,
        max(f.build_key) as highest_key
    from days as d
    inner join ref_baselines as f
        on d.product = f.product and f.effective_from <= d.day and f.status <> 'announced'
        and (f.cumulative_update is null or f.cumulative_update = d.cumulative_update)
    group by d.build, d.day
),

products as (
    select d.build, d.day, min(d.build_key) as build_key, min(f.build_key) as lowest_key
    from days as d
    inner join ref_baselines as f
        on d.product = f.product and f.effective_from <= d.day and f.status <> 'announced'
    group by d.build, d.day
),

-- of a line without a floor of its own the lowest floor of the product decides
standings as (
    select
        p.build, p.day,
        case
            when l.minimum_build = 'none' then 'below'
            when p.build_key < coalesce(l.highest_key, p.lowest_key) then 'below'
            when l.is_known then 'accepted'
            else 'unknown'
        end as standing
    from products as p
    left join lines as l on p.build = l.build and p.day = l.day
),

-- the lower of two builds in one hour counts
hours as (
    select
        s.organisation, s.server, s.hour,
        case
            when bool_or(coalesce(t.standing, 'unknown') = 'below') then 'below'
            when bool_or(coalesce(t.standing, 'unknown') = 'unknown') then 'unknown'
            else 'accepted'
        end as standing,
        string_agg(distinct s.build, ', ' order by s.build) as builds
    from seen as s
    left join standings as t on s.build = t.build and s.day = t.day
    group by s.organisation, s.server, s.hour
),

changes as (
    select
        *, lag(standing) over (partition by organisation, server order by hour) as previous
    from hours
    where standing <> 'unknown'
),

numbered as (
    select
        *,
        sum(case when previous is null or previous <> standing then 1 else 0 end) over (
            partition by organisation, server order by hour rows between unbounded preceding and current row
        ) as island
    from changes
),

islands as (
    select
        organisation, server, island, standing, max(builds) as builds, min(hour) as first_hour,
            max(hour) + 3600 as last_hour
    from numbered
    group by organisation, server, island, standing
),

neighbours as (
    select
        *,
        lag(last_hour) over (partition by organisation, server order by island) as before,
        lead(first_hour) over (partition by organisation, server order by island) as after
    from islands
)

-- builds that take turns are no upgrade: a time that ends within a day does not count
select
    organisation, server, row_number() over (partition by organisation, server order by first_hour) as nth, builds,
    first_hour as accepted_from, last_hour as accepted_to, before as below_before, after as below_after
from neighbours
where standing = 'accepted' and (after is null or last_hour - first_hour >= 86400)
