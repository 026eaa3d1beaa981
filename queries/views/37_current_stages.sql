-- title: The table of stages at the report date
-- answers: Which stages there are, when they begin and how many minutes an hour they refuse.
-- columns:
--   stage: number, 1 = report only
--   day_from: first day
--   day_to: day on which it ends; null = it does not end
--   throttle_minutes_per_hour: minutes an hour of temporary refusals; null = not public
--   block_minutes_per_hour: minutes an hour of permanent refusals; null = not public
--   valid_from: day from which this table is valid
select s.stage, s.day_from, s.day_to, s.throttle_minutes_per_hour, s.block_minutes_per_hour, l.valid_from
from ref_stages as s
inner join (
    select max(cast(r.valid_from as date)) as valid_from
    from ref_stages as r
    cross join parameters as p
    where cast(r.valid_from as date) <= cast(p.as_of as date)
) as l on cast(s.valid_from as date) = l.valid_from
