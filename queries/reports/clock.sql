-- title: The enforcement clock, line by line
-- answers: What the dates of a server rest on: each piece of evidence, the bound it gives, and the intersection (--server X for one).
-- terminal: organisation, server, time, source, says, earliest, latest, latest_if_paused, carried
-- columns:
--   organisation: id of the organisation
--   server: server whose clock it is
--   step: 1 clocks and builds, 2 pauses, 3 evidence in the order of time, 4 what all of it leaves, 5 the dates, 6 in words
--   time: when the evidence begins, UTC
--   until: when it ends, UTC
--   source: refusals, first detection, imported report, silence, build, known pause, clock of the logs, one tenant clock or result
--   says: what it says
--   earliest: day 0 is later than this (dates: the stage begins no earlier), UTC; null = no bound
--   latest: day 0 is not later than this without a further pause (dates: the stage begins by then), UTC; null = no bound
--   latest_if_paused: the same if the clock stood still since (dates: with every pause day used), UTC; null = no bound
--   carried: how the bound is carried to the report date
--   lineage: where it stands, source and line of the first and last
--   third_party_dates: dates of this row that rest on one third-party source, by column or the beginning of its name; null = none
with wanted as (
    select upper(split_part(server, '.', 1)) as server from parameters
)

select
    e.organisation, e.server, e.step, e.time, e.until, e.source, e.says, e.earliest, e.latest, e.latest_if_paused,
        e.carried,
    e.lineage,
    case
        when e.step = 5 and coalesce(e.earliest, e.latest) is not null
            and case
                when regexp_matches(e.says, '\bstage \d') then try_cast(regexp_extract(e.says, '\bstage (\d+)', 1) as bigint) in (select stage from third_party_stages)
                else exists (select 1 from third_party_stages where is_last)
            end
            then concat_ws(', ', 'earliest', 'latest')
    end as third_party_dates
from (
    select * from clock_evidence
    union all
    select
        c.organisation, c.server, 6 as step, null as time, null as until, 'result' as source,
        concat_ws(' ', n.dated, upper(substr(c.state, 1, 1)) || substr(c.state, 2) || '.', c.readings, c.next_action) as says,
            null as earliest, null as latest,
        null as latest_if_paused, c.confidence as carried, null as lineage
    from server_clocks as c
    left join log_spans as n on c.organisation = n.organisation
) as e
cross join wanted as w
where w.server is null or e.server = w.server
order by
    e.organisation, e.server, e.step, e.time nulls last, e.source, e.says, e.until, e.lineage
