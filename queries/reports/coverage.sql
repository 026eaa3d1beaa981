-- title: What the logs cover, by server, connector and log kind
-- answers: What these logs can and cannot show, for how many hours, and which command closes each gap.
-- terminal: organisation, server, connector, log_kind, hours_covered, hours_missing, gap, command
-- columns:
--   organisation: id of the organisation
--   server: first label in capitals; null where nothing names it
--   connector: connector; null for tracking
--   log_kind: message-tracking, smtp-send or smtp-receive
--   hours_covered: clock hours with rows
--   hours_missing: clock hours in which rows were to be expected
--   lines: rows
--   first_time: first row, UTC
--   last_time: last row, UTC
--   shows: what the rows can show; null where there are none
--   gap: what cannot be seen; null where nothing is missing
--   command: command that closes the gap
select
    organisation, server, connector, log_kind,
    count(distinct case when lines > 0 then hour end) as hours_covered,
    count(distinct case when lines = 0 then hour end) as hours_missing,
    cast(sum(lines) as bigint) as lines, min(first_time) as first_time, max(last_time) as last_time,
    max(shows) as shows, max(gap) as gap, max(command) as command
from coverage
group by organisation, server, connector, log_kind
order by organisation, server nulls first, log_kind, connector nulls first
