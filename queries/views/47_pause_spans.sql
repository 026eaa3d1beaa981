-- title: Known pauses, with what is not known of their hours
-- answers: When enforcement is known to stand still, and how exactly.
-- columns:
--   organisation: id of the organisation
--   pause_from: first day
--   pause_to: last day
--   days: whole days that it lasts
--   length: how long the clock stands still in it, seconds
--   may_start: earliest start, seconds since 1970
--   must_start: latest start, seconds since 1970
--   must_last_to: earliest end, seconds since 1970
--   may_last_to: latest end, seconds since 1970
-- materialised: small, and asked for by many views
-- Days are written in local time and a pause begins at any hour of its first day, so its place is known to
-- -14 to +36 hours; its length is a number of whole days. Pauses that overlap are one.
with marked as (
    select
        organisation, pause_from, pause_to,
        max(pause_to) over (
            partition by organisation order by pause_from, pause_to rows between unbounded preceding and 1 preceding
        ) as before
    from known_pauses
),

numbered as (
    select
        *,
        sum(case when before is null or before < pause_from then 1 else 0 end) over (
            partition by organisation order by pause_from, pause_to rows between unbounded preceding and current row
        ) as nth
    from marked
),

spans as (
    select
        organisation, min(pause_from) as pause_from, max(pause_to) as pause_to,
        date_diff('day', min(pause_from), max(pause_to)) + 1 as days,
        cast(floor(epoch(min(pause_from))) as bigint) as starts
    from numbered
    group by organisation, nth
)

select
    organisation, pause_from, pause_to, days, days * 86400 as length, starts - 50400 as may_start,
    starts + 129600 as must_start, starts + days * 86400 - 50400 as must_last_to,
    starts + days * 86400 + 129600 as may_last_to
from spans
