-- title: What an enforcement pause would shift
-- answers: How many pause days are left, and to which dates a pause would move the next stage and the full block.
-- terminal: organisation, server, option, pause_from, pause_to, left_this_year, next_stage, next_stage_earliest, next_stage_earliest_with_pause, full_block_earliest, full_block_earliest_with_pause
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
--   third_party_dates: dates of this row that rest on one third-party source, by column or the beginning of its name; null = none
select
    organisation, server, option, pause_days, pause_from, pause_to, days_of_this_year, days_of_next_year,
    quota_days, used_this_year, left_this_year, left_next_year, e.stage, e.next_stage, next_stage_earliest,
    next_stage_earliest_with_pause, next_stage_latest, next_stage_latest_with_pause, full_block_earliest,
    full_block_earliest_with_pause, full_block_latest, full_block_latest_with_pause, note,
    nullif(
        concat_ws(
            ', ',
            case when m.next_stage_is_marked and coalesce(next_stage_earliest, next_stage_latest) is not null then 'next_stage' end,
            case when m.full_block_is_marked and coalesce(full_block_earliest, full_block_latest) is not null then 'full_block' end
        ),
        ''
    ) as third_party_dates
from pause_planner as e
left join third_party_clocks as m on e.stage is not distinct from m.stage and e.next_stage is not distinct from m.next_stage
order by organisation, server, pause_days, pause_from, option
