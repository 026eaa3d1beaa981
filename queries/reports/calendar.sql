-- title: What happens when
-- answers: What has begun, then the next stages, full blocks, pause ends, ends of support and announced raises, across organisations.
-- terminal: earliest, latest, latest_if_paused, organisation, server, what, basis
-- columns:
--   earliest: it does not happen earlier, UTC; null = no date is public or no bound is known
--   latest: it happens by then without another pause, UTC; null = no upper bound
--   latest_if_paused: it happens by then even if paused, UTC; null = no upper bound
--   days: whole days from the report date to the earliest, of what has begun for certain to the latest; null = no date
--   organisation: id of the organisation
--   server: server; null where it concerns the organisation
--   what: what happens
--   basis: observed, imported or predicted for dates of enforcement; organisations.toml or catalogue
--   note: what to know
--   third_party_dates: dates of this row that rest on one third-party source, by column or the beginning of its name; null = none
with moments as (
    select as_of from parameters
),

products as (
    select
        organisation, min(generation) as product, min(end_of_support) as end_of_support, min(esu_end) as esu_end,
        string_agg(distinct server, ', ' order by server) as servers
    from servers
    where product is not null
    group by organisation, product
),

stages as (
    select
        organisation, server, next_stage_earliest as earliest, next_stage_latest as latest,
        next_stage_latest_if_paused as latest_if_paused,
        'stage ' || cast(next_stage as varchar) || ' begins'
            || coalesce(', throttled ' || cast(nullif(next_stage_throttle_rate, 0) as varchar) || ' minutes an hour',
                '')
            || coalesce(', blocked ' || cast(nullif(next_stage_block_rate, 0) as varchar) || ' minutes an hour',
                '') as what,
        basis, confidence as note, false as has_begun, next_stage in (select stage from third_party_stages) as is_third_party
    from server_clocks
    where basis is not null and next_stage is not null
    union all
    select
        c.organisation, c.server, c.full_block_earliest as earliest, c.full_block_latest as latest,
        c.full_block_latest_if_paused as latest_if_paused,
        'all mail is blocked'
            || case
                when c.full_block_latest_if_paused <= m.as_of
                    then ', since ' || substr(cast(c.full_block_latest as varchar), 1, 10) || ' at the latest'
                else ''
            end as what,
        c.basis, c.confidence as note, coalesce(c.full_block_latest_if_paused <= m.as_of, false) as has_begun,
        exists (select 1 from third_party_stages where is_last) as is_third_party
    from server_clocks as c
    cross join moments as m
    where c.basis is not null
),

others as (
    select
        p.organisation, cast(null as varchar) as server, to_timestamp(p.must_last_to) as earliest,
            to_timestamp(p.may_last_to) as latest,
        to_timestamp(p.may_last_to) as latest_if_paused, 'the enforcement pause ends' as what,
            'organisations.toml' as basis,
        'the clock goes on where it stopped' as note
    from pause_spans as p
    cross join moments as m
    where to_timestamp(p.may_last_to) > m.as_of
    union all
    select
        d.organisation, cast(null as varchar) as server, to_timestamp(floor(epoch(d.end_of_support))) as earliest,
        to_timestamp(floor(epoch(d.end_of_support))) as latest,
            to_timestamp(floor(epoch(d.end_of_support))) as latest_if_paused,
        'support of Exchange ' || d.product || ' ends' as what, 'catalogue' as basis, 'servers: ' || d.servers as note
    from products as d
    cross join moments as m
    where d.end_of_support >= cast(m.as_of as date)
    union all
    select
        d.organisation, cast(null as varchar) as server, to_timestamp(floor(epoch(d.esu_end))) as earliest,
        to_timestamp(floor(epoch(d.esu_end))) as latest, to_timestamp(floor(epoch(d.esu_end))) as latest_if_paused,
        'paid updates (ESU) of Exchange ' || d.product || ' end' as what, 'catalogue' as basis, 'servers: ' || d.servers as note
    from products as d
    cross join moments as m
    where d.esu_end >= cast(m.as_of as date)
    union all
    select
        s.organisation, s.server, cast(null as timestamptz) as earliest, cast(null as timestamptz) as latest,
        cast(null as timestamptz) as latest_if_paused,
            'the next raise of the floor: its mail is refused after it' as what,
        'catalogue' as basis, 'announced without a date; the build is accepted today' as note
    from servers as s
    where s.build_risk = 'accepted today, refused after the next raise'
)

select
    e.earliest, e.latest, e.latest_if_paused,
    cast(floor((epoch(case when e.has_begun then e.latest else e.earliest end) - epoch(m.as_of)) / 86400) as bigint) as days, e.organisation, e.server, e.what,
        e.basis, e.note,
    case
        when e.is_third_party and coalesce(e.earliest, e.latest) is not null then concat_ws(', ', 'earliest', 'latest')
    end as third_party_dates
from (
    select organisation, server, earliest, latest, latest_if_paused, what, basis, note, has_begun, is_third_party from stages
    union all
    select organisation, server, earliest, latest, latest_if_paused, what, basis, note, false as has_begun, false as is_third_party
    from others
) as e
cross join moments as m
-- what has begun, even if paused, has no earliest date where nothing bounds it below
order by
    case when e.has_begun then 0 else 1 end, case when e.has_begun then e.latest else coalesce(e.earliest, e.latest) end nulls last,
    e.organisation, e.server nulls first, e.what, e.latest
