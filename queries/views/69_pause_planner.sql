-- title: What an enforcement pause would shift
-- answers: How many pause days are left, and to which dates a pause would move the next stage and the full block.
-- columns:
--   organisation: id of the organisation
--   server: server with an enforcement clock, first label in capitals; null where no server has one
--   option: which pause
--   pause_days: its whole days
--   pause_from: first day
--   pause_to: last day
--   days_of_this_year: days that it takes from the quota of the year in which it begins
--   days_of_next_year: days that it takes from the quota of the year after
--   quota_days: days a calendar year and tenant
--   used_this_year: days of known pauses in the year in which it begins, planned ones too
--   left_this_year: days of that year's quota that are left without it
--   left_next_year: the same of the year after
--   stage: present stage, where it is known
--   next_stage: next stage
--   next_stage_earliest: next stage without this pause, UTC
--   next_stage_earliest_with_pause: with it; as the pause ends, at the earliest, where the stage can begin any moment
--   next_stage_latest: next stage begins by then without any further pause, UTC; null = no upper bound
--   next_stage_latest_with_pause: with this pause alone
--   full_block_earliest: full block without this pause, UTC
--   full_block_earliest_with_pause: with it
--   full_block_latest: all is blocked by then without any further pause, UTC; null = no upper bound
--   full_block_latest_with_pause: with this pause alone
--   note: what to know about this pause
-- materialised: small
-- The clock stands still in a pause and goes on where it stopped. Known pauses are those of organisations.toml: a pause set
-- elsewhere is not known here (Get-TenantExemptionInfo -BlockingScenario UnpatchedOnPremServer shows it).
with moments as (
    select as_of, cast(floor(epoch(as_of) / 86400) as bigint) as today from parameters
),

quotas as (
    select max_by(q.days_per_calendar_year, cast(q.valid_from as date)) as days
    from ref_pause_quotas as q
    cross join parameters as p
    where cast(q.valid_from as date) <= cast(p.as_of as date)
),

last_stages as (
    select max(stage) as stage from current_stages
),

tenants as (
    select distinct organisation from server_clocks where basis is not null
    union
    select distinct organisation from known_pauses
),

running as (
    select s.organisation, max(s.pause_to) as pause_to
    from pause_spans as s
    cross join parameters as p
    where s.pause_from <= cast(p.as_of as date) and s.pause_to >= cast(p.as_of as date)
    group by s.organisation
),

starts as (
    select
        t.organisation, r.pause_to as running_to, q.days as quota,
        coalesce(cast(floor(epoch(r.pause_to) / 86400) as bigint) + 1, m.today) as start
    from tenants as t
    cross join moments as m
    cross join quotas as q
    left join running as r on t.organisation = r.organisation
),

years as (
    select
        *, year(to_timestamp(start * 86400)) as start_year,
        cast(floor(epoch(make_date(cast(year(to_timestamp(start * 86400)) as integer), 1, 1)) / 86400) as bigint) as year_start,
        cast(floor(epoch(make_date(cast(year(to_timestamp(start * 86400)) as integer) + 1, 1, 1)) / 86400) as bigint) as next_start,
        cast(floor(epoch(make_date(cast(year(to_timestamp(start * 86400)) as integer) + 2, 1, 1)) / 86400) as bigint) as after_start
    from starts
),

spans as (
    select
        organisation, pause_from, cast(floor(epoch(pause_from) / 86400) as bigint) as day_from,
        cast(floor(epoch(pause_to) / 86400) as bigint) as day_to
    from pause_spans
),

used as (
    select
        y.organisation,
        sum(
            case
                when s.day_from is null then 0
                else greatest(0, least(s.day_to + 1, y.next_start) - greatest(s.day_from, y.year_start))
            end
        ) as this_year,
        sum(
            case
                when s.day_from is null then 0
                else greatest(0, least(s.day_to + 1, y.after_start) - greatest(s.day_from, y.next_start))
            end
        ) as next_year,
        min(case when s.day_from > y.start then s.pause_from end) as planned_from
    from years as y
    left join spans as s on y.organisation = s.organisation
    group by y.organisation
),

budgets as (
    select
        y.*, u.this_year as used_this_year, u.planned_from, greatest(y.quota - u.this_year, 0) as left_this,
        greatest(y.quota - u.next_year, 0) as left_next, y.next_start - y.start as days_to_end
    from years as y
    inner join used as u on y.organisation = u.organisation
),

