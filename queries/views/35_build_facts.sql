-- title: What the catalogue says of each build in the logs, and of each product without a build
-- answers: Product, name, age, floor, support and known flaws of a build at the report date.
-- columns:
--   build: build as the log has it; null in the rows that describe a product alone
--   product: product id of the catalogue; null where the catalogue does not know the number
--   product_name: 2016, 2019, SE, ...
--   cumulative_update: CU, SP or rollup; null where the build is not listed and its line is not either
--   build_name: such as 2016 CU23 Oct25SU; says so where the build is not listed
--   listed: whether the catalogue lists the build
--   build_key: the four numbers as one that sorts
--   release_date: day of release; of an unlisted build, of the nearest listed one below it in its line
--   newest_build: newest build of the same product and update line at the report date
--   newest_release_date: its day of release
--   builds_behind: listed builds between this one and the newest, the newest included
--   days_behind: days between the two releases
--   baseline_build: oldest accepted build of the line at the report date; none = no build; null = not public
--   baseline_since: from when
--   baseline_status: published, reported or disputed
--   accepted: accepted, below the floor, no build is accepted, floor not public or build unknown
--   accepted_after_next_raise: yes, no, unknown or not announced
--   end_of_support: last day of extended support
--   esu_end: last day of paid updates; null where there are none
--   supported: yes, only with paid updates (ESU) or no
--   known_exploited_cves_open: known exploited flaws that this build does not fix; null where the build is unknown
--   cves_open: known flaws that this build does not fix; null where the build is unknown
-- materialised: small, and asked for by many views
with today as (
    select cast(as_of as date) as day from parameters
),

-- rollups of 2007 and 2010 stand in one line a service pack, those of 2013 and later in one a CU
newest as (
    select
        s.build, max(c.build_key) as build_key, max_by(c.build_number, c.build_key) as build_number,
        max_by(c.release_date, c.build_key) as release_date, count(case when c.build_key > s.build_key then 1 end) as behind
    from builds_seen as s
    cross join today as t
    inner join ref_builds as c
        on s.product = c.product and c.release_date <= t.day
        and case
            when s.major < 15 then c.build_key // 10000000000 = s.build_key // 10000000000
            else c.cumulative_update = s.cumulative_update
        end
    where s.build is not null
    group by s.build
),

-- a row of the same line decides; without one, the highest fixed build of the product does
flaws as (
    select
        s.build, v.cve, bool_or(v.kev = 'yes') as exploited,
        coalesce(
            min(case when v.build_key // 100000 = s.build_key // 100000 then v.build_key end), max(v.build_key)
        ) > min(s.build_key) as is_open
    from builds_seen as s
    inner join ref_cves as v on s.product = v.product
    where s.build is not null
    group by s.build, v.cve
),

flaw_counts as (
    select build, count(case when is_open and exploited then 1 end) as exploited, count(case when is_open then 1 end) as total
    from flaws
    group by build
)

select
    s.build, s.product, upper(replace(s.product, 'exchange-', '')) as product_name, s.cumulative_update,
    case
        when s.build is null or s.product is null then null
        when s.listed
            then concat_ws(' ', upper(replace(s.product, 'exchange-', '')), s.cumulative_update, s.security_update)
        else 'unlisted build of ' || concat_ws(' ', upper(replace(s.product, 'exchange-', '')), s.cumulative_update)
    end as build_name,
    s.listed, s.build_key, s.release_date, n.build_number as newest_build, n.release_date as newest_release_date,
    n.behind as builds_behind, date_diff('day', s.release_date, n.release_date) as days_behind,
    f.baseline_build, f.baseline_since, f.baseline_status, f.accepted, f.accepted_after_next_raise,
    y.extended_end as end_of_support, y.esu_end,
    case
        when y.extended_end is null then null
        when t.day <= y.extended_end then 'yes'
        when t.day <= y.esu_end then 'only with paid updates (ESU)'
        else 'no'
    end as supported,
    case when s.build is not null and s.product is not null then coalesce(w.exploited, 0) end as known_exploited_cves_open,
    case when s.build is not null and s.product is not null then coalesce(w.total, 0) end as cves_open
from builds_seen as s
cross join today as t
inner join build_floors as f on s.build is not distinct from f.build and s.product is not distinct from f.product
left join newest as n on s.build = n.build
left join ref_lifecycle as y on s.product = y.product and s.version_prefix = y.version_prefix
left join flaw_counts as w on s.build = w.build
