-- title: Builds in the logs, as the catalogue names them
-- answers: Which product and update each build in the logs is.
-- columns:
--   build: build as the log has it; null in the rows that describe a product alone
--   product: product id of the catalogue; null where the catalogue does not know the number
--   cumulative_update: CU, SP or rollup; null where neither the build nor its line is listed
--   security_update: security or hotfix update; null where the build is not listed
--   release_date: day of release; of an unlisted build, of the nearest listed one below it in its line
--   listed: whether the catalogue lists the build
--   build_key: the four numbers as one that sorts
--   version_prefix: the first two numbers
--   major: the first number
with seen as (
    select distinct build from tracking_hours
    -- 15.20 is Exchange Online, never an on-premises server
    where build is not null and build not like '15.20.%'
),

numbers as (
    select
        s.build,
        try_cast(split_part(coalesce(a.canonical_build, s.build), '.', 1) as bigint) as major,
        try_cast(split_part(coalesce(a.canonical_build, s.build), '.', 2) as bigint) as minor,
        try_cast(split_part(coalesce(a.canonical_build, s.build), '.', 3) as bigint) as third,
        try_cast(split_part(coalesce(a.canonical_build, s.build), '.', 4) as bigint) as revision
    from seen as s
    left join ref_build_aliases as a on s.build = a.build_number
),

keys as (
    select build, major, minor, ((major * 1000 + minor) * 100000 + third) * 100000 + revision as build_key from numbers
),

catalogue as (
    select
        build_number, product, cumulative_update, security_update, release_date, build_key,
        build_key // 100000 as line_key, build_key // 10000000000 as prefix_key
    from ref_builds
),

-- the nearest listed build below, in the same line first, else of the same major and minor number
nearest as (
    select
        k.build,
        max_by(c.product, c.build_key) as product,
        max_by(c.cumulative_update, case when c.line_key = k.build_key // 100000 then c.build_key end) as cumulative_update,
        max_by(c.security_update, case when c.build_key = k.build_key then c.build_key end) as security_update,
        max_by(c.release_date, case when c.line_key = k.build_key // 100000 then c.build_key end) as release_date,
        bool_or(c.build_key = k.build_key) as listed
    from keys as k
    inner join catalogue as c on c.build_key <= k.build_key and c.prefix_key = k.build_key // 10000000000
    group by k.build
)

select
    k.build, n.product, n.cumulative_update, n.security_update, n.release_date, coalesce(n.listed, false) as listed,
    k.build_key, cast(k.major as varchar) || '.' || cast(k.minor as varchar) as version_prefix, k.major
from keys as k
left join nearest as n on k.build = n.build
union all
select
    cast(null as varchar), product, cast(null as varchar), cast(null as varchar), cast(null as date), false,
    cast(null as bigint), max(version_prefix), cast(null as bigint)
from ref_lifecycle
group by product