choices as (
    select
        b.*, cast(o.days as varchar) || ' days' as option, o.days as pause_days, b.start as day_from, o.days as option_order
    from budgets as b
    cross join (values (7), (14), (30)) as o(days)
    where o.days < case when b.left_this >= b.days_to_end then b.days_to_end + b.left_next else b.left_this end
        and o.days <> b.days_to_end
    union all
    select b.*, 'all days of this year', least(b.left_this, b.days_to_end), b.start, 1000
    from budgets as b
    where b.left_this > 0
    union all
    select b.*, 'all days, over the turn of the year', b.days_to_end + b.left_next, b.start, 1001
    from budgets as b
    where b.left_this >= b.days_to_end and b.left_next > 0
    union all
    select b.*, 'later, over the turn of the year', b.left_this + b.left_next, b.next_start - b.left_this, 1002
    from budgets as b
    where b.left_this < b.days_to_end and b.left_next > 0
    union all
    -- nothing is left and no year turns soon: the row says so
    select b.*, 'none', 0, b.start, 0
    from budgets as b
    where b.left_this = 0 and b.left_next = 0
),

planned as (
    select
        *, day_from * 86400 as pause_starts, (day_from + pause_days) * 86400 as pause_ends,
        greatest(0, least(day_from + pause_days, next_start) - day_from) as of_this_year
    from choices
),

clocks as (
    select
        organisation, server, stage, next_stage, basis, epoch(next_stage_earliest) as next_earliest,
        epoch(next_stage_latest) as next_latest, epoch(full_block_earliest) as block_earliest,
        epoch(full_block_latest) as block_latest
    from server_clocks
    where basis is not null
)

select
    p.organisation, c.server, p.option, cast(p.pause_days as integer) as pause_days,
    cast(to_timestamp(p.pause_starts) as date) as pause_from,
    case when p.pause_days > 0 then cast(to_timestamp(p.pause_ends - 86400) as date) end as pause_to,
    cast(p.of_this_year as integer) as days_of_this_year, cast(p.pause_days - p.of_this_year as integer) as days_of_next_year,
    p.quota as quota_days, cast(p.used_this_year as integer) as used_this_year, cast(p.left_this as integer) as left_this_year,
    cast(p.left_next as integer) as left_next_year, c.stage, c.next_stage, to_timestamp(c.next_earliest) as next_stage_earliest,
    to_timestamp(
        case
            when c.next_earliest > p.pause_starts then c.next_earliest + p.pause_days * 86400
            when c.next_earliest is not null and p.option not like 'later%' then p.pause_ends
            else c.next_earliest
        end
    ) as next_stage_earliest_with_pause,
    to_timestamp(c.next_latest) as next_stage_latest,
    to_timestamp(c.next_latest + case when c.next_latest > p.pause_starts then p.pause_days * 86400 else 0 end)
        as next_stage_latest_with_pause,
    to_timestamp(c.block_earliest) as full_block_earliest,
    to_timestamp(
        case
            when c.block_earliest > p.pause_starts then c.block_earliest + p.pause_days * 86400
            when c.block_earliest is not null and p.option not like 'later%' then p.pause_ends
            else c.block_earliest
        end
    ) as full_block_earliest_with_pause,
    to_timestamp(c.block_latest) as full_block_latest,
    to_timestamp(c.block_latest + case when c.block_latest > p.pause_starts then p.pause_days * 86400 else 0 end)
        as full_block_latest_with_pause,
    nullif(
        concat_ws(
            ' ',
            n.dated,
            case when p.pause_days = 0 then 'No pause day is left, this year or next.' end,
            case when p.running_to is not null then 'A pause runs to ' || cast(p.running_to as varchar) || ': this one extends it.' end,
            case
                when p.planned_from is not null
                    then 'Another pause is known from ' || cast(p.planned_from as varchar) || ' on; its days are counted as used.'
            end,
            case
                when c.stage = l.stage and p.pause_days > 0 and n.stale
                    then 'All mail is blocked by the clock: in the pause it flows, and after it is blocked again.'
                when c.stage = l.stage and p.pause_days > 0
                    then 'All mail is blocked now: in the pause it flows, and after it is blocked again.'
                when c.next_earliest <= p.pause_starts and p.option not like 'later%'
                    then 'The next stage can begin any moment, or has begun: the dates hold if it has not when the pause starts.'
            end,
            case when p.option like 'later%' then 'Until it begins the clock goes on: stages that come before it are not moved.' end,
            case
                when p.pause_days > p.of_this_year
                    then 'The days after 31 December are of next year''s quota: whether one command takes both is not public; set the second part on 1 January.'
            end,
            case when p.pause_days > 0 then 'A pause cannot be ended early, it is said, and days not taken by 31 December are lost.' end
        ),
        ''
    ) as note
from planned as p
cross join last_stages as l
left join clocks as c on p.organisation = c.organisation
left join log_spans as n on p.organisation = n.organisation
