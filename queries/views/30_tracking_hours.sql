-- title: Tracking rows by server, build and hour
-- answers: In which hours a server's tracking is there, and which build wrote it.
-- kept: a pass over all tracking rows
-- columns:
--   organisation: id of the organisation
--   server: server whose log it is, first label in capitals; null where nothing names it
--   log_service: transport service that wrote the log
--   log_version: version in the header block
--   build: exact build of the writer; null where the log does not hold it
--   hour: hour, UTC
--   lines: rows
--   first_time: first row, UTC
--   last_time: last row, UTC
-- The hour as a number, and names as they stand: a third of the time of date_trunc and upper on every row.
with raw as (
    select
        organisation, server, log_service, log_version, log_build, floor(epoch(date_time) / 3600) as hour_number,
        count(*) as lines, min(date_time) as first_time, max(date_time) as last_time
    from message_tracking
    group by organisation, server, log_service, log_version, log_build, floor(epoch(date_time) / 3600)
)

select
    organisation, upper(split_part(server, '.', 1)) as server, log_service, log_version, log_build as build,
    date_trunc('hour', min(first_time)) as hour, cast(sum(lines) as bigint) as lines, min(first_time) as first_time,
    max(last_time) as last_time
from raw
group by organisation, upper(split_part(server, '.', 1)), log_service, log_version, log_build, hour_number
