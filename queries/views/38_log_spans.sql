-- title: From when to when there are log lines of each organisation
-- answers: Whether what its logs say is of today, or of then.
-- columns:
--   organisation: id of the organisation
--   logs_from: first row in the time looked at, UTC
--   logs_to: last row in the time looked at, UTC
--   stale: whether they end more than 48 hours before the report date
--   dated: words that date what old logs say; null where they are not stale
-- rows, not sources: a source can reach beyond the time looked at
with hours as (
    select organisation, first_time, last_time from tracking_hours
    union all
    select organisation, first_time, last_time from protocol_hours
),

spans as (
    select organisation, min(first_time) as logs_from, max(last_time) as logs_to from hours group by organisation
)

select
    s.organisation, s.logs_from, s.logs_to, p.as_of - s.logs_to > interval 48 hour as stale,
    case
        when p.as_of - s.logs_to > interval 48 hour then 'By logs that end on ' || substr(cast(s.logs_to as varchar), 1, 10) || ':'
    end as dated
from spans as s
cross join parameters as p
