-- title: Clocks whose dates rest on one third-party source
-- answers: Which dates are marked of a clock that was read off a stage and goes on to the next.
-- columns:
--   stage: stage that the clock was read off; null where none was seen
--   next_stage: stage that comes next; null = none
--   next_stage_is_marked: whether the dates of the next stage are
--   full_block_is_marked: whether the dates of the full block are
with stages as (
    select distinct stage, stage in (select stage from third_party_stages) as is_third_party from ref_stages
    union all
    select null as stage, false as is_third_party
),

last_stages as (
    select count(*) > 0 as is_third_party from third_party_stages where is_last
)

select
    s.stage, n.stage as next_stage, s.is_third_party or n.is_third_party as next_stage_is_marked,
    s.is_third_party or l.is_third_party as full_block_is_marked
from stages as s
cross join stages as n
cross join last_stages as l
