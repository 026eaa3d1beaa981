-- title: Whether Exchange Online accepts a build
-- answers: The oldest accepted build of each line at the report date, and what the announced next raise does.
-- columns:
--   build: build as the log has it; null in the rows that describe a product alone
--   product: product id of the catalogue
--   baseline_build: oldest accepted build of the line at the report date; none = no build; null = not public
--   baseline_since: from when
--   baseline_status: published, reported or disputed
--   accepted: accepted, below the floor, no build is accepted, floor not public or build unknown
--   accepted_after_next_raise: yes, no, unknown or not announced
with today as (
    select cast(as_of as date) as day from parameters
),

in_force as (
    select b.product, max(b.effective_from) as since
    from ref_baselines as b
    cross join today as t
    where b.effective_from <= t.day and b.status <> 'announced'
    group by b.product
),

floors as (
    select b.product, b.cumulative_update, b.minimum_build, b.build_key, b.status, b.effective_from
    from ref_baselines as b
    inner join in_force as i on b.product = i.product and b.effective_from = i.since
    where b.status <> 'announced'
),

-- floors only rise, so an earlier one still bounds a floor whose value is not public
known_floors as (
    select b.product, b.cumulative_update, max(b.build_key) as build_key
    from ref_baselines as b
    inner join in_force as i on b.product = i.product and b.effective_from <= i.since
    where b.status <> 'announced' and b.build_key is not null
    group by b.product, b.cumulative_update
),

lowest_floors as (
    select product, min(build_key) as build_key from known_floors group by product
),

raises as (
    select product, cumulative_update, max(build_key) as build_key from ref_baselines
    where status = 'announced' group by product, cumulative_update
),

raised_products as (
    select distinct product from raises
),

judged as (
    select
        s.build, s.product, s.build_key, f.minimum_build as baseline_build, f.effective_from as baseline_since, f.status as baseline_status,
        case
            when s.product is null then 'build unknown'
            when f.minimum_build = 'none' then 'no build is accepted'
            when s.build_key is null then 'build unknown'
            when s.build_key < coalesce(f.build_key, k.build_key, case when f.product is null then l.build_key end)
                then 'below the floor'
            when f.build_key is not null then 'accepted'
            else 'floor not public'
        end as accepted,
        coalesce(f.build_key, l.build_key) as floor_key,
        r.build_key as raise_key, p.product is not null as product_is_raised
    from builds_seen as s
    left join floors as f
        on s.product = f.product and (f.cumulative_update is null or s.cumulative_update = f.cumulative_update)
    left join known_floors as k on s.product = k.product and s.cumulative_update = k.cumulative_update
    left join lowest_floors as l on s.product = l.product
    left join raises as r on s.product = r.product and s.cumulative_update = r.cumulative_update
    left join raised_products as p on s.product = p.product
)

select
    build, product, baseline_build, baseline_since, baseline_status, accepted,
    case
        when accepted = 'build unknown' then 'unknown'
        when accepted = 'no build is accepted' then 'no'
        when not product_is_raised then 'not announced'
        when raise_key is not null then case when build_key >= raise_key then 'yes' else 'no' end
        when build_key <= floor_key then 'no'
        else 'unknown'
    end as accepted_after_next_raise
from judged
